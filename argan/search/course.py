"""How a sweep goes on from where its ledger stands: which trial is next, and whether one is given up."""

from collections.abc import Collection

from argan.search.ledger import Ledger, Trial
from argan.search.proposals import propose
from argan.search.stopping import goes_on
from argan.settings import run_name


def next_trial(ledger: Ledger, running: Collection[int]) -> Trial | None:
    """The first trial that has not ended and does not run, else a new one; None where nothing is left to begin."""
    for trial in ledger.trials:
        if trial.status is None and trial.number not in running and settle(ledger, trial):
            return trial
    if len(ledger.trials) >= ledger.sweep.num_trials:
        return None
    changes = propose(ledger)
    return None if changes is None else ledger.propose(changes, run_name(ledger.sweep.config(changes)))


def has_next(ledger: Ledger) -> bool:
    """Whether there is something left to run; what is undecided may be decided on the way."""
    undecided = [trial for trial in ledger.trials if trial.status is None]
    if any(settle(ledger, trial) for trial in undecided):
        return True
    return len(ledger.trials) < ledger.sweep.num_trials and propose(ledger) is not None


def settle(ledger: Ledger, trial: Trial) -> bool:
    """Whether the trial goes on from its last rung; where it does not, its end is written down.

    Asked again after a restart it says the same: it looks at those alone that came to the rung before.
    """
    if not trial.rungs:
        return True
    rung, sweep = trial.rungs[-1], ledger.sweep
    if rung.images >= sweep.rungs_images[-1]:
        ledger.end(trial.number, "finished")
        return False
    earlier = ledger.earlier(trial.number, rung.images)
    if goes_on(sweep.stopping, ledger.costs(rung), earlier, sweep.keep_share):
        return True
    ledger.end(trial.number, "stopped")
    return False
