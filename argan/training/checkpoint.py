"""A state as plain data: named tensors and a little JSON, no pickle. Loading it goes on bit for bit (on a GPU up to
rounding: docs/decisions/data_parallel.md).

`generator` holds what sampling needs (g_ema); `training` holds the rest: both nets, Adam's moments. The clock is
`images_seen`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Adam

from argan.errors import DataError
from argan.training.state import TrainState

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class Snapshot(NamedTuple):
    """Copies in host memory; the state may go on while they are written."""

    images_seen: int
    generator: dict[str, Tensor]
    training: dict[str, Tensor]


def snapshot(state: TrainState) -> Snapshot:
    return Snapshot(
        images_seen=state.images_seen,
        generator={name: _copy(tensor) for name, tensor in state.g_ema.state_dict().items()},
        training={name: _copy(tensor) for name, tensor in _training_tensors(state)},
    )


def restore(state: TrainState, saved: Snapshot) -> None:
    """Makes `state` what it was. Raises DataError when the tensors are not those of this configuration."""
    load_weights(state.g_ema, saved.generator)
    for optimizer, net in _optimizers(state):
        for parameter in net.parameters():
            # As Adam would make it at its first step, so that the layouts agree and the names are all there.
            optimizer.state[parameter] = {
                "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }
    _fill(dict(_training_tensors(state)), saved.training)
    state.images_seen = saved.images_seen


def load_weights(net: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Fills a net from named tensors. Raises DataError unless names and shapes are exactly its own."""
    _fill(dict(net.state_dict()), tensors)


def _optimizers(state: TrainState) -> tuple[tuple[Adam, nn.Module], tuple[Adam, nn.Module]]:
    return (state.generator_optimizer, state.camera), (state.discriminator_optimizer, state.discriminator)


def _training_tensors(state: TrainState) -> Iterator[tuple[str, Tensor]]:
    nets = {"camera": state.camera, "discriminator": state.discriminator}
    for (optimizer, _), (net_name, net) in zip(_optimizers(state), nets.items(), strict=True):
        for name, tensor in net.state_dict().items():
            yield f"{net_name}/{name}", tensor
        for name, parameter in net.named_parameters():
            for moment in MOMENTS:
                if parameter in optimizer.state:
                    yield f"{net_name}_{moment}/{name}", optimizer.state[parameter][moment]


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()


@torch.no_grad()
def _fill(targets: Mapping[str, Tensor], sources: Mapping[str, Tensor]) -> None:
    if targets.keys() != sources.keys():
        odd = sorted(targets.keys() ^ sources.keys())
        raise DataError(f"the checkpoint is not of this configuration: {len(odd)} tensors differ, {odd[0]!r} first")
    for name, target in targets.items():
        if target.shape != sources[name].shape:
            raise DataError(
                f"the checkpoint is not of this configuration: {name} is {tuple(sources[name].shape)}, "
                f"expected {tuple(target.shape)}"
            )
        target.copy_(sources[name])
