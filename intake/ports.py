"""What the use cases need of the outside, one page. Adapters implement these; `intake.wiring` alone chooses which.

Every method that writes is one transaction. Instants are aware UTC. A reference is the public id of a case
(`BN-4T7K-9`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from forms.schema import Problem
from intake.domain.model import (
    Arrival,
    CaseDraft,
    Due,
    GapScore,
    OutcomeCode,
    Provider,
    RawMessage,
    ReadAnswer,
    ReadDocument,
    Reason,
    SenderCheck,
    Severity,
)

# ---- receiving ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToKeep:
    """A delivery whose bytes are already durable under `blob`."""

    content_key: str
    sha256: str
    size: int
    blob: str
    channel: str
    mailbox: str
    remote_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrival of a message by one way. Several deliveries may share a RawMessage."""

    id: int
    raw: RawMessage
    channel: str
    mailbox: str
    remote_id: str
    received_at: datetime
    outcome: OutcomeCode | None = None  # None while it waits
    new: bool = True  # False: this very delivery was known before


class Blobs(Protocol):
    """Encrypted bytes under random keys. `put` returns only when they are on stable storage."""

    def put(self, content: bytes) -> str: ...

    def put_many(self, contents: Sequence[bytes]) -> tuple[str, ...]: ...

    def get(self, key: str) -> bytes: ...


# ---- jobs and outbox ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due. `attempt` is the fencing token: a finish with an old one is refused."""

    id: int
    task: str  # "process", "recheck", "suggest"
    subject: int  # delivery id, or case id
    attempt: int
    lease_until: datetime


OWN_ID = "X-Intake-Message-ID"  # our Message-ID once more, for services that give the mail another one


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    id: int
    message_id: str  # stable over every retry
    to: str
    subject: str
    body: str
    case: str | None
    attempt: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NewMail:
    """A row for the outbox. `dedupe` is unique: the same key is sent once."""

    dedupe: str
    to: str
    subject: str
    body: str
    template: str
    headers: tuple[tuple[str, str], ...] = ()


# ---- filing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filing:
    """All that one message came to, written in ONE transaction together with the end of its job."""

    delivery: Delivery
    job: Job | None  # None when a command files outside a worker
    outcome: OutcomeCode
    documents: tuple[tuple[str, int, str, ReadDocument], ...]  # path, size, sha256, what was read
    sender: SenderCheck
    subject: str  # as decoded, for staff
    body: str  # plain text, for staff
    message_id: str
    drafts: tuple[tuple[str, CaseDraft], ...] = ()  # proposed reference, draft; breach first
    update: str | None = None  # reference of the case that this message is added to
    duplicate_of: str | None = None
    mails: tuple[tuple[int, NewMail], ...] = ()  # index into drafts (or -1 for the updated case), mail
    reasons: tuple[Reason, ...] = ()
    marks: tuple[str, ...] = ()
    came_back: tuple[str, ...] = ()  # Message-IDs that a mail server could not deliver, when the message says so
    suggest: bool = False  # a low-priority job places suggestions from foreign documents
    register: int | None = None  # the version that the sender check began with; None when there was none


class ReferenceTaken(Exception):
    """A proposed reference is in use; propose another."""


class StaleJob(Exception):
    """The job was claimed again since, or is done; nothing was written."""


# ---- what staff read ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueRow:
    id: int
    reference: str
    kind: str
    provider: str | None  # slug
    provider_name: str  # "" when not known
    says_provider: str  # what the form or mail says, for staff
    service: str
    band: str | None
    status: str
    verdict: str
    sender_line: str  # the address or domain that matters
    reasons: tuple[str, ...]  # at most two sentences
    marks: tuple[str, ...]
    next_due: datetime | None
    next_due_what: str  # first_contact, decision, read, check_sender, plan ...
    received_at: datetime
    aware_at: datetime | None
    assignee: str | None
    duty: str
    version: int
    changed_at: datetime
    linked_aware_at: datetime | None = None  # the earliest time of knowing on the notices that a person linked to it

    @property
    def known_since(self) -> datetime:
        """From when the 72 hours count: when the first provider that reported the matter knew, else when it came."""
        own = self.aware_at or self.received_at
        return min(own, self.linked_aware_at) if self.linked_aware_at else own


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """The filters of the queue, as they stand in the URL. Empty means all."""

    kinds: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    assignee: str = ""  # "", "nobody", or a staff address
    provider: str = ""
    duty: str = ""
    due_before: datetime | None = None
    text: str = ""  # macron-insensitive search over reference, provider, sender, subject
    marks: tuple[str, ...] = ()
    without_marks: tuple[str, ...] = ()  # cases with one of these are left out
    include_closed: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of a case's history. Hash-chained; never changed."""

    seq: int
    at: datetime
    actor: str
    action: str
    text: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """A mail in, a mail out, or a note, on a case."""

    at: datetime
    direction: str  # in, out, note, call
    who: str
    subject: str
    text: str
    state: str = ""  # of a mail out: queued, sent, failed, held
    delivery: int | None = None


