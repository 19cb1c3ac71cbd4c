"""What to expect of many cards before one rents them: bytes that a step sends, memory, and time, each by a formula.

N numbers that the model learns, 4 bytes each; W workers, with a card each. Messages go round a ring: to add up or to
gather 4 N bytes, each worker sends (W - 1) / W of them, and receives as many at the same time.
"""

from dataclasses import dataclass

from mlm_mini.model import ModelConfig
from mlm_mini.training.memory import FLOAT

KEPT_NUMBERS = 4  # of each weight: itself, its gradient, and AdamW's two moments
# How BERT-base was trained (Devlin et al. 2019): steps, rows in a batch, tokens in a row; 15% of them predicted.
BERT_PHASES = ((900_000, 256, 128), (100_000, 256, 512))
BERT_PREDICTED = 0.15


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """W cards. rate: operations a second of one card, measured on this model. bandwidth: bytes a second that a card
    sends over the slowest of its links. memory: bytes of a card."""

    workers: int
    rate: float
    bandwidth: float
    memory: float = 80e9


def sent_bytes(shape: ModelConfig, workers: int, fsdp: bool = False, parts: int = 1) -> float:
    """What each worker sends in a step, and receives.

    With DDP the gradient is added up, each worker a share of it, and the shares are gathered: 2 (W - 1)/W 4 N, however
    many parts a batch has. With FSDP, in each part, weights are gathered for the forward pass, those of the blocks
    again for the backward pass, and gradients are added up: (3 N_blocks + 2 N_rest) (W - 1)/W 4.
    """
    numbers = shape.count_parameters()
    ring = (workers - 1) / workers * FLOAT
    if not fsdp:
        return 2 * ring * numbers
    return parts * ring * (2 * numbers + block_numbers(shape))


def block_numbers(shape: ModelConfig) -> int:
    """Of the numbers that a model learns, those in its blocks."""
    D, F, norm = shape.hidden_size, shape.intermediate_size, 2 * shape.hidden_size
    return shape.num_hidden_layers * (4 * (D * D + D) + 2 * D * F + F + D + 2 * norm)


def most_numbers(memory: float, workers: int = 1, fsdp: bool = False, others: float = 0.0) -> float:
    """The largest N that fits: 16 N bytes on each card with DDP, 16 N / W with FSDP. DDP ends there, and FSDP begins.

    others: bytes of a card for what a batch takes (`memory.reckoned_bytes` says how many).
    """
    return (memory - others) / (KEPT_NUMBERS * FLOAT) * (workers if fsdp else 1)


def step_seconds(shape: ModelConfig, rows: int, length: int, predicted: float, cluster: Cluster) -> tuple[float, float]:
    """The least and the most that a step of DDP takes, for a batch of so many rows of all workers.

    The least is where all messages go while gradients are computed, or the other way round; the most where none does.
    """
    work = rows * length * shape.training_flops_per_token(length, predicted) / (cluster.workers * cluster.rate)
    wire = sent_bytes(shape, cluster.workers) / cluster.bandwidth
    return max(work, wire), work + wire


def bert_base_hours(cluster: Cluster, times: int = 1) -> tuple[float, float]:
    """The least and the most that the training of BERT-base takes, as it was published.

    times: what batches are multiplied by, and the number of steps divided: as many tokens in fewer steps. Whether the
    model is then as good is another question; with LAMB in place of AdamW it was, up to 128 (You et al. 2020).
    """
    shape, hours = ModelConfig.base(), [0.0, 0.0]
    for steps, rows, length in BERT_PHASES:
        for i, seconds in enumerate(step_seconds(shape, rows * times, length, BERT_PREDICTED, cluster)):
            hours[i] += steps / times * seconds / 3600
    return hours[0], hours[1]
