"""A contact sheet of scenes: deep | as taken | disparity | mask. A program, so it may look up to argan.viewing, which
the scenes themselves do not know.

python -m argan.scenes OUT.png --resolution 64 --num-scenes 8
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from argan.scenes.photo import Scene, scene
from argan.viewing.colours import disparity_colours

COLUMNS = 2  # of scenes, four pictures each
ZOOM = 2


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m argan.scenes", description=__doc__.splitlines()[0])
    parser.add_argument("out", help="PNG to write")
    parser.add_argument("--resolution", type=int, default=64, help="px a side of each picture")
    parser.add_argument("--num-scenes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    if options.num_scenes < 1:
        parser.error(f"--num-scenes must be at least 1, got {options.num_scenes}")
    try:
        scenes = [scene(options.seed, index, resolution=options.resolution) for index in range(options.num_scenes)]
        Image.fromarray(contact_sheet(scenes)).save(options.out, optimize=True)
    except (ValueError, OSError) as error:  # a size, a seed, a folder or an ending that there is not
        parser.error(str(error))


def contact_sheet(scenes: list[Scene]) -> NDArray[np.uint8]:
    """uint8 RGB, a row for each COLUMNS scenes, pictures with a gap between."""
    strips = []
    for taken in scenes:
        mask = np.repeat(np.uint8(255) * taken.mask[:, :, None], 3, axis=2)
        pictures = [taken.deep, taken.image, disparity_colours(taken.disparity, taken.optics["d_max_px"]), mask]
        strips.append(np.concatenate([np.pad(p, ((1, 1), (1, 1), (0, 0)), constant_values=255) for p in pictures], 1))
    while len(strips) % COLUMNS:
        strips.append(np.full_like(strips[0], 255))
    rows = [np.concatenate(strips[i : i + COLUMNS], 1) for i in range(0, len(strips), COLUMNS)]
    return np.concatenate(rows).repeat(ZOOM, 0).repeat(ZOOM, 1)


if __name__ == "__main__":
    main()
