"""Two goals at once: who is beaten in both, who is not, and how much of the plane the unbeaten ones cover."""

from collections.abc import Sequence

Costs = Sequence[float]
"""One number an objective, each to be made small."""


def dominates(a: Costs, b: Costs) -> bool:
    """Whether a is nowhere worse than b and somewhere better."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))


def front(points: Sequence[Costs]) -> list[int]:
    """Indices of the points that no other dominates, in their order."""
    return [i for i, point in enumerate(points) if not any(dominates(other, point) for other in points)]


def layers(points: Sequence[Costs]) -> list[int]:
    """The number of each point's front: 0 for the front itself, 1 for the front of what is left without it, ..."""
    number = [-1] * len(points)
    left, layer = list(range(len(points))), 0
    while left:
        unbeaten = {left[i] for i in front([points[j] for j in left])}
        for index in unbeaten:
            number[index] = layer
        left, layer = [index for index in left if index not in unbeaten], layer + 1
    return number


def hypervolume(points: Sequence[Costs], reference: Costs) -> float:
    """What the points dominate of the box below `reference`: a length for one objective, an area for two.

    A point that is not better than the reference in all objectives covers nothing.
    """
    inside = [tuple(point) for point in points if all(x < r for x, r in zip(point, reference, strict=True))]
    if len(reference) == 1:
        return max((reference[0] - point[0] for point in inside), default=0.0)
    if len(reference) != 2:
        raise ValueError(f"hypervolume of one or two objectives, got {len(reference)}")
    area, lowest = 0.0, reference[1]
    for first, second in sorted(inside):
        if second < lowest:
            area += (reference[0] - first) * (lowest - second)
            lowest = second
    return area
