"""Checkpoints: what is committed comes back, what is broken falls back, who has lost the lease cannot commit."""

import json

import pytest
import torch

from argan.errors import ConflictError, DataError
from argan.runs.checkpoints import POINTER, commit_checkpoint, load_checkpoint, read_pointer
from argan.storage import Storage, open_storage
from argan.training.checkpoint import Snapshot


def saved_at(images_seen: int) -> Snapshot:
    random = torch.Generator().manual_seed(images_seen)
    return Snapshot(
        images_seen,
        {"a": torch.randn(3, 4, generator=random)},
        {"b": torch.randn(5, generator=random), "step": torch.tensor(float(images_seen))},
    )


@pytest.fixture
def run(tmp_path) -> Storage:
    return open_storage(str(tmp_path / "run"))


def commit(run: Storage, *positions: int, attempt: int = 1, keep: int = 3) -> None:
    for images_seen in positions:
        commit_checkpoint(run, saved_at(images_seen), attempt=attempt, keep=keep)


def assert_loads(run: Storage, images_seen: int, *, warnings: int = 0) -> list[str]:
    said: list[str] = []
    found = load_checkpoint(run, warn=said.append)
    assert found is not None
    expected = saved_at(images_seen)
    assert found.images_seen == images_seen
    for tensors, others in ((found.generator, expected.generator), (found.training, expected.training)):
        assert tensors.keys() == others.keys()
        assert all(torch.equal(tensors[name], others[name]) for name in tensors)
    assert len(said) == warnings
    return said


def test_nothing_committed_is_nothing(run: Storage) -> None:
    assert load_checkpoint(run, warn=pytest.fail) is None


def test_the_newest_comes_back_and_only_a_few_are_kept(run: Storage) -> None:
    commit(run, 100, 200, 300, 400, 500)
    assert_loads(run, 500)
    kept = {entry.path.split("/")[1] for entry in run.list("checkpoints/")}
    assert len(kept) == 3
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [500, 400, 300]


@pytest.mark.parametrize("file", ["generator.safetensors", "training.safetensors"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_broken_newest_falls_back_and_says_so(run: Storage, file: str, damage: str) -> None:
    commit(run, 100, 200)
    path = f"{read_pointer(run).checkpoints[0]['path']}/{file}"
    data = bytearray(run.read_bytes(path))
    if damage == "flip":
        data[len(data) // 2] ^= 1
        run.write_bytes(path, bytes(data))
    elif damage == "cut":
        run.write_bytes(path, bytes(data[:-7]))
    else:
        run.delete(path)
    (said,) = assert_loads(run, 100, warnings=1)
    assert "200 images is broken" in said
    commit(run, 200)  # going on from there passes the broken one again
    assert_loads(run, 200)


def test_all_broken_is_an_error_not_a_new_beginning(run: Storage) -> None:
    commit(run, 100, 200)
    for entry in list(run.list("checkpoints/")):
        run.write_bytes(entry.path, b"")
    with pytest.raises(DataError, match="none of the 2 checkpoints"):
        load_checkpoint(run, warn=lambda text: None)


def test_an_attempt_that_lost_its_lease_cannot_commit(run: Storage) -> None:
    commit(run, 100, attempt=1)
    commit(run, 200, attempt=2)
    with pytest.raises(ConflictError, match="attempt 2 now"):
        commit(run, 300, attempt=1)
    assert_loads(run, 200)


def test_a_kill_between_the_files_and_the_pointer_loses_nothing(run: Storage) -> None:
    """Files that were written but not committed are not there for anybody."""
    commit(run, 100)
    run.write_bytes("checkpoints/000000000200-1-dead/generator.safetensors", b"half of it")
    run.write_bytes("checkpoints/000000000200-2-alive/generator.safetensors", b"half of it")
    assert_loads(run, 100)
    commit(run, 200)
    assert_loads(run, 200)
    left = {entry.path.split("/")[1] for entry in run.list("checkpoints/")}
    assert "000000000200-1-dead" not in left
    assert "000000000200-2-alive" in left  # a later attempt may be about to commit it


def test_the_pointer_is_plain_json(run: Storage) -> None:
    commit(run, 100, attempt=7)
    content = json.loads(run.read_bytes(POINTER))
    assert content["attempt"] == 7
    assert set(content["checkpoints"][0]) == {"images_seen", "path", "sha256"}
