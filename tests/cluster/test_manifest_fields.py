"""The KubeRay manifests, field by field: by our own small schema, by KubeRay's where it is at hand, by kubectl."""

import gzip
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from kuberay_files import MANIFESTS, ROOT, Manifest, load, misspelled
from kuberay_schema import SCHEMAS

KUBERAY_DEFINITIONS = ROOT.parent / "shared" / "schemas"  # rayjobs.crd.yaml.gz and so on: KubeRay's, so not kept here


@pytest.fixture(params=MANIFESTS, ids=lambda path: path.stem)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return load(request.param.stem)


def test_every_field_is_one_that_we_know(manifest: Manifest) -> None:
    jsonschema.Draft202012Validator(SCHEMAS[manifest["kind"]]).validate(manifest)


def test_any_misspelled_field_would_be_found(manifest: Manifest) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[manifest["kind"]])
    wrong = [(place, document) for place, document in misspelled(manifest) if "nodeSelector" not in place[:-1]]
    assert len(wrong) > 40
    assert not [place for place, document in wrong if validator.is_valid(document)]


def test_every_field_is_in_kuberays_own_definition(manifest: Manifest) -> None:
    file = KUBERAY_DEFINITIONS / f"{manifest['kind'].lower()}s.crd.yaml.gz"
    if not file.is_file():
        pytest.skip(f"KubeRay's definition is not at {file}")
    validator = jsonschema.Draft202012Validator(kuberays_schema(file))
    validator.validate(manifest)
    wrong = manifest | {"spec": manifest["spec"] | {"shutdownAfterJobFinish": True}}
    assert not validator.is_valid(wrong)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_kubectl_reads_what_we_read(path: Path) -> None:
    """Anchors and merged keys above all. `label --local` asks no server."""
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl")
    command = ["kubectl", "label", "--local", "--dry-run=client", "--output=yaml", f"--filename={path}", "read=yes"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    read = yaml.safe_load(answer.stdout)
    assert read["metadata"].pop("labels") == {"read": "yes"}
    assert read == load(path.stem)


@lru_cache
def kuberays_schema(file: Path) -> Any:
    with gzip.open(file) as opened:
        definition = yaml.load(opened, Loader=yaml.CSafeLoader)
    [v1] = [version for version in definition["spec"]["versions"] if version["name"] == "v1"]
    schema = closed(v1["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


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
