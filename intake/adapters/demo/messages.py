"""About thirty messages that show every verdict and every band, in the order in which they arrived."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from forms import load
from forms.schema import Answers
from intake.adapters.demo.answers import assessment, details, notice
from intake.adapters.demo.mails import File, Gateway, delivered, fails, passes, spf_only, write
from intake.adapters.demo.signing import Sign
from intake.domain.web_submission import WebSubmission, encode

PDF = "application/pdf"
_DEAR = "Kia ora\n\nPlease find our form attached.\n\nNgā mihi\nP. Example"


@dataclass(frozen=True, slots=True)
class DemoMessage:
    """`minutes` before now; `raw` as a channel hands it over."""

    name: str
    shows: str
    minutes: int
    raw: bytes
    channel: str = "maildrop"


def messages(now: datetime, sign: Sign) -> Iterator[DemoMessage]:
    """Invented messages, oldest first. now: aware UTC. sign: signs as a provider's own server would."""
    made = [*_notices(now), *_assessments(now, sign), *_others(now)]
    yield from sorted(made, key=lambda m: -m.minutes)


# ---- parts ------------------------------------------------------------------------------------------------------------


def filled(kind: str, answers: Answers) -> bytes:
    from forms.pdf.stamp import stamp

    return stamp(load.form(kind), answers)


