"""Passwords: how they are made and hashed, and what refuses one where too many wait for it."""

from pwdlib.hashers.argon2 import Argon2Hasher

from services.chassis.domain.refusals import Kind, Refusal

# OWASP's minimum for Argon2id: 19 MiB and two passes, about 30 ms here. Generated passwords have 100 random bits.
_ARGON2 = Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# The hash of a random text at the same cost: an unknown login takes as long as a known one.
_DECOY = "$argon2id$v=19$m=19456,t=2,p=1$RGl2yUfnvMxSOlgv1kcLsw$/Qns/+4B3RUHGNLALE0ngffdKBDmbneh33QhX+IGYOg"


class SignInBusy(Refusal):
    kind = Kind.TOO_MANY


def hashed(password: str) -> str:
    """The Argon2id hash of a password; takes about 30 ms of one core: for the hashing pool."""
    return _ARGON2.hash(password)


def fits(password: str, known: str | None) -> bool:
    """Whether a password has this hash; takes as long without a hash. For the hashing pool."""
    return _ARGON2.verify(password, known or _DECOY) and known is not None
