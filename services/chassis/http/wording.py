"""What is wrong with a field, in zh and en: pydantic's kinds of errors in the users' words."""

from collections.abc import Mapping
from typing import Any

from services.chassis.domain.values import PATTERNS

_WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("缺少此项，请补上", "is missing; add it"),
    "extra_forbidden": ("没有这个字段，请去掉", "is not a known field; leave it out"),
    "string_type": ("应为文本", "must be text"),
    "string_too_short": ("至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "string_too_long": ("最多 {max_length} 个字符", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("应为{shape}", "must be {shape}"),
    "int_type": ("应为整数", "must be a whole number"),
    "int_parsing": ("应为整数", "must be a whole number"),
    "int_from_float": ("应为整数", "must be a whole number"),
    "float_type": ("应为数字", "must be a number"),
    "float_parsing": ("应为数字", "must be a number"),
    "finite_number": ("应为有限的数字", "must be a finite number"),
    "bool_type": ("应为 true 或 false", "must be true or false"),
    "bool_parsing": ("应为 true 或 false", "must be true or false"),
    "greater_than_equal": ("不能小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不能大于 {le}", "must be at most {le}"),
    "greater_than": ("必须大于 {gt}", "must be more than {gt}"),
    "less_than": ("必须小于 {lt}", "must be less than {lt}"),
    "enum": ("只能是 {expected}", "must be {expected}"),
    "literal_error": ("只能是 {expected}", "must be {expected}"),
    "list_type": ("应为列表", "must be a list"),
    "dict_type": ("应为对象", "must be an object"),
    "model_attributes_type": ("应为 JSON 对象", "must be a JSON object"),
    "model_type": ("应为 JSON 对象", "must be a JSON object"),
    "too_long": ("最多 {max_length} 项", "must have at most {max_length} entries"),
    "too_short": ("至少 {min_length} 项", "must have at least {min_length} entries"),
    "json_invalid": ("不是有效的 JSON（在第 {position} 个字符处）", "is not valid JSON (at character {position})"),
    "not_i_json": (
        "含有不完整的字符（单个代理项 \\ud800–\\udfff）、超过 53 位的整数，或嵌套过深",
        "holds half a character (a lone surrogate), a whole number of more than 53 bits, or nests too deep",
    ),
    "timezone_aware": (
        "时间必须带时区，例如 2026-11-23T08:00:00+08:00",
        "must have a zone, as in 2026-11-23T08:00:00+08:00",
    ),
    "datetime_parsing": ("应为 ISO 8601 时间", "must be an ISO 8601 time"),
    "datetime_from_date_parsing": ("应为 ISO 8601 时间", "must be an ISO 8601 time"),
    "datetime_type": ("应为 ISO 8601 时间", "must be an ISO 8601 time"),
}


def field_of(error: Mapping[str, Any]) -> str:
    """The field as the sender wrote it, without where it was sent."""
    place = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return place[0]
    return ".".join(place[1:]) or place[0]


def problem_of(error: Mapping[str, Any], language: str) -> str:
    """What is wrong with it, in ``zh`` or ``en``; a kind without words of ours is told in the library's."""
    words, in_words = _WORDS.get(error["type"]), 0 if language == "zh" else 1
    if words is None:
        return str(error["msg"])
    facts = {"position": error["loc"][-1], **error.get("ctx", {})}
    if "pattern" in facts:
        facts["shape"] = PATTERNS.get(facts["pattern"], (facts["pattern"],) * 2)[in_words]
    return words[in_words].format_map(facts)