def flattened(pdf: bytes) -> bytes:
    """The same pages without fields, as a print to PDF makes them."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    for number in range(len(document)):
        page = document[number]
        page.flatten()
        page.close()
    out = io.BytesIO()
    document.save(out)
    document.close()
    return out.getvalue()


def locked(pdf: bytes) -> bytes:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="invented", user="invented"))
    return out.getvalue()


def picture() -> bytes:
    """A grey PNG that stands for a photo of a paper form."""
    rows = b"".join(b"\0" + bytes([200 + (y % 40)]) * 240 for y in range(320))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 240, 320, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _file(name: str, kind: str, answers: Answers) -> File:
    return File(name, PDF, filled(kind, answers))


def _mail(
    now: datetime,
    minutes: int,
    name: str,
    shows: str,
    sender: str,
    subject: str,
    body: str,
    gateway: Gateway,
    *files: File,
    headers: tuple[tuple[str, str], ...] = (),
    inside: bytes = b"",
) -> DemoMessage:
    at = now - timedelta(minutes=minutes)
    raw = write(
        sender=sender, subject=subject, body=body, at=at, identity=name, files=files, headers=headers, inside=inside
    )
    return DemoMessage(name, shows, minutes, delivered(raw, at, gateway))


# ---- breach notices ---------------------------------------------------------------------------------------------------


def _notices(now: datetime) -> Iterator[DemoMessage]:

    def ago(hours: float) -> datetime:
        return now - timedelta(hours=hours)

    yield _mail(
        now,
        44,
        "notice-address",
        "S1, verified account, fillable PDF",
        "Kōwhai Example Trust <office@kowhai-trust.example>",
        "Please call us",
        "We are very worried, please call.",
        passes("kowhai-trust.example"),
        _file(
            "breach-notice.pdf",
            "breach-notice",
            notice(
                "Kōwhai Example Trust",
                ago(13),
                "An email about a programme place went out with the new address in the copied "
                "text. It went to the other party as well. We rang, no answer.",
                A07="dont_know",
                A09="ongoing",
                A10="fear",
                A11="where_when",
                **details(
                    B05="email_wrong_person",
                    B07=["family_violence"],
                    B08=["address_kept_secret", "contact", "family_violence"],
                    B09="protection_order",
                    B12=["other_party_in_case"],
                    B15=["none"],
                ),
            ),
        ),
    )
    typed = (
        "Our email is down, so I write from home.\n\nA01: Harbour Example Services\nA02: K. Example\nA04: +64 21 000 0008\n"
        "A06: Files on our supplier’s system are locked and a note asks for money.\nA07: no\nA09: ongoing\n"
        "A10: attacker\nA11: private\nB05: ransomware\nB10.kind: unknown\n"
    )
    yield _mail(
        now,
        700,
        "notice-ransom",
        "S2, personal account, typed into the mail",
        "K. Example <harbour.example.services@freemail.example>",
        "urgent: locked out",
        typed,
        passes("freemail.example"),
    )
    unknown = notice(
        "Kōwhai Example Trust",
        ago(2),
        "We think something is wrong with our files.",
        A07="dont_know",
        A09="dont_know",
        A10="dont_know",
        A11="dont_know",
    )
    yield _mail(
        now,
        100,
        "notice-lookalike",
        "S2, too little known, lookalike",
        "Office <office@kowhai-trvst.example>",
        "Breach",
        _DEAR,
        passes("kowhai-trvst.example"),
        _file("notice.pdf", "breach-notice", unknown),
    )
    dates = notice(
        "Tūī Example Restorative Justice",
        ago(26),
        "Programme dates of one person went to another provider, who says they are deleted.",
        A10="professional",
        A11="private",
        **details(
            B05="email_wrong_person", B08=["contact", "child"], B12=["trusted_professional"], B18="serious_likely"
        ),
    )
    yield _mail(
        now,
        1500,
        "notice-dates",
        "S3, verified domain, person new to us",
        "New Person <new.person@tui-rj.example>",
        "Privacy breach notice",
        _DEAR,
        passes("tui-rj.example"),
        _file("breach notice.pdf", "breach-notice", dates),
    )
    laptop = notice(
        "Rimu Example Parenting",
        ago(20),
        "A laptop was stolen from a car. It was encrypted and the key is safe.",
        A10="attacker",
        A11="private",
        **details(B05="stolen_device", B08=["contact"], B14="strong_encryption_key_safe", B12=["attacker"]),
    )
    yield _mail(
        now,
        1100,
        "notice-laptop",
        "S4, verified account",
        "Manager <manager@rimu-parenting.example>",
        "Stolen laptop",
        _DEAR,
        passes("rimu-parenting.example"),
        _file("breach-notice.pdf", "breach-notice", laptop),
    )
    printed = notice(
        "Kahikatea Example Family Services",
        ago(5),
        "A folder with programme papers for two people was left on a bus. We rang the bus company, nothing yet.",
        A09="ongoing",
        A11="private",
        **details(B05="lost_paper", B08=["family_violence"], B15=["none"]),
    )
    yield _mail(
        now,
        240,
        "notice-printed",
        "S2, printed to a flat PDF, read by its boxes",
        "Director <director@kahikatea-family.example>",
        "Folder left on a bus",
        _DEAR,
        passes("kahikatea-family.example"),
        File("Folder – notice.pdf", PDF, flattened(filled("breach-notice", printed))),
    )
    yield _mail(
        now,
        190,
        "notice-locked",
        "password-protected: the case opens from the mail",
        "Office <office@manuka-legal.example>",
        "Privacy breach, form attached",
        "We sent a letter to the wrong person this morning. The form has a password.",
        passes("manuka-legal.example"),
        File("notice.pdf", PDF, locked(filled("breach-notice", laptop))),
    )
    yield _mail(
        now,
        65,
        "notice-malformed",
        "malformed sender, opened all the same",
        "office@kowhai-trust.example, boss@elsewhere.example",
        "Notice",
        "A file was seen by a stranger, this is a privacy breach.",
        Gateway(),
        _file("notice.pdf", "breach-notice", dates),
    )
    yield _mail(
        now,
        30,
        "notice-words",
        "no form: the words suggest a notice",
        "Coordinator <coordinator@tui-rj.example>",
        "Something went wrong",
        "I sent the report to the wrong email address by mistake. It has the children’s names and where they go to "
        "school. I have asked them to delete it.",
        passes("tui-rj.example"),
    )
    web = notice(
        "Tōtara Example Whānau Services",
        ago(1.5),
        "A phone with client messages was left in a taxi.",
        A09="ongoing",
        A07="dont_know",
        A11="private",
    )
    yield DemoMessage(
        "notice-web",
        "by web form: nobody vouches for the sender",
        20,
        encode(WebSubmission("demo-notice-web", "breach-notice@2026.1", web)),
        "web",
    )


# ---- self-assessments -------------------------------------------------------------------------------------------------


def _plan(*controls: str) -> list[dict[str, object]]:
    return [
        {"control": c, "what": "Set it up for everybody", "who": "Office manager", "by": "2027-03"} for c in controls
    ]


def _assessments(now: datetime, sign: Sign) -> Iterator[DemoMessage]:
    form = "it-self-assessment"
    whole = assessment("Rimu Example Parenting")
    yield _mail(
        now,
        2600,
        "assessment-whole",
        "verified account, everything in place",
        "Manager <manager@rimu-parenting.example>",
        "Our self-assessment",
        _DEAR,
        passes("rimu-parenting.example"),
        _file("IT self-assessment.pdf", form, whole),
    )
    gaps = assessment(
        "Rātā Example Community Law",
        **{"L1-EMAIL-01": "no", "L1-EMAIL-02": "partly", "L1-DEV-02": "no", "PLAN": _plan("L1-DEV-02")},
    )
    yield _mail(
        now,
        1300,
        "assessment-exception",
        "exception address, two key gaps without a plan",
        "Rātā Law <rata.law@sharedmail.example>",
        "Self-assessment",
        _DEAR,
        passes("sharedmail.example"),
        _file("self-assessment.pdf", form, gaps),
    )
    yield _mail(
        now,
        800,
        "assessment-forged",
        "authentication failed: held",
        "Office <office@manuka-legal.example>",
        "IT self-assessment",
        _DEAR,
        fails("manuka-legal.example"),
        _file("form.pdf", form, assessment("Mānuka Example Legal")),
    )
    yield _mail(
        now,
        1900,
        "assessment-probable",
        "probable: only SPF speaks for it",
        "Office <office@pohutukawa-trust.example>",
        "Self-assessment",
        _DEAR,
        spf_only("pohutukawa-trust.example"),
        _file("form.pdf", form, assessment("Pōhutukawa Example Trust")),
    )
    yield _mail(
        now,
        900,
        "assessment-unauthenticated",
        "not authenticated: held",
        "Manager <manager@harbour-services.example>",
        "Self-assessment",
        _DEAR,
        Gateway(),
        _file("form.pdf", form, assessment("Harbour Example Services")),
    )
    devices = assessment(
        "Kahikatea Example Family Services",
        P_CONTRACTORS="yes",
        **{
            "L1-DEV-01": "partly",
            "DEV": [
                {
                    "kind": "laptop",
                    "controlled_by": "contractor",
                    "used_by_role": "Facilitators",
                    "opens": ["email", "files"],
                    "why_not_provided": "Cost",
                }
            ],
        },
    )
    yield _mail(
        now,
        2000,
        "assessment-devices",
        "contractors’ laptops without mitigations: key gap",
        "Intake <hello@kahikatea-family.example>",
        "IT self-assessment 2026",
        _DEAR,
        passes("kahikatea-family.example"),
        _file("IT self-assessment.pdf", form, devices),
    )
    reasonless = assessment("Kōwhai Example Trust", **{"L1-INC-01": "not_applicable"})
    yield _mail(
        now,
        1700,
        "assessment-no-reason",
        "a key control that does not apply, without a reason",
        "Chair <chair@kowhai-trust.example>",
        "Self-assessment",
        _DEAR,
        passes("kowhai-trust.example"),
        _file("assessment.pdf", form, reasonless),
    )
    yield _mail(
        now,
        600,
        "assessment-personal",
        "personal account of a known person: held",
        "Director <kahikatea.director@freemail.example>",
        "our form",
        _DEAR,
        passes("freemail.example"),
        _file("form.pdf", form, assessment("Kahikatea Example Family Services")),
    )
    yield _mail(
        now,
        540,
        "assessment-contractor",
        "a contractor’s own domain, nobody’s in our register",
        "Facilitator <me@facilitation.example>",
        "Form",
        _DEAR,
        Gateway(),
        _file("form.pdf", form, assessment("Tūī Example Restorative Justice")),
    )
    inner = write(
        sender="Office <office@xn--ttara-whnau-qjb49g.example>",
        subject="Self-assessment",
        body=_DEAR,
        at=now - timedelta(minutes=400),
        identity="assessment-inner",
        files=[_file("self-assessment.pdf", form, assessment("Tōtara Example Whānau Services"))],
    )
    yield _mail(
        now,
        380,
        "assessment-forward",
        "forwarded by a colleague, the inner sender checked too",
        "Relationship manager <r.example@ministry.example>",
        "Fwd: Self-assessment",
        "For the intake, please.",
        passes("ministry.example"),
        inside=sign(inner, "xn--ttara-whnau-qjb49g.example"),
    )
    both = notice(
        "Nīkau Example Interpreting",
        now - timedelta(hours=8),
        "A list of bookings was sent to all interpreters.",
        A10="professional",
        A11="contact",
    )
    yield _mail(
        now,
        470,
        "two-forms",
        "one domain, three providers; two forms in one mail",
        "Bookings <bookings@nikau-group.example>",
        "Two forms",
        _DEAR,
        passes("nikau-group.example"),
        _file("assessment.pdf", form, assessment("Nīkau Example Interpreting")),
        _file("breach.pdf", "breach-notice", both),
    )
    web = assessment("Harbour Example Services")
    yield DemoMessage(
        "assessment-web",
        "by web form: held until somebody has checked",
        330,
        encode(WebSubmission("demo-assessment-web", f"{form}@2026.1", web)),
        "web",
    )


# ---- the rest ---------------------------------------------------------------------------------------------------------


def _others(now: datetime) -> Iterator[DemoMessage]:
    yield _mail(
        now,
        850,
        "photo",
        "a photo of a paper form: a person reads it",
        "Office <office@pohutukawa-trust.example>",
        "Our form, filled in by hand",
        "Photo attached, sorry.",
        passes("pohutukawa-trust.example"),
        File("IMG_0042.png", "image/png", picture()),
    )
    yield _mail(
        now,
        950,
        "complaint",
        "a person complains about a provider; authenticated, nobody’s domain",
        "A. Person <a.person@household.example>",
        "Complaint",
        "I am not happy with how long my programme takes, and nobody answers the phone.",
        passes("household.example"),
    )
    yield _mail(
        now,
        210,
        "unknown",
        "unknown and not verified",
        "Somebody <somebody@nowhere.example>",
        "Question",
        "Where do I find the form for providers?",
        Gateway(),
    )
    yield _mail(
        now,
        40,
        "out-of-office",
        "automatic: no case, no answer",
        "Chair <chair@kowhai-trust.example>",
        "Automatic reply: We have your message",
        "I am away until Monday.",
        passes("kowhai-trust.example"),
        headers=(("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")),
    )
    yield _mail(
        now,
        35,
        "bounce",
        "automatic: a bounce",
        "Mail Delivery System <mailer-daemon@harbour-services.example>",
        "Undelivered Mail Returned to Sender",
        "Your message could not be delivered.",
        passes("harbour-services.example"),
        headers=(("Return-Path", "<>"), ("Auto-Submitted", "auto-replied")),
    )
    yield _mail(
        now,
        1400,
        "newsletter",
        "automatic: list mail",
        "News <news@sector-news.example>",
        "What is new this month",
        "Training dates and grants.",
        passes("sector-news.example"),
        headers=(("List-Id", "<news.sector-news.example>"), ("Precedence", "bulk")),
    )
