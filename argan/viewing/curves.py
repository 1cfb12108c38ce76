"""A run's history as charts: whatever numbers stand in it, a chart a group, and a word on those that are not finite."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from argan.viewing.numbers import number
from argan.viewing.pages import Block, Chart, Gallery, Prose

Row = Mapping[str, Any]
"""A tick: "images_seen", and any numbers under "group/name"."""

UNITS = {"/kid": "KID x 1000", "_px": "px", "_per_s": "images/s", "_s": "s", "_share": "share", "_bytes": "bytes"}
"""A key's ending -> the unit on its axis. What ends in none of them has no unit."""

NOTES = {
    "loss": "The adversarial losses of a healthy GAN stay level rather than fall.",
    "score": "The discriminator's mean output. The closer real and fake lie, the harder it finds them to tell apart.",
    "disparity": "A spread that stays near 0 px is a flat world: no depth has come out yet.",
}

LOG_FROM_RATIO = 50
"""Positive numbers that differ by more than this factor are drawn on a log axis: the small ones would be flat lines."""

NUM_NAMED = 10
"""Numbers that are not finite and are named one by one; the rest is counted."""


def curves(rows: Sequence[Row]) -> tuple[Block, ...]:
    """Charts over images seen, rows ascending. A group is what stands before the last / or dot; one with several units
    ("speed/...") has a chart for each.
    """
    charts: dict[str, dict[str, list[str]]] = {}
    for key in dict.fromkeys(key for row in rows for key in row if key != "images_seen"):
        charts.setdefault(_group(key), {}).setdefault(_unit(key), []).append(key)
    figures = [_chart(group, unit, keys, rows) for group, units in charts.items() for unit, keys in units.items()]
    return (Gallery(tuple(figures)), *_broken(rows)) if figures else (Prose("No numbers yet."),)


def as_float(value: object) -> float:
    """A number of a row; what is none (null in JSON, say) counts as not finite."""
    return float(value) if isinstance(value, int | float) else math.nan


def _chart(group: str, unit: str, keys: Sequence[str], rows: Sequence[Row]) -> Chart:
    from argan.viewing.charts import line_chart  # matplotlib: a second that workers, who draw nothing, do without

    series = {}
    for key in keys:
        points = [(row["images_seen"], as_float(row[key])) for row in rows if key in row]
        series[key.removeprefix(group)[1:] or key] = ([x for x, _ in points], [y for _, y in points])
    finite = [value for _, y in series.values() for value in y if math.isfinite(value)]
    log = bool(finite) and min(finite) > 0 and max(finite) > LOG_FROM_RATIO * min(finite)
    latest = "Latest: " + ", ".join(f"{name} {number(y[-1])}" for name, (_, y) in series.items()) + "."
    caption = f"{latest} {NOTES[group]}" if group in NOTES else latest
    svg = line_chart(group, "images seen", series, y_label=unit, log=log)
    return Chart(svg, f"{group} over images seen, {unit or 'without unit'}", caption)


def _broken(rows: Sequence[Row]) -> list[Block]:
    broken = [
        f"{key} at {row['images_seen']:,}" for row in rows for key in row if not math.isfinite(as_float(row[key]))
    ]
    if not broken:
        return []
    more = f", and {len(broken) - NUM_NAMED:,} more" if len(broken) > NUM_NAMED else ""
    return [Prose("Not finite, a cross in the charts: " + ", ".join(broken[:NUM_NAMED]) + more + ".")]


def _group(key: str) -> str:
    """Of "judged/gap_closed.spearman" all but the last name; a key without / or dot is a group of its own."""
    cut = max(key.rfind("/"), key.rfind("."))
    return key[:cut] if cut >= 0 else key


def _unit(key: str) -> str:
    return next((unit for ending, unit in UNITS.items() if key.endswith(ending)), "")
