"""cluster/aws.yaml, without AWS: Ray's own schema and EC2's, no field misspelled, and nothing that is not there."""

import copy
import json
import re
import socket
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import botocore.session
import pytest
import ray.autoscaler
import yaml
from botocore.validate import ParamValidator
from jsonschema import ValidationError
from kuberay_files import ROOT, load, misspelled, pods
from ray.autoscaler._private.util import fillout_defaults, prepare_config, validate_config
from ray.scripts.scripts import start
from test_image import copied

CONFIG = yaml.safe_load((ROOT / "cluster" / "aws.yaml").read_text())
NODES = CONFIG["available_node_types"]
COMMANDS = [command for key, lines in CONFIG.items() if key.endswith("_commands") for command in lines]
OURS_TO_NAME = ("available_node_types", "resources", "file_mounts")  # whose keys are names, not fields
RAY_SCHEMA = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("it asks the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def faults(config: dict[str, Any]) -> list[str]:
    """What Ray's launcher says to it; and what it lets through: fields of the provider, and the words for EC2."""
    try:
        validate_config(fillout_defaults(copy.deepcopy(config)))
    except (ValidationError, ValueError, KeyError) as error:
        return [str(error)]
    unknown = config["provider"].keys() - RAY_SCHEMA["properties"]["provider"]["properties"].keys()
    ec2 = botocore.session.get_session().get_service_model("ec2").operation_model("RunInstances").input_shape
    # Ray itself adds how many machines are wanted.
    asked = [{"MinCount": 1, "MaxCount": 1, **node["node_config"]} for node in config["available_node_types"].values()]
    reports = [ParamValidator().validate(words, ec2) for words in asked]
    return [*unknown, *(report.generate_report() for report in reports if report.has_errors())]


def test_ray_and_ec2_know_every_field() -> None:
    assert not faults(CONFIG)
    prepared = prepare_config(copy.deepcopy(CONFIG))
    assert {
        name: (node["min_workers"], node["max_workers"]) for name, node in prepared["available_node_types"].items()
    } == {
        "head": (0, 0),
        "gpu-spot": (1, 8),
        "cpu-spot": (0, 4),
    }
    assert prepared["max_workers"] == 8 + 4


def test_any_misspelled_field_would_be_found() -> None:
    wrong = [(place, config) for place, config in misspelled(CONFIG) if not {*OURS_TO_NAME} & {*place[-2:-1]}]
    assert len(wrong) > 30
    assert not [place for place, config in wrong if not faults(config)]


def test_workers_are_spot_machines_and_no_machine_has_keys() -> None:
    for name, node in NODES.items():
        words = node["node_config"]
        is_head = name == CONFIG["head_node_type"]
        assert words["IamInstanceProfile"] == {"Name": "argan-head" if is_head else "argan-worker"}
        assert ("InstanceMarketOptions" in words) != is_head
    assert not re.search("ACCESS_KEY|SECRET", (ROOT / "cluster" / "aws.yaml").read_text())


def test_machines_get_what_the_image_gets_and_the_token() -> None:
    mounts = dict(CONFIG["file_mounts"])
    assert mounts.pop("/home/ubuntu/.ray/auth_token") == "~/.ray/auth_token"
    assert mounts == {f"/home/ubuntu/argan/{source}": source for source in copied()}
    assert any("RAY_AUTH_MODE=token" in command for command in CONFIG["initialization_commands"])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_shell_understands_the_command(command: str) -> None:
    subprocess.run(["bash", "-n", "-c", command], check=True)


def test_ray_starts_with_flags_that_it_has_and_its_dashboard_at_home() -> None:
    known = {flag for parameter in start.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    given = re.findall(r"--[a-z-]+", " ".join(CONFIG["head_start_ray_commands"] + CONFIG["worker_start_ray_commands"]))
    assert "--head" in given
    assert not set(given) - known
    assert "--dashboard-host" not in given
    [dashboard_host] = [parameter for parameter in start.params if "--dashboard-host" in parameter.opts]
    assert dashboard_host.default in ("127.0.0.1", "localhost")


def test_the_cache_is_where_the_pods_have_it() -> None:
    mounts = {
        mount["name"]: mount["mountPath"] for mount in pods(load("rayjob-train"))[1]["containers"][0]["volumeMounts"]
    }
    [link] = [command for command in CONFIG["setup_commands"] if "ln " in command]
    assert link.split()[-1] == mounts["cache"]


def test_the_region_is_one() -> None:
    assert f"AWS_DEFAULT_REGION={CONFIG['provider']['region']}" in " ".join(CONFIG["initialization_commands"])
