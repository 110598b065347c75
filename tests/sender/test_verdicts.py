"""Each verdict of the contract, and the scenarios of the intake that the sender check decides."""

from __future__ import annotations

import time
from datetime import date

import pytest

from intake.domain.envelope import open_envelope
from intake.domain.model import Contact, ExceptionAddress, Provider, SenderCheck
from intake.domain.model import VerdictCode as V
from intake.domain.sender import build_registry, check_sender, forwards_something
from intake.domain.trust import NOBODY, trust_from_settings
from tests.sender.signer import record, sign
from tests.sender.world import (
    ABOVE,
    AR,
    MACRON,
    OWN,
    PASS,
    REGISTRY,
    TODAY,
    B,
    Zone,
    check,
    check_signed,
    codes,
    look_at_sentences,
    mail,
    words,
)


def proven(sender: str, *more: str) -> list[str]:
    """Header lines of a mail whose From domain our gateway proved."""
    domain = sender.rpartition("@")[2].rstrip(">")
    name = domain.encode("idna").decode()
    return [AR + f"dmarc=pass header.from={name}", B, f"From: {sender}", *more]


def unproven(sender: str, *more: str) -> list[str]:
    return [B, f"From: {sender}", *more]


# ---- thirteen verdicts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "verdict", "provider", "suggested"),
    [
        (["From: ana@p.org.nz, b@p.org.nz"], V.MALFORMED, None, ()),
        (proven("ana@p.org.nz", "Auto-Submitted: auto-replied"), V.AUTOMATIC, None, ("p-trust",)),
        (proven("kim@min.example"), V.STAFF_FORWARD, None, ()),
        (proven("ana@p.org.nz"), V.VERIFIED_ACCOUNT, "p-trust", ()),
        (proven("new@p.org.nz"), V.VERIFIED_DOMAIN, "p-trust", ()),
        (proven("ptrust@xtra.co.nz"), V.EXCEPTION_ADDRESS, "p-trust", ()),
        ([AR + "spf=pass smtp.mailfrom=p.org.nz", B, "From: ana@p.org.nz"], V.PROBABLE, "p-trust", ()),
        (unproven("ana@p.org.nz"), V.UNAUTHENTICATED, None, ("p-trust",)),
        ([AR + "dmarc=fail header.from=p.org.nz", B], V.AUTH_FAILED, None, ("p-trust",)),
        (proven("somebody@gmail.com"), V.PERSONAL_ACCOUNT, None, ()),
        (proven("ana@p.co.nz"), V.LOOKALIKE, None, ("p-trust",)),
        (proven("x@nobody-knows.example"), V.UNKNOWN_DOMAIN, None, ()),
        (unproven("x@nobody-knows.example"), V.UNKNOWN_UNVERIFIED, None, ()),
    ],
)
def test_each_of_the_thirteen_verdicts(
    lines: list[str], verdict: V, provider: str | None, suggested: tuple[str, ...]
) -> None:
    found = check(lines, ABOVE)

    assert (found.verdict, found.provider, found.suggested) == (verdict, provider, suggested)


def test_an_exception_without_proof_is_not_an_exception() -> None:
    assert check(unproven("ptrust@xtra.co.nz"), ABOVE).verdict is V.UNAUTHENTICATED
    weak = check([AR + "spf=pass smtp.mailfrom=xtra.co.nz", B, "From: ptrust@xtra.co.nz"], ABOVE)
    assert (weak.verdict, weak.provider) == (V.PROBABLE, "p-trust")
    failed = check([AR + "dmarc=fail header.from=xtra.co.nz", B, "From: ptrust@xtra.co.nz"], ABOVE)
    assert failed.verdict is V.AUTH_FAILED


def test_an_exception_holds_through_its_last_day() -> None:
    provider = Provider("p", "Pōhutukawa Trust", exceptions=(ExceptionAddress("p@xtra.co.nz", "moving", "2026-11-20"),))
    opened = open_envelope(mail(proven("p@xtra.co.nz")))

    def on(day: int) -> V:
        return check_sender(opened, build_registry((provider,)), ABOVE, None, OWN, date(2026, 11, day)).verdict

    assert (on(19), on(20), on(21)) == (V.EXCEPTION_ADDRESS, V.EXCEPTION_ADDRESS, V.PERSONAL_ACCOUNT)


