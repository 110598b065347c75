"""The code printed on each page of our forms: form, edition, page and how many there are. Runs in the child."""

from __future__ import annotations

import re

import zxingcpp
from PIL import Image

from forms.schema import Form
from intake.adapters.documents.editions import known_form

CODE = re.compile(r"PI1:([a-z0-9-]{1,60})@([0-9.]{1,20}):(\d{1,3})/(\d{1,3})")


def form_of_picture(page: Image.Image) -> Form | None:
    """The form that the code on a page names; None when there is none, or none of ours."""
    for code in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)):
        match = CODE.fullmatch(code.text)
        if match and (form := known_form(match[1], match[2])):
            return form
    return None
