"""What an error says without where it was: Ray's own errors end with it, below the traceback of another process."""


def last_line(error: Exception) -> str:
    """The name of its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
