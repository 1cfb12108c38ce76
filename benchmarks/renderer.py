"""The aperture renderer against a plain autograd loop of grid_sample over METHOD's formula (T off).

    python benchmarks/renderer.py

Prints one JSON object on its last line:

    fwd, fwd_bwd            time of the plain loop over ours: interleaved, medians, the smaller of 64 and 128 px
    mem_views_25_over_9     peak memory of forward and backward with 25 views over that with 9, fresh processes
    max_error               largest difference of the photos, float32, images in [-1, 1]
    max_gradient_error      largest difference of the gradients in image, disparity and scale, over the largest one;
                            float64: slopes jump where a sample crosses a pixel centre, rounding picks the side
    gradient_error_float32  the same in float32, as norm over norm
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeAlias

from jobs.runtime.cli import run_job

if TYPE_CHECKING:  # at run time when needed, so that --help is quick and the memory probes start small
    from torch import Tensor

Render: TypeAlias = "Callable[[Tensor, Tensor, Tensor], Tensor]"
BATCH_IMAGES = 16
SIZES_PX = (64, 128)


def plain_loop(views: "Tensor") -> Render:
    """The formula as written: two grid_samples a view, differentiated by autograd."""
    import torch
    import torch.nn.functional as F

    def render(image: "Tensor", disparity: "Tensor", dof_scale: "Tensor") -> "Tensor":
        height, width = image.shape[-2:]
        across, down = (torch.linspace(-1, 1, size, dtype=image.dtype) for size in (width, height))
        base = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)
        steps = views.to(image.dtype) * torch.tensor([2 / (width - 1), 2 / (height - 1)], dtype=image.dtype)
        scale = dof_scale.view(-1, 1, 1, 1)

        def seen_from(step: "Tensor", field: "Tensor", shift: "Tensor") -> "Tensor":
            grid = base + step * shift.permute(0, 2, 3, 1)
            return F.grid_sample(field, grid, padding_mode="border", align_corners=True)

        photo = torch.zeros_like(image)
        for step in steps:
            E = seen_from(step, disparity, scale * disparity)
            photo = photo + seen_from(step, image, scale * E)
        return photo / len(views)

    return render


def our_renderer(views_per_side: int = 5, shape: Literal["disk", "square"] = "disk") -> Render:
    from argan.optics import ApertureRenderer

    renderer = ApertureRenderer(views_per_side, shape)
    return lambda *scene: renderer(*scene).image


def make_scene(size_px: int, *, double: bool = False) -> list["Tensor"]:
    """A noise image, a smooth disparity over the default aperture range, a scale a sample: all three want gradients."""
    import torch
    import torch.nn.functional as F

    random = torch.Generator().manual_seed(size_px)
    image = torch.rand(BATCH_IMAGES, 3, size_px, size_px, generator=random) * 2 - 1
    coarse = torch.rand(BATCH_IMAGES, 1, 8, 8, generator=random) * 2 - 1
    disparity = 3 * size_px / 64 * F.interpolate(coarse, size=(size_px, size_px), mode="bicubic")
    scene = [image, disparity, torch.rand(BATCH_IMAGES, generator=random)]
    return [(tensor.double() if double else tensor).requires_grad_() for tensor in scene]


def forward(render: Render, scene: list["Tensor"]) -> "Tensor":
    import torch

    with torch.no_grad():
        return render(*scene)


def forward_backward(render: Render, scene: list["Tensor"]) -> tuple["Tensor", ...]:
    import torch

    return torch.autograd.grad(render(*scene).square().sum(), scene)


def speed_up(work: Callable, plain: Render, ours: Render, size_px: int, repeats: int) -> float:
    """Median time of the plain loop over ours, taken in turns."""
    scene = make_scene(size_px)
    times: dict[Render, list[float]] = {plain: [], ours: []}
    for repeat in range(repeats + 1):
        for render, taken in times.items():
            start = time.perf_counter()
            work(render, scene)
            if repeat > 0:  # the first is a warm-up
                taken.append(time.perf_counter() - start)
    return statistics.median(times[plain]) / statistics.median(times[ours])


def peak_memory(views_per_side: int) -> int:
    """By how much forward and backward raise the peak of this process's memory, in the system's unit."""
    render, scene = our_renderer(views_per_side, "square"), make_scene(256)
    small = make_scene(8)
    forward_backward(render, small)  # loads what torch loads at first use
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    forward_backward(render, scene)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def in_fresh_process(function: Callable[[int], int], argument: int) -> int:
    os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"  # the heap gives big tensors back at once, so the peak is theirs
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


def gradient_errors(plain: Render, ours: Render) -> tuple[float, float]:
    """Largest error over largest gradient in float64, and norm over norm in float32."""
    largest, norms = [], []
    for size_px in SIZES_PX:
        double = [forward_backward(render, make_scene(size_px, double=True)) for render in (plain, ours)]
        single = [forward_backward(render, make_scene(size_px)) for render in (plain, ours)]
        largest += [((a - b).abs().max() / a.abs().max()).item() for a, b in zip(*double, strict=True)]
        norms += [((a - b).norm() / a.norm()).item() for a, b in zip(*single, strict=True)]
    return max(largest), max(norms)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15, help="timed runs of each side (default %(default)s)")
    parser.add_argument("--num-threads", type=int, default=2, help="torch's threads (default %(default)s)")
    arguments = parser.parse_args(argv)

    memory = {side: in_fresh_process(peak_memory, side) for side in (5, 3)}  # first, while this process is small

    import torch

    from argan.optics import aperture_views

    torch.set_num_threads(arguments.num_threads)
    plain, ours = plain_loop(aperture_views()), our_renderer()
    figures: dict[str, float] = {}
    for name, work in (("fwd", forward), ("fwd_bwd", forward_backward)):
        for size_px in SIZES_PX:
            figures[f"{name}_{size_px}px"] = speed_up(work, plain, ours, size_px, arguments.repeats)
            print(f"{name} at {size_px} px: {figures[f'{name}_{size_px}px']:.2f} x the plain loop", flush=True)
        figures[name] = min(figures[f"{name}_{size_px}px"] for size_px in SIZES_PX)
    figures["mem_views_25_over_9"] = memory[5] / memory[3]
    scenes = [make_scene(size_px) for size_px in SIZES_PX]
    figures["max_error"] = max((forward(plain, x) - forward(ours, x)).abs().max().item() for x in scenes)
    figures["max_gradient_error"], figures["gradient_error_float32"] = gradient_errors(plain, ours)
    print(json.dumps({name: float(f"{value:.3g}") for name, value in figures.items()}))


if __name__ == "__main__":
    run_job(main)
