"""What the DNS records of a domain mean, in sentences for staff: where its mail goes, who may send in its name, who would notice.

Advice for whoever registers a domain and for the provider's own self-assessment. No verdict on a mail rests on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from intake.domain import dmarc
from intake.domain.address import registrable, to_unicode
from intake.domain.domain_records import DomainRecords
from intake.domain.hosts import shared_host

PROOF_LABEL = "_provider-intake"  # TXT below the domain, by which its owner proves that it is theirs
_LISTS = Path(__file__).parent / "lists"
_SPF = re.compile(r"v=spf1(?: |$)", re.I)
_ALL = re.compile(r"(?:^| )([-~?+]?)all(?= |$)", re.I)
_LONGEST = 300  # characters of a record that a page shows


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a domain's mail. `tone` is ok, warn, bad or "" (neither)."""

    code: str
    part: str  # "Where its mail goes"
    tone: str
    word: str  # two or three words, for a badge
    text: str  # a sentence or two
    records: tuple[str, ...] = ()  # as published


@dataclass(frozen=True, slots=True)
class Control:
    """What DNS says about a control of the provider's own self-assessment. `state` is met, not_met or ask."""

    question: str
    state: str
    text: str


def findings(records: DomainRecords) -> tuple[Finding, ...]:
    """Mail, SPF, DKIM and DMARC, in this order. Source: RFC 5321 5.1, 7208, 6376, 7505, 9989."""
    return _mail(records), _spf(records), _dkim(records), _dmarc(records)


def protection(records: DomainRecords) -> int | None:
    """How hard it is for others to write in the domain's name, from 0 to 4; None when a part could not be asked.

    One each for a sound SPF rule, a key for signatures, a DMARC rule, and that rule asking for more than to watch.
    """
    if records.txt is None or records.dkim is None or records.dmarc is None:
        return None
    rule = dmarc.rule_for(records.domain, records.dmarc)
    spf = _spf(records).tone == "ok"
    return spf + bool(records.dkim) + bool(rule) + bool(rule and _enforced(rule))


# ---- where its mail goes ----------------------------------------------------------------------------------------------


def _mail(records: DomainRecords) -> Finding:
    part, domain = "Where its mail goes", to_unicode(records.domain)
    if records.mx is None:
        return _not_asked("mail_later", part)
    if records.mx and not any(name.strip(".") for name in records.mx):
        return Finding("mail_never", part, "bad", "Takes no mail", f"{domain} says itself that it takes no mail.")
    if records.mx:
        return _host(part, records.domain, records.mx)
    if records.addresses is None:
        return _not_asked("mail_later", part)
    if records.addresses:
        text = (
            "It names no machine for mail, so mail would go to its web address. Few organisations do that on purpose."
        )
        return Finding("mail_address", part, "warn", "No mail machine", text)
    text = f"DNS knows no machine that takes mail for {domain}. Check the spelling: nobody may be able to answer there."
    return Finding("mail_none", part, "bad", "No mail", text)


def _host(part: str, domain: str, machines: tuple[str, ...]) -> Finding:
    shown = tuple(machine[:_LONGEST] for machine in machines)
    known = [found for machine in machines if (found := _known_host(machine))]
    if known:
        name, kind = known[0]
        if kind == "filter":
            text = f"{name} looks through its mail first. Which host stands behind that, DNS does not tell."
            return Finding("mail_filter", part, "ok", name, text, shown)
        text = f"{name} takes its mail. Accounts there belong to whoever runs the domain."
        return Finding("mail_host", part, "ok", name, text, shown)
    if any(shared_host(machine) for machine in machines):
        text = (
            "An internet provider takes its mail. Ask whether they can create, lock and close each account themselves."
        )
        return Finding("mail_isp", part, "warn", "Internet provider", text, shown)
    if all(registrable(machine) == registrable(domain) for machine in machines):
        return Finding("mail_own", part, "ok", "Own machine", "A machine of its own name takes its mail.", shown)
    other = to_unicode(registrable(machines[0]) or machines[0])[:80]
    text = f"{other} takes its mail, which is not on our list of mail hosts. Ask who runs it for them."
    return Finding("mail_other", part, "", "Another host", text, shown)


def _known_host(machine: str) -> tuple[str, str] | None:
    ends = [end for end in _hosts() if machine == end or machine.endswith("." + end)]
    return _hosts()[max(ends, key=len)] if ends else None


