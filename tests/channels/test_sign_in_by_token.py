"""Signing in to a mailbox with an access token: the real msal at a sign-in server, the real Dovecot that checks the token."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from intake.adapters.imap import ImapMailbox, imap_from_settings
from intake.adapters.oauth import Tokens, oauth_client
from intake.domain.errors import Misconfigured, TryLater
from tests.support.dovecot import Dovecot
from tests.support.places import RememberedState
from tests.support.running import Site
from tests.support.token_server import SECRET, TokenServer

MakeMail = Callable[..., bytes]


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    server = TokenServer(tmp_path / "tokens")
    yield server
    server.stop()


def opened(dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState, **more: object) -> ImapMailbox:
    both = tokens.https.ca_file.parent / "both.pem"  # two authorities of two test servers
    both.write_bytes(tokens.https.ca_file.read_bytes() + dovecot.ca_file.read_bytes())
    options = {**dovecot.options(mailbox), **tokens.options, "ca_file": str(both), "auth": "xoauth2", **more}
    del options["password_file"]
    return imap_from_settings(mailbox, options, state, lambda: datetime.now(UTC))


def certificate(days: int) -> tuple[str, str]:
    """A certificate with its key, as an administrator makes one for the application, and the public key: PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "intake")])
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return (private + built.public_bytes(pem)).decode(), public.decode()


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_a_mailbox_is_read_with_a_token_and_never_with_a_password(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState, mail: MakeMail, auth: str
) -> None:
    tokens.issue = lambda scope: dovecot.token(mailbox)
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, tokens, mailbox, state, auth=auth)

    (arrival,) = box.changes()
    box.done(arrival.remote_id)

    assert dovecot.count(mailbox, "Processed") == 1
    box.close()


def test_one_token_serves_until_it_ends(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState
) -> None:
    tokens.issue = lambda scope: dovecot.token(mailbox)
    box = opened(dovecot, tokens, mailbox, state)

    for _ in range(3):
        list(box.changes())
        box.close()

    assert tokens.asked == 1


def test_a_token_that_the_server_takes_no_longer_is_replaced_once_and_at_once(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    tokens.issue = lambda scope: dovecot.token(mailbox, lasts=3600 if tokens.asked > 1 else -60)
    dovecot.deliver(mailbox, mail(1))
    box = opened(dovecot, tokens, mailbox, state)

    assert len(list(box.changes())) == 1
    assert tokens.asked == 2
    box.close()


def test_a_token_for_somebody_else_opens_nothing_and_is_not_tried_again_at_once(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState
) -> None:
    tokens.issue = lambda scope: dovecot.token("somebody-else")
    box = opened(dovecot, tokens, mailbox, state)

    with pytest.raises(TryLater, match="refused the account or its access token") as refused:
        list(box.changes())

    assert refused.value.after >= 60


def test_a_secret_that_has_ended_is_said_by_its_code_and_without_what_the_server_wrote(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState
) -> None:
    tokens.refuse = "AADSTS7000222"
    box = opened(dovecot, tokens, mailbox, state)

    with pytest.raises(TryLater, match="AADSTS7000222") as refused:
        list(box.changes())

    assert "client-1" not in refused.value.for_staff and SECRET not in refused.value.for_staff
    assert refused.value.after >= 60


def test_a_new_secret_that_is_put_in_place_is_used_without_a_restart(tokens: TokenServer) -> None:
    signing_in = Tokens(oauth_client("breach", tokens.options, "mail/.default"), RememberedState())
    tokens.secret_file.write_text("the one that has ended\n")
    with pytest.raises(TryLater, match="refused mailbox breach"):
        signing_in.token()

    tokens.secret_file.write_text(SECRET + "\n")

    assert signing_in.token().startswith("token-")


def test_a_sign_in_server_that_is_away_is_try_later(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState
) -> None:
    box = opened(dovecot, tokens, mailbox, state)
    tokens.stop()

    with pytest.raises(TryLater, match="sign-in server of mailbox .* cannot be reached"):
        list(box.changes())

    tokens.https.start()
    tokens.issue = lambda scope: dovecot.token(mailbox)
    assert list(box.changes()) == []
    box.close()


def test_a_certificate_opens_the_mailbox_and_its_end_is_known_long_before(tokens: TokenServer, tmp_path: Path) -> None:
    pem, tokens.certificate = certificate(days=10)
    (tmp_path / "app.pem").write_text(pem)
    options = {**tokens.options, "certificate_file": str(tmp_path / "app.pem")}
    del options["client_secret_file"]
    state = RememberedState()

    token = Tokens(oauth_client("breach", options, "mail/.default"), state).token()

    ends = state.mailbox_state("breach").access_ends
    assert token == "token-1"
    assert ends is not None and timedelta(days=9) < ends - datetime.now(UTC) < timedelta(days=11)


def test_the_end_of_a_secret_is_what_the_settings_say(tokens: TokenServer) -> None:
    state = RememberedState()

    Tokens(oauth_client("breach", {**tokens.options, "secret_ends": "2027-10-31"}, "mail/.default"), state).token()

    assert state.mailbox_state("breach").access_ends == datetime(2027, 10, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"client_secret": "x"}, "must not stand in the settings file"),
        ({"client_secret_env": "X"}, "give one of client_secret_file, client_secret_env and certificate_file"),
        ({"certificate_file": "/nowhere.pem", "client_secret_file": ""}, "certificate_file names /nowhere.pem"),
        ({"authority": "http://login.example"}, "must begin with https://"),
        ({"secret_ends": "soon"}, "secret_ends is the day"),
        ({"tenant": ""}, "tenant and client_id are needed"),
        ({"auth": "ntlm"}, "password, xoauth2 or oauthbearer"),
    ],
)
def test_options_of_the_sign_in_that_cannot_work_stop_the_start(
    dovecot: Dovecot, tokens: TokenServer, options: dict[str, object], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said) as stopped:
        opened(dovecot, tokens, "breach", RememberedState(), **options)

    assert stopped.value.for_staff.startswith("[mailboxes.breach]")


def test_another_account_for_the_same_mailbox_is_refused_until_an_operator_accepts_it(
    dovecot: Dovecot, tokens: TokenServer, mailbox: str, state: RememberedState, mail: MakeMail
) -> None:
    tokens.issue = lambda scope: dovecot.token(mailbox)
    box = opened(dovecot, tokens, mailbox, state)
    list(box.changes())
    box.close()
    tokens.issue = lambda scope: dovecot.token("elsewhere")
    dovecot.deliver("elsewhere", mail(1))

    other = opened(dovecot, tokens, mailbox, state, account="elsewhere")
    with pytest.raises(TryLater, match=f"was opened as {mailbox} until now.*mailbox accept") as refused:
        list(other.changes())

    assert refused.value.after >= 60
    state.set_mailbox_state(mailbox, account=None)  # what `provider-intake mailbox accept` does
    assert len(list(other.changes())) == 1
    other.close()


def test_the_command_lists_the_mailboxes_and_lets_another_account_in(
    dovecot: Dovecot, mailbox: str, tmp_path: Path
) -> None:
    site = Site(tmp_path, {"breach": dovecot.options(mailbox)})
    parts = site.parts()
    (box,) = parts.mailboxes()
    list(box.changes())
    box.close()

    (listed,) = site.say("mailbox", "list")
    site.run("mailbox", "accept", "breach")

    assert (listed["name"], listed["kind"], listed["account"]) == ("breach", "imap", mailbox)
    assert parts.store.mailbox_state("breach").account is None
