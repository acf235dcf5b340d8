"""The errors of the driver as ours."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from services.chassis.domain.refusals import Unavailable

T = TypeVar("T")

_AWAY = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
DUPLICATE = 11000
_TRANSIENT_CODES = frozenset({43, 134, 262, 286})
"""Server codes of errors that pass: the cursor was on a node that went away; no majority is known yet after a start;
the operation ran out of time; the resume point of a change stream is no longer in the oplog."""


class Duplicate(Exception):
    """A document with this ``_id``, or with the same values of a unique index, already exists.

    ``names``: those of the index. Not the values, which may be personal data.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


class DatabaseRefused(Exception):
    """The database rejected an operation.

    The text is its error codes only, because its message can hold a whole document.
    """


async def guarded(work: Awaitable[T]) -> T:
    """Await an operation. Raises Duplicate, Unavailable or DatabaseRefused, and BulkWriteError for ``Mongo.bulk``."""
    try:
        return await work
    except DuplicateKeyError as error:
        raise Duplicate([*(error.details or {}).get("keyPattern", ())]) from error
    except _AWAY as error:
        raise Unavailable(retry_after=2) from error
    except OperationFailure as error:
        if _is_transient(error):
            raise Unavailable(retry_after=2) from error
        if isinstance(error, BulkWriteError):
            raise  # ``bulk`` looks into it
        raise DatabaseRefused(f"{type(error).__name__} {error.code}") from error


def _is_transient(error: OperationFailure) -> bool:
    """Whether a retry can help. During a step-down of the primary, the driver marks the errors that can be retried."""
    labelled = any(error.has_error_label(label) for label in ("RetryableWriteError", "TransientTransactionError"))
    return labelled or error.code in _TRANSIENT_CODES
