"""Refusals: the ways in which a use case says no, each with a stable code and its text in zh and en."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import orjson


class Kind(StrEnum):
    """What sort of no it is; the HTTP status follows from it in one place only."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    STATE = "state"
    STALE = "stale"
    REQUIRED = "required"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    OUTDATED = "outdated"


TITLES: Mapping[Kind, Mapping[str, str]] = {
    Kind.INVALID: {"zh": "请求有误", "en": "The request is not valid"},
    Kind.UNAUTHENTICATED: {"zh": "未登录", "en": "Not signed in"},
    Kind.FORBIDDEN: {"zh": "没有权限", "en": "Not permitted"},
    Kind.NOT_FOUND: {"zh": "没有找到", "en": "Not found"},
    Kind.STATE: {"zh": "当前状态不允许", "en": "Its state does not allow this"},
    Kind.STALE: {"zh": "内容已被更改", "en": "Changed since you saw it"},
    Kind.REQUIRED: {"zh": "缺少请求头", "en": "A header is missing"},
    Kind.TOO_LARGE: {"zh": "内容过大", "en": "Too large"},
    Kind.TOO_MANY: {"zh": "过于频繁", "en": "Too often"},
    Kind.UNAVAILABLE: {"zh": "暂时不可用", "en": "Not available now"},
    Kind.OUTDATED: {"zh": "程序版本过旧", "en": "The program is too old"},
}
"""What each sort of no is called, for whoever reads no further."""

ROLES_ZH: Mapping[str, str] = {
    "resident": "居民",
    "operator": "话务员",
    "handler": "经办人",
    "dispatcher": "派单员",
    "supervisor": "督办员",
    "administrator": "管理员",
}
"""The roles as people say them; in English their codes are words."""


class Refusal(Exception):
    """A no with a reason. A subclass states its kind and its sentence in zh and en, with {parameters}."""

    kind: ClassVar[Kind]
    zh: ClassVar[str]
    en: ClassVar[str]

    def __init_subclass__(cls) -> None:
        REFUSALS[cls.code()] = cls

    def __init__(self, *, retry_after: int | None = None, **params: Any) -> None:
        super().__init__(self.code(), params)
        self.params = params
        self.retry_after = retry_after

    @classmethod
    def code(cls) -> str:
        """The stable code, such as ``not-found``, made from the class's name."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def sentence(self, language: str) -> str:
        """What happened and what to do, in ``zh`` or ``en``."""
        text = self.zh if language == "zh" else self.en
        return text.format_map({**self.params, "retry_after": self.retry_after})

    def __str__(self) -> str:
        """For logs: its sentence, and the class of what it came from; that one's text may hold anything."""
        before = f" ({type(self.__cause__).__name__})" if self.__cause__ else ""
        return self.sentence("en") + before

    def as_record(self) -> dict[str, Any]:
        """What of it a history keeps, as JSON values, so that a repeat hears it again."""
        params = orjson.loads(orjson.dumps(self.params, default=str))
        return {"code": self.code(), "retry_after": self.retry_after, "params": params}


REFUSALS: dict[str, type[Refusal]] = {}
"""Every way to say no, by its code; the codes are unique."""


def refusal_from(record: Mapping[str, Any]) -> Refusal:
    """The refusal that a history kept."""
    kind = REFUSALS.get(record["code"], RefusedBefore)
    return kind(retry_after=record["retry_after"], **record["params"])


class RefusedBefore(Refusal):
    kind = Kind.STATE
    zh = "这个请求先前已被拒绝。"
    en = "This very request was refused before."


class NotFound(Refusal):
    kind = Kind.NOT_FOUND
    zh = "没有找到这一项，或您无权查看。请核对编号。"
    en = "There is no such thing, or it is not yours to see. Check the id."


class AddressUnknown(Refusal):
    kind = Kind.NOT_FOUND
    zh = "没有这个地址。接口说明见 /。"
    en = "There is nothing at this address. The API is described at /."


class Forbidden(Refusal):
    kind = Kind.FORBIDDEN
    zh = "您的角色不能进行此操作；需要的角色：{roles}。"
    en = "Your role does not allow this; it needs one of: {roles}."

    def sentence(self, language: str) -> str:
        """With the names of the roles in the language asked for; ``roles`` are their codes."""
        if language != "zh":
            return super().sentence(language)
        return self.zh.format(roles="、".join(ROLES_ZH.get(role, role) for role in self.params["roles"].split(", ")))


class OutsideYourPlaces(Refusal):
    kind = Kind.FORBIDDEN
    zh = "区域 {code} 不在您负责的范围内。"
    en = "The area {code} is outside the places that you are in charge of."


class PersonNeeded(Refusal):
    kind = Kind.FORBIDDEN
    zh = "这个账号没有对应的人员，不能进行此操作；请用本人的账号登录。"
    en = "There is no person behind this account, which this needs. Sign in with an account of your own."


class SignInNeeded(Refusal):
    kind = Kind.UNAUTHENTICATED
    zh = "请先登录：在 Authorization 头中提供 Bearer 令牌。"
    en = "Sign in first: send a bearer token in the Authorization header."


class TokenInvalid(Refusal):
    kind = Kind.UNAUTHENTICATED
    zh = "令牌无效或已过期，请重新登录。"
    en = "The token is not valid or has expired. Sign in again."


class Invalid(Refusal):
    kind = Kind.INVALID
    zh = "提交的内容有误：{problem}"
    en = "What was sent is not valid: {problem}"


class KeyReused(Refusal):
    kind = Kind.INVALID
    zh = "这个 Idempotency-Key 已用于另一份内容。新的请求请换一个新的键。"
    en = "This Idempotency-Key was used with another payload. Use a new key for a new request."


class KeyNeeded(Refusal):
    kind = Kind.REQUIRED
    zh = "请提供 Idempotency-Key 头（1 到 128 个可见字符），以便重复提交不会生效两次。"
    en = "Send an Idempotency-Key header (1 to 128 visible characters), so that a repeat is not done twice."


class Stale(Refusal):
    kind = Kind.STALE
    zh = "您看到的版本是 {given}，现在已是 {current}。请重新读取后再操作。"
    en = "You saw version {given}; it is at {current} now. Read it again, then repeat."


class Busy(Refusal):
    kind = Kind.UNAVAILABLE
    zh = "系统繁忙，请在 {retry_after} 秒后用同一个 Idempotency-Key 重试。"
    en = "The system is busy. Try again in {retry_after} s with the same Idempotency-Key."


class Unavailable(Refusal):
    kind = Kind.UNAVAILABLE
    zh = "服务暂时不可用，结果未知；请在 {retry_after} 秒后用同一个 Idempotency-Key 重试，不会重复生效。"
    en = (
        "The service is not available; the outcome is unknown. "
        "Repeat in {retry_after} s with the same Idempotency-Key: it is not done twice."
    )


class BodyTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    zh = "内容超过 {limit} 字节的上限，请缩短后再提交。"
    en = "The body is over the limit of {limit} bytes. Make it shorter."


class CursorInvalid(Refusal):
    kind = Kind.INVALID
    zh = "分页游标无效，或不属于这个查询。请从第一页重新开始。"
    en = "The cursor is not valid for this list. Start again from the first page."
