"""A run's page, from what lies in its folder."""

from pathlib import Path

import pytest
from untrained_run import untrained_run

from argan.errors import DataError
from argan.presets import preset
from argan.runs.report import REPORT, write_report

GRID = "pictures/grid-000000000048.png"


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n half a header", b"<html>not what was asked for</html>"])
def test_a_damaged_picture_is_said_with_its_uri(tmp_path: Path, data: bytes) -> None:
    run = untrained_run(tmp_path, preset("debug"), images_seen=48)
    run.write_bytes(GRID, data)
    with pytest.raises(DataError, match=rf"{run.uri}/{GRID} is damaged: delete it, and the page does without"):
        write_report(run, state="finished")
    run.delete(GRID)
    write_report(run, state="finished")
    assert run.exists(REPORT)
