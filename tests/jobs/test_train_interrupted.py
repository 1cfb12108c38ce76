"""A training job that is stopped from outside: by ctrl-C, by SIGTERM, by an attempt that takes its run over.

It goes on with any number of workers, and in float64 nobody can see where it was stopped.
"""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from training_job import (
    LONG,
    ROOT,
    assert_one_sentence,
    children,
    ended,
    final,
    only_run,
    start,
    train,
    wait_for_images,
)

from argan.errors import ConflictError
from argan.runs import lease
from argan.runs.folder import read_history
from argan.runs.process import ProcessIdentity
from argan.storage import Storage

pytestmark = pytest.mark.ray

ELSEWHERE = ProcessIdentity(host="elsewhere", boot_id="other", pid_namespace="pid:[1]", pid=7, started_at="1")


@pytest.mark.slow
def test_stopped_and_gone_on_with_other_numbers_of_workers(scenes: str, tmp_path: Path) -> None:
    out, log, exact = str(tmp_path / "runs"), tmp_path / "log", [*LONG, "--compute.precision", "fp64"]
    process = start(scenes, out, log, *exact, "--num-workers", "2")
    wait_for_images(out, 240, process)
    os.killpg(process.pid, signal.SIGINT)
    assert_interrupted(ended(process, log), only_run(out))

    process = start(scenes, out, log, *exact, "--num-workers", "1")
    wait_for_images(out, final(only_run(out)).images_seen + 96, process)
    process.terminate()
    stopped = ended(process, log)
    assert "resuming at" in stopped.stderr
    assert_interrupted(stopped, only_run(out))

    last = train(scenes, out, *exact, "--num-workers", "1:2")
    assert last.returncode == 0, last.stderr
    assert "resuming at" in last.stdout
    assert "finished" in only_run(out).read_bytes("report.html").decode()

    straight = train(scenes, str(tmp_path / "straight"), *exact)
    assert straight.returncode == 0, straight.stderr
    assert_equal(only_run(out), only_run(str(tmp_path / "straight")))


def assert_interrupted(result: "subprocess.CompletedProcess[str]", run: Storage) -> None:
    assert result.returncode == 130, result.stderr
    assert "interrupted: the same command goes on from what is finished" in result.stderr
    assert "Traceback" not in result.stderr
    standing = lease.read(run)
    assert standing is not None
    assert not standing.record.held
    assert "interrupted" in run.read_bytes("report.html").decode()


def assert_equal(run: Storage, other: Storage) -> None:
    """The same losses at every tick and the same weights, to what float64 makes of another order of sums."""
    rows, others = read_history(run), read_history(other)
    assert [row["images_seen"] for row in rows] == list(range(48, 1921, 48))
    for row, expected in zip(rows, others, strict=True):
        for name, value in expected.items():
            if not name.startswith(("speed/", "time/")):
                assert row[name] == pytest.approx(value, rel=1e-8, abs=1e-12), (name, row["images_seen"])
    one, two = final(run), final(other)
    for tensors, expected_tensors in ((one.generator, two.generator), (one.training, two.training)):
        assert tensors.keys() == expected_tensors.keys()
        for name, tensor in expected_tensors.items():
            torch.testing.assert_close(tensors[name], tensor, rtol=1e-8, atol=1e-10, msg=name)


def test_a_run_that_was_taken_over_is_left_to_its_new_owner(scenes: str, tmp_path: Path) -> None:
    out, log = str(tmp_path / "runs"), tmp_path / "log"
    process = start(scenes, out, log, *LONG[2:], "--schedule.total_images", "1000000")
    wait_for_images(out, 48, process)
    run = only_run(out)
    cluster = children(process)
    theirs = take_over(run)
    assert_one_sentence(ended(process, log), "was taken over by another attempt")
    standing = lease.read(run)
    assert standing is not None
    assert standing.record == theirs
    page = run.read_bytes("report.html").decode()  # the page too is the new owner's
    assert "stopped" not in page
    assert "interrupted" not in page  # by which a lost lease wakes the driver
    _, alive = psutil.wait_procs(cluster, timeout=60)
    assert not alive


def take_over(run: Storage) -> lease.Record:
    """As a second owner does, whose view of the first one's heartbeats was wrong."""
    while True:
        standing = lease.read(run)
        assert standing is not None
        record = replace(standing.record, generation=standing.record.generation + 1, token="another", owner=ELSEWHERE)
        try:
            run.write_if(lease.LEASE, lease.encoded(record), standing.version)
        except ConflictError:
            continue  # a heartbeat came between
        return record


def test_sigterm_within_a_session_is_an_interruption() -> None:
    script = (
        "import os, signal; from jobs.runtime.cli import run_job; from jobs.runtime.session import start_ray\n"
        "def main():\n with start_ray(num_cpus=1): os.kill(os.getpid(), signal.SIGTERM)\n"
        "run_job(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 130
    assert "interrupted" in done.stderr