def test_our_own_signature_check_beside_a_failure_of_the_receiver_is_probable() -> None:
    raw = sign(mail([AR + "dmarc=fail header.from=p.org.nz", B]), "p.org.nz")
    found = check_signed(raw, Zone({"s1._domainkey.p.org.nz": record()}), ABOVE)

    assert found.verdict is V.PROBABLE
    assert "disagree" in codes(found)


def test_a_domain_that_strangers_share_controls_nothing() -> None:
    careless = Provider("c", "Careless", domains=("gmail.com", "org.nz", "onmicrosoft.com", "not a domain"))
    opened = open_envelope(mail(proven("anybody@gmail.com")))
    found = check_sender(opened, build_registry((careless,)), ABOVE, None, OWN, TODAY)

    assert (found.verdict, found.provider) == (V.PERSONAL_ACCOUNT, None)


def test_our_own_domain_without_proof_is_not_a_colleague() -> None:
    assert check(unproven("kim@min.example"), ABOVE).verdict is V.UNAUTHENTICATED
    assert (
        check([AR + "dmarc=fail header.from=min.example", B, "From: kim@min.example"], ABOVE).verdict is V.AUTH_FAILED
    )
    assert check(proven("kim@mim.example"), ABOVE).verdict is V.UNKNOWN_DOMAIN  # three letters are too short to be near
    assert check(proven("kim@min-example.com"), ABOVE).verdict is V.UNKNOWN_DOMAIN


def test_an_answer_address_elsewhere_is_a_signal_and_not_a_failure() -> None:
    found = check(proven("ana@p.org.nz", "Reply-To: ana@gmail.com"), ABOVE)
    assert found.verdict is V.VERIFIED_ACCOUNT
    assert "reply_to_elsewhere" in codes(found)
    near = check(proven("ana@p.org.nz", "Reply-To: x@brightwater-nvp.co.nz"), ABOVE)
    assert "reply_to_lookalike" in codes(near)
    stranger = check(proven("x@nobody-knows.example", "Reply-To: x@brightwater-nvp.co.nz"), ABOVE)
    assert stranger.verdict is V.LOOKALIKE


_OFFICE = trust_from_settings(
    {
        "kind": "own",
        "ids": ["mx1.min.example"],
        "border": ["mx1.min.example"],
        "relays": [".inner.min.example"],
        "inside": ["10.0.0.0/8"],
    }
)
_AT_DESK = [
    "Received: from pc7 (pc7.min.example [10.1.2.3]) by mx1.min.example (Postfix) with ESMTPS id 7; Fri, 20 Nov 2026 10:00:00 +1300",
    "Received: from localhost (localhost [127.0.0.1]) by a.inner.min.example with ESMTP id 8; Fri, 20 Nov 2026 10:00:00 +1300",
]


def test_mail_that_never_was_outside_is_a_colleagues() -> None:
    found = check([*_AT_DESK, "From: Kim <kim@min.example>"], _OFFICE)

    assert found.verdict is V.STAFF_FORWARD
    assert "internal" in codes(found)


def test_mail_from_inside_does_not_vouch_for_a_provider() -> None:
    assert check([*_AT_DESK, "From: ana@p.org.nz"], _OFFICE).verdict is V.UNAUTHENTICATED


def test_a_relay_that_took_mail_from_outside_is_no_proof_of_inside() -> None:
    lines = [_AT_DESK[1].replace("127.0.0.1", "198.51.100.66"), "From: Kim <kim@min.example>"]

    assert check(lines, _OFFICE).verdict is V.UNAUTHENTICATED


def test_an_unproven_colleague_still_shows_what_is_inside() -> None:
    found = check(mail(unproven("kim@min.example"), "From: Ana <ana@p.org.nz>\nSent: Friday\n\nhello"), ABOVE)

    assert (found.verdict, found.suggested) == (V.UNAUTHENTICATED, ("p-trust",))
    assert _inner(found).address == "ana@p.org.nz"


def test_a_contact_whom_two_providers_list_is_asked_about() -> None:
    both = tuple(Provider(s, f"Provider {s}", contacts=(Contact("sam@contractor.example"),)) for s in ("one", "two"))
    opened = open_envelope(mail(proven("sam@contractor.example")))
    found = check_sender(opened, build_registry(both), ABOVE, None, OWN, TODAY)
    single = check_sender(opened, build_registry(both[:1]), ABOVE, None, OWN, TODAY)

    assert (found.verdict, found.provider, found.suggested) == (V.VERIFIED_DOMAIN, None, ("one", "two"))
    assert (single.verdict, single.provider) == (V.VERIFIED_ACCOUNT, "one")


