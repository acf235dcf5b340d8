"""The table of measurements, in the order in which they are run."""

from collections.abc import Sequence

from tests.bench import ceiling, commands, latency, memory, overload, soak, warm
from tests.bench.bench import Measurement

MEASUREMENTS: Sequence[Measurement] = (ceiling, commands, latency, overload, memory, soak, warm)
