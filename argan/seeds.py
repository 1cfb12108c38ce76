"""Which seeds there are."""

from argan.errors import UserError

SEEDS = 2**32


def require_seed(seed: int, name: str = "seed") -> None:
    """Raises UserError for a seed that is none, and for one that numpy's SeedSequence([seed, purpose, counter]) would
    read as two numbers: the second would stand where the purpose belongs, and make other draws come twice.
    """
    if not 0 <= seed < SEEDS:
        raise UserError(f"{name} must be from 0 to {SEEDS - 1}, got {seed}")
