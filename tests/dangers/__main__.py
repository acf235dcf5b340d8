"""`python -m tests.dangers`: recall and false alarms of the city's words of danger."""

import sys

from tests.dangers.measuring import Alarms, Sentences, alarming, alarms, kinds, missed, sentences, wrapped
from tests.requests.labelled import real_messages

SETS = {
    "fresh": "written after all words, never mended: the measure of words that nobody thought of",
    "seen": "read and mended after their first figures: no measure, what is lost here was found before",
    "looked-at": "by these the words were chosen: no measure",
}
STYLES = ("zh", "traditional", "spoken", "en")


def main() -> int:
    """Print the figures of our own sentences and, where there are any, of real messages."""
    for name, what in SETS.items():
        _say(f"{name}: {what}")
        _show(name, sentences(name))
    _show_wrapped()
    ledger = real_messages()
    if ledger is None:
        _say("real messages: there is no ledger of them here, name one in LINLI_MESSAGES")
        return 0
    _show_alarms(alarms(ledger))
    return 0


def _show(name: str, among: Sentences) -> None:
    lost, false = missed(among), alarming(among)
    _say(f"{name}: recall {_share(len(among.danger) - len(lost), len(among.danger))}")
    for style in STYLES:
        own = [one for one in among.danger if one.style == style]
        _say(f"  {style:12} {_share(len(own) - sum(one.style == style for one in lost), len(own))}")
    for one in lost:
        _say(f"  not found: {one.kind}: {one.text}")
    _say(f"{name}: false alarms {_share(len(false), len(among.harmless))} of sentences that only sound like danger")
    for text in false:
        _say(f"  false: {text}")


def _show_wrapped() -> None:
    _say("wrapped: the seen and looked-at ones with words around them that change nothing of the danger")
    for words, among in wrapped().items():
        lost = [one.text for one in among if not kinds(one.text)]
        _say(f"  {words}: advice is kept for {_share(len(among) - len(lost), len(among))}")
        for text in lost:
            _say(f"    lost: {text}")


def _show_alarms(found: Alarms) -> None:
    raised = len(found.true) + len(found.false) + len(found.unjudged)
    _say(f"real messages: {found.messages}, {raised} alarms, {found.milliseconds:.1f} ms each")
    _say(f"  in danger, judged by hand: {len(found.true)}; false alarms: {_share(len(found.false), found.messages)}")
    _say(f"  by kind: {', '.join(f'{kind} {times}' for kind, times in found.kinds.most_common())}")
    if found.unjudged:
        _say(f"  not judged yet: {', '.join(found.unjudged)}")


def _share(some: int, of: int) -> str:
    return f"{some} of {of} ({100 * some / of:.1f} %)" if of else "none"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
