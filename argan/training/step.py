"""One global batch: a discriminator step, a generator step, the moving average. Nothing here waits for the device.

Each worker sees its share of the batch. Draws are made for the whole batch and sliced, losses are summed over the share
and divided by the whole, gradients are summed over the workers: the result does not depend on how the batch was dealt
out.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from argan.draws import Purpose, draw_dof_scale, draw_mirror, draw_z
from argan.losses import (
    contrast_loss,
    discriminator_adversarial,
    focus_prior_loss,
    generator_adversarial,
    r1_penalty,
    total_variation,
)
from argan.models.camera import Fake
from argan.pixels import to_signed
from argan.prior import focus_contrast, focus_prior_weight, nearest_prior
from argan.training.augmentation import augment, draw_augmentation
from argan.training.gradients import Reduce
from argan.training.learning_rates import set_learning_rates
from argan.training.metrics import TickMetrics
from argan.training.state import TrainState


class Share(NamedTuple):
    """This worker's part of the global batch: samples start to stop of `total`."""

    start: int
    stop: int
    total: int

    def of(self, batch: Tensor) -> Tensor:
        return batch[self.start : self.stop]


def train_batch(state: TrainState, photos: Tensor, share: Share, metrics: TickMetrics, reduce: Reduce) -> None:
    """Learns from one global batch; `photos` is this worker's share of it, uint8 [b,3,H,W] on the state's device."""
    set_learning_rates(state)
    real = prepare(state, photos, share)
    discriminator_step(state, real, share, metrics, reduce)
    generator_step(state, share, metrics, reduce)
    state.images_seen += share.total
    update_ema(state, share.total)


def prepare(state: TrainState, photos: Tensor, share: Share) -> Tensor:
    """uint8 -> [-1, 1], some mirrored: the real photos as the discriminator sees them. [b,3,H,W]"""
    real = to_signed(photos, state.dtype)
    if state.config.data.mirror:
        mirrored = _ours(state, share, draw_mirror(state.config.seed, state.images_seen, num=share.total))
        real = torch.where(mirrored[:, None, None, None], real.flip(3), real)
    layout = torch.channels_last if state.config.compute.channels_last else torch.contiguous_format
    return as_seen(state, real.contiguous(memory_format=layout), share, Purpose.AUGMENT_REAL)


def as_seen(state: TrainState, photos: Tensor, share: Share, purpose: Purpose) -> Tensor:
    """This worker's photos as the discriminator sees them, real ones and fakes alike."""
    config = state.config
    if config.augment.shift == config.augment.colour == 0:
        return photos
    draws = _ours(state, share, draw_augmentation(config.seed, purpose, state.images_seen, num=share.total))
    return augment(photos, draws.to(state.dtype), config.augment)


def make_fakes(state: TrainState, share: Share, z_purpose: Purpose, dof_purpose: Purpose) -> Fake:
    """This worker's share of the batch of fakes that (seed, images seen) stands for, by the camera in training."""
    config = state.config
    seed, counter = config.seed, state.images_seen
    z = draw_z(seed, z_purpose, counter, num=share.total, z_dim=state.camera.generator.z_dim)
    dof_scale = draw_dof_scale(seed, dof_purpose, counter, num=share.total, dof=config.dof)
    with _nets_autocast(state):
        return state.camera(
            _ours(state, share, z).to(state.dtype),
            _ours(state, share, dof_scale).to(state.dtype),
        )


