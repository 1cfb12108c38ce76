"""Two attempts of one run: one wins, whoever dies and whatever the clocks say."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from argan.errors import ConflictError, DataError, StorageError, UserError
from argan.runs import process
from argan.runs.lease import LEASE, Lease, LeaseHeldError, Record, acquire, encoded, read
from argan.runs.process import ProcessIdentity, is_alive, is_visible, this_process
from argan.storage import Storage, open_storage
from argan.storage.local import LocalStorage

LEASE_S = 0.4
ELSEWHERE = ProcessIdentity(host="elsewhere", boot_id="other", pid_namespace="pid:[1]", pid=7, started_at="1")


@pytest.fixture
def run(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "run"))


def test_a_run_has_one_owner_after_the_other(run: Storage) -> None:
    first = acquire(run)
    with pytest.raises(LeaseHeldError) as caught:
        acquire(run)
    assert isinstance(caught.value, UserError)
    for part in (run.uri, f"process {os.getpid()}", this_process().host, "since 20", "lasts 60 s"):
        assert part in str(caught.value)
    first.release()
    first.release()
    second = acquire(run)
    assert (first.generation, second.generation) == (1, 2)
    assert not first.lost


def test_of_attempts_at_once_one_wins(run: Storage) -> None:
    barrier = threading.Barrier(6)

    def attempt() -> Lease | None:
        barrier.wait()
        try:
            return acquire(run)
        except LeaseHeldError:
            return None

    with ThreadPoolExecutor(6) as pool:
        leases = [future.result() for future in [pool.submit(attempt) for _ in range(6)]]
    assert sum(lease is not None for lease in leases) == 1


def test_the_heartbeat_moves_the_lease_and_ends_with_it(run: Storage) -> None:
    with acquire(run, LEASE_S):
        beats = {standing_record(run).heartbeat_at}
        wait_until(lambda: beats.add(standing_record(run).heartbeat_at) or len(beats) > 3)
    assert not standing_record(run).held
    assert "lease heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_a_process_killed_here_is_replaced_at_once(run: Storage) -> None:
    owner = start_owner(run)
    with pytest.raises(LeaseHeldError, match=f"process {owner.pid} .*stop that process"):
        acquire(run)
    owner.send_signal(signal.SIGSTOP)
    with pytest.raises(LeaseHeldError):  # it may go on any time, its heartbeat may be as old as it likes
        acquire(run)
    owner.kill()
    wait_until(lambda: not is_alive(standing_record(run).owner))  # from here on a zombie, as nobody waited for it
    start_s = time.monotonic()
    assert acquire(run).generation == 2
    assert time.monotonic() - start_s < 5
    assert owner.wait() == -signal.SIGKILL


def test_a_pid_used_again_is_not_the_owner(run: Storage) -> None:
    owner = replace(this_process(), started_at="long ago")
    write_by_hand(run, owner=owner, heartbeat_at=time.time())
    assert acquire(run).generation == 5


def test_an_owner_elsewhere_is_refused_while_its_heartbeat_is_young(run: Storage) -> None:
    for skew_s in (0.0, -50.0, 50.0):
        write_by_hand(run, owner=ELSEWHERE, heartbeat_at=time.time() + skew_s, lease_s=60.0)
        with pytest.raises(LeaseHeldError, match=r"process 7 on elsewhere .* lasts 60 s.*try again in \d+ s"):
            acquire(run)


@pytest.mark.parametrize("skew_s", [-3600.0, 3600.0], ids=["its clock is behind", "its clock is ahead"])
def test_a_dead_owner_elsewhere_is_replaced_after_half_a_lease_of_silence(run: Storage, skew_s: float) -> None:
    write_by_hand(run, owner=ELSEWHERE, heartbeat_at=time.time() + skew_s, lease_s=LEASE_S)
    start_s = time.monotonic()
    assert acquire(run).generation == 5
    assert LEASE_S / 2 <= time.monotonic() - start_s < 10


@pytest.mark.parametrize("skew_s", [-3600.0, 3600.0], ids=["its clock is behind", "its clock is ahead"])
def test_a_living_owner_elsewhere_is_never_replaced_however_wrong_its_clock(run: Storage, skew_s: float) -> None:
    lease_s = 4.0  # its heartbeats may come late on a busy machine
    record = write_by_hand(run, owner=ELSEWHERE, heartbeat_at=time.time() + skew_s, lease_s=lease_s)
    done = threading.Event()

    def live() -> None:
        while not done.wait(0.1):
            run.write_bytes(LEASE, encoded(replace(record, heartbeat_at=time.time() + skew_s)))

    with ThreadPoolExecutor(1) as pool:
        beating = pool.submit(live)
        with pytest.raises(LeaseHeldError, match="still moves"):
            acquire(run)
        done.set()
        beating.result()
    assert standing_record(run).generation == record.generation


def test_an_owner_elsewhere_who_lets_go_while_it_is_watched_is_followed_at_once(run: Storage) -> None:
    record = write_by_hand(run, owner=ELSEWHERE, heartbeat_at=time.time() - 3600, lease_s=600.0)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(acquire, run)
        run.write_bytes(LEASE, encoded(replace(record, held=False)))
        assert taken.result(timeout=60).generation == record.generation + 1


def test_a_process_that_proc_hides_is_not_thought_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with hidepid: the process is there, its folder is not."""
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = replace(this_process(), pid=other.pid, started_at="1")
    for file in ("sys/kernel/random/boot_id", "self/ns/pid"):
        (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text(owner.boot_id)
    (tmp_path / "self/ns/pid").symlink_to(owner.pid_namespace)
    monkeypatch.setattr(process, "PROC", tmp_path)
    assert not is_visible(owner)
    other.communicate()
    assert is_visible(owner)
    assert not is_alive(owner)


def test_who_lost_the_lease_notices_and_never_writes_again(run: Storage) -> None:
    noticed = threading.Event()
    lease = acquire(run, LEASE_S, on_lost=noticed.set)
    taken = replace(standing_record(run), generation=2, token="another")
    run.write_if(LEASE, encoded(taken), read(run).version)
    lease.start()
    assert noticed.wait(30)
    assert lease.lost
    with pytest.raises(ConflictError, match="taken over"):
        lease.heartbeat()
    lease.release()
    assert standing_record(run) == taken


def test_a_lost_lease_outdoes_whatever_else_ends_the_attempt(run: Storage) -> None:
    lease = acquire(run)
    lease.require_held()
    run.write_if(LEASE, encoded(replace(standing_record(run), token="another")), read(run).version)
    with pytest.raises(ConflictError, match=f"{run.uri} was taken over"), lease:  # noticed at the release
        raise KeyboardInterrupt


def test_who_finds_the_lease_deleted_has_lost_it(run: Storage) -> None:
    lease = acquire(run)
    run.delete(LEASE)
    with pytest.raises(ConflictError):
        lease.heartbeat()
    assert lease.lost
    assert not run.exists(LEASE)


def test_who_finds_the_lease_damaged_has_lost_it(run: Storage) -> None:
    lost = threading.Event()
    lease = acquire(run, lease_s=0.3, on_lost=lost.set).start()
    run.write_bytes(LEASE, b"no lease at all")
    assert lost.wait(timeout=10)
    assert lease.lost
    lease.release()
    assert run.read_bytes(LEASE) == b"no lease at all"


@dataclass(frozen=True)
class Unlucky(LocalStorage):
    """Its next conditional writes fail: before they act, or after."""

    plan: list[str] = field(default_factory=list)

    def write_if(self, path: str, data: bytes, version: str | None) -> str:
        fault = self.plan.pop(0) if self.plan else "none"
        if fault == "before":
            raise StorageError("the connection broke")
        written = super().write_if(path, data, version)
        if fault == "after":
            raise StorageError("the connection broke, too late")
        return written


@pytest.mark.parametrize("plan", [["before"] * 3, ["after"], ["after", "before", "after", "after"]])
def test_an_outage_is_no_loss(tmp_path: Path, plan: list[str]) -> None:
    run = Unlucky(tmp_path)
    lease = acquire(run, LEASE_S)
    run.plan.extend(plan)
    before = standing_record(run).heartbeat_at
    with lease:
        wait_until(lambda: not run.plan and standing_record(run).heartbeat_at > before)
        lease.heartbeat()
        assert not lease.lost
    assert not standing_record(run).held


def test_an_outage_at_the_end_is_survived(tmp_path: Path) -> None:
    run = Unlucky(tmp_path)
    lease = acquire(run)
    run.plan.append("before")
    lease.release()
    assert standing_record(run).held


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"owner": {}}', '{"owner": 3}'])
def test_what_is_no_lease_is_said_with_its_uri(run: Storage, text: str) -> None:
    run.write_bytes(LEASE, text.encode())
    with pytest.raises(DataError, match=f"{run.uri}/{LEASE}"):
        acquire(run)


