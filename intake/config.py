"""Settings: one frozen value read once from a TOML file (`INTAKE_CONFIG`) and environment variables over it.

Every setting has a name, a default, a unit and a reason; `SETTINGS` is the list, `docs/settings.md` is tested against it. A wrong
setting stops the start with a sentence that says how to mend it (exit 78); unsafe mixes are refused in production.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from intake.domain.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Setting:
    name: str  # in the TOML file; the variable is INTAKE_ + name in capitals
    default: str | int | bool
    unit: str
    why: str

    @property
    def variable(self) -> str:
        return "INTAKE_" + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "mode",
        "development",
        "development | production",
        "production refuses demo adapters, default keys and plain HTTP",
    ),
    Setting("demo", False, "true | false", "invented providers, a page to send demo mails, nothing leaves the machine"),
    Setting("data_dir", "var", "folder", "database, files, keys and the embedded Redis live here"),
    Setting("database_url", "", "SQLAlchemy URL; empty: SQLite in data_dir", "PostgreSQL when several machines work"),
    Setting("redis_url", "", "redis URL; empty: an embedded Valkey", "only the doorbell; work is found without it"),
    Setting("blob_url", "", "file:// folder; empty: data_dir/blobs", "the messages as they came, encrypted"),
    Setting(
        "secret_key_file",
        "",
        "file; empty: data_dir/secret.key",
        "wraps the key of each kept message, signs links; keep it apart from backups",
    ),
    Setting(
        "trusted_authserv_ids",
        "",
        "list with commas",
        "shorthand: ids whose Authentication-Results count as weak evidence; use [mailboxes.NAME.trust] for more",
    ),
    Setting("own_domains", "", "list with commas", "the Ministry's own domains: its staff forward mail"),
    Setting(
        "smtp_url",
        "",
        "smtp:// or smtps:// URL; empty: kept in the outbox, shown to staff",
        "the aligned sender of the Ministry; acknowledgements never come from a domain of our own",
    ),
    Setting(
        "send_by",
        "",
        "name of a mailbox; empty: smtp_url",
        "mail leaves through this mailbox of Exchange (kind graph or exchange), where no SMTP server takes it",
    ),
    Setting("dns_file", "", "JSON file", "answers DNS questions instead of the network: tests, demo, closed sites"),
    Setting("base_url", "", "URL; empty: http:// and `listen`", "goes into sign-in links and mails"),
    Setting("listen", "127.0.0.1:8700", "host:port", "loopback by default: a proxy with TLS stands in front"),
    Setting(
        "trusted_proxy",
        "",
        "address; empty: none",
        "whose X-Forwarded-For says who asks: the proxy with TLS, seen from here. Without it everybody shares one limit",
    ),
    Setting("ministry", "Ministry (example)", "text", "named on pages and in mails"),
    Setting("sender_address", "intake@ministry.example", "address", "From of every mail that leaves"),
    Setting("breach_address", "breach@intake.ministry.example", "address", "told to providers on the front page"),
    Setting(
        "assessment_address", "assessments@intake.ministry.example", "address", "told to providers on the front page"
    ),
    Setting(
        "duty_addresses", "", "list with commas", "a mail to each as soon as a case is S1 or S2 or tells of danger"
    ),
    Setting(
        "pages_per_hour",
        20,
        "mails an hour",
        "to each duty address: a wave ends in “look at the queue”; as many again for proven senders",
    ),
    Setting(
        "operator_addresses",
        "",
        "list with commas",
        "a mail to each when a mailbox falls silent, cannot be read, or when what opens it is about to end",
    ),
    Setting(
        "echo_minutes", 15, "minutes", "without mail, after which we send one to each echo_address to prove the way"
    ),
    Setting("phone", "0800 000 000", "phone number", "for those who cannot use the web, and when we are down"),
    Setting("phone_overseas", "+64 4 000 0000", "phone number", "the same from abroad"),
    Setting("exit_url", "https://weather.example/", "URL", "where “Leave this page quickly” goes: something harmless"),
    Setting(
        "max_message_bytes",
        36_700_160,
        "bytes (35 MB)",
        "a mail above it is kept and opens a case, and its parts are not opened by machine",
    ),
    Setting(
        "smime_files",
        "",
        "list of files with commas; empty: none",
        "PEM files, each with a certificate and its RSA key: mail that is encrypted to it (S/MIME) is opened",
    ),
    Setting("acks_per_address_hour", 3, "mails an hour", "an address can't be flooded through us (forged senders)"),
    Setting("acks_per_hour", 500, "mails an hour", "all acknowledgements together: a wave of forged mail ends here"),
    Setting("lease_seconds", 60, "seconds", "a killed worker's message is taken up by another after this"),
    Setting("attempts", 3, "tries", "then a person gets it: a case opens, nothing waits unseen"),
    Setting("poll_seconds", 2, "seconds", "how long work may wait when the doorbell is silent"),
    Setting("mailbox_poll_seconds", 60, "seconds", "how long mail may wait when IDLE is silent"),
    Setting("reconcile_minutes", 15, "minutes", "the whole folder is compared with what we know"),
    Setting("session_idle_minutes", 30, "minutes", "a staff session ends without a press"),
    Setting("session_hours", 12, "hours", "and at the end of a shift in any case"),
    Setting("link_minutes", 15, "minutes", "a sign-in link is good for"),
    Setting("draft_days", 7, "days", "an unsent form is kept, encrypted, under its code"),
)

_BY_NAME = {s.name: s for s in SETTINGS}
# The second is set by `up` for what it starts.
_OTHER_VARIABLES = frozenset({"INTAKE_CONFIG", "INTAKE_EMBEDDED_REDIS_URL"})


class MailboxKind(NamedTuple):
    """label: on pages. needed: the option without which it cannot be; its adapter checks the others. place: the options that say together
    from where mail is taken. general: the options that it has from the general settings when its table does not say. signs_in: with an
    account that is remembered. sends: mail may leave by it.
    """

    label: str
    needed: str = ""
    place: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    signs_in: bool = True
    sends: bool = False


_OF_FOLDERS = ("reconcile_minutes", "max_message_bytes")
DEFAULT_MAILBOX = "default"  # of mail that is handed over without a name
MAILBOX_KINDS: Mapping[str, MailboxKind] = {  # each has its adapter in `intake.wiring`
    "imap": MailboxKind("IMAP", "host", ("host", "port", "account", "folder"), _OF_FOLDERS),
    "exchange": MailboxKind("Exchange", "host", ("host", "account", "folder"), _OF_FOLDERS, sends=True),
    "graph": MailboxKind("Exchange Online", "tenant", ("mailbox", "folder"), _OF_FOLDERS, sends=True),
    "smtp": MailboxKind("SMTP", "listen", general=("max_message_bytes",), signs_in=False),
    "maildrop": MailboxKind("Folder", "folder", ("folder",), signs_in=False),
    "pipe": MailboxKind("Pipe", signs_in=False),  # `receive -` of a mail server; the table says whose word counts
}


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """`[mailboxes.NAME]`: a folder on a server (or on disk) that we collect from."""

    name: str
    kind: str  # one of MAILBOX_KINDS
    echo_address: str = ""  # where a mail of ours to it goes, that proves the way end to end
    options: Mapping[str, Any] = field(default_factory=dict)
    trust: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Read with `load`. Attribute access to every name of SETTINGS, e.g. `settings.phone`."""

    values: Mapping[str, str | int | bool]
    mailboxes: tuple[MailboxSettings, ...] = ()
    # Variables that begin with INTAKE_ and set nothing: misspelt, or another program's.
    meaningless: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def production(self) -> bool:
        return self.values["mode"] == "production"

    @property
    def folder(self) -> Path:
        return Path(str(self.values["data_dir"])).resolve()

    @property
    def database(self) -> str:
        return str(self.values["database_url"]) or f"sqlite:///{self.folder / 'intake.db'}"

    @property
    def blob_folder(self) -> Path:
        url = str(self.values["blob_url"])
        return Path(urlsplit(url).path) if url else self.folder / "blobs"

    @property
    def secret_file(self) -> Path:
        given = str(self.values["secret_key_file"])
        return Path(given) if given else self.folder / "secret.key"

    @property
    def authserv_ids(self) -> tuple[str, ...]:
        return _words(self.values["trusted_authserv_ids"])

    @property
    def domains(self) -> tuple[str, ...]:
        return _words(self.values["own_domains"])

    @property
    def duty(self) -> tuple[str, ...]:
        return _words(self.values["duty_addresses"])

    @property
    def smime(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in str(self.values["smime_files"]).split(",") if name.strip())

    @property
    def sends(self) -> bool:
        """Whether anything can leave."""
        return bool(self.values["smtp_url"] or self.values["send_by"])

    @property
    def operators(self) -> tuple[str, ...]:
        return _words(self.values["operator_addresses"])

    def mailbox(self, name: str) -> MailboxSettings | None:
        return next((m for m in self.mailboxes if m.name == name), None)

    def trust(self, mailbox: str) -> Mapping[str, Any]:
        found = self.mailbox(mailbox)
        return found.trust if found else {}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises: Misconfigured, with one sentence that names the setting and says how to mend it.
    """
    env = os.environ if environ is None else environ
    table = _file(env.get("INTAKE_CONFIG", ""))
    boxes = _mailboxes(table.pop("mailboxes", {}))
    values: dict[str, str | int | bool] = {}
    for key in table:
        if key not in _BY_NAME:
            raise Misconfigured(f"There is no setting “{key}”. docs/settings.md lists them all.")
    for setting in SETTINGS:
        given = env.get(setting.variable)
        raw = given if given is not None else table.get(setting.name, setting.default)
        values[setting.name] = _typed(setting, raw)
    values["base_url"] = values["base_url"] or f"http://{values['listen']}"
    settings = Settings(values, boxes, _meaningless(env))
    _refuse(settings)
    return settings


def _meaningless(env: Mapping[str, str]) -> tuple[str, ...]:
    known = _OTHER_VARIABLES | {setting.variable for setting in SETTINGS}
    return tuple(sorted(name for name in env if name.startswith("INTAKE_") and name not in known))


def _file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(
            f"The settings file {path} cannot be read ({error.strerror}). "
            "Set INTAKE_CONFIG to a file that exists, or unset it."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"The settings file {path} is not TOML: {error}.") from error


def _typed(setting: Setting, raw: object) -> str | int | bool:
    if isinstance(setting.default, bool):
        if isinstance(raw, bool):
            return raw
        if str(raw).lower() in {"1", "true", "yes", "on"}:
            return True
        if str(raw).lower() in {"0", "false", "no", "off", ""}:
            return False
        raise Misconfigured(f"{setting.variable} is “{raw}”; write true or false.")
    if isinstance(setting.default, int):
        try:
            number = int(str(raw))
        except ValueError:
            number = 0
        if number < 1:
            raise Misconfigured(f"{setting.variable} is “{raw}”; write a whole number of {setting.unit}, at least 1.")
        return number
    if isinstance(raw, list):
        return ",".join(str(x) for x in raw)
    return str(raw)


def _mailboxes(table: object) -> tuple[MailboxSettings, ...]:
    if not isinstance(table, dict):
        raise Misconfigured("`mailboxes` must be tables like [mailboxes.breach].")
    boxes = []
    for name, options in table.items():
        if not isinstance(options, dict):
            raise Misconfigured(f"[mailboxes.{name}] must be a table.")
        rest = dict(options)
        trust = rest.pop("trust", {})
        kind = rest.pop("kind", "imap")
        if kind not in MAILBOX_KINDS:
            kinds = f"{', '.join(list(MAILBOX_KINDS)[:-1])} or {list(MAILBOX_KINDS)[-1]}"
            raise Misconfigured(f"[mailboxes.{name}] kind is “{kind}”; it is {kinds}.")
        needed = MAILBOX_KINDS[kind].needed
        if needed and needed not in rest:
            raise Misconfigured(f"[mailboxes.{name}] has no {needed}; add one.")
        echo = str(rest.pop("echo_address", ""))
        if echo:
            _refuse_address(f"[mailboxes.{name}] echo_address", echo)
        boxes.append(MailboxSettings(name, kind, echo, rest, _trusted(name, trust)))
    _refuse_one_place_twice(boxes)
    return tuple(boxes)


def _refuse_one_place_twice(boxes: list[MailboxSettings]) -> None:
    """Two that empty one folder take each other's mails away, and neither's count would ever be right."""
    seen: dict[tuple[str, ...], str] = {}
    for box in boxes:
        place = tuple(_where(option, str(box.options.get(option, ""))) for option in MAILBOX_KINDS[box.kind].place)
        if place and (first := seen.setdefault((box.kind, *place), box.name)) != box.name:
            raise Misconfigured(
                f"[mailboxes.{box.name}] takes mail from the very place of [mailboxes.{first}]: remove one of them."
            )


def _where(option: str, given: str) -> str:
    if option != "folder":
        return given.casefold()
    return "" if given.casefold() == "inbox" else given  # what is read when no folder is named


def _trusted(name: str, table: object) -> Mapping[str, Any]:
    """A wrong trust table stops the start, and not the first mail that comes."""
    if not isinstance(table, dict):
        raise Misconfigured(f"[mailboxes.{name}.trust] must be a table.")
    if table:
        from intake.domain.trust import trust_from_settings

        try:
            trust_from_settings(table)
        except Misconfigured as error:
            raise Misconfigured(f"[mailboxes.{name}.trust]: {error.for_staff}") from error
    return table


def _refuse(settings: Settings) -> None:
    if settings.mode not in {"development", "production"}:
        raise Misconfigured(f"INTAKE_MODE is “{settings.mode}”; it is development or production.")
    scheme = urlsplit(settings.database).scheme
    if not scheme.startswith(("sqlite", "postgresql")):
        raise Misconfigured(f"INTAKE_DATABASE_URL begins with “{scheme}”; use sqlite:///FILE or postgresql+psycopg://…")
    if settings.smtp_url and urlsplit(settings.smtp_url).scheme not in {"smtp", "smtps"}:
        raise Misconfigured("INTAKE_SMTP_URL must begin with smtp:// or smtps://.")
    if settings.dns_file and not Path(settings.dns_file).is_file():
        raise Misconfigured(f"INTAKE_DNS_FILE names {settings.dns_file}, which is not a file.")
    _refuse_smime_files(settings)
    _refuse_addresses(settings)
    _refuse_own_domains(settings)
    _refuse_send_by(settings)
    if settings.demo and (settings.sends or any(box.kind != "maildrop" for box in settings.mailboxes)):
        raise Misconfigured(
            "The demo lets anybody sign in, so it must not see real mail: unset INTAKE_SMTP_URL and every mailbox that is not a maildrop, "
            "or set INTAKE_DEMO=false."
        )
    if settings.production:
        _refuse_in_production(settings)


def _refuse_smime_files(settings: Settings) -> None:
    """Whether they open is found when documents are read: to open keys costs a library that no other command needs."""
    for name in settings.smime:
        text = Path(name).read_text(encoding="ascii", errors="replace") if Path(name).is_file() else ""
        if "BEGIN CERTIFICATE" not in text or "PRIVATE KEY" not in text:
            raise Misconfigured(
                f"INTAKE_SMIME_FILES names {name}, which is not a PEM file with a certificate and its private key."
            )


def _refuse_send_by(settings: Settings) -> None:
    name = str(settings.send_by)
    box = settings.mailbox(name)
    if name and settings.smtp_url:
        raise Misconfigured("Mail leaves by INTAKE_SMTP_URL or by INTAKE_SEND_BY: unset one of them.")
    if name and (box is None or not MAILBOX_KINDS[box.kind].sends):
        kinds = " or ".join(sorted(kind for kind, of in MAILBOX_KINDS.items() if of.sends))
        raise Misconfigured(f"INTAKE_SEND_BY is “{name}”, which is no mailbox of kind {kinds}.")


def _refuse_own_domains(settings: Settings) -> None:
    """Whoever is below one is taken for a colleague."""
    if settings.domains:
        from intake.domain.address import registrable  # the list of public suffixes is needed for nothing else here

        for domain in settings.domains:
            if registrable(domain.lower()) is None:
                raise Misconfigured(
                    f"INTAKE_OWN_DOMAINS holds “{domain}”, under which anybody may have a domain. Name yours."
                )


def _refuse_addresses(settings: Settings) -> None:
    single = [(name, str(settings.values[name])) for name in ("sender_address", "breach_address")]
    lists = (("duty_addresses", settings.duty), ("operator_addresses", settings.operators))
    for name, given in [*single, *((name, each) for name, several in lists for each in several)]:
        _refuse_address(_BY_NAME[name].variable, given)
    host, _, port = str(settings.listen).rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise Misconfigured(f"INTAKE_LISTEN is “{settings.listen}”; write host:port, like 127.0.0.1:8700.")
    for name, schemes in (
        ("base_url", "http:// https://"),
        ("redis_url", "redis:// rediss:// unix://"),
        ("blob_url", "file://"),
    ):
        given = str(settings.values[name])
        if given and not given.startswith(tuple(schemes.split())):
            raise Misconfigured(f"{_BY_NAME[name].variable} must begin with {schemes.replace(' ', ' or ')}.")


def _refuse_address(setting: str, given: str) -> None:
    local, _, domain = given.rpartition("@")
    if not local or "." not in domain or any(c.isspace() for c in given):
        raise Misconfigured(f"{setting} holds “{given}”; write an address, name@domain.")


def _refuse_in_production(settings: Settings) -> None:
    if settings.demo:
        raise Misconfigured("The demo cannot run in production: set INTAKE_DEMO=false or INTAKE_MODE=development.")
    if not settings.secret_key_file:
        raise Misconfigured(
            "Production needs INTAKE_SECRET_KEY_FILE: make 32 random bytes once "
            "(head -c 32 /dev/urandom > FILE), readable by the service only, and keep a copy apart."
        )
    if not str(settings.base_url).startswith("https://"):
        raise Misconfigured("INTAKE_BASE_URL must begin with https:// in production.")
    if not settings.sends:
        raise Misconfigured(
            "Production needs INTAKE_SMTP_URL or INTAKE_SEND_BY: without one no acknowledgement leaves."
        )
    if not settings.trusted_proxy:
        raise Misconfigured(
            "Production needs INTAKE_TRUSTED_PROXY: the address from which your proxy with TLS comes (127.0.0.1 when it runs "
            "here). Without it all visitors look like one, and whoever tries too often locks everybody out."
        )


def _words(value: object) -> tuple[str, ...]:
    return tuple(w for w in str(value).replace(",", " ").split() if w)
