"""What Ray raises where the process of a task was lost: killed, with its node, or for want of memory."""

from ray.exceptions import NodeDiedError, OutOfMemoryError, WorkerCrashedError

LOST = (NodeDiedError, OutOfMemoryError, WorkerCrashedError)
