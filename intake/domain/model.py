"""The nouns. Frozen values, no I/O, no clock, no settings: every decision of the product is a function of these.

Read from the top: a RawMessage is kept; it is opened into an Envelope; a SenderCheck says who sent it; documents are read into
ReadDocuments; a Decision says how serious and why; Due says what is due when; an Outcome says where the message ended.
All datetimes are aware UTC; New Zealand time exists on pages only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from forms.schema import Problem


class CaseKind(StrEnum):
    BREACH_NOTICE = "breach_notice"
    SELF_ASSESSMENT = "self_assessment"
    OTHER = "other"


# The kind of form that a kind of case collects the answers of; other mail has none.
FORMS: Mapping[CaseKind, str] = {
    CaseKind.BREACH_NOTICE: "breach-notice",
    CaseKind.SELF_ASSESSMENT: "it-self-assessment",
}


class OutcomeCode(StrEnum):
    """The one visible place where a message ended. Every kept message has exactly one."""

    CASE_OPENED = "case_opened"
    CASE_UPDATED = "case_updated"
    HELD = "held"
    DUPLICATE = "duplicate"
    AUTOMATIC = "automatic"
    NEEDS_PERSON = "needs_person"


class Status(StrEnum):
    """The state of a case (domain: received > open > waiting > decided > closed)."""

    HELD = "held"  # the sender is to be checked first; never a breach notice
    NEEDS_PERSON = "needs_person"  # open, and somebody must read the document
    OPEN = "open"
    WAITING_PROVIDER = "waiting_provider"
    WAITING_OTHER = "waiting_other"
    DECIDED = "decided"
    PLAN_RUNNING = "plan_running"
    CLOSED = "closed"


class VerdictCode(StrEnum):
    """The result of the sender check; first match wins in this order (design 5)."""

    MALFORMED = "malformed"
    AUTOMATIC = "automatic"
    STAFF_FORWARD = "staff_forward"
    VERIFIED_ACCOUNT = "verified_account"
    VERIFIED_DOMAIN = "verified_domain"
    EXCEPTION_ADDRESS = "exception_address"
    PROBABLE = "probable"
    UNAUTHENTICATED = "unauthenticated"
    AUTH_FAILED = "auth_failed"
    PERSONAL_ACCOUNT = "personal_account"
    LOOKALIKE = "lookalike"
    UNKNOWN_DOMAIN = "unknown_domain"
    UNKNOWN_UNVERIFIED = "unknown_unverified"


# ---- what arrived -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it was kept: the bytes are in the blob store under `blob`, never changed."""

    id: int
    content_key: str  # hex; equal for the same message however often and by whatever way it was delivered
    sha256: str  # hex, of the bytes as kept
    size: int  # bytes
    blob: str  # random key in the blob store
    channel: str  # imap, maildrop, pipe, import, web
    mailbox: str  # name of the mailbox in the settings, "default", or "web"
    received_at: datetime  # when the server (or, for the web, we) took it


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery of some bytes, before it is kept."""

    raw: bytes
    channel: str
    mailbox: str
    remote_id: str  # unique within channel and mailbox: "UIDVALIDITY:UID", a path's hash, a submission's id
    received_at: datetime
    label: str = ""  # for the person at the command line (a path); never stored


@dataclass(frozen=True, slots=True)
class Attachment:
    """A leaf part of a mail that is not its text. `path` is its place in the MIME tree ("1.2"); the name is data, never a path."""

    path: str
    name: str
    declared_type: str
    content: bytes
    inline: bool = False  # decoration: an inline picture of a signature, a calendar part
    note: str = ""  # why it could not be taken whole, else empty


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers of a mail state, read strictly. `from_address` is None unless there is exactly one clean mailbox."""

    from_address: str | None  # local part as given @ A-label domain in lower case
    from_domain: str | None
    from_display: str
    from_problem: str  # a sentence when from_address is None, else ""
    reply_to: str | None
    return_path: str | None  # "" for the null return path, None when there is no such header
    subject: str
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sent_at: datetime | None
    automatic: str  # why the mail is automatic (a sentence), else ""
    bounce: bool
    body: str  # plain text of the mail, decoded; HTML reduced to text when there is no plain part
    attachments: tuple[Attachment, ...]
    inner: tuple[Inner, ...]  # mails inside this one (message/rfc822 and .eml), outermost first
    headers: tuple[tuple[str, bytes], ...]  # in order, unfolded not; names as given
    notes: tuple[str, ...] = ()  # limits that were hit, defects that staff should see
    to_many: bool = False  # of an automatic mail: it is list or bulk mail, which a person wrote


