"""A run's report.html, made from nothing but what lies in its folder: it can be rewritten at any time, by anybody."""

import re

from argan.errors import DataError
from argan.runs.folder import read_config, read_history
from argan.settings import to_dict
from argan.storage import Storage
from argan.versions import versions
from argan.viewing.training_report import TrainingPictures, filmstrip, training_report

REPORT = "report.html"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_HEADER_BYTES = 24  # up to width and height, which the page names
JUDGING_ENDED = "judging/ended.txt"
"""Why a run is judged no more while it trains; not there while it is."""


def write_report(run: Storage, *, state: str, resume_command: str = "") -> None:
    """Rewrites the page of a run; `state` is shown as it is ("training", "finished", ...).

    Raises DataError where one of its pictures is damaged.
    """
    config = read_config(run)
    positions = picture_positions(run)
    frames = filmstrip(positions[:-1])
    pictures = TrainingPictures(
        samples=_picture(run, f"pictures/grid-{positions[-1]:012d}.png") if positions else None,
        aperture_sweep=_sweep(run, positions[-1]) if positions else None,
        earlier=[(seen, _picture(run, f"pictures/grid-{seen:012d}.png")) for seen in frames],
    )
    html = training_report(
        to_dict(config),
        read_history(run),
        pictures,
        state=state,
        resume_command=resume_command,
        judging_ended=run.read_bytes(JUDGING_ENDED).decode() if run.exists(JUDGING_ENDED) else "",
        versions=versions(),
    )
    run.write_bytes(REPORT, html.encode())


def picture_positions(run: Storage) -> list[int]:
    """The images seen at which there is a grid of pictures, ascending."""
    names = (re.fullmatch(r"pictures/grid-(\d{12,})\.png", entry.path) for entry in run.list("pictures/grid-"))
    return [int(name[1]) for name in names if name]  # a copy that somebody made beside ours is not ours


def _sweep(run: Storage, images_seen: int) -> bytes | None:
    path = f"pictures/sweep-{images_seen:012d}.png"
    return _picture(run, path) if run.exists(path) else None


def _picture(run: Storage, path: str) -> bytes:
    data = run.read_bytes(path)
    if not (data.startswith(PNG_SIGNATURE) and len(data) >= PNG_HEADER_BYTES):
        raise DataError(f"{run.uri}/{path} is damaged: delete it, and the page does without")
    return data
