"""The demo deletes parts of its folder to make them anew: it must be the demo's own."""

from pathlib import Path

import pytest

from argan.errors import UserError
from jobs.demo import claimed, parse


def test_a_new_folder_and_its_own_are_taken(tmp_path: Path) -> None:
    for folder in (tmp_path / "new", tmp_path):  # the latter is empty but for the former's
        folder.mkdir(exist_ok=True)
    folder = claimed(tmp_path / "new")
    (folder / "run").mkdir()
    assert claimed(folder) == folder


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tuples").mkdir()
    with pytest.raises(UserError, match="holds other things than a demo"):
        claimed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tuples"]


@pytest.mark.parametrize("flag", ["--images", "--scenes", "--tuples", "--test-scenes"])
def test_nothing_of_something_is_refused_before_it_begins(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([flag, "0"])
    assert f"argument {flag}: must be at least 1, got 0" in capsys.readouterr().err
