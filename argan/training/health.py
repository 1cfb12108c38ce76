"""What can go wrong in training without any number breaking, seen in what the generator makes. Reconstruction: the
source has no guard.

The same latents every time, and real photos beside them: a generator has as much variety and sharpness as photos have,
or it has not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from argan.config import Config
from argan.draws import Purpose, draw_dof_scale, draw_z
from argan.losses import is_inside_out, nearest_prior
from argan.models.camera import Camera
from argan.models.discriminator import Discriminator
from argan.pixels import LUMA, laplacian

SAMPLES = 128
PREFIX = "health/"
LEAST_FAR_LOG = -7.0  # of a share of sharpness: e^-7 is a thousandth


class Vitals(NamedTuple):
    """Of fixed samples of the moving average. The last four are nan for the standard GAN."""

    margin: float  # how much higher C scores real photos than fakes at apertures s ~ p(s), in logits
    diversity: float  # mean distance from a deep photo to the one most like it, in that of as many real photos
    sharpness: float  # root mean square Laplacian of deep photos, in that of real photos
    far_sharpness: float  # mean |Laplacian| of deep photos where disparity is large, in that where it is small
    spread: float  # standard deviation of disparity in d_max, mean over samples
    inverted: float  # share of samples that a focus prior would fit better inside out
    prior_correlation: float  # of disparity and the focus prior nearest to it, median over samples


class Standing(NamedTuple):
    """What the checks of a run so far come to."""

    symptoms: tuple[str, ...]  # seen at each of the last `guard.patience` checks
    healthy_images: int | None  # of the newest check that found nothing, once anything may be; None: there was none


@torch.no_grad()
def vitals(camera: Camera, discriminator: Discriminator, real: Tensor, priors: Tensor, config: Config) -> Vitals:
    """real [N,3,H,W] in [-1, 1], from two to SAMPLES; priors [K,1,H,W]. All on one device."""
    z = draw_z(config.seed, Purpose.Z_SAMPLE, 0, num=SAMPLES, z_dim=camera.generator.z_dim).to(real)
    s = draw_dof_scale(config.seed, Purpose.DOF_SAMPLE, 0, num=SAMPLES, dof=config.dof).to(real)
    fake = camera(z, s)  # C is at a loss before apertures that it was never shown
    margin = discriminator.forward(real).mean() - discriminator.forward(fake.photo).mean()
    diversity = nearest_distance(fake.deep[: len(real)]) / nearest_distance(real)
    sharpness = laplacian_rms(fake.deep) / laplacian_rms(real)
    if camera.renderer is None:
        return Vitals(float(margin), float(diversity), float(sharpness), *[float("nan")] * 4)
    prior_disparity = nearest_prior(fake.disparity, priors)
    stacked = torch.stack([fake.disparity.flatten(1), prior_disparity.expand_as(fake.disparity).flatten(1)], 1)
    correlation = torch.stack([torch.corrcoef(pair)[0, 1].nan_to_num(0.0) for pair in stacked])
    return Vitals(
        margin=float(margin),
        diversity=float(diversity),
        sharpness=float(sharpness),
        far_sharpness=far_sharpness(fake.deep, fake.disparity),
        spread=float(fake.disparity.std((1, 2, 3)).mean() / config.d_max_px),
        inverted=float(is_inside_out(fake.disparity, priors).double().mean()),
        prior_correlation=float(correlation.median()),
    )


def symptoms(seen: Mapping[str, float | None], images_seen: int, config: Config) -> list[str]:
    """What is wrong, by vitals by name; none where one is missing or no number. Before guard.from_images nothing is:
    all is flat and blurred at first. While the prior still falls, disparity may look like it.
    """
    guard = config.guard
    if images_seen < guard.from_images:
        return []
    settled = images_seen >= config.prior.fall_images
    limits = [
        ("saturated discriminator", "margin", lambda value: value > guard.most_margin),
        ("lost diversity", "diversity", lambda value: value < guard.least_diversity),
        ("blurred deep photos", "sharpness", lambda value: value < guard.least_sharpness),
        ("blur painted into deep photos", "far_sharpness", lambda value: value < guard.least_far_sharpness),
        ("flat disparity", "spread", lambda value: value < guard.least_spread),
        ("inverted disparity", "inverted", lambda value: value > guard.most_inverted),
        ("prior-only disparity", "prior_correlation", lambda value: settled and value > guard.most_prior_correlation),
    ]
    return [name for name, vital, is_wrong in limits if (value := seen.get(vital)) is not None and is_wrong(value)]


def standing(history: Sequence[Mapping[str, Any]], config: Config) -> Standing:
    """From the rows of a run's history, oldest first; those with vitals are the checks."""
    checks = [row for row in history if is_check(row)]
    found = [(row["images_seen"], symptoms(vitals_of(row), row["images_seen"], config)) for row in checks]
    last = [set(names) for _, names in found[-config.guard.patience :]]
    lasting = set.intersection(*last) if len(last) == config.guard.patience else set()
    healthy = [images for images, names in found if not names and images >= config.guard.from_images]
    return Standing(tuple(sorted(lasting)), healthy[-1] if healthy else None)


def is_check(row: Mapping[str, Any]) -> bool:
    return f"{PREFIX}margin" in row


def as_metrics(seen: Vitals) -> dict[str, float]:
    """As they stand in a history's row; what the standard GAN has not is left out."""
    return {f"{PREFIX}{name}": value for name, value in seen._asdict().items() if value == value}


def vitals_of(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {name.removeprefix(PREFIX): value for name, value in row.items() if name.startswith(PREFIX)}


def nearest_distance(images: Tensor) -> Tensor:
    """From each image to the one most like it, root mean square over pixels and channels, mean over images; 0-d. A few
    pictures made again and again are next to nothing apart, however far they are from each other.
    """
    flat = images.flatten(1).float()
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.fill_diagonal_(torch.inf).amin(dim=1).mean() / images[0].numel() ** 0.5


def laplacian_rms(images: Tensor) -> Tensor:
    """Of luma, over all images; 0-d."""
    return laplacian(luma(images)).square().mean().sqrt()


def far_sharpness(deep: Tensor, disparity: Tensor) -> float:
    """How sharp the half of a deep photo [N,3,H,W] is where |D| is larger, in the half where it is smaller: mean
    |Laplacian| without the pixels beside the border of the two, geometric mean over photos. True deep photos of scenes
    have 1.2; with all of their blur painted in, .7. nan where no photo has such halves.
    """
    size = disparity.float().abs().flatten(1)
    far = (size > size.median(dim=1, keepdim=True).values).reshape(disparity[:, 0].shape)
    inside = laplacian(far.float()) == 0  # of one kind with its four neighbours
    far, edges = far[:, 1:-1, 1:-1], laplacian(luma(deep)).abs()

    def mean(where: Tensor) -> Tensor:
        return (edges * where).sum((1, 2)) / where.sum((1, 2))

    share = (mean(inside & far) / mean(inside & ~far)).log()
    # No edge at all in the far half is the worst case; without one in the near half there is nothing to compare with.
    share = share.nan_to_num(nan=torch.nan, posinf=torch.nan, neginf=LEAST_FAR_LOG)
    return float(share[share.isfinite()].mean().exp())


def luma(images: Tensor) -> Tensor:
    """[N,3,H,W] -> [N,H,W]"""
    return torch.einsum("nchw,c->nhw", images.float(), torch.tensor(LUMA, device=images.device))
