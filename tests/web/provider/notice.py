"""What somebody types into a notice."""

from __future__ import annotations

WHOLE: dict[str, str | list[str]] = {
    "A07": "dont_know",
    "A09": "ongoing",
    "A06": "A folder with programme papers for two people was left on a bus.\nWe rang the bus company, nothing yet.",
    "A10": "stranger",
    "A11": "private",
    "A08.at:d": "23",
    "A08.at:m": "11",
    "A08.at:y": "2026",
    "A08.at:t": "7:30 am",
    "A08.about": "yes",
    "A01": "Tōtara Example Whānau Services",
    "A02": "P. Example",
    "A03": "Office manager",
    "A04": "+64 21 000 0007",
    "A05": "p.example@totara.example",
}
