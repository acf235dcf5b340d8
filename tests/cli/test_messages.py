"""A ledger of messages is read line by line; a line that is not a message is reported and skipped."""

import gzip
import json
from pathlib import Path

import pytest

from deploy.local import Trouble
from tests.replay.messages import LONGEST_TEXT, parts, read

WHOLE = {
    "id": "1",
    "user": "U1",
    "title": "路灯不亮",
    "text": "小区门口的路灯不亮。",
    "filed_at": "2019-04-25T09:32:09",
    "reply": "已修复。",
    "replied_at": "2019-05-10T14:56:53",
}
BARE = {"id": "2", "user": "U2", "title": "噪音", "text": "夜里有噪音。"}


def written(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def test_a_plain_and_a_gzipped_file_read_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path, WHOLE, BARE)
    zipped = tmp_path / "messages.jsonl.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(plain, None) == read(zipped, None)
    assert [message.id for message in read(zipped, None)[0]] == ["1", "2"]


def test_reply_and_its_time_may_be_missing(tmp_path: Path) -> None:
    messages, bad = read(written(tmp_path, BARE), None)
    assert (messages[0].reply, messages[0].replied_at, bad) == (None, None, [])


def test_bad_lines_are_reported_by_number_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = (WHOLE, "{not json", {"id": "3", "user": "U3", "title": "有题无文"}, "", {**BARE, "id": "1"}, BARE)
    messages, bad = read(written(tmp_path, *lines), None)
    assert [message.id for message in messages] == ["1", "2"]
    assert [line.number for line in bad] == [2, 3, 4, 5]
    assert "text: Field required" in bad[1].reason
    assert "was there before" in bad[3].reason


def test_a_reason_does_not_repeat_what_somebody_wrote(tmp_path: Path) -> None:
    _, bad = read(written(tmp_path, {**BARE, "title": ["我的秘密"]}), None)
    assert "秘密" not in bad[0].reason


def test_a_limit_counts_messages_not_lines(tmp_path: Path) -> None:
    messages, bad = read(written(tmp_path, "oops", WHOLE, BARE), 1)
    assert ([message.id for message in messages], [line.number for line in bad]) == (["1"], [1])


def test_a_file_that_is_not_there_or_broken_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be read"):
        read(tmp_path / "missing", None)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b'{"id": "1"}\n' * 1000)[:40])
    with pytest.raises(Trouble, match="cannot be read"):
        read(cut, None)


def test_a_damaged_gzip_is_one_sentence(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(json.dumps(WHOLE).encode() * 100))
    whole[12:40] = bytes(28)
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(whole)
    with pytest.raises(Trouble, match="cannot be read"):
        read(damaged, None)


def test_a_long_text_goes_in_pieces_of_which_nothing_is_lost() -> None:
    text = "长" * (2 * LONGEST_TEXT + 7)
    assert [len(piece) for piece in parts(text)] == [LONGEST_TEXT, LONGEST_TEXT, 7]
    assert "".join(parts(text)) == text
    assert parts("  \n ") == []
