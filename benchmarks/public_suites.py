"""The test suites that mail libraries ship, run through our own SPF, DKIM, DMARC and ARC code.

Run:  .venv/bin/python -m benchmarks.public_suites [--download DIR | --sources DIR] [--arc DIR]
`--download` fetches the pinned source packages with pip and checks their hashes; `--sources` names a folder that holds them, as
archives or unpacked. `--arc` names a checkout of the ARC test suite. The suites of SPF and ARC are YAML, which needs PyYAML beside
the locked set. Prints for each suite how many cases there are, how many agree, how many we decide otherwise on purpose and why,
and every other one; ends with 1 when there is such a one.
Nothing of a suite is kept here.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import re
import subprocess
import sys
import tarfile
import tempfile
import types
import unittest
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intake.adapters.dkim import verify
from intake.adapters.own_checks import walk
from intake.adapters.spf import check_spf
from intake.domain import dmarc
from intake.domain.address import registrable, strict_mailbox
from intake.domain.arc import arc_hops
from intake.domain.errors import TryLater
from intake.domain.mime import Limits, split_headers
from intake.domain.received import Client

PINNED = {
    "pyspf-2.0.14": "57a7ef01bda090173aafb6af0106251686ed73f03db4e911fcd34c57fc347186",
    "dkimpy-1.1.8": "b5f60fb47bbf5d8d762f134bcea0c388eba6b498342a682a21f1686545094b77",
    "authheaders-0.16.3": "118edc6d3cb1ad18ffab3d788ccc562fca2854cd645faab08fc47033c648148a",
    "dmarc-1.2.1": "f620ab69102a4be060f5e6fcf7ad93e6c1bf17807ab36f9a44df188c2191a43d",
}


@dataclass
class Score:
    """One suite: `refused` are the cases that we decide otherwise on purpose, with the reason and how often."""

    name: str
    agree: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    differ: list[str] = field(default_factory=list)

    def take(self, case: str, ours: object, theirs: object, why_otherwise: str = "") -> None:
        if ours == theirs:
            self.agree += 1
        elif why_otherwise:
            self.refused[why_otherwise] += 1
        else:
            self.differ.append(f"{case}: ours {ours}, the suite's {theirs}")

    @property
    def total(self) -> int:
        return self.agree + self.refused.total() + len(self.differ)


# ---- SPF: the suites of RFC 7208 and 4408, and pyspf's own ------------------------------------------------------------


class SuiteDns:
    """A zone of a suite behind our DNS port. CNAMEs are followed, as a resolver does; TIMEOUT stands for no answer."""

    def __init__(self, zone: Mapping[str, list[Any]]) -> None:
        self._zone = {str(name).lower(): list(_unpacked(records)) for name, records in zone.items()}

    def txt(self, name: str) -> tuple[str, ...]:
        return self._of("TXT", name)

    def mx(self, name: str) -> tuple[str, ...]:
        return tuple(pair[1].rstrip(".") for pair in self._raw("MX", name))

    def a(self, name: str) -> tuple[str, ...]:
        return self._of("A", name)

    def aaaa(self, name: str) -> tuple[str, ...]:
        return self._of("AAAA", name)

    def ptr(self, name: str) -> tuple[str, ...]:
        return self._of("PTR", name)

    def _of(self, kind: str, name: str) -> tuple[str, ...]:
        return tuple("".join(v) if isinstance(v, (list, tuple)) else str(v) for v in self._raw(kind, name))

    def _raw(self, kind: str, name: str, depth: int = 0) -> list[Any]:
        name = name.lower().rstrip(".")
        if name not in self._zone:
            if name.startswith("error."):
                raise TryLater("The suite says so.")
            return []
        found: list[Any] = []
        for which, value in self._zone[name]:
            if which in ("TIMEOUT", kind) and value == "TIMEOUT" and not found:
                raise TryLater("The suite says so.")
            if which == kind:
                found.append(value)
            elif which == "CNAME" and depth < 10:
                found += self._raw(kind, value, depth + 1)
        return found


def _unpacked(records: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """(kind, value); what stands as SPF is the TXT record too, unless a TXT record is given."""
    pairs: list[tuple[str, Any]] = []
    for entry in records:
        pairs += entry.items() if isinstance(entry, dict) else [(str(entry), str(entry))]
    given = any(kind == "TXT" for kind, _ in pairs)
    for kind, value in pairs:
        if kind == "SPF" and not given:
            yield "TXT", value
        elif value != "NONE":
            yield kind, value


def spf_suite(folder: Path, name: str) -> Score:
    """One YAML file of SPF scenarios, each case through `check_spf`."""
    score = Score(f"SPF {name}")
    for scenario in _yaml(folder / "test" / f"{name}.yml"):
        for case, given in scenario["tests"].items():
            client = Client(str(given["host"]), str(given["helo"]), str(given.get("mailfrom") or ""))
            theirs = given["result"] if isinstance(given["result"], list) else [given["result"]]
            theirs = [{"unknown": "permerror", "error": "temperror"}.get(result, result) for result in theirs]
            if given.get("strict", True) is not True:
                continue  # pyspf's lax and harsh modes, which we have not
            ours = check_spf(client, SuiteDns(scenario["zonedata"])).result
            score.take(case, ours if ours not in theirs else theirs[0], theirs[0])
    return score


def _yaml(path: Path) -> Iterator[Any]:
    try:
        import yaml
    except ImportError:
        sys.exit("This suite is YAML: install PyYAML beside the locked set and run it again.")
    yield from (part for part in yaml.safe_load_all(path.read_bytes()) if part)


# ---- DKIM: dkimpy's own tests, with our check in the place of theirs --------------------------------------------------


class AskedByFunction:
    """A DNS function of those suites behind our port."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self._answer = answer

    def txt(self, name: str) -> tuple[str, ...]:
        try:
            found = self._answer(f"{name}.".encode())
        except (AssertionError, KeyError):
            return ()
        return ((found.decode() if isinstance(found, bytes) else found),) if found else ()

    def mx(self, name: str) -> tuple[str, ...]:
        return ()

    a = aaaa = ptr = mx


