"""Training the depth estimator on (photo, disparity) pairs, from a generator or from the truth, and asking it.

Both sources get the same treatment: the same number of distinct pairs, photos rounded to 8 bit as a file would, targets
divided by one constant of the source (our disparity has no known scale), the same initial weights, flips and steps.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from argan.draws import draw_mirror, weights_generator
from argan.errors import NonFiniteError, UserError
from argan.models.estimator import Estimator
from argan.pixels import to_bytes, to_signed
from argan.seeds import require_seed

RECIPE = "argan-estimator/1"  # a change of what the same pairs teach is a new recipe: kept estimators are found by it
CHUNK_IMAGES = 256
PROGRESS_STEPS = 50
LEAST_UNIT_PX = 1e-4  # a source whose disparity hardly varies still has a unit to divide by


class Pairs(NamedTuple):
    """images [N,3,H,W] float in [-1,1]; disparity [N,1,H,W] in px per aperture unit."""

    images: Tensor
    disparity: Tensor


PairSource = Callable[[int, int], Pairs]
"""(start, count) -> pairs number start, ..., start + count - 1 of an endless or long enough supply, a pure function."""

Progress = Callable[[int, int], None]
"""(images done, images in all), now and then."""


@dataclass(frozen=True, kw_only=True)
class EstimatorBudget:
    """All that an estimator's training may spend, and its seed; the same for a generator and for its ceiling."""

    num_images: int = 48_000
    num_pairs: int = 8_000
    batch_images: int = 16
    lr: float = 2e-3
    robust_width: float = 1.0
    channels: tuple[int, int, int] = (32, 64, 128)
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.num_pairs, self.batch_images) < 1 or self.num_images < self.batch_images:
            raise UserError(f"num_pairs must be at least 1 and num_images fill a batch, got {self}")
        if self.lr <= 0 or self.robust_width <= 0:
            raise UserError(f"lr and robust_width must be greater than 0, got {self}")
        require_seed(self.seed)


def train_estimator(
    source: PairSource, budget: EstimatorBudget, *, device: torch.device, progress: Progress = lambda done, total: None
) -> Estimator:
    """An estimator trained on the source's first `budget.num_pairs` pairs; the same on each run of one platform.

    Loss: smooth L1 (quadratic within `robust_width`, in units of the source's own spread). Raises NonFiniteError.
    """
    pairs = _collect(source, budget.num_pairs)
    net = build_estimator(budget, device)
    net.disparity_unit_px.fill_(max(float(pairs.disparity.std()), LEAST_UNIT_PX))
    images, disparity = (maps.to(device) for maps in pairs)  # once: a GPU would wait for each batch's copy
    optimizer = torch.optim.Adam(net.parameters(), lr=budget.lr)
    num_steps = budget.num_images // budget.batch_images
    for step in range(num_steps):
        first, end = step * budget.batch_images, (step + 1) * budget.batch_images
        batch = torch.arange(first, end, device=device) % budget.num_pairs
        mirror = draw_mirror(budget.seed, step, num=budget.batch_images).to(device)
        image = _mirrored(to_signed(images[batch]), mirror).contiguous(memory_format=torch.channels_last)
        target = _mirrored(disparity[batch], mirror) / net.disparity_unit_px
        for group in optimizer.param_groups:
            group["lr"] = budget.lr * _schedule(step / num_steps)
        loss = F.smooth_l1_loss(net(image), target, beta=budget.robust_width)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % PROGRESS_STEPS == 0 or step + 1 == num_steps:
            seen = (step + 1) * budget.batch_images
            if not math.isfinite(loss.item()):
                raise NonFiniteError(f"the estimator's loss is {loss.item()} after {seen} images")
            progress(seen, num_steps * budget.batch_images)
    return net


def build_estimator(budget: EstimatorBudget, device: torch.device) -> Estimator:
    """An untrained estimator, or the place for saved weights."""
    net = Estimator(budget.channels, weights_generator(budget.seed, 0))
    return net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stubs


@torch.no_grad()
def estimate(net: Estimator, images: Tensor) -> Tensor:
    """Disparity [N,1,H,W] on the CPU, px per aperture unit of the training source, for images [N,3,H,W] in [-1,1]."""
    device = net.disparity_unit_px.device
    chunks = (chunk.to(device, memory_format=torch.channels_last) for chunk in images.split(CHUNK_IMAGES))
    return torch.cat([(net(chunk) * net.disparity_unit_px).cpu() for chunk in chunks])


def _collect(source: PairSource, num_pairs: int) -> Pairs:
    """The first pairs in memory: images uint8, disparity float32."""
    chunks = [source(start, min(CHUNK_IMAGES, num_pairs - start)) for start in range(0, num_pairs, CHUNK_IMAGES)]
    images = torch.cat([to_bytes(chunk.images.cpu().float()) for chunk in chunks])
    disparity = torch.cat([chunk.disparity.float().cpu() for chunk in chunks])
    finite = disparity.isfinite().flatten(1).all(1)
    if not finite.all():
        raise NonFiniteError(
            f"the disparity to learn from is not finite somewhere in pair {int(finite.long().argmin())}"
        )
    return Pairs(images, disparity)


def _mirrored(maps: Tensor, mirror: Tensor) -> Tensor:
    """[B,C,H,W] with the chosen ones flipped left to right."""
    return torch.where(mirror[:, None, None, None], maps.flip(-1), maps)


def _schedule(done: float) -> float:
    """Up over the first 5 %, then down along a cosine to zero: the last weights are the ones to keep."""
    return min(1.0, (done + 1e-3) / 0.05) * 0.5 * (1 + math.cos(math.pi * done))
