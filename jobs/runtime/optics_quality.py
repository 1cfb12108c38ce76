"""Whether a run's photos blur as its disparity says, and whether its deep photos are as sharp as real ones."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from argan.api import Run
from argan.config import Config
from argan.evaluation.blur import BlurFit, BlurSettings, TakePhoto, measure_blur
from argan.generation.quality import SHARPEST_PERCENTILE, edges, sharpness
from argan.optics import to_light
from argan.pixels import to_bytes
from jobs.runtime.cli import say
from jobs.runtime.photo_quality import RealPhotos

FAR_SHARE = 0.5  # of d_max: from there on a place is called out of focus


@dataclass(frozen=True, kw_only=True)
class OpticsQuality:
    num_photos: int = 256
    seed: int = 0
    blur: BlurSettings = field(default_factory=BlurSettings)


def judge_optics(run: Run, reals: RealPhotos, quality: OpticsQuality) -> dict[str, Any]:
    """Of the renderer, in this run's photos: blur_slope, blur_intercept_px, blur_r_squared and blur_regions, taken with
    as many views as blur needs; blur_slope_in_training, as the discriminator saw them.

    Of the generator: sharpness_deep of I_d, and of it again where it is in focus and where it is far out of it
    (sharpness_deep_focus, sharpness_deep_far: blur painted into I_d shows in the second); sharpness_photo of the photos
    that the discriminator saw, and sharpness_real of as many real ones, taken as they were.
    """
    say(f"measuring blur in {quality.num_photos:,} generated photos")
    sample, config, renderer = run.sample(quality.num_photos, seed=quality.seed), run.config, run.camera.renderer
    assert renderer is not None  # a run without disparity is refused before
    optics = config.optics

    def light(images: Tensor) -> Tensor:
        """In which the blur is a mean."""
        return to_light(images) if optics.linear_light else images

    def for_people(deep: Tensor, disparity: Tensor, dof_scale: float) -> Tensor:
        return light(run.render(deep, disparity, dof_scale))

    def as_in_training(deep: Tensor, disparity: Tensor, dof_scale: float) -> Tensor:
        return light(renderer(deep, disparity, disparity.new_full((len(disparity),), dof_scale)).image)

    def measured(take: TakePhoto) -> BlurFit:
        return measure_blur(
            sample.deep,
            sample.disparity,
            take,
            d_max_px=config.d_max_px,
            settings=quality.blur,
            shape=optics.shape,
            averaged=light,
        )

    fit = measured(for_people)

    deep = to_bytes(sample.deep).permute(0, 2, 3, 1).cpu().numpy()
    out_of_focus = sample.disparity[:, 0].abs().cpu().numpy() > FAR_SHARE * config.d_max_px
    return {
        "blur_slope": fit.slope,
        "blur_intercept_px": fit.intercept_px,
        "blur_r_squared": fit.r_squared,
        "blur_regions": fit.num_regions,
        "blur_slope_in_training": measured(as_in_training).slope,
        "sharpness_deep": mean_sharpness(deep),
        "sharpness_deep_focus": sharpness_at(deep, ~out_of_focus),
        "sharpness_deep_far": sharpness_at(deep, out_of_focus),
        "sharpness_photo": mean_sharpness(to_bytes(sample.photo).permute(0, 2, 3, 1).cpu().numpy()),
        "sharpness_real": mean_sharpness(reals.read()[: quality.num_photos].transpose(0, 2, 3, 1)),
    }


def camera_facts(config: Config) -> dict[str, Any]:
    """The camera that photos are taken with."""
    optics = config.optics
    return {
        "d_max_px": config.d_max_px,
        "shape": optics.shape,
        "linear_light": optics.linear_light,
        "occlusion_steps": optics.occlusion_steps,
        "views_per_side": {"photos": "as blur needs, 11 or more", "in training": optics.views_per_side},
        "views_fit_in_training": optics.views_fit,
        "out_of_focus_from_d_max": FAR_SHARE,
    }


def mean_sharpness(photos: NDArray[np.uint8]) -> float:
    """Of photos [N,H,W,3]."""
    return float(np.mean([sharpness(photo) for photo in photos]))


def sharpness_at(photos: NDArray[np.uint8], where: NDArray[np.bool_]) -> float:
    """The same percentile over all chosen places [N,H,W] together, for that of a few places would be lower; without
    those that have a neighbour elsewhere, whose outline they would tell of. nan where there are none.
    """
    chosen = where[:, 1:-1, 1:-1] & where[:, 1:-1, :-2] & where[:, 1:-1, 2:] & where[:, :-2, 1:-1] & where[:, 2:, 1:-1]
    values = np.concatenate([edges(photo)[places] for photo, places in zip(photos, chosen, strict=True)])
    return float(np.percentile(values, SHARPEST_PERCENTILE)) if values.size else float("nan")
