"""What a process of a service can be asked to do: the documents that ``python -m services.requests operate`` reads.

`linli` asks. The process reads one document on stdin and writes one answer as JSON on stdout, progress on stderr.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter


class Request(BaseModel):
    """One operation with all that it needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Any
    progress: bool = False
    """Whether lines about the progress are wanted on stderr."""


class VerifyRequest(Request):
    """Check what the service promised, on live data."""

    operation: Literal["verify"] = "verify"
    log: Path | None = None
    """A driver's log of commands, for L1 and L2."""
    workers: tuple[str, ...] = ()
    """The addresses of this service's workers, such as http://127.0.0.1:8102, whose gauges are compared."""
    within: Annotated[float, Field(ge=0)] = 60
    """Within this many seconds relay and consumers have to reach the cut."""


class AuditRequest(Request):
    """Check the audit log and the hash chains of all histories."""

    operation: Literal["audit"] = "audit"
    since: AwareDatetime | None = None
    """Only audit entries from then on; histories always as a whole."""


class RebuildRequest(Request):
    """Make the states of a kind again from their histories: all, or the one with ``id``."""

    operation: Literal["rebuild"] = "rebuild"
    kind: str
    id: str | None = None
    write: bool = False
    """Without it nothing is changed."""
    again: bool = False
    """From the start, even if an interrupted run could be resumed."""

    @property
    def resumable(self) -> bool:
        """Whether progress should be recorded."""
        return self.write and self.id is None


class BackfillRequest(Request):
    """Let a reaction that is off take the past, then turn it on."""

    operation: Literal["backfill"] = "backfill"
    reaction: str
    write: bool = False


class RepublishRequest(Request):
    """Send again what was published: of one entity, one kind, or all; recorded from ``since`` on, before ``until``."""

    operation: Literal["republish"] = "republish"
    entity: str = ""
    kind: str = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    lost: bool = False
    """The topic was lost: the relay waits until all is sent."""
    write: bool = False


class ExamineRequest(Request):
    """Look at everything that the service needs."""

    operation: Literal["examine"] = "examine"


class SettingsRequest(Request):
    """Name the settings that the service reads; needs none of them."""

    operation: Literal["settings"] = "settings"


AnyRequest = Annotated[
    VerifyRequest
    | AuditRequest
    | RebuildRequest
    | BackfillRequest
    | RepublishRequest
    | ExamineRequest
    | SettingsRequest,
    Field(discriminator="operation"),
]

REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)
"""Reads any request."""
