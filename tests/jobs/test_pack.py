"""jobs/pack.py as a person meets it: the same set from any number of workers, through any kill, and clear refusals."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from argan.data.manifest import read_manifest
from argan.data.packing import PackedShard, ShardJob, commit, make_plan, pack_shard
from argan.data.sources import list_source
from argan.errors import UserError
from argan.storage import Storage, open_storage
from cluster.local_s3 import LocalS3
from jobs.pack import main
from jobs.runtime import packing
from jobs.runtime.packing import MOST_DEATHS

PACK = Path(__file__).resolve().parents[2] / "jobs" / "pack.py"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """60 photos, and one file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(60):
        Image.fromarray(random.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    (folder / "words.jpg").write_bytes(b"words")
    return folder


def pack(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PACK), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, cwd="/")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_help_and_misspelt_flags() -> None:
    done = pack("--help")
    assert done.returncode == 0
    assert "scenes:8000@1" in done.stdout
    for wrong, words in ((["--colour"], "--colour"), (["--num-workers", "0"], "must be at least 1, got 0")):
        done = pack("scenes:1", "nowhere", "--resolution", "16", *wrong)
        assert done.returncode == 2
        assert words in done.stderr


def test_a_dry_run_says_what_would_be_and_writes_nothing(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = pack(photos, out, "--resolution", 32, "--shard-samples", 20, "--dry-run")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert (said["num_items"], said["num_shards"], said["num_finished_shards"]) == (61, 4, 0)
    assert said["resolution"] == 32
    assert len(said["first_items"]) == 5
    assert not out.exists()


def test_what_cannot_be_done_is_one_sentence(photos: Path, tmp_path: Path) -> None:
    done = pack(tmp_path / "absent", tmp_path / "out", "--resolution", 32)
    assert done.returncode == 1
    assert done.stderr == f"error: there is nothing to pack at '{tmp_path}/absent'\n"
    for arguments, words in [
        ([photos, photos / "packed", "--resolution", 32], "lies inside of SOURCE"),
        ([photos, tmp_path / "out", "--resolution", 0], "got 0"),
        ([photos, "ftp://host/out", "--resolution", 32], "ftp://"),
    ]:
        with pytest.raises(UserError, match=words):
            main([str(argument) for argument in arguments])


@pytest.mark.ray
def test_one_and_two_workers_make_the_same_set_and_a_rerun_writes_nothing(photos: Path, tmp_path: Path) -> None:
    options = ["--resolution", 32, "--shard-samples", 10, "--seed", 3]
    sets = []
    for num_workers in (1, 2):
        out = tmp_path / f"by-{num_workers}"
        done = pack(photos, out, *options, "--num-workers", num_workers)
        assert done.returncode == 0, done.stderr
        assert "packed 60 photos of 32 px into 7 shards" in done.stdout
        assert "skipped 1 (1 not an image)" in done.stdout
        assert "next: python jobs/train.py" in done.stdout
        sets.append(contents(out))
    assert sets[0] == sets[1]
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    done = pack(photos, out, *options)
    assert done.returncode == 0
    assert done.stdout == f"already packed: {out} is finished, nothing was written\n"
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times
    done = pack(photos, out, *options[2:], "--resolution", 16)
    assert done.returncode == 1
    assert "resolution was 32, is 16" in done.stderr


@pytest.mark.ray
def test_killed_in_the_middle_the_same_command_makes_the_same_set(photos: Path, tmp_path: Path) -> None:
    options = ["--resolution", 32, "--shard-samples", 1, "--num-workers", 1]
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    listing = list_source(str(photos))
    plan = make_plan(str(photos), listing, resolution=32, seed=0, shard_samples=1, max_pixels=100_000_000)
    out = open_storage(str(straight))
    commit(plan, out, {job.index: pack_shard(job, out) for job in plan.shard_jobs()})
    command = [sys.executable, str(PACK), str(photos), str(killed), *map(str, options)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as driver:
        while not list(killed.glob("shards/*.json")):
            assert driver.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
        os.kill(driver.pid, signal.SIGKILL)
    assert not (killed / "manifest.json").exists()
    first = min(killed.glob("shards/*.json"))
    written = first.stat().st_mtime_ns
    done = pack(photos, killed, *options)
    assert done.returncode == 0, done.stderr
    assert contents(killed) == contents(straight)
    assert first.stat().st_mtime_ns == written, "a finished shard is not made again"


@pytest.mark.ray
@pytest.mark.parametrize("deaths", [1, MOST_DEATHS + 1])
def test_a_worker_that_dies_is_replaced_until_too_many_have(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], deaths: int
) -> None:
    """As the kernel kills for want of memory: where one has begun a shard."""
    monkeypatch.setattr(packing, "pack_shard", dies_so_often(tmp_path / "deaths", deaths))
    words = [str(photos), str(tmp_path / "out"), "--resolution", "32", "--shard-samples", "61", "--num-workers", "1"]
    if deaths > MOST_DEATHS:
        with pytest.raises(UserError, match=r"21 workers died, the last time with .*: the same command goes on"):
            main(words)
        return
    main(words)
    told = capsys.readouterr()
    assert "a worker died (WorkerCrashedError), its shard 0 is made again" in told.err
    assert "packed 60 photos" in told.out
    assert read_manifest(open_storage(str(tmp_path / "out"))).num_samples == 60


def dies_so_often(folder: Path, deaths: int) -> Callable[[ShardJob, Storage], PackedShard]:
    """Ray copies it into its workers."""

    def pack_or_die(job: ShardJob, out: Storage) -> PackedShard:
        folder.mkdir(exist_ok=True)
        if len(list(folder.iterdir())) < deaths:
            (folder / uuid.uuid4().hex).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return pack_shard(job, out)

    return pack_or_die


@pytest.mark.ray
def test_shards_that_another_machine_kept_are_missed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker writes below the same path, which is another folder on its node. Nothing came for a while before."""
    elsewhere = open_storage(str(tmp_path / "node"))

    def pack_elsewhere(job: ShardJob, out: Storage) -> PackedShard:
        time.sleep(2)
        return pack_shard(job, elsewhere)

    monkeypatch.setattr(packing, "pack_shard", pack_elsewhere)
    monkeypatch.setattr(packing, "NOTICE_S", 0.5)
    words = [str(photos), str(tmp_path / "out"), "--resolution", "32", "--shard-samples", "61", "--num-workers", "1"]
    with pytest.raises(UserError, match=r"00000\.tar: missing, .* is OUT_URI a folder that all nodes share\?"):
        main(words)
    assert "nothing came for 0.5 s: are the cluster's processors busy" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.ray
@pytest.mark.s3
def test_into_a_bucket(s3: LocalS3, tmp_path: Path) -> None:
    out = open_storage(f"{s3.uri}/{uuid.uuid4().hex}")
    done = pack("scenes:12@1", out.uri, "--resolution", 16, "--shard-samples", 5, "--num-workers", 1)
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(out)
    assert (manifest.num_samples, manifest.truth, len(manifest.shards)) == (12, True, 3)
    for shard in manifest.shards:
        assert out.size_bytes(shard.name) == shard.size_bytes


@pytest.mark.s3
def test_a_wrong_key_is_one_sentence(s3: LocalS3, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    done = pack(photos, f"{s3.uri}/out", "--resolution", 16)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "credentials" in done.stderr
    assert done.stderr.count("\n") == 1
