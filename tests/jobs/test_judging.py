"""A run is judged while it trains, for a share of the time, and the best checkpoints stay."""

import functools
import time
from pathlib import Path

import pytest
import torch

from argan.api import Run, load_run
from argan.config import Config
from argan.errors import MissingError, StorageError
from argan.judging_size import JudgingSize
from argan.presets import preset
from argan.runs.best import images_of_best
from argan.runs.checkpoints import read_pointer, roll_back
from argan.runs.folder import open_run, read_history, write_config
from argan.runs.report import write_report
from argan.settings import override
from argan.storage import Storage, open_storage
from argan.storage.local import LocalStorage
from argan.training.loop import Tick
from argan.training.state import build_state
from argan.training.vitals import Vitals
from jobs.runtime import guarding, judging
from jobs.runtime import reporter as reporter_module
from jobs.runtime.evaluation import EvaluationRequest
from jobs.runtime.judging import Judging
from jobs.runtime.reporter import Reporter


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    size = JudgingSize(num_photos=12, kid_photos=12, estimator_images=64, estimator_pairs=32)
    monkeypatch.setattr(judging, "GLANCE", size)


def looked(watched: Judging) -> dict[str, float]:
    """As the reporter does at each checkpoint."""
    return watched.look() if watched.is_due() else {}


