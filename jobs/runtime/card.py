"""The card of a set, written into its folder from what lies there: README.md and index.html."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from argan.data.shard_files import tar_path
from argan.data.tuple_manifest import read_columns
from argan.data.tuple_set import MODEL_PATH, ORIGIN_PATH, sample_members
from argan.data.tuples import TupleSample, decode_tuple
from argan.errors import MissingError
from argan.generation.recipe import Terms, encode_terms
from argan.runs.folder import read_config
from argan.storage import Storage
from argan.viewing.pictures import disparity_colours, grid, png_bytes
from argan.viewing.set_card import CardPictures, card_page, card_text

SHEET_SAMPLES = 12
PLACES = ["index", "reason", "shard", "offset", "size"]
CHARTED = ["disparity_mean_px", "disparity_min_px", "disparity_spread", "contrast", "sharpness"]
PAGE_PATH, TEXT_PATH = "index.html", "README.md"


def write_card(out: Storage, terms: Terms, head: Mapping[str, Any]) -> list[str]:
    """Both files, unless they stand there as they would be written; returns the paths of those that were."""
    config = read_config(out.child(MODEL_PATH))
    apertures = [f"aperture_{k}" for k in range(terms.recipe.num_shallow)]
    columns = read_columns(out, [*PLACES, *CHARTED, *apertures])
    values = json.loads(encode_terms(terms))
    origin = _origin(out) | {
        "checkpoint sha256": terms.checkpoint_sha256,
        "resolution": config.resolution,
        "d_max_px": config.d_max_px,
    }
    page = card_page(head, values, origin, columns, contact_sheet(out, columns, config.d_max_px))
    files = {PAGE_PATH: page.encode(), TEXT_PATH: card_text(head, values, origin).encode()}
    changed = [path for path, data in files.items() if not (out.exists(path) and out.read_bytes(path) == data)]
    for path in changed:
        out.write_bytes(path, files[path])
    return changed


def _origin(out: Storage) -> dict[str, Any]:
    """Where model and code come from, as far as that is still known."""
    try:
        return dict(json.loads(out.read_bytes(ORIGIN_PATH)))
    except (MissingError, ValueError, TypeError):
        return {"origin": f"unknown: {ORIGIN_PATH} is lost"}


def contact_sheet(out: Storage, columns: Mapping[str, np.ndarray], d_max_px: float) -> CardPictures | None:
    """Samples taken evenly over the whole set, a column each; None where nothing was kept."""
    kept = np.flatnonzero(columns["reason"] == "")
    if not len(kept):
        return None
    chosen = np.unique(np.linspace(0, len(kept) - 1, SHEET_SAMPLES).round().astype(int))
    samples = [read_sample(out, columns, row) for row in kept[chosen]]
    num_shallow = len(samples[0].shallow)
    rows = [[sample.deep for sample in samples]]
    rows += [[sample.shallow[k] for sample in samples] for k in range(num_shallow)]
    rows.append([disparity_colours(sample.coding.decode(sample.disparity), d_max_px) for sample in samples])
    labels = ["deep", *[f"shallow-{k}" for k in range(num_shallow)], "disparity"]
    side_px = samples[0].deep.shape[0]
    sheet = grid(rows, scale=max(1, 64 // side_px), row_labels=labels)
    return CardPictures(png_bytes(sheet), f"{len(samples)} samples, taken evenly over the set.")


def read_sample(out: Storage, columns: Mapping[str, np.ndarray], row: int) -> TupleSample:
    """One kept sample, by one ranged read."""
    start = int(columns["offset"][row])
    stretch = out.read_bytes(tar_path(int(columns["shard"][row])), start, start + int(columns["size"][row]))
    return decode_tuple(sample_members(stretch, int(columns["index"][row])))
