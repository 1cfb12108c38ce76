"""What a disk refuses is a sentence, and is never taken for an absence."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from unprivileged import unprivileged

from argan.errors import RefusedError, StorageError
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
    with pytest.raises(RefusedError, match=f"{half_open}/closed cannot be read: permission denied"):
        list(storage.list())
    assert [entry.path for entry in storage.list("open/")] == ["open/photo.png"]


def test_what_may_not_be_looked_at_is_not_absent(half_open: Path) -> None:
    storage = open_storage(str(half_open))
    assert storage.exists("open/photo.png")
    with pytest.raises(RefusedError, match=r"closed/photo.png cannot be read: permission denied"):
        storage.exists("closed/photo.png")
    with pytest.raises(RefusedError, match=r"closed/photo.png cannot be written: permission denied"):
        storage.delete("closed/photo.png")


def test_what_is_listed_exists(tmp_path: Path) -> None:
    """A pipe is no object: whoever read it would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "photo").write_bytes(b"data")
    storage = open_storage(str(tmp_path))
    assert [entry.path for entry in storage.list()] == ["photo"]
    assert not storage.exists("pipe")


def test_a_bucket_without_its_second_slash_is_no_folder() -> None:
    with pytest.raises(StorageError, match=r"'s3:/bucket/runs': a slash is missing, give s3://bucket/prefix"):
        open_storage("s3:/bucket/runs")


def test_an_empty_folder_goes_with_its_last_object(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "run"))
    for path in ("checkpoints/100/generator", "checkpoints/100/record", "checkpoints/200/record"):
        storage.write_bytes(path, b"data")
    storage.delete("checkpoints/100/generator")
    assert (tmp_path / "run/checkpoints/100").is_dir()
    storage.delete("checkpoints/100/record")
    assert [path.name for path in (tmp_path / "run/checkpoints").iterdir()] == ["200"]
    storage.delete("checkpoints/200/record")
    assert list((tmp_path / "run").iterdir()) == []  # what is named as storage stays


def test_a_folder_that_goes_while_one_writes_into_it_is_made_again(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path))

    def write(name: str) -> None:
        for number in range(300):
            storage.write_bytes(f"a/folder/of/folders/{name}", f"{number}".encode())
            storage.delete(f"a/folder/of/folders/{name}")

    with ThreadPoolExecutor(3) as pool:
        for writer in [pool.submit(write, name) for name in "abc"]:
            writer.result()
    assert list(storage.list()) == []
