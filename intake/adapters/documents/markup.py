"""XML of a stranger, event by event: no tree is built, nothing is fetched, and no part of it names another.

The walkers get short names, `prefix:name` of the spaces that they know. What they gather is theirs to limit; how many events
there are is limited here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lxml import etree  # type: ignore[import-untyped]

from intake.adapters.documents.zipped import Refused

MOST_ELEMENTS = 400_000  # a form of ours that Word saved has about 30,000
MOST_DEEP = 256  # elements in one another
STEP = 1 << 16


class Walker(Protocol):
    """Told of each element's beginning with its attributes (short names too), each piece of text, each end."""

    def start(self, name: str, given: Mapping[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class Enough(Exception):
    """Raised by a walker that has seen what it needs."""


class _Target:
    """What lxml calls. Any declaration of types or entities ends the reading: no office program writes one."""

    def __init__(self, walker: Walker, spaces: Mapping[str, str], most: int) -> None:
        self._walker = walker
        self._spaces = spaces
        self._short: dict[str, str] = {}
        self._left = most
        self._deep = 0
        self.data = walker.data

    def start(self, tag: str, given: Mapping[str, str]) -> None:
        self._left -= 1
        self._deep += 1
        if self._left < 0 or self._deep > MOST_DEEP:
            raise Refused("too_costly")
        self._walker.start(self._named(tag), {self._named(k): v for k, v in given.items()})

    def end(self, tag: str) -> None:
        self._deep -= 1
        self._walker.end(self._named(tag))

    def doctype(self, *_: object) -> None:
        raise Refused("corrupt")

    def close(self) -> None:
        return None

    def _named(self, tag: str) -> str:
        short = self._short.get(tag)
        if short is None:
            space, _, name = tag[1:].rpartition("}")
            short = self._short[tag] = self._spaces.get(space, "?:") + name if tag.startswith("{") else tag
        return short


def walk(xml: bytes, walker: Walker, spaces: Mapping[str, str], most: int = MOST_ELEMENTS) -> None:
    """Tell the walker of everything. spaces: address of each name space that it knows to what stands before its names.

    Raises Refused for what is no XML, declares entities, is nested too deeply or has more than `most` elements.
    """
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise Refused("corrupt")
    # The encoding is ours and not the file's word: another one would hide a declaration from the search above.
    parser = etree.XMLParser(
        target=_Target(walker, spaces, most), encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False
    )
    try:
        for at in range(0, len(xml), STEP):
            parser.feed(xml[at : at + STEP])
        parser.close()
    except Enough:
        return
    except etree.XMLSyntaxError as error:
        raise Refused("corrupt") from error
