"""What the README says to type into Python works as it stands there; its commands are read by tests/cluster."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

README = Path(__file__).resolve().parents[1] / "README.md"


def python_block(first_words: str) -> str:
    """The indented block that begins so."""
    block = re.search(rf"^    {re.escape(first_words)}.*\n(    .*\n|\n(?=    ))*", README.read_text(), re.MULTILINE)
    assert block
    return textwrap.dedent(block[0])


def test_a_trained_generator_is_sampled_and_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: dict[str, Any] = {}
    exec(python_block("from PIL import Image"), said)
    assert said["sample"].deep.shape == said["photos"].shape == (16, 3, 64, 64)
    with Image.open(tmp_path / "photo.png") as photo:
        assert (photo.size, photo.mode) == ((64, 64), "RGB")
