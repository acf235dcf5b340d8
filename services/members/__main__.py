"""``python -m services.members web|worker|migrate|operate``."""

from services.chassis.runtime.entry import main
from services.members.app import service

if __name__ == "__main__":
    main(service)
