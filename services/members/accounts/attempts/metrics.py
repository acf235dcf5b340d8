"""The metrics of attempts."""

from prometheus_client import Counter

refused = Counter(
    "linli_sign_ins_refused",
    "Sign-ins that were refused, by phone or of staff: wrong, while strangers or the device were locked, or because "
    "the queue for hashing was full.",
    ["method", "because"],
)
