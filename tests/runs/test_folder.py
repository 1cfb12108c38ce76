"""A run's folder: named by its configuration, readable by anybody, its history one line of time."""

import pytest

from argan.errors import DataError, MissingError
from argan.presets import preset
from argan.runs.folder import append_history, open_run, read_config, read_history, write_config
from argan.runs.report import picture_positions
from argan.settings import override
from argan.storage import open_storage


def test_the_same_configuration_is_the_same_folder(tmp_path) -> None:
    config = preset("debug")
    run = open_run(str(tmp_path), config)
    write_config(run, config)
    longer = override(config, {"schedule.total_images": 4800})
    assert open_run(str(tmp_path), longer).uri == run.uri
    write_config(run, longer)
    assert read_config(run) == longer
    assert open_run(str(tmp_path), override(config, {"seed": 1})).uri != run.uri


def test_a_folder_of_another_run_is_not_taken_over(tmp_path) -> None:
    config = preset("debug")
    run = open_run(str(tmp_path), config)
    write_config(run, override(config, {"seed": 1}))
    with pytest.raises(DataError, match="another run"):
        open_run(str(tmp_path), config)


def test_no_run_is_said_so(tmp_path) -> None:
    with pytest.raises(MissingError, match="no run at"):
        read_config(open_storage(str(tmp_path / "nothing")))


def test_history_of_a_lost_attempt_is_replaced(tmp_path) -> None:
    run = open_storage(str(tmp_path))
    for images_seen in (100, 200, 300, 400):
        append_history(run, {"images_seen": images_seen, "attempt": 1}, attempt=1)
    append_history(run, {"images_seen": 300, "attempt": 2}, attempt=2)  # resumed from a checkpoint at 200
    assert [(row["images_seen"], row["attempt"]) for row in read_history(run)] == [(100, 1), (200, 1), (300, 2)]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"\xff\xfe", b'{"seed": "one"}', b'{"colour": 1}'])
def test_what_is_no_configuration_is_said_with_its_uri(tmp_path, text: bytes) -> None:
    run = open_storage(str(tmp_path))
    run.write_bytes("config.json", text)
    with pytest.raises(DataError, match=rf"{run.uri}/config\.json"):
        read_config(run)


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"3\n", b'{"loss": 1}\n', b'{"images_seen": "7"}\n'])
def test_a_damaged_history_is_said_with_its_uri(tmp_path, text: bytes) -> None:
    run = open_storage(str(tmp_path))
    run.write_bytes("history.jsonl", text)
    with pytest.raises(DataError, match=rf"{run.uri}/history\.jsonl is damaged"):
        read_history(run)


def test_pictures_that_are_not_ours_are_left_out(tmp_path) -> None:
    run = open_storage(str(tmp_path))
    ours = ("grid-000000000000.png", "grid-000000000400.png", "grid-1000000000000.png")
    others = ("grid-best.png", "grid-.png", "grid-12.png", "grid-000000000400 copy.png", "sweep-000000000500.png")
    for name in (*ours, *others):
        run.write_bytes(f"pictures/{name}", b"png")
    assert picture_positions(run) == [0, 400, 1000000000000]
