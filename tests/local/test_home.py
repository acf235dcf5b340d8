"""The home: its folders, its secrets, its socket, and a disk that is nearly full."""

import stat
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from deploy.local import Home, Trouble, keys
from deploy.local.home import LONGEST_SOCKET_PATH, locked
from services.chassis.http.signing import public_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_secrets(home: Home) -> None:
    folders = [home.root, home.secrets, keys.token_keys(home), home.data, home.logs, home.sms]
    files = [keys.master_key(home), keys.jwks(home), *keys.token_keys(home).iterdir()]
    assert {mode(folder) for folder in folders} == {0o700}
    assert {mode(file) for file in files} == {0o600}


def test_secrets_stay_what_they_are(home: Home) -> None:
    before = {file: file.read_bytes() for file in home.secrets.rglob("*") if file.is_file()}
    keys.make(home)
    assert {file: file.read_bytes() for file in home.secrets.rglob("*") if file.is_file()} == before


def test_the_master_key_is_64_hexadecimal_characters(home: Home) -> None:
    assert len(bytes.fromhex(keys.master_key(home).read_text())) == 32


def test_a_second_token_key_joins_the_public_ones(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    keys.make(home)
    first = next(keys.token_keys(home).glob("*.pem"))
    other = Home(tmp_path / "other")
    other.make()
    keys.make(other)
    second = next(keys.token_keys(other).glob("*.pem")).rename(first.with_name("0002.pem"))
    keys.make(home)
    names = [key["kid"] for key in orjson.loads(keys.jwks(home).read_bytes())["keys"]]
    assert names == [public_key(first)["kid"], public_key(second)["kid"]]
    assert b'"d"' not in keys.jwks(home).read_bytes()


def test_a_socket_path_is_never_too_long(tmp_path: Path) -> None:
    deep, other = Home(tmp_path / ("x" * 100)), Home(tmp_path / ("y" * 100))
    assert len(str(deep.socket)) <= LONGEST_SOCKET_PATH
    assert len(str(deep.gateway_admin)) <= LONGEST_SOCKET_PATH
    assert len({deep.socket, other.socket, deep.gateway_admin, other.gateway_admin}) == 4
    assert Home(Path("/srv/linli")).socket == Path("/srv/linli/run/supervisor.sock")


def test_a_home_that_cannot_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match=f"{tmp_path}/file.* cannot be written .*LINLI_HOME"):
        Home(tmp_path / "file" / "deep").make()
    with pytest.raises(Trouble, match=f"{tmp_path}/file cannot be written .*LINLI_HOME"), locked(tmp_path / "file"):
        pass


def test_a_nearly_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1024**3))
    with pytest.raises(Trouble, match=r"1\.0 GiB.*2 GiB.*LINLI_HOME"):
        Home(tmp_path / "home").make()
