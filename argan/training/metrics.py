"""What a tick reports: sums kept on the device, one reduction and one host read a tick."""

import torch
from torch import Tensor

from argan.errors import NonFiniteError
from argan.training.gradients import Reduce


class TickMetrics:
    """Means over the images (or batches) since the last flush. Nothing here waits for the device but `flush`."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, total: Tensor, count: int) -> None:
        """Adds this worker's sum (0-d) to a mean that all workers together take over `count` items."""
        total = total.detach().double()
        self._sums[name] = self._sums[name] + total if name in self._sums else total
        self._counts[name] = self._counts.get(name, 0) + count

    def flush(self, reduce: Reduce) -> dict[str, float]:
        """The means over all workers, and a fresh start. Every worker must have added the same names in the same
        order.
        """
        names = list(self._sums)
        sums = torch.stack([self._sums[name] for name in names])
        reduce(sums)
        means = {name: value / self._counts[name] for name, value in zip(names, sums.tolist(), strict=True)}
        self._sums.clear()
        self._counts.clear()
        return means


def require_finite(means: dict[str, float], first_image: int, last_image: int) -> None:
    """Raises NonFiniteError, naming the images, if any mean is not a number: nothing learned after that is worth
    keeping.
    """
    bad = [name for name, value in means.items() if not torch.isfinite(torch.tensor(value))]
    if bad:
        raise NonFiniteError(
            f"training broke between image {first_image} and image {last_image}: not finite: {', '.join(bad)}; "
            "no checkpoint holds any of it; try lower learning rates or a higher optimizer.r1_gamma"
        )
