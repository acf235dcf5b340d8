"""The metrics of networks."""

from prometheus_client import Counter

held_back = Counter(
    "linli_sign_ins_held_back",
    "Sign-in codes that were asked for and not sent, and sign-ins of staff that were not looked at, by what was too "
    "much.",
    ["what", "because"],
)
