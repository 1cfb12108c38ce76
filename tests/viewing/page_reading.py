"""How the tests of pages read HTML: what it would load, what it says."""

from html.parser import HTMLParser
from typing import NamedTuple

LOADING = {"src", "srcset", "href", "data", "poster", "action", "background", "xlink:href"}
SET_APART = {"title", "h1", "h2", "h3", "p", "pre", "dt", "dd", "th", "td", "caption", "figcaption", "summary", "text"}
CLOSED_BY_THEMSELVES = {"meta", "link", "img", "br", "hr"}


class Reading(NamedTuple):
    """An HTML page, read."""

    loads: list[str]
    """All that a browser would fetch, or follow on a click."""
    tags: list[str]
    """Elements by name, in order."""
    images: list[dict[str, str]]
    """The attributes of each img."""
    text: str
    """What a person reads, entities resolved, white space as one space."""


def read(html: str) -> Reading:
    """Parse a page; AssertionError where elements are not closed in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [], f"left open: {reader.open}"
    return Reading(reader.loads, reader.tags, reader.images, " ".join("".join(reader.pieces).split()))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str]] = []
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.loads += [value for name, value in values.items() if name in LOADING]
        self.loads += [value.partition("url(")[2] for value in values.values() if "url(" in value]
        if tag == "img":
            self.images.append(values)
        if tag not in CLOSED_BY_THEMSELVES:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in CLOSED_BY_THEMSELVES:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} closed but never opened"
        assert self.open.pop() == tag, f"{tag} closed out of order"
        if tag in SET_APART:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.loads += data.split("url(")[1:] + data.split("@import")[1:]
        elif not self.open or self.open[-1] != "script":
            self.pieces.append(data)
