"""jobs/train.py as a process of its own: started, waited for, and what it left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import torch

from argan.runs.checkpoints import load_checkpoint, read_pointer
from argan.storage import Storage, open_storage
from argan.training.checkpoint import Snapshot

ROOT = Path(__file__).resolve().parents[2]
# 20 ticks of 4 batches: where one of two workers dies, the other is in the middle of a sum.
TWO = ["--schedule.total_images", "960", "--schedule.picture_ticks", "10", "--num-workers", "2"]
LONG = ["--schedule.total_images", "1920", "--schedule.picture_ticks", "1000"]
MINUTE_S = 60 * int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))  # tests side by side share one machine's


class BucketRun(NamedTuple):
    """A run that was trained from a bucket into it, by two workers."""

    uri: str
    data_uri: str
    result: "subprocess.CompletedProcess[str]"
    saved: Snapshot  # at its end


def command(data: str, out: str, *more: str) -> list[str]:
    return [sys.executable, "jobs/train.py", "--preset", "debug", "--data", data, "--out", out, *more]


def train(data: str, out: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """Runs it to its end."""
    return subprocess.run(
        command(data, out, *more),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=550,  # a busy machine takes minutes to start Ray
    )


def start(data: str, out: str, log: Path, *more: str) -> "subprocess.Popen[str]":
    """Starts it as a terminal does: in a process group of its own, that ctrl-C reaches. All it says goes to `log`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, as a CI's may be, ignores it
    with log.open("w") as file:
        return subprocess.Popen(
            command(data, out, *more),
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def only_run(out: str) -> Storage:
    storage = open_storage(out)
    (name,) = {entry.path.split("/")[0] for entry in storage.list() if entry.path.endswith("/config.json")}
    return storage.child(name)


def final(run: Storage) -> Snapshot:
    saved = load_checkpoint(run, warn=pytest.fail)
    assert saved is not None
    return saved


def assert_same(one: Snapshot, other: Snapshot) -> None:
    """Bit for bit."""
    assert one.images_seen == other.images_seen
    for tensors, others in ((one.generator, other.generator), (one.training, other.training)):
        assert tensors.keys() == others.keys()
        for name in tensors:
            assert torch.equal(tensors[name], others[name]), name


def wait_for_images(out: str, images: int, process: "subprocess.Popen[str]") -> None:
    """Returns once a checkpoint at `images` or later is committed."""
    end = time.monotonic() + 4 * MINUTE_S
    while time.monotonic() < end:
        assert process.poll() is None, "the run ended before it was far enough"
        try:
            checkpoints = read_pointer(only_run(out)).checkpoints
        except ValueError:  # there is no run yet
            checkpoints = []
        if checkpoints and checkpoints[0]["images_seen"] >= images:
            return
        time.sleep(0.1)
    pytest.fail(f"no checkpoint at {images} images")


def wait_for_words(log: Path, words: str, process: "subprocess.Popen[str]", *, times: int = 1) -> None:
    """Returns once the job has said so as often."""
    end = time.monotonic() + 4 * MINUTE_S
    while log.read_text().count(words) < times:
        assert process.poll() is None, f"the run ended before it said {words!r}: {log.read_text()}"
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def ended(process: "subprocess.Popen[str]", log: Path) -> "subprocess.CompletedProcess[str]":
    """What it came to, once it has ended: all that it said stands under `stderr`."""
    code = process.wait(timeout=4 * MINUTE_S)
    return subprocess.CompletedProcess(process.args, code, stdout="", stderr=log.read_text())


def children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return [child for child in children(process) if "RayTrainWorker" in " ".join(child.cmdline())]


def assert_one_sentence(result: "subprocess.CompletedProcess[str]", *said: str) -> None:
    """It ended with one sentence for a person, and these words in it."""
    assert result.returncode == 1, result.stdout + result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.stderr
    for words in said:
        assert words in errors[0]
    assert "Traceback" not in result.stderr
