"""A wrong setting stops the start with a sentence that names it and says how to mend it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from intake.cli.run import proxy_of
from intake.config import load
from intake.domain.errors import Misconfigured
from tests.support.running import COMMAND

IMAP = '[mailboxes.breach]\nkind = "imap"\nhost = "mail.example"\n'

WRONG = {
    "mode": ({"INTAKE_MODE": "test"}, "development or production"),
    "number": ({"INTAKE_POLL_SECONDS": "often"}, "write a whole number of seconds"),
    "switch": ({"INTAKE_DEMO": "perhaps"}, "write true or false"),
    "database": ({"INTAKE_DATABASE_URL": "mysql://x"}, "use sqlite:///FILE or postgresql+psycopg://"),
    "smtp": ({"INTAKE_SMTP_URL": "mail.example"}, "must begin with smtp:// or smtps://"),
    "redis": ({"INTAKE_REDIS_URL": "http://x"}, "must begin with redis://"),
    "blobs": ({"INTAKE_BLOB_URL": "s3://bucket"}, "must begin with file://"),
    "listen": ({"INTAKE_LISTEN": "8700"}, "write host:port"),
    "sender": ({"INTAKE_SENDER_ADDRESS": "intake"}, "write an address, name@domain"),
    "dns": ({"INTAKE_DNS_FILE": "/nowhere.json"}, "which is not a file"),
    "own": ({"INTAKE_OWN_DOMAINS": "ministry.example,co.nz"}, "“co.nz”, under which anybody may have a domain"),
    "demo mail": ({"INTAKE_DEMO": "true", "INTAKE_SMTP_URL": "smtp://mail.example"}, "must not see real mail"),
    "file": ({"INTAKE_CONFIG": "/nowhere.toml"}, "Set INTAKE_CONFIG to a file that exists"),
}


def test_links_follow_the_address_that_is_listened_on_until_one_is_named() -> None:
    assert load({"INTAKE_LISTEN": "127.0.0.1:8999"}).base_url == "http://127.0.0.1:8999"
    named = {"INTAKE_LISTEN": "127.0.0.1:8999", "INTAKE_BASE_URL": "https://intake.example"}
    assert load(named).base_url == "https://intake.example"


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_stops_the_start_with_the_remedy(case: str) -> None:
    environ, remedy = WRONG[case]
    with pytest.raises(Misconfigured) as stopped:
        load(environ)
    assert remedy in stopped.value.for_staff


FILES = {
    'colour = "blue"': "There is no setting “colour”",
    "mode = ": "is not TOML",
    '[mailboxes.breach]\nkind = "pop3"': "it is imap, exchange, graph, smtp, maildrop or pipe",
    "[mailboxes.breach]": "has no host",
    IMAP + "trust = 5": "must be a table",
    IMAP + '[mailboxes.breach.trust]\nkind = "nobody"': "[mailboxes.breach.trust]",
    "demo = true\n" + IMAP: "must not see real mail",
    IMAP
    + IMAP.replace("breach", "other").replace("mail.", "Mail.")
    + 'folder = "Inbox"': "the very place of [mailboxes.breach]",
}


@pytest.mark.parametrize("text", FILES)
def test_a_wrong_settings_file_stops_the_start_with_the_remedy(text: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as stopped:
        load({"INTAKE_CONFIG": str(path)})
    assert FILES[text] in stopped.value.for_staff


SAFE = {
    "INTAKE_MODE": "production",
    "INTAKE_SECRET_KEY_FILE": "/etc/intake.key",
    "INTAKE_BASE_URL": "https://intake.example",
    "INTAKE_SMTP_URL": "smtps://mail.example",
    "INTAKE_TRUSTED_PROXY": "127.0.0.1",
}


@pytest.mark.parametrize("missing", sorted(set(SAFE) - {"INTAKE_MODE"}))
def test_production_refuses_an_unsafe_mix(missing: str) -> None:
    assert load(SAFE).production
    with pytest.raises(Misconfigured) as stopped:
        load({name: value for name, value in SAFE.items() if name != missing})
    assert missing in stopped.value.for_staff


def test_only_the_named_proxy_is_believed_about_who_asks() -> None:
    assert proxy_of(load({})) == {}
    told = proxy_of(load(SAFE))
    assert told["trusted_proxy"] == "127.0.0.1"
    assert told["trusted_proxy_headers"] == {"x-forwarded-for"}


def test_the_command_says_it_in_one_line_and_exits_with_78(tmp_path: Path) -> None:
    ran = subprocess.run(
        [*COMMAND, "doctor"],
        env={"PATH": os.environ["PATH"], "INTAKE_DATA_DIR": str(tmp_path), "INTAKE_MODE": "test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 78
    assert "development or production" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_what_the_service_writes_is_for_its_own_account_only(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    ran = subprocess.run(
        [*COMMAND, "receive", "-"],
        input=b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\n\r\nHello\r\n",
        env={"PATH": os.environ["PATH"], "INTAKE_DATA_DIR": str(folder)},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if path.stat().st_mode & 0o077] == []


def test_a_database_that_is_away_is_said_in_a_sentence_and_mail_is_tried_again(tmp_path: Path) -> None:
    away = {"INTAKE_DATA_DIR": str(tmp_path), "INTAKE_DATABASE_URL": "postgresql://127.0.0.1:1/intake"}
    for command, code in (("doctor", 69), ("receive -", 75)):
        ran = subprocess.run(
            [*COMMAND, *command.split()],
            input="From: a@b.example\n\nHello\n",
            env={"PATH": os.environ["PATH"], **away},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code
        assert "The database cannot be reached" in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr


def test_doctor_finds_a_key_that_cannot_open_what_is_kept(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "INTAKE_DATA_DIR": str(tmp_path)}

    def said(*arguments: str) -> str:
        mail = "From: a@b.example\n\nHello\n"
        ran = subprocess.run(
            [*COMMAND, *arguments], input=mail, env=environ, capture_output=True, text=True, check=False
        )
        return ran.stdout

    said("receive", "-")
    assert "The key opens what was kept last." in said("doctor")
    (tmp_path / "secret.key").write_bytes(b"k" * 32)
    assert "kept under another master key" in said("doctor")


def test_doctor_says_which_variable_sets_nothing_and_which_one_may_be_meant(tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "INTAKE_DATA_DIR": str(tmp_path),
        "INTAKE_DUTY_ADDRESS": "duty@ministry.example",
    }

    said = subprocess.run([*COMMAND, "doctor"], env=environ, capture_output=True, text=True, check=False).stdout

    assert "INTAKE_DUTY_ADDRESS is no setting: what it says is not used." in said
    assert "Was INTAKE_DUTY_ADDRESSES meant?" in said
