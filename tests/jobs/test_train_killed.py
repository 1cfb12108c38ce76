"""Training in a bucket that nobody disturbs, and training on a disk that is killed or finds its checkpoint broken: what
survives is compared with the former, bit for bit.
"""

from pathlib import Path

import psutil
import pytest
from training_job import (
    MINUTE_S,
    TWO,
    BucketRun,
    assert_same,
    children,
    final,
    only_run,
    start,
    train,
    wait_for_images,
    workers,
)

from argan.runs.checkpoints import read_pointer
from argan.runs.folder import read_history
from argan.storage import open_storage
from argan.training.checkpoint import Snapshot
from cluster.local_s3 import LocalS3

pytestmark = pytest.mark.ray


@pytest.mark.s3
def test_from_bucket_to_bucket_with_two_workers(s3: LocalS3, bucket_run: BucketRun) -> None:
    """What was trained from a bucket to a bucket; the same command again finds it done."""
    run = open_storage(bucket_run.uri)
    assert final(run).images_seen == 960
    assert [row["images_seen"] for row in read_history(run)] == list(range(48, 961, 48))
    names = {entry.path.split("/")[0] for entry in run.list()}
    assert {"config.json", "latest.json", "history.jsonl", "report.html", "pictures", "tensorboard"} <= names
    page = run.read_bytes("report.html").decode()
    assert "finished" in page
    assert "data:image/png" in page
    assert f"{run.uri}/report.html" in bucket_run.result.stdout
    assert "images/s" in bucket_run.result.stderr

    again = train(bucket_run.data_uri, run.uri.rpartition("/")[0], *TWO)
    assert again.returncode == 0, again.stderr
    assert "finished already at 960 images" in again.stdout


def test_a_killed_worker_is_recovered_from_bit_for_bit(scenes: str, undisturbed: Snapshot, tmp_path: Path) -> None:
    process = start(scenes, str(tmp_path), tmp_path / "log", *TWO)
    wait_for_images(str(tmp_path), 240, process)
    _, second = workers(process)
    second.kill()
    assert process.wait(timeout=4 * MINUTE_S) == 0
    assert "workers failed, going on from" in (tmp_path / "log").read_text()
    assert_same(final(only_run(str(tmp_path))), undisturbed)
    seen = [row["images_seen"] for row in read_history(only_run(str(tmp_path)))]
    assert seen == list(range(48, 961, 48))


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
    half = [*TWO[:1], "480", *TWO[2:]]
    assert train(scenes, out, *half).returncode == 0
    run = only_run(out)
    newest = read_pointer(run).checkpoints[0]["path"]
    data = bytearray(run.read_bytes(f"{newest}/training.safetensors"))
    data[-1] ^= 1
    run.write_bytes(f"{newest}/training.safetensors", bytes(data))
    result = train(scenes, out, *TWO)
    assert result.returncode == 0, result.stderr
    assert "checkpoint at 480 images is broken" in result.stderr
    assert_same(final(run), undisturbed)
