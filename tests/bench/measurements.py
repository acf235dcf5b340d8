"""The table of measurements, in the order in which they are run."""

from collections.abc import Sequence

from tests.bench import (
    ceiling,
    commands,
    consumer,
    cost,
    fanout,
    flood,
    kinds,
    latency,
    memory,
    overload,
    pause,
    scale,
    seeding,
    several,
    soak,
    streams,
    warm,
)
from tests.bench.bench import Measurement

# What comes after the warm start leaves things behind, in the processes or beside them, that would weigh on the others.
MEASUREMENTS: Sequence[Measurement] = (
    ceiling,
    cost,
    commands,
    latency,
    overload,
    flood,
    memory,
    soak,
    warm,
    several,
    seeding,
    consumer,
    pause,
    fanout,
    kinds,
    streams,
    scale,
)
