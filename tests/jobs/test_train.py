"""What the training job says before it trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

from training_job import ROOT, train

from argan.config import Config
from argan.settings import as_typed, learned_keys


def test_dry_run_says_what_would_be_and_writes_nothing(scenes: str, tmp_path: Path) -> None:
    result = train(scenes, str(tmp_path / "runs"), "--dry-run", "--prior.weight", "0.7")
    plan = json.loads(result.stdout)
    assert plan["config"]["prior"]["weight"] == 0.7
    assert plan["batches"] == 20
    assert plan["samples"] == 180
    assert not (tmp_path / "runs").exists()


def test_help_knows_every_key_and_its_default() -> None:
    result = subprocess.run(
        [sys.executable, "jobs/train.py", "--help"], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip
    told = dict(each.split(" ", 1) for each in " ".join(result.stdout.split()).split(" --") if "." in each.split()[0])
    for key, value in learned_keys(Config()).items():
        if "." in key and key != "data.fingerprint":
            assert f"default {as_typed(value)})" in told[key], key
    assert "(one of bernoulli | uniform | half_normal | one; default bernoulli)" in " ".join(result.stdout.split())
    assert "ray job submit" in result.stdout
