"""Words: a short text in several languages, as it is stored and shown; and what a tag of a language looks like."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.chassis.domain.writing import LEGIBLE

DEFAULT = "zh"
"""The language of a city's own staff, and of a client that asks for none."""
FALLBACKS = ("en", DEFAULT)
"""Where a text is missing in the language asked for: in which languages it is looked for, in this order."""
_TAG = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


def is_language(tag: str) -> bool:
    """Whether this is the tag of a language (RFC 5646, in its usual case), such as ``mn`` or ``zh-Hant``."""
    return bool(_TAG.match(tag))


class Words(BaseModel):
    """A text in Chinese, in English, and in as many further languages as there are, each under its tag."""

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_serialization_defaults_required=True)
    __pydantic_extra__: dict[str, str] = Field(init=False)

    zh: str
    en: str = Field(default_factory=lambda given: given.get("zh", ""))
    """Where there is no English text, the Chinese one."""

    @model_validator(mode="before")
    @classmethod
    def _without_unknown_fields(cls, given: Any) -> Any:
        """Leave out what is neither a field nor a language: a newer program may have added it."""
        if not isinstance(given, Mapping):
            return given
        return {key: text for key, text in given.items() if key in cls.model_fields or is_language(key)}

    @classmethod
    def named(cls, zh: str, en: str | None = None) -> Self:
        """A name in Chinese and, where there is one, in English."""
        return cls(zh=zh, en=en or zh)

    def texts(self) -> Mapping[str, str]:
        """The text in each of its languages, by tag."""
        return {"zh": self.zh, "en": self.en, **(self.__pydantic_extra__ or {})}

    def of(self, language: str) -> str:
        """The text in a language, or in the first of the languages that stand in for it."""
        texts = self.texts()
        return next(texts[one] for one in (language, *FALLBACKS) if texts.get(one))


class GivenWords(BaseModel):
    """Words as a request gives them; a subclass says how long they may be, and whether English is needed."""

    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, str] = Field(init=False)

    @model_validator(mode="after")
    def _in_languages(self) -> Self:
        """Refuse a field that is neither ours nor the tag of a language."""
        for tag in self.__pydantic_extra__:
            if not is_language(tag):
                raise PydanticCustomError("not_a_language", "{tag} is not the tag of a language", {"tag": tag})
        return self

    def words(self) -> Words:
        """As events carry them."""
        return Words.model_validate(self.model_dump(exclude_none=True))


Name = Annotated[str, Field(min_length=1, max_length=80), LEGIBLE]


class GivenName(GivenWords):
    """A name in Chinese and in as many further languages as wanted, each under its tag (RFC 5646)."""

    __pydantic_extra__: dict[str, Name] = Field(init=False)

    zh: Name
    en: Name | None = None
