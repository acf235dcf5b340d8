"""The metrics of duty rosters."""

from prometheus_client import Counter

gaps_reported = Counter("linli_roster_gaps", "Times ahead in which nobody is on call, each reported once.")
