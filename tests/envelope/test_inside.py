"""Names, charsets and pictures: what programs write, what they write wrong, and what is decoration."""

from __future__ import annotations

import base64

import pytest

from intake.domain.envelope import open_envelope
from intake.domain.words import decode, parameters
from tests.envelope.test_open import HEAD, body_of, many

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"


# ---- charsets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("iso-2022-jp", "プライバシー".encode("iso-2022-jp"), "プライバシー"),
        ("shift_jis", "①プライバシー".encode("cp932"), "①プライバシー"),  # Windows letters under the plain name
        ("ks_c_5601-1987", "개인정보".encode("cp949"), "개인정보"),
        ("gb2312", "隐私泄露镕".encode("gb18030"), "隐私泄露镕"),  # the last letter is not in GB2312
        ("gb18030", "隐私😀".encode("gb18030"), "隐私😀"),
        ("hz-gb-2312", "隐私".encode("hz"), "隐私"),
        ("big5", "隱私".encode("big5-hkscs"), "隱私"),
        ("windows-874", "ไทย".encode("cp874"), "ไทย"),
        ("iso-8859-8-i", "שלום".encode("iso-8859-8"), "שלום"),
        ("koi8-r", "Привет".encode("koi8-r"), "Привет"),
        ("x-mac-roman", "café".encode("mac-roman"), "café"),
        ("iso-8859-1", b"\x93caf\xe9\x94 \x80", "“café” €"),  # Windows-1252 under the name of Latin-1
        ("iso-8859-1", "kōrero".encode(), "kōrero"),  # UTF-8 under the name of Latin-1
        ("", "kōrero".encode(), "kōrero"),
        ("", b"caf\xe9", "café"),
        ("x-unknown", "kōrero".encode(), "kōrero"),
        ("utf-7", b"+AGgAZQBsAGwAbw-", "+AGgAZQBsAGwAbw-"),  # it hides words from whoever looks for them
        ("punycode", b"hello-", "hello-"),
        ("rot13", b"uryyb", "uryyb"),
        (
            "utf-8",
            b"k\xc5\x8drero k\xc5\x8drero k\xc5\x8drero k\xc5\x8drero \xff",
            "kōrero kōrero kōrero kōrero \ufffd",
        ),
        ("utf-8", b"caf\xe9", "café"),  # Latin-1 under the name of UTF-8
        ("utf-16", "\ufeffkō".encode("utf-16-le"), "kō"),
    ],
)
def test_a_text_is_read_by_what_it_is_where_its_label_lies(charset: str, raw: bytes, text: str) -> None:
    assert decode(raw, charset) == text


def test_a_page_without_a_label_is_read_by_what_stands_in_it() -> None:
    page = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"></head><p>プライバシー'

    assert body_of("text/html", page.encode("cp932")) == "プライバシー"
    assert body_of("text/html; charset=utf-8", page.encode()) == "プライバシー"


def test_a_mark_of_the_byte_order_is_no_letter() -> None:
    assert body_of("text/plain; charset=utf-8", "\ufeffKia ora".encode()) == "Kia ora"


# ---- names of files (RFC 2231, RFC 2047) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"a/b; name*=utf-8''k%C5%8Drero.pdf", "kōrero.pdf"),
        (b"a/b; name*=utf-8'mi'k%C5%8Drero.pdf", "kōrero.pdf"),
        (b"a/b; name*=iso-8859-1'en'caf%E9.pdf", "café.pdf"),
        (b"a/b; name*=k%C5%8Drero.pdf", "kōrero.pdf"),  # without charset and language
        (b"a/b; name*=no-such''k%C5%8Drero.pdf", "kōrero.pdf"),
        (b"a/b; name*=utf-8''caf%E9.pdf", "café.pdf"),  # a lie
        (b"a/b; name*=utf-8''100%.pdf", "100%.pdf"),
        (b"a/b; name*0*=utf-8''k%C5; name*1*=%8Drero; name*2=.pdf", "kōrero.pdf"),  # one letter over two pieces
        (b"a/b; name*2=.pdf; name*0*=utf-8''k%C5%8D; name*1=rero", "kōrero.pdf"),
        (b'a/b; name*0="long name"; name*1=" of a file.pdf"', "long name of a file.pdf"),
        (b'a/b; name*0="=?utf-8?q?k=C5=8D"; name*1="rero.pdf?="', "kōrero.pdf"),  # both ways at once
        (b'a/b; name="=?utf-8?b?a8WNcmVyby5wZGY=?="', "kōrero.pdf"),
        (b"a/b; name==?utf-8?q?k=C5=8Drero=2Epdf?=", "kōrero.pdf"),
        (b'a/b; name="=?utf-8?q?k=C5=8D?=\r\n =?utf-8?q?rero.pdf?="', "kōrero.pdf"),
        ("a/b; name=\"kōrero.pdf\"".encode(), "kōrero.pdf"),
        (b'a/b; name="caf\xe9.pdf"', "café.pdf"),
        (b'a/b; name="plain.pdf"; name*=utf-8\'\'k%C5%8Drero.pdf', "kōrero.pdf"),  # RFC 6266: the longer one counts
        (b'a/b; name="a\\"b;c.pdf"', 'a"b;c.pdf'),
        (b"a/b; name*=utf-8''a%0D%0ABcc:%20x.pdf", "a  Bcc: x.pdf"),
        (b"a/b; name*x=1; name*0=a; name*99999999999999999999=b", "ab"),
    ],
)  # fmt: skip
def test_a_name_is_read_in_every_way_that_programs_write_it(header: bytes, name: str) -> None:
    _, given, whole = parameters(header)

    assert (given["name"], whole) == (name, True)


