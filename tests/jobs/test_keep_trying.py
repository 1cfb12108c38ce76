"""What is tried again after a failure, how often, and after what wait."""

import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from argan.errors import ConflictError, DataError, FailedTrainingError, StorageError, UserError
from argan.runs.lease import LEASE, Lease, acquire, encoded, read
from argan.storage import Storage, open_storage
from jobs.runtime import trainer
from jobs.runtime.trainer import NoRoomError, WorkersFailedError, keep_trying, rays_handling_of_ctrl_c

AWAY = StorageError("s3://bucket cannot be reached")
DIED = WorkersFailedError("a traceback\nRuntimeError: killed")


@pytest.fixture
def run(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path))


@pytest.fixture
def lease(run: Storage) -> Lease:
    return acquire(run)


@pytest.fixture
def waits_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited, each time."""
    waited: list[float] = []
    monkeypatch.setattr(trainer.time, "sleep", waited.append)
    return waited


def test_ctrl_c_is_rays_while_it_trains_and_ours_afterwards() -> None:
    def fit(pressed: bool) -> None:
        signal.signal(signal.SIGINT, lambda *_: sys.exit(0))  # as Ray does, and leaves it so
        if pressed:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with rays_handling_of_ctrl_c():
        fit(pressed=False)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt), rays_handling_of_ctrl_c():
        fit(pressed=True)
    assert signal.getsignal(signal.SIGINT) is before


class Script:
    """What happens: to each try in turn, and to each question of where the run stands."""

    def __init__(self, tries: list[int | Exception], stands: list[int | Exception]) -> None:
        self.asked: list[int] = []
        self._tries = iter(tries)
        self._stands = iter(stands)

    def try_once(self, start_images: int) -> int:
        self.asked.append(start_images)
        return happens(self._tries)

    def images_done(self) -> int:
        return happens(self._stands)


def happens(events: Iterator[int | Exception]) -> int:
    event = next(events)
    if isinstance(event, Exception):
        raise event
    return event


def play(script: Script, lease: Lease, max_failures: int = 3, **more: Any) -> int:
    return keep_trying(script.try_once, script.images_done, lease, start_images=0, max_failures=max_failures, **more)


def test_no_room_where_no_node_can_come_is_a_failure(lease: Lease, waits_s: list[float]) -> None:
    """Something dead holds the place: it would be waited for for ever."""
    script = Script([NoRoomError("no place for 2 workers")] * 3, [0] * 3)
    with pytest.raises(FailedTrainingError, match=r"3 times in a row.*no place for 2 workers"):
        play(script, lease, max_failures=2, nodes_may_come=False)


def test_no_try_begins_when_the_time_is_up(lease: Lease, waits_s: list[float]) -> None:
    script = Script([DIED], [480])
    assert play(script, lease, ends_at=0.0) == 480
    script = Script([NoRoomError("no place for 2 workers")], [0])
    assert play(script, lease, ends_at=0.0) == 0
    assert script.asked == [0]  # the first one always does: it ends by itself


def test_failures_with_a_checkpoint_between_them_are_never_too_many(lease: Lease, waits_s: list[float]) -> None:
    script = Script([DIED] * 9 + [1000], [100 * i for i in range(1, 10)])
    assert play(script, lease) == 1000
    assert script.asked == [100 * i for i in range(10)]
    assert waits_s == [2.0] * 9


def test_failures_in_a_row_wait_longer_and_then_end_it(
    lease: Lease, waits_s: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FailedTrainingError, match=r"failed 5 times in a row at 100 images, .* RuntimeError"):
        play(Script([DIED] * 6, [100] * 6), lease, max_failures=4)
    assert waits_s == [2.0, 8.0, 32.0, 60.0]
    said = capsys.readouterr().err
    assert "workers failed, going on from 100 images in 8 s: RuntimeError: killed" in said
    assert said.endswith("a traceback\nRuntimeError: killed\n")


def test_a_checkpoint_that_comes_and_goes_forgives_nothing(lease: Lease, waits_s: list[float]) -> None:
    """The newest can be read only now and then."""
    script = Script([DIED] * 9, [480, 432, 480, 432, 480, 432, 480, 432, 480])
    with pytest.raises(FailedTrainingError, match="failed 4 times in a row"):
        play(script, lease, max_failures=3)
    assert script.asked == [0, 480, 432, 480]


def test_workers_without_a_place_are_asked_for_as_long_as_it_takes(
    lease: Lease, waits_s: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was trained and nothing failed in between: neither does the row of failures grow, nor does it end."""
    none = NoRoomError("no place for 2 workers")
    script = Script([DIED, *[none] * 9, DIED, 1000], [100] * 11)
    assert play(script, lease) == 1000
    assert script.asked == [0, *[100] * 11]
    assert waits_s == [2.0, 8.0]
    assert "no place for 2 workers; going on from 100 images when there is" in capsys.readouterr().err


