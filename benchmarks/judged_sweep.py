"""What the trials of a sweep were judged to be at their last rung, for tables of variants and training seeds."""

import itertools
import json
from pathlib import Path
from typing import Any, NamedTuple

from argan.errors import DataError, UserError
from argan.evaluation.protocol import PROTOCOL
from argan.search.sweep import VARIANT

GAN = "standard GAN"
SAME_DEPTH = ("test", "ceiling", "estimator", "ranks")  # else gaps have different ends

Judged = dict[str, Any]


class JudgedSweep(NamedTuple):
    """`by_variant` is variant -> seed -> the whole evaluation; a sweep without variants has one, named like itself."""

    images: int
    photos: dict[str, Any]
    """The record of those that judge."""
    by_variant: dict[str, dict[int, Judged]]


def read_table(path: Path) -> dict[str, Any]:
    """A sweep's table.json. Raises UserError where there is none."""
    try:
        table: dict[str, Any] = json.loads(path.read_text())
        return {key: table[key] for key in ("sweep", "trials")}
    except FileNotFoundError:
        raise UserError(f"there is no sweep's table at {path}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no sweep's table.json ({error})") from error


def judged_sweep(folder: Path) -> JudgedSweep:
    """Raises UserError where there is no such sweep, a trial has not finished, or not every variant has every seed;
    DataError where its trials were not judged alike.
    """
    table = read_table(folder / "table.json")
    sweep = table["sweep"]
    if not {"seed"} <= sweep["space"].keys() <= {"seed", VARIANT}:
        raise UserError(f"{folder} is no sweep over training seeds and variants: it varies {', '.join(sweep['space'])}")
    if unfinished := [trial for trial in table["trials"] if trial["status"] != "finished"]:
        told = [f"{one['number']} ({one['error'] or one['status']})" for one in unfinished]
        raise UserError(f"these trials have not finished: {', '.join(told)}")
    last = sweep["rungs_images"][-1]
    found: dict[str, dict[int, Judged]] = {}
    for trial in table["trials"]:
        path = folder / "judged" / f"{trial['run']}-{last}.json"
        if not path.exists():
            raise DataError(f"{path} is gone")
        changes = trial["changes"]
        found.setdefault(changes.get(VARIANT, sweep["name"]), {})[changes["seed"]] = json.loads(path.read_text())
    wanted = list(itertools.product(sweep["variants"] or (sweep["name"],), sweep["space"]["seed"]["values"]))
    if missing := [f"{variant} with seed {seed}" for variant, seed in wanted if seed not in found.get(variant, {})]:
        raise UserError(f"not tried yet: {', '.join(missing)}")
    judged = [one for by_seed in found.values() for one in by_seed.values()]
    require_judged_alike(judged)
    return JudgedSweep(
        last,
        judged[0]["protocol"]["kid"]["real"],
        {name: dict(sorted(by_seed.items())) for name, by_seed in found.items()},
    )


def require_judged_alike(judged: list[Judged]) -> None:
    """Raises DataError where two stand by other photos, other guesses, another ceiling or other pairs, or by an older
    protocol. The machines may differ, and the last digits with them; the ceiling is one net, kept by the sweep.
    """
    protocols = [one["protocol"] for one in judged]
    if older := {protocol.get("protocol") for protocol in protocols} - {PROTOCOL}:
        raise DataError(f"the trials were judged by {', '.join(map(str, older))}, not by {PROTOCOL}")
    with_depth = [protocol for protocol in protocols if "test" in protocol]
    differ = [key for key in SAME_DEPTH if any(one[key] != with_depth[0][key] for one in with_depth)]
    if len({one["fakes"]["photos"] for one in with_depth}) > 1:
        differ.append("fakes.photos")
    ends = [
        {measure: (round(guess["value"], 6), round(one["ceiling"][measure], 4)) for measure, guess in trivial.items()}
        for one in judged
        if (trivial := one.get("trivial"))
    ]
    if any(one != ends[0] for one in ends):
        differ.append("the guesses or the ceiling")
    if any(one["kid"]["real"] != protocols[0]["kid"]["real"] for one in protocols):
        differ.append("kid.real")
    if differ:
        raise DataError(f"the trials were not judged alike: they differ in {', '.join(differ)}")


def at(result: Judged, key: str) -> Any:
    """The value under a dotted name, None where there is none."""
    value: Any = result
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
