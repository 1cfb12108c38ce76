"""The rules of docs/architecture.md that a machine can hold."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for top in ("argan", "jobs", "sweeps", "cluster") for path in (ROOT / top).rglob("*.py"))

FLOORS = [
    {
        "argan.errors",
        "argan.config",
        "argan.settings",
        "argan.presets",
        "argan.draws",
        "argan.pixels",
        "argan.versions",
    },
    {"argan.storage", "argan.optics", "argan.losses"},
    {"argan.models", "argan.scenes", "argan.data"},
    {"argan.training", "argan.evaluation"},
    {"argan.viewing"},
    {"argan.runs"},
    {"argan.api"},
    {"cluster", "jobs", "sweeps"},
]
HEAVY = {"torch", "ray", "numpy", "matplotlib", "boto3", "pyarrow", "PIL", "webdataset"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor(module: str) -> int | None:
    """The floor of one of our modules; None for the world outside and for `argan` itself."""
    found = [i for i, names in enumerate(FLOORS) for name in names if f"{module}.".startswith(f"{name}.")]
    return found[0] if found else None


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_go_down_only(path: Path) -> None:
    here = floor(module_name(path))
    if module_name(path) in ("argan",):
        return
    assert here is not None, f"{path} stands on no floor"
    for name in imports(path):
        there = floor(name)
        assert there is None or there <= here, f"{module_name(path)} imports {name}, which is above it"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_files_hold_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(ROOT / "argan")], ids=module_name)
def test_the_library_knows_no_ray_and_no_pickle(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(path)}
    assert not tops & {"ray", "pickle", "jobs", "sweeps"}


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.py")), ids=module_name)
def test_help_is_quick(path: Path) -> None:
    """What a job imports before it has read its arguments, all the way down, is light."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        for name in imports(todo.pop(), top_level_only=True):
            assert name.partition(".")[0] not in HEAVY, f"{path.name} imports {name} before it knows what to do"
            place = ROOT / name.replace(".", "/")
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.exists() and file not in seen:
                    seen.add(file)
                    todo.append(file)


def test_no_two_s3_homes() -> None:
    homes = {module_name(path) for path in SOURCES if {"boto3", "botocore"} & {n.split(".")[0] for n in imports(path)}}
    assert all(name.startswith("argan.storage.") for name in homes)
