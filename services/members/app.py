"""Members, put together."""

from services.chassis.ops.service import Service
from services.members.areas import api as areas
from services.members.areas.model import Area

service = Service(name="members", entities=(Area,), routes=(areas.routes,), mints_keys=True)
