"""Attempts of one run, one after another: a worker that was thought dead and wakes does no harm to who came later."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from committed import commit

from argan.errors import ConflictError, DataError
from argan.runs.checkpoints import load_checkpoint, read_pointer, roll_back
from argan.runs.folder import append_history, read_history
from argan.runs.lease import LEASE, Record, acquire, read, require_shared
from argan.storage.local import LocalStorage


@pytest.fixture
def run(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "run")


def record(run: LocalStorage) -> Record:
    """What lease.json says."""
    standing = read(run)
    assert standing is not None
    return standing.record


def newest(run: LocalStorage) -> int:
    """Where the checkpoint stands that would be loaded."""
    found = load_checkpoint(run, warn=pytest.fail)
    assert found is not None
    return found.images_seen


def test_a_renewed_lease_is_the_same_owners_and_later(run: LocalStorage) -> None:
    lease = acquire(run)
    before = record(run)
    lease.renew()
    lease.heartbeat()
    now = record(run)
    assert lease.generation == now.generation == before.generation + 1
    assert (now.token, now.owner, now.acquired_at) == (before.token, before.owner, before.acquired_at)
    lease.release()
    assert acquire(run).generation == 3


def test_heartbeats_do_not_undo_a_renewal(run: LocalStorage) -> None:
    lease = acquire(run)

    def beat(times: int) -> None:
        for _ in range(times):
            lease.heartbeat()

    with ThreadPoolExecutor(1) as pool:
        beating = pool.submit(beat, 200)
        for expected in range(2, 22):
            lease.renew()
            assert record(run).generation == lease.generation == expected
        beating.result()


def test_an_attempt_that_lost_its_lease_cannot_commit(run: LocalStorage) -> None:
    commit(run, 100, attempt=1)
    commit(run, 200, attempt=2)
    with pytest.raises(ConflictError, match="attempt 2 now"):
        commit(run, 300, attempt=1)
    assert newest(run) == 200


def test_a_worker_that_was_thought_dead_cannot_commit_once_there_is_another_try(run: LocalStorage) -> None:
    """Of one owner: it has not lost its lease, and its worker is not told."""
    lease = acquire(run)
    commit(run, 100, attempt=lease.generation)
    lease.renew()
    with pytest.raises(ConflictError, match="attempt 2 now; this is attempt 1"):
        commit(run, 200, attempt=1)
    with pytest.raises(ConflictError, match="attempt 2 now; this is attempt 1"):
        roll_back(run, 100, attempt=1)
    commit(run, 200, attempt=lease.generation)
    assert newest(run) == 200


def test_one_that_comes_between_looking_and_pointing_is_kept(run: LocalStorage) -> None:
    """A worker that woke before the lease went on has made a sound checkpoint."""
    others = iter([lambda: commit(run, 100)])

    class Disturbed(LocalStorage):
        def write_if(self, path: str, data: bytes, version: str | None) -> str:
            next(others, lambda: None)()
            return super().write_if(path, data, version)

    commit(Disturbed(run.folder), 200, attempt=2)
    assert [entry["images_seen"] for entry in read_pointer(run).checkpoints] == [200, 100]
    assert newest(run) == 200


def test_who_was_thought_dead_drops_no_rows_of_who_came_later(run: LocalStorage) -> None:
    lease = acquire(run)
    append_history(run, {"images_seen": 100}, attempt=lease.generation)
    late = lease.generation
    lease.renew()
    for images_seen in (100, 200, 300):
        append_history(run, {"images_seen": images_seen}, attempt=lease.generation)
    with pytest.raises(ConflictError, match="trained by attempt 2 now; this is attempt 1"):
        append_history(run, {"images_seen": 200}, attempt=late)
    assert [row["images_seen"] for row in read_history(run)] == [100, 200, 300]


def test_a_row_written_between_looking_and_writing_is_not_lost(run: LocalStorage) -> None:
    """By a worker that woke before the lease went on."""
    others = iter([lambda: append_history(run, {"images_seen": 100}, attempt=1)])

    class Disturbed(LocalStorage):
        def write_if(self, path: str, data: bytes, version: str | None) -> str:
            next(others, lambda: None)()
            return super().write_if(path, data, version)

    append_history(Disturbed(run.folder), {"images_seen": 200}, attempt=1)
    assert [row["images_seen"] for row in read_history(run)] == [100, 200]


def test_a_worker_that_sees_another_folder_than_its_driver_is_told(run: LocalStorage, tmp_path: Path) -> None:
    """A local path on another node: empty, or with what an earlier training left there."""
    lease = acquire(run)
    lease.renew()
    require_shared(run, 2)
    with pytest.raises(ConflictError, match="is trained by attempt 2 now; this is attempt 1"):
        require_shared(run, 1)
    elsewhere = LocalStorage(tmp_path / "elsewhere")
    for _ in range(2):  # nothing there, then an earlier training's lease
        with pytest.raises(DataError, match="is --out a folder that all nodes share"):
            require_shared(elsewhere, 2)
        if not elsewhere.exists(LEASE):
            acquire(elsewhere).release()
