"""Storage that goes away in the middle of a run, and comes back."""

import os
import signal
from pathlib import Path

import pytest
from training_job import LONG, ended, final, only_run, start, wait_for_images, wait_for_words

from argan.runs.folder import read_history
from argan.storage import open_storage
from cluster.local_s3 import LocalS3


@pytest.mark.ray
@pytest.mark.s3
@pytest.mark.slow
def test_a_run_outlives_an_outage(scenes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    with LocalS3(tmp_path / "s3") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        data, out = f"{server.uri}/scenes", f"{server.uri}/runs"
        for entry in open_storage(scenes).list():
            open_storage(data).upload(Path(scenes) / entry.path, entry.path)
        process = start(data, out, log, *LONG)
        wait_for_images(out, 240, process)
        os.kill(server.weed_pid, signal.SIGKILL)  # at once: an orderly end would give the run time to finish
        server.stop()
        wait_for_words(log, "storage stays away, asked again in 8 s", process)
        server.start()
        result = ended(process, log)
        assert result.returncode == 0, result.stderr
        assert "workers failed, going on from" in result.stderr
        assert "finished at 1,920 images" in result.stderr
        run = only_run(out)
        assert final(run).images_seen == 1920
        assert [row["images_seen"] for row in read_history(run)] == list(range(48, 1921, 48))
        assert "finished" in run.read_bytes("report.html").decode()
