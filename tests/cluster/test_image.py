"""The Dockerfile: what it copies is there and reaches the build, and it installs what is tested here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "cluster" / "Dockerfile").read_text()


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
    assert f'requires-python = ">={major}.{minor}"' in (ROOT / "pyproject.toml").read_text()
    assert re.search(r"^torch==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert "grep '^torch==' constraints.txt" in DOCKERFILE
    assert "--constraint constraints.txt" in DOCKERFILE


def test_it_ends_as_an_ordinary_user() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["1000"]
