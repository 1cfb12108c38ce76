"""README.md and docs/cluster.md: their commands are understood, what they name is there, and the error messages that
they explain are ones that we print.
"""

import ast
import re
import shlex
from pathlib import Path

import pytest
from job_commands import understood
from kuberay_files import MANIFESTS, load, pods

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs" / "cluster.md").read_text()


def commands(page: str) -> list[str]:
    """What comes after `python jobs/` on the indented lines of a page, those that end in a backslash joined."""
    return re.findall(r"^    .*python jobs/(.+)$", page.replace("\\\n", " "), re.MULTILINE)


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


PRINTED = {
    text for top in ("argan", "jobs", "cluster") for path in (ROOT / top).rglob("*.py") for text in literals(path)
}


@pytest.mark.parametrize("command", commands(README) + commands(PAGE))
def test_commands_are_understood(command: str) -> None:
    script, *words = shlex.split(command, comments=True)
    understood(script, words)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^    |`)make ([a-z]+)", README + PAGE, re.MULTILINE))))
def test_make_knows_the_target(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("message", re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE))
def test_messages_are_ones_that_we_print(message: str) -> None:
    assert any(message in text for text in PRINTED)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\bcluster/[\w./-]+", PAGE))))
def test_files_are_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_page_names_every_taint_that_pods_tolerate() -> None:
    taints = {
        taint["key"] for path in MANIFESTS for pod in pods(load(path.stem)) for taint in pod.get("tolerations", ())
    }
    assert len(taints) == 2
    assert not [taint for taint in taints if f"`{taint}" not in PAGE]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_page_leads_to_every_manifest(path: Path) -> None:
    assert re.search(rf"^    sed .*cluster/kuberay/{path.name} \| kubectl apply -f -$", PAGE, re.MULTILINE)


def test_there_was_something_to_check() -> None:
    assert len(commands(README)) >= 4
    assert len(commands(PAGE)) >= 4
    assert len(re.findall(r"^\| `.+?` \|", PAGE, re.MULTILINE)) >= 10
