"""A sweep cannot be lost: left at any point and begun again, it comes to the same ledger, line by line."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from small_sweep import RUNGS, small_sweep, steps

from argan.errors import ConflictError, DataError, StorageError, UserError
from argan.search import ledger as ledger_module
from argan.search.ledger import LEDGER, Ledger, Rung
from argan.search.replay import replay, resample
from argan.search.table import sweep_table
from argan.storage import Storage, open_storage
from argan.storage.base import Versioned
from argan.storage.local import LocalStorage


def place(folder: Path) -> Storage:
    return open_storage(str(folder))


@pytest.mark.parametrize(
    ("search", "stopping"),
    [("random", "dominated"), ("random", "asha"), ("random", "none"), ("grid", "none"), ("optuna", "dominated")],
)
def test_left_anywhere_it_comes_to_the_same_ledger(tmp_path: Path, search: str, stopping: str) -> None:
    sweep = small_sweep(search=search, stopping=stopping, grid_points=2, num_trials=12 if search == "optuna" else 7)
    num_steps = sum(1 for _ in steps(place(tmp_path / "undisturbed"), sweep))
    undisturbed = (tmp_path / "undisturbed" / LEDGER).read_text()
    for left_after in range(0, num_steps, 7 if search == "optuna" else 4):
        folder = tmp_path / "left"
        going = steps(place(folder), sweep)
        for _ in range(left_after):
            next(going)
        del going
        assert sum(1 for _ in steps(place(folder), sweep)) >= num_steps - left_after
        assert (folder / LEDGER).read_text() == undisturbed
        shutil.rmtree(folder)


def test_every_trial_ends_once_and_the_budget_holds(tmp_path: Path) -> None:
    sweep = small_sweep(num_trials=30)
    list(steps(place(tmp_path), sweep))
    events = [json.loads(line) for line in (tmp_path / LEDGER).read_text().splitlines()]
    ended = [event for event in events if event["event"] == "ended"]
    assert sorted(event["trial"] for event in ended) == list(range(30))
    assert {event["status"] for event in ended} == {"finished", "stopped"}
    for trial in Ledger(place(tmp_path), sweep).trials:
        reached = [rung.images for rung in trial.rungs]
        assert reached == list(RUNGS[: len(reached)])
        assert (trial.status == "finished") == (len(reached) == len(RUNGS))


def test_more_trials_later_go_on_from_there(tmp_path: Path) -> None:
    for num_trials in (3, 7):
        list(steps(place(tmp_path / "later"), small_sweep(num_trials=num_trials)))
    list(steps(place(tmp_path / "at_once"), small_sweep(num_trials=7)))
    assert (tmp_path / "later" / LEDGER).read_text() == (tmp_path / "at_once" / LEDGER).read_text()


def test_a_second_driver_cannot_write(tmp_path: Path) -> None:
    sweep = small_sweep()
    first = Ledger(place(tmp_path), sweep)
    first.begin()
    second = Ledger(place(tmp_path), sweep)
    first.propose({"prior.weight": 1.0}, "a")
    with pytest.raises(ConflictError):
        second.propose({"prior.weight": 2.0}, "b")
    assert len(Ledger(place(tmp_path), sweep).trials) == 1


@dataclass(frozen=True)
class Weather(LocalStorage):
    """Storage whose next conditional writes fail: before they arrive, or after, when only the answer is lost. Then so
    many reads fail.
    """

    arrives: list[bool] = field(default_factory=list)
    unread: list[bool] = field(default_factory=list)

    def write_if(self, path: str, data: bytes, version: str | None) -> str:
        unread = self.unread.copy()
        self.unread.clear()  # a write of ours reads too
        try:
            if not self.arrives:
                return super().write_if(path, data, version)
            if self.arrives.pop(0):
                super().write_if(path, data, version)
        finally:
            self.unread.extend(unread)
        raise StorageError("storage stays away")

    def read_versioned(self, path: str) -> Versioned:
        if self.unread and self.unread.pop():
            raise StorageError("storage stays away")
        return super().read_versioned(path)


@pytest.mark.parametrize("unread", [0, 1, 2])
@pytest.mark.parametrize("arrives", [[False, False], [True], [False, True], [True, False]])
def test_an_outage_is_waited_for_and_each_event_stands_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrives: list[bool], unread: int
) -> None:
    """Asked what stands, which it is only where a write has arrived, storage may be away as well."""
    waits_s: list[float] = []
    monkeypatch.setattr(ledger_module.time, "sleep", waits_s.append)
    storage = Weather(tmp_path)
    ledger = Ledger(storage, small_sweep())
    ledger.begin()
    storage.arrives.extend(arrives)
    storage.unread.extend([True] * unread)
    ledger.propose({}, "a")
    ledger.reach(0, Rung(4_000, {"kid": 1.0, "spearman": 0.5}, 1.0))
    asked = unread if any(arrives) else 0
    assert waits_s == list(ledger_module.OUTAGE_WAITS_S[: len(arrives) + asked])
    storage.unread.clear()
    again = Ledger(storage, small_sweep())
    assert (again.trials, len((tmp_path / LEDGER).read_text().splitlines())) == (ledger.trials, 3)


def test_an_outage_without_end_is_told_and_one_that_hid_another_driver_is_a_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module.time, "sleep", lambda _: None)
    storage = Weather(tmp_path)
    first, second = Ledger(storage, small_sweep()), Ledger(storage, small_sweep())
    storage.arrives.extend([False] * 99)
    with pytest.raises(StorageError, match="storage stays away"):
        first.begin()
    storage.arrives.clear()
    second.begin()
    Ledger(place(tmp_path), small_sweep()).propose({}, "theirs")
    storage.arrives.append(False)
    with pytest.raises(ConflictError):
        second.propose({}, "ours")


def test_another_definition_is_refused(tmp_path: Path) -> None:
    Ledger(place(tmp_path), small_sweep()).begin()
    with pytest.raises(UserError, match="another definition of small"):
        Ledger(place(tmp_path), small_sweep(seed=1))


@pytest.mark.parametrize(
    "line", ["no json", '{"event": "rung", "trial": 9, "images": 1}', '{"event": "party"}', '{"trial": 1}', "[]"]
)
def test_a_damaged_ledger_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    sweep = small_sweep()
    Ledger(place(tmp_path), sweep).begin()
    with (tmp_path / LEDGER).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=r"ledger.jsonl is damaged at line 2"):
        Ledger(place(tmp_path), sweep)


def test_what_could_not_be_measured_costs_infinity(tmp_path: Path) -> None:
    ledger = Ledger(place(tmp_path), small_sweep())
    assert ledger.costs(Rung(4_000, {"kid": None, "spearman": float("nan")}, 1.0)) == (float("inf"), float("inf"))
    ledger.begin()
    ledger.propose({}, "a")
    ledger.reach(0, Rung(4_000, {"kid": float("nan"), "spearman": 0.5}, 1.0))
    assert ledger.costs(ledger.trials[0].rungs[0]) == (float("inf"), -0.5)


def test_the_table_has_every_trial_and_its_command(tmp_path: Path) -> None:
    sweep = small_sweep(fixed={"generator.channels": (96, 64, 48, 32), "data.mirror": False})
    list(steps(place(tmp_path), sweep))
    ledger = Ledger(place(tmp_path), sweep)
    table = sweep_table(ledger, data_uri="data", runs_uri="runs")
    assert [row["number"] for row in table["trials"]] == list(range(7))
    whole = [row for row in table["trials"] if row["status"] == "finished"]
    best = min(whole, key=lambda row: row["rungs"][-1]["values"]["kid"])
    assert best["number"] in table["front"]
    assert table["hypervolume"] > 0
    assert table["images_spent"] == sum(trial.images for trial in ledger.trials)

    from argan.presets import preset
    from argan.settings import override, run_name
    from jobs.train import parse

    for row in table["trials"]:
        words = row["command"].split()
        arguments = parse(words[2:])
        assert run_name(override(preset(arguments.preset), arguments.changes)) == row["run"]


def test_the_front_is_of_those_that_came_to_the_end_and_were_measured(tmp_path: Path) -> None:
    ledger = Ledger(place(tmp_path), small_sweep(num_trials=20))
    ledger.begin()
    #        dominated,  unmeasured,   front,      front,      dominated, stopped before the end
    judged = [(50.0, 0.1), (None, 0.9), (40.0, 0.2), (30.0, 0.1), (45.0, 0.15), (10.0, 0.9)]
    for number, (kid, spearman) in enumerate(judged):
        stopped = number == 5
        ledger.propose({"prior.weight": float(number + 1)}, f"run-{number}")
        for images in RUNGS[:-1] if stopped else RUNGS:
            ledger.reach(number, Rung(images, {"kid": kid, "spearman": spearman}, 1.0))
        ledger.end(number, "stopped" if stopped else "finished")
    table = sweep_table(ledger, data_uri="", runs_uri="")
    assert table["front"] == [2, 3]
    assert table["hypervolume"] == pytest.approx(70 * 1.1 + 60 * 0.1)  # below (100, -1)


@pytest.mark.parametrize("keep_share", [0.25, 0.5])
def test_a_replay_of_full_curves_is_the_sweep_itself(tmp_path: Path, keep_share: float) -> None:
    """The rule that is replayed on curves gives up whom the sweep gave up."""
    full = small_sweep(stopping="none", num_trials=20)
    stopped = small_sweep(stopping="dominated", num_trials=20, keep_share=keep_share)
    list(steps(place(tmp_path / "full"), full))
    list(steps(place(tmp_path / "stopped"), stopped))
    ledger = Ledger(place(tmp_path / "full"), full)
    curves = [[ledger.costs(rung) for rung in trial.rungs] for trial in ledger.trials]
    reference = [objective.cost(objective.reference) for objective in full.objectives]
    real = sweep_table(Ledger(place(tmp_path / "stopped"), stopped), data_uri="", runs_uri="")
    whole = sweep_table(ledger, data_uri="", runs_uri="")
    found = replay(curves, RUNGS, reference, "dominated", keep_share)
    assert found.images_share == pytest.approx(real["images_spent"] / whole["images_spent"])
    assert found.hypervolume_share == pytest.approx(real["hypervolume"] / whole["hypervolume"])
    assert 0 < found.images_share < 1
    assert replay(curves, RUNGS, reference, "none", 0.5) == (1.0, 1.0)
    replays = resample(curves, RUNGS, reference, "dominated", 0.5, num_resamples=20, seed=0)
    assert all(0 < each.images_share <= 1 and 0 <= each.hypervolume_share <= 1 for each in replays)
    best = min(curves, key=lambda curve: curve[-1][0])
    outside = [[(200.0, 2.0)] * len(RUNGS)] * 11
    replays = resample([best, *outside], RUNGS, reference, "none", 0.5, num_resamples=50, seed=0)
    assert replays == [(1.0, 1.0)] * 50  # though many a draw has nothing inside
    # Of a good and a bad one all is spent, but where the good one comes first: in one of the three draws that cover.
    pair = [best, [(200.0, 2.0)] * len(RUNGS)]
    replays = resample(pair, RUNGS, reference, "dominated", 0.5, num_resamples=600, seed=0)
    assert sum(each.images_share == 1 for each in replays) / 600 == pytest.approx(2 / 3, abs=0.08)
    with pytest.raises(ValueError, match="cover nothing"):
        resample(outside, RUNGS, reference, "none", 0.5, num_resamples=1, seed=0)
