"""The KubeRay manifests: fields that exist, entrypoints that parse, and promises that their comments make."""

import copy
import gzip
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from rayjob_schema import RAY_JOB

import jobs.generate
import jobs.pack
import jobs.train
from argan.presets import preset
from argan.settings import override
from jobs.train import worker_range

ROOT = Path(__file__).resolve().parents[2]
KUBERAY_DEFINITION = ROOT.parent / "shared" / "schemas" / "rayjobs.crd.yaml.gz"  # KubeRay's, so not kept here
MANIFESTS = sorted((ROOT / "cluster" / "kuberay").glob("*.yaml"))
PARSERS = {
    "jobs/generate.py": jobs.generate.parse,
    "jobs/pack.py": jobs.pack.parse,
    "jobs/train.py": jobs.train.parse,
}
UNITS = {"": 1, "Mi": 1 << 20, "Gi": 1 << 30}

Manifest = dict[str, Any]


def load(name: str) -> Manifest:
    return yaml.safe_load((ROOT / "cluster" / "kuberay" / f"{name}.yaml").read_text())


@pytest.fixture(params=MANIFESTS, ids=lambda path: path.stem)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return load(request.param.stem)


def pods(manifest: Manifest) -> list[Manifest]:
    cluster = manifest["spec"]["rayClusterSpec"]
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def amount(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\D*)", quantity).groups()
    return int(number) * UNITS[unit]


def misspelled(document: Any) -> Iterator[Any]:
    """The document once for every key in it, with that one key misspelled."""
    places: list[tuple[str | int, ...]] = [()]
    while places:
        place = places.pop()
        value = at(document, place)
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((*place, key))
            if isinstance(value, dict):
                wrong = copy.deepcopy(document)
                holder = at(wrong, place)
                holder[f"{key}x"] = holder.pop(key)
                yield wrong


def at(document: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        document = document[key]
    return document


def test_there_is_a_manifest_for_each_job_of_a_cluster() -> None:
    assert [path.stem for path in MANIFESTS] == ["rayjob-generate", "rayjob-pack", "rayjob-train"]


def test_every_field_is_one_that_we_know(manifest: Manifest) -> None:
    jsonschema.Draft202012Validator(RAY_JOB).validate(manifest)


def test_any_misspelled_field_would_be_found(manifest: Manifest) -> None:
    validator = jsonschema.Draft202012Validator(RAY_JOB)
    wrong = list(misspelled(manifest))
    assert len(wrong) > 40
    assert not [document for document in wrong if validator.is_valid(document)]


def test_every_field_is_in_kuberays_own_definition(manifest: Manifest) -> None:
    if not KUBERAY_DEFINITION.is_file():
        pytest.skip(f"KubeRay's definition is not at {KUBERAY_DEFINITION}")
    with gzip.open(KUBERAY_DEFINITION) as file:
        definition = yaml.load(file, Loader=yaml.CSafeLoader)
    [v1] = [version for version in definition["spec"]["versions"] if version["name"] == "v1"]
    schema = closed(v1["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    jsonschema.Draft202012Validator(schema).validate(manifest)


def closed(schema: Any) -> Any:
    """An OpenAPI schema of Kubernetes as a JSON Schema that refuses fields it does not list."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    result = {key: closed(value) for key, value in schema.items()}
    takes_anything = schema.get("x-kubernetes-preserve-unknown-fields", False)
    if isinstance(schema.get("properties"), dict) and "type" in schema and not takes_anything:
        result.setdefault("additionalProperties", False)
    return result


def test_rays_version_is_the_one_installed_in_the_image(manifest: Manifest) -> None:
    assert f"ray=={manifest['spec']['rayClusterSpec']['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()


def test_the_entrypoint_is_understood_by_its_job(manifest: Manifest) -> None:
    python, script, *words = shlex.split(manifest["spec"]["entrypoint"])
    assert python == "python"
    PARSERS[script](words)  # exits on an unknown flag


def test_the_training_fits_its_preset_its_gpus_and_its_cache_volume() -> None:
    manifest = load("rayjob-train")
    arguments = jobs.train.parse(shlex.split(manifest["spec"]["entrypoint"])[2:])
    config = override(preset(arguments.preset), arguments.changes)
    [group] = manifest["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    [worker] = group["template"]["spec"]["containers"]
    _, most_workers = worker_range(arguments.num_workers)
    assert most_workers == group["replicas"] * int(worker["resources"]["limits"]["nvidia.com/gpu"])
    assert most_workers <= config.data.num_lanes
    [cache] = [mount["name"] for mount in worker["volumeMounts"] if mount["mountPath"] == config.compute.cache_folder]
    [room] = [volume["emptyDir"] for volume in group["template"]["spec"]["volumes"] if volume["name"] == cache]
    assert 0 < config.compute.cache_bytes < amount(room["sizeLimit"])


def test_gpus_are_for_workers_whose_pods_tolerate_the_taint(manifest: Manifest) -> None:
    for pod in pods(manifest):
        wants_gpu = "nvidia.com/gpu" in pod["containers"][0]["resources"]["limits"]
        tolerates = any(taint["key"] == "nvidia.com/gpu" for taint in pod.get("tolerations", ()))
        assert wants_gpu == tolerates
    assert "nvidia.com/gpu" not in pods(manifest)[0]["containers"][0]["resources"]["limits"]


def test_all_pods_run_one_image_and_get_their_keys_from_the_secret(manifest: Manifest) -> None:
    containers = [pod["containers"][0] for pod in pods(manifest)]
    assert len({container["image"] for container in containers}) == 1
    for container in containers:
        assert {"secretRef": {"name": "argan-s3"}} in container["envFrom"]
        assert not [item["name"] for item in container.get("env", ()) if item["name"].startswith("AWS_")]


def test_workers_have_shared_memory_within_their_memory(manifest: Manifest) -> None:
    for pod in pods(manifest)[1:]:
        [container] = pod["containers"]
        volumes = {volume["name"]: volume["emptyDir"] for volume in pod["volumes"]}
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        assert len(mounts) == len(volumes), "a volume that nobody mounts"
        assert mounts["/dev/shm"]["medium"] == "Memory"
        assert amount(mounts["/dev/shm"]["sizeLimit"]) <= amount(container["resources"]["limits"]["memory"]) / 2


def test_a_cluster_asks_for_a_token_reports_to_nobody_and_ends_with_its_job(manifest: Manifest) -> None:
    spec = manifest["spec"]
    assert spec["rayClusterSpec"]["authOptions"]["mode"] == "token"
    assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in pods(manifest)[0]["containers"][0]["env"]
    assert spec["shutdownAfterJobFinishes"]
    assert spec["backoffLimit"] > 0
