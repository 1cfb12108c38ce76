"""The training job end to end, with real Ray: from its plan to a finished run."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training_job import ROOT, final, only_run, train

from argan.runs.folder import read_history
from argan.storage import open_storage
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


def test_out_of_time_is_a_checkpoint_and_no_error(scenes: str, tmp_path: Path) -> None:
    result = train(scenes, str(tmp_path), "--minutes", "0.0001", "--schedule.checkpoint_ticks", "1000")
    assert result.returncode == 0, result.stderr
    assert "stopped when its time was up at 48 images" in result.stdout
    assert final(only_run(str(tmp_path))).images_seen == 48


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
