"""What a field looks like: content streams for empty boxes, marks and typed text. Plain bytes, no library."""

from __future__ import annotations

EDGE = "0.396 0.455 0.486"  # the field edge of the style sheet, 3:1 against white
INK = "0.094 0.133 0.153"
KAPPA = 0.5523  # a quarter circle as one Bezier curve


def text_box(width: float, height: float, body: bytes = b"") -> bytes:
    """A box with typed text (already as operators) between the marks that viewers edit."""
    return _frame(width, height) + b"/Tx BMC\n" + body + b"EMC\n"


def drop_down_box(width: float, height: float) -> bytes:
    x, y = width - 12, height / 2
    arrow = f"q {EDGE} rg {x:.2f} {y + 2:.2f} m {x + 7:.2f} {y + 2:.2f} l {x + 3.5:.2f} {y - 2.5:.2f} l f Q\n"
    return _frame(width, height) + arrow.encode() + b"/Tx BMC\nEMC\n"


def _frame(width: float, height: float) -> bytes:
    return (
        f"q 1 1 1 rg 0 0 {width:.2f} {height:.2f} re f {EDGE} RG 0.8 w "
        f"0.4 0.4 {width - 0.8:.2f} {height - 0.8:.2f} re S Q\n"
    ).encode()


def check_box(size: float, on: bool) -> bytes:
    """A square; on: with a tick that fills most of it."""
    frame = _frame(size, size)
    if not on:
        return frame
    a, b, c = size * 0.2, size * 0.42, size * 0.82
    tick = (
        f"q {INK} RG 1.9 w 1 J 1 j {a:.2f} {size * 0.5:.2f} m {b:.2f} {size * 0.24:.2f} l "
        f"{c:.2f} {size * 0.78:.2f} l S Q\n"
    )
    return frame + tick.encode()


def radio(size: float, on: bool) -> bytes:
    """A circle; on: with a disc that fills most of it."""
    centre = size / 2
    ring = f"q 1 1 1 rg {EDGE} RG 0.8 w {_circle(centre, centre - 0.4)} B Q\n"
    disc = f"q {INK} rg {_circle(centre, centre * 0.56)} f Q\n" if on else ""
    return (ring + disc).encode()


def _circle(centre: float, radius: float) -> str:
    k, c, r = radius * KAPPA, centre, radius
    return (
        f"{c + r:.2f} {c:.2f} m "
        f"{c + r:.2f} {c + k:.2f} {c + k:.2f} {c + r:.2f} {c:.2f} {c + r:.2f} c "
        f"{c - k:.2f} {c + r:.2f} {c - r:.2f} {c + k:.2f} {c - r:.2f} {c:.2f} c "
        f"{c - r:.2f} {c - k:.2f} {c - k:.2f} {c - r:.2f} {c:.2f} {c - r:.2f} c "
        f"{c + k:.2f} {c - r:.2f} {c + r:.2f} {c - k:.2f} {c + r:.2f} {c:.2f} c h"
    )


def typed_lines(lines: list[bytes], key: str, size: float, left: float, top: float, leading: float) -> bytes:
    """Operators that write lines from the top left corner (baseline of the first line at `top`)."""
    out = [f"q BT /{key} {size:g} Tf 0 g {left:.2f} {top:.2f} Td {leading:.2f} TL".encode()]
    for n, line in enumerate(lines):
        out.append((b"T* " if n else b"") + b"(" + _escaped(line) + b") Tj")
    out.append(b"ET Q\n")
    return b"\n".join(out)


def _escaped(raw: bytes) -> bytes:
    for special in (b"\\", b"(", b")"):
        raw = raw.replace(special, b"\\" + special)
    return raw.replace(b"\r", b"\\r")
