"""A sweep whose trials are judged by a formula, so that one is run in a blink."""

from collections.abc import Iterator

from argan.search.course import next_trial, settle
from argan.search.ledger import Ledger, Rung, Trial
from argan.search.space import Choice, LogUniform, Uniform
from argan.search.sweep import Objective, Sweep
from argan.storage import Storage

RUNGS = (4_000, 8_000, 16_000)


def small_sweep(**changes: object) -> Sweep:
    settings = {
        "name": "small",
        "preset": "small-32",
        "space": {
            "optics.d_max_at_64_px": Uniform(low=1.0, high=6.0),
            "prior.weight": LogUniform(low=0.1, high=10.0),
            "dof.distribution": Choice(values=("bernoulli", "uniform", "half_normal")),
        },
        "objectives": (
            Objective(name="kid", goal="min", reference=100.0),
            Objective(name="spearman", goal="max", reference=-1.0),
        ),
        "rungs_images": RUNGS,
        "num_trials": 7,
        "search": "random",
    }
    return Sweep(**{**settings, **changes})


def judged(trial: Trial, images: int) -> dict[str, float | None]:
    """Both are better near a range of 3 and with time; what a larger weight wins in the one it loses in the other."""
    off, weight = abs(trial.changes["optics.d_max_at_64_px"] - 3), trial.changes["prior.weight"]
    return {"kid": 10 * off + weight + 3e5 / images, "spearman": weight / 100 - off / 10 + images / 1e5}


def steps(storage: Storage, sweep: Sweep) -> Iterator[None]:
    """The sweep, one trial at a time, from where it stands; it can be left after any step."""
    ledger = Ledger(storage, sweep)
    ledger.begin()
    while (trial := next_trial(ledger, ())) is not None:
        yield
        for images in sweep.rungs_images:
            if images <= trial.images:
                continue
            ledger.reach(trial.number, Rung(images, judged(trial, images), 1.0))
            yield
            if not settle(ledger, trial):
                break
            yield
