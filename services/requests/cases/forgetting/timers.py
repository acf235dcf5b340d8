"""The cases of people who were erased: forgotten in the background, each by itself."""

from services.chassis.messaging import erasures
from services.chassis.storage.leases import Lease
from services.chassis.usecase import Container
from services.contracts.requests.cases import ForgetCause
from services.requests.cases.forgetting import commands
from services.requests.cases.model import Case

_NAME = "forget-erased"


async def forget_erased(lease: Lease, container: Container) -> None:
    """Forget the cases of people whose keys are gone, as they go."""
    await erasures.run(forget_cases_of, lease, container)


async def forget_cases_of(container: Container, person: str) -> int:
    """Forget all cases of a person that are not forgotten yet; how many. Unavailable."""
    count = 0
    where = Case.where(resident_id=person, forgotten=None)
    async for documents in container.mongo.each(Case.collection(), where, {"_id": 1}):
        for document in documents:
            ctx = container.system_context(_NAME, f"erasure:{person}")
            await commands.forget_now(ctx, document["_id"], ForgetCause.ERASED)
            count += 1
    return count