@pytest.mark.s3
def test_the_lease_holds_on_s3(s3, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = open_storage(f"{s3.uri}/{tmp_path.name}")
    with acquire(run, LEASE_S) as lease:
        before = standing_record(run).heartbeat_at
        wait_until(lambda: standing_record(run).heartbeat_at > before)
        with pytest.raises(LeaseHeldError):
            acquire(run)
    assert not lease.lost
    assert acquire(run).generation == 2


def test_a_process_knows_itself_and_sees_others_end() -> None:
    assert is_visible(this_process())
    assert is_alive(this_process())
    assert not is_visible(ELSEWHERE)
    assert not is_alive(replace(this_process(), started_at="long ago"))


def start_owner(run: Storage) -> subprocess.Popen[str]:
    """A process that holds the lease until it is killed."""
    code = (
        "import sys, time; from argan.runs.lease import acquire; from argan.storage import open_storage\n"
        "with acquire(open_storage(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, run.uri], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    owner.stdout.close()
    return owner


def write_by_hand(run: Storage, *, owner: ProcessIdentity, heartbeat_at: float, lease_s: float = 60.0) -> Record:
    record = Record(
        generation=4,
        held=True,
        token="by hand",
        owner=owner,
        acquired_at=heartbeat_at,
        heartbeat_at=heartbeat_at,
        lease_s=lease_s,
    )
    run.write_bytes(LEASE, encoded(record))
    assert json.loads(run.read_bytes(LEASE))["generation"] == 4
    return record


def standing_record(run: Storage) -> Record:
    standing = read(run)
    assert standing is not None
    return standing.record


def wait_until(condition: Callable[[], object], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
