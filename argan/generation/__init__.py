"""Sets of generated (deep, shallow, disparity) samples: a pure function of model, recipe and index (docs/decisions)."""