def begun(tmp_path: Path, **changes: object) -> tuple[Config, Storage]:
    config = override(preset("debug"), {key.replace("__", "."): value for key, value in changes.items()})
    run = open_run(str(tmp_path / "runs"), config)
    write_config(run, config)
    return config, run


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_no_more_than_its_share_of_the_time(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """100 images/s, a checkpoint every 8,000; the first judgement costs 40 s, every other 25 s."""
    total_images = 400_000
    changes = {"schedule__total_images": total_images, "data__batch_images": 16, "data__num_lanes": 16}
    config, run = begun(tmp_path, schedule__judging_share=share, schedule__tick_images=8000, **changes)
    state, clock = build_state(config, torch.device("cpu")), Clock()
    once, costs_s = functools.cache(judging.judge_run), iter([40.0, *[25.0] * 100])

    def slowly(_: object, request: EvaluationRequest) -> object:
        clock.now_s += next(costs_s)
        return once(as_it_began, request)  # nothing is learned in between

    monkeypatch.setattr(judging, "judge_run", slowly)
    watched = Judging(state, run, open_storage(scenes), clock=clock)
    as_it_began = watched._now()
    started_s, found = clock.now_s, {}
    for images_seen in range(8000, total_images + 1, 8000):
        clock.now_s += 80
        state.images_seen = images_seen
        before_s = clock.now_s
        if judged := looked(watched):
            found[images_seen] = judged
        spent_s = 40 * min(1, len(found)) + 25 * max(0, len(found) - 1)
        assert spent_s <= share * (clock.now_s - started_s)
        assert bool(judged) == (clock.now_s > before_s)
    assert total_images in found  # the last is always among them
    assert len(found) >= 0.8 * (share * (clock.now_s - started_s) - 40) / 25
    first = next(iter(found.values()))
    assert {"judged/kid", "judged/ordinal_accuracy", "judged/ceiling.ordinal_accuracy", "judged/side"} <= first.keys()
    kept = [entry.path.partition("-")[0] for entry in run.list("judging/")]
    assert sorted(kept) == ["judging/features", "judging/truth"]


def test_what_is_judged_is_the_moving_average(scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is what is saved where it was best."""
    config, run = begun(tmp_path)
    state, judged = build_state(config, torch.device("cpu")), []

    def judge(what: Run, _: EvaluationRequest) -> tuple[dict[str, float], None]:
        judged.append(what.camera.state_dict())
        return {}, None

    monkeypatch.setattr(judging, "judge_run", judge)
    with torch.no_grad():
        for number, parameter in enumerate(state.g_ema.parameters()):
            parameter.fill_(number)
    Judging(state, run, open_storage(scenes)).look()
    [weights] = judged
    for name, average in state.g_ema.state_dict().items():
        assert torch.equal(weights[name], average), name


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError("no memory left"), OSError("no memory left")])
def test_what_cannot_be_judged_is_trained_all_the_same(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """And is not tried again and again, and the page says why, until another attempt tries."""
    config, run = begun(tmp_path, schedule__judging_share=0.9)
    state, clock = build_state(config, torch.device("cpu")), Clock()
    tries = []

    def breaks(*_: object) -> object:
        tries.append(state.images_seen)
        raise error

    monkeypatch.setattr(judging, "judge_run", breaks)
    watched = Judging(state, run, open_storage(scenes), clock=clock)
    for _ in range(3):
        state.images_seen += 48 * 1000
        clock.now_s += 1000
        assert looked(watched) == {}
    assert tries == [48_000]
    write_report(run, state="training")
    assert "ended at 48,000 images, could not be done: no memory left" in run.read_bytes("report.html").decode()
    assert Judging(state, run, open_storage(scenes), clock=clock)._is_first  # nothing is kept of the one that ended
    write_report(run, state="training")
    assert "no memory left" not in run.read_bytes("report.html").decode()


@pytest.mark.usefixtures("small")
def test_where_storage_stays_away_it_is_judged_the_next_time(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage that is away when it is read from; where it is when what is not needed any more is deleted, nothing is
    lost.
    """
    config, run = begun(tmp_path, schedule__judging_share=0.9)
    state, clock = build_state(config, torch.device("cpu")), Clock()
    watched, really = Judging(state, run, open_storage(scenes), clock=clock), judging.judge_run

    def away(*_: object) -> None:
        raise StorageError("503 Slow Down")

    found = []
    for look in (away, really, really):
        monkeypatch.setattr(judging, "judge_run", look)
        with monkeypatch.context() as first:
            if len(found) == 1:
                first.setattr(LocalStorage, "delete", away)
            state.images_seen += 48 * 1000
            clock.now_s += 1000
            found.append(looked(watched))
    assert found[0] == {}
    assert all(numbers["judged/kid"] > 0 for numbers in found[1:])
    kept = [entry.path.partition("-")[0] for entry in run.list("judging/")]
    assert sorted(kept) == ["judging/features", "judging/truth"]


@pytest.mark.usefixtures("small")
def test_photos_without_truth_are_judged_by_kid_alone(photos: str, tmp_path: Path) -> None:
    config, run = begun(tmp_path)
    state, clock = build_state(config, torch.device("cpu")), Clock()
    watched = Judging(state, run, open_storage(photos), clock=clock)
    clock.now_s += 1e6
    state.images_seen = 10**6
    found = looked(watched)
    assert found["judged/kid"] > 0
    assert "judged/ordinal_accuracy" not in found


@pytest.mark.usefixtures("small")
def test_an_estimator_that_a_killed_worker_left_is_not_taken_for_this_ones(scenes: str, tmp_path: Path) -> None:
    config, run = begun(tmp_path)
    run.write_bytes("judging/fakes-0123456789abcdef.safetensors", b"of other weights")
    run.write_bytes("judging/truth-0123456789abcdef.safetensors", b"the ceiling stays")
    Judging(build_state(config, torch.device("cpu")), run, open_storage(scenes))
    assert [entry.path for entry in run.list("judging/")] == ["judging/truth-0123456789abcdef.safetensors"]


@pytest.mark.usefixtures("small")
def test_a_share_of_0_is_never(scenes: str, tmp_path: Path) -> None:
    config, run = begun(tmp_path, schedule__judging_share=0)
    state, clock = build_state(config, torch.device("cpu")), Clock()
    watched = Judging(state, run, open_storage(scenes), clock=clock)
    clock.now_s += 1e9
    state.images_seen = 10**6
    assert looked(watched) == {}


def test_nothing_is_judged_where_somebody_stops_it_nor_what_is_given_up(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = begun(tmp_path, schedule__checkpoint_ticks=2, guard__action="stop", guard__from_images=0)
    state, looks = build_state(config, torch.device("cpu")), []
    monkeypatch.setattr(Judging, "is_due", lambda _: True)
    monkeypatch.setattr(Judging, "look", lambda _: looks.append(state.images_seen) or {})
    flat = Vitals(1.0, 1.0, 1.0, 1.0, 0.0, 0.1, 0.5)
    monkeypatch.setattr(guarding, "vitals", lambda *_: flat)
    reporter = Reporter(state, run, open_storage(scenes), attempt=1)
    for state.images_seen, time_is_up in ((96, True), (96, False), (144, True), (192, False)):
        is_last = reporter.sees_collapse() or time_is_up
        reporter.keep(Tick(state.images_seen, {}, takes_checkpoint=True, takes_pictures=False, is_last=is_last))
    reporter.close()
    assert looks == [96]  # at 192 flat disparity had lasted


def test_a_checkpoint_stands_before_it_is_judged(scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is killed while judging, for want of memory say, has lost no images."""
    config, run = begun(tmp_path)
    state, stood = build_state(config, torch.device("cpu")), []
    commit = reporter_module.commit_checkpoint

    def slowly(*arguments: object, **more: object) -> None:
        time.sleep(0.2)
        commit(*arguments, **more)

    def look(_: Judging) -> dict[str, float]:
        stood.append([entry["images_seen"] for entry in read_pointer(run).checkpoints])
        return {}

    monkeypatch.setattr(reporter_module, "commit_checkpoint", slowly)
    monkeypatch.setattr(Judging, "is_due", lambda _: True)
    monkeypatch.setattr(Judging, "look", look)
    reporter = Reporter(state, run, open_storage(scenes), attempt=1)
    for state.images_seen in (48, 96):
        reporter.keep(Tick(state.images_seen, {}, takes_checkpoint=True, takes_pictures=False, is_last=False))
    reporter.close()
    assert stood == [[48], [96, 48]]


def reported(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[int, dict[str, float]]
) -> Storage:
    """A run of eight checkpoints, of which the last two are kept, and the best by what was found at those numbers."""
    config, run = begun(tmp_path, schedule__keep_checkpoints=2)
    state = build_state(config, torch.device("cpu"))
    answers = iter(found.get(number, {}) for number in range(1, 9))
    monkeypatch.setattr(Judging, "is_due", lambda _: True)
    monkeypatch.setattr(Judging, "look", lambda _: next(answers))
    reporter = Reporter(state, run, open_storage(scenes), attempt=1)
    for number in range(1, 9):
        state.images_seen = 48 * number
        with torch.no_grad():
            next(state.g_ema.parameters()).fill_(number)
        reporter.sees_collapse()
        reporter.keep(Tick(state.images_seen, {}, takes_checkpoint=True, takes_pictures=False, is_last=number == 8))
    reporter.close()
    return run


def test_the_best_stay_and_are_found(scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = {2: {"judged/kid": 9.0}, 3: {"judged/kid": 30.0}, 4: {"judged/ordinal_accuracy": 0.4}}
    run = reported(scenes, tmp_path, monkeypatch, judged)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [384, 336, 192, 96]
    assert {"judged/kid", "health/margin"} <= read_history(run)[1].keys()
    for which, number in (("newest", 8), ("best-kid", 2), ("best-depth", 4)):
        assert load_run(run.uri, checkpoint=which).images_seen == 48 * number  # type: ignore[arg-type]
        assert next(load_run(run.uri, checkpoint=which).camera.parameters()).unique().item() == number  # type: ignore[arg-type]
    roll_back(run, 96, attempt=1)
    assert images_of_best(run, "best-kid") == 96
    with pytest.raises(MissingError, match="no best-depth checkpoint"):  # it was judged, and is gone
        images_of_best(run, "best-depth")


def test_after_a_rollback_a_best_that_was_dropped_is_not_named(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second checkpoint was the best until the fifth was; then the fourth is gone back to."""
    judged = {2: {"judged/kid": 9.0}, 4: {"judged/ordinal_accuracy": 0.4}, 5: {"judged/kid": 5.0}}
    run = reported(scenes, tmp_path, monkeypatch, judged)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [384, 336, 240, 192]
    roll_back(run, 192, attempt=1)
    assert images_of_best(run, "best-depth") == 192
    with pytest.raises(MissingError, match="no best-kid checkpoint: none that it keeps"):
        images_of_best(run, "best-kid")
