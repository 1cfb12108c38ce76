"""The smaller charts of the sweep page: one setting at a time, learning curves, what each trial cost."""

import math
from collections.abc import Mapping

from argan.viewing.axes import Axis, ChoiceAxis, NumberAxis, fitted_axis
from argan.viewing.curves import as_float
from argan.viewing.drawing import Element, Frame, element, line, picture
from argan.viewing.pages import Chart
from argan.viewing.sweep_front import trials_axis
from argan.viewing.sweep_marks import dot, mark
from argan.viewing.sweep_table import Objective, Sweep, Trial

SIZE = (460.0, 262.0)

LOG_FROM_RATIO = 10
"""Rungs that grow by more than this factor from first to last stand on a log axis."""

CHARACTER_WIDTH = 6.2
WIDTH_OF_WORDS = 390.0
"""Choices whose words, side by side, would take more than this stand below one another."""

BAR_SHARE = 0.7
"""Of a trial's place on the axis that its bar fills."""


def slices(sweep: Sweep) -> tuple[Chart, ...]:
    """A chart for each key and objective: with two objectives a row of the gallery is a key."""
    return tuple(_slice(sweep, key, objective) for key in sweep.keys for objective in sweep.objectives)


def learning_curves(sweep: Sweep) -> tuple[Chart, ...]:
    """Each objective over images, a line a trial."""
    return tuple(_learning_curve(sweep, objective) for objective in sweep.objectives)


def costs(sweep: Sweep) -> tuple[Chart, ...]:
    """Images and time of each trial, and what a stopped one has spared."""
    images = {trial.number: float(trial.images) for trial in sweep.trials}
    minutes = {trial.number: trial.seconds / 60 for trial in sweep.trials}
    return _cost(sweep, images, "images"), _cost(sweep, minutes, "minutes")


def _slice(sweep: Sweep, key: str, objective: Objective) -> Chart:
    """The key along x; choices of many words from top to bottom, where there is room for them."""
    axis, values = sweep.axes[key], sweep.axes[objective.name]
    rows = _rows(axis, values) if isinstance(axis, ChoiceAxis) else None
    frame = rows or Frame(axis, values, SIZE)
    drawn = frame.furniture(objective.words, key) if rows else frame.furniture(key, objective.words)
    for trial in sorted(sweep.trials, key=lambda trial: trial.on_front):
        along, value = sweep.place(trial, key), sweep.place(trial, objective.name)
        if along is not None and value is not None:
            drawn.append(
                mark(sweep, trial, *dot(trial, frame.at(value, 1 - along) if rows else frame.at(along, value)))
            )
    return Chart(picture(frame.size, drawn), f"{objective.name} over {key}", marks_are_links=True)


def _rows(choices: ChoiceAxis, values: Axis) -> Frame | None:
    """A row for each choice; None where their words have room side by side."""
    names = choices.choices[::-1]
    if CHARACTER_WIDTH * len("  ".join(names)) <= WIDTH_OF_WORDS:
        return None
    left = 16.0 + CHARACTER_WIDTH * max(map(len, names))
    return Frame(values, ChoiceAxis(names), (SIZE[0], 82.0 + 20.0 * len(names)), left=left)


def _learning_curve(sweep: Sweep, objective: Objective) -> Chart:
    frame = Frame(_images_axis(sweep), _all_rungs_axis(sweep, objective), SIZE)
    drawn = frame.furniture("images", objective.words)
    for trial in sweep.best_last:
        points = [frame.point(rung["images"], rung["values"].get(objective.name)) for rung in trial.rungs]
        known = [point for point in points if point]
        if known:
            lines = line(points, class_="finger"), line(points, class_="way")
            drawn.append(mark(sweep, trial, *lines, *dot(trial, known[-1])))
    return Chart(picture(SIZE, drawn), f"{objective.name} over images, a line a trial", marks_are_links=True)


def _images_axis(sweep: Sweep) -> NumberAxis:
    """Ticks at the rungs: between them there is nothing to see."""
    rungs = tuple(float(rung) for rung in sweep.head["rungs_images"])
    if not rungs:
        return NumberAxis(0.0, 1.0)
    log = rungs[0] > 0 and rungs[-1] > LOG_FROM_RATIO * rungs[0]
    low = rungs[0] / 1.2 if log else rungs[0] - 0.08 * rungs[-1]
    return NumberAxis(low, 1.08 * rungs[-1], log=log, marks=rungs)


def _all_rungs_axis(sweep: Sweep, objective: Objective) -> NumberAxis:
    values = [as_float(rung["values"].get(objective.name)) for trial in sweep.trials for rung in trial.rungs]
    return fitted_axis(values, goal=objective.goal, reference=objective.reference)


def _cost(sweep: Sweep, spent: Mapping[int, float], unit: str) -> Chart:
    known = [trial for trial in sweep.trials if math.isfinite(spent[trial.number])]
    in_full = {trial.number: spent[trial.number] * sweep.times_longer(trial) for trial in known}
    frame = Frame(trials_axis(sweep), NumberAxis(0.0, 1.05 * max(in_full.values(), default=0.0) or 1.0), SIZE)
    drawn = frame.furniture("trial", unit)
    for trial in known:
        spared = _bar(frame, trial, spent[trial.number], in_full[trial.number], "spared")
        drawn.append(mark(sweep, trial, spared, _bar(frame, trial, 0.0, spent[trial.number], "spent")))
    return Chart(picture(SIZE, drawn), f"{unit} of each trial", marks_are_links=True)


def _bar(frame: Frame, trial: Trial, low: float, high: float, class_: str) -> Element:
    left, bottom = frame.point(trial.number - BAR_SHARE / 2, low) or (0.0, 0.0)
    right, top = frame.point(trial.number + BAR_SHARE / 2, high) or (0.0, 0.0)
    return element("rect", x=left, y=top, width=right - left, height=bottom - top, class_=class_)
