"""The page of a hyperparameter search: the trade-off it found, what each setting does, every trial within a click."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from argan.viewing.curves import as_float
from argan.viewing.numbers import duration, number, percent
from argan.viewing.pages import (
    Block,
    Code,
    Command,
    Entry,
    Explorer,
    Facts,
    Gallery,
    Panel,
    Picture,
    Prose,
    Section,
    Table,
    page,
    settings_table,
)
from argan.viewing.sweep_charts import costs, learning_curves, slices
from argan.viewing.sweep_front import front_chart
from argan.viewing.sweep_parallel import parallel_chart
from argan.viewing.sweep_table import Sweep, Trial

EXPLORING = (
    "A click on a trial, in any chart or in the table, marks it everywhere and opens its panel; the page's address "
    "then leads to it."
)
GRID = "Rows: deep, shallow (s = 1), disparity. A column for each fixed z."
SLICES = (
    "Each chart shows one setting and says nothing about the others: a slope in it is a hint, not yet an effect. Where "
    "the search expected more, it has put more trials."
)
COST = "The dashed part is what a stopped trial would have cost, had it run on at its own speed."


def sweep_page(table: Mapping[str, Any], pictures: Mapping[int, bytes]) -> str:
    """The page as HTML, at any moment of the search.

    `table` holds `sweep` (name, preset, data, space, objectives, reference, rungs_images, num_trials, search, stopping,
    seed), `trials`, `front` (numbers of trials), `hypervolume`, `images_spent` and `seconds_spent`. A trial has number,
    run, run_uri, changes, status (running, finished, stopped, broke), error, command, and rungs, ascending: images and
    seconds since its start, and values by objective. Values, times and totals may be None or not finite where nothing
    is known yet. `pictures` are PNGs by a trial's number, each deep | shallow | disparity.
    """
    sweep = Sweep(table)
    sections = [
        Section("", (_summary(sweep, table), Prose(_exploring(sweep)))),
        *(_trials(sweep, pictures) if sweep.trials else []),
        Section("How it was searched", (_space(sweep), settings_table(_terms(sweep)))),
    ]
    judges = " and ".join(objective.name for objective in sweep.objectives)
    return page(sweep.head["name"], f"Search over {sweep.head['preset']}, judged by {judges}", sections, extra="sweep")


def _trials(sweep: Sweep, pictures: Mapping[int, bytes]) -> list[Section]:
    panels = tuple(_panel(sweep, trial, pictures.get(trial.number)) for trial in sweep.trials)
    first = next((trial.anchor for trial in sweep.best.values()), "")
    title = "Trade-off" if len(sweep.objectives) > 1 else "Trial after trial"
    return [
        Section(title, (Explorer(front_chart(sweep), panels, first),)),
        Section("All settings at once", (parallel_chart(sweep),)),
        Section("One setting at a time", (Prose(SLICES), Gallery(slices(sweep)))),
        Section("Learning curves", (Gallery(learning_curves(sweep)),)),
        Section("Cost", (Prose(f"{_spared(sweep)} {COST}"), Gallery(costs(sweep)))),
        Section("All trials", (_all_trials(sweep),)),
    ]


def _summary(sweep: Sweep, table: Mapping[str, Any]) -> Facts:
    states = Counter(trial.status for trial in sweep.trials)
    done = len(sweep.trials) - states["running"]
    parts = ", ".join(f"{states[status]} {status}" for status in ("stopped", "broke", "running") if states[status])
    facts = [
        ("trials done", f"{done} of {sweep.head['num_trials']}{f' ({parts})' if parts else ''}"),
        ("images", number(table["images_spent"])),
        ("time", _time(table["seconds_spent"])),
    ]
    for name, trial in sweep.best.items():
        facts.append((f"best {name}", f"{trial.words(name)} (trial {trial.number})"))
    if table.get("hypervolume") is not None:
        facts.append(("hypervolume", number(table["hypervolume"])))
    return Facts(tuple(facts))


def _exploring(sweep: Sweep) -> str:
    if not sweep.trials:
        return "No trial has begun yet."
    return f"{EXPLORING} Colours rank by {sweep.objectives[0].name}, from violet for the worst to orange for the best."


def _panel(sweep: Sweep, trial: Trial, png: bytes | None) -> Panel:
    names = [objective.name for objective in sweep.objectives]
    rungs = tuple(
        (number(rung["images"]), *(number(rung["values"].get(name)) for name in names), _time(rung.get("seconds")))
        for rung in trial.rungs
    )
    blocks: list[Block] = [
        *([Code(trial.row["error"])] if trial.row.get("error") else []),
        settings_table(trial.changes),
        Table(("images", *names, "time"), rungs) if rungs else Prose("No rung reached yet."),
        Prose(f"Run {trial.row['run']}, kept at"),
        Code(trial.row["run_uri"]),
        Prose("To train it in full:"),
        Command(trial.row["command"]),
    ]
    picture = Picture(png, f"Samples of trial {trial.number}.", GRID) if png else None
    return Panel(trial.anchor, f"Trial {trial.number}", trial.standing, tuple(blocks), picture)


def _spared(sweep: Sweep) -> str:
    stopped = [trial for trial in sweep.trials if trial.status == "stopped"]
    spared_images = sum(sweep.full_images - trial.images for trial in stopped)
    in_full = sweep.full_images * len(sweep.trials)
    if spared_images <= 0:
        return "No trial has been stopped early."
    spared_s = [trial.seconds * (sweep.times_longer(trial) - 1.0) for trial in stopped]
    time = duration(sum(seconds for seconds in spared_s if math.isfinite(seconds)))
    return (
        f"{len(stopped)} of {len(sweep.trials)} trials were stopped early. That spared {spared_images:,} of the "
        f"{in_full:,} images ({percent(spared_images / in_full)}) that all of them would see in full, and about {time} "
        "of training."
    )


def _all_trials(sweep: Sweep) -> Table:
    """The best first; the page's script sorts it by any column."""
    names = [objective.name for objective in sweep.objectives]
    rows = tuple(
        (
            Entry(str(trial.number), trial.number, trial.anchor),
            f"{trial.status}{f', {trial.honour}' if trial.honour else ''}",
            *(Entry(trial.words(name), _order(trial.value(name))) for name in names),
            Entry(f"{trial.images:,}", trial.images),
            Entry(_time(trial.seconds), _order(trial.seconds)),
            *(_setting(trial.changes.get(key)) for key in sweep.keys),
        )
        for trial in reversed(sweep.best_last)
    )
    return Table(("trial", "status", *names, "images", "time", *sweep.keys), rows, sortable=True)


def _setting(value: object) -> str | Entry:
    is_text = isinstance(value, str | bool | list)
    return number(value) if is_text else Entry(number(value), _order(as_float(value)))


def _order(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _time(seconds: object) -> str:
    known = math.isfinite(as_float(seconds))
    return duration(as_float(seconds)) if known else number(None)


def _space(sweep: Sweep) -> Table:
    rows = [(key, str(space["kind"]).replace("_", " "), _range(space)) for key, space in sweep.head["space"].items()]
    return Table(("setting", "drawn", "from"), tuple(rows))


def _range(space: Mapping[str, Any]) -> str:
    if "values" in space:
        return ", ".join(map(number, space["values"]))
    return f"{number(space.get('low'))} to {number(space.get('high'))}"


def _terms(sweep: Sweep) -> dict[str, Any]:
    """The rest of what decides a search; the whole configuration of each variant is in its command."""
    objectives = [f"{objective.name} ({objective.goal})" for objective in sweep.objectives]
    head = {key: value for key, value in sweep.head.items() if key not in ("config", "variants", "space")}
    return {**head, "objectives": objectives}
