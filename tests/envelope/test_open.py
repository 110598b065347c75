"""What a mail states: its texts, its attachments, the mails inside it, and whether a machine wrote it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from intake.domain.envelope import Limits, open_envelope

HEAD = b"From: Ana <ana@p.org.nz>\r\nMIME-Version: 1.0\r\n"


def body_of(kind: str, body: bytes, encoding: str = "8bit") -> str:
    raw = HEAD + f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    return open_envelope(raw).body


def many(*parts: bytes, kind: str = "multipart/mixed") -> bytes:
    head = HEAD + f'Content-Type: {kind}; boundary="b"\r\n\r\n'.encode()
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


# ---- headers ----------------------------------------------------------------------------------------------------------


def test_headers_are_read_as_they_stand() -> None:
    raw = (
        b"Return-Path: <Ana@P.org.nz>\r\nReceived: from x\r\n\tby y; now\r\nFrom: Ana <ana@p.org.nz>\r\nReply-To: b@p.org.nz\r\n"
        b"Subject: =?utf-8?q?Privacy_br=C3=A9ach_=E2=80=93?=\r\n =?utf-8?q?_k=C5=8D?= rest\r\n"
        b"Message-ID: <1@p.org.nz>\r\nIn-Reply-To: <BN-4T7K-9@intake.example>\r\nReferences: <a@b>\r\n <c@d> <a@b>\r\n"
        b"Date: Fri, 20 Nov 2026 10:00:00 +1300 (NZDT)\r\n\r\nhi\r\n"
    )
    opened = open_envelope(raw)

    assert opened.subject == "Privacy bréach – kō rest"
    assert (opened.return_path, opened.reply_to) == ("ana@p.org.nz", "b@p.org.nz")
    assert (opened.message_id, opened.in_reply_to) == ("<1@p.org.nz>", ("<BN-4T7K-9@intake.example>",))
    assert opened.references == ("<a@b>", "<c@d>")
    assert opened.sent_at == datetime(2026, 11, 19, 21, 0, tzinfo=UTC)
    assert opened.headers[1] == ("Received", b" from x\r\n\tby y; now")
    assert opened.body == "hi\n"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (b"=?us-ascii?q?a?= =?utf-8?b?xY0=?=", "aō"),
        (b"=?utf-8?b?xQ==?= =?utf-8?b?jQ==?=", "ō"),  # one letter split over two words
        (b"=?windows-1252?q?caf=E9?=", "café"),
        (b"=?unknown-8bit?q?caf=C3=A9?=", "café"),
        ("naïve kōrero".encode(), "naïve kōrero"),
        (b"caf\xe9", "café"),
        (b"=?utf-8?q?a?=b", "ab"),
        (b"=?utf-8?q?one=0D=0ABcc:_x?=", "one  Bcc: x"),
        (b"=?utf-8?q?broken", "=?utf-8?q?broken"),
        (b"", ""),
    ],
)
def test_subjects_are_decoded_to_one_line(subject: bytes, text: str) -> None:
    assert open_envelope(HEAD + b"Subject: " + subject + b"\r\n\r\nhi").subject == text


@pytest.mark.parametrize(
    ("date", "at"),
    [
        (b"Fri, 20 Nov 2026 10:00:00 +1300", datetime(2026, 11, 19, 21, 0, tzinfo=UTC)),
        (b"20 Nov 26 10:00 GMT", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        (b"Fri, 20 Nov 2026 10:00:60 -0930", datetime(2026, 11, 20, 19, 30, 59, tzinfo=UTC)),
        (b"Fri, 32 Nov 2026 10:00:00 +1300", None),
        (b"Fri, 20 Foo 2026 10:00:00 +1300", None),
        (b"Fri, 20 Nov 2026 10:00:00 +9999", None),
        (b"Fri, 1 Jan 0001 00:00:00 +1300", None),
        (b"soon", None),
    ],
)
def test_dates_are_instants_or_nothing(date: bytes, at: datetime | None) -> None:
    assert open_envelope(HEAD + b"Date: " + date + b"\r\n\r\nhi").sent_at == at


def test_a_null_return_path_is_not_the_same_as_none() -> None:
    assert open_envelope(HEAD + b"Return-Path: <>\r\n\r\n").return_path == ""
    assert open_envelope(HEAD + b"\r\n").return_path is None


def test_a_broken_sender_has_a_sentence_and_no_address() -> None:
    opened = open_envelope(b"From: a@x.nz, b@x.nz\r\nSubject: x\r\n\r\nhi")

    assert (opened.from_address, opened.from_domain) == (None, None)
    assert opened.from_problem.endswith(".")
    assert opened.body == "hi"


@pytest.mark.parametrize(
    "raw", [b"X: a\rFrom: eve@evil.example\r\nFrom: ana@p.org.nz\r\n\r\n", b"From : eve@evil.example\r\n\r\n"]
)
def test_lines_that_programs_read_differently_leave_no_sender(raw: bytes) -> None:
    assert open_envelope(raw).from_address is None


def test_an_mbox_line_on_top_is_not_a_header() -> None:
    opened = open_envelope(b"From ana@p.org.nz Fri Nov 20 10:00:00 2026\nFrom: ana@p.org.nz\n\nhi")

    assert (opened.from_address, opened.notes) == ("ana@p.org.nz", ())


# ---- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain; charset=utf-8", "kōrero".encode(), "kōrero"),
        ("text/plain; charset=us-ascii", "kōrero".encode(), "kōrero"),  # lies
        ("text/plain; charset=iso-8859-1", "kōrero".encode(), "kōrero"),  # lies
        ("text/plain; charset=utf-8", b"caf\xe9", "café"),  # lies
        ("text/plain; charset=iso-8859-1", b"caf\xe9 \x93x\x94", "café “x”"),
        ("text/plain; charset=utf-16le", "kō".encode("utf-16le"), "kō"),
        ("text/plain; charset=iso-8859-13", b"k\xf4", "kō"),
        ("text/plain; charset=no-such", b"caf\xe9", "café"),
        ("text/plain; charset=zlib", b"x\x9c", "xœ"),
        ("text/plain; charset=\"'utf-8'\"", "kō".encode(), "kō"),
        ("text/plain", b"\x00a\x00", "a"),
        ("bogus", b"plain", "plain"),
        ("text/plain; format=flowed", b"one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
)
def test_texts_are_decoded_by_charset_and_where_that_lies_by_sense(kind: str, body: bytes, text: str) -> None:
    assert body_of(kind, body) == text


def test_transfer_encodings_are_undone() -> None:
    assert body_of("text/plain; charset=utf-8", b"k=C5=8Drero=\r\n!", "quoted-printable") == "kōrero!"
    assert body_of("text/plain; charset=utf-8", base64.b64encode("kōrero".encode()), "BASE64") == "kōrero"
    assert body_of("text/plain", b"begin 644 x\r\n#86)C\r\n`\r\nend\r\n", "x-uuencode") == "abc"


def test_html_is_shown_as_text_when_there_is_no_plain_text() -> None:
    page = (
        "<html><head><title>t</title><style>p{}</style></head><body><p>K&#333;rero &amp; <b>mahi</b></p><ul><li>one<li>two</ul>"
        "<script>alert(1)</script><!-- hidden --><table><tr><td>a</td><td>b</td></tr></table>1 &lt; 2<br>end</body></html>"
    )

    assert body_of("text/html; charset=utf-8", page.encode()) == "Kōrero & mahi\n\n- one\n- two\n\na b\n\n1 < 2\nend"


def test_plain_text_wins_over_html_and_blank_plain_text_does_not() -> None:
    html = b"Content-Type: text/html\r\n\r\n<p>page</p>"

    assert open_envelope(many(b"\r\nplain", html, kind="multipart/alternative")).body == "plain"
    assert open_envelope(many(b"\r\n  ", html, kind="multipart/alternative")).body == "page"
    assert open_envelope(many(b"\r\nabove", html)).body == "above\n\npage"  # two parts, both to be read


def test_a_multipart_that_lost_its_boundary_is_found_by_its_look() -> None:
    raw = many(b"\r\nplain", b"Content-Type: application/pdf; name=a.pdf\r\n\r\n%PDF")
    raw = raw.replace(b'; boundary="b"', b"").replace(b"--b", b"--000000000000f3aa")
    opened = open_envelope(raw)

    assert (opened.body, [a.name for a in opened.attachments]) == ("plain", ["a.pdf"])
    assert opened.notes


def test_a_mail_above_the_limit_keeps_its_text_and_says_so() -> None:
    raw = many(b"\r\nWe lost a laptop.", b"Content-Type: application/pdf; name=a.pdf\r\n\r\n" + b"x" * 5_000)
    opened = open_envelope(raw, Limits(message=4_000, oversize_peek=2_000))

    assert opened.body == "We lost a laptop."
    assert opened.attachments == ()
    assert any("larger" in note for note in opened.notes)


def test_text_without_an_empty_line_after_the_headers_is_kept() -> None:
    assert "lost a laptop" in open_envelope(HEAD + b"We lost a laptop.\r\nToday.\r\n").body


# ---- attachments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'Content-Disposition: attachment; filename="breach notice.pdf"', "breach notice.pdf"),
        (b"Content-Disposition: attachment; filename=breach notice.pdf", "breach notice.pdf"),
        (b"Content-Disposition: attachment; filename*=utf-8'en'k%C5%8Drero.pdf", "kōrero.pdf"),
        (
            b"Content-Disposition: attachment;\r\n filename*0*=utf-8''k%C5;\r\n filename*1*=%8D;\r\n filename*2=rero.pdf",
            "kōrero.pdf",
        ),
        (b'Content-Disposition: attachment; filename="=?utf-8?b?a8WNcmVyby5wZGY=?="', "kōrero.pdf"),
        ('Content-Disposition: attachment; filename="kōrero.pdf"'.encode(), "kōrero.pdf"),
        (b'Content-Disposition: attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
        (b'Content-Disposition: attachment; filename="../../etc/passwd"', "../../etc/passwd"),
        (b'Content-Type: application/pdf; name="n.pdf"', "n.pdf"),
        (b"Content-Disposition: attachment; filename*=x'y", "x'y"),
        (b"Content-Disposition: attachment", ""),
    ],
)
def test_names_of_attachments_are_decoded_and_stay_data(header: bytes, name: str) -> None:
    opened = open_envelope(
        many(b"\r\nhi", b"Content-Type: application/pdf\r\n" + header + b"\r\n\r\n%PDF")
        if b"Type" not in header
        else many(b"\r\nhi", header + b"\r\n\r\n%PDF")
    )

    assert [(a.path, a.name, a.content, a.inline) for a in opened.attachments] == [("2", name, b"%PDF", False)]


def test_broken_base64_gives_what_can_be_had_and_a_note() -> None:
    part = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    good, cut, two = (
        open_envelope(many(b"\r\nhi", part + text)).attachments[0]
        for text in (b"JVBERi0=", b"JVBERi0xL", b"JVBERi0=JVBERi0=")
    )

    assert (good.content, good.note) == (b"%PDF-", "")
    assert cut.content == b"%PDF-1" and cut.note.endswith(".")
    assert two.content == b"%PDF-" and two.note.endswith(".")


def test_T26_decoration_is_not_an_attachment_to_read() -> None:
    picture = (
        b"Content-Type: image/png; name=image001.png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    logo = picture + base64.b64encode(b"\x89PNG" + b"x" * 900)
    photo = picture + base64.encodebytes(b"\x89PNG" + b"x" * 300_000)
    invite = b'Content-Type: text/calendar; method=REQUEST; name="invite.ics"\r\n\r\nBEGIN:VCALENDAR'
    signature = b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n\r\nxxx'
    winmail = b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n\r\nx\x9f>"'
    form = b'Content-Type: application/pdf; name="form.pdf"\r\n\r\n%PDF'
    related = many(b"Content-Type: text/html\r\n\r\n<p>hi<img src=cid:logo>", logo, photo, kind="multipart/related")
    mixed = many(b"\r\nhi", logo, invite, signature, winmail, form)

    assert [a.inline for a in open_envelope(related).attachments] == [True, False]
    found = {a.name: a.inline for a in open_envelope(mixed).attachments}
    assert found == {
        "image001.png": True,
        "invite.ics": True,
        "smime.p7s": True,
        "winmail.dat": False,
        "form.pdf": False,
    }


def test_a_photo_that_a_phone_puts_into_the_text_is_an_attachment() -> None:
    photo = (
        b"Content-Type: image/jpeg; name=IMG_1.jpeg\r\nContent-Disposition: inline; filename=IMG_1.jpeg\r\n\r\n\xff\xd8"
    )

    assert [a.inline for a in open_envelope(many(b"\r\nhi", photo)).attachments] == [False]


def test_a_text_file_is_an_attachment_and_not_the_text() -> None:
    opened = open_envelope(many(b"\r\nhi", b"Content-Type: text/plain; name=notes.txt\r\n\r\nnotes"))

    assert (opened.body, [a.name for a in opened.attachments]) == ("hi", ["notes.txt"])


# ---- mails inside -----------------------------------------------------------------------------------------------------


def test_mails_inside_are_listed_outermost_first_and_whole() -> None:
    innermost = b"From: c@x.nz\r\nSubject: three\r\n\r\ndeep\r\n"
    middle = b"From: b@x.nz\r\nSubject: two\r\nContent-Type: message/rfc822\r\n\r\n" + innermost
    encoded = b'Content-Type: application/octet-stream; name="two.EML"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    raw = many(
        b"\r\nsee below",
        b"Content-Type: message/rfc822\r\n\r\n" + middle.rstrip(),
        encoded + base64.encodebytes(middle),
    )
    opened = open_envelope(raw)

    assert [(i.path, open_envelope(i.raw).subject) for i in opened.inner] == [
        ("2", "two"),
        ("3", "two"),
        ("2/1", "three"),
        ("3/1", "three"),
    ]
    assert opened.inner[1].raw == middle
    assert (opened.body, opened.attachments) == ("see below", ())


# ---- automatic mail ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "automatic", "bounce"),
    [
        (b"", False, False),
        (b"Auto-Submitted: no\r\n", False, False),
        (b"Auto-Submitted: auto-replied (vacation)\r\n", True, False),
        (b"Auto-Submitted: auto-generated; owner=x\r\n", True, False),
        (b"Precedence: bulk\r\n", True, False),
        (b"Precedence: first-class\r\n", False, False),
        (b"List-Id: <l.example>\r\n", True, False),
        (b"List-Unsubscribe: <https://x.example>\r\n", False, False),  # a tool for newsletters adds it to anything
        (b"Return-Path: <>\r\n", True, False),
        (b"X-Autoreply: yes\r\n", True, False),
        (b"X-Failed-Recipients: a@b.nz\r\n", True, True),
        (b"X-Auto-Response-Suppress: All\r\n", False, False),
        (b"X-Auto-Response-Suppress: All\r\nSubject: Automatic reply: hello\r\n", True, False),
        (b"Subject: Out of office: we lost a laptop\r\n", False, False),  # words alone prove nothing
        (b"Subject: Undeliverable: notice\r\n", False, False),
    ],
)
def test_only_headers_make_a_mail_automatic(lines: bytes, automatic: bool, bounce: bool) -> None:
    opened = open_envelope(lines + HEAD + b"\r\nhi")

    assert (bool(opened.automatic), opened.bounce) == (automatic, bounce)
    assert not automatic or opened.automatic.endswith(".")


def _report(kind: str, status: bytes) -> bytes:
    parts = (b"\r\nsorry", b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n" + status)
    return many(*parts, kind=f"multipart/report; report-type={kind}")


def test_T27_delivery_reports_are_bounces_only_when_something_failed() -> None:
    failed = open_envelope(_report("delivery-status", b"Action: failed\r\nStatus: 5.1.1"))
    delayed = open_envelope(_report("delivery-status", b"Action: delayed\r\nStatus: 4.4.1"))
    receipt = open_envelope(_report("disposition-notification", b"Disposition: manual-action; displayed"))

    assert [bool(o.automatic) for o in (failed, delayed, receipt)] == [True, True, True]
    assert [o.bounce for o in (failed, delayed, receipt)] == [True, False, False]
    assert open_envelope(HEAD.replace(b"ana@", b"MAILER-DAEMON@") + b"\r\nhi").bounce


def test_an_answer_to_an_invitation_is_automatic_unless_somebody_wrote_words() -> None:
    reply = b"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n"
    words = b"\r\nI cannot come, because our laptops were stolen last night and we are still counting."

    assert open_envelope(many(b"\r\n\r\n", reply)).automatic
    assert not open_envelope(many(words, reply)).automatic


def test_a_mail_made_by_the_standard_library_comes_back_whole() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ana Tē <ana@p.org.nz>", "Kōrero"
    mail.set_content("Tēnā koe\n")
    mail.add_alternative("<p>Tēnā koe</p>", subtype="html")
    mail.add_attachment(b"%PDF" * 999, maintype="application", subtype="pdf", filename="kōrero.pdf")
    opened = open_envelope(mail.as_bytes())

    assert (opened.from_display, opened.subject, opened.body) == ("Ana Tē", "Kōrero", "Tēnā koe\n")
    assert [(a.name, a.content) for a in opened.attachments] == [("kōrero.pdf", b"%PDF" * 999)]
