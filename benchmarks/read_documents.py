"""What reading one document costs: CPU of the parent and of its child together, and documents a second.

Run: python benchmarks/read_documents.py [--n 40]
Each row starts a reader of its own; the cost of starting its child is measured first and taken off, and told on the last line.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, String

sys.path.insert(0, str(Path(__file__).parents[1]))

from forms import load
from forms.canonical import flat
from forms.pdf.stamp import stamp
from intake.adapters.documents.runner import DocumentReader
from tests.documents.bombs import one_page
from tests.pdf.programs import by_chrome_engine, flat_by_chrome_engine
from tests.support.random_answers import random_answers


def forty_fields() -> bytes:
    """Somebody's fillable form: 20 texts and 20 boxes, values set."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        fields = Array()
        for n in range(40):
            text = n % 2 == 0
            node = Dictionary(T=String(f"field_{n}"), Subtype=Name.Widget, Rect=Array([50, 20 * n, 300, 20 * n + 15]))
            node.FT = Name.Tx if text else Name.Btn
            node.V = String("Te Whare Āwhina o Ōtautahi") if text else Name.Yes
            if not text:
                node.AS = Name.Yes
            fields.append(pdf.make_indirect(node))
        pdf.Root.AcroForm = Dictionary(Fields=fields)
        pdf.pages[0].obj.Annots = fields
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def letter() -> bytes:
    lines = b" 0 -14 Td ".join([b"(We write to tell you what happened last week and what we did about it.) Tj"] * 45)
    return one_page(b"BT /F 10 Tf 60 780 Td " + lines + b" ET")


def cpu() -> float:
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in both)


def measured(work: Callable[[DocumentReader], object], times: int) -> tuple[float, float]:
    """CPU and wall seconds of doing it so often with a fresh reader, whose child's CPU counts once it is closed."""
    begun, before = time.perf_counter(), cpu()
    with DocumentReader() as reader:
        for _ in range(times):
            work(reader)
    return cpu() - before, time.perf_counter() - begun


def row(title: str, content: bytes, work: Callable[[DocumentReader], object], times: int) -> None:
    once_cpu, once_wall = measured(work, 1)
    all_cpu, all_wall = measured(work, times + 1)
    each, wall = (all_cpu - once_cpu) / times, (all_wall - once_wall) / times
    print(
        f"{title:44} {len(content) / 1000:8.0f} kB {each * 1000:8.1f} ms CPU {1 / each:8.0f} /s per core {wall * 1000:8.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=40)
    times = parser.parse_args().n
    notice, assessment = load.form("breach-notice"), load.form("it-self-assessment")
    answers = random_answers(notice, random.Random(1))
    filled = stamp(notice, answers)
    big = stamp(assessment, random_answers(assessment, random.Random(1)))
    files = {
        "fillable, 40 fields, not ours": forty_fields(),
        "breach notice, fillable": filled,
        "breach notice, filled and saved in Chrome": by_chrome_engine(notice, flat(notice, answers)),
        "IT self-assessment, fillable": big,
        "breach notice, printed flat": flat_by_chrome_engine(filled),
        "IT self-assessment, printed flat": flat_by_chrome_engine(big),
        "letter, one page": letter(),
    }
    for title, content in files.items():
        row(title, content, lambda reader, c=content: reader.read([("form.pdf", c)]), times)
    page = files["letter, one page"]
    row("suggestions from the letter", page, lambda r: r.suggestions(page, notice.name), max(3, times // 8))
    row(
        "comparing shown with kept, breach notice",
        filled,
        lambda r: r.compare_shown(filled, notice.name),
        max(3, times // 8),
    )
    started, wall = measured(lambda reader: reader.read([("form.pdf", page)]), 1)
    print(f"a child, started, asked once and ended: {started * 1000:.0f} ms CPU, {wall * 1000:.0f} ms")


if __name__ == "__main__":
    main()
