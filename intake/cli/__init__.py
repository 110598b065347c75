"""`provider-intake`: every door of the product as a command. Heavy packages are imported by the command that needs them.

Exit codes follow sysexits: 0 done, 64 usage, 65 bad bytes, 69 unavailable, 75 try later, 78 bad settings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from intake.domain.errors import CannotRead, IntakeError, Misconfigured, TryLater
from intake.domain.roles import ROLES

USAGE, BAD_BYTES, UNAVAILABLE, TRY_LATER, BAD_SETTINGS = 64, 65, 69, 75, 78

Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    if given.module != "forms_shown":  # database, mails, logs, backups: for the service's own account only
        os.umask(os.umask(0o077) | 0o077)
    try:
        run: Command = getattr(import_module(f"intake.cli.{given.module}"), given.function)
        return run(given)
    except Misconfigured as error:
        return _stop(error, BAD_SETTINGS)
    except CannotRead as error:
        return _stop(error, BAD_BYTES)
    except TryLater as error:
        return _stop(error, TRY_LATER)
    except IntakeError as error:
        return _stop(error, UNAVAILABLE)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"provider-intake: {error.filename or 'The system'}: {error.strerror or error}.", file=sys.stderr)
        return UNAVAILABLE
    except KeyboardInterrupt:
        return 130


def _stop(error: IntakeError, code: int) -> int:
    print(f"provider-intake: {error.for_staff}", file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog="provider-intake",
        description="Intake of IT self-assessments and privacy-breach notices, by web form and by email.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def add(name: str, module: str, function: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(module=module, function=function)
        return command

    def as_json(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command.add_argument("--json", action="store_true", help="JSON lines with stable names")
        return command

    receive = as_json(add("receive", "messages", "receive_mails", "keep mails durably, then read and file them"))
    receive.add_argument("paths", nargs="+", metavar="PATH|-", help=".eml files, mbox, folders; - is standard input")
    receive.add_argument("--mailbox", default="default", help="whose trust settings hold (default: default)")
    receive.add_argument("--keep-only", action="store_true", help="stop after the durable accept")

    explain = as_json(add("explain", "messages", "explain", "say what would be decided about a mail; writes nothing"))
    explain.add_argument("path", metavar="FILE.eml")
    explain.add_argument("--mailbox", default="default")

    read = as_json(add("read", "messages", "read", "read one document; writes nothing"))
    read.add_argument("path", metavar="FILE")

    form = as_json(add("form", "forms_shown", "form", "the forms and their other faces"))
    form.add_argument("what", choices=("list", "schema", "pdf", "docx"))
    form.add_argument("name", nargs="?", metavar="FORM@EDITION")
    form.add_argument("-o", "--output", metavar="FILE")

    decide = as_json(
        add("decide", "forms_shown", "decide", "band, reasons and clocks for given answers; writes nothing")
    )
    decide.add_argument("path", metavar="FILE.json|-")

    as_json(add("queue", "desk", "queue", "the triage queue, due first"))
    case = as_json(add("case", "desk", "case", "one case as staff see it"))
    case.add_argument("reference", metavar="REF")

    provider = as_json(add("provider", "desk", "provider", "the register of providers"))
    provider.add_argument("what", choices=("import", "list", "show"))
    provider.add_argument("name", nargs="?", metavar="FILE.csv|SLUG")
    provider.add_argument(
        "--exact", action="store_true", help="import: what people registered and the file has not, goes"
    )

    staff = as_json(add("staff", "desk", "staff", "who may sign in"))
    staff.add_argument("what", choices=("add", "remove", "list"))
    staff.add_argument("address", nargs="?", metavar="EMAIL")
    staff.add_argument("--role", choices=ROLES, default="triage")
    staff.add_argument("--name", default="")

    for name, text in (
        ("serve", "the web pages"),
        ("work", "the worker that reads, files and sends"),
        ("collect", "the mailbox reader"),
        ("up", "all of them at once on embedded defaults"),
    ):
        add(name, "run", name, text)

    as_json(add("reconcile", "operate", "reconcile", "count every message and where it ended"))
    doctor = as_json(add("doctor", "operate", "doctor", "what is wrong, and how to mend it"))
    doctor.add_argument("--probe", metavar="MAILBOX", help="what forgeries sent from outside show about its gateway")
    doctor.add_argument(
        "--via", metavar="smtp://HOST:25", help="send them straight to the outermost mail server, from outside"
    )
    doctor.add_argument("--write", metavar="FOLDER", help="write them as .eml files, to be sent from outside")
    doctor.add_argument("--to", metavar="ADDRESS", help="the mailbox's address (default: its echo_address)")
    doctor.add_argument("--rejecting", metavar="DOMAIN", help="a domain with p=reject (default: the first own domain)")
    doctor.add_argument("--refused", metavar="LETTERS", help="those that the server refused, with commas")
    recheck = as_json(
        add("recheck", "desk", "recheck", "check the senders of open cases again, by the register as it is")
    )
    recheck.add_argument("references", nargs="*", metavar="REF", help="default: every open case that came by mail")
    learn = as_json(add("learn", "learn", "learn", "what staff said a mail is, as labelled mails to learn from"))
    learn.add_argument("what", choices=("export",))
    learn.add_argument("folder", metavar="NEW-FOLDER")
    mailbox = as_json(
        add("mailbox", "mailboxes", "mailbox", "where each mailbox stands; accept another account for one")
    )
    mailbox.add_argument("what", choices=("list", "accept"))
    mailbox.add_argument("name", nargs="?", metavar="NAME")
    audit = as_json(add("audit", "operate", "audit", "check that the history was not changed"))
    audit.add_argument("what", choices=("verify",))
    add("migrate", "operate", "migrate", "bring the database to this version")
    backup = add("backup", "operate", "backup", "copy database and kept messages to a folder")
    backup.add_argument("folder", metavar="FOLDER")
    restore = add("restore", "operate", "restore", "the way back from a backup, into an empty data folder")
    restore.add_argument("folder", metavar="FOLDER")
    return top
