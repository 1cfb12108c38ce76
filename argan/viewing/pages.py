"""Self-contained HTML pages: prose, tables, pictures and charts in one file that asks the network for nothing.

A page is sections of blocks; each block is plain data, and templates/page.html knows how each kind looks. All text is
escaped there.
"""

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from argan.viewing.numbers import number


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    kind: ClassVar[str] = "prose"
    text: str


@dataclass(frozen=True)
class Command:
    """One line to type into a shell. It may wrap between its words, never inside one."""

    kind: ClassVar[str] = "command"
    text: str


@dataclass(frozen=True)
class Code:
    """Lines of code, as they are."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Facts:
    """What one looks for first: pairs of a name and a value, in large type."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Bar:
    """A share of the way, drawn as a bar from `start` to `end`; past the ends it is cut, not finite it is empty."""

    share: float
    text: str
    start: str = ""
    end: str = ""

    @property
    def filled_percent(self) -> float:
        # Written so that NaN, which compares false to everything, becomes 0.
        return round(100 * min(self.share, 1.0), 2) if self.share > 0 else 0.0


@dataclass(frozen=True)
class Table:
    """Rows of cells under `columns`; the first cell of a row heads it. A Bar is drawn, text is set as it is."""

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Bar, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG. `alt` says what a reader who cannot see it should know."""

    kind: ClassVar[str] = "picture"
    png: bytes
    alt: str
    caption: str = ""

    @property
    def uri(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode()

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, from the PNG's header: the browser keeps the place free while it decodes."""
        width_px, height_px = struct.unpack(">II", self.png[16:24])
        return width_px, height_px


@dataclass(frozen=True)
class Chart:
    """An inline SVG made by argan.viewing.charts: the one thing that is not escaped."""

    kind: ClassVar[str] = "chart"
    svg: str
    alt: str
    caption: str = ""

    @property
    def element(self) -> Markup:
        return Markup(self.svg)


@dataclass(frozen=True)
class Gallery:
    """Pictures or charts side by side: two on a desktop, one on a phone."""

    kind: ClassVar[str] = "gallery"
    figures: tuple[Picture | Chart, ...]


@dataclass(frozen=True)
class Details:
    """Blocks behind a line that opens them; open in print."""

    kind: ClassVar[str] = "details"
    summary: str
    blocks: "tuple[Block, ...]"


Block = Prose | Command | Code | Facts | Table | Picture | Chart | Gallery | Details


@dataclass(frozen=True)
class Section:
    """A part of the page; without a title it has no heading."""

    title: str
    blocks: tuple[Block, ...]


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The whole HTML document, the same for the same blocks."""
    return _environment().get_template("page.html").render(title=title, subtitle=subtitle, sections=sections)


def settings_table(settings: Mapping[str, Any], *, caption: str = "") -> Table:
    """A nested mapping as a table of dotted keys and their values."""
    return Table(("key", "value"), tuple(_flat(settings, "")), caption)


def _flat(settings: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            rows.append((prefix + key, ", ".join(map(number, value))))
        else:
            rows.append((prefix + key, number(value)))
    return rows


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("argan.viewing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
