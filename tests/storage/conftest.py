"""An empty storage of each kind."""

import uuid
from pathlib import Path

import pytest

from argan.storage import Storage, open_storage


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(str(tmp_path / "storage"))
    server = request.getfixturevalue("s3")
    return open_storage(f"{server.uri}/{uuid.uuid4().hex}")
