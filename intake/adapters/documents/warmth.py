"""What a warm parent loads before it forks, because its children can open no file: modules, editions, zones, alphabets."""

from __future__ import annotations

import contextlib
import encodings
import importlib
import io
import pkgutil
import zoneinfo
from collections.abc import Iterator

from PIL import Image

from forms.schema import Form
from forms.written import HOME

# Libraries import these when they first need them.
_LATER = (
    "bz2",
    "lzma",
    "cryptography.hazmat.decrepit.ciphers.algorithms",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.padding",
    "html",
    "multiprocessing.reduction",
    "olefile",
    "oxmsg.storage",
    "stringprep",
)
_OF_WINDOWS = ("mbcs", "oem")
_KEPT: list[object] = []


def documents() -> None:
    """All that reading a file needs which is no picture."""
    from intake.adapters.documents import active, archive, cms, layout, office, outlook, pdf, shown, smime, sniff, tnef  # noqa: F401

    for name in _LATER:
        importlib.import_module(name)
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _OF_WINDOWS:
            importlib.import_module(f"encodings.{module.name}")
    _editions()
    _libraries()


def suggestions() -> None:
    """All that suggestions from a flat PDF need."""
    from forms import load
    from intake.adapters.documents import foreign

    documents()
    for form in load.forms():
        foreign.suggestions(_small_page(), form)


def pictures() -> None:
    """All that looking at a picture file needs."""
    from forms import load
    from forms.pdf.blank import NotPublished, blank
    from intake.adapters.documents import picture
    from intake.adapters.documents.limits import Limits
    from intake.adapters.documents.sniff import PDF

    documents()
    picture.ready()
    for form in load.forms():
        with contextlib.suppress(NotPublished):
            picture.read_pictures(blank(form), PDF, Limits())
    for kind in ("PNG", "JPEG", "TIFF", "BMP", "WEBP"):
        made = io.BytesIO()
        Image.new("L", (40, 40), 255).save(made, kind)
        picture.read_pictures(made.getvalue(), "", Limits())


def _editions() -> None:
    from forms import load
    from forms.canonical import canonical
    from forms.pdf.blank import NotPublished, blank, issued
    from forms.word import blank as word
    from intake.adapters.documents.limits import Limits
    from intake.adapters.documents.word import read_docx

    for form in load.hold():
        read_docx(word.blank(form), Limits())
        canonical(form, {})
        with contextlib.suppress(NotPublished):
            _KEPT.append((issued(form), blank(form)))
        _KEPT.extend(zoneinfo.ZoneInfo(code) for code in _zones(form))
    _KEPT.extend(zoneinfo.ZoneInfo(zone) for zone in ("UTC", HOME))


def _zones(form: Form) -> Iterator[str]:
    for question in form.questions:
        for asked in (question, *question.parts, *question.columns):
            yield from (c.code for c in asked.choices if "/" in c.code)


def _libraries() -> None:
    """One tiny document through each library: some load half of themselves at the first use."""
    import pypdfium2 as pdfium
    import zxingcpp

    document = pdfium.PdfDocument(_small_page())
    document[0].render().to_pil()
    document.close()
    Image.init()
    zxingcpp.read_barcodes(Image.new("L", (40, 40), 255))


def _small_page() -> bytes:
    import pikepdf

    made = pikepdf.new()
    made.add_blank_page(page_size=(72, 72))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    made.pages[0].Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    made.pages[0].Contents = made.make_stream(b"BT /F 9 Tf 5 40 Td (Who is it?  It is) Tj 0 -14 Td (somebody) Tj ET")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
