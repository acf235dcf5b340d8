"""``python -m services.notify web|worker|migrate|operate``."""

from services.chassis.runtime.entry import main
from services.notify.app import service

if __name__ == "__main__":
    main(service)
