"""What one of several workers takes of a batch that all of them have drawn."""

import zlib
from dataclasses import dataclass

from mlm_mini.training.objectives import Batch
from mlm_mini.training.workers import Workers


@dataclass(frozen=True)
class Share(Batch):
    """The rows of a batch that one worker takes.

    asked: what the whole batch asks for, by which nats are divided. checksum: of the whole batch and its step.
    """

    asked: int = 0
    checksum: int = 0

    def count_labels(self) -> int:
        """How many tokens are to be predicted, by all workers."""
        return self.asked


def share_of(batch: Batch, workers: Workers, step: int) -> Share:
    """What one worker takes of a batch that all of them have drawn."""
    own = batch.rows(workers.rows())
    checksum = zlib.crc32(batch.labels.numpy().tobytes(), zlib.crc32(batch.ids.numpy().tobytes(), step))
    return Share(**vars(own), asked=batch.count_labels(), checksum=checksum)
