"""Axes of the charts whose marks are links (drawing.py): where a value stands, and the ticks a reader expects.

A place is a share of the way along the axis, 0 at its low end and 1 at its high end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argan.viewing.curves import as_float

NUM_LOG_TICKS = 7
"""At most so many on a log axis: else only its decades."""

STEPS = [1, 2, 2.5, 5, 10]
"""Between the ticks of a linear axis, times a power of ten."""

SPREAD = 0.5
"""Of a choice's stretch of its axis over which its trials are strewn, so that they do not lie on one another."""

GOLDEN = 0.6180339887
"""Multiples of it, without their whole part, fill [0, 1) evenly however many there are."""

MARGIN = 0.06
"""Free room at both ends of an axis that is cut to its values, so that no mark stands on the frame."""


@dataclass(frozen=True)
class NumberAxis:
    """From `low` to `high`, with ticks at `marks` or, where there are none, at round numbers."""

    low: float
    high: float
    log: bool = False
    marks: tuple[float, ...] = ()

    def place(self, value: object) -> float | None:
        """What lies past an end is put at the end; what has no place here, such as nan, has None."""
        here = as_float(value)
        if not math.isfinite(here) or (self.log and here <= 0):
            return None
        if self.low >= self.high:
            return 0.5
        low, high, here = (math.log(number) if self.log else number for number in (self.low, self.high, here))
        return min(max((here - low) / (high - low), 0.0), 1.0)

    def holds(self, value: object) -> bool:
        return self.low <= as_float(value) <= self.high

    def ticks(self) -> list[tuple[float, str]]:
        """(place, words) from low to high."""
        slack = 1e-9 * (self.high - self.low)  # round numbers are not exact in floating point
        marks = self.marks or (self._log_marks() if self.log else ()) or self._round_marks()
        inside = [mark for mark in marks if self.low - slack <= mark <= self.high + slack]
        return [(place, short(mark)) for mark in inside if (place := self.place(mark)) is not None]

    def _log_marks(self) -> Sequence[float]:
        """No marks where fewer than two would lie on the axis."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        decades = [float(f"1e{power}") for power in powers]  # 10 * 1e-6 is not 1e-5, and both would be ticks
        dense = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
        inside = [mark for mark in dense if self.low <= mark <= self.high]
        if len(inside) < 2:
            return ()
        return inside if len(inside) <= NUM_LOG_TICKS else decades

    def _round_marks(self) -> Sequence[float]:
        from matplotlib.ticker import MaxNLocator  # matplotlib: a second that workers, who draw nothing, do without

        return [float(mark) for mark in MaxNLocator(5, steps=STEPS).tick_values(self.low, self.high)]


@dataclass(frozen=True)
class ChoiceAxis:
    """A place for each of a few values, by the words that they are written in."""

    choices: tuple[str, ...]

    def place(self, value: object) -> float | None:
        words = str(value)
        return (self.choices.index(words) + 0.5) / len(self.choices) if words in self.choices else None

    def holds(self, value: object) -> bool:
        return str(value) in self.choices

    def strewn(self, value: object, index: int) -> float | None:
        """A place near the value's own, another for each index."""
        place = self.place(value)
        return None if place is None else place + SPREAD * ((index * GOLDEN) % 1.0 - 0.5) / len(self.choices)

    def ticks(self) -> list[tuple[float, str]]:
        return [((i + 0.5) / len(self.choices), words) for i, words in enumerate(self.choices)]


Axis = NumberAxis | ChoiceAxis


def short(value: float) -> str:
    """A tick's number: 0.05, 3, 2500, 16k, 1.2M."""
    from matplotlib.ticker import EngFormatter  # as above

    return f"{value:g}" if abs(value) < 10_000 else EngFormatter(sep="")(value)


def fitted_axis(values: Sequence[float], *, goal: str = "", reference: float = math.nan) -> NumberAxis:
    """An axis around the finite ones of `values`, but not past `reference` on the bad side of `goal` (min or max).

    The reference point of a hypervolume says from where on all is equally bad: one trial that failed would otherwise
    press the good ones into a corner.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return NumberAxis(0.0, 1.0)
    low, high = min(finite), max(finite)
    if goal == "min" and reference > low:
        high = min(high, reference)
    if goal == "max" and reference < high:
        low = max(low, reference)
    room = MARGIN * (high - low) or 0.1 * abs(high) or 1.0
    return NumberAxis(low - room, high + room)


def key_axis(space: Mapping[str, Any], values: Sequence[Any]) -> Axis:
    """The axis of a key of the search: as its space says, or around the values where that says no limits."""
    if "values" in space:
        return ChoiceAxis(tuple(dict.fromkeys(str(value) for value in (*space["values"], *values))))
    low, high = as_float(space.get("low")), as_float(space.get("high"))
    if not (math.isfinite(high - low) and low < high):
        return fitted_axis([as_float(value) for value in values])
    return NumberAxis(low, high, log=str(space.get("kind")).startswith("log") and low > 0)
