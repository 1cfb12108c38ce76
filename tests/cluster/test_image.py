"""The Dockerfile: what it copies is there and reaches the build, and it installs what is tested here."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from kuberay_files import MANIFESTS, entrypoint, load
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "cluster" / "Dockerfile").read_text()
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def copied() -> list[str]:
    sources = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")]
    return [source for line in sources for source in line]


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_exists_and_is_let_through(source: str) -> None:
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_nothing_else_reaches_the_build() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_python_is_new_enough_and_versions_come_from_the_constraints() -> None:
    major, minor = re.search(r"^FROM python:(\d+)\.(\d+)-slim$", DOCKERFILE, re.MULTILINE).groups()
    assert PROJECT["requires-python"] == f">={major}.{minor}"
    assert re.search(r"^torch==", CONSTRAINTS, re.MULTILINE)
    assert "grep '^torch==' constraints.txt" in DOCKERFILE
    assert "--constraint constraints.txt" in DOCKERFILE


def test_it_asks_pip_for_the_projects_own_dependencies() -> None:
    """The line of Python in it, run as the build runs it: there is nothing in it that a shell would change."""
    code = re.search(r'^RUN python -c "(.+)"', DOCKERFILE, re.MULTILINE)[1]
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert answer.stdout.splitlines() == PROJECT["dependencies"]


@pytest.mark.parametrize("dependency", PROJECT["dependencies"])
def test_every_dependency_is_pinned_to_a_version_that_fits(dependency: str) -> None:
    requirement = Requirement(dependency)
    [version] = re.findall(rf"^{re.escape(requirement.name)}==(.+)$", CONSTRAINTS, re.MULTILINE | re.IGNORECASE)
    assert version in requirement.specifier


@pytest.mark.parametrize("name", [path.stem for path in MANIFESTS if path.stem != "raycluster"])
def test_it_has_the_commands_that_the_manifests_run(name: str) -> None:
    interpreter, script, *_ = entrypoint(load(name))
    assert interpreter == "python"
    assert (ROOT / script).is_file()
    assert script.partition("/")[0] in copied()


def test_it_ends_as_an_ordinary_user() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["1000"]