class InPlaceOfDkim(types.ModuleType):
    """The dkim module as its tests see it: all of it theirs, but what verifies is ours."""

    def __init__(self, real: types.ModuleType) -> None:
        super().__init__("dkim")
        self._real = real
        self.asked: list[tuple[bool, str]] = []

        class Dkim(real.DKIM):  # type: ignore[misc, name-defined]
            def verify(inner, idx: int = 0, dnsfunc: Any = None) -> bool:
                return self.verify(inner.message, dnsfunc=dnsfunc)

        self.DKIM = Dkim

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def verify(self, message: bytes, logger: Any = None, dnsfunc: Any = None, *_: Any, **more: Any) -> bool:
        """Whether we say that an aligned signature holds; what we refused is noted."""
        if more.get("tlsrpt"):
            raise unittest.SkipTest("reports about TLS are no mail that we take")
        found = verify(message, AskedByFunction(dnsfunc))
        skipped = "another domain" if any(s.result == "skipped" for s in found.signatures) else ""
        self.asked.append((found.passed, " ".join([skipped, *(p for s in found.signatures for p in s.problems)])))
        return found.passed


_STRICTER = (
    ("public suffix", "a public suffix signed"),
    ("bits", "a key under 1,024 bits"),
    ("l=", "a stated length"),
    ("rely on", "not rsa-sha256, or a key of another kind"),
    ("test (t=y)", "a test key"),
    ("not for mail", "a key for something else than mail"),
    ("second", "a second line that is not signed"),
    ("another domain", "a signature of another organisation than From"),
)
# Cases in which the suite keeps to an older text than RFC 9989, or to none.
_EDITION = {
    "test_authenticate_dmarc_bad": "RFC 9989 4.7: what is out of shape in a record is passed over",
    "test_authenticate_dmarc_no_p": "RFC 9989 4.7: a record without p asks for nothing, and stands",
    "test_result_quarantine_subdomain": "RFC 9989 4.4: two names below one organisation are aligned",
}


def dkim_suite(folder: Path) -> Score:
    """Every test of dkimpy that verifies something, run as it is over our check."""
    score = Score("DKIM dkimpy")
    sys.path.insert(0, str(folder))
    real = importlib.import_module("dkim")
    for name in ("test_dkim", "test_dkim_ed25519", "test_dkim_rsavariants", "test_dkim_tlsrpt"):
        module: Any = importlib.import_module(f"dkim.tests.{name}")
        ours = InPlaceOfDkim(real)
        module.dkim = ours
        for test in _tests(unittest.defaultTestLoader.loadTestsFromModule(module)):
            ours.asked.clear()
            failed = _run(test)
            if not ours.asked:
                continue  # it tests folding, signing and the like
            passed, why = ours.asked[-1]
            stricter = next((words for sign, words in _STRICTER if sign in why), "") if failed and not passed else ""
            score.take(f"{name}.{test.id().rpartition('.')[2]} ({why or failed})", not failed, True, stricter)
    sys.path.remove(str(folder))
    return score


def _tests(suite: Any) -> Iterator[unittest.TestCase]:
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from _tests(part)
        else:
            yield part


