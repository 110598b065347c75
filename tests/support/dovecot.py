"""A real Dovecot on free loopback ports: IMAP with and without TLS, and LMTP to deliver mail as a gateway would.

Everything lives in one temporary folder and ends with the test session. Without the program tests are skipped with the reason;
on CI a missing server is a failure, since CI installs it.
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import secrets
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import jwt
import pytest
from imapclient import IMAPClient

from intake.adapters import children
from tests.support.certificates import certificates
from tests.support.ports import free_ports

PASSWORD = "correct-horse-7"

_CONFIG = """
base_dir = {run}
state_dir = {folder}/state
log_path = {folder}/dovecot.log
instance_name = intake-test
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%n
mail_fsync = never
auth_username_format = %n
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%n
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service lmtp {{
  user = {user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""

_OAUTH = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = username
"""
_KEY_ID = "test-key"


class Dovecot:
    host = "127.0.0.1"

    def __init__(self, folder: Path, capabilities: str = "") -> None:
        self.folder = folder
        self.imap, self.imaps, self.lmtp = free_ports(3)
        self.ca_file = folder / "ca.pem"
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        # Sockets live in it, and a socket's path has 107 bytes at the most: a folder of pytest may be too deep.
        self.run = Path(tempfile.mkdtemp(prefix="dc"))
        self.run.chmod(0o755)
        for name in ("state", "mail"):
            (folder / name).mkdir()
            (folder / name).chmod(0o755)
        certificates(folder)
        as_root = os.geteuid() == 0
        name = "mail" if as_root else pwd.getpwuid(os.geteuid()).pw_name
        entry = pwd.getpwnam(name)
        if as_root:
            for path in (folder, *folder.parents):
                if path == Path(path.anchor) or path == Path("/tmp"):
                    break
                path.chmod(0o755)
            os.chown(folder / "mail", entry.pw_uid, entry.pw_gid)
        self._key = secrets.token_bytes(32)
        keys = folder / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / _KEY_ID).write_bytes(base64.b64encode(self._key))
        # A command of ours may have set a strict umask here.
        for path in (folder / "keys", *(folder / "keys").rglob("*")):
            path.chmod(0o755)
        (folder / "oauth2.conf").write_text(_OAUTH.format(folder=folder))
        self.config = folder / "dovecot.conf"
        self.config.write_text(
            _CONFIG.format(
                folder=folder,
                run=self.run,
                user=name,
                group=grp.getgrgid(entry.pw_gid).gr_name,
                password=PASSWORD,
                imap=self.imap,
                imaps=self.imaps,
                lmtp=self.lmtp,
            )
            + (f"imap_capability = {capabilities}\n" if capabilities else "")
        )
        self.process = children.start([_program(), "-F", "-c", str(self.config)], folder / "stderr")
        _until_listening(self.imap, self.imaps, self.lmtp, log=folder / "dovecot.log", process=self.process)

    def stop(self) -> None:
        children.stop(self.process)
        shutil.rmtree(self.run, ignore_errors=True)

    def pause(self) -> None:
        """Until `resume` nobody gets a connection, and those that are open are cut."""
        children.stop(self.process)

    def resume(self) -> None:
        self.process = children.start([_program(), "-F", "-c", str(self.config)], self.folder / "stderr")
        _until_listening(self.imap, self.imaps, self.lmtp, log=self.folder / "dovecot.log", process=self.process)

    # ---- what tests do with it -----------------------------------------------------------------

    def deliver(self, mailbox: str, *mails: bytes) -> None:
        with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
            for mail in mails:
                lmtp.sendmail("sender@provider.example", [f"{mailbox}@ministry.example"], mail)

    def deliver_at(self, mailbox: str, mail: bytes, at: datetime) -> None:
        """As if it had come at that time, also one that is still to come: APPEND would bring that back to now."""
        owner = (self.folder / "mail").stat()
        box = self.folder / "mail" / mailbox
        for folder in (box, *(box / name for name in ("tmp", "new", "cur"))):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                os.chown(folder, owner.st_uid, owner.st_gid)
        path = box / "tmp" / f"{time.time_ns()}.{secrets.token_hex(4)}.test"
        path.write_bytes(mail)
        os.chown(path, owner.st_uid, owner.st_gid)
        os.utime(path, (at.timestamp(), at.timestamp()))
        path.rename(box / "new" / path.name)

    def client(self, mailbox: str) -> IMAPClient:
        """As staff would open it with a mail program."""
        client = IMAPClient(self.host, port=self.imap, ssl=False, timeout=10)
        client.login(mailbox, PASSWORD)
        return client

    def count(self, mailbox: str, folder: str = "INBOX") -> int:
        client = self.client(mailbox)
        try:
            if not client.folder_exists(folder):
                return 0
            return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])
        finally:
            client.logout()

    def token(self, mailbox: str, lasts: float = 3600.0) -> str:
        """An access token for one account, signed as the site's own authority would (RFC 7519)."""
        now = time.time()
        claims = {"sub": mailbox, "username": mailbox, "iat": int(now) - 1, "exp": int(now + lasts)}
        return jwt.encode(claims, self._key, "HS256", {"kid": _KEY_ID})

    def options(self, mailbox: str, **more: object) -> dict[str, object]:
        """The options of `[mailboxes.NAME]` for a verified TLS connection."""
        return {
            "host": "localhost",
            "port": self.imaps,
            "account": mailbox,
            "password_file": str(self.password_file),
            "ca_file": str(self.ca_file),
        } | more


def skip_or_fail(reason: str) -> None:
    """On CI everything is installed, so what is missing there is a fault."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _program() -> str:
    return shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin") or ""


def start(folder: Path, capabilities: str = "") -> Dovecot:
    """capabilities: what the server says that it can do, when it should say less than it can."""
    if sys.platform == "win32" or not _program():
        skip_or_fail("Dovecot is not installed (apt install dovecot-imapd dovecot-lmtpd)")
    modules = Path("/usr/lib/dovecot/modules"), Path("/usr/lib/dovecot")
    if (
        not any((m / "lmtp").exists() or (m.parent / "lmtp").exists() for m in modules)
        and Path("/etc/debian_version").exists()
    ):
        skip_or_fail("Dovecot is installed without LMTP (apt install dovecot-lmtpd)")
    folder.mkdir(parents=True, exist_ok=True)
    return Dovecot(folder, capabilities)


def _until_listening(*ports: int, log: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    said = log.read_text() if log.exists() else ""
                    said += (log.parent / "stderr").read_text()
                    raise RuntimeError(f"Dovecot did not start: {said[-2000:]}") from None
                time.sleep(0.05)
