"""The rules of docs/architecture.md that a machine can hold."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for top in ("argan", "jobs", "sweeps", "cluster") for path in (ROOT / top).rglob("*.py"))
BESIDE = sorted(path for top in ("tests", "benchmarks") for path in (ROOT / top).rglob("*.py"))

FLOORS = [
    {
        "argan.errors",
        "argan.seeds",
        "argan.judging_size",
        "argan.config",
        "argan.settings",
        "argan.presets",
        "argan.draws",
        "argan.pixels",
        "argan.differences",
        "argan.strict_json",
        "argan.versions",
    },
    {"argan.storage", "argan.optics", "argan.losses", "argan.prior", "argan.zoo"},
    {"argan.models", "argan.scenes", "argan.data"},
    {"argan.training", "argan.evaluation", "argan.generation", "argan.search"},
    {"argan.viewing"},
    {"argan.runs"},
    {"argan.api"},
    {"cluster", "jobs", "sweeps", "argan.scenes.__main__"},
]
OPEN_FLOORS = (0, len(FLOORS) - 1)  # where rooms know each other; elsewhere they do not
NEIGHBOURS = {("argan.data", "argan.scenes")}  # but packing draws scenes
FILES = {"argan.storage", "argan.data", "os", "pathlib", "shutil", "tempfile"}
NEVER = {  # what lies below a room, and it does without all the same, in what it imports too
    "argan.storage": {"torch", "numpy", "PIL"},
    "argan.models": {"argan.losses", "argan.prior", "argan.storage"},
    "argan.scenes": {"argan.optics", "argan.losses", "argan.prior", "argan.storage"},
    "argan.data": {"argan.optics", "argan.losses", "argan.prior"},
    "argan.training": FILES,
    "argan.evaluation": FILES,
    "argan.viewing": {"argan.storage"},
}
HEAVY = {"torch", "ray", "numpy", "matplotlib", "boto3", "pyarrow", "PIL", "webdataset"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in SOURCES}


def room(module: str) -> tuple[int, str] | None:
    """The floor and the room of one of our modules; None for the world outside and for `argan` itself."""
    found = [(name, i) for i, names in enumerate(FLOORS) for name in names if f"{module}.".startswith(f"{name}.")]
    name, i = max(found, key=lambda place: len(place[0]), default=("", -1))
    return (i, name) if name else None


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """The modules that a file imports, and the packages around them, which are imported on the way."""
    tree = ast.parse(path.read_text())
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            assert node.module
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {node.module} | (members & MODULES.keys())
    return {name.rsplit(".", i)[0] for name in names for i in range(name.count(".") + 1)}


def reach(modules: set[str]) -> set[str]:
    """All that these modules import, themselves or through others of ours."""
    found: set[str] = set()
    todo = set(modules)
    while todo:
        new = imports(MODULES[todo.pop()]) - found
        found |= new
        todo |= new & MODULES.keys()
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_go_down_only(path: Path) -> None:
    module = module_name(path)
    if module == "argan":
        return
    here = room(module)
    assert here is not None, f"{path} stands on no floor"
    for name in imports(path):
        there = room(name)
        if there is None or there == here:
            continue
        assert there[0] <= here[0], f"{module} imports {name}, which is above it"
        knows = there[0] < here[0] or here[0] in OPEN_FLOORS or (here[1], there[1]) in NEIGHBOURS
        assert knows, f"{module} imports {name}, which is beside it"


@pytest.mark.parametrize("name", NEVER)
def test_what_a_room_does_without(name: str) -> None:
    inside = {module for module in MODULES if room(module) == room(name)}
    assert inside
    assert not reach(inside) & NEVER[name]


def test_no_way_of_importing_goes_unseen(tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    for text in (
        "import argan.viewing.pages",
        "from argan.viewing.pages import page",
        "from argan.viewing import pages",
    ):
        file.write_text(f"def later():\n    {text}\n")
        assert imports(file) == {"argan", "argan.viewing", "argan.viewing.pages"}
    file.write_text("from argan import __version__, viewing")
    assert imports(file) == {"argan", "argan.viewing"}


@pytest.mark.parametrize("path", [*SOURCES, *BESIDE], ids=module_name)
def test_files_hold_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(ROOT / "argan")], ids=module_name)
def test_the_library_knows_no_ray_and_no_pickle(path: Path) -> None:
    assert not imports(path) & {"ray", "pickle", "jobs", "sweeps", "cluster"}


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.py")), ids=module_name)
def test_help_is_quick(path: Path) -> None:
    """What a job imports before it has read its arguments, all the way down, is light."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        for name in imports(todo.pop(), top_level_only=True):
            assert name not in HEAVY, f"{path.name} imports {name} before it knows what to do"
            file = MODULES.get(name)
            if file and file not in seen:
                seen.add(file)
                todo.append(file)


@pytest.mark.parametrize(
    ("packages", "homes"), [({"boto3", "botocore"}, ("argan.storage.",)), ({"ray"}, ("jobs.runtime.",))]
)
def test_one_home(packages: set[str], homes: tuple[str, ...]) -> None:
    users = {name for name, path in MODULES.items() if packages & imports(path)}
    assert users
    assert all(name.startswith(homes) for name in users), users
