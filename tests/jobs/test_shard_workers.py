"""Who does a shard when its worker is silent."""

import os
import signal
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


def worker_class() -> type:
    """Made here, so that Ray sends it to its processes, which do not find this file."""

    class Worker:
        """Stands still for ever, as one does that waits for a place on a node that is gone, where it is told to."""

        def __init__(self, folder: Path) -> None:
            self._folder = folder

        def work(self, number: int, stands_still: bool) -> int:
            try:
                (self._folder / f"{number}").touch(exist_ok=False)
            except FileExistsError:  # another has had it
                return -number
            if stands_still:
                os.kill(os.getpid(), signal.SIGSTOP)
            return number

    return Worker


def test_the_shards_of_a_worker_that_is_silent_are_done_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is told of once."""
    from jobs.runtime.session import start_ray

    with start_ray(num_cpus=2):
        import ray

        from jobs.runtime import shard_workers

        monkeypatch.setattr(shard_workers, "NOTICE_S", 3.0)
        actor = ray.remote(worker_class()).options(num_cpus=1, max_concurrency=shard_workers.SHARDS_AT_ONCE)
        workers = shard_workers.ShardWorkers([actor.remote(tmp_path) for _ in range(2)])
        found = dict(workers.over("work", [(number, number == 3) for number in range(1, 9)]))
    assert sorted(found) == list(range(1, 9))
    assert found[3] == -3
    assert "nothing came for 3 s: idle workers do the" in capsys.readouterr().err
