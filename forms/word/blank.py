"""The Word file of an edition, empty or with answers. Pure: the same edition gives the same bytes, and nothing is installed for it.

Word keeps what stands in a content control, and the control's tag, through editing, copying and saving; the reader of attachments
(`intake.adapters.documents.word`) asks for nothing else. The hidden names stand twice: as properties of the file, and as locked
controls in the line at the foot of each page, because some programs drop the one or the other.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import lru_cache

from forms.canonical import flat
from forms.schema import Answers, Form
from forms.word.controls import Controls, Values
from forms.word.markup import W14, W, paragraph, plain, run
from forms.word.page import body
from forms.word.styles import styles

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MADE = "2026-01-01T00:00:00Z"  # a fixed instant, so that the same edition gives the same bytes
_MADE = (2026, 1, 1, 0, 0, 0)
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/"
_CUSTOM = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"  # the format's own name for properties that people add
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_MORE = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_SPACES = f'xmlns:w="{W}" xmlns:r="{_OFFICE}relationships" xmlns:w14="{W14}" xmlns:mc="{_MORE}" mc:Ignorable="w14"'


def blank(form: Form) -> bytes:
    """The form to fill in."""
    return _blank(form)


@lru_cache(maxsize=16)
def _blank(form: Form) -> bytes:
    return fill(form, {})


def filled(form: Form, answers: Answers) -> bytes:
    """The form with these canonical answers written in."""
    return fill(form, flat(form, answers))


def fill(form: Form, values: Values) -> bytes:
    """The same for values by field name. Names that the form has not are left out; True ticks a box."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in _parts(form, Controls(values)):
            entry = zipfile.ZipInfo(name, _MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # else the bytes would tell which machine made them
            packed.writestr(entry, _HEAD + content)
    return out.getvalue()


def hidden(form: Form) -> tuple[tuple[str, str], ...]:
    """The names by which a file is read. They choose how, and prove nothing."""
    return (("_form", form.kind), ("_edition", form.edition))


def _parts(form: Form, controls: Controls) -> Iterator[tuple[str, str]]:
    yield "[Content_Types].xml", _CONTENT_TYPES
    yield "_rels/.rels", _RELATIONS
    yield "docProps/core.xml", _core(form)
    yield "docProps/app.xml", _APP
    yield "docProps/custom.xml", _custom(form)
    yield "word/_rels/document.xml.rels", _DOCUMENT_RELATIONS
    yield "word/document.xml", _document(form, controls)
    yield "word/styles.xml", styles()
    yield "word/settings.xml", _SETTINGS
    yield "word/footer1.xml", _footer(form, controls)


def _document(form: Form, controls: Controls) -> str:
    page = (
        '<w:sectPr><w:footerReference w:type="default" r:id="rId3"/><w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1021" w:right="1021" w:bottom="1247" w:left="1021" w:header="567" w:footer="510" w:gutter="0"/></w:sectPr>'
    )
    return f"<w:document {_SPACES}><w:body>{body(form, controls)}{page}</w:body></w:document>"


def _footer(form: Form, controls: Controls) -> str:
    """The line that names form and edition, with the two controls by which a reader knows them."""
    kind, edition = (controls.locked(name, f"Name of the {name[1:]}", value) for name, value in hidden(form))
    line = paragraph(
        "Footer",
        run(f"{form.title}: form "),
        kind,
        run(", edition "),
        edition,
        run(", page "),
        _counted("PAGE"),
        run(" of "),
        _counted("NUMPAGES"),
    )
    return f"<w:ftr {_SPACES}>{line}{paragraph('Footer', run(form.paper.footer))}</w:ftr>"


def _counted(what: str) -> str:
    return f'<w:fldSimple w:instr=" {what} ">{run("1")}</w:fldSimple>'


def _core(form: Form) -> str:
    spaces = (
        f'xmlns:cp="{_PACKAGE}metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    return (
        f"<cp:coreProperties {spaces}><dc:title>{plain(form.title)}</dc:title><dc:creator>{plain(form.paper.publisher)}</dc:creator>"
        f'<dc:description>{plain(form.paper.purpose)}</dc:description><dcterms:created xsi:type="dcterms:W3CDTF">{MADE}'
        f'</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">{MADE}</dcterms:modified><dc:language>en-NZ</dc:language>'
        "</cp:coreProperties>"
    )


def _custom(form: Form) -> str:
    """Properties of the file, numbered from 2 as the format asks."""
    each = "".join(
        f'<property fmtid="{_CUSTOM}" pid="{n}" name="{name}"><vt:lpwstr>{plain(value)}</vt:lpwstr></property>'
        for n, (name, value) in enumerate(hidden(form), 2)
    )
    return f'<Properties xmlns="{_OFFICE}custom-properties" xmlns:vt="{_OFFICE}docPropsVTypes">{each}</Properties>'


def _related(*rows: tuple[str, str]) -> str:
    each = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>' for n, (kind, target) in enumerate(rows, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}relationships">{each}</Relationships>'


def _typed(*rows: tuple[str, str]) -> str:
    each = "".join(f'<Override PartName="/{name}" ContentType="application/vnd.{kind}+xml"/>' for name, kind in rows)
    return (
        f'<Types xmlns="{_PACKAGE}content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{each}</Types>'
    )


_APP = f'<Properties xmlns="{_OFFICE}extended-properties"><Application>Microsoft Office Word</Application></Properties>'
_RELATIONS = _related(
    (_OFFICE + "relationships/officeDocument", "word/document.xml"),
    (_PACKAGE + "relationships/metadata/core-properties", "docProps/core.xml"),
    (_OFFICE + "relationships/extended-properties", "docProps/app.xml"),
    (_OFFICE + "relationships/custom-properties", "docProps/custom.xml"),
)
_DOCUMENT_RELATIONS = _related(
    (_OFFICE + "relationships/styles", "styles.xml"),
    (_OFFICE + "relationships/settings", "settings.xml"),
    (_OFFICE + "relationships/footer", "footer1.xml"),
)
_WORD = "openxmlformats-officedocument.wordprocessingml."
_CONTENT_TYPES = _typed(
    ("word/document.xml", _WORD + "document.main"),
    ("word/styles.xml", _WORD + "styles"),
    ("word/settings.xml", _WORD + "settings"),
    ("word/footer1.xml", _WORD + "footer"),
    ("docProps/core.xml", "openxmlformats-package.core-properties"),
    ("docProps/app.xml", "openxmlformats-officedocument.extended-properties"),
    ("docProps/custom.xml", "openxmlformats-officedocument.custom-properties"),
)
_SETTINGS = (
    f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:defaultTabStop w:val="720"/><w:characterSpacingControl w:val="doNotCompress"/>'
    '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>'
    '<w:themeFontLang w:val="en-NZ"/><w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
)
