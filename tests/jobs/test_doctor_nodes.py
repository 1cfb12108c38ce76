"""What the doctor makes of nodes, given as data; and of a Ray that does not answer."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from doctor_places import silent_port

from argan.errors import UserError
from argan.presets import preset
from argan.settings import override
from argan.storage.probe import Clock
from argan.training.memory import worker_memory
from jobs.runtime.doctor.asking import surveying
from jobs.runtime.doctor.clocks import check_clock, check_node_clocks
from jobs.runtime.doctor.examination import waited_for
from jobs.runtime.doctor.finding import Finding, begin
from jobs.runtime.doctor.fit import check_gpus, check_nodes, check_workers
from jobs.runtime.doctor.installed import Wanted, check_node_versions, installed, wanted_by
from jobs.runtime.doctor.machine import Gpu, Machine, measure, try_gpu
from jobs.runtime.doctor.nodes import Node
from jobs.runtime.doctor.room import GIB, check_disks, check_memory, most_images, need_of_worker
from jobs.runtime.doctor.survey import Observer, Question
from jobs.runtime.workers import Workers

ROOT = Path(__file__).resolve().parents[2]
FULL, SMALL, DEBUG = preset("full-64"), preset("small-32"), preset("debug")
GOOD_GPU = Gpu(name="H100", memory_bytes=80 * GIB, has_nccl=True)


def machine(**changes: object) -> Machine:
    """A sound one."""
    sound = Machine(
        host="node",
        versions=installed(["python", "ray", "torch"]),
        memory_bytes=64 * GIB,
        available_bytes=60 * GIB,
        shm_bytes=16 * GIB,
        disk_folder="/tmp",
        disk_bytes=1000 * GIB,
        free_bytes=500 * GIB,
        has_bf16=True,
    )
    return replace(sound, **changes)


def node(cpus: int = 8, gpus: int = 0, **changes: object) -> Node:
    """A sound one, with a GPU that computes where it has any."""
    of_ray = {"NodeManagerHostname": "node-7", "Alive": True, "Resources": {"CPU": cpus, "GPU": gpus}}
    sound = Node(of_ray=of_ray, machine=machine(), clock=Clock(0.0, 0.001), gpu=GOOD_GPU if gpus else None)
    return replace(sound, **changes)


def workers(number: int, **changes: object) -> Workers:
    return replace(Workers(minimum=number, maximum=number), **changes)


def verdicts(findings: list[Finding]) -> list[str]:
    return [finding.verdict for finding in findings]


def test_sound_nodes_are_ok() -> None:
    nodes = [node(gpus=1), node(gpus=1)]
    found = check_nodes(nodes) + check_gpus(FULL, nodes) + check_workers(workers(2), FULL, nodes)
    found += check_memory(FULL, workers(2), nodes) + check_disks(FULL, nodes) + check_node_clocks(nodes)
    assert set(verdicts(found)) == {"ok"}


def test_more_workers_than_the_cluster_or_the_lanes_hold() -> None:
    too_many = check_workers(workers(5, cpus_each=4), DEBUG, [node(cpus=8), node(cpus=8)])
    assert verdicts(too_many) == ["FAULT"]
    assert "5 workers with 4 CPU each need more than the cluster's [8, 8] CPU" in too_many[0].found
    more_than_lanes = check_workers(workers(7), DEBUG, [node(cpus=64)])
    assert "--num-workers 7 is more than data.num_lanes = 6" in more_than_lanes[0].found
    no_gpus = check_workers(workers(4, use_gpu=True), FULL, [node(gpus=2)])
    assert "4 workers need a GPU each, the cluster has 2" in no_gpus[0].found


def test_gpus_that_would_stay_idle() -> None:
    assert verdicts(check_workers(workers(4), FULL, [node(gpus=2)])) == ["FAULT"]
    assert verdicts(check_workers(workers(4, use_gpu=False), FULL, [node(gpus=2)])) == ["ok"]


def test_a_full_preset_wants_a_gpu_and_a_small_one_does_not() -> None:
    assert verdicts(check_gpus(FULL, [node()])) == ["warning"]
    assert verdicts(check_gpus(SMALL, [node()])) == ["ok"]
    assert verdicts(check_gpus(None, [node()])) == ["ok"]


def test_bf16_on_processors_without_it() -> None:
    old = node(machine=machine(has_bf16=False))
    in_bf16 = override(SMALL, {"compute.precision": "bf16"})
    (found,) = check_gpus(in_bf16, [node(), old])
    assert found.verdict == "warning"
    assert "node-7 has no units for bf16" in found.found
    assert verdicts(check_gpus(in_bf16, [node()]) + check_gpus(SMALL, [old]) + check_gpus(None, [old])) == ["ok"] * 3
    assert verdicts(check_gpus(in_bf16, [node(gpus=1, machine=old.machine)])) == ["ok"]


@pytest.mark.parametrize(
    ("gpu", "verdict", "words"),
    [
        (None, "warning", "none of its 1 came free"),
        (Gpu(problem="torch 2.13.0+cpu sees no GPU"), "FAULT", "sees no GPU"),
        (replace(GOOD_GPU, has_nccl=False), "FAULT", "no NCCL"),
    ],
)
def test_a_gpu_that_does_not_serve(gpu: Gpu | None, verdict: str, words: str) -> None:
    (found,) = check_gpus(FULL, [node(gpus=1), node(gpus=1, gpu=gpu)][1:])
    assert found.verdict == verdict
    assert words in found.found


def test_a_task_with_a_gpu_of_ray_where_torch_sees_none() -> None:
    """Planted on any machine without a GPU: this is what the task finds there."""
    import torch

    if torch.cuda.is_available():
        assert not try_gpu().problem
    else:
        assert "sees no GPU" in try_gpu().problem


def test_too_little_memory() -> None:
    """Of this machine itself, for a batch that nobody could hold."""
    here = node(cpus=2, machine=replace(measure({}, ""), available_bytes=64 * GIB, shm_bytes=64 * GIB))  # at rest
    assert verdicts(check_memory(SMALL, workers(1), [here])) == ["ok"]
    huge = override(SMALL, {"data.batch_images": 1 << 22, "schedule.tick_images": 1 << 22})
    (found,) = check_memory(huge, workers(1), [here])
    assert found.verdict == "FAULT"
    assert "small-32 with 4194304 images a worker: 1 of them need about" in found.found


def test_memory_is_that_of_all_workers_of_a_node() -> None:
    small = node(cpus=8, machine=machine(memory_bytes=4 * GIB, available_bytes=4 * GIB))
    assert verdicts(check_memory(SMALL, workers(1), [small])) == ["ok"]
    (found,) = check_memory(SMALL, workers(8), [small])
    assert found.verdict == "FAULT"
    assert "8 of them" in found.found
    busy = replace(small, machine=machine(available_bytes=GIB // 2))
    assert verdicts(check_memory(SMALL, workers(1), [busy])) == ["warning"]


def test_a_gpu_that_is_too_small() -> None:
    tiny = node(gpus=1, gpu=replace(GOOD_GPU, memory_bytes=2 * GIB))
    (found,) = check_memory(FULL, workers(1), [tiny])
    assert found.verdict == "FAULT"
    assert "of a GPU, node-7's has 2.0 GiB" in found.found


def test_judging_wants_memory_beside_training() -> None:
    _, enough = need_of_worker(worker_memory(SMALL, most_images(SMALL, 1)), use_gpu=False)
    tight = node(machine=machine(memory_bytes=enough, available_bytes=enough))
    assert verdicts(check_memory(SMALL, workers(1), [tight])) == ["FAULT"]
    unjudged = override(SMALL, {"schedule.judging_share": 0})
    assert verdicts(check_memory(unjudged, workers(1), [tight])) == ["ok"]


def test_shared_memory_of_a_container() -> None:
    container = machine(shm_bytes=64 << 20)
    assert verdicts(check_memory(FULL, workers(2), [node(gpus=2, machine=container)])) == ["FAULT"]
    assert verdicts(check_memory(SMALL, workers(2), [node(machine=container)])) == ["warning"]


def test_the_share_of_a_worker() -> None:
    assert [most_images(DEBUG, number) for number in (1, 2, 3, 4, 6)] == [12, 6, 4, 4, 2]


def test_a_cache_larger_than_the_disk() -> None:
    """Of this machine itself."""
    here = node(machine=measure({}, ""))
    assert verdicts(check_disks(SMALL, [here])) == ["ok"]
    assert verdicts(check_disks(override(SMALL, {"compute.cache_bytes": 1e18}), [here])) == ["FAULT"]
    assert verdicts(check_disks(SMALL, [node(machine=machine(free_bytes=20 * GIB))])) == ["warning"]


@pytest.mark.parametrize(
    ("clock", "verdict"),
    [
        (Clock(1.4, 0.6), "ok"),
        (Clock(-3.0, 0.5), "warning"),
        (Clock(6.0, 0.5), "FAULT"),
        (Clock(-6.0, 0.5), "FAULT"),
        (Clock(6.0, 20.0), "ok"),  # an answer that took so long proves nothing
    ],
)
def test_clocks_are_judged_beyond_doubt(clock: Clock, verdict: str) -> None:
    assert check_clock(clock, "a clock").verdict == verdict


def test_a_node_whose_clock_is_off_is_named() -> None:
    (found,) = check_node_clocks([node(), node(clock=Clock(-40.0, 0.01))])
    assert found.verdict == "FAULT"
    assert "node-7 is 40.0 s behind" in found.found


def test_versions_that_differ_between_nodes() -> None:
    wanted = wanted_by(ROOT)
    wanted = Wanted({name: wanted.ranges[name] for name in ("python", "ray", "torch")})
    here = installed(list(wanted.ranges))
    other_ray = node(machine=machine(versions={**here, "ray": "2.60.99"}))
    other_torch = node(machine=machine(versions={**here, "torch": "2.13.77"}))
    no_torch = node(machine=machine(versions={**here, "torch": "1.0"}))
    assert verdicts(check_node_versions(wanted, [node(), other_ray])) == ["FAULT"]
    assert verdicts(check_node_versions(wanted, [node(), other_torch])) == ["warning"]
    assert verdicts(check_node_versions(wanted, [node(), no_torch])) == ["FAULT"]
    assert verdicts(check_node_versions(wanted, [node(), node()])) == ["ok"]


def test_a_node_that_says_nothing_or_sees_nothing() -> None:
    silent = node(machine=None, problem="ModuleNotFoundError: No module named 'jobs'")
    blind = node(unseen={"--out": "/runs is there, but not what this job sees in it"})
    _, first, second = check_nodes([silent, blind])
    assert first.verdict == second.verdict == "FAULT"
    assert "No module named 'jobs'" in first.found
    assert "cannot use --out" in second.found


def test_a_node_sees_what_stands_at_a_place_and_misses_what_does_not(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"{}")
    landmarks = {"--data": (str(tmp_path), "manifest.json"), "--out": (str(tmp_path / "runs"), "small")}
    assert list(Observer().unseen(landmarks)) == ["--out"]


def test_a_check_that_hangs_is_a_fault_of_its_own() -> None:
    (found,) = waited_for("--out", begin(threading.Event().wait), time.monotonic() + 0.1)
    assert (found.verdict, found.check, found.found) == ("FAULT", "--out", "no answer in time")


def test_a_ray_that_never_answers_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    question = Question(packages=[], cache_folder="", data_uri=str(tmp_path), out_uri=str(tmp_path), seconds=2)
    with silent_port() as port:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
        started_s = time.monotonic()
        with pytest.raises(UserError, match="Ray does not answer in time"), surveying(question) as survey:
            survey.nodes(3.0)
    assert time.monotonic() - started_s < 60
    children = psutil.Process(os.getpid()).children(recursive=True)
    assert not [child for child in children if "jobs.runtime.doctor" in child.cmdline()]
