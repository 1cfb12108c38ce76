"""Where the guard looks, what it keeps to go back to, and that it leaves what is learned alone."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from packed_scenes import pack_scenes
from PIL import Image
from torch import Tensor

from argan.config import Config
from argan.data.manifest import read_manifest
from argan.data.reading import decode_photos, read_photo_bytes
from argan.errors import CollapseError, NonFiniteError
from argan.presets import preset
from argan.runs.checkpoints import commit_checkpoint, load_checkpoint, read_pointer, roll_back
from argan.runs.folder import open_run, read_history
from argan.settings import override
from argan.storage import Storage, open_storage
from argan.training.checkpoint import restore, snapshot
from argan.training.gradients import alone
from argan.training.loop import Tick, train
from argan.training.state import TrainState, build_state
from argan.training.step import Share
from argan.training.vitals import Vitals
from jobs.runtime import guarding, judging
from jobs.runtime.reporter import Reporter

CPU = torch.device("cpu")
WELL = Vitals(1.0, 1.0, 1.0, 1.0, 0.2, 0.1, 0.5)
FLAT, INVERTED, BOTH = WELL._replace(spread=0.0), WELL._replace(inverted=1.0), WELL._replace(spread=0.0, inverted=1.0)


def begun(tmp_path: Path, **changes: object) -> tuple[Config, Storage]:
    settled = {"schedule.judging_share": 0, "guard.from_images": 0, "guard.action": "roll_back"}
    config = override(preset("debug"), {**settled, **{key.replace("__", "."): value for key, value in changes.items()}})
    return config, open_run(str(tmp_path / "runs"), config)


def batches(state: TrainState, scenes: str) -> Iterator[Tensor]:
    """The set's first photos, over and over."""
    data = open_storage(scenes)
    manifest = read_manifest(data)
    rows = np.arange(state.config.data.batch_images)
    photos = torch.from_numpy(decode_photos(manifest, rows, read_photo_bytes(data, manifest, rows)))
    while True:
        yield photos


def train_with(reporter: Reporter, state: TrainState, photos: Iterator[Tensor], *, until_images: int = 10**9) -> None:
    """As a worker does."""
    size = state.config.data.batch_images

    def stop() -> bool:
        collapsed = reporter.sees_collapse()
        return collapsed or state.images_seen >= until_images

    try:
        train(state, photos, Share(0, size, size), reduce=alone, report=reporter.keep, stop=stop)
    finally:
        reporter.close()


def test_copies_of_a_photo_count_once(tmp_path: Path) -> None:
    """Else real photos seem to have no variety, and a generator that lost its own has enough."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(40):
        Image.new("RGB", (16, 16), (12 * (number // 2), 40, 40)).save(folder / f"{number:02d}.png")
    data = pack_scenes(str(tmp_path / "set"), str(folder), resolution=16, shard_samples=1000)
    config, run = begun(tmp_path)
    found = guarding.Guarding(build_state(config, CPU), run, data)
    assert len(found._real) == len(found._real.unique(dim=0)) == 20


def looked_at(run: Storage) -> list[int]:
    return [row["images_seen"] for row in read_history(run) if "health/margin" in row]


def test_it_looks_where_a_checkpoint_is_due_and_where_training_ends(scenes: str, tmp_path: Path) -> None:
    """Not where somebody stops it: gone on from there, it has looked as if nobody had."""
    config, run = begun(tmp_path, schedule__checkpoint_ticks=2, guard__action="tell")
    state = build_state(config, CPU)
    train_with(Reporter(state, run, open_storage(scenes), 1), state, batches(state, scenes), until_images=144)
    assert looked_at(run) == [96]
    saved = load_checkpoint(run, warn=pytest.fail)
    assert saved is not None
    assert saved.images_seen == 144
    state = build_state(config, CPU)
    restore(state, saved)
    train_with(Reporter(state, run, open_storage(scenes), 2), state, batches(state, scenes))
    assert looked_at(run) == [96, 192, 240]
    rows = {row["images_seen"]: row for row in read_history(run)}
    assert rows[192]["health/diversity"] != rows[240]["health/diversity"]


def test_it_looks_at_the_moving_average(scenes: str, tmp_path: Path) -> None:
    """Which is what is saved, sampled from, and gone back to."""
    config, run = begun(tmp_path, guard__action="tell")
    state, seen = build_state(config, CPU), []
    state.images_seen = config.schedule.total_images
    for change in (1.0, math.nan):
        with torch.no_grad():
            for parameter in state.camera.parameters():
                parameter.mul_(change)
        guard = guarding.Guarding(state, run, open_storage(scenes))
        guard.look()
        seen.append(guard.take_metrics())
    assert seen[0] == seen[1]
    assert len(seen[0]) == len(Vitals._fields)


def test_where_numbers_break_nothing_was_looked_at(scenes: str, tmp_path: Path) -> None:
    config, run = begun(tmp_path, guard__action="tell")
    state = build_state(config, CPU)

    def poisoned() -> Iterator[Tensor]:
        for batch in batches(state, scenes):
            if state.images_seen == 60:
                with torch.no_grad():
                    next(state.discriminator.parameters()).fill_(math.inf)
            yield batch

    with pytest.raises(NonFiniteError):
        train_with(Reporter(state, run, open_storage(scenes), 1), state, poisoned())
    assert [row["images_seen"] for row in read_history(run)] == [48, 96]
    assert looked_at(run) == [48]


def went(run: Storage, scenes: str, config: Config, found: list[Vitals], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks with these vitals; at the last a collapse is seen, and at none before."""
    state, answers = build_state(config, CPU), iter(found)
    monkeypatch.setattr(guarding, "vitals", lambda *_: next(answers))
    reporter = Reporter(state, run, open_storage(scenes), attempt=1)
    for number in range(1, len(found) + 1):
        state.images_seen = 48 * number
        assert reporter.sees_collapse() == (number == len(found))
        is_last = number == len(found)
        reporter.keep(Tick(state.images_seen, {}, takes_checkpoint=True, takes_pictures=False, is_last=is_last))
    reporter.close()


