"""Self-contained HTML pages: prose, tables, pictures and charts in one file that asks the network for nothing.

A page is sections of blocks; each block is plain data, and templates/page.html knows how each kind looks. All text is
escaped there.
"""

import base64
import hashlib
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
class Entry:
    """Text in a table with the number it is sorted by; None stands last. It may lead to an anchor of the page."""

    text: str
    order: float | None
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under `columns`; the first cell of a row heads it. A Bar is drawn, text is set as it is."""

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Bar | Entry, ...], ...]
    sortable: bool = False
    """By a click on a column's name, where the page has a script for it."""


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
    """An inline SVG made by argan.viewing.charts or argan.viewing.drawing: the one thing that is not escaped."""

    kind: ClassVar[str] = "chart"
    svg: str
    alt: str
    caption: str = ""
    marks_are_links: bool = False
    """Then it is more than an image to those who cannot see it."""

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


@dataclass(frozen=True)
class Panel:
    """What the marks of a chart lead to."""

    anchor: str
    title: str
    subtitle: str
    blocks: "tuple[Block, ...]"
    picture: Picture | None = None
    """It takes the whole width of the page."""


@dataclass(frozen=True)
class Explorer:
    """A chart and, beside it, one of the panels at a time: `first`, until another is asked for."""

    kind: ClassVar[str] = "explorer"
    chart: Chart
    panels: tuple[Panel, ...]
    first: str = ""
    """The anchor of a panel; empty: none."""


Block = Prose | Command | Code | Facts | Table | Picture | Chart | Gallery | Details | Explorer


@dataclass(frozen=True)
class Section:
    """A part of the page; without a title it has no heading."""

    title: str
    blocks: tuple[Block, ...]


def page(title: str, subtitle: str, sections: Sequence[Section], *, extra: str = "") -> str:
    """The whole HTML document, the same for the same blocks. `extra` names what a page needs beyond the look of them
    all: templates/NAME.css and templates/NAME.js. No other script may run in it: its policy holds the hash of that one.
    """
    style, script = (_template_text(f"{extra}.{kind}") if extra else "" for kind in ("css", "js"))
    script_hash = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            subtitle=subtitle,
            sections=sections,
            extra_style=Markup(style),
            script=Markup(script),
            script_hash=script_hash,
        )
    )


def settings_table(settings: Mapping[str, Any]) -> Table:
    """A nested mapping as a table of dotted keys and their values."""
    return Table(("key", "value"), tuple(_flat(settings, "")))


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


def _template_text(name: str) -> str:
    """A file beside the template, as it is."""
    environment = _environment()
    assert environment.loader
    return environment.loader.get_source(environment, name)[0]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("argan.viewing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
