"""The training job end to end, with real Ray and faults on purpose. What survives is compared bit for bit."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from go_on import go_on
from training_job import (
    ROOT,
    TWO,
    assert_one_sentence,
    assert_same,
    children,
    final,
    only_run,
    start,
    train,
    wait_for_images,
    workers,
)

from argan.api import load_run
from argan.runs.checkpoints import find_checkpoint, read_pointer
from argan.runs.folder import read_config, read_history
from argan.storage import Storage, open_storage
from argan.training.checkpoint import Snapshot
from cluster.local_s3 import LocalS3

pytestmark = pytest.mark.ray


@pytest.mark.s3
def test_from_bucket_to_bucket_with_two_workers(s3: LocalS3, scenes: str) -> None:
    """Pack to S3, train from it, checkpoint to it; the same command again finds it done."""
    data, out = f"{s3.uri}/train/scenes", f"{s3.uri}/train/runs"
    for entry in open_storage(scenes).list():
        open_storage(data).upload(Path(scenes) / entry.path, entry.path)
    result = train(data, out, "--num-workers", "2")
    assert result.returncode == 0, result.stderr
    run = only_run(out)
    assert final(run).images_seen == 240
    assert [row["images_seen"] for row in read_history(run)] == [48, 96, 144, 192, 240]
    names = {entry.path.split("/")[0] for entry in run.list()}
    assert {"config.json", "latest.json", "history.jsonl", "report.html", "pictures", "tensorboard"} <= names
    page = run.read_bytes("report.html").decode()
    assert "finished" in page
    assert "data:image/png" in page
    assert f"{run.uri}/report.html" in result.stdout
    assert "images/s" in result.stderr

    again = train(data, out)
    assert again.returncode == 0, again.stderr
    assert "finished already at 240 images" in again.stdout


def test_a_killed_worker_is_recovered_from_bit_for_bit(scenes: str, undisturbed: Snapshot, tmp_path: Path) -> None:
    process = start(scenes, str(tmp_path), tmp_path / "log", *TWO)
    wait_for_images(str(tmp_path), 240, process)
    _, second = workers(process)
    second.kill()
    assert process.wait(timeout=240) == 0
    assert_same(final(only_run(str(tmp_path))), undisturbed)
    seen = [row["images_seen"] for row in read_history(only_run(str(tmp_path)))]
    assert seen == list(range(48, 1921, 48))


@pytest.mark.slow
def test_a_killed_driver_is_resumed_by_the_same_command(scenes: str, undisturbed: Snapshot, tmp_path: Path) -> None:
    out = str(tmp_path)
    process = start(scenes, out, tmp_path / "log", *TWO)
    wait_for_images(out, 240, process)
    first, _ = workers(process)
    first.suspend()  # else the run might end before the other one is refused
    refused = train(scenes, out, *TWO)
    assert refused.returncode == 1
    assert "error: " in refused.stderr
    assert str(process.pid) in refused.stderr  # it names who trains
    orphans = children(process)
    process.kill()
    process.wait()
    first.resume()
    again = train(scenes, out, *TWO)
    assert again.returncode == 0, again.stderr
    assert "resuming at" in again.stdout
    assert_same(final(only_run(out)), undisturbed)
    _, alive = psutil.wait_procs(orphans, timeout=60)
    assert not alive, "the killed driver's cluster lives on"


@pytest.mark.slow
def test_a_broken_newest_checkpoint_falls_back_bit_for_bit(scenes: str, undisturbed: Snapshot, tmp_path: Path) -> None:
    out = str(tmp_path)
    half = [*TWO[:1], "960", *TWO[2:]]
    assert train(scenes, out, *half).returncode == 0
    run = only_run(out)
    newest = read_pointer(run).checkpoints[0]["path"]
    data = bytearray(run.read_bytes(f"{newest}/training.safetensors"))
    data[-1] ^= 1
    run.write_bytes(f"{newest}/training.safetensors", bytes(data))
    result = train(scenes, out, *TWO)
    assert result.returncode == 0, result.stderr
    assert "checkpoint at 960 images is broken" in result.stderr
    assert_same(final(run), undisturbed)


def test_out_of_time_is_a_checkpoint_and_no_error(scenes: str, tmp_path: Path) -> None:
    result = train(scenes, str(tmp_path), "--minutes", "0.0001", "--schedule.checkpoint_ticks", "1000")
    assert result.returncode == 0, result.stderr
    assert "stopped when its time was up at 48 images" in result.stdout
    assert final(only_run(str(tmp_path))).images_seen == 48


def test_numbers_that_break_are_one_sentence(scenes: str, tmp_path: Path) -> None:
    result = train(scenes, str(tmp_path), "--optimizer.discriminator_lr", "1e30")
    assert_one_sentence(result, "between image 0 and image 48", "not finite")
    run = only_run(str(tmp_path))
    (row,) = read_history(run)  # it shows where the numbers went, and nothing can go on from there
    assert row["images_seen"] == 48
    assert None in row.values()
    assert read_pointer(run).checkpoints == []
    page = run.read_bytes("report.html").decode()
    assert "stopped: training broke between image 0 and image 48" in page
    assert "Not finite, a cross in the charts" in page
    assert "not say how the run ended" not in result.stderr
    assert list(run.list("tensorboard/"))


def test_what_does_not_fit_is_one_sentence(scenes: str, tmp_path: Path) -> None:
    out = str(tmp_path / "runs")
    assert_one_sentence(train(str(tmp_path / "nothing"), out), "nothing")
    assert_one_sentence(train(scenes, out, "--resolution", "32", "--generator.channels", "8,8,8,8"), "16 px", "32 px")
    assert_one_sentence(train(scenes, out, "--num-workers", "7"), "7", "data.num_lanes = 6")
    assert_one_sentence(train(scenes, out, "--num-workers", "2", "--cpus-per-worker", "64"), "64 CPU")
    assert_one_sentence(train(scenes, out, "--prior.weight", "-1"), "prior.weight", "-1")
    copy = open_storage(str(tmp_path / "copy"))
    for entry in open_storage(scenes).list():
        copy.upload(Path(scenes) / entry.path, entry.path)
    copy.write_bytes("shards/00001.tar", copy.read_bytes("shards/00001.tar")[:-1024])
    assert_one_sentence(train(copy.uri, out), "shards/00001.tar", "does not fit the manifest")


@pytest.mark.s3
def test_a_bucket_that_refuses_is_one_sentence_within_a_minute(
    s3: LocalS3, scenes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = time.monotonic()
    assert_one_sentence(train(scenes, "s3://no-such-bucket/runs"), "no-such-bucket")
    data = f"{s3.uri}/refused/scenes"
    open_storage(data).upload(Path(scenes) / "manifest.json", "manifest.json")  # with the right key there is a set
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert_one_sentence(train(data, f"{s3.uri}/refused/runs"), data, "refused the credentials (SignatureDoesNotMatch)")
    assert time.monotonic() - started < 60
    started = time.monotonic()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert_one_sentence(train(data, f"{s3.uri}/refused/runs"), "127.0.0.1:9", "cannot be reached")
    assert time.monotonic() - started < 60


def test_a_broken_photo_in_a_shard_is_one_sentence(scenes: str, tmp_path: Path) -> None:
    copy = open_storage(str(tmp_path / "copy"))
    for entry in open_storage(scenes).list():
        copy.upload(Path(scenes) / entry.path, entry.path)
    for number in range(3):
        data = copy.read_bytes(f"shards/0000{number}.tar")
        copy.write_bytes(f"shards/0000{number}.tar", data.replace(b"\xff\xd8\xff", b"\xff\xd8\xfe"))
    started = time.monotonic()
    result = train(copy.uri, str(tmp_path / "runs"))
    assert_one_sentence(result, "shards/0000")
    assert time.monotonic() - started < 60


def test_dry_run_says_what_would_be_and_writes_nothing(scenes: str, tmp_path: Path) -> None:
    result = train(scenes, str(tmp_path / "runs"), "--dry-run", "--prior.weight", "0.7")
    plan = json.loads(result.stdout)
    assert plan["config"]["prior"]["weight"] == 0.7
    assert plan["batches"] == 20
    assert plan["samples"] == 180
    assert not (tmp_path / "runs").exists()


def test_help_is_quick_and_knows_every_key() -> None:
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "jobs/train.py", "--help"], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip
    assert "--prior.weight" in result.stdout
    assert "ray job submit" in result.stdout
    assert time.monotonic() - started < 5  # 0.1 s on an idle machine


def test_a_collapse_ends_the_run_until_somebody_says_otherwise(scenes: str, tmp_path: Path) -> None:
    """From image 150 on this guard calls any disparity the prior's: at 192 and at 240, twice in a row. That is the last
    tick, and still the same command does not find the run finished.
    """
    guard = ["--prior.fall_images", "150", "--guard.from_images", "100", "--guard.most_prior_correlation", "-1"]
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
    """A run of 9,600 images by one worker of one thread, judged on the way."""
    out = str(tmp_path_factory.mktemp("alone"))
    long = ["--schedule.total_images", "9600", "--schedule.tick_images", "960", "--schedule.judging_share", "0.99"]
    result = train(scenes, out, *long, "--cpus-per-worker", "1")
    assert result.returncode == 0, result.stderr
    return only_run(out)


def test_going_on_in_a_benchmark_is_training_bit_for_bit(scenes: str, alone: Storage) -> None:
    config, threads = read_config(alone), torch.get_num_threads()
    start = find_checkpoint(alone, warn=pytest.fail, at_images=8640)
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
    assert [row["images_seen"] for row in judged] == [9600]
    assert judged[0]["judged/kid"] > 0
    assert 0 < judged[0]["judged/ordinal_accuracy"] < 1
    assert load_run(run.uri, checkpoint="best-depth").images_seen == 9600
    assert "judged/gap_closed" in run.read_bytes("report.html").decode()
