"""Mails made to be expensive. Each is a name and bytes; none needs more than the product's limits to be harmless."""

from __future__ import annotations

from collections.abc import Iterator

HEAD = b"From: Ana <ana@p.org.nz>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"


def _nested_multiparts(depth: int) -> bytes:
    out = [HEAD, b'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n']
    for n in range(depth):
        out.append(b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (n, n + 1))
    out.append(b"--b%d\r\n\r\nhello\r\n" % depth)
    out += [b"--b%d--\r\n" % n for n in range(depth, -1, -1)]
    return b"".join(out)


def _nested_mails(depth: int) -> bytes:
    return (HEAD + b"Content-Type: message/rfc822\r\n\r\n") * depth + HEAD + b"\r\nhello\r\n"


def _parts(count: int, part: bytes) -> bytes:
    return HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + (b"--b\r\n" + part) * count + b"--b--\r\n"


def _body(kind: bytes, body: bytes) -> bytes:
    return HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + body


def bombs() -> Iterator[tuple[str, bytes]]:
    yield (
        "50,000 addresses",
        b"To: " + b",\r\n ".join(b"a%d@x.nz" % n for n in range(50_000)) + b"\r\n" + HEAD + b"\r\nhi",
    )
    yield "50,000 addresses in From", b"From: " + b",".join(b"a%d@x.nz" % n for n in range(50_000)) + b"\r\n\r\nhi"
    yield "From of brackets", b"From: " + b"(" * 5_000 + b"\r\n\r\nhi"
    yield "From of quotes", b"From: " + b'"' * 60_000 + b" <a@b.nz>\r\n\r\nhi"
    yield "50,000 quotes in Reply-To", b"Reply-To: " + b'"' * 50_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "10,000 parameters", _body(b"text/plain" + b"".join(b"; a%d=b" % n for n in range(10_000)), b"hi")
    yield "10,000 continued parameters", _body(b"text/plain" + b"".join(b"; a*%d=b" % n for n in range(10_000)), b"hi")
    yield "semicolons", _body(b"text/plain" + b";" * 20_000, b"hi")
    yield "quotes in Content-Type", _body(b"text/plain; a=" + b'"\\' * 30_000, b"hi")
    yield "blanks in Content-Type", _body(b"text/plain; " + (b"a" * 50 + b" " * 900) * 60, b"hi")
    yield "100,000 empty parts", _parts(100_000, b"\r\n")
    yield "100,000 parts without a header", _parts(100_000, b"")
    yield "100,000 false delimiters", _parts(1, b"\r\n" + b"--bx\r\n" * 100_000)
    yield "long blanks after delimiters", _parts(1, b"\r\n" + (b"--b" + b" " * 2_000 + b"x\r\n") * 2_000)
    yield "2,000 nested multiparts", _nested_multiparts(2_000)
    yield "60,000 nested multiparts", _nested_multiparts(60_000)
    yield "2,000 nested mails", _nested_mails(2_000)
    yield "50,000 encoded words", b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "encoded words cut short", b"Subject: " + b"=?utf-8?q?a" * 10_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "100,000 header lines", b"X: y\r\n" * 100_000 + HEAD + b"\r\nhi"
    yield "a header of 10 MB", b"X-Long: " + b"y" * 10_000_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "a folded header of 60,000 lines", b"X-Long: a" + b"\r\n b" * 60_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "no end of the headers", b"X: y\r\n" * 1_000_000
    yield "headers of blanks", (b" " * 200 + b"\r\n") * 20_000 + HEAD + b"\r\nhi"
    yield "30 MB of text", _body(b"text/plain", b"word " * 6_000_000)
    yield "36 MB", _body(b"text/plain", b"word " * 7_500_000)
    yield "deep HTML", _body(b"text/html", b"<div>" * 100_000 + b"x" + b"</div>" * 100_000)
    yield "open tags", _body(b"text/html", b"<" * 1_000_000)
    yield "open comments", _body(b"text/html", b"<!--" * 200_000)
    yield "open scripts", _body(b"text/html", b"<script>" * 100_000)
    yield "quotes in tags", _body(b"text/html", b'<a "' * 200_000 + b">")
    yield "odd tags", _body(b"text/html", b'<a b=">' * 100_000)
    yield "huge entities", _body(b"text/html", b"&#" + b"9" * 400_000 + b";" + b"&" * 100_000)
    yield "tags without an end after heads", _body(b"text/html", b"<head>" * 80_000)
    yield "blank lines in HTML", _body(b"text/html", b"<br>\n" * 100_000)
    yield "utf-7", _body(b"text/plain; charset=utf-7", b"+AD" * 200_000)
    yield "punycode", _body(b"text/plain; charset=punycode", b"a-" * 200_000)
    yield "idna domain", b"From: a@" + b"xn--" * 60 + b".nz\r\n\r\nhi"
    yield "long idn domain", b"From: a@" + "ō.".encode() * 120 + b"nz\r\n\r\nhi"
    yield "dates", b"Date: " + b"1 Jan 2020 " * 6_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "references", b"References: " + b"<a@b> " * 10_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "open references", b"References: " + b"<" * 60_000 + b"\r\n" + HEAD + b"\r\nhi"
    yield "uuencode", HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\n" + b"begin 644 a\r\n" * 100_000
    yield "broken base64", HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A!" * 2_000_000
    yield "quoted-printable", HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 3_000_000
    yield "forwarded blocks", _body(b"text/plain", b"From: a\r\nFrom: b@c.nz <\r\n" * 100_000)
    yield "at signs", _body(b"text/plain", b"From: " + b"a@" * 200 + b"\r\nTo: x\r\n" + b"From: x@\r\n" * 100_000)
    yield (
        "30 MB in twenty mails",
        (HEAD + b"Content-Type: message/rfc822\r\n\r\n") * 20 + HEAD + b"\r\n" + b"x" * 30_000_000,
    )
    yield (
        "200 mails of 150 KB",
        _parts(200, b"Content-Type: message/rfc822\r\n\r\n" + HEAD + b"\r\n" + b"x" * 150_000 + b"\r\n"),
    )
    yield "50 MB of base64", HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 12_500_000
    yield "34 MB of base64 in one line", HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 8_500_000
    yield (
        "34 MB of broken base64",
        HEAD + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"Q!" * 17_000_000,
    )
    yield (
        "34 MB of quoted-printable",
        HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=41" * 11_300_000,
    )
    yield "34 MB of letters of four bytes", _body(b"text/plain; charset=utf-8", "😀".encode() * 8_500_000)
    yield (
        "200 texts of 170 KB",
        _parts(200, b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "😀".encode() * 42_000 + b"\r\n"),
    )
    yield "30 MB of ISO-2022-JP", _body(b"text/plain; charset=iso-2022-jp", b"\x1b$B$3\x1b(B" * 3_700_000)
    yield "30 MB of GB18030", _body(b"text/plain; charset=gb18030", b"\x81\x30\x81\x30" * 7_500_000)
    yield "30 MB of UTF-16", _body(b"text/plain; charset=utf-16", b"\xff\xfe" + b"\x3d\xd8" * 15_000_000)
    yield "30 MB of HZ", _body(b"text/plain; charset=hz", b"~{<:Ky~}" * 3_700_000)
    yield (
        "10,000 parts of a name",
        _body(b"application/pdf" + b"".join(b"; name*%d*=%%41" % n for n in range(10_000)), b"hi"),
    )
    yield "a name of 60 KB", _body(b"application/pdf; name*=utf-8''" + b"%41" * 20_000, b"hi")
    yield "a name of encoded words", _body(b'application/pdf; name="' + b"=?utf-8?b?YQ==?= " * 3_500 + b'"', b"hi")
    yield "deep comments", b"From: " + b"(a" * 30_000 + b")" * 30_000 + b" <a@b.nz>\r\n\r\nhi"
    yield "deep comments in Content-Type", _body(b"text/plain " + b"(" * 60_000, b"hi")
    yield "a group without end", b"From: a: " + b"b@c.nz; " * 8_000 + b"\r\n\r\nhi"
    yield (
        "3,000 headers of 80 bytes",
        b"".join(b"Received: from a%d by b; 1 Jan 2026 00:00:00 +0000%s\r\n" % (n, b" " * 30) for n in range(3_000))
        + HEAD
        + b"\r\nhi",
    )
    yield "200 parts of 200 headers", _parts(200, b"X-A: b\r\n" * 200 + b"\r\nhi\r\n")
    yield "content types without end", (b"Content-Type: text/plain; a=b\r\n" * 3_000) + HEAD + b"\r\nhi"
    yield "alternatives in alternatives", _nested_multiparts(19).replace(b"multipart/mixed", b"multipart/alternative")
    yield "40,000 pictures in a page", _body(b"text/html", b'<img src="cid:a">' * 40_000)
    yield "a meta without end", _body(b"text/html", b"<meta " * 100_000 + b"charset=" * 9)
    yield "an invitation of 30 MB", _body(b"text/calendar", b"SUMMARY:a\\n\r\n b\r\n" * 1_400_000)
    yield "an invitation of one line", _body(b"text/calendar", b"DESCRIPTION;" + b"A=B;" * 200_000 + b":x")
    yield (
        "a bounce of 30 MB",
        HEAD + b"Return-Path: <>\r\nX-Failed-Recipients: a@b.nz\r\n\r\n" + b"Message-ID: <a@b>\r\n" * 1_500_000,
    )
    yield (
        "boundaries of boundaries",
        HEAD
        + b'Content-Type: multipart/mixed; boundary="'
        + b"-" * 70
        + b'"\r\n\r\n'
        + b"-" * 72
        + b"\r\n"
        + b"-" * 20_000_000,
    )
    yield "carriage returns", _body(b"text/plain", b"\r" * 20_000_000)
    yield "nulls", _body(b"text/plain", b"\0" * 30_000_000)
    yield "PGP without end", _body(b"text/plain", b"-----BEGIN PGP MESSAGE-----\r\n" * 100_000)
