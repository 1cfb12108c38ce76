"""Parallel coordinates: a line a trial, through its value of every key to its objectives at the right."""

from argan.viewing.drawing import LINE_HEIGHT, Element, Point, line, picture, text
from argan.viewing.pages import Chart
from argan.viewing.sweep_marks import mark
from argan.viewing.sweep_table import Sweep, Trial

WIDTH, HEIGHT = 1040.0, 400.0
AXIS_WIDTH = 118.0
"""Of an axis with its names: many axes make the chart wider than WIDTH."""

TOP, FOOT, SIDE = 62.0, 14.0, 70.0
NAMES_Y = 18.0

SHRINKS_TO = 0.85
"""Share of its size below which its words could not be read: on a phone it keeps this and is moved sideways."""

READING = (
    "On the axes of objectives better is up. Where a setting is one of a few, the lines are strewn a little, so that "
    "one can follow each. A line that ends early has no value yet."
)


def parallel_chart(sweep: Sweep) -> Chart:
    """Every key and every objective of every trial."""
    names = [*sweep.keys, *(objective.name for objective in sweep.objectives)]
    width = max(WIDTH, AXIS_WIDTH * len(names))
    apart = (width - 2 * SIDE) / max(len(names) - 1, 1)
    columns = {name: SIDE + i * apart for i, name in enumerate(names)}
    drawn = []
    for trial in sweep.best_last:
        way = [_point(sweep, trial, name, x) for name, x in columns.items()]
        drawn.append(mark(sweep, trial, line(way, class_="finger"), line(way, class_="way")))
    drawn += [part for name, x in columns.items() for part in _axis(sweep, name, x)]
    svg = picture((width, HEIGHT), drawn, min_width_px=round(SHRINKS_TO * width))
    return Chart(svg, "Every trial across its settings and objectives", READING, marks_are_links=True)


def _axis(sweep: Sweep, name: str, x: float) -> list[Element]:
    """The axis with its ticks. Keys are long: the name is cut at its last dot and stands on two lines."""
    group, dot, last = name.rpartition(".")
    goal = next((objective.direction for objective in sweep.objectives if objective.name == name), "")
    drawn = [line([(x, TOP), (x, HEIGHT - FOOT)], class_="axis")]
    for i, (words, class_) in enumerate(((group + dot, "soft"), (last, "name"), (goal, "soft"))):
        drawn.append(text(words, (x, NAMES_Y + i * LINE_HEIGHT), anchor="middle", class_=class_))
    for place, words in sweep.axes[name].ticks():
        y = _height(sweep, name, place)
        drawn += [line([(x - 3, y), (x + 3, y)], class_="axis"), text(words, (x + 7, y + 4), class_="over")]
    return drawn


def _point(sweep: Sweep, trial: Trial, name: str, x: float) -> Point | None:
    place = sweep.place(trial, name)
    return None if place is None else (x, _height(sweep, name, place))


def _height(sweep: Sweep, name: str, place: float) -> float:
    """Where a place of an axis stands in the picture."""
    upside_down = any(objective.name == name and objective.goal == "min" for objective in sweep.objectives)
    return TOP + (place if upside_down else 1 - place) * (HEIGHT - TOP - FOOT)
