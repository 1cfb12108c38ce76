"""The benchmarks' commands on README.md and the pages: the program is there, with these flags, and lacks none."""

import ast
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "results").glob("*.md"))]
COMMANDS = [
    " ".join(found.split())
    for page in PAGES
    for found in re.findall(r"python benchmarks/([^`\n#]+)", page.read_text().replace("\\\n", " "))
]


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_are_those_of_the_program(command: str) -> None:
    script, *words = shlex.split(command)
    required = options(ROOT / "benchmarks" / script)
    given = {word for word in words if word.startswith("--")}
    assert given <= required.keys(), f"{script} has no {given - required.keys()}"
    missing = {flag for flag, is_required in required.items() if is_required} - given
    assert not missing, f"{script} needs {missing}"


def test_there_was_something_to_check() -> None:
    assert len(COMMANDS) >= 6
    assert any(options(path).get("--out") for path in (ROOT / "benchmarks").glob("*.py"))


def options(path: Path) -> dict[str, bool]:
    """flag -> is it required, as the program's source declares them."""
    return {
        call.args[0].value: any(
            keyword.arg == "required" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            for keyword in call.keywords
        )
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant)
        if isinstance(call.args[0].value, str) and call.args[0].value.startswith("--")
    }
