"""The first chart of the sweep page: the trade-off between two objectives, or the one objective trial after trial."""

import math
from collections.abc import Sequence

from argan.viewing.axes import NumberAxis
from argan.viewing.drawing import Element, Frame, Point, line, picture, stairs, text
from argan.viewing.pages import Chart
from argan.viewing.sweep_marks import dot, key_to_marks, mark
from argan.viewing.sweep_table import Objective, Sweep, Trial

SIZE = (440.0, 430.0)
TOP = 58.0
KEY_AT = (4.0, 40.0)

Placed = Sequence[tuple[Trial, Point]]


def front_chart(sweep: Sweep) -> Chart:
    """Each trial at its last rung; the trials on the front joined by a staircase over what they leave behind."""
    if len(sweep.objectives) == 1:
        return _progress(sweep, sweep.objectives[0])
    return _trade_off(sweep, *sweep.objectives[:2])


def trials_axis(sweep: Sweep) -> NumberAxis:
    """An axis of trial numbers."""
    most = max((trial.number for trial in sweep.trials), default=0)
    step = math.ceil((most + 1) / 8)
    return NumberAxis(-0.6, most + 0.6, marks=tuple(range(0, most + 1, step)))


def _trade_off(sweep: Sweep, x: Objective, y: Objective) -> Chart:
    frame = Frame(sweep.axes[x.name], sweep.axes[y.name], SIZE, top=TOP)
    points = [(trial, frame.point(trial.value(x.name), trial.value(y.name))) for trial in sweep.trials]
    placed = [(trial, point) for trial, point in points if point]
    better = _better(x, y)
    drawn = frame.furniture(x.words, y.words)
    front = sorted((point for trial, point in placed if trial.on_front), key=lambda point: -better[0] * point[0])
    if front:
        worst = worst_point(frame, x, y, front)
        steps = [(front[0][0], worst[1]), *stairs(front), (worst[0], front[-1][1])]
        drawn += [line([*steps, worst], class_="behind", closed=True), line(steps, class_="stairs")]
    drawn += [*_dots(sweep, placed), *_numbers(placed, better)]
    words = "Each dot is a trial at its last rung. The line is the front: no trial beats one of its own in both."
    inside = all(frame.x.holds(trial.value(x.name)) and frame.y.holds(trial.value(y.name)) for trial, _ in placed)
    caption = words if inside else f"{words} Trials at the edge lie beyond the reference point."
    return Chart(picture(SIZE, drawn), f"{x.name} against {y.name}, a dot a trial", caption, marks_are_links=True)


def _progress(sweep: Sweep, objective: Objective) -> Chart:
    frame = Frame(trials_axis(sweep), sweep.axes[objective.name], SIZE, top=TOP)
    points = [(trial, frame.point(trial.number, trial.value(objective.name))) for trial in sweep.trials]
    placed = [(trial, point) for trial, point in points if point]
    records: list[Point] = []
    for _, point in placed:
        lower = bool(records) and point[1] > records[-1][1]  # y of a picture runs down
        if not records or lower == (objective.goal == "min"):
            records.append(point)
    drawn = frame.furniture("trial", objective.words)
    if records:
        drawn.append(line(stairs([*records, (frame.at(1, 0)[0], records[-1][1])]), class_="stairs"))
    drawn += _dots(sweep, placed)
    words = "Each dot is a trial at its last rung. The line is the best so far."
    return Chart(picture(SIZE, drawn), f"{objective.name} of each trial", words, marks_are_links=True)


def worst_point(frame: Frame, x: Objective, y: Objective, front: Sequence[Point]) -> Point:
    """Where the stairs of the front end: at the reference point, or at the frame's edge on the bad side where that is
    missing or a trial of the front lies beyond it.
    """
    better = _better(x, y)
    edge = frame.at(float(x.goal == "min"), float(y.goal == "min"))
    places = frame.x.place(x.reference), frame.y.place(y.reference)
    reference = frame.at(*(math.nan if place is None else place for place in places))
    ends = [
        reference[i] if all(better[i] * (point[i] - reference[i]) >= 0 for point in front) else edge[i] for i in (0, 1)
    ]
    return ends[0], ends[1]


def _better(x: Objective, y: Objective) -> Point:
    """The direction of the good corner; y of a picture runs down."""
    return (-1.0 if x.goal == "min" else 1.0, 1.0 if y.goal == "min" else -1.0)


def _dots(sweep: Sweep, placed: Placed) -> list[Element]:
    """The dots, those of the front last, so that nothing covers them, and what their shapes mean."""
    ordered = sorted(placed, key=lambda pair: pair[0].on_front)
    dots = [mark(sweep, trial, *dot(trial, point), in_tab_order=True) for trial, point in ordered]
    return [*dots, *key_to_marks([trial for trial, _ in placed], KEY_AT)]


def _numbers(placed: Placed, better: Point) -> list[Element]:
    """The number of each trial on the front, on its good side, where no trial can be."""
    anchor = "end" if better[0] < 0 else "start"
    return [
        text(str(trial.number), (x + 8 * better[0], y + 4 + 9 * better[1]), anchor=anchor, class_="number")
        for trial, (x, y) in placed
        if trial.on_front
    ]
