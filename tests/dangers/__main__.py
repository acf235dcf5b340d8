"""`python -m tests.dangers`: recall and false alarms of the city's words of danger."""

import sys

from tests.dangers.measuring import Alarms, Sentences, alarming, alarms, missed, sentences
from tests.requests.labelled import real_messages

STYLES = ("zh", "traditional", "spoken", "en")


def main() -> int:
    """Print the figures of our own sentences and, where there are any, of real messages."""
    for name in ("unseen", "looked-at"):
        _show(name, sentences(name))
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
