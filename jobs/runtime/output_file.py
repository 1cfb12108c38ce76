"""Where a job puts its one result."""

import os
from typing import NamedTuple

from argan.errors import StorageError, UserError
from argan.storage import Storage, open_storage


class OutputFile(NamedTuple):
    """A file to write when all is done, and to know about before anything is."""

    folder: Storage
    name: str

    @classmethod
    def at(cls, uri: str) -> "OutputFile":
        """Raises UserError where `uri` can only be a folder or a bucket."""
        folder, slash, name = uri.rpartition("/")
        if not name or folder.endswith(":/") or os.path.isdir(os.path.expanduser(uri)):
            raise UserError(f"{uri!r} is a folder or a bucket: give a file to write")
        return cls(open_storage(folder + slash or "."), name)

    def require_writable(self) -> None:
        """Tries by a file beside it, so that what stands there stays. Raises UserError."""
        trial = f"writing-trial-{self.name}"
        try:
            self.folder.write_bytes(trial, b"")
            self.folder.delete(trial)
        except StorageError as error:
            raise UserError(f"no result could be kept in {self.folder.uri}: {error}") from error

    def write(self, text: str) -> None:
        self.folder.write_bytes(self.name, text.encode())