def test_our_own_domain_may_be_written_with_macrons() -> None:
    name = "tāhū.example"
    lines = [AR + f"dmarc=pass header.from={name.encode('idna').decode()}", B, f"From: kim@{name}"]
    found = check_sender(open_envelope(mail(lines)), REGISTRY, ABOVE, None, (name,), TODAY)

    assert found.verdict is V.STAFF_FORWARD


# ---- look-alikes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "domain",
    [
        "brightwater-nvp.co.nz",  # another ending
        "brightwater-nvp.nz",
        "brightwaternvp.org.nz",  # no hyphen
        "brightwater-nvp.org.nz.evil.example",  # the whole domain inside
        "brightwaterr-nvp.org.nz",  # a letter too many
        "brigthwater-nvp.org.nz",  # two letters swapped
        "brightvvater-nvp.org.nz",  # vv for w
        "br1ghtwater-nvp.org.nz",  # 1 for i
        "brightwater-nvpp1.org.nz",  # two letters off, a long name
        "secure-brightwater-nvp.com",  # the name inside another
        "brіghtwater-nvp.org.nz",
        "kowhaiwhanau.org.nz",  # macrons left out
        "kōwhaiwhanau.org.nz",
        "p.co.nz",
        "p.nz",
    ],
)
def test_domains_close_to_a_registered_one_are_flagged(domain: str) -> None:
    found = check(unproven(f"x@{domain}"), ABOVE)

    assert found.verdict is V.LOOKALIKE, found.reason
    assert found.provider is None
    assert found.suggested


@pytest.mark.parametrize(
    "domain",
    ["q.org.nz", "pp.org.nz", "water.org.nz", "bright.org.nz", "kowhai.org.nz", "trust.org.nz", "somewhere.example"],
)
def test_ordinary_neighbours_are_not_flagged(domain: str) -> None:
    assert check(proven(f"x@{domain}"), ABOVE).verdict is V.UNKNOWN_DOMAIN


def test_a_thousand_providers_are_checked_in_half_a_millisecond() -> None:
    providers = tuple(
        Provider(
            f"p{n}",
            f"Provider {n} of Somewhere",
            domains=(f"name{n:04d}of-provider.org.nz",),
            contacts=(Contact(f"a@name{n:04d}of-provider.org.nz"),),
        )
        for n in range(1_000)
    )
    registry = build_registry(providers)
    opened = [open_envelope(mail(unproven(f"x@stranger{n}.example"))) for n in range(200)]

    start = time.process_time()
    for one in opened:
        check_sender(one, registry, ABOVE, None, OWN, TODAY)

    assert (time.process_time() - start) / len(opened) < 0.005


# ---- scenarios --------------------------------------------------------------------------------------------------------


def test_T01_registered_account_with_aligned_pass_is_verified() -> None:
    found = check(proven("Ana <ana@p.org.nz>"), ABOVE)

    assert (found.verdict, found.provider) == (V.VERIFIED_ACCOUNT, "p-trust")


def test_T02_gmail_of_a_named_manager_is_personal_with_a_finding() -> None:
    found = check(proven("Bo <manager.of.p@gmail.com>"), ABOVE)

    assert (found.verdict, found.provider, found.suggested) == (V.PERSONAL_ACCOUNT, None, ("p-trust",))
    assert "L1-EMAIL-02" in words(found)


def test_T03_gmail_because_work_mail_is_hacked_is_personal() -> None:
    found = check(proven("Ana of Pohutukawa Trust <ana.at.home@gmail.com>"), ABOVE)

    assert (found.verdict, found.suggested) == (V.PERSONAL_ACCOUNT, ("p-trust",))
    assert "We answer to the registered contact, not here." in found.reason
    assert "L1-EMAIL-02" in words(found)


def test_T04_a_name_below_the_registered_domain_is_the_domain() -> None:
    lines = [AR + "dmarc=pass header.from=mail.p.org.nz", B, "From: x@mail.p.org.nz"]

    assert check(lines, ABOVE).verdict is V.VERIFIED_DOMAIN


def test_T05_the_same_name_with_another_ending_is_a_lookalike() -> None:
    found = check(proven("ana@p.co.nz"), ABOVE)

    assert (found.verdict, found.provider, found.suggested) == (V.LOOKALIKE, None, ("p-trust",))


