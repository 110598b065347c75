"""Files that are small and cost much, made in a few lines each. None of them comes from anywhere else."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, String


def one_page(content: bytes, filters: int = 1, **more: object) -> bytes:
    """A PDF of one page whose content went through Flate so many times."""
    for _ in range(filters):
        content = zlib.compress(content, 9)
    names = b"[" + b" ".join([b"/FlateDecode"] * filters) + b"]"
    resources = b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    box = str(more.get("box", "0 0 595 842")).encode()
    return plain_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [" + box + b"] /Contents 4 0 R /Resources " + resources + b" >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(content), names, content),
    )


def plain_pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, 2)
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % p for p in places))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def spaces() -> bytes:
    return one_page(b" " * 400_000_000)


def spaces_twice_packed() -> bytes:
    return one_page(b" " * 400_000_000, filters=2)


def text_operations() -> bytes:
    return one_page(b"BT /F 1 Tf " + b"(x) Tj " * 2_000_000 + b"ET")


def rectangles() -> bytes:
    return one_page(b"0 0 1 1 re f " * 1_500_000)


def saved_states() -> bytes:
    return one_page(b"q " * 500_000)


def huge_page() -> bytes:
    return one_page(b"0 0 9 9 re f", box="0 0 2000000 2000000")


def nested_drawings() -> bytes:
    """Ten forms, each of which draws the next ten times: ten thousand million drawings."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>",
        b"<< /Length 5 >>\nstream\n/X Do\nendstream",
    ]
    for depth in range(10):
        draw = b"/X Do " * 10 if depth < 9 else b"0 0 1 1 re f"
        inner = b"<< /XObject << /X %d 0 R >> >>" % (6 + depth) if depth < 9 else b"<< >>"
        objects.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources %s /Length %d >>\nstream\n%s\nendstream"
            % (inner, len(draw), draw)
        )
    return plain_pdf(*objects)


def page_references(count: int = 200_000) -> bytes:
    """One page named again and again."""
    return plain_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + b"3 0 R " * count + b"] /Count %d >>" % count,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
    )


def fields_in_a_circle() -> bytes:
    return plain_pdf(
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
        b"<< /T (a) /FT /Tx /V (first) /Kids [5 0 R] >>",
        b"<< /T (b) /Parent 4 0 R /FT /Tx /V (second) /Kids [4 0 R] >>",
    )


def many_fields(count: int = 60_000) -> bytes:
    fields = b"".join(b"<< /T (f%d) /FT /Tx /V (x) >> " % n for n in range(count))
    return plain_pdf(
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + fields + b"] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
    )


def with_script(pdf: bytes) -> bytes:
    """The same file with an action that runs when it is opened."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert('hello')"))
        out = io.BytesIO()
        opened.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def with_file_inside(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.attachments["note.txt"] = b"hello"
        out = io.BytesIO()
        opened.save(out)
    return out.getvalue()


def with_escaped_script() -> bytes:
    """The mark is written with escapes, which means the same to a viewer."""
    return plain_pdf(
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Java#53cript /J#53 (app.alert(1)) >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
    )


def locked(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        out = io.BytesIO()
        opened.save(out, encryption=pikepdf.Encryption(owner="o", user="secret"))
    return out.getvalue()


def xfa_only() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        packet = Stream(pdf, b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
        pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=packet)
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def zipped(*names: str, locked: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"content of " + name.encode())
    made = out.getvalue()
    if not locked:
        return made
    flags = struct.unpack_from("<H", made, 6)[0]
    return made[:6] + struct.pack("<H", flags | 1) + made[8:]
