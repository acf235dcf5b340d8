"""The metrics of networks."""

from prometheus_client import Counter

held_back = Counter(
    "linli_codes_held_back", "Sign-in codes that were asked for and not sent, by what was too much.", ["because"]
)
