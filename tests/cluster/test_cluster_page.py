"""docs/cluster.md: its commands are understood, its files are there, and its error messages are ones that we print."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import jobs.evaluate
import jobs.pack
import jobs.train

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cluster.md").read_text()
PARSERS = {"pack": jobs.pack.parse, "train": jobs.train.parse, "evaluate": jobs.evaluate.parse}


def literals(path: Path) -> set[str]:
    """Every text in a source file, with `...` for what an f-string fills in."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "..." for part in node.values)
            found.add("".join(map(str, parts)))
    return found


PRINTED = {text for top in ("argan", "jobs") for path in (ROOT / top).rglob("*.py") for text in literals(path)}


@pytest.mark.parametrize("command", re.findall(r"^    .*python jobs/(.+)$", PAGE, re.MULTILINE))
def test_commands_are_understood(command: str) -> None:
    script, *words = shlex.split(command)
    PARSERS[script.removesuffix(".py")](words)  # exits on an unknown flag


@pytest.mark.parametrize("message", re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE))
def test_messages_are_ones_that_we_print(message: str) -> None:
    assert any(message in text for text in PRINTED)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\bcluster/[\w./-]+", PAGE))))
def test_files_are_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_there_was_something_to_check() -> None:
    assert len(re.findall(r"python jobs/", PAGE)) >= 4
    assert len(re.findall(r"^\| `.+?` \|", PAGE, re.MULTILINE)) >= 10