def test_a_group_that_finds_no_place_after_it_has_trained_goes_on_from_there(
    lease: Lease, waits_s: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """A range of workers is sized anew within one try; and what failed before the images between is forgiven."""
    script = Script([DIED, NoRoomError("no place for 1 workers"), DIED, 1000], [0, 700, 700])
    assert play(script, lease, max_failures=2) == 1000
    assert script.asked == [0, 0, 700, 700]
    assert waits_s == [2.0, 8.0]
    assert "no place for 1 workers; going on from 700 images when there is" in capsys.readouterr().err


def test_an_outage_is_waited_for_and_then_forgiven(
    lease: Lease, waits_s: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script([DIED, DIED, 1000], [AWAY, AWAY, 500, 500])
    assert play(script, lease) == 1000
    assert script.asked == [0, 500, 500]
    assert waits_s == [8.0, 32.0, 2.0, 8.0]
    assert "storage stays away, asked again in 32 s: s3://bucket cannot be reached" in capsys.readouterr().err


def test_an_outage_without_end_ends_it(lease: Lease, waits_s: list[float]) -> None:
    with pytest.raises(UserError, match=r"failed 4 times in a row at 0 images, .* cannot be reached") as ended:
        play(Script([DIED], [AWAY] * 9), lease)
    assert waits_s == [8.0, 32.0]
    assert not isinstance(ended.value, FailedTrainingError)  # storage, not the training


def test_workers_that_do_not_reach_storage_are_no_failed_training(lease: Lease, waits_s: list[float]) -> None:
    refused = WorkersFailedError("403 on s3://bucket", of_storage=True)
    with pytest.raises(UserError, match="403 on s3://bucket") as ended:
        play(Script([refused] * 4, [0] * 4), lease)
    assert not isinstance(ended.value, FailedTrainingError)


def test_storage_that_is_away_when_a_try_begins_or_ends_is_waited_for(lease: Lease, waits_s: list[float]) -> None:
    assert play(Script([AWAY, DIED, AWAY, 1000], [0, 500, 500]), lease) == 1000
    assert waits_s == [2.0, 2.0, 8.0]
    with pytest.raises(UserError, match="cannot be reached") as ended:
        play(Script([AWAY] * 4, [0] * 4), lease)
    assert not isinstance(ended.value, FailedTrainingError)


def test_every_try_has_a_generation_of_the_lease(run: Storage, lease: Lease, waits_s: list[float]) -> None:
    """Workers of the try before may only seem to be dead: what they write is told from it, and refused."""
    generations = []

    def try_once(start_images: int) -> int:
        generations.append(lease.generation)
        if len(generations) < 3:
            raise DIED
        return 1000

    assert keep_trying(try_once, lambda: 0, lease, start_images=0, max_failures=3) == 1000
    standing = read(run)
    assert standing is not None
    assert generations == [1, 2, 3]
    assert standing.record.generation == 3


def test_no_failure_may_be_asked_for(lease: Lease, waits_s: list[float]) -> None:
    with pytest.raises(UserError, match="failed once at 100 images"):
        play(Script([DIED], [100]), lease, max_failures=0)
    assert waits_s == []


@pytest.mark.parametrize("error", [DataError("damaged"), ConflictError("lost")])
def test_what_does_not_pass_is_not_waited_for(lease: Lease, waits_s: list[float], error: UserError) -> None:
    with pytest.raises(type(error), match=str(error)):
        play(Script([DIED], [error]), lease)
    with pytest.raises(type(error), match=str(error)):
        play(Script([error], []), lease)
    assert waits_s == []


def test_a_run_that_was_taken_over_is_not_tried_again(run: Storage, lease: Lease, waits_s: list[float]) -> None:
    standing = read(run)
    assert standing is not None
    run.write_if(LEASE, encoded(replace(standing.record, token="another")), standing.version)
    script = Script([DIED, 1000], [100])
    with pytest.raises(ConflictError, match="taken over"):
        play(script, lease)
    with pytest.raises(ConflictError, match="taken over"):
        play(script, lease)  # known by now: not even a first try
    assert script.asked == [0]
    assert waits_s == []