def _run(test: unittest.TestCase) -> str:
    result = unittest.TestResult()
    test.run(result)
    return "; ".join(text.strip().splitlines()[-1] for _, text in result.failures + result.errors)


# ---- DMARC: the tests of authheaders and of dmarc ---------------------------------------------------------------------


def authheaders_suite(folder: Path) -> Score:
    """The whole-message tests of authheaders: its zone, its mails, its expected dmarc result, our decision."""
    score = Score("DMARC authheaders")
    base = folder / "authheaders" / "test"
    source = (base / "test_authentication.py").read_text()
    tree = ast.parse(source)
    zone = _zone_of(tree, base)
    files = dict(re.findall(r"self\.(message\d*) = read_test_data\(\"([^\"]+)\"\)", source))
    for test in ast.walk(tree):
        if not isinstance(test, ast.FunctionDef) or "dmarc" not in test.name or not test.name.startswith("test_"):
            continue
        text = ast.get_source_segment(source, test) or ""
        theirs = re.search(r"dmarc=(\w+)", text[text.find("assertEqual") :])
        used = re.search(r"self\.(message\d*),", text)
        if theirs is None or used is None:
            continue
        raw = (base / files[used[1]]).read_bytes()
        prior = re.findall(r"dkim=pass header\.d=([\w.]+)", (re.search(r"prev='([^']*)'", text) or [""])[0])
        ours, why = _dmarc_of(raw, zone, prior)
        score.take(test.name, ours, theirs[1].replace("permerror", "none"), why or _EDITION.get(test.name, ""))
    return score


def _zone_of(tree: ast.AST, base: Path) -> Callable[[bytes], str | None]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_dns_responses":
            table = node.value
            break
    assert isinstance(table, ast.Dict)
    zone = {
        ast.literal_eval(key): value.value if isinstance(value, ast.Constant) else (base / "test.txt").read_text()
        for key, value in zip(table.keys, table.values, strict=True)
        if key is not None
    }
    return lambda name: zone.get(name.decode()) or zone.get(name.decode().rstrip("."))


def _dmarc_of(raw: bytes, zone: Callable[[bytes], str | None], prior: Sequence[str]) -> tuple[str, str]:
    headers, _, _, _ = split_headers(raw, 0, len(raw), Limits())
    author = strict_mailbox([v for n, v in headers if n.lower() == "from"]).domain
    if author is None:
        return "none", "more than one sender, or none, in From"
    dns = AskedByFunction(zone)
    signed = [*prior, *(s.domain for s in verify(raw, dns).signatures if s.result == "pass")]
    walks = {name: walk(name, dns) for name in {author, *signed}}
    found = dmarc.evaluate(author, dmarc.rule_for(author, walks[author]), walks, signed, None, spf_known=True)
    return found.result, ""


class InPlaceOfDmarc:
    """The evaluator of the dmarc package as its tests see it, deciding by our code."""

    def __init__(self, names: types.ModuleType) -> None:
        self._names, self.publicsuffix = names, None

    def parse_record(self, record: str, domain: str, org_domain: str | None = None) -> tuple[str, dmarc.Walk]:
        read = dmarc.read_record([record])
        return domain, (((org_domain or domain), read),) if read else ()

    def check_alignment(self, fd: str, ad: str, mode: Any, psl: Any = None) -> bool:
        if not fd or not ad or mode is None:
            raise ValueError
        letter = "s" if mode == self._names.RECORD_A_STRICT else "r"
        top = registrable(fd.lower()) or fd
        rule = dmarc.read_record([f"v=DMARC1; p=none; adkim={letter}"])
        assert rule is not None
        walks = {name.lower(): ((top, rule),) for name in (fd, ad)}
        asks = dmarc.Rule(top, rule, "none")
        return dmarc.evaluate(fd.lower(), asks, walks, [ad.lower()], None, spf_known=True).result == "pass"

    def get_result(self, policy: tuple[str, dmarc.Walk], spf: Any = None, dkim: Any = None, **_: Any) -> Any:
        names, (author, records) = self._names, policy
        signed = [dkim.domain] if dkim and dkim.result == names.DKIM_PASS else []
        sent = spf.domain if spf and spf.result == names.SPF_PASS else None
        walks = {
            n: tuple(r for r in records if f".{n}".endswith(f".{r[0]}")) for n in {author, *signed, sent or author}
        }
        found = dmarc.evaluate(author, dmarc.rule_for(author, records), walks, signed, sent, spf_known=True)
        asked = {
            "none": names.POLICY_DIS_NONE,
            "quarantine": names.POLICY_DIS_QUARANTINE,
            "reject": names.POLICY_DIS_REJECT,
        }
        return types.SimpleNamespace(
            result=names.POLICY_PASS if found.result == "pass" else names.POLICY_FAIL,
            disposition=asked[found.policy] if found.result == "fail" else names.POLICY_DIS_NONE,
            spf=names.POLICY_SPF_ALIGNMENT_PASS if "spf" in found.by else names.POLICY_SPF_ALIGNMENT_FAIL,
            dkim=names.POLICY_DKIM_ALIGNMENT_PASS if "dkim" in found.by else names.POLICY_DKIM_ALIGNMENT_FAIL,
            reason=None,
        )


