"""A search as data: which keys vary over what, judged by what, with which budget in images."""

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from argan.config import Config
from argan.errors import UserError
from argan.judging_size import JudgingSize
from argan.presets import preset
from argan.search.space import Choice, Range, describe, grid_points
from argan.settings import learned_keys, naming_keys, override, run_name

SETTLED = ("schedule.total_images", "schedule.judging_share", "data.fingerprint", "preset")

VARIANT = "variant"

Search = Literal["grid", "random", "optuna"]
Stopping = Literal["none", "asha", "dominated"]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A number of jobs/evaluate.py's result, by its dotted name: "kid", "gap_closed.ordinal_accuracy"."""

    name: str
    goal: Literal["min", "max"]
    reference: float
    """Where the hypervolume begins: fixed before the first trial, or it could be moved to flatter a search."""

    def cost(self, value: float) -> float:
        """The value as something to make small."""
        return value if self.goal == "min" else -value


KID_AND_DEPTH = (
    Objective(name="kid", goal="min", reference=200.0),
    Objective(name="gap_closed.ordinal_accuracy", goal="max", reference=-0.5),
)
"""Photos and their depth, from where a run that learns soon is."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Raises UserError where it cannot be run."""

    name: str
    preset: str
    space: Mapping[str, Range]
    """Configuration keys and what they may be."""
    objectives: tuple[Objective, ...]
    """One or two; asha looks at the first."""
    rungs_images: tuple[int, ...]
    """Where trials are judged, and given up or not; the last is the budget of one trial."""
    num_trials: int
    search: Search = "optuna"
    grid_points: int = 3
    """Of a range of numbers; grid only."""
    stopping: Stopping = "dominated"
    keep_share: float = 0.4
    """Of the trials at a rung, about so many go on."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Keys that differ from the preset in every trial."""
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Sets of keys by name; a trial takes the one that its "variant" in `space` names: the columns of an ablation."""
    judging: JudgingSize = field(default_factory=JudgingSize)
    judged_by: str = ""
    """The evaluation's protocol, filled in by the job: judged otherwise it is another sweep."""
    seed: int = 0
    data_fingerprint: str = ""
    """Of the set that trials are trained on: on other data it is another sweep."""

    def __post_init__(self) -> None:
        if not self.space:
            raise UserError(f"the sweep {self.name} varies nothing")
        if both := self.space.keys() & self.fixed.keys():
            raise UserError(f"{sorted(both)[0]} is both fixed and searched for")
        if not 1 <= len(self.objectives) <= 2:
            raise UserError(f"a sweep has one or two objectives, got {len(self.objectives)}")
        rungs = self.rungs_images
        if not rungs or rungs[0] < 1 or any(a >= b for a, b in itertools.pairwise(rungs)):
            raise UserError(f"rungs_images must grow, got {rungs}")
        if self.num_trials < 1:
            raise UserError(f"num_trials must be at least 1, got {self.num_trials}")
        if self.grid_points < 1:
            raise UserError(f"grid_points must be at least 1, got {self.grid_points}")
        if not 0 < self.keep_share <= 1:
            raise UserError(f"keep_share must be in (0, 1], got {self.keep_share}")
        if self.stopping == "dominated" and len(self.objectives) == 1:
            raise UserError("with one objective nothing is dominated in both: stopping must be asha or none")
        named = self.space.get(VARIANT, Choice(values=("",)))
        if self.variants and named != Choice(values=tuple(self.variants)):
            raise UserError(f"space[{VARIANT!r}] must be a choice of all variants, {', '.join(self.variants)}")
        of_variants = {key for changes in self.variants.values() for key in changes}
        if twice := sorted(of_variants & (self.space.keys() | self.fixed.keys())):
            raise UserError(f"{twice[0]} is set by a variant and by the sweep")
        for key in (*self.space, *self.fixed, *of_variants):
            if key in SETTLED:
                raise UserError(f"{key} is the sweep's own to set")
        somewhere = self._somewhere()
        known = learned_keys(self.config(somewhere)).keys() | ({VARIANT} if self.variants else set())
        if odd := sorted(self.space.keys() - known):
            raise UserError(f"{odd[0]} does not change what is learned: there is nothing to search for")
        runs: dict[str, str] = {}
        for name in self.variants:
            other = runs.setdefault(run_name(self.config({**somewhere, VARIANT: name})), name)
            if other != name:
                raise UserError(f"the variants {other!r} and {name!r} are the same run")
        # What the configuration refuses is refused now, not after hours.
        for share in (0.0, 1.0):
            self.config({key: of.at(share) for key, of in self.space.items()})
        for key, of in self.space.items():
            for value in of.values if isinstance(of, Choice) else (of.at(0.0), of.at(1.0)):
                self.config({**somewhere, key: value})
        tick = self.config(somewhere).schedule.tick_images
        if any(images % tick for images in rungs):
            raise UserError(f"rungs_images must be multiples of schedule.tick_images = {tick}, got {rungs}")

    def config(self, changes: Mapping[str, Any]) -> Config:
        """A trial's configuration, to be trained to the last rung."""
        settled = {
            "schedule.total_images": self.rungs_images[-1],
            "schedule.judging_share": 0.0,  # at its rungs instead
            "data.fingerprint": self.data_fingerprint,
        }
        return override(preset(self.preset), {**self.keys(changes), **settled})

    def keys(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration keys that a trial sets, its variant's among them."""
        own = {key: value for key, value in changes.items() if key != VARIANT or not self.variants}
        chosen = self.variants[changes[VARIANT]] if self.variants else {}
        return {**self.fixed, **chosen, **own}

    def _somewhere(self) -> dict[str, Any]:
        """A place in the middle, at no end of any range."""
        return {key: of.at(0.37) for key, of in self.space.items()}

    def examples(self) -> dict[str, Config]:
        """A configuration of each variant, somewhere in the middle; of "" where there are none."""
        somewhere = self._somewhere()
        if not self.variants:
            return {"": self.config(somewhere)}
        return {name: self.config({**somewhere, VARIANT: name}) for name in self.variants}

    def grid(self) -> dict[str, list[Any]]:
        """The points of each key."""
        return {key: grid_points(of, self.grid_points) for key, of in self.space.items()}

    @property
    def num_grid_points(self) -> int:
        return math.prod(len(points) for points in self.grid().values())

    def definition(self) -> dict[str, Any]:
        """Plain JSON of all that the results depend on; how many trials are made is no part of it."""
        values = asdict(self)
        del values["num_trials"]
        values["space"] = {key: describe(of) for key, of in self.space.items()}
        fixed = {
            name: {key: value for key, value in naming_keys(config).items() if key not in self.space}
            for name, config in self.examples().items()
        }
        values["config"] = fixed if self.variants else fixed[""]  # presets change
        return json.loads(json.dumps(values))

    @property
    def folder(self) -> str:
        """NAME-HASH: another definition is another sweep."""
        text = json.dumps(self.definition(), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
