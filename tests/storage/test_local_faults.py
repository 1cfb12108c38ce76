"""What a disk refuses is a sentence, and is never taken for an absence."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from unprivileged import unprivileged

from argan.errors import StorageError
from argan.storage import open_storage


@pytest.fixture
def half_open() -> Iterator[Path]:
    """A folder of two, one of which this process may not enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("open", "closed"):
            (folder / part).mkdir()
            (folder / part / "photo.png").write_bytes(b"photo")
        folder.chmod(0o755)
        (folder / "closed").chmod(0)
        try:
            with unprivileged():
                yield folder
        finally:
            (folder / "closed").chmod(0o755)


def test_a_folder_that_may_not_be_read_is_not_left_out(half_open: Path) -> None:
    storage = open_storage(str(half_open))
    with pytest.raises(StorageError, match=f"{half_open}/closed cannot be read: permission denied"):
        list(storage.list())
    assert [entry.path for entry in storage.list("open/")] == ["open/photo.png"]


def test_what_may_not_be_looked_at_is_not_absent(half_open: Path) -> None:
    storage = open_storage(str(half_open))
    assert storage.exists("open/photo.png")
    with pytest.raises(StorageError, match=r"closed/photo.png cannot be read: permission denied"):
        storage.exists("closed/photo.png")
    with pytest.raises(StorageError, match=r"closed/photo.png cannot be written: permission denied"):
        storage.delete("closed/photo.png")


def test_what_is_listed_exists(tmp_path: Path) -> None:
    """A pipe is no object: whoever read it would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "photo").write_bytes(b"data")
    storage = open_storage(str(tmp_path))
    assert [entry.path for entry in storage.list()] == ["photo"]
    assert not storage.exists("pipe")