def test_T06_a_contractors_own_domain_is_unknown() -> None:
    assert check(proven("sam@sams-contracting.co.nz"), ABOVE).verdict is V.UNKNOWN_DOMAIN


def test_T07_a_registered_exception_and_its_neighbour() -> None:
    assert check(proven("ptrust@xtra.co.nz"), ABOVE).verdict is V.EXCEPTION_ADDRESS
    assert check(proven("another@xtra.co.nz"), ABOVE).verdict is V.PERSONAL_ACCOUNT
    ended = check(proven("old@xtra.co.nz"), ABOVE)
    assert ended.verdict is V.PERSONAL_ACCOUNT
    assert "ended on 2026-01-31" in words(ended)


def _forward(inner: bytes) -> bytes:
    head = mail(proven("Kim <kim@min.example>", "MIME-Version: 1.0", "Content-Type: message/rfc822"), "").split(
        b"\r\n\r\n", 1
    )[0]
    return head + b"\r\n\r\n" + inner


def test_T08_a_forwarded_mail_is_checked_by_its_own_signature_only() -> None:
    inner = mail([PASS, B, "From: Ana <ana@p.org.nz>"])
    zone = Zone({"s1._domainkey.p.org.nz": record()})
    unsigned = check(_forward(inner), ABOVE)
    opened = open_envelope(_forward(sign(inner, "p.org.nz")))
    assert forwards_something(opened, OWN)
    from intake.adapters.dkim import verify

    signed = check_sender(
        opened, REGISTRY, ABOVE, None, OWN, TODAY, [(open_envelope(m.raw), verify(m.raw, zone)) for m in opened.inner]
    )

    assert unsigned.verdict is signed.verdict is V.STAFF_FORWARD
    assert _inner(unsigned).verdict is V.UNAUTHENTICATED
    assert (_inner(signed).verdict, signed.provider) == (V.VERIFIED_ACCOUNT, "p-trust")
    assert (unsigned.provider, unsigned.suggested) == (None, ("p-trust",))


_QUOTED = "See below.\r\n\r\nFrom: {}\r\nSent: Monday\r\nTo: Kim\r\nSubject: breach\r\n\r\nWe lost a laptop."
_FILE = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=f.pdf\r\n\r\n%PDF-1.4"


def _parts(head: list[str], *parts: bytes) -> bytes:
    first = mail([*head, "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"], "")
    return first.rstrip() + b"\r\n\r\n" + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def _of(raw: bytes) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" + raw.replace(b"boundary=b", b"boundary=c").replace(b"--b", b"--c")


@pytest.mark.parametrize("how", ["a file", "other words", "their words", "another mail", "no clear sender", "our name"])
def test_a_signed_mail_beside_what_somebody_else_sent_proves_nothing_about_that(how: str) -> None:
    zone = Zone({"s1._domainkey.p.org.nz": record()})
    old = _of(sign(mail(["From: Ana <ana@p.org.nz>"], "Our newsletter."), "p.org.nz"))
    text = b"Content-Type: text/plain\r\n\r\n"
    parts = {
        "a file": (text + b"FYI", _FILE, old),
        "other words": (text + _QUOTED.format("X <x@evil.example>").encode(), old),
        "their words": (text + _QUOTED.format("Ana <ana@p.org.nz>").encode(), old),
        "another mail": (old, _of(mail(["From: X <x@evil.example>"], "We lost a laptop."))),
        "no clear sender": (_of(_parts(["From: Ana <ana@p.org.nz>, x@evil.example"], text + b"We lost it.", old)),),
        "our name": (_of(_parts(["From: Lee <lee@min.example>"], text + b"We lost a laptop.", old)),),
    }[how]
    opened = open_envelope(_parts(proven("Kim <kim@min.example>"), *parts))
    from intake.adapters.dkim import verify

    inner = [(open_envelope(m.raw, alone=True), verify(m.raw, zone)) for m in opened.inner]
    assert any(dkim.passed for _, dkim in inner)
    found = check_sender(opened, REGISTRY, ABOVE, None, OWN, TODAY, inner)

    assert (found.verdict, found.provider) == (V.STAFF_FORWARD, None)
    assert _inner(found).verdict in (V.UNAUTHENTICATED, V.MALFORMED)


