"""The tables of the generated pages hold what there is, as it is."""

import json
import re

from deploy.gateway import limits
from deploy.gateway import problems as gateway
from deploy.gateway.limits import Limits
from deploy.local.ports import Ports, setting
from docs.generate import problems, settings
from docs.generate.catalogue import TEXTS, refusals
from docs.generate.pages import PAGES
from services.chassis.domain.values import PATTERNS
from services.chassis.http.problems import Broken, MethodUnknown, answer


def rows(page: str) -> dict[str, list[str]]:
    """The cells of each line of a page's tables, by the first."""
    lines = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `"))
    return {cells[0].strip("`"): cells[1:] for cells in lines}


def test_a_problem_has_the_status_with_which_it_is_answered() -> None:
    result = rows(problems.page().partition("## By the gateway")[0])
    assert {code: result[code][0] for code in ("method-unknown", "broken")} == {
        "method-unknown": "405",
        "broken": "500",
    }
    for refusal in (MethodUnknown(allowed="GET"), Broken(trace_id="4bf9")):
        assert str(answer(refusal, TEXTS, "en").status_code) == result[refusal.code()][0]


def test_what_the_gateway_refuses_is_on_the_page() -> None:
    result = rows(problems.page().partition("## By the gateway")[2])
    assert {code: int(cells[0]) for code, cells in result.items()} == {
        one.code: one.status for one in gateway.problems(gateway.texts())
    }
    assert set(result) >= {"bad-request", "headers-too-large", "request-timeout", "too-many"}


def test_all_sentences_of_a_refusal_say_the_same_names() -> None:
    def names(sentence: str) -> set[str]:
        """What is the same in every language: headers, addresses, commands."""
        found = re.findall(r"Idempotency-Key|Authorization|Bearer|(?:GET )?/v1/\w+", sentence, re.IGNORECASE)
        return {name.lower() for name in found}

    result = {
        kind.code(): [names(TEXTS.get("refusals", kind.code(), language) or "") for language in TEXTS.languages]
        for kind in refusals()
    }
    assert {code: found for code, found in result.items() if any(one != found[0] for one in found)} == {}


def test_every_pattern_of_a_field_is_explained_in_words() -> None:
    described = PAGES["openapi.json"]()
    patterns = {json.loads(found) for found in re.findall(r'"pattern": ("(?:[^"\\\\]|\\\\.)*")', described)}
    assert patterns
    assert {pattern for pattern in patterns if pattern not in PATTERNS} == set()


def test_every_setting_of_the_local_stack_is_on_the_page() -> None:
    result = rows(settings.page())
    expected = {"LINLI_HOME", "LINLI_TOPOLOGY", "LINLI_WEB", "LINLI_WORKERS", "LINLI_DATABASE_CACHE", "LINLI_PORT_BASE"}
    expected |= {setting(name) for name in Ports.__dataclass_fields__}
    expected |= {limits.setting(name) for name in Limits.model_fields}
    assert expected <= set(result)
    assert (result["LINLI_PORT_GATEWAY"][0], result["LINLI_SIGN_IN_RATE"][0]) == ("`8080`", "`100`")
