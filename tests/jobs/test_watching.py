"""What people see of a run in training: the driver's line and the controller's journal, both from the run's folder."""

import io
import time
from pathlib import Path

import numpy as np
import pytest

from argan.errors import StorageError
from argan.presets import preset
from argan.runs.folder import HISTORY, append_history, open_run, write_config
from argan.storage import Storage
from argan.storage.local import LocalStorage
from argan.viewing.pictures import png_bytes
from jobs.runtime.cli import Progress
from jobs.runtime.watch import Watch


@pytest.fixture
def run(tmp_path: Path) -> Storage:
    config = preset("debug")
    folder = open_run(str(tmp_path), config)
    write_config(folder, config)
    return folder


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read of storage."""
    paths: list[str] = []
    read = LocalStorage.read_bytes

    def counted(storage: LocalStorage, path: str, *part: int) -> bytes:
        paths.append(path)
        return read(storage, path, *part)

    monkeypatch.setattr(LocalStorage, "read_bytes", counted)
    return paths


def wait_for_more(looks: list[str]) -> None:
    """Two more whole looks."""
    end, seen = time.monotonic() + 30, looks.count(HISTORY)
    while looks.count(HISTORY) < seen + 3:
        assert time.monotonic() < end
        time.sleep(0.005)


def add_row(run: Storage, images_seen: int) -> None:
    row = {"loss/generator": 0.5, "speed/images_per_s": 10.0, "speed/data_wait_share": 0.25, "time/elapsed_s": 75.0}
    append_history(run, {"images_seen": images_seen, **row}, attempt=1)


def test_the_driver_shows_new_rows_and_always_the_last(run: Storage, looks: list[str]) -> None:
    add_row(run, 48)
    shown = io.StringIO()
    with Watch(run, Progress(240, "images", start=48, stream=shown)).following(interval_s=0.01):
        wait_for_more(looks)
        assert shown.getvalue() == ""  # what was there before is not news
        add_row(run, 96)
    lines = shown.getvalue().splitlines()
    assert lines[-1].startswith("96/240 images")
    assert "waiting for data 25.0%" in lines[-1]
    assert "1 min 15 s so far" in lines[-1]


def test_the_driver_survives_a_history_that_is_not_there(run: Storage, looks: list[str]) -> None:
    shown = io.StringIO()
    with Watch(run, Progress(240, "images", stream=shown)).following(interval_s=0.01):
        wait_for_more(looks)
    assert shown.getvalue() == ""


def test_the_journal_catches_up_with_what_it_missed(run: Storage) -> None:
    from jobs.runtime.journal import Journal

    journal = Journal(run.uri, board="1", start_images=48, command="python jobs/train.py --preset debug")
    for images_seen in (48, 96, 144):
        add_row(run, images_seen)
    picture = np.zeros((8, 8, 3), np.uint8)
    run.write_bytes("pictures/grid-000000000096.png", png_bytes(picture))
    journal.after_report(None, [], None)
    page = run.read_bytes("report.html").decode()
    assert "training" in page
    assert "jobs/train.py" in page
    (board,) = run.list("tensorboard/1/")
    events = run.read_bytes(board.path)
    assert events.count(b"loss/generator") == 2  # 96 and 144: what was there at the start is shown already
    assert events.count(b"pictures/grid") == 1
    add_row(run, 192)
    journal.after_report(None, [], None)
    boards = [run.read_bytes(entry.path) for entry in run.list("tensorboard/1/")]
    assert sorted(each.count(b"loss/generator") for each in boards) == [1, 2]


@pytest.mark.parametrize("error", [StorageError("503 Slow Down"), OSError("no space left"), KeyError("a bug")])
def test_what_goes_wrong_in_the_journal_is_no_end_of_the_training(
    run: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """Ray's controller would end it; the journal catches up instead."""
    from jobs.runtime import journal as journal_module

    def breaks(*_: object) -> None:
        raise error

    journal = journal_module.Journal(run.uri, board="1", start_images=0, command="")
    add_row(run, 48)
    with monkeypatch.context() as broken:
        broken.setattr(journal_module, "write_events", breaks)
        journal.after_report(None, [], None)
    assert "a later one catches up" in caplog.text
    assert not list(run.list("tensorboard/"))
    journal.after_report(None, [], None)
    assert list(run.list("tensorboard/"))
