"""Mail in safe hands: encrypted to a server that proves who it is, with a name and a password, or not at all."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.contracts.notify.messages import Via
from services.notify.app import service
from services.notify.channels.model import Notice, Sender, Senders, SendFailed
from tests.notify.post import ADDRESS
from tests.notify.test_mail import MailServer, listening
from tests.support.world import World

NOTICE = Notice("message_1:email", datetime(2026, 11, 23, tzinfo=UTC), ADDRESS, "题目", "路灯已修好")


@pytest.fixture
def secured(tmp_path: Path) -> dict[str, Any]:
    """How a server speaks that demands encryption, a name and a password; its certificate is its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = unsigned.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = dated.add_extension(here, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    known = LoginPassword(b"linli", b"a password")
    return {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": lambda server, session, envelope, way, given: AuthResult(
            success=given == known, handled=False
        ),
    }


@pytest.fixture
def trusted(tmp_path: Path, secured: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is one that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))


def sender(world: World, address: str, password: str = "a password") -> Sender:
    file = world.folder / "smtp-password"
    file.write_text(f"{password}\n")
    return by_settings(world, smtp=address, smtp_user="linli", smtp_password_file=file)


def by_settings(world: World, **of: Any) -> Sender:
    senders: Senders = service.dependencies(world.settings(**of))[Senders]
    return senders.by[Via.EMAIL]


@pytest.mark.usefixtures("trusted")
async def test_a_mail_goes_out_encrypted_under_a_name_and_a_password(world: World, secured: dict[str, Any]) -> None:
    server = MailServer()
    with listening(server, **secured) as address:
        await sender(world, address).send(NOTICE)
    assert [envelope.rcpt_tos for envelope in server.got] == [[ADDRESS]]


@pytest.mark.usefixtures("trusted")
async def test_a_wrong_password_is_a_failure_that_may_pass(world: World, secured: dict[str, Any]) -> None:
    server = MailServer()
    with listening(server, **secured) as address, pytest.raises(SendFailed, match="smtp 535") as failure:
        await sender(world, address, "another").send(NOTICE)
    assert (failure.value.for_good, server.got) == (False, [])


async def test_a_server_that_cannot_prove_who_it_is_gets_nothing(world: World, secured: dict[str, Any]) -> None:
    server = MailServer()
    with listening(server, **secured) as address, pytest.raises(SendFailed):
        await sender(world, address).send(NOTICE)
    assert server.got == []


async def test_a_server_that_offers_no_encryption_gets_nothing(world: World) -> None:
    server = MailServer()
    with listening(server) as address, pytest.raises(SendFailed):
        await by_settings(world, smtp=address).send(NOTICE)
    assert server.got == []
