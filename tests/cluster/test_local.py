"""cluster/local.py as a person uses it: its exports lead to the head and to the bucket, and Ctrl-C leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cluster import local

ROOT = Path(__file__).resolve().parents[2]
JOB = "from argan.storage import open_storage; open_storage('s3://argan').write_bytes('note', b'from a job')"
READ = "from argan.storage import open_storage; print(open_storage('s3://argan').read_bytes('note'))"


def processes_of(mark: str) -> list[psutil.Process]:
    """Those with this text on their command line or in their environment, whoever their parents are by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if mark in "\n".join([*process.cmdline(), *process.environ().values()]):
                found.append(process)
        except psutil.Error:  # gone, or of another user
            continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.2)
    return condition()


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "cluster/local.py", "--folder", str(folder), "--num-cpus", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.mark.ray
@pytest.mark.s3
def test_a_job_finds_its_bucket_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "s3") as process:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if "Ctrl-C" in line:
                break
        exports = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        assert local.FIRST_COMMAND.format(bucket="s3://argan") in lines
        environment = {**os.environ, **exports}
        ray = str(Path(sys.executable).parent / "ray")
        subprocess.run([ray, "job", "submit", "--", "python", "-c", JOB], env=environment, check=True, timeout=240)
        read = subprocess.run([sys.executable, "-c", READ], env=environment, check=True, stdout=subprocess.PIPE)
        assert b"from a job" in read.stdout
        token = exports["RAY_AUTH_TOKEN"]
        assert len(processes_of(token)) > 3
        words = {word for each in processes_of(token) for word in each.cmdline() if word.startswith("--temp-dir=")}
        [folder] = {word.partition("=")[2] for word in words}
        assert Path(folder).is_dir()
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0
        assert wait_until(lambda: not processes_of(token) + processes_of(str(tmp_path)), 60), processes_of(token)
        assert not Path(folder).parent.exists()
    assert (tmp_path / "s3" / "data").is_dir()


@pytest.mark.ray
@pytest.mark.s3
def test_ctrl_c_while_the_head_starts_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "s3") as process:
        started = psutil.Process(process.pid)

        def heads() -> list[psutil.Process]:
            return [child for child in started.children(recursive=True) if "--head" in child.cmdline()]

        assert wait_until(lambda: bool(heads()), 60)
        time.sleep(2)  # into the middle of it
        token = heads()[0].environ()["RAY_AUTH_TOKEN"]
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0
        assert wait_until(lambda: not processes_of(token) + processes_of(str(tmp_path)), 60), processes_of(token)