@cache
def _hosts() -> dict[str, tuple[str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in _lines("mail_hosts")]
    return {end: (name, kind) for end, name, kind in rows}


@cache
def selectors() -> tuple[str, ...]:
    """Names under which keys commonly stand."""
    return tuple(_lines("dkim_selectors"))


def _lines(name: str) -> list[str]:
    text = (_LISTS / f"{name}.txt").read_text(encoding="utf-8")
    return [line for each in text.splitlines() if (line := each.split("#", 1)[0].strip())]


# ---- who may send in its name -----------------------------------------------------------------------------------------

_ENDS = {
    "-": ("ok", "Strict", "names its machines, and says that no other may send in its name"),
    "~": ("ok", "Soft", "names its machines, and says that others should not send in its name"),
    "?": ("warn", "Says nothing", "names machines, and says neither yes nor no to all others"),
    "+": ("bad", "Open to all", "lets every machine in the world send in its name"),
}


def _spf(records: DomainRecords) -> Finding:
    part = "Which machines may send (SPF)"
    if records.txt is None:
        return _not_asked("spf_later", part)
    rules = tuple(text for text in records.txt if _SPF.match(text))
    shown = tuple(rule[:_LONGEST] for rule in rules)
    if not rules:
        return Finding("spf_none", part, "bad", "No rule", "It does not say which machines may send in its name.")
    if len(rules) > 1:
        text = "It publishes more than one rule, and then none of them counts. Ask them to make it one."
        return Finding("spf_several", part, "bad", "More than one rule", text, shown)
    end = _ALL.search(rules[0])
    if end is None and " redirect=" in rules[0].lower():
        return Finding("spf_redirect", part, "ok", "By another rule", "It follows the rule of another name.", shown)
    sign = (end[1] or "+") if end else "?"
    tone, word, text = _ENDS[sign]
    code = {"-": "spf_fail", "~": "spf_softfail", "?": "spf_neutral", "+": "spf_open"}[sign]
    return Finding(code, part, tone, word, f"It {text}.", shown)


def _dkim(records: DomainRecords) -> Finding:
    part = "Whether it signs (DKIM)"
    if records.dkim is None:
        return _not_asked("dkim_later", part)
    if records.dkim:
        names = ", ".join(records.dkim)
        text = "Keys for signatures stand there, so a mail can prove that it is theirs."
        return Finding("dkim_keys", part, "ok", "Signs", text, (f"selectors: {names}",))
    text = "No key stands under a common name. That proves nothing: look at a mail of theirs, which names its own key."
    return Finding("dkim_unknown", part, "", "Not known", text)


# ---- who would notice -------------------------------------------------------------------------------------------------

_ASKS = {
    "none": ("warn", "Only watches", "asks others to let forged mail through and to report it"),
    "quarantine": ("ok", "Quarantine", "asks others to put forged mail aside"),
    "reject": ("ok", "Reject", "asks others to refuse forged mail"),
}


def _dmarc(records: DomainRecords) -> Finding:
    part = "What others do with forged mail (DMARC)"
    if records.dmarc is None:
        return _not_asked("dmarc_later", part)
    shown = tuple(text[:_LONGEST] for text in records.dmarc_text or () if "dmarc" in text.lower())
    rule = dmarc.rule_for(records.domain, records.dmarc)
    if rule is None:
        if shown:
            text = "A record stands there that cannot be read, so others act as if there were none."
            return Finding("dmarc_broken", part, "bad", "Cannot be read", text, shown)
        return Finding(
            "dmarc_none", part, "bad", "No rule", "It does not say what others should do with forged mail.", shown
        )
    tone, word, text = _ASKS[rule.asks]
    where = "" if rule.place == records.domain else f" The rule is that of {to_unicode(rule.place)}."
    if rule.record.testing and rule.asks != "none":
        return Finding("dmarc_test", part, "warn", "In test", f"It {text}, and only as a test so far.{where}", shown)
    return Finding(f"dmarc_{rule.asks}", part, tone, word, f"It {text} (p={rule.asks}).{where}", shown)


def _enforced(rule: dmarc.Rule) -> bool:
    return rule.asks != "none" and not rule.record.testing


def _not_asked(code: str, part: str) -> Finding:
    text = "DNS gave no answer in time. That says nothing about them: look again in a minute."
    return Finding(code, part, "warn", "Could not be asked", text)


# ---- the provider's own controls --------------------------------------------------------------------------------------

CONTROL_ACCOUNTS, CONTROL_PERSONAL, CONTROL_DOMAIN = "L1-EMAIL-01", "L1-EMAIL-02", "L2-EMAIL-01"


def controls(records: DomainRecords | None, shared: str) -> tuple[Control, ...]:
    """What this says about controls of the self-assessment, by their ids.

    Args: records: None when nothing was asked, as for a shared host; shared: what kind of shared host it is, in words, or "".
    """
    if shared or records is None:
        host = f"It is {shared}" if shared else "The host was not looked at"
        return (
            Control(CONTROL_ACCOUNTS, "not_met", f"{host}: the provider cannot create, lock and close accounts there."),
            Control(CONTROL_PERSONAL, "not_met", "Work is done from an account that anybody can open."),
            Control(CONTROL_DOMAIN, "ask", "It asks about a domain of their own. Ask whether they have one."),
        )
    mail = _mail(records)
    accounts = {
        "mail_isp": "Their mail lies with an internet provider. Ask who can create, lock and close an account.",
        "mail_host": f"With {mail.word} they can create, lock and close each account. Ask who does that.",
    }
    said = accounts.get(
        mail.code, "A domain of their own makes it possible. Ask who can create, lock and close an account."
    )
    text = "DNS cannot tell whether mail is forwarded to personal accounts. Ask."
    return Control(CONTROL_ACCOUNTS, "ask", said), Control(CONTROL_PERSONAL, "ask", text), _domain_control(records)


def _domain_control(records: DomainRecords) -> Control:
    if records.dmarc is None:
        return Control(CONTROL_DOMAIN, "ask", "DNS gave no answer about DMARC. Look again in a minute.")
    rule = dmarc.rule_for(records.domain, records.dmarc)
    if rule is None:
        return Control(CONTROL_DOMAIN, "not_met", "There is no DMARC rule: not met yet.")
    if not _enforced(rule):
        why = f"DMARC p={rule.asks}" + (", in test" if rule.record.testing else "")
        return Control(CONTROL_DOMAIN, "not_met", f"{why}: not met yet. It asks for quarantine or reject.")
    return Control(CONTROL_DOMAIN, "met", f"DMARC p={rule.asks}: met.")


def token_found(records: DomainRecords | None, token: str) -> bool:
    """Whether the domain's DNS shows the token that we gave its owner."""
    return records is not None and _has(records.token or (), token)


def _has(texts: Sequence[str], token: str) -> bool:
    return any(text.strip() == token for text in texts)
