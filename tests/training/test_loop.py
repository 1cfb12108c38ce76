"""Loop laws: golden losses, stopping and going on is not stopping, any number of workers trains the same model."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from training_photos import OFF_BY_DEFAULT, photos

from argan.config import Config
from argan.errors import DataError, NonFiniteError
from argan.settings import override, to_dict
from argan.training.checkpoint import restore, snapshot
from argan.training.gradients import alone
from argan.training.loop import Tick, train
from argan.training.state import TrainState, build_state
from argan.training.step import Share

CPU = torch.device("cpu")
GOLDEN = Path(__file__).parents[1] / "golden" / "debug_loss.txt"


def batches(config: Config, start: int) -> Iterator[torch.Tensor]:
    for images_seen in range(start, 10**9, config.data.batch_images):
        yield photos(images_seen, config)


def run(state: TrainState, stop_at: int = 10**9) -> list[Tick]:
    """Trains `state` to the end, or to the first tick at `stop_at` images."""
    config, ticks = state.config, []
    share = Share(0, config.data.batch_images, config.data.batch_images)
    train(
        state,
        batches(config, state.images_seen),
        share,
        reduce=alone,
        report=ticks.append,
        stop=lambda: state.images_seen >= stop_at,
    )
    return ticks


def losses(ticks: list[Tick]) -> list[dict[str, float]]:
    return [{name: value for name, value in t.metrics.items() if not name.startswith("speed/")} for t in ticks]


def test_golden_losses(config: Config) -> None:
    """A refactor leaves these alone. They change only with the method, and then on purpose:
    python tests/training/test_loop.py writes them anew."""
    rows = losses(run(build_state(override(config, {"compute.precision": "fp64"}), CPU)))
    golden = json.loads(GOLDEN.read_text())
    assert len(rows) == len(golden) == 5
    for row, expected in zip(rows, golden, strict=True):
        assert row.keys() == expected.keys()
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize("changes", [{}, {"optics.expansion": True}, OFF_BY_DEFAULT])
def test_stop_and_resume_is_bit_equal_to_going_on(config: Config, changes: dict[str, object]) -> None:
    config = override(config, changes)
    straight = build_state(config, CPU)
    straight_ticks = run(straight)

    first = build_state(config, CPU)
    first_ticks = run(first, stop_at=96)
    assert first_ticks[-1].is_last
    assert first_ticks[-1].takes_checkpoint
    # Through bytes, as it goes through storage.
    saved = snapshot(first)
    saved = saved._replace(
        generator=safetensors.torch.load(safetensors.torch.save(saved.generator)),
        training=safetensors.torch.load(safetensors.torch.save(saved.training)),
    )
    second = build_state(config, CPU)
    restore(second, saved)
    assert second.images_seen == 96
    second_ticks = run(second)

    assert losses(first_ticks + second_ticks) == losses(straight_ticks)
    one, other = snapshot(straight), snapshot(second)
    assert one.images_seen == other.images_seen == config.schedule.total_images
    for tensors, others in ((one.generator, other.generator), (one.training, other.training)):
        assert tensors.keys() == others.keys()
        for name in tensors:
            assert torch.equal(tensors[name], others[name]), name


def test_a_checkpoint_of_another_configuration_is_refused(config: Config) -> None:
    state = build_state(config, CPU)
    run(state, stop_at=48)
    saved = snapshot(state)
    with pytest.raises(DataError, match="not of this configuration"):
        restore(build_state(override(config, {"generator.channels": "16,12,9"}), CPU), saved)
    with pytest.raises(DataError, match="not of this configuration"):
        restore(build_state(override(config, {"optics.expansion": True}), CPU), saved)


def test_due_things_are_a_function_of_the_images_seen(config: Config) -> None:
    ticks = run(build_state(config, CPU))
    assert [t.images_seen for t in ticks] == [48, 96, 144, 192, 240]
    assert [t.takes_checkpoint for t in ticks] == [True] * 5
    assert [t.takes_pictures for t in ticks] == [True, True, False, True, True]
    assert [t.is_last for t in ticks] == [False] * 4 + [True]


def test_every_second_tick_takes_a_checkpoint_and_the_last(config: Config) -> None:
    ticks = run(build_state(override(config, {"schedule.checkpoint_ticks": 2}), CPU))
    assert [t.takes_checkpoint for t in ticks] == [False, True, False, True, True]


def test_whoever_may_stop_it_is_asked_at_every_tick(config: Config) -> None:
    """At the last one too, before it is reported: a guard looks there."""
    state, calls = build_state(config, CPU), []
    share = Share(0, config.data.batch_images, config.data.batch_images)

    def stop() -> bool:
        calls.append(("stop", state.images_seen))
        return False

    train(
        state,
        batches(config, 0),
        share,
        reduce=alone,
        report=lambda tick: calls.append(("report", tick.images_seen)),
        stop=stop,
    )
    assert calls == [(name, images) for images in (48, 96, 144, 192, 240) for name in ("stop", "report")]


def test_training_longer_goes_on_where_it_ended(config: Config) -> None:
    """A run that was finished, asked for more images, equals one that was asked for all of them at once."""
    short = build_state(config, CPU)
    run(short)
    longer = override(config, {"schedule.total_images": 384})
    second = build_state(longer, CPU)
    restore(second, snapshot(short))
    run(second)
    straight = build_state(longer, CPU)
    run(straight)
    for one, other in zip(straight.camera.parameters(), second.camera.parameters(), strict=True):
        assert torch.equal(one, other)


def test_numbers_that_break_stop_the_run_and_name_the_images(config: Config) -> None:
    state = build_state(config, CPU)
    share = Share(0, 12, 12)
    reported: list[Tick] = []

    def poisoned() -> Iterator[torch.Tensor]:
        for images_seen, batch in zip(range(0, 10**6, 12), batches(config, 0), strict=False):
            if images_seen == 60:
                with torch.no_grad():
                    next(state.discriminator.parameters()).fill_(math.inf)
            yield batch

    with pytest.raises(NonFiniteError, match="between image 48 and image 96"):
        train(state, poisoned(), share, reduce=alone, report=reported.append, stop=lambda: False)
    # The last report shows where it went; nothing is kept of the state.
    assert [t.images_seen for t in reported] == [48, 96]
    last = reported[-1]
    assert any(not math.isfinite(value) for value in last.metrics.values())
    assert "speed/images_per_s" in last.metrics
    assert (last.takes_checkpoint, last.takes_pictures, last.is_last) == (False, False, True)


def train_with_workers(config: Config, world: int, folder: Path) -> tuple[list[dict[str, float]], dict]:
    """`world` real processes that talk over gloo."""
    script, out = Path(__file__).with_name("gloo_worker.py"), folder / f"of-{world}"
    arguments = [str(world), str(folder / f"store-{world}"), json.dumps(to_dict(config)), str(out)]
    workers = [subprocess.Popen([sys.executable, str(script), str(rank), *arguments]) for rank in range(world)]
    assert [worker.wait(timeout=240) for worker in workers] == [0] * world
    return json.loads(out.with_suffix(".json").read_text()), safetensors.torch.load_file(
        out.with_suffix(".safetensors")
    )


def test_one_two_and_three_workers_train_the_same_model(config: Config, tmp_path: Path) -> None:
    """float64, 50 batches of 24 images from 8 lanes: with 3 workers the shares are 3, 3 and 2 lanes."""
    changes = {
        "compute.precision": "fp64",
        "data.batch_images": 24,
        "data.num_lanes": 8,
        "schedule.tick_images": 24,
        "schedule.total_images": 24 * 50,
        "optimizer.ema_half_life_images": 100,
    }
    config = override(config, changes)
    rows, weights = train_with_workers(config, 1, tmp_path)
    assert len(rows) == 50
    for world in (2, 3):
        other_rows, other_weights = train_with_workers(config, world, tmp_path)
        for row, other in zip(rows, other_rows, strict=True):
            assert row.keys() == other.keys()
            for name, value in row.items():
                assert other[name] == pytest.approx(value, rel=1e-8, abs=1e-12), (world, name)
        for name, tensor in weights.items():
            torch.testing.assert_close(other_weights[name], tensor, rtol=1e-7, atol=1e-9)


if __name__ == "__main__":
    from argan.presets import preset

    rows = losses(run(build_state(override(preset("debug"), {"compute.precision": "fp64"}), CPU)))
    GOLDEN.write_text(json.dumps(rows, indent=1) + "\n")
