"""The folders in which a stack keeps its data, logs, secrets and the state of its processes."""

import contextlib
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from deploy.local.trouble import Trouble

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = CHECKOUT / ".linli" / "tools"
LEAST_FREE_BYTES = 2 * 1024**3
# The kernel allows 107 bytes. supervisord first binds a name that is longer by its own pid.
LONGEST_SOCKET_PATH = 96


@dataclass(frozen=True)
class Home:
    """One stack's folder, `.linli/` of the checkout unless LINLI_HOME says otherwise."""

    root: Path

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Home":
        """The folder named by LINLI_HOME, or `.linli/` of the checkout."""
        return cls(Path(given.get("LINLI_HOME") or CHECKOUT / ".linli").absolute())

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def sms(self) -> Path:
        return self.root / "sms"

    @property
    def socket(self) -> Path:
        """Where the supervisor listens."""
        return self._socket("supervisor", "linli")

    @property
    def gateway_admin(self) -> Path:
        """Where the gateway's own administration listens."""
        return self._socket("gateway-admin", "linli-gateway")

    def log(self, process: str) -> Path:
        """The log of one process."""
        return self.logs / f"{process}.log"

    def _socket(self, name: str, elsewhere: str) -> Path:
        """A short path elsewhere if this folder lies too deep for a socket."""
        near = self.run / f"{name}.sock"
        if len(str(near).encode()) <= LONGEST_SOCKET_PATH:
            return near
        mark = hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"{elsewhere}-{mark}.sock"

    def make(self) -> None:
        """Create the folders, readable by their owner only; Trouble if that fails, or if the disk is nearly full."""
        for folder in (self.root, self.data, self.logs, self.run, self.secrets, self.sms):
            _make(folder)
        free = shutil.disk_usage(self.root).free
        if free < LEAST_FREE_BYTES:
            raise Trouble(
                f"Only {free / 1024**3:.1f} GiB are free on the disk of {self.root}, and Linli needs 2 GiB: "
                "free some, or set LINLI_HOME to a folder on another disk."
            )

    def settle(self, topology: str) -> None:
        """Record the topology of the data; Trouble if the data has another topology."""
        mark = self.data / "topology"
        if not mark.exists():
            mark.write_text(topology if not any(self.data.iterdir()) else "one")
        if (settled := mark.read_text()) != topology:
            raise Trouble(
                f"The data in {self.root} was created with LINLI_TOPOLOGY={settled}, not {topology}: "
                "set that, or set LINLI_HOME to another folder."
            )


@contextlib.contextmanager
def locked(folder: Path, name: str = "lock") -> Iterator[None]:
    """A lock on this folder; waits for the present holder, and is freed when its holder dies.

    Trouble if the folder is not writable.
    """
    _make(folder)
    with _opened(folder / name) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error) from error


def _opened(file: Path) -> TextIO:
    try:
        return file.open("a")
    except OSError as error:
        raise _not_writable(file.parent, error) from error


def _not_writable(folder: Path, error: OSError) -> Trouble:
    advice = "make that a folder you may write to; LINLI_HOME names another one for all data of Linli"
    return Trouble(f"{folder} cannot be written ({error.strerror}): {advice}.")