def collapse_of(run: Storage, config: Config, images_seen: int) -> str:
    """What a driver says of the run that stands there."""
    with pytest.raises(CollapseError) as told:
        guarding.end_if_collapsed(run, config, images_seen, attempt=1)
    return str(told.value)


def test_the_last_in_health_is_kept_however_long_it_ails(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one thing and then of another, with a single checkpoint kept beside it."""
    config, run = begun(tmp_path, schedule__keep_checkpoints=1)
    went(run, scenes, config, [WELL, WELL, FLAT, INVERTED, FLAT, BOTH], monkeypatch)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [288, 96]
    ended = collapse_of(run, config, 288)
    assert ended.startswith("training collapsed by 288 images: flat disparity; rolled back to 96 images")
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [96]


def test_a_later_attempt_keeps_it_too(scenes: str, tmp_path: Path) -> None:
    """And one that is stopped before it has looked at anything."""
    config, run = begun(tmp_path, schedule__keep_checkpoints=1, schedule__checkpoint_ticks=2, guard__action="tell")
    state = build_state(config, CPU)
    train_with(Reporter(state, run, open_storage(scenes), 1), state, batches(state, scenes), until_images=96)
    train_with(Reporter(state, run, open_storage(scenes), 2), state, batches(state, scenes), until_images=144)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [144, 96]


def test_a_collapse_is_told_where_there_is_nothing_to_go_back_to(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = begun(tmp_path)
    went(run, scenes, config, [FLAT, FLAT], monkeypatch)
    assert "it never was in health, so there is nothing to roll back to" in collapse_of(run, config, 96)
    config, run = begun(tmp_path, seed=1)
    went(run, scenes, config, [WELL, FLAT, FLAT], monkeypatch)
    roll_back(run, 48, attempt=1)
    commit_checkpoint(run, snapshot(build_state(config, CPU)), config=config, device=CPU, attempt=1, keep=1)
    assert "flat disparity; it was not rolled back" in collapse_of(run, config, 144)  # somebody has taken it away
    config, run = begun(tmp_path, seed=2, guard__action="stop")
    went(run, scenes, config, [WELL, FLAT, FLAT], monkeypatch)
    for _ in range(2):
        assert collapse_of(run, config, 144).startswith("training collapsed by 144 images: flat disparity (docs")
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [144, 96, 48]
    guarding.end_if_collapsed(run, config, 96, attempt=1)  # rows of what was rolled back say nothing
    guarding.end_if_collapsed(run, override(config, {"guard.action": "tell"}), 144, attempt=1)


def test_a_check_of_a_time_when_nothing_may_be_wrong_is_no_health_to_go_back_to(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = begun(tmp_path, guard__from_images=100)
    went(run, scenes, config, [FLAT, FLAT, FLAT, FLAT], monkeypatch)
    assert "it never was in health" in collapse_of(run, config, 192)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [192, 144, 96]


def test_who_is_watched_and_judged_learns_the_same(
    scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = judging.JudgingSize(num_photos=12, kid_photos=12, estimator_images=64, estimator_pairs=32)
    monkeypatch.setattr(judging, "GLANCE", size)
    monkeypatch.setattr(judging, "DEPTH_COST_IMAGES", 1)  # so that the first checkpoint is judged
    config, run = begun(tmp_path, schedule__judging_share=0.9, guard__action="tell")
    watched = build_state(config, CPU)
    train_with(Reporter(watched, run, open_storage(scenes), 1), watched, batches(watched, scenes))
    assert "judged/kid" in read_history(run)[0]
    alone_state = build_state(config, CPU)
    train(
        alone_state,
        batches(alone_state, scenes),
        Share(0, 12, 12),
        reduce=alone,
        report=lambda _: None,
        stop=lambda: False,
    )
    one, other = snapshot(watched), snapshot(alone_state)
    for tensors, others in ((one.generator, other.generator), (one.training, other.training)):
        assert all(torch.equal(tensors[name], others[name]) for name in tensors)
