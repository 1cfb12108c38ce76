"""Training that is judged and guarded as it goes on."""

from pathlib import Path

import pytest
import torch
from go_on import go_on
from training_job import assert_one_sentence, assert_same, final, only_run, train

from argan.api import load_run
from argan.runs.checkpoints import find_checkpoint
from argan.runs.folder import read_config, read_history
from argan.storage import Storage

pytestmark = pytest.mark.ray


@pytest.mark.timeout(1800)  # five trainings
def test_a_collapse_ends_the_run_until_somebody_says_otherwise(scenes: str, tmp_path: Path) -> None:
    """Out of time at the first tick, it has a checkpoint and goes on. From image 150 on this guard calls any disparity
    the prior's: at 192 and at 240, twice in a row. That is the last tick, and still the same command does not find the
    run finished.
    """
    guard = ["--prior.fall_images", "150", "--guard.from_images", "100", "--guard.most_prior_correlation", "-1"]
    result = train(scenes, str(tmp_path), *guard, "--minutes", "0.0001", "--schedule.checkpoint_ticks", "1000")
    assert result.returncode == 0, result.stderr
    assert "stopped when its time was up at 48 images" in result.stdout
    assert final(only_run(str(tmp_path))).images_seen == 48
    for _ in range(2):
        result = train(scenes, str(tmp_path), *guard, "--guard.action", "stop")
        assert_one_sentence(result, "collapsed by 240 images", "prior-only disparity")
    result = train(scenes, str(tmp_path), *guard, "--guard.action", "roll_back")
    assert_one_sentence(result, "collapsed by 240 images", "rolled back to 144 images")
    run = only_run(str(tmp_path))
    assert final(run).images_seen == 144
    assert [row["images_seen"] for row in read_history(run)] == [48, 96, 144, 192, 240]  # it shows what was seen
    assert "collapsed: prior-only disparity" in run.read_bytes("report.html").decode()
    told = train(scenes, str(tmp_path), *guard, "--guard.action", "tell")
    assert told.returncode == 0, told.stderr
    assert "resuming at 144" in told.stdout
    assert final(run).images_seen == 240


@pytest.fixture(scope="module")
def alone(scenes: str, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A run of 6,720 images by one worker of one thread, judged on the way."""
    out = str(tmp_path_factory.mktemp("alone"))
    long = ["--schedule.total_images", "6720", "--schedule.tick_images", "960", "--schedule.judging_share", "0.99"]
    result = train(scenes, out, *long, "--cpus-per-worker", "1")
    assert result.returncode == 0, result.stderr
    return only_run(out)


def test_going_on_in_a_benchmark_is_training_bit_for_bit(scenes: str, alone: Storage) -> None:
    config, threads = read_config(alone), torch.get_num_threads()
    start = find_checkpoint(alone, warn=pytest.fail, at_images=5760)
    assert start is not None
    torch.set_num_threads(1)
    try:
        gone_on = go_on(config, start.snapshot, scenes)
    finally:
        torch.set_num_threads(threads)
    assert_same(gone_on, final(alone))


def test_a_run_is_judged_as_it_trains_and_its_best_is_found(alone: Storage) -> None:
    """At its end only, for want of time before: a judgement is taken to cost 3,000 images, the first one twice."""
    run = alone
    judged = [row for row in read_history(run) if "judged/kid" in row]
    assert [row["images_seen"] for row in judged] == [6720]
    assert judged[0]["judged/kid"] > 0
    assert 0 < judged[0]["judged/ordinal_accuracy"] < 1
    assert load_run(run.uri, checkpoint="best-depth").images_seen == 6720
    assert "judged/gap_closed" in run.read_bytes("report.html").decode()
