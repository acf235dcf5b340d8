"""A ledger of messages played by an operator, with everything told once and every promise kept."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from tests.journeys.town import ROOT, Town

MESSAGES = [
    {
        "id": f"m{number}",
        "user": f"U{number % 9}",
        "title": f"A{number % 4}区{title}",
        "text": text,
        "filed_at": "2026-03-02T09:00:00",
        **({"reply": "您反映的问题已经处理。" * (1 + 500 * (number == 3))} if number % 3 else {}),
    }
    for number, (title, text) in enumerate(
        [
            ("路灯不亮", "小区门口的路灯坏了很久，晚上出行不安全。"),
            ("医保报销", "老人住院的医保报销一直没有到账，请帮忙查询。"),
            ("垃圾清运", "楼下垃圾站好几天没有清运，气味很大。"),
            ("求职培训", "下岗后想参加技能培训，不知道到哪里报名。"),
            ("广场舞", "文化活动室什么时候开放？"),
            ("物业收费", "物业公司乱收停车费，没有任何公示。" + "请查处。" * 1200),
        ]
        * 2
    )
]


def test_messages_are_filed_settled_notified_once_and_every_promise_is_kept(town: Town, tmp_path: Path) -> None:
    file, ledger = tmp_path / "messages.jsonl.gz", tmp_path / "ledger.jsonl"
    lines = [*(json.dumps(message, ensure_ascii=False) for message in MESSAGES), '{"id": "broken"}']
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    done = replay(town, str(file), "--ledger", str(ledger), "--concurrency", "8", "--json")
    result = json.loads(done.stdout)
    assert not breaches(result["verify"])
    assert (done.returncode, result["verified"]) == (1, True), done.stderr
    assert (result["filed"], result["notified"]) == (len(MESSAGES), {"1": len(MESSAGES)})
    assert result["missing"] == ["1 lines that are no message"]
    assert result["bad_lines"] == [{"line": len(MESSAGES) + 1, "reason": result["bad_lines"][0]["reason"]}]
    assert set(result["by"]) == {"resident", "operator"}
    commands = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert {one["outcome"] for one in commands} <= {"ok", "rejected"}
    again = replay(town, str(file), "--limit", str(len(MESSAGES)), "--ledger", str(ledger), "--json")
    once_more = json.loads(again.stdout)
    assert once_more["missing"] == [], again.stderr
    assert (once_more["filed"], once_more["notified"]) == (len(MESSAGES), {"1": len(MESSAGES)})
    assert again.returncode == 0, breaches(once_more["verify"])


def replay(town: Town, *words: str) -> subprocess.CompletedProcess[str]:
    """As `make replay` runs it."""
    command = [sys.executable, "-m", "tests.replay", *words]
    return subprocess.run(command, env=town.environment, cwd=ROOT, capture_output=True, text=True, check=False)


def breaches(verify: str) -> list[str]:
    """Every promise that `linli verify` found broken, with an example."""
    lines = json.loads(verify)["lines"]
    return [
        f"{one['service']} {one['check']} {one['about']}: {one['examples'][:1]}" for one in lines if one["breaches"]
    ]
