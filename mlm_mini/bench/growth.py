"""How time grows with the size of the work, as an exponent fitted on logarithms, beside what is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from mlm_mini.bench.row import BenchRow
from mlm_mini.bench.whole_steps import Work, ours
from mlm_mini.experiments.lab.timing import one_thread, take_turns
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.training.config import FLOAT32

STEP_TOKENS = 4096
LENGTHS, BATCHES = (64, 128, 256, 512, 1024, 2048), (8, 16, 32, 64)
VOCABULARIES, WIDTHS = (2048, 4096, 8192, 16384), (64, 128, 256, 512)
SENTENCE_NUMBERS = (64, 128, 256, 512, 1024)
LIMIT = 0.8  # of the expected exponent over the measured one
PROPORTION = "in proportion"


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of log cost against log size, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def growth_rows(rounds: int) -> Iterator[BenchRow]:
    """A step in float32 on one thread; two blocks of width 64 unless the width is what grows."""
    rounds = max(1, rounds // 4)
    with one_thread():
        for what, sizes, work in (
            (f"length, {STEP_TOKENS:,} tokens", LENGTHS, lambda T: _work(64, STEP_TOKENS // T, T)),
            ("rows", BATCHES, lambda B: _work(64, B, 64)),
            ("width", WIDTHS, lambda D: _work(D, 32, 64)),
        ):
            works = [work(size) for size in sizes]
            flops = exponent(sizes, [work.flops() for work in works])
            yield _row(what, sizes, works, rounds, flops, "its operations")
        # Its softmax and the moments of its table are no products of matrices, and soon take longer than these.
        works = [_work(64, 32, 64, V) for V in VOCABULARIES]
        yield _row("vocabulary", VOCABULARIES, works, rounds, 1.0, PROPORTION)
        yield _posterior_row(rounds)


def _work(width: int, batch: int, length: int, words: int = 2048) -> Work:
    shape = ModelConfig.tiny(
        words,
        hidden_size=width,
        num_attention_heads=width // 32,
        intermediate_size=4 * width,
        max_position_embeddings=max(128, length),
    )
    return Work(shape, batch, length, torch.device("cpu"))


def _row(what: str, sizes: Sequence[int], works: list[Work], rounds: int, expected: float, peer: str) -> BenchRow:
    steps = [next(iter(ours(work, FLOAT32, 1).ways.values())) for work in works]
    measured = exponent(sizes, np.median(take_turns(steps, rounds), axis=1))
    name = f"growth of a step with {what}, {sizes[0]:,} to {sizes[-1]:,}"
    return BenchRow(name, measured, expected, peer, LIMIT, "exponent")


def _posterior_row(rounds: int) -> BenchRow:
    """The exact posterior of scenes, which is worked out sentence by sentence."""
    language, rng = scene_language(), np.random.default_rng(0)
    steps = [_posteriors(language, n, rng) for n in SENTENCE_NUMBERS]
    times = np.median(take_turns(steps, rounds), axis=1)
    measured = exponent(SENTENCE_NUMBERS, times)
    rate = SENTENCE_NUMBERS[-1] / times[-1] * 1e3
    name = f"growth of the exact posterior with sentences, {rate:,.0f} a second"
    return BenchRow(name, measured, 1.0, PROPORTION, LIMIT, "exponent")


def _posteriors(language, n: int, rng: np.random.Generator) -> Callable[[], object]:
    """n sentences with one word hidden in each, the first after [CLS]."""
    ids = language.sample(n, rng).ids.copy()
    positions = np.ones((n, 1), dtype=np.int64)
    ids[:, 1] = language.vocabulary.mask_id
    return lambda: language.posterior_at(ids, positions)
