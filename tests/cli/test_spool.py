"""The spool of text messages is read as it grows."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.cli.city.spool import CodeMissing, Spool

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def sent(folder: Path, name: str, phone: str, text: str, at: datetime = NOW) -> None:
    draft = folder / f".{name}"
    draft.write_text(json.dumps({"at": at.isoformat(), "key": name, "phone": phone, "text": text}))
    draft.rename(folder / f"{name}.json")


def test_new_messages_come_once_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    sent(tmp_path, "b", "1", "第二", NOW + timedelta(seconds=1))
    sent(tmp_path, "a", "1", "第一")
    assert [message.text for message in spool.news()] == ["第一", "第二"]
    assert spool.news() == []
    sent(tmp_path, "c", "1", "第三")
    assert [message.text for message in spool.news()] == ["第三"]


async def test_the_newest_code_of_a_phone_is_found(tmp_path: Path) -> None:
    sent(tmp_path, "a", "13800138000", "登录验证码 111111，5 分钟内有效。", NOW - timedelta(minutes=9))
    sent(tmp_path, "b", "13800138000", "登录验证码 222222，5 分钟内有效。", NOW)
    sent(tmp_path, "c", "13900139000", "登录验证码 333333，5 分钟内有效。", NOW)
    assert await Spool(tmp_path).code("13800138000", NOW - timedelta(seconds=1)) == "222222"


async def test_a_tracking_code_is_no_sign_in_code(tmp_path: Path) -> None:
    sent(tmp_path, "a", "13800138000", "【邻里】已受理，编号 HLBE-1123-0042。查询码 123456。")
    with pytest.raises(CodeMissing):
        await Spool(tmp_path).code("13800138000", NOW, seconds=0.3)


async def test_an_old_code_is_no_answer(tmp_path: Path) -> None:
    sent(tmp_path, "a", "13800138000", "登录验证码 111111", NOW - timedelta(minutes=9))
    with pytest.raises(CodeMissing):
        await Spool(tmp_path).code("13800138000", NOW, seconds=0.3)


def test_a_spool_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert Spool(tmp_path / "later").news() == []
