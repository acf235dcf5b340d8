"""`python -m tests.bench.kinds_process worker`: a process of the made-up service, with ``BENCH_KINDS`` kinds."""

import os

from services.chassis.runtime import entry
from tests.bench.many_kinds import Crowd

SETTING = "BENCH_KINDS"


def main() -> None:
    """Run it as any service runs."""
    entry.main(Crowd.of(int(os.environ[SETTING])).service())


if __name__ == "__main__":
    main()
