"""Every metric of the chassis, declared once; labels are bounded: route templates, types, codes, never ids.

What only one sub-domain measures is declared in its own ``metrics.py``.
"""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_AGE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86400)

http_requests = Counter("linli_http_requests", "Requests answered.", ["method", "route", "status"])
http_seconds = Histogram(
    "linli_http_request_duration_seconds",
    "Time to answer a request, in seconds.",
    ["method", "route"],
    buckets=_FAST,
)
http_in_flight = Gauge("linli_http_in_flight", "Requests being worked on now.")

usecase_seconds = Histogram(
    "linli_usecase_duration_seconds",
    "Time a use case took, in seconds.",
    ["usecase", "outcome"],
    buckets=_FAST,
)
events_recorded = Counter("linli_events_recorded", "Events stored with their entity.", ["type"])

events_published = Counter("linli_events_published", "Events the broker has acknowledged.", ["type"])
events_archived = Counter("linli_events_archived", "Events moved from documents to archives.", ["collection"])
relay_pending = Gauge("linli_relay_pending", "Entities with events that are not published yet.")
relay_oldest = Gauge("linli_relay_oldest_seconds", "Age of the oldest unpublished event, in seconds.")
relay_stuck = Gauge("linli_relay_stuck", "Entities set aside because their events cannot be sent.")

consumer_lag = Gauge("linli_consumer_lag_records", "Events not yet consumed.", ["topic", "partition"])
reaction_seconds = Histogram(
    "linli_reaction_duration_seconds",
    "Time a reaction took, in seconds.",
    ["reaction", "outcome"],
    buckets=_FAST,
)
event_age = Histogram(
    "linli_event_age_seconds",
    "From the record of an event to its effect, in seconds.",
    ["reaction"],
    buckets=_AGE,
)
parked_events = Gauge("linli_parked_events", "Events set aside because a reaction failed on them.", ["reaction"])
events_dropped = Counter("linli_events_dropped", "Parked events given up by an operator.", ["reaction"])
reaction_on = Gauge(
    "linli_reaction_on", "Whether a reaction is on (1), or off or waiting for a copy (0).", ["reaction"]
)

consumer_resting = Gauge(
    "linli_consumer_resting", "Whether an operator paused this consumer, or unreadable records stopped it.", ["state"]
)

timer_runs = Counter("linli_timer_runs", "Use cases started because their time had come.", ["timer", "outcome"])
timer_late = Gauge(
    "linli_timer_late_seconds", "For how long the oldest entity of a timer has been due, in seconds.", ["timer"]
)
lease_held = Gauge("linli_lease_held", "Whether this process holds a lease (1) or not (0).", ["lease"])

audit_entries = Counter("linli_audit_entries", "Entries of the audit log, durable.", ["action"])
audit_failures = Counter(
    "linli_audit_failures", "Times that the audit log could not be written; what waited for it was answered 503."
)

revocations = Gauge("linli_revocations", "Sessions and accounts whose tokens are refused before they expire.")

build_info = Gauge("linli_build_info", "The version that runs, as labels.", ["service", "role", "version"])
