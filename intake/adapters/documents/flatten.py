"""A photo or a scan of one of our pages, laid flat over the issued one. Runs in the child; the only importer of OpenCV.

The printed code says which page it is and which way up, and about where its four black squares are. From those the page is laid flat, so
that a page that lies askew, upside down or in perspective is looked at as the issued one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from intake.adapters.documents.page_code import CODE_PLACE, PageCode
from intake.adapters.documents.register import A4, INSET, SQUARE, Registration

cv2.setNumThreads(0)  # a child starts no threads of its own
Gray = NDArray[np.uint8]
Points = NDArray[np.float32]
Transform = NDArray[np.float64]
Spot = tuple[float, float]
SCALE = 2.0  # pixels to a point of the page that is made
LAID = Registration(SCALE, 0.0, SCALE, 0.0, found=True)  # where things stand on it
_EDGE = INSET + SQUARE / 2
_SQUARES = (  # centres, the nearest to the code first
    (A4[0] - _EDGE, A4[1] - _EDGE),
    (_EDGE, A4[1] - _EDGE),
    (A4[0] - _EDGE, _EDGE),
    (_EDGE, _EDGE),
)
_REACH = (40.0, 200.0, 300.0, 330.0)  # points around the expected place in which each is looked for
STRAIGHT_HIGH = 2_000  # pixels of the longer side at which squares are looked for without a code
STRAIGHT_SCALE = 3.0
MOST_SQUARES, MOST_HULL = 200, 12
MOST_NEAR = 8  # squares that are tried for one corner
CODE_OFF = 4.0  # points by which the code may then seem moved
DARK = 140  # of 255, on paper that is evenly lit
_LIGHT = 41  # pixels, wider than any stroke: the paper's own brightness around a place


def flat_page(picture: Image.Image, code: PageCode) -> Image.Image | None:
    """The page as the issued one lies, at two pixels to a point and evenly bright; None when its squares are not there."""
    gray, corners = _at_scale(np.asarray(picture), code)
    gray = _evenly_lit(gray)
    laid = _laid(corners, _solid_squares(gray))
    if laid is None:
        return None
    size = (round(A4[0] * SCALE), round(A4[1] * SCALE))
    page = cv2.warpPerspective(gray, laid, size, flags=cv2.INTER_LINEAR, borderValue=255)
    return Image.fromarray(np.asarray(page, np.uint8))


def straightened(picture: Image.Image) -> Image.Image | None:
    """The picture with its four outermost black squares in the corners of a page, upright or not: for a code that lies too much askew to
    be read as it is. None when there are no four."""
    gray = np.asarray(picture)
    times = STRAIGHT_HIGH / max(gray.shape)
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_LINEAR
    sized = _evenly_lit(np.asarray(cv2.resize(gray, None, fx=times, fy=times, interpolation=how), np.uint8))
    corners = _outermost(_solid_squares(sized))
    if corners is None:
        return None
    page = np.array([_SQUARES[n] for n in (3, 2, 0, 1)], np.float32) * STRAIGHT_SCALE  # clockwise from the left top
    laid = cv2.getPerspectiveTransform(corners / np.float32(times), page)
    size = (round(A4[0] * STRAIGHT_SCALE), round(A4[1] * STRAIGHT_SCALE))
    return Image.fromarray(np.asarray(cv2.warpPerspective(gray, laid, size, borderValue=255), np.uint8))


def _outermost(squares: Sequence[Spot]) -> Points | None:
    """The four that span most, clockwise, the longer sides upright."""
    if not 4 <= len(squares) <= MOST_SQUARES:
        return None
    hull = cv2.convexHull(np.array(squares, np.float32))[:, 0, :]
    fours = [np.array(four, np.float32) for four in combinations(hull[:MOST_HULL], 4)]
    if not fours:
        return None
    four = max(fours, key=lambda f: cv2.contourArea(f))
    if cv2.contourArea(four, oriented=True) < 0:
        four = four[::-1]
    sides = [float(np.linalg.norm(four[n] - four[n - 1])) for n in range(4)]
    return np.asarray(np.roll(four, 1, axis=0) if sides[1] + sides[3] > sides[0] + sides[2] else four, np.float32)


def _laid(corners: Points, squares: Sequence[Spot]) -> Transform | None:
    """From the picture to the page: by those four squares that put the code where it is printed, and by none when no four do."""
    by_code = _straight(corners, np.array(CODE_PLACE, np.float32))
    if by_code is None:
        return None
    near = [_nearest(squares, by_code, place, reach) for place, reach in zip(_SQUARES, _REACH, strict=True)]
    paper = np.array(_SQUARES, np.float32)
    best: Transform | None = None
    least = CODE_OFF
    for four in product(*near):
        if len(set(four)) < 4:
            continue
        laid = cv2.getPerspectiveTransform(np.array(four, np.float32), paper)
        at = cv2.perspectiveTransform(corners.reshape(1, -1, 2), laid)[0]
        off = float(np.abs(at - np.array(CODE_PLACE, np.float32)).max())
        if off < least:
            least, best = off, np.asarray(laid, np.float64)
    scaled = np.diag([SCALE, SCALE, 1.0])
    return None if best is None else scaled @ best


def _at_scale(gray: Gray, code: PageCode) -> tuple[Gray, Points]:
    """The picture with about two pixels to a point, and the code's corners in it."""
    corners = np.array(code.corners, np.float32)
    side = float(np.mean([np.linalg.norm(corners[i] - corners[i - 1]) for i in range(4)]))
    paper_side = CODE_PLACE[1][0] - CODE_PLACE[0][0]
    times = SCALE * paper_side / max(side, 1.0)
    if 0.8 < times < 1.25:
        return gray, corners
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_LINEAR
    return cv2.resize(gray, None, fx=times, fy=times, interpolation=how), corners * np.float32(times)  # type: ignore[return-value]


