"""``python -m services.requests web|worker|migrate|operate``."""

from services.chassis.runtime.entry import main
from services.requests.app import service

if __name__ == "__main__":
    main(service)
