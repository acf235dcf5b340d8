"""The sentences of refusals, for operators: reasons that services recorded have only codes and facts."""

from functools import lru_cache

from services.chassis.domain.texts import Texts, TextsUnfit
from services.chassis.runtime.texts import load


def explained(service: str, reason: str) -> str:
    """A reason that this service recorded, with the English sentence of the refusal that it names."""
    return _texts(service).explained(reason)


@lru_cache
def _texts(service: str) -> Texts:
    try:
        return load(("services.contracts", f"services.{service}"))
    except TextsUnfit:  # a service of another repository: only what the chassis refuses is known here
        return load()