# ---- pictures ---------------------------------------------------------------------------------------------------------


def picture(name: str, content: bytes, disposition: str = "inline", cid: str = "", kind: str = "image/png") -> bytes:
    head = f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: {disposition}; filename="{name}"\r\n'
    head += f"Content-ID: <{cid}>\r\n" if cid else ""
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content)


PAGE = b'Content-Type: text/html\r\n\r\n<p>Kia ora <img src="cid:logo%40x"> <img src=cid:IMG1>'


@pytest.mark.parametrize(
    ("part", "decoration"),
    [
        (picture("logo.png", PNG + bytes(9_000), cid="logo@x"), True),  # shown in the page
        (picture("logo.png", PNG + bytes(9_000), "attachment", "logo@x"), True),  # shown, whatever else it is called
        (
            picture("logo.png", PNG + bytes(9_000), "attachment", "f_abc123"),
            False,
        ),  # some programs give every file an id
        (picture("image001.png", PNG + bytes(9_000), cid="image001@1"), True),  # Outlook, in a plain mail
        (picture("scan.png", PNG + bytes(300_000), cid="logo@x"), False),  # large: it may be the form
        (picture("IMG_0042.jpeg", JPEG + bytes(60_000), cid="IMG1", kind="image/jpeg"), False),  # a phone's name
        (picture("image0.jpeg", JPEG + bytes(60_000), kind="image/jpeg"), False),  # a phone that sends small
        (picture("20261124_101500.jpg", JPEG + bytes(60_000), cid="IMG1", kind="image/jpeg"), False),
        (picture("photo.heic", bytes(60_000), cid="IMG1", kind="image/heic"), False),
        (picture("form.png", PNG + bytes(9_000)), False),  # inline, and nothing shows it
    ],
)
def test_T26_a_logo_is_decoration_and_a_photo_is_not(part: bytes, decoration: bool) -> None:
    (found,) = open_envelope(many(PAGE, part)).attachments

    assert found.inline is decoration


def test_T26_cards_and_invitations_are_decoration_under_any_type() -> None:
    octets = "Content-Type: application/octet-stream; name={}\r\n\r\n{}"
    files = {"invite.ics": "BEGIN:VCALENDAR", "mere.vcf": "BEGIN:VCARD", "smime.p7s": "0\x82", "form.ics": "%PDF-1.7"}
    parts = [octets.format(name, start).encode() for name, start in files.items()]

    assert [a.name for a in open_envelope(many(b"\r\nhi", *parts)).attachments if not a.inline] == ["form.ics"]


# ---- invitations ------------------------------------------------------------------------------------------------------


def invitation(method: str, *lines: str) -> bytes:
    told = "\r\n".join(("BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"))
    return f"Content-Type: text/calendar; method={method}; charset=utf-8\r\n\r\n{told}\r\n".encode()


def test_an_invitation_alone_is_no_automatic_mail_and_its_words_are_its_text() -> None:
    words = "DESCRIPTION;LANGUAGE=en:We lost a laptop\\, please\r\n  call.\\nMere"
    opened = open_envelope(HEAD + invitation("REQUEST", "SUMMARY:Privacy breach", words))

    assert (opened.automatic, opened.bounce) == ("", False)
    assert opened.body == "Privacy breach\nWe lost a laptop, please call.\nMere"
    assert all(a.inline for a in opened.attachments)


def test_an_answer_to_an_invitation_says_nothing_of_its_own() -> None:
    opened = open_envelope(
        HEAD + invitation("REPLY", "SUMMARY:A long meeting about the privacy breach of the other day, with everybody")
    )

    assert opened.automatic
    assert opened.body == ""


# ---- signed and encrypted parts ---------------------------------------------------------------------------------------


def test_a_clear_signature_is_told_and_not_believed() -> None:
    signature = b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n\r\nxxx'
    opened = open_envelope(many(b"\r\nKia ora", signature, kind="multipart/signed; protocol=x"))

    assert opened.body == "Kia ora"
    assert opened.notes == ("It carries an S/MIME signature, which we do not check.",)


# ---- many mails in one ------------------------------------------------------------------------------------------------


def test_mails_that_are_large_and_deep_are_opened_as_far_as_memory_is_ours_to_give() -> None:
    head = b"From: a@b.nz\r\nContent-Type: message/rfc822\r\n\r\n"
    opened = open_envelope(head * 20 + b"From: c@d.nz\r\n\r\n" + b"x" * 20_000_000)

    assert 0 < sum(len(mail.raw) for mail in opened.inner) < 80_000_000
    assert any("the rest was not opened" in note for note in opened.notes)


def test_a_mail_whose_inner_mails_are_known_is_not_searched_again() -> None:
    inside = b"Content-Type: message/rfc822\r\n\r\nFrom: a@b.nz\r\n\r\nhi"
    raw = many(b"\r\nsee below", inside)

    assert len(open_envelope(raw).inner) == 1
    alone = open_envelope(raw, alone=True)
    assert (alone.inner, alone.attachments, alone.body) == ((), (), "see below")
