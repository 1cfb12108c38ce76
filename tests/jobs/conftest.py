"""Fixtures of the jobs' tests."""

import subprocess
import sys

import pytest
from training_job import ROOT


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """180 scenes of 16 px, in shards of uneven sizes."""
    out = str(tmp_path_factory.mktemp("scenes"))
    command = ["jobs/pack.py", "scenes:180", out, "--resolution", "16", "--shard-samples", "70"]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return out
