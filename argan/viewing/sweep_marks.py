"""How a trial looks in every chart of the sweep page, and the way to its panel.

Each mark of trial 7 is a link to #trial-7: a browser without script follows it, and the page's script finds by it all
that belongs together. The style sheet makes a colour of --rank, 0 % for the worst and 100 % for the best.
"""

from collections.abc import Sequence

from argan.viewing.drawing import Element, Point, element, line, text
from argan.viewing.sweep_table import Sweep, Trial

DOT, FRONT_DOT = 4.5, 6.5
"""Radii."""

FINGER = 8.0
"""Radius of the unseen disc that makes a dot easier to hit."""


def mark(sweep: Sweep, trial: Trial, *drawn: Element, in_tab_order: bool = False) -> Element:
    """The link around what is drawn of a trial, with its tooltip. One chart a page is in the tab order: all of them
    would make a reader with a keyboard step through each trial a dozen times.
    """
    return element(
        "a",
        element("title", sweep.says(trial)),
        *drawn,
        href=f"#{trial.anchor}",
        class_=_classes(trial),
        style=f"--rank:{100 * sweep.rank.get(trial.number, 0.0):.0f}%",
        tabindex=0 if in_tab_order else -1,
    )


def dot(trial: Trial, at: Point) -> list[Element]:
    """A trial at a point."""
    return [element("circle", cx=at[0], cy=at[1], r=FINGER, class_="finger"), _shape(trial, at)]


def key_to_marks(trials: Sequence[Trial], at: Point) -> list[Element]:
    """The legend of the dots of these trials, on a line that starts at a point."""
    left, y = at
    drawn: list[Element] = []
    kinds = {trial.honour or trial.status: trial for trial in trials}
    for words, trial in sorted(kinds.items()):
        shape = element("g", _shape(trial, (left + 7, y - 4)), class_=_classes(trial), style="--rank:100%")
        drawn += [shape, text(words, (left + 18, y))]
        left += 34 + 6.6 * len(words)
    return drawn


def _shape(trial: Trial, at: Point) -> Element:
    """A disc, which the style sheet fills, makes hollow (stopped) or dashes (running); a cross where it broke."""
    x, y = at
    if trial.status == "broke":
        arm = 0.8 * DOT
        strokes = ((x - arm, y - arm), (x + arm, y + arm), None, (x - arm, y + arm), (x + arm, y - arm))
        return line(strokes, class_="dot")
    return element("circle", cx=x, cy=y, r=FRONT_DOT if trial.on_front else DOT, class_="dot")


def _classes(trial: Trial) -> str:
    return f"mark {trial.status}{' front' if trial.on_front else ''}"
