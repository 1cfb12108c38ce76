"""Checkpoints: what is committed comes back, what is broken falls back, who has lost the lease cannot commit."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch
from committed import commit, saved_at

from argan.errors import ConflictError, DataError, MissingError, UserError
from argan.presets import preset
from argan.runs.checkpoints import (
    POINTER,
    commit_checkpoint,
    find_checkpoint,
    load_checkpoint,
    read_pointer,
    roll_back,
)
from argan.settings import from_dict
from argan.storage import Storage, open_storage
from argan.storage.local import LocalStorage

FILES = ("checkpoint.json", "generator.safetensors", "training.safetensors")


@pytest.fixture
def run(tmp_path) -> Storage:
    return open_storage(str(tmp_path / "run"))


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


def test_the_generator_alone_does_not_need_the_rest(run: Storage) -> None:
    commit(run, 100)
    run.delete(f"{read_pointer(run).checkpoints[0]['path']}/training.safetensors")
    found = find_checkpoint(run, warn=pytest.fail, generator_only=True)
    assert found is not None
    assert torch.equal(found.snapshot.generator["a"], saved_at(100).generator["a"])
    assert found.snapshot.training == {}


@pytest.mark.parametrize("file", FILES)
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


def test_a_kill_between_the_files_and_the_pointer_loses_nothing(run: Storage) -> None:
    """Files that were written but not committed are not there for anybody."""
    commit(run, 100)
    run.write_bytes("checkpoints/000000000200-1-deadbeef/generator.safetensors", b"half of it")
    run.write_bytes("checkpoints/000000000200-2-a11ea11e/generator.safetensors", b"half of it")
    assert_loads(run, 100)
    commit(run, 200)
    assert_loads(run, 200)
    left = {entry.path.split("/")[1] for entry in run.list("checkpoints/")}
    assert "000000000200-1-deadbeef" not in left
    assert "000000000200-2-a11ea11e" in left  # a later attempt may be about to commit it


def test_what_others_put_there_stays(run: Storage) -> None:
    strays = (
        "checkpoints/.DS_Store",
        "checkpoints/README",
        "checkpoints/best-1/generator.safetensors",
        "checkpoints/000000000100-1-0123abcd copy/generator.safetensors",
        "checkpoints/000000000100-1-0123abcd/notes.txt",
        "checkpoints/best/000000000100-1-0123abcd/generator.safetensors",
    )
    for path in strays:
        run.write_bytes(path, b"mine")
    commit(run, 100, 200, 300, 400)
    assert_loads(run, 400)
    assert all(run.exists(path) for path in strays)


def test_a_checkpoint_taken_out_of_its_run_explains_itself(run: Storage, tmp_path: Path) -> None:
    commit(run, 100, attempt=7)
    [entry] = read_pointer(run).checkpoints
    folder = tmp_path / "somewhere else"
    shutil.copytree(f"{run.uri}/{entry['path']}", folder)
    assert sorted(path.name for path in folder.iterdir()) == list(FILES)
    record = json.loads((folder / "checkpoint.json").read_text())
    assert (record["schema"], record["images_seen"], record["attempt"]) == ("argan-checkpoint/1", 100, 7)
    assert from_dict(record["config"]) == preset("debug")
    assert record["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert (record["platform"]["threads"], record["platform"]["workers"]) == (torch.get_num_threads(), 1)
    assert set(record["sha256"]) == set(FILES[1:])
    for name, sha256 in record["sha256"].items():
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha256
        assert safetensors.torch.load(data)


def test_the_pointer_is_plain_json(run: Storage) -> None:
    commit(run, 100, attempt=7)
    content = json.loads(run.read_bytes(POINTER))
    assert (content["schema"], content["attempt"]) == ("argan-pointer/1", 7)
    assert set(content["checkpoints"][0]) == {"images_seen", "path", "sha256"}


@pytest.mark.parametrize("key", ["schema", "attempt", "checkpoints", "images_seen", "path", "sha256"])
def test_a_damaged_pointer_is_a_sentence(run: Storage, key: str) -> None:
    commit(run, 100)
    content = json.loads(run.read_bytes(POINTER))
    for holder in (content, content["checkpoints"][0]):
        holder.pop(key, None)
    run.write_bytes(POINTER, json.dumps(content).encode())
    with pytest.raises(DataError, match=rf"latest\.json is damaged: .*{key}"):
        load_checkpoint(run, warn=pytest.fail)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"\xff\xfe"])
def test_what_is_no_pointer_is_a_sentence(run: Storage, text: bytes) -> None:
    run.write_bytes(POINTER, text)
    with pytest.raises(DataError, match=r"latest\.json is damaged"):
        load_checkpoint(run, warn=pytest.fail)


def test_a_pointer_of_another_schema_is_neither_read_nor_replaced(run: Storage) -> None:
    commit(run, 100)
    later = json.dumps(json.loads(run.read_bytes(POINTER)) | {"schema": "argan-pointer/9"}).encode()
    run.write_bytes(POINTER, later)
    with pytest.raises(DataError, match="argan-pointer/9"):
        load_checkpoint(run, warn=pytest.fail)
    with pytest.raises(DataError, match="argan-pointer/9"):
        commit(run, 200)
    assert run.read_bytes(POINTER) == later


def test_a_sound_checkpoint_of_another_schema_is_no_reason_to_fall_back(run: Storage) -> None:
    """Going on from the one before it would drop what a newer version has trained."""
    commit(run, 100, 200)
    pointer = json.loads(run.read_bytes(POINTER))
    newest = pointer["checkpoints"][0]
    path = f"{newest['path']}/checkpoint.json"
    record = json.dumps(json.loads(run.read_bytes(path)) | {"schema": "argan-checkpoint/9"}).encode()
    run.write_bytes(path, record)
    newest["sha256"] = hashlib.sha256(record).hexdigest()
    run.write_bytes(POINTER, json.dumps(pointer).encode())
    with pytest.raises(UserError, match="argan-checkpoint/9"):
        load_checkpoint(run, warn=pytest.fail)


def test_rolled_back_is_as_if_the_later_ones_had_never_been(run: Storage) -> None:
    commit(run, 100, 200, 300)
    roll_back(run, 200, attempt=1)
    assert_loads(run, 200)
    assert len({entry.path.split("/")[1] for entry in run.list("checkpoints/")}) == 2
    commit(run, 300)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [300, 200, 100]


@pytest.mark.parametrize("images_seen", [99, 150, 201])
def test_nothing_is_rolled_back_to_where_no_checkpoint_is_or_by_who_has_lost_the_lease(
    run: Storage, images_seen: int
) -> None:
    commit(run, 100, 200, attempt=2)
    with pytest.raises(MissingError, match=f"no checkpoint at {images_seen} images"):
        roll_back(run, images_seen, attempt=2)
    with pytest.raises(ConflictError, match="attempt 2 now"):
        roll_back(run, 100, attempt=1)
    assert_loads(run, 200)


def test_a_damaged_one_is_not_rolled_back_to(run: Storage) -> None:
    commit(run, 100, 200)
    older = read_pointer(run).checkpoints[1]["path"]
    run.write_bytes(f"{older}/training.safetensors", b"rotten")
    with pytest.raises(MissingError, match="at 100 images is damaged"):
        roll_back(run, 100, attempt=1)
    assert_loads(run, 200)


def test_that_one_and_no_other_is_said_to_be_damaged(run: Storage) -> None:
    commit(run, 100, 200)
    older = read_pointer(run).checkpoints[1]["path"]
    run.write_bytes(f"{older}/generator.safetensors", b"rotten")
    with pytest.raises(DataError, match="at 100 images is damaged, others may not be"):
        find_checkpoint(run, warn=pytest.fail, at_images=100)
    assert_loads(run, 200)


def test_one_that_was_dropped_while_it_was_looked_for_is_not_damaged(run: Storage) -> None:
    """A run in training commits a newer one between the reading of its pointer and of the files."""
    commit(run, 100, keep=1)

    class Trains(LocalStorage):
        def child(self, path: str) -> LocalStorage:
            if path.startswith("checkpoints/000000000100"):
                commit(run, 200, keep=1)
            return run.child(path)

    assert isinstance(run, LocalStorage)
    found = find_checkpoint(Trains(run.folder), warn=pytest.fail)
    assert found is not None
    assert found.snapshot.images_seen == 200


def test_the_best_are_kept_beyond_the_newest(run: Storage) -> None:
    for images_seen in (100, 200, 300, 400):
        saved, cpu = saved_at(images_seen), torch.device("cpu")
        commit_checkpoint(run, saved, config=preset("debug"), device=cpu, attempt=1, keep=1, keep_too=[200])
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [400, 200]
    found = find_checkpoint(run, warn=pytest.fail, at_images=200)
    assert found is not None
    assert torch.equal(found.snapshot.generator["a"], saved_at(200).generator["a"])
    with pytest.raises(MissingError, match="no checkpoint at 300 images"):
        find_checkpoint(run, warn=pytest.fail, at_images=300)