def dmarc_suite(folder: Path) -> Score:
    """The alignment and result tests of the dmarc package, with our evaluation in the place of theirs."""
    score = Score("DMARC dmarc")
    sys.path.insert(0, str(folder))
    names = importlib.import_module("dmarc")
    theirs: Any = importlib.import_module("dmarc.tests.test_dmarc").TestDMARC
    for name in unittest.defaultTestLoader.getTestCaseNames(theirs):
        if name in ("test_parse_record", "test_result_allow_policy_test_mode"):
            continue  # their record class; and what is done with mail that fails, which staff decide here
        test = theirs(name)
        test.setUp = lambda test=test: setattr(test, "dmarc", InPlaceOfDmarc(names))
        failed = _run(test)
        score.take(f"{name} ({failed})", not failed, True, _EDITION.get(name, ""))
    sys.path.remove(str(folder))
    return score


# ---- ARC --------------------------------------------------------------------------------------------------------------


def arc_suite(folder: Path) -> Score:
    """The validation cases of the ARC test suite. We read the structure only: a chain that holds must be readable, a mail
    without ARC must have none, and of a chain that does not hold we may say so or call it unchecked.
    """
    score = Score("ARC validation")
    for scenario in _yaml(folder / "tests" / "arc-draft-validation-tests.yml"):
        for case, given in scenario["tests"].items():
            raw = str(given["message"]).replace("\r\n", "\n").replace("\n", "\r\n").encode()
            headers, _, _, _ = split_headers(raw, 0, len(raw), Limits())
            hops = arc_hops(headers)
            ours = "out of shape" if hops is None else "readable" if hops else "none"
            there = any(name.lower().startswith("arc-") for name, _ in headers)
            theirs = "readable" if str(given["cv"]).lower() == "pass" else "out of shape" if there else "none"
            why = "seals and their tags are not checked, and the line says so" if ours == "readable" else ""
            score.take(case, ours, theirs, why if theirs == "out of shape" else "")
    return score


# ---- the command ------------------------------------------------------------------------------------------------------


def _download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in PINNED:
        if not (folder / f"{name}.tar.gz").exists():
            package = name.replace("-", "==")
            run = ["pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps", "--dest", str(folder), package]
            subprocess.run(run, check=True)


def _unpack(sources: Path, name: str, into: Path) -> Path:
    """The folder of one source package; an archive is opened only when its hash is the pinned one."""
    if (sources / name).is_dir():
        return sources / name
    archive = sources / f"{name}.tar.gz"
    if hashlib.sha256(archive.read_bytes()).hexdigest() != PINNED[name]:
        sys.exit(f"{archive.name} is not the file that was looked at when this was written.")
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--download", type=Path)
    where.add_argument("--sources", type=Path)
    parser.add_argument("--arc", type=Path)
    given = parser.parse_args()
    if not (given.download or given.sources or given.arc):
        parser.error("name where the suites are: --download, --sources or --arc")
    scores: list[Score] = []
    with tempfile.TemporaryDirectory() as temporary:
        sources = given.sources or given.download
        if given.download:
            _download(given.download)
        if sources:
            folders = {name.rpartition("-")[0]: _unpack(sources, name, Path(temporary)) for name in PINNED}
            scores += [spf_suite(folders["pyspf"], name) for name in ("rfc7208-tests", "rfc4408-tests", "test")]
            scores += [
                dkim_suite(folders["dkimpy"]),
                authheaders_suite(folders["authheaders"]),
                dmarc_suite(folders["dmarc"]),
            ]
        if given.arc:
            scores.append(arc_suite(given.arc))
    for score in scores:
        otherwise, differ = score.refused.total(), len(score.differ)
        print(
            f"{score.name}: {score.total} cases, {score.agree} agree, {otherwise} otherwise on purpose, {differ} differ"
        )
        for why, count in score.refused.items():
            print(f"    on purpose: {why} ({count})")
        for case in score.differ:
            print(f"    differs: {case}")
    return 1 if any(score.differ for score in scores) else 0


if __name__ == "__main__":
    sys.exit(main())
