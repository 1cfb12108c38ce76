"""Fixtures of the jobs' tests."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from packed_scenes import pack_scenes
from PIL import Image
from training_job import TWO, BucketRun, final, only_run, train
from untrained_run import untrained_run

from argan.presets import preset
from argan.storage import open_storage
from argan.training.checkpoint import Snapshot
from cluster.local_s3 import LocalS3


@pytest.fixture(autouse=True)
def nothing_goes_on() -> Iterator[None]:
    """What a test has started ends with it, where it failed before it came to that: else the next ones share the
    machine with a training.
    """
    own = psutil.Process()
    before = set(own.children(recursive=True))
    yield
    left = set(own.children(recursive=True)) - before
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """180 scenes of 16 px, in shards of uneven sizes."""
    uri = str(tmp_path_factory.mktemp("scenes"))
    return pack_scenes(uri, "scenes:180", resolution=16, shard_samples=70).uri


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Flat colours, without truth."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(40):
        Image.new("RGB", (16, 16), (6 * number, 255 - 6 * number, 40)).save(folder / f"{number:02d}.png")
    return pack_scenes(str(tmp_path_factory.mktemp("set")), str(folder), resolution=16, shard_samples=1000).uri


@pytest.fixture(scope="session")
def bucket_run(scenes: str, s3_server: LocalS3) -> BucketRun:
    """960 images by the debug preset with two workers that nobody kills, all of it in a bucket."""
    data, out = f"{s3_server.uri}/train/scenes", f"{s3_server.uri}/train/runs"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment().items():
            patch.setenv(name, value)
        for entry in open_storage(scenes).list():
            open_storage(data).upload(Path(scenes) / entry.path, entry.path)
        result = train(data, out, *TWO)
        assert result.returncode == 0, result.stderr
        run = only_run(out)
        return BucketRun(run.uri, data, result, final(run))


@pytest.fixture(scope="session")
def undisturbed(bucket_run: BucketRun) -> Snapshot:
    """What comes out where nobody kills anything."""
    return bucket_run.saved


@pytest.fixture(scope="session")
def run_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of the debug preset (16 px) that has not learned anything yet."""
    return untrained_run(tmp_path_factory.mktemp("runs"), preset("debug")).uri