def _straight(corners: Points, paper: Points) -> Transform | None:
    """From the page to the picture as if it lay straight under the camera, by the code alone: near it that is nearly so."""
    straight = cv2.estimateAffinePartial2D(paper, corners)[0]
    return None if straight is None else np.asarray(straight, np.float64)


def _nearest(squares: Sequence[Spot], straight: Transform, place: Spot, reach: float) -> list[Spot]:
    """The squares about where one is expected, the nearest first."""
    x, y = cv2.transform(np.array([[place]], np.float32), straight)[0][0]
    near = sorted((float(np.hypot(s[0] - x, s[1] - y)), s) for s in squares)
    return [spot for off, spot in near if off <= reach * SCALE][:MOST_NEAR]


def _solid_squares(gray: Gray) -> list[Spot]:
    """Centres of the filled squares that are about as large as those in the corners."""
    dark = cv2.threshold(cv2.GaussianBlur(gray, (3, 3), 0), DARK, 255, cv2.THRESH_BINARY_INV)[1]
    shapes, _ = cv2.findContours(dark, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    side = SQUARE * SCALE
    centres = []
    for shape in shapes:
        area = cv2.contourArea(shape)
        if not 0.3 * side**2 < area < 4 * side**2:
            continue
        _, (width, height), _ = cv2.minAreaRect(shape)
        if max(width, height) > 1.45 * min(width, height) or area < 0.78 * width * height:
            continue
        x, y, w, h = cv2.boundingRect(shape)
        inside = np.zeros((h, w), np.uint8)
        cv2.drawContours(inside, [shape], -1, 255, cv2.FILLED, offset=(-x, -y))
        if cv2.mean(dark[y : y + h, x : x + w], mask=inside)[0] < 0.85 * 255:
            continue  # a frame, not a filled square
        moments = cv2.moments(shape)
        centres.append((moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]))
    return centres


def _evenly_lit(page: Gray) -> Gray:
    """Paper white everywhere, whatever shadow lay on it."""
    small = cv2.resize(page, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    light = cv2.dilate(small, np.ones((_LIGHT // 4, _LIGHT // 4), np.uint8))
    light = cv2.GaussianBlur(light, (0, 0), 6)
    light = cv2.resize(light, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(page, np.maximum(light, 40), scale=255)  # type: ignore[return-value]
