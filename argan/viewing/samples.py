"""What a camera makes, as pictures: the same latents every time, so that one can watch depth emerge."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from argan.config import Config
from argan.draws import Purpose, draw_z
from argan.models.camera import Camera, Fake, take_photo
from argan.optics import ApertureRenderer
from argan.viewing.colours import disparity_colours
from argan.viewing.pictures import grid, to_array, to_uint8

GRID_SAMPLES = 10
SWEEP_SAMPLES = 5
SWEEP_APERTURES = (0.0, 0.25, 0.5, 0.75, 1.0)


@torch.inference_mode()
def sample_grid(camera: Camera, config: Config, *, num: int = GRID_SAMPLES) -> Image.Image:
    """Rows deep | shallow (s = 1) | disparity for fixed z, a column a sample; as many views as the blur needs.
    The standard GAN has the first row only.
    """
    device = next(camera.parameters()).device
    fake = camera(_fixed_z(camera, config, num), torch.zeros(num, device=device))
    rows = [list(to_uint8(to_array(fake.deep)))]
    if camera.renderer is not None:
        rows.append(list(_taken(camera.renderer, config, fake, 1.0)))
        rows.append(list(disparity_colours(to_array(fake.disparity)[:, 0], config.d_max_px)))
    labels = ("deep", "shallow", "disparity")[: len(rows)]
    return grid(rows, scale=_scale(config), row_labels=labels)


@torch.inference_mode()
def aperture_sweep(camera: Camera, config: Config, *, num: int = SWEEP_SAMPLES) -> Image.Image:
    """A row a sample, the aperture opening from left to right, disparity last. As many views as the blur needs."""
    z = _fixed_z(camera, config, num)
    if camera.renderer is None:
        raise ValueError("the standard GAN has no aperture to sweep")
    closed = camera(z, torch.zeros(num, device=z.device))
    columns = [_taken(camera.renderer, config, closed, aperture) for aperture in SWEEP_APERTURES]
    colours = disparity_colours(to_array(closed.disparity)[:, 0], config.d_max_px)
    rows = [[*(column[i] for column in columns), colours[i]] for i in range(num)]
    labels = [f"s = {aperture:g}" for aperture in SWEEP_APERTURES]
    return grid(rows, scale=_scale(config), column_labels=[*labels, "disparity"])


def _taken(renderer: ApertureRenderer, config: Config, fake: Fake, aperture: float) -> np.ndarray:
    """The fakes through another aperture. T belongs to its number of views: it shows what the discriminator saw."""
    if renderer.expansion is None:
        photo = take_photo(config.optics, fake.deep, fake.disparity, aperture)
    else:
        dof_scale = torch.full((fake.deep.shape[0],), aperture, device=fake.deep.device, dtype=fake.deep.dtype)
        photo = renderer(fake.deep, fake.disparity, dof_scale).image
    return to_uint8(to_array(photo))


def _fixed_z(camera: Camera, config: Config, num: int) -> Tensor:
    first = next(camera.parameters())
    z = draw_z(config.seed, Purpose.Z_SAMPLE, 0, num=num, z_dim=camera.generator.z_dim)
    return z.to(device=first.device, dtype=first.dtype)


def _scale(config: Config) -> int:
    """Tiny pictures are enlarged so that one sees them: about 96 px on the page."""
    return max(1, 96 // config.resolution)
