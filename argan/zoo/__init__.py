"""Small trained models that ship with the package: `zoo:NAME` stands wherever a run's URI does
(docs/results/zoo.md).

Each is the folder of a run, reduced to what sampling needs (argan/runs/export.py), and metrics.json, what
jobs/evaluate.py found when it judged this very model.
"""

from pathlib import Path

from argan.errors import MissingError

PREFIX = "zoo:"
MODELS = Path(__file__).parent


def model_path(uri: str) -> str:
    """The local folder of a model, from zoo:NAME. Raises MissingError, with the names there are, for any other."""
    name = uri.removeprefix(PREFIX)
    names = sorted(folder.name for folder in MODELS.iterdir() if (folder / "config.json").is_file())
    if name not in names:
        raise MissingError(
            f"no model {uri!r} in the zoo; there are {', '.join(PREFIX + each for each in names) or 'none'}"
        )
    return str(MODELS / name)
