"""A process that died and was started again leaves a trace."""

from pathlib import Path

from deploy.local import restarts

LOG = """\
2026-11-23 23:30:00,001 INFO supervisord started with pid 100
2026-11-23 23:31:00,001 WARN exited: gateway (terminated by SIGKILL; not expected)
2026-11-23 23:50:51,321 INFO supervisord started with pid 17172
2026-11-23 23:50:52,326 INFO spawned: 'kafka' with pid 17180
2026-11-23 23:51:18,897 WARN exited: members-web (terminated by SIGSEGV; not expected)
2026-11-23 23:52:18,897 WARN exited: members-web (terminated by SIGKILL; not expected)
2026-11-23 23:53:18,897 INFO exited: notify-worker (exit status 0; expected)
2026-11-23 23:54:18,897 INFO stopped: kafka (exit status 143)
"""


def test_restarts_are_counted_since_the_stack_came_up(tmp_path: Path) -> None:
    (tmp_path / "supervisord.log").write_text(LOG)
    found = restarts.read(tmp_path / "supervisord.log")
    assert {name: one.times for name, one in found.items()} == {"members-web": 2, "notify-worker": 1}
    assert found["members-web"].said == "started again 2 times, last at 2026-11-23 23:52:18: terminated by SIGKILL"
    assert found["notify-worker"].said == "started again once, last at 2026-11-23 23:53:18: exit status 0"


def test_where_there_is_no_log_nothing_is_known_to_have_been_started_again(tmp_path: Path) -> None:
    assert restarts.read(tmp_path / "supervisord.log") == {}