def discriminator_step(state: TrainState, real: Tensor, share: Share, metrics: TickMetrics, reduce: Reduce) -> None:
    """C learns to tell real photos from rendered ones; on every k-th batch R1 joins, k times as strong."""
    optimizer = state.config.optimizer
    with torch.no_grad():
        fake = make_fakes(state, share, Purpose.Z_DISCRIMINATOR, Purpose.DOF_DISCRIMINATOR).photo
        fake = as_seen(state, fake, share, Purpose.AUGMENT_DISCRIMINATOR)
    state.discriminator_gradients.zero()
    batch_number = state.images_seen // share.total
    penalises = optimizer.r1_gamma > 0 and batch_number % optimizer.r1_every_batches == 0
    if penalises:
        real = real.requires_grad_(True)
        # In fp32 (a GPU multiplies it in TF32), and past torch.compile, which cannot differentiate twice.
        real_logits = state.discriminator.forward(real)
    else:
        with _nets_autocast(state):
            real_logits = state.discriminator(real)
    with _nets_autocast(state):
        fake_logits = state.discriminator(fake)
    adversarial = discriminator_adversarial(real_logits, fake_logits).sum()
    loss = adversarial
    if penalises:
        (image_gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
        penalty = r1_penalty(image_gradient).sum()
        loss = loss + optimizer.r1_gamma * optimizer.r1_every_batches * penalty
        metrics.add("loss/r1", penalty, share.total)
    (loss / share.total).backward()
    reduce(state.discriminator_gradients.buffer)
    state.discriminator_optimizer.step()
    metrics.add("loss/discriminator", adversarial, share.total)
    metrics.add("score/real", real_logits.sum(), share.total)
    metrics.add("score/fake", fake_logits.sum(), share.total)
    _add_norm(metrics, "gradient/discriminator", state.discriminator_gradients.norm(), share)


def generator_step(state: TrainState, share: Share, metrics: TickMetrics, reduce: Reduce) -> None:
    """G and T learn to make photos that C takes for real, guided by the focus prior; C is frozen meanwhile."""
    config = state.config
    state.generator_gradients.zero()
    state.discriminator.requires_grad_(False)
    fake = make_fakes(state, share, Purpose.Z_GENERATOR, Purpose.DOF_GENERATOR)
    photo = as_seen(state, fake.photo, share, Purpose.AUGMENT_GENERATOR)
    with _nets_autocast(state):
        logits = state.discriminator(photo)
    adversarial = generator_adversarial(logits).sum()
    loss = adversarial
    if config.method == "ar-gan":
        loss = loss + disparity_loss(state, fake, share, metrics)
        if config.optics.expansion:
            loss = loss + config.optics.expansion_weight * fake.expansion.sum()
            metrics.add("loss/expansion", fake.expansion.sum(), share.total)
    (loss / share.total).backward()
    state.discriminator.requires_grad_(True)
    reduce(state.generator_gradients.buffer)
    state.generator_optimizer.step()
    metrics.add("loss/generator", adversarial, share.total)
    _add_norm(metrics, "gradient/generator", state.generator_gradients.norm(), share)


def disparity_loss(state: TrainState, fake: Fake, share: Share, metrics: TickMetrics) -> Tensor:
    """What guides D beside C, summed over the share: the focus prior, its sense, and few steps."""
    disparity, prior, d_max_px = fake.disparity, state.config.prior, state.config.d_max_px
    prior_disparity = nearest_prior(disparity, state.priors)
    off_prior = focus_prior_loss(disparity, prior_disparity, d_max_px).sum()
    contrast = focus_contrast(disparity, prior_disparity)
    variation = total_variation(disparity, fake.deep, d_max_px, prior.edge_freedom).sum()
    metrics.add("loss/prior", off_prior, share.total)
    metrics.add("disparity/contrast", contrast.sum(), share.total)
    metrics.add("disparity/variation", variation, share.total)
    told = disparity.detach()  # or autograd would keep what only is read
    metrics.add("disparity/mean_px", told.mean(dim=(1, 2, 3)).sum(), share.total)
    metrics.add("disparity/std_px", told.std(dim=(1, 2, 3)).sum(), share.total)
    return (
        focus_prior_weight(state.images_seen, prior) * off_prior
        + prior.contrast_weight * contrast_loss(contrast, prior.contrast_margin).sum()
        + prior.variation_weight * variation
    )


def update_ema(state: TrainState, batch_images: int) -> None:
    """g_ema follows G with a half-life in images, so batch size and workers do not matter; short at the start."""
    optimizer = state.config.optimizer
    half_life = float(optimizer.ema_half_life_images)
    if optimizer.ema_ramp > 0:
        half_life = min(half_life, optimizer.ema_ramp * state.images_seen)
    decay = 0.5 ** (batch_images / max(half_life, 1e-8))
    average = get_ema_multi_avg_fn(decay)
    average(list(state.g_ema.parameters()), list(state.camera.parameters()), None)


def _ours(state: TrainState, share: Share, batch: Tensor) -> Tensor:
    """Our slice of a batch drawn on the CPU, on the device; pinned, so that the copy does not wait for it."""
    ours = share.of(batch)
    return ours if state.device.type == "cpu" else ours.pin_memory().to(state.device, non_blocking=True)


def _nets_autocast(state: TrainState) -> torch.autocast:
    return torch.autocast(state.device.type, torch.bfloat16, enabled=state.config.compute.precision == "bf16")


def _add_norm(metrics: TickMetrics, name: str, norm: Tensor, share: Share) -> None:
    """A number that every worker already holds: each adds its share of it, so the sum over workers is the number."""
    metrics.add(name, norm * ((share.stop - share.start) / share.total), 1)
