"""What to try next: a pure function of the sweep, the number of the trial and what is known by then.

No search keeps a state of its own. One that is killed and started again proposes what it would have proposed.
"""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from argan.search.ledger import Ledger
from argan.search.space import Choice, LogUniform, Range, rounded
from argan.search.sweep import Sweep

RANDOM_FIRST = 8  # trials before Optuna's model of them means anything
TRIES = 100  # of drawing something new; after that the space is taken for exhausted


def propose(ledger: Ledger) -> dict[str, Any] | None:
    """The changes of the next trial, or None where there is nothing new to try."""
    sweep, number = ledger.sweep, len(ledger.trials)
    tried = [trial.changes for trial in ledger.trials]
    if sweep.search == "grid":
        points = [dict(zip(sweep.space, values, strict=True)) for values in itertools.product(*sweep.grid().values())]
        return points[number] if number < len(points) else None
    for attempt in range(TRIES):
        seed = [sweep.seed, number, attempt]
        changes = drawn(sweep, seed) if sweep.search == "random" else suggested(ledger, seed)
        if changes not in tried:
            return changes
    return None


def drawn(sweep: Sweep, seed: Sequence[int]) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {key: of.at(float(rng.random())) for key, of in sweep.space.items()}


def suggested(ledger: Ledger, seed: Sequence[int]) -> dict[str, Any]:
    """Optuna's tree of Parzen estimators over all that is known; trials that still run count as bad, so that those
    beside them go elsewhere.
    """
    sweep = ledger.sweep
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(
        seed=int.from_bytes(hashlib.sha256(str(list(seed)).encode()).digest()[:4], "big"),
        n_startup_trials=RANDOM_FIRST,
        multivariate=True,
        constant_liar=True,
    )
    study = optuna.create_study(directions=["minimize"] * len(sweep.objectives), sampler=sampler)
    space = {key: _distribution(of) for key, of in sweep.space.items()}
    for known in ledger.known:
        study.add_trial(_told(known.changes, space, known.costs))
    for trial in ledger.trials:
        if trial.status is None:
            study.add_trial(create_trial(state=TrialState.RUNNING, params=trial.changes, distributions=space))
        elif trial.status == "broke":  # worse than any that was judged, however good its last rung
            study.add_trial(create_trial(state=TrialState.PRUNED, params=trial.changes, distributions=space))
        elif trial.rungs and np.isfinite(costs := ledger.costs(trial.rungs[-1])).all():
            study.add_trial(_told(trial.changes, space, costs))  # a stopped one by its last rung
    asked = study.ask(space)
    return {
        key: value if isinstance(sweep.space[key], Choice) else rounded(value) for key, value in asked.params.items()
    }


def _told(changes: Mapping[str, Any], space: Mapping[str, BaseDistribution], costs: Sequence[float]) -> Any:
    return create_trial(params=dict(changes), distributions=dict(space), values=list(costs))


def _distribution(of: Range) -> BaseDistribution:
    if isinstance(of, Choice):
        return CategoricalDistribution(of.values)
    return FloatDistribution(of.low, of.high, log=isinstance(of, LogUniform))
