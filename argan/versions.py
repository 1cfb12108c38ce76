"""Which versions made a thing: recorded with every number and every page."""

from importlib.metadata import PackageNotFoundError, version

import argan

NAMES = ("torch", "numpy", "pillow", "ray")


def versions() -> dict[str, str]:
    """Our own version, and those of what is installed among the packages that matter to a result."""
    found = {"argan": argan.__version__}
    for name in NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the library runs without Ray, say
    return found