@dataclass(frozen=True, slots=True)
class CaseDocument:
    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    path: str  # in the MIME tree
    delivery: int
    read: ReadDocument


@dataclass(frozen=True, slots=True)
class Correction:
    """What staff did to an answer: confirmed, corrected, or said that it cannot be read."""

    question: str
    value: object
    old: object
    by: str
    at: datetime
    how: str  # confirmed, corrected, unreadable, entered


@dataclass(frozen=True, slots=True)
class CaseView:
    row: QueueRow
    raw: RawMessage
    sender: SenderCheck
    severity: Severity | None
    score: GapScore | None
    due: Due
    form: str | None
    edition: str | None
    answers: Mapping[str, ReadAnswer]
    corrections: tuple[Correction, ...]
    problems: tuple[Problem, ...]  # of its documents, and what its answers lack
    reasons: tuple[Reason, ...]
    documents: tuple[CaseDocument, ...]
    messages: tuple[CaseMessage, ...]
    events: tuple[Event, ...]
    linked: tuple[str, ...]
    outcome: str = ""
    outcome_reason: str = ""
    suggestions: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class SentBefore:
    """All that one address sent to a case so far."""

    files: frozenset[str] = frozenset()  # SHA-256, hex; a form typed into a mail counts as one
    words: tuple[tuple[str, str], ...] = ()  # subject and text of each mail


class Conflict(Exception):
    """Somebody else changed the case since `version` was read; nothing was written."""


class Store(Protocol):
    """The database. One implementation for SQLite and PostgreSQL; the contract tests run on both."""

    # receive
    def keep(self, items: Sequence[ToKeep]) -> tuple[Delivery, ...]: ...
    def delivery(self, delivery_id: int) -> Delivery: ...
    def deliveries_waiting(self, limit: int) -> tuple[Delivery, ...]: ...
    def deliveries_of(self, channel: str, mailbox: str, remote_ids: Sequence[str]) -> tuple[Delivery, ...]:
        """Those of these that were kept before, with their outcomes: what a collector need not fetch again."""
        ...

    # pipeline
    def file(self, filing: Filing) -> tuple[str, ...]:
        """Everything of one message, once; the references. Of an update, `drafts[0]` says what all answers of the case
        together (`case_answers` and the new ones) come to. Raises ReferenceTaken, StaleJob; then nothing is written."""
        ...

    def filed(self, delivery_id: int) -> tuple[str, ...] | None: ...
    def note_duplicate(self, delivery: Delivery, job: Job | None) -> str | None:
        """When the same message was filed by another delivery: note that and end the job; the reference, "" when it
        opened no case. None when it was not filed yet, and then nothing is written."""
        ...

    def providers(self) -> tuple[Provider, ...]: ...
    def registry_version(self) -> int: ...
    def case_row(self, reference: str) -> QueueRow | None: ...
    def case_answers(self, reference: str) -> Mapping[str, ReadAnswer]:
        """As they stand now: what was read, later messages over earlier ones, corrections by staff over all."""
        ...

    def case_problems(self, reference: str) -> tuple[Problem, ...]: ...
    def reference_for_message_id(self, message_ids: Sequence[str]) -> str | None: ...
    def case_with_document(self, sha256: Sequence[str], address: str, since: datetime) -> str | None:
        """The newest case since then that holds one of these files from the same address, if any."""
        ...

    def sent_to_case(self, reference: str, address: str) -> SentBefore: ...
    def mailbox_state(self, name: str) -> MailboxState: ...
    def set_mailbox_state(self, name: str, **fields: object) -> None: ...
    def remember(self, name: str, value: str) -> None: ...

    # jobs and outbox
    def claim(self, tasks: Sequence[str], limit: int, lease_seconds: int, worker: str) -> tuple[Job, ...]: ...
    def finish(self, job: Job) -> bool: ...
    def try_later(self, job: Job, error: str, delay_seconds: float, limit: int) -> str: ...
    def sweep(self) -> int: ...
    def claim_mails(self, limit: int, lease_seconds: int) -> tuple[OutgoingMail, ...]: ...
    def mail_sent(self, mail: OutgoingMail) -> None: ...
    def mail_failed(self, mail: OutgoingMail, error: str, permanent: bool) -> None: ...


