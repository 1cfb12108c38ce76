"""The errors that a person can act on. Jobs print them as one sentence and exit with code 1; all else is a bug."""


class UserError(ValueError):
    """Something outside the code is wrong: a file, a key, a number. The message is one sentence that says what was
    got.
    """


class StorageError(UserError):
    """Storage refused or failed after retries: the message names the URI and the reason."""


class MissingError(StorageError):
    """No object stands under that path."""


class RefusedError(StorageError):
    """Storage will not, and would say so again until somebody acts: credentials, rights, no such bucket."""


class ConflictError(StorageError):
    """A conditional write lost: the object is not at the expected version."""


class DataError(UserError):
    """A set does not fit its manifest, or its manifest does not fit the schema."""


class NonFiniteError(UserError):
    """A loss or an estimate stopped being a number: the message names which, and the images seen."""


class CollapseError(UserError):
    """The guard has ended a training: the message names what it saw, and where the run stands."""


class FailedTrainingError(UserError):
    """A training's workers failed more often than they may: the message has their last words."""


def passes(error: Exception) -> bool:
    """Whether it may be gone the next time: storage that stayed away, not what is missing, refused or another's."""
    return isinstance(error, StorageError) and not isinstance(error, ConflictError | MissingError | RefusedError)
