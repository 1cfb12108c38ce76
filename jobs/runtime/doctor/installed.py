"""Are Python and the packages those that pyproject.toml asks for, here and on every node?"""

import platform
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from argan.errors import UserError
from jobs.runtime.doctor.finding import Finding, fault, ok, warning
from jobs.runtime.doctor.nodes import Node

CHECK = "versions"
PYTHON = "python"
SAME_EVERYWHERE = ("ray", PYTHON)  # Ray itself refuses nodes that differ in these, or breaks on them


class Wanted(NamedTuple):
    """Ranges by name; Python itself is one of the names."""

    ranges: dict[str, SpecifierSet]

    def unfit(self, found: dict[str, str]) -> list[str]:
        """What is missing or out of its range, as a person reads it."""
        return [
            f"{name} {found.get(name) or 'missing'}, wanted {wanted}"
            for name, wanted in self.ranges.items()
            if name not in found or not wanted.contains(found[name], prereleases=True)
        ]


def wanted_by(working_dir: Path) -> Wanted:
    """The ranges of pyproject.toml in the folder that is sent. Raises UserError where there is none to read."""
    file = working_dir / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text())["project"]
        requirements = [Requirement(text) for text in project["dependencies"]]
        python = SpecifierSet(project["requires-python"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{file} does not say which packages are wanted: {error}") from error
    return Wanted({PYTHON: python, **{requirement.name: requirement.specifier for requirement in requirements}})


def installed(names: list[str]) -> dict[str, str]:
    """The versions of those that are there."""
    found = {}
    for name in names:
        try:
            found[name] = platform.python_version() if name == PYTHON else version(name)
        except PackageNotFoundError:
            continue
    return found


def check_versions(wanted: Wanted) -> list[Finding]:
    """This machine's."""
    unfit = wanted.unfit(installed(list(wanted.ranges)))
    if unfit:
        return [fault(CHECK, "; ".join(unfit), "pip install --constraint constraints.txt --editable .")]
    return [ok(CHECK, f"python {platform.python_version()} and {len(wanted.ranges) - 1} packages in their ranges")]


def check_node_versions(wanted: Wanted, nodes: list[Node]) -> list[Finding]:
    """The nodes', by the same ranges, and against this machine's."""
    here = installed(list(wanted.ranges))
    findings = []
    told = [(node.name, node.machine.versions) for node in nodes if node.machine]
    for name, found in told:
        unfit = wanted.unfit(found)
        apart = [
            f"{package} {found.get(package, 'missing')}, here {here.get(package, 'missing')}"
            for package in wanted.ranges
            if found.get(package) != here.get(package)
        ]
        grave = [text for text in apart if text.startswith(tuple(f"{package} " for package in SAME_EVERYWHERE))]
        if unfit or grave:
            findings.append(fault(CHECK, f"{name}: {'; '.join([*unfit, *grave])}", "one image for all nodes"))
        elif apart:
            findings.append(warning(CHECK, f"{name}: {'; '.join(apart)}", "one image for all nodes"))
    if findings or not told:
        return findings
    return [ok(CHECK, f"the same on {len(told)} nodes as here")]
