"""What the doctor hears of nodes when something of theirs is in use."""

import secrets
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import ray
from packed_scenes import pack_scenes

from jobs.runtime.doctor.survey import Observer, Question, survey

pytestmark = [pytest.mark.ray, pytest.mark.slow]  # it waits for the GPU as long as it may


@pytest.fixture
def busy_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A node whose one GPU (Ray counts what it is told) another job has."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else Ray writes one into the home
    ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
    monkeypatch.setenv("RAY_ADDRESS", "that of this session, which is there already")
    try:
        owner = ray.remote(Observer).options(num_cpus=0, num_gpus=1).remote()
        assert ray.get(owner.time.remote())
        yield
    finally:
        ray.shutdown()


@pytest.mark.usefixtures("busy_gpu")
def test_a_gpu_in_use_does_not_make_its_node_look_dead(tmp_path: Path) -> None:
    data = pack_scenes(str(tmp_path / "data"), "scenes:20", resolution=16, shard_samples=20)
    question = Question(
        packages=["torch"], cache_folder="", data_uri=data.uri, out_uri=str(tmp_path / "out"), seconds=90.0
    )
    [node] = survey(question)
    assert node.machine is not None
    assert node.machine.versions.keys() == {"torch"}
    assert node.clock is not None
    assert (node.unseen, node.problem, node.gpu) == ({}, "", None), asdict(node)
