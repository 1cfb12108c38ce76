"""One flat buffer of gradients per network, so that data parallelism is one all-reduce of sums.

There is no DDP wrapper: it averages by rank, which is wrong for uneven shares, and it fails under R1. Every worker
divides its sums by the global batch instead, so one worker and eight train the same model
(docs/decisions/data_parallel.md).
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

Reduce = Callable[[Tensor], None]  # sums a tensor over all workers, in place


def alone(tensor: Tensor) -> None:
    """The reduction of a single worker: the sum over one is itself."""


class FlatGradients:
    """Gives every parameter a `.grad` that is a view of one buffer, laid out like the parameter itself."""

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        parameters = list(parameters)
        first = parameters[0]
        size = sum(parameter.numel() for parameter in parameters)
        self.buffer = torch.zeros(size, dtype=first.dtype, device=first.device)
        offset = 0
        for parameter in parameters:
            # The parameter's own strides (channels last), or the fused optimiser would copy on every step.
            parameter.grad = self.buffer.as_strided(parameter.shape, parameter.stride(), offset)
            offset += parameter.numel()

    def zero(self) -> None:
        self.buffer.zero_()

    def norm(self) -> Tensor:
        """Euclidean norm over all parameters, 0-d; not finite as soon as one gradient is not."""
        return torch.linalg.vector_norm(self.buffer)
