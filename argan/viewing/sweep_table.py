"""The table of a hyperparameter search as the charts of its page read it: trials, objectives, axes, who is how good."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from argan.viewing.axes import Axis, ChoiceAxis, fitted_axis, key_axis
from argan.viewing.curves import as_float
from argan.viewing.numbers import number


class Objective(NamedTuple):
    name: str
    goal: str
    """min or max."""
    reference: float
    """The worst that counts for the hypervolume; nan where there is none."""

    @property
    def direction(self) -> str:
        return f"{'lower' if self.goal == 'min' else 'higher'} is better"

    @property
    def words(self) -> str:
        return f"{self.name}, {self.direction}"


@dataclass(frozen=True)
class Trial:
    number: int
    status: str
    """running, finished, stopped (early) or broke."""
    honour: str
    """on the front, or best where there is one objective; empty for all other trials."""
    row: Mapping[str, Any]
    """The trial in the table."""

    @property
    def on_front(self) -> bool:
        return bool(self.honour)

    @property
    def anchor(self) -> str:
        return f"trial-{self.number}"

    @property
    def changes(self) -> Mapping[str, Any]:
        return self.row["changes"]

    @property
    def rungs(self) -> list[Mapping[str, Any]]:
        return self.row["rungs"]

    @property
    def images(self) -> int:
        """Images seen at the last rung that it has reached."""
        return self.rungs[-1]["images"] if self.rungs else 0

    @property
    def seconds(self) -> float:
        """Time until that rung."""
        return as_float(self.rungs[-1].get("seconds")) if self.rungs else math.nan

    def value(self, name: str) -> float:
        """An objective at the last rung; nan where it is not there."""
        return as_float(self.rungs[-1]["values"].get(name)) if self.rungs else math.nan

    def words(self, name: str) -> str:
        """The same for a reader."""
        return number(self.rungs[-1]["values"].get(name)) if self.rungs else number(None)

    @property
    def standing(self) -> str:
        """One line: how far it has come."""
        at = f" at {self.images:,} images" if self.rungs else ""
        return f"{self.status}{at}{f', {self.honour}' if self.honour else ''}"


class Sweep:
    """A search at one moment. `table` is what sweep_page takes."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.head: Mapping[str, Any] = table["sweep"]
        honour = "on the front" if len(self.head["objectives"]) > 1 else "best"
        honours = dict.fromkeys(table["front"], honour)
        self.trials = [
            Trial(row["number"], row["status"], honours.get(row["number"], ""), row) for row in table["trials"]
        ]
        references = self.head.get("reference") or [None] * len(self.head["objectives"])
        self.objectives = [
            Objective(objective["name"], objective["goal"], as_float(reference))
            for objective, reference in zip(self.head["objectives"], references, strict=True)
        ]
        self.keys = list(self.head["space"])
        self.full_images = max(self.head["rungs_images"], default=0)

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """Of every key and of every objective at the last rung, by name."""
        axes = {
            key: key_axis(space, [trial.changes[key] for trial in self.trials if key in trial.changes])
            for key, space in self.head["space"].items()
        }
        for name, goal, reference in self.objectives:
            values = [trial.value(name) for trial in self.trials]
            axes[name] = fitted_axis(values, goal=goal, reference=reference)
        return axes

    def place(self, trial: Trial, name: str) -> float | None:
        """Where a trial stands on the axis of a key or an objective, if it has a place there."""
        axis = self.axes[name]
        if isinstance(axis, ChoiceAxis):
            return axis.strewn(trial.changes.get(name), trial.number)
        return axis.place(trial.changes.get(name) if name in self.keys else trial.value(name))

    @cached_property
    def rank(self) -> dict[int, float]:
        """Number of each trial that has a value of the first objective -> its place among them, 0 worst to 1 best.

        Ranks, so that one that failed badly does not make the others look alike.
        """
        first = self.objectives[0]
        values = {trial.number: trial.value(first.name) for trial in self.trials}
        known = sorted((value for value in values.values() if math.isfinite(value)), reverse=first.goal == "min")
        most = max(len(known) - 1, 1)
        return {name: known.index(value) / most for name, value in values.items() if math.isfinite(value)}

    @cached_property
    def best_last(self) -> list[Trial]:
        """The trials by rank, so that in a chart the best lie over the others."""
        return sorted(self.trials, key=lambda trial: self.rank.get(trial.number, -1.0))

    @cached_property
    def best(self) -> dict[str, Trial]:
        """Name of an objective -> the trial that is best in it: of those on the front, if any; else of all."""
        found = {}
        for name, goal, _ in self.objectives:
            known = [trial for trial in self.trials if math.isfinite(trial.value(name))]
            among = [trial for trial in known if trial.on_front] or known
            if among:
                found[name] = (min if goal == "min" else max)(among, key=lambda trial: trial.value(name))
        return found

    def times_longer(self, trial: Trial) -> float:
        """What a stopped trial would have come to, had it run on, over what it has cost; 1 for all others."""
        return self.full_images / trial.images if trial.status == "stopped" and trial.images else 1.0

    def says(self, trial: Trial) -> str:
        """What stands in a trial's tooltip."""
        values = [f"{objective.name} {trial.words(objective.name)}" for objective in self.objectives]
        changes = [f"{key} {number(value)}" for key, value in trial.changes.items()]
        return "\n".join((f"Trial {trial.number}: {trial.standing}", *(values if trial.rungs else ()), *changes))
