"""The metrics of audiences."""

from prometheus_client import Counter

left_out = Counter("linli_recipients_left_out", "People who were not notified, because too many were concerned.")