@pytest.mark.parametrize(
    "block",
    [
        "From: Ana <ana@p.org.nz>\nSent: Thursday, 19 November 2026 4:00 PM\nTo: Kim\nSubject: breach",
        "---------- Forwarded message ---------\nFrom: Ana <ana@p.org.nz>\nDate: Thu, 19 Nov 2026\nSubject: breach\nTo: <kim@min.example>",
        "Begin forwarded message:\n\n> From: Ana <ana@p.org.nz>\n> Subject: breach\n> Date: 19 November 2026",
        "From: Ana [mailto:ana@p.org.nz]\nSent: Thursday\nTo: Kim",
        "*From:* Lee <lee@min.example>\n*Sent:* Friday\n\nFrom: Ana <ana@p.org.nz>\nSent: Thursday",
    ],
)
def test_T08_an_inline_forward_is_a_claim(block: str) -> None:
    found = check(mail(proven("Kim <kim@min.example>"), f"FYI\n\n{block}\n\nWe lost a laptop."), ABOVE)

    assert found.verdict is V.STAFF_FORWARD
    assert (_inner(found).address, _inner(found).verdict) == ("ana@p.org.nz", V.UNAUTHENTICATED)
    assert (found.provider, found.suggested) == (None, ("p-trust",))
    assert "nothing proves it" in words(_inner(found))


def test_T08_a_colleagues_mail_without_a_forward_says_so() -> None:
    found = check(mail(proven("Kim <kim@min.example>"), "Please open a case. From: the phone."), ABOVE)

    assert (found.verdict, found.inner) == (V.STAFF_FORWARD, None)


def _inner(found: SenderCheck) -> SenderCheck:
    assert found.inner is not None
    look_at_sentences(found.inner)
    return found.inner


def test_T10_another_providers_sender_keeps_its_own_provider() -> None:
    lines = [
        AR + f"dmarc=pass header.from={MACRON.encode('idna').decode()}",
        B,
        f"From: mere@{MACRON}",
        "In-Reply-To: <BN-4T7K-9@intake.min.example>",
    ]

    assert check(lines, ABOVE).provider == "kowhai"


def test_T27_out_of_office_and_bounces_are_automatic() -> None:
    away = check(proven("ana@p.org.nz", "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"), ABOVE)
    bounce = check(unproven("MAILER-DAEMON@p.org.nz", "Return-Path: <>"), ABOVE)

    assert away.verdict is bounce.verdict is V.AUTOMATIC
    assert bounce.suggested == ("p-trust",)


def test_T28_an_answer_by_machine_to_our_acknowledgement_is_automatic() -> None:
    assert check(proven("ana@p.org.nz", "Precedence: auto_reply"), ABOVE).verdict is V.AUTOMATIC
    assert check(proven("ana@p.org.nz", "Auto-Submitted: no"), ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_T29_a_client_writes_from_a_personal_account() -> None:
    assert check(proven("client@gmail.com"), ABOVE).verdict is V.PERSONAL_ACCOUNT


@pytest.mark.parametrize("domain", [MACRON, MACRON.encode("idna").decode(), MACRON.upper()])
def test_T31_the_macron_domain_and_its_a_label_are_one_provider(domain: str) -> None:
    name = MACRON.encode("idna").decode()
    found = check([AR + f"dmarc=pass header.from={name}", B, f"From: Mere <mere@{domain}>"], ABOVE)

    assert (found.verdict, found.provider, found.domain) == (V.VERIFIED_ACCOUNT, "kowhai", name)


def test_T32_an_umbrella_domain_asks_which_provider() -> None:
    shared = check(proven("new@umbrella.org.nz"), ABOVE)
    known = check(proven("ari@umbrella.org.nz"), ABOVE)

    assert (shared.verdict, shared.provider) == (V.VERIFIED_DOMAIN, None)
    assert shared.suggested == ("north", "south", "east")
    assert (known.verdict, known.provider) == (V.VERIFIED_ACCOUNT, "north")


def test_T33_an_unknown_provider_is_an_unknown_domain() -> None:
    assert check(proven("x@ended-contract.example"), ABOVE).verdict is V.UNKNOWN_DOMAIN


def test_T26_decoration_does_not_change_the_sender() -> None:
    lines = proven("ana@p.org.nz", "MIME-Version: 1.0", "Content-Type: text/calendar")

    assert check(lines, ABOVE).verdict is V.VERIFIED_ACCOUNT


def test_nothing_is_trusted_without_settings() -> None:
    assert check(proven("ana@p.org.nz"), NOBODY).verdict is V.UNAUTHENTICATED
