"""What a training job asks Ray for, from what the nodes have."""

import pytest
from tiny_sweep import tiny_sweep

from argan.errors import ConflictError, DataError, MissingError, RefusedError, StorageError, UserError, passes
from jobs.runtime.sweeping import SweepRequest, trial_workers
from jobs.runtime.trainer import NoRoomError, Room, WorkersFailedError, most_cpus_each, reason, scaling
from jobs.runtime.workers import Workers


def node(cpus: float, gpus: float = 0, *, alive: bool = True) -> dict:
    return {"Alive": alive, "Resources": {"CPU": cpus, **({"GPU": gpus} if gpus else {})}}


def rooms(*cpus: int) -> list[Room]:
    return [Room(each) for each in cpus]


def test_processors_are_shared_out_node_by_node() -> None:
    assert most_cpus_each(rooms(2), 1) == 2
    assert most_cpus_each(rooms(2), 2) == 1
    assert most_cpus_each(rooms(4, 8, 8), 2) == 8  # not 20 / 2: no node has ten
    assert most_cpus_each(rooms(4, 8, 8), 5) == 4
    assert most_cpus_each(rooms(1), 2) == 0
    assert most_cpus_each([], 1) == 0


def test_a_node_takes_no_more_workers_than_it_has_gpus() -> None:
    """Both would fit the large node's processors, but not its one GPU."""
    asked = scaling(Workers(minimum=2, maximum=2), [node(64, 1), node(8, 1)])
    assert asked.resources_per_worker == {"CPU": 8, "GPU": 1}
    with pytest.raises(UserError, match=r"2 workers with 32 CPU each need more than the cluster's \[64, 8\] CPU"):
        scaling(Workers(minimum=2, maximum=2, cpus_each=32), [node(64, 1), node(8, 1), node(64)])


def test_gpus_are_taken_where_there_are_any() -> None:
    nodes = [node(4), node(8, 1), node(8, 1)]
    asked = scaling(Workers(minimum=2, maximum=2), nodes)
    assert asked.use_gpu
    assert asked.resources_per_worker == {"CPU": 8, "GPU": 1}
    with pytest.raises(UserError, match="3 workers need a GPU each, the cluster has 2; or --device cpu"):
        scaling(Workers(minimum=3, maximum=3), nodes)
    assert not scaling(Workers(minimum=3, maximum=3, use_gpu=False), nodes).use_gpu
    assert not scaling(Workers(minimum=3, maximum=3), [node(8)]).use_gpu
    assert scaling(Workers(minimum=1, maximum=4), nodes).num_workers == (1, 4)


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match=r"3 workers need a GPU each, the cluster has 2$"):
        scaling(Workers(minimum=3, maximum=3, use_gpu=True), [node(4, 2)])
    with pytest.raises(UserError, match="2 workers with 3 CPU each"):
        scaling(Workers(minimum=2, maximum=2, cpus_each=3), [node(4), node(2)])
    with pytest.raises(UserError, match="CPU each"):
        scaling(Workers(minimum=1, maximum=1), [node(4, alive=False)])


def test_only_what_may_pass_is_tried_again() -> None:
    assert passes(StorageError("away"))
    for kind in (ConflictError, MissingError, RefusedError, DataError, UserError):
        assert not passes(kind("wrong"))


def test_a_workers_sentence_comes_out() -> None:
    from ray.train import ControllerError, WorkerGroupError

    assert isinstance(reason(WorkerGroupError("died", {0: RuntimeError("killed")})), WorkersFailedError)
    broken = DataError("shards/00000.tar is broken")
    assert reason(WorkerGroupError("died", {0: RuntimeError("lost peer"), 1: broken})) is broken
    away = reason(ControllerError(StorageError("away")))
    assert isinstance(away, WorkersFailedError)
    assert away.of_storage
    assert not reason(WorkerGroupError("died", {0: RuntimeError("killed")})).of_storage


def test_workers_without_a_place_have_not_failed() -> None:
    from ray.train import ControllerError
    from ray.train.v2._internal.exceptions import WorkerGroupStartupTimeoutError

    waits = reason(ControllerError(WorkerGroupStartupTimeoutError(2)))
    assert isinstance(waits, NoRoomError)
    assert str(waits) == "no place for 2 workers: waiting for one"


def test_what_is_settled_is_asked_for_although_the_nodes_are_gone() -> None:
    """A trial's workers were counted when the sweep began; a node that was reclaimed since will come back."""
    asked = scaling(Workers(minimum=2, maximum=2, cpus_each=3, use_gpu=True, is_settled=True), [])
    assert (asked.num_workers, asked.use_gpu, asked.resources_per_worker) == (2, True, {"CPU": 3, "GPU": 1})


def shared_out(asked: Workers, nodes: list[dict], *, concurrent: int) -> Workers:
    return trial_workers(
        SweepRequest(sweep=tiny_sweep(2), data_uri="", out_uri="", workers=asked, concurrent=concurrent), nodes
    )


def test_trials_at_a_time_share_what_the_cluster_has() -> None:
    one = Workers(minimum=1, maximum=1)
    assert shared_out(one, [node(8)], concurrent=2) == Workers(
        minimum=1, maximum=1, cpus_each=4, use_gpu=False, is_settled=True
    )
    assert shared_out(one, [node(8, 2)], concurrent=2).use_gpu
    assert not shared_out(Workers(minimum=1, maximum=1, use_gpu=False), [node(8, 1)], concurrent=2).use_gpu
    with pytest.raises(UserError, match=r"2 workers need a GPU each, the cluster has 1; or --device cpu"):
        shared_out(one, [node(8, 1)], concurrent=2)
    with pytest.raises(UserError, match="2 workers with 3 CPU each need more"):
        shared_out(Workers(minimum=1, maximum=1, cpus_each=3), [node(4)], concurrent=2)
