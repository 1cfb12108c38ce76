"""How far a sweep is, between its rungs too."""

import io
import time
from pathlib import Path

from tiny_sweep import RUNGS, tiny_sweep

from argan.runs.folder import HISTORY, append_history
from argan.search.ledger import Ledger, Rung
from argan.storage import open_storage
from jobs.runtime.sweep_watch import SweepWatch


def test_trials_count_by_their_histories_until_they_end(tmp_path: Path) -> None:
    """Three trials of 240: one that has ended early, one between two rungs, one that has not begun."""
    folder = open_storage(str(tmp_path))
    ledger, runs = Ledger(folder, tiny_sweep(3)), folder.child("runs")
    ledger.begin()
    shown = io.StringIO()
    watch = SweepWatch(ledger, runs, stream=shown)
    assert watch.images() == 0
    for name in "abc":
        ledger.propose({"optics.d_max_at_64_px": 3.0, "prior.weight": 1.0}, name)
    for name in "ab":
        append_history(runs.child(name), {"images_seen": 48}, attempt=1)
    assert watch.images() == 2 * 48
    ledger.reach(0, Rung(RUNGS[0], {"kid": 700.0, "ordinal_accuracy": None}, 1.0))
    ledger.end(0, "stopped")
    ledger.reach(1, Rung(RUNGS[0], {"kid": 650.0, "ordinal_accuracy": 0.5}, 1.0))
    assert watch.images() == 240 + 96
    append_history(runs.child("b"), {"images_seen": 192}, attempt=1)
    assert watch.images() == 240 + 192
    watch.tell(ledger.trials[0])
    watch.tell(ledger.trials[1])
    one, other = shown.getvalue().splitlines()
    assert one.startswith("432/720 images")
    assert one.endswith("trial 0 at 96: kid 700, stopped | 1/3 trials ended")
    assert other.endswith("trial 1 at 96: kid 650, ordinal_accuracy 0.5, goes on | 1/3 trials ended")
    runs.child("b").write_bytes(HISTORY, b"half a li")
    assert watch.images() == 240 + 96  # what cannot be read now may be read the next time


def test_a_run_that_was_there_before_its_trial_is_no_speed(tmp_path: Path) -> None:
    folder, shown = open_storage(str(tmp_path)), io.StringIO()
    ledger, runs = Ledger(folder, tiny_sweep(2)), folder.child("runs")
    ledger.begin()
    watch = SweepWatch(ledger, runs, stream=shown)
    append_history(runs.child("a"), {"images_seen": 144}, attempt=1)
    ledger.propose({"optics.d_max_at_64_px": 3.0, "prior.weight": 1.0}, "a")
    watch.tell(ledger.trials[0])
    append_history(runs.child("a"), {"images_seen": 192}, attempt=1)
    watch.tell(ledger.trials[0])
    one, other = shown.getvalue().splitlines()
    assert one.startswith("144/480 images | 0.0 images/s")
    assert other.startswith("192/480 images | ")
    assert " | 0.0 images/s" not in other


def test_it_says_so_while_the_sweep_runs(tmp_path: Path) -> None:
    folder, shown = open_storage(str(tmp_path)), io.StringIO()
    ledger = Ledger(folder, tiny_sweep(1))
    ledger.begin()
    ledger.propose({"optics.d_max_at_64_px": 3.0, "prior.weight": 1.0}, "a")
    with SweepWatch(ledger, folder.child("runs"), stream=shown).following(interval_s=0.1):
        append_history(folder.child("runs").child("a"), {"images_seen": 144}, attempt=1)
        end = time.monotonic() + 30
        while "144/240 images" not in shown.getvalue():
            assert time.monotonic() < end
            time.sleep(0.05)
    assert "0/1 trials ended" in shown.getvalue()
