"""The KubeRay manifests: what they ask for fits together, fits the jobs' arguments, and is what their comments say."""

import importlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from job_commands import understood
from kuberay_files import (
    MANIFESTS,
    ROOT,
    Manifest,
    amount,
    cluster_of,
    entrypoint,
    limits,
    load,
    num_gpus,
    pods,
)

from argan.config import Config
from argan.presets import preset
from argan.settings import override

JOBS = [path.stem for path in MANIFESTS if path.stem != "raycluster"]


@pytest.fixture(params=MANIFESTS, ids=lambda path: path.stem)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return load(request.param.stem)


@pytest.fixture(params=JOBS)
def job(request: pytest.FixtureRequest) -> Manifest:
    return load(request.param)


def training() -> tuple[Any, Config]:
    arguments = understood("train.py", entrypoint(load("rayjob-train"))[2:])
    return arguments, override(preset(arguments.preset), arguments.changes)


def groups() -> Iterator[tuple[str, Manifest]]:
    """(name, pod) of every group in every manifest, the heads too."""
    for path in MANIFESTS:
        cluster = cluster_of(load(path.stem))
        yield "head", cluster["headGroupSpec"]
        for group in cluster["workerGroupSpecs"]:
            yield group["groupName"], group["template"]


def test_there_is_a_manifest_for_each_job_of_a_cluster_and_one_for_a_cluster_that_stays() -> None:
    assert JOBS == ["rayjob-generate", "rayjob-pack", "rayjob-sweep", "rayjob-train"]
    assert load("raycluster")["kind"] == "RayCluster"


def test_groups_of_one_name_are_the_same_in_all_manifests() -> None:
    """Up to the kind of image. YAML cannot share parts between files, so they are written again, and compared here."""
    found: dict[str, str] = {}
    for name, pod in groups():
        text = re.sub(r"argan:(cpu|cuda)", "argan", json.dumps(pod, sort_keys=True))
        assert found.setdefault(name, text) == text, f"{name} differs"
    assert set(found) == {"head", "cpu", "gpu", "gpu-spot"}


def test_rays_version_is_the_one_installed_in_the_image(manifest: Manifest) -> None:
    assert f"ray=={cluster_of(manifest)['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()


def test_all_pods_of_a_cluster_run_one_image_with_cuda_where_there_is_a_gpu(manifest: Manifest) -> None:
    kind = "cuda" if any("nvidia.com/gpu" in limits(pod) for pod in pods(manifest)) else "cpu"
    assert {pod["containers"][0]["image"] for pod in pods(manifest)} == {f"REGISTRY/argan:{kind}"}


def test_all_pods_get_their_keys_from_the_secret_and_nowhere_else(manifest: Manifest) -> None:
    for pod in pods(manifest):
        [container] = pod["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "argan-s3"}}]
        assert not [item["name"] for item in container.get("env", ()) if item["name"].startswith("AWS_")]


def test_pods_go_where_they_belong(manifest: Manifest) -> None:
    """To nodes with GPUs if they need one, to spot nodes if they are meant to, the head to neither."""
    for pod in pods(manifest):
        wanted = {"nvidia.com/gpu"} & limits(pod).keys() | pod.get("nodeSelector", {}).keys()
        assert {taint["key"] for taint in pod.get("tolerations", ())} == wanted
    assert "tolerations" not in pods(manifest)[0]


def test_workers_have_shared_memory_within_their_memory(manifest: Manifest) -> None:
    for pod in pods(manifest)[1:]:
        [container] = pod["containers"]
        volumes = {volume["name"]: volume["emptyDir"] for volume in pod["volumes"]}
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        assert len(mounts) == len(volumes), "a volume that nobody mounts"
        assert mounts["/dev/shm"]["medium"] == "Memory"
        assert amount(mounts["/dev/shm"]["sizeLimit"]) <= amount(limits(pod)["memory"]) / 2


def test_a_cluster_asks_for_a_token_reports_to_nobody_and_keeps_work_off_its_head(manifest: Manifest) -> None:
    cluster = cluster_of(manifest)
    assert cluster["authOptions"]["mode"] == "token"
    assert cluster["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in pods(manifest)[0]["containers"][0]["env"]


def test_a_jobs_cluster_has_one_size_and_ends_with_its_job(job: Manifest) -> None:
    assert job["spec"]["shutdownAfterJobFinishes"]
    assert job["spec"]["backoffLimit"] > 0
    assert "enableInTreeAutoscaling" not in cluster_of(job)
    for group in cluster_of(job)["workerGroupSpecs"]:
        assert group["minReplicas"] == group["replicas"] == group["maxReplicas"]


def test_the_cluster_that_stays_grows_and_always_has_a_gpu() -> None:
    spec = load("raycluster")["spec"]
    assert spec["enableInTreeAutoscaling"]
    assert spec["autoscalerOptions"]["version"] == "v2"
    for group in spec["workerGroupSpecs"]:
        assert group["minReplicas"] == group["replicas"] <= group["maxReplicas"]
    assert num_gpus(load("raycluster")) >= 1  # a job counts what is there when it starts


def test_the_entrypoint_is_understood_by_its_job(job: Manifest) -> None:
    python, script, *words = entrypoint(job)
    assert python == "python"
    understood(script.removeprefix("jobs/"), words)


def test_the_training_fits_its_gpus_and_its_preset() -> None:
    arguments, config = training()
    _, most_workers = arguments.num_workers
    assert most_workers == num_gpus(load("rayjob-train"))
    assert most_workers <= config.data.num_lanes
    assert config.compute.precision == "bf16"


@pytest.mark.parametrize("name", ["rayjob-train", "rayjob-sweep"])
def test_the_cache_of_shards_fits_its_volume(name: str) -> None:
    words = entrypoint(load(name))[2:]
    given = {key.removeprefix("--"): value for key, value in itertools.pairwise(words) if key.startswith("--compute.")}
    config = override(Config(), given)
    pod = pods(load(name))[1]
    [cache] = [
        mount["name"]
        for mount in pod["containers"][0]["volumeMounts"]
        if mount["mountPath"] == config.compute.cache_folder
    ]
    [room] = [volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == cache]
    assert 0 < config.compute.cache_bytes < amount(room["sizeLimit"])


def test_one_job_reads_what_another_writes() -> None:
    arguments, config = training()
    packing = understood("pack.py", entrypoint(load("rayjob-pack"))[2:])
    generation = understood("generate.py", entrypoint(load("rayjob-generate"))[2:])
    assert (packing.out, packing.resolution) == (arguments.data, config.resolution)
    assert generation.run == f"{arguments.out}/RUN"


def test_the_sweep_has_a_gpu_for_each_trial_at_a_time() -> None:
    sweep = understood("sweep.py", entrypoint(load("rayjob-sweep"))[2:])
    assert sweep.concurrent * sweep.num_workers == num_gpus(load("rayjob-sweep"))


def test_jobs_on_gpus_do_not_fall_back_to_processors(job: Manifest) -> None:
    assert ("--device gpu" in job["spec"]["entrypoint"]) == (num_gpus(job) > 0)


def test_the_sweeps_set_is_packed_at_the_resolution_of_its_preset() -> None:
    sweep = understood("sweep.py", entrypoint(load("rayjob-sweep"))[2:])
    definition = importlib.import_module(f"sweeps.{sweep.sweep}").SWEEP
    page = (ROOT / "docs" / "cluster.md").read_text()
    assert re.search(rf"{sweep.data} --resolution {preset(definition.preset).resolution}\b", page)
