"""Charts drawn by hand, as inline SVG: where every mark must be a link, a plotting library is in the way.

Elements, never strings: a name is text wherever it comes from. Colours and fonts are those of the page's style sheet.
Lengths are in units of the picture, about a px each on a desktop.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from argan.viewing.axes import Axis

Element = ET.Element
Point = tuple[float, float]

LINE_HEIGHT = 16.0


def element(tag: str, *children: Element | str, **attributes: object) -> Element:
    """An element of SVG. `stroke_width=2` becomes stroke-width="2", `class_` class; a child may be text."""
    names = {name: name.rstrip("_").replace("_", "-") for name in attributes}
    made = ET.Element(tag, {names[name]: _words(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


def text(words: str, at: Point, *, anchor: str = "start", class_: str = "") -> Element:
    """Words whose baseline starts, has its middle or ends at a point."""
    return element("text", words, x=at[0], y=at[1], text_anchor=anchor, class_=class_)


def line(points: Iterable[Point | None], *, class_: str, closed: bool = False) -> Element:
    """A line through the points, broken where one is missing."""
    steps, command = [], "M"
    for point in points:
        if point is not None:
            steps.append(f"{command}{_words(point[0])} {_words(point[1])}")
        command = "L" if point is not None else "M"
    return element("path", d="".join(steps) + ("Z" if closed else ""), class_=class_)


def picture(size: Point, elements: Iterable[Element], *, min_width_px: int = 0) -> str:
    """The `<svg>` of elements, one over the other. It takes the width it is given, but no less than `min_width_px`."""
    whole = element("svg", *elements, viewBox=f"0 0 {size[0]:g} {size[1]:g}", style=f"min-width:{min_width_px}px")
    return ET.tostring(whole, encoding="unicode")


@dataclass(frozen=True)
class Frame:
    """A chart's plot area, and where the values of two axes stand in it."""

    x: Axis
    y: Axis
    size: Point
    left: float = 54.0
    top: float = 34.0
    right: float = 16.0
    bottom: float = 48.0

    def at(self, x_place: float, y_place: float) -> Point:
        """The point at these places of the two axes, y upwards."""
        width, height = self.size[0] - self.left - self.right, self.size[1] - self.top - self.bottom
        return self.left + x_place * width, self.top + (1 - y_place) * height

    def point(self, x: object, y: object) -> Point | None:
        """The point of two values, if both have a place."""
        x_place, y_place = self.x.place(x), self.y.place(y)
        return self.at(x_place, y_place) if x_place is not None and y_place is not None else None

    def furniture(self, x_name: str, y_name: str) -> list[Element]:
        """Grid lines, numbers, and the names of both axes: that of y stands level, above its end."""
        drawn = []
        for place, words in self.x.ticks():
            foot, head = self.at(place, 0), self.at(place, 1)
            drawn += [line([foot, head], class_="grid"), text(words, (foot[0], foot[1] + 18), anchor="middle")]
        for place, words in self.y.ticks():
            start, end = self.at(0, place), self.at(1, place)
            drawn += [line([start, end], class_="grid"), text(words, (start[0] - 8, start[1] + 4), anchor="end")]
        drawn.append(text(x_name, (self.at(1, 0)[0], self.size[1] - 8), anchor="end", class_="name"))
        return [*drawn, text(y_name, (4, LINE_HEIGHT), class_="name")]


def stairs(points: Sequence[Point]) -> list[Point]:
    """The points with corners between them: along x first, then along y."""
    steps = [((after[0], before[1]), after) for before, after in pairwise(points)]
    return [*points[:1], *(point for step in steps for point in step)]


def _words(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
