"""The speed that the progress line of a training run tells."""

import io
import time
from pathlib import Path

import pytest

from argan.runs.folder import append_history
from argan.storage import Storage, open_storage
from jobs.runtime.cli import Progress
from jobs.runtime.watch import Watch


class Clock:
    """Time that the test moves."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def run(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path))


def add_row(run: Storage, images_seen: int, images_per_s: float) -> None:
    row = {"speed/images_per_s": images_per_s, "speed/data_wait_share": 0.0, "time/elapsed_s": 5.0}
    append_history(run, {"images_seen": images_seen, **row}, attempt=1)


def test_speed_and_time_left_are_the_rows_own(run: Storage) -> None:
    shown, clock = io.StringIO(), Clock()
    with Watch(run, Progress(2400, "images", stream=shown, clock=clock)).following(interval_s=0.01):
        clock.now_s += 120  # Ray has taken its time to start
        add_row(run, 480, 96.0)
        end = time.monotonic() + 30
        while not shown.getvalue():
            assert time.monotonic() < end
            time.sleep(0.01)
        clock.now_s += 10
        add_row(run, 240, 90.0)  # a fall back to an older checkpoint
    lines = shown.getvalue().splitlines()
    assert lines[0].startswith("480/2,400 images | 96.0 images/s | 20 s left")
    assert lines[-1].startswith("240/2,400 images | 90.0 images/s | 24 s left")
