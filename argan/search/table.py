"""A sweep's table: plain JSON of every trial, the front, and what it all cost; the page and people read it."""

import itertools
import math
import shlex
from typing import Any

from argan.presets import preset
from argan.search.ledger import Ledger, Trial
from argan.search.pareto import front, hypervolume
from argan.settings import as_typed

TABLE = "table.json"


def sweep_table(ledger: Ledger, *, data_uri: str, runs_uri: str) -> dict[str, Any]:
    """What the ledger says, in the order of the trials; a rung's seconds count from its trial's start.

    Trials count for the front at the last rung alone, and where all objectives could be measured.
    """
    sweep = ledger.sweep
    last = sweep.rungs_images[-1]
    judged = [(trial, ledger.costs(trial.rungs[-1])) for trial in ledger.trials if trial.images == last]
    whole = [trial for trial, costs in judged if all(map(math.isfinite, costs))]
    costs = [costs for _, costs in judged if all(map(math.isfinite, costs))]
    reference = [objective.cost(objective.reference) for objective in sweep.objectives]
    definition = sweep.definition()
    return {
        "sweep": {
            **definition,
            "objectives": [{"name": each["name"], "goal": each["goal"]} for each in definition["objectives"]],
            "reference": [objective.reference for objective in sweep.objectives],
            "data": data_uri,
            "num_trials": sweep.num_trials,
        },
        "trials": [_row(ledger, trial, data_uri, runs_uri) for trial in ledger.trials],
        "front": [whole[index].number for index in front(costs)],
        "hypervolume": hypervolume(costs, reference),
        "images_spent": sum(trial.images for trial in ledger.trials),
        "seconds_spent": sum(rung.seconds for trial in ledger.trials for rung in trial.rungs),
    }


def training_command(ledger: Ledger, trial: Trial, data_uri: str, runs_uri: str) -> str:
    """Trains the trial's run to the preset's own length, or the sweep's where that is longer; it goes on from where the
    sweep left it.
    """
    sweep = ledger.sweep
    keys = sweep.keys(trial.changes)
    words = ["python", "jobs/train.py", "--preset", sweep.preset, "--data", data_uri, "--out", runs_uri]
    for key, value in keys.items():
        words += [f"--{key}", as_typed(value)]
    if sweep.rungs_images[-1] > preset(sweep.preset).schedule.total_images:
        words += ["--schedule.total_images", str(sweep.rungs_images[-1])]
    return shlex.join(words)


def _row(ledger: Ledger, trial: Trial, data_uri: str, runs_uri: str) -> dict[str, Any]:
    since_start = itertools.accumulate(rung.seconds for rung in trial.rungs)
    return {
        "number": trial.number,
        "run": trial.run,
        "run_uri": f"{runs_uri}/{trial.run}",
        "changes": trial.changes,
        "status": trial.status or "running",
        "error": trial.error,
        "rungs": [
            {"images": rung.images, "values": dict(rung.values), "seconds": seconds}
            for rung, seconds in zip(trial.rungs, since_start, strict=True)
        ],
        "command": training_command(ledger, trial, data_uri, runs_uri),
    }
