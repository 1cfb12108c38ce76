"""Fixtures of the jobs' tests."""

import subprocess
import sys

import pytest
from PIL import Image
from training_job import ROOT, TWO, final, only_run, train
from untrained_run import untrained_run

from argan.presets import preset
from argan.training.checkpoint import Snapshot


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """180 scenes of 16 px, in shards of uneven sizes."""
    out = str(tmp_path_factory.mktemp("scenes"))
    command = ["jobs/pack.py", "scenes:180", out, "--resolution", "16", "--shard-samples", "70"]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return out


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Flat colours, without truth."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(40):
        Image.new("RGB", (16, 16), (6 * number, 255 - 6 * number, 40)).save(folder / f"{number:02d}.png")
    out = str(tmp_path_factory.mktemp("set"))
    command = [sys.executable, "jobs/pack.py", str(folder), out, "--resolution", "16"]
    subprocess.run(command, cwd=ROOT, check=True)
    return out


@pytest.fixture(scope="session")
def undisturbed(scenes: str, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What 1,920 images make of the debug preset with two workers that nobody kills."""
    out = str(tmp_path_factory.mktemp("undisturbed"))
    result = train(scenes, out, *TWO)
    assert result.returncode == 0, result.stderr
    return final(only_run(out))


@pytest.fixture(scope="session")
def run_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of the debug preset (16 px) that has not learned anything yet."""
    return untrained_run(tmp_path_factory.mktemp("runs"), preset("debug")).uri
