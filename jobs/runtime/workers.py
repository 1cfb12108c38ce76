"""How many workers a training job asks for."""

from dataclasses import dataclass

from argan.errors import UserError

DEVICES = {"auto": None, "cpu": False, "gpu": True}
"""What --device says -> Workers.use_gpu."""


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How many workers, and what each of them gets. A range is elastic: Ray takes what there is; where that is less
    than the minimum it waits, without a word and without end.
    """

    minimum: int
    maximum: int
    cpus_each: int = 0  # 0: share out the processors of each node
    use_gpu: bool | None = None  # None: where the cluster has any
    is_settled: bool = False  # the two above were found on the cluster: what it has lost since will come back

    def require_lanes(self, num_lanes: int) -> None:
        """Raises UserError where a batch has not a part for each (data.num_lanes)."""
        if self.maximum > num_lanes:
            raise UserError(f"--num-workers {self.maximum} is more than data.num_lanes = {num_lanes}")
