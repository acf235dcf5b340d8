"""The metrics of residents' requests."""

from prometheus_client import Gauge, Histogram

_DAYS = (60, 600, 3600, 4 * 3600, 8 * 3600, *(86400 * days for days in (1, 2, 3, 5, 7, 10, 15, 30)))

cases = Gauge("linli_cases", "Residents' requests.", ["state", "system", "county"])
cases_overdue = Gauge("linli_cases_overdue", "Open requests whose time is over.", ["county"])
case_response = Histogram(
    "linli_case_response_seconds", "From filing (or reopening) to the first acceptance, in seconds.", buckets=_DAYS
)
case_resolution = Histogram(
    "linli_case_resolution_seconds", "From filing (or reopening) to the resolution, in seconds.", buckets=_DAYS
)