@dataclass(frozen=True, slots=True)
class Inner:
    """A whole mail found inside another one."""

    path: str
    raw: bytes


# ---- who sent it ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contact:
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ExceptionAddress:
    """One exact address at a shared host that the Ministry accepts for a while."""

    address: str
    reason: str
    until: str  # YYYY-MM-DD, the last day on which it holds, New Zealand time


@dataclass(frozen=True, slots=True)
class Provider:
    slug: str
    name: str
    services: tuple[str, ...] = ()
    relationship_manager: str = ""
    domains: tuple[str, ...] = ()  # A-labels, lower case
    contacts: tuple[Contact, ...] = ()
    exceptions: tuple[ExceptionAddress, ...] = ()
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a verdict. `weight` is yes (speaks for it), no (against), half (information or doubt)."""

    code: str
    text: str  # one sentence, for staff
    weight: str = "half"


@dataclass(frozen=True, slots=True)
class SenderCheck:
    verdict: VerdictCode
    address: str | None
    domain: str | None
    provider: str | None  # slug, for a verdict that ties the mail to a provider; else None
    reason: str  # one sentence, for staff
    evidence: tuple[Evidence, ...] = ()
    suggested: tuple[str, ...] = ()  # slugs that a person may choose from (shared domain, look-alike, unauthenticated)
    inner: SenderCheck | None = None  # of a staff forward: the check of the mail inside
    standing: str = (
        ""  # pass, weak, none, fail: how far the From domain was proven, whoever it belongs to; "" when not asked
    )
    proof: int = 0  # how many of the evidence, from the first, are about that


# ---- what it says -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One answer with where it was read and how surely. `box` in points from the page's top left."""

    value: object  # canonical answer, see forms.schema
    how: str  # acroform layout web text ...
    page: int | None = None
    box: tuple[float, float, float, float] | None = None
    confidence: float = 1.0  # 0..1


BY_PERSON = "person"  # how an answer was read that a person entered


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What was read out of one document. `how` is one of acroform xfa layout ocr docx xlsx odt text web none."""

    name: str
    media_type: str  # by content, never by name
    how: str
    form: str | None = None  # "breach-notice" ...
    edition: str | None = None
    answers: Mapping[str, ReadAnswer] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    pages: int | None = None
    quarantined: bool = (
        False  # kept, not opened by anybody without a reason (macros, encrypted archive, embedded files)
    )


# ---- what it means ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a code that scripts may rely on and a sentence that names its question. `band` is what this reason gives, if it does."""

    code: str
    text: str
    band: str = ""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """If the answer to one question were this, the band would be that."""

    question: str
    answer: str
    band: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """Two answers that contradict each other. The band stays at the worse; a person settles it."""

    code: str
    text: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Severity:
    band: str  # S1 critical, S2 high, S3 moderate, S4 low
    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...]
    flags: tuple[Flag, ...]
    notifiable: str  # likely, possible, not_indicated: advice only
    rule_set: str
    by: str = "rule"  # "rule", or who set it by hand


@dataclass(frozen=True, slots=True)
class Due:
    """Instants in UTC. Only those that the case has; `rule` names the edition of the counting rule."""

    first_contact: datetime | None = None
    decision: datetime | None = None
    marker_72h: datetime | None = None
    marker_about: bool = False  # aware_at is not known or only about
    read_by: datetime | None = None  # a self-assessment or other mail
    plan_by: datetime | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class GapScore:
    """What a self-assessment shows; no pass or fail."""

    applicable: int
    in_place: int
    with_plan: int
    without_plan: int
    key_gaps: int
    key_gaps_without_plan: tuple[str, ...] = ()  # control ids


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """Everything decided about one new case, before it is filed."""

    kind: CaseKind
    status: Status
    provider: str | None
    service: str
    duty: str  # provider, ministry, both, not_known: who must tell the Commissioner (OPC)
    sender: SenderCheck
    severity: Severity | None
    score: GapScore | None
    due: Due
    aware_at: datetime | None
    marks: tuple[str, ...]
    reasons: tuple[Reason, ...]  # routing reasons
    answers: Mapping[str, ReadAnswer]
    form: str | None
    edition: str | None
    document: int | None  # index into the message's documents that the answers come from
    says_provider: str = ""  # the organisation that the form or mail names, when it is not settled which it is
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a message ended, as `receive` and `explain` print it."""

    code: OutcomeCode
    raw: RawMessage
    kind: CaseKind
    provider: str | None
    sender: SenderCheck
    documents: tuple[ReadDocument, ...]
    drafts: tuple[CaseDraft, ...] = ()
    cases: tuple[str, ...] = ()  # references, breach first
    marks: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
