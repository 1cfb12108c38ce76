"""A contact sheet of scenes: deep | as taken | disparity | mask.

python -m argan.scenes OUT.png --resolution 64 --num-scenes 8
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from argan.scenes.lens import D_MAX
from argan.scenes.photo import Scene, scene

COLUMNS = 2  # of scenes, four pictures each
ZOOM = 2


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m argan.scenes", description=__doc__.splitlines()[0])
    parser.add_argument("out", help="PNG to write")
    parser.add_argument("--resolution", type=int, default=64, help="px a side of each picture")
    parser.add_argument("--num-scenes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    scenes = [scene(options.seed, index, resolution=options.resolution) for index in range(options.num_scenes)]
    Image.fromarray(contact_sheet(scenes)).save(options.out, optimize=True)


def contact_sheet(scenes: list[Scene]) -> NDArray[np.uint8]:
    """uint8 RGB, a row for each COLUMNS scenes, pictures with a gap between."""
    strips = []
    for taken in scenes:
        mask = np.repeat(np.uint8(255) * taken.mask[:, :, None], 3, axis=2)
        pictures = [taken.deep, taken.image, disparity_colours(taken.disparity), mask]
        strips.append(np.concatenate([np.pad(p, ((1, 1), (1, 1), (0, 0)), constant_values=255) for p in pictures], 1))
    while len(strips) % COLUMNS:
        strips.append(np.full_like(strips[0], 255))
    rows = [np.concatenate(strips[i : i + COLUMNS], 1) for i in range(0, len(strips), COLUMNS)]
    return np.concatenate(rows).repeat(ZOOM, 0).repeat(ZOOM, 1)


def disparity_colours(disparity: NDArray[np.float32]) -> NDArray[np.uint8]:
    """White in focus, blue behind, red before; full colour at d_max."""
    share = np.clip(disparity / (D_MAX * len(disparity)), -1.0, 1.0)[:, :, None]
    behind, before = np.array([30.0, 60.0, 160.0]), np.array([200.0, 40.0, 30.0])
    colour = 255.0 + np.maximum(-share, 0) * (behind - 255.0) + np.maximum(share, 0) * (before - 255.0)
    return colour.astype(np.uint8)


if __name__ == "__main__":
    main()