# ---- triage ---------------------------------------------------------------------------------------------------------


class TriageStore(Protocol):
    """What the staff pages need. `version` is the one that the person saw; a stale one raises Conflict."""

    def queue(
        self, wanted: QueueFilter, kinds: Sequence[str] | None = None, limit: int = 50, after: str | None = None
    ) -> tuple[QueueRow, ...]:
        """Ordered by what is due first, then by id. `after` is the reference of the last row of the page before.

        kinds: those that the reader may see, whatever `wanted` asks for; None for every kind, () for none.
        """
        ...

    def counts(
        self, assignee: str | None = None, kinds: Sequence[str] | None = None, locked: bool = True
    ) -> Mapping[str, int]:
        """Open cases by view: open, breach_notice, self_assessment, other, nobody, mine, held, needs_person,
        waiting_provider, key_gap, second_person, overdue (against the clock, at most 1,001), closed.
        `mine` is of the assignee. locked: count those that name a colleague too.
        """
        ...

    def case_row(self, reference: str) -> QueueRow | None: ...
    def case(self, reference: str) -> CaseView | None: ...
    def cases_with(self, action: str) -> tuple[str, ...]:
        """References of the cases in whose history this action stands."""
        ...

    def change(
        self,
        reference: str,
        version: int,
        actor: str,
        action: str,
        text: str,
        changes: Mapping[str, object],
        detail: Mapping[str, object] | None = None,
        mail: NewMail | None = None,
    ) -> int:
        """Set columns, write one event and queue the mail that goes with it, all or nothing; returns the new version.

        Keys of `changes`: status (Status), kind (CaseKind), assignee (str or None), severity (Severity or None), reasons
        (tuple of Reason), due (Due), provider (slug or None), duty, outcome, outcome_reason, marks (tuple), title, service,
        aware_at (datetime or None), score (GapScore or None), problems (tuple of Problem), sender (SenderCheck). KeyError
        for any other key or an unknown reference.
        """
        ...

    def correct(
        self,
        reference: str,
        version: int,
        actor: str,
        correction: Correction,
        severity: Severity | None,
        due: Due,
        reasons: tuple[Reason, ...],
        follows: Mapping[str, object],
    ) -> int:
        """Keep the correction with all that follows from it; `follows` has the keys of `changes` above."""
        ...

    def add_note(self, reference: str, actor: str, kind: str, text: str) -> None:
        """`kind` is note or call."""
        ...

    def queue_mail(self, reference: str | None, mail: NewMail, actor: str) -> None:
        """Put a mail into the outbox; with a reference it is a message and an event of that case as well. None: a mail of
        no case, such as a sign-in link."""
        ...

    def link(self, reference: str, other: str, actor: str) -> None: ...
    def document(self, document_id: int) -> tuple[CaseDocument, str] | None:
        """The document and the reference of its (first) case."""
        ...

    def suggest(self, case_id: int, suggestions: Sequence[Mapping[str, object]]) -> None: ...
    def viewed(self, reference: str, actor: str) -> None:
        """Log that somebody read the case; not a change, no new version."""
        ...

    def changed_since(self, at: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Staff:
    address: str
    role: str  # one of `intake.domain.roles.ROLES`
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    staff: Staff
    started_at: datetime
    expires_at: datetime


class StaffStore(Protocol):
    """Who may sign in. Only hashes of tokens are stored."""

    def staff_member(self, address: str) -> Staff | None: ...
    def add_staff(self, address: str, role: str, name: str = "") -> Staff:
        """Adds, or changes the role (and the name when given) of somebody known; makes them active."""
        ...

    def retire_staff(self, address: str) -> bool:
        """Nobody signs in with it from now on, and open sessions end. False when nobody active has it."""
        ...

    def all_staff(self) -> tuple[Staff, ...]: ...
    def add_link(self, token_hash: str, address: str, binding_hash: str, expires: datetime) -> None: ...
    def use_link(self, token_hash: str, binding_hash: str, now: datetime) -> str | None:
        """The address, once; None when unknown, used, expired, or bound to another browser."""
        ...

    def add_session(self, token_hash: str, address: str, expires: datetime) -> None: ...
    def session(self, token_hash: str, now: datetime, idle_seconds: int) -> Session | None:
        """None when ended, expired, idle for longer, or when the person is not active any more. Notes the visit."""
        ...

    def end_session(self, token_hash: str) -> None: ...


class DraftStore(Protocol):
    """Half-filled web forms, encrypted by the caller under the code that only the submitter has."""

    def save_draft(self, code_hash: str, form: str, cipher: bytes, expires: datetime) -> None: ...
    def draft(self, code_hash: str, now: datetime) -> tuple[str, bytes] | None: ...
    def drop_draft(self, code_hash: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Registration:
    """Who said that a domain or an address is a provider's, how they know, and who agreed."""

    kind: str  # domain, exception
    provider: str  # slug
    subject: str  # the domain as A-labels, or the address
    words: str  # whom they spoke to, which file; of an exception the reason
    proposed_by: str
    method: str = ""  # of a domain: phone, contract, dns
    proven_on: str = ""  # YYYY-MM-DD
    until: str = ""  # of an exception, YYYY-MM-DD
    state: str = "proposed"  # then registered, refused or withdrawn
    proposed_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    decision: str = ""
    version: int | None = None  # of the register, from which on it holds
    id: int = 0


@dataclass(frozen=True, slots=True)
class SenderCase:
    """An open case that came by mail from a certain sender. `standing` is how far that sender was proven."""

    row: QueueRow
    standing: str
    rechecked: datetime | None  # when its sender was checked again and came to something else
    waits: bool  # a job will check it again


class RegistryStore(Protocol):
    def save_providers(self, providers: Sequence[Provider], actor: str = "system") -> int:
        """Adds or replaces each by slug; the registry version goes up by one. How many cases will be checked again."""
        ...

    def propose(self, new: Registration) -> int:
        """Keep it until a second person decides; its number. Conflict when the same waits already."""
        ...

    def register(self, new: Registration) -> int:
        """Put a domain into the register at once, with jobs for the cases that it may concern; its number. Conflict when the
        provider has it, KeyError when there is no such provider."""
        ...

    def decide(self, number: int, by: str, state: str, words: str) -> Registration:
        """End what was proposed as registered, refused or withdrawn. Conflict when it was decided since, and when somebody would
        agree to what they proposed themselves; KeyError for an unknown number."""
        ...

    def registration(self, number: int) -> Registration | None: ...
    def registrations(self, state: str = "", provider: str = "", limit: int = 50) -> tuple[Registration, ...]:
        """The newest first."""
        ...

    def cases_from(self, sender: str) -> tuple[SenderCase, ...]:
        """Open cases that came by mail from a domain (or below it), or from an address; the oldest first, at most 500."""
        ...

    def register_history(self, provider: str = "", limit: int = 50) -> tuple[Event, ...]:
        """What was done to the register, the newest first; imports belong to no provider."""
        ...

    def verify_register(self) -> tuple[int, str | None]:
        """As `OperatorStore.verify_events`, of the history of the register."""
        ...

    def provider(self, slug: str) -> Provider | None: ...
    def providers(self) -> tuple[Provider, ...]: ...
    def cases_of(self, slug: str) -> tuple[QueueRow, ...]: ...
    def backlog(self) -> tuple[str, ...]:
        """References of the open cases that came by mail, the oldest first: those whose sender a change of the register may change."""
        ...

    def unreachable(self, addresses: Sequence[str]) -> frozenset[str]:
        """Those of these, in lower case, whose newest mail of ours came back or was refused."""
        ...


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What the collector knows of one folder, and what staff see on the system page."""

    name: str
    uid_validity: int | None = None
    last_uid: int = 0
    last_contact: datetime | None = None
    last_message: datetime | None = None
    error: str = ""
    error_since: datetime | None = None  # since when there was an error at every look
    account: str | None = None  # whose sign-in opened it first; another one is refused
    access_ends: datetime | None = None  # when the secret or certificate that opens it ends, if it says so
    counted: int | None = None  # mails in Processed and Held at the last full look
    counted_before: int | None = None  # mails that lay in Processed and Held before our time
    ledger: int | None = None  # how many we had kept from it then
    counted_at: datetime | None = None
    echo_sent_at: datetime | None = None  # the last mail of ours to it that proves the way end to end ...
    echo_seen_at: datetime | None = None  # ... and when the last of them had been read
    unstamped: int | None = None  # mails in a row that bore no result of our own side where one is configured
    shapes: str | None = None  # the kinds of stamp seen so far, one a line


@dataclass(frozen=True, slots=True)
class SentMail:
    """A row of the outbox as staff see it. `state` is queued, sending, sent, bounced (it came back), failed or held."""

    id: int
    at: datetime
    to: str
    subject: str
    body: str
    template: str
    state: str
    case: str | None
    attempts: int
    error: str = ""
    sent_at: datetime | None = None


class OperatorStore(Protocol):
    def remember(self, name: str, value: str) -> None:
        """Keep a small thing that operators ask for again: the end of a probe. Names have at most 80 letters."""
        ...

    def remembered(self, beginning: str) -> Mapping[str, str]:
        """What is kept under names that begin so."""
        ...

    def mailbox_state(self, name: str) -> MailboxState: ...
    def set_mailbox_state(self, name: str, **fields: object) -> None:
        """Fields are those of MailboxState."""
        ...

    def mailbox_states(self) -> tuple[MailboxState, ...]: ...
    def kept_from(self, mailbox: str) -> int:
        """How many deliveries came from it, whatever became of them."""
        ...

    def waiting_from(self, mailbox: str) -> datetime | None:
        """When the oldest mail of it that has no outcome yet was received."""
        ...

    def job_counts(self, task: str = "") -> Mapping[str, int]:
        """What is not done, by state: due, later, leased, person; of one task ("process", "suggest") when it is named."""
        ...

    def outcomes(self) -> Mapping[str, object]:
        """{messages, deliveries, waiting, missing, outcomes: {code: count}}. `missing`: deliveries that have neither an
        outcome nor a job that will give them one."""
        ...

    def mails(self, limit: int = 50) -> tuple[SentMail, ...]: ...
    def mails_to(self, address: str, since: datetime, template: str = "") -> int:
        """How many mails were queued since then to the address, of one template when it is named; to everybody when the address
        is "".
        """
        ...

    def oldest_waiting(self) -> datetime | None: ...
    def newest_blob(self) -> str | None:
        """The key under which the newest message is kept."""
        ...

    def verify_events(self) -> tuple[int, str | None]:
        """How many events were checked, and a sentence about the first one that was tampered with, else None."""
        ...


# ---- other outside things -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a wrapper holds, as the bytes of a mail; b"" when it could not be opened, and `problem` says why."""

    mail: bytes = b""
    notes: tuple[str, ...] = ()  # sentences
    problem: Problem | None = None
    seconds: float = 0.0  # of CPU that it cost


class DocumentReading(Protocol):
    """Reads files of strangers, within limits. spent: seconds of CPU that the message has cost before."""

    def read(self, attachments: Sequence[tuple[str, bytes]], spent: float = 0.0) -> tuple[ReadDocument, ...]: ...

    def unpack(self, wrapper: str, name: str, content: bytes, spent: float = 0.0) -> Unpacked:
        """Open one of `domain.wrappers`. Never raises on account of a file."""

    def close(self) -> None: ...


class Doorbell(Protocol):
    """Wakes a worker. Best effort: the sweeper and the poll find the work anyway."""

    def ring(self) -> None: ...

    def alive(self) -> bool: ...


class Mailbox(Protocol):
    """A folder on a server that we collect from. Nothing is flagged or moved before `done`. For one thread.

    Connects when it must, and again after any error. tests/contract/test_mailboxes.py says what each must do.
    """

    name: str

    def changes(self) -> Iterator[Arrival]:
        """What is in the folder and not known to be kept, oldest first, with the bytes as they lie on the server.

        Raises TryLater when the server is away; Refused, after everything was yielded, when mails cannot be moved.
        """
        ...

    def done(self, remote_id: str) -> None:
        """Move a mail that is durable here out of the folder: to Held when it was too large to be kept whole, else to Processed. One
        that is gone is no error. Raises Refused when the server does not allow it, TryLater when it is away."""
        ...

    def wait(self, seconds: float) -> bool:
        """True as soon as there may be something new, False when `seconds` have passed."""
        ...

    def count(self) -> tuple[int, int]:
        """How many mails lie in the folder, and how many in Processed and Held together."""
        ...

    def close(self) -> None: ...


class MailDoor(Protocol):
    """An address at which mail servers hand us mail, for one or more mailboxes. Whoever handed it over hears yes only when the
    future of `take` has ended well; when it ends with an exception they keep the mail and come again."""

    mailboxes: tuple[str, ...]
    listen: str

    def serve(
        self, take: Callable[[Sequence[Arrival]], Future[None]], stop: threading.Event, opened: Callable[[], None]
    ) -> None:
        """Listen until `stop`, in the calling thread; `opened` is called once the address is ours.

        Raises TryLater when the address cannot be had.
        """
        ...


class MailSender(Protocol):
    """Hands one mail over. Raises `intake.domain.errors.TryLater` or `Refused`."""

    def send(self, mail: OutgoingMail) -> None: ...


Clock = Callable[[], datetime]
