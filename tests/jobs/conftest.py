"""Fixtures of the jobs' tests."""

import subprocess
import sys

import pytest
from training_job import ROOT, TWO, final, only_run, train

from argan.training.checkpoint import Snapshot


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """180 scenes of 16 px, in shards of uneven sizes."""
    out = str(tmp_path_factory.mktemp("scenes"))
    command = ["jobs/pack.py", "scenes:180", out, "--resolution", "16", "--shard-samples", "70"]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return out


@pytest.fixture(scope="session")
def undisturbed(scenes: str, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What 1,920 images make of the debug preset with two workers that nobody kills."""
    out = str(tmp_path_factory.mktemp("undisturbed"))
    result = train(scenes, out, *TWO)
    assert result.returncode == 0, result.stderr
    return final(only_run(out))
