"""Whether a process still runs, where the platform says it in a language, a time zone, or bytes of its own."""

import os
import shutil
from pathlib import Path

import pytest

from argan.runs import process
from argan.runs.process import is_alive, this_process


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps on this machine")
def test_without_proc_it_is_the_same_process_in_every_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Mac: a living owner must not be thought dead by who asks from elsewhere."""
    monkeypatch.setattr(process, "PROC", Path("/not/there"))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    owner = this_process()
    assert owner.started_at
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.setenv("LC_ALL", "C")
    assert is_alive(owner)


def test_a_name_cut_inside_a_character_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, stat = this_process(), (process.PROC / str(os.getpid()) / "stat").read_bytes()
    folder = tmp_path / str(os.getpid())
    folder.mkdir()
    (folder / "stat").write_bytes(stat.replace(b"(", b"(caf\xc3", 1))
    monkeypatch.setattr(process, "PROC", tmp_path)
    assert is_alive(owner)
