"""Speed, side by side: what is ours and its peer take turns in one run, so that a busy machine slows both alike.

A row's ratio is the peer's median time over ours, above 1 where ours is faster; its limit is the least that the
course promises. For a widget the peer is the tenth of a second within which a step must be seen. Where there is a GPU,
some rows are about memory, and above 1 where ours takes less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch

from mlm_mini.course.check_times import check_times, first_check
from mlm_mini.experiments.lab.timing import one_thread, take_turns
from mlm_mini.experiments.variance.draws import make_draws, select_from_batch
from mlm_mini.experiments.variance.gradient_times import time_gradients
from mlm_mini.experiments.variance.measure import QUICK_SENTENCES, narrow_model
from mlm_mini.languages import english_trigram, scene_language, split_words
from mlm_mini.model import MaskedLM, ModelConfig, autocast, choose_device
from mlm_mini.reference import IGNORE_INDEX, maskable_positions
from mlm_mini.widgets.steps import widget_steps

ROUNDS = 11
STEP_MS, POSTERIOR_MS, FIRST_CHECK_MS, CHECK_MS = 100.0, 20.0, 3000.0, 1000.0
GRADIENT_DRAWS, DRAWN_RATIO = 64, 0.15
BATCH, GPU_BATCH, LENGTH = 8, 64, 128
BERT_WORDS, PREDICTED = 30_522, 19  # BERT's vocabulary, and 15% of the tokens


@dataclass(frozen=True)
class BenchRow:
    """ours, peer: median times, or memory, in `unit`. limit: the least ratio that the course promises."""

    name: str
    ours: float
    peer: float
    peer_name: str
    limit: float
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """How many times as much its peer takes."""
        return self.peer / self.ours

    @property
    def kept(self) -> bool:
        """Whether it takes as little as promised."""
        return self.ratio >= self.limit

    def text(self) -> str:
        """The row in a line."""
        times = f"{self.ours:.1f} {self.unit}; {self.peer_name}: {self.peer:.1f} {self.unit}"
        promise = f"at least {self.limit:g} was promised" if self.kept else f"LESS than the {self.limit:g} promised"
        return f"{self.name}: {times}; ratio {self.ratio:.2f}, {promise}"

    def to_dict(self) -> dict:
        """As `course.py bench --json` prints it."""
        fields = ("name", "ours", "peer", "peer_name", "ratio", "unit", "limit")
        values = {name: getattr(self, name) for name in fields}
        return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in values.items()}


def measure(rounds: int = ROUNDS) -> Iterator[BenchRow]:
    """Every row, one after the other, on one thread; about a minute. Raises ValueError for less than one round.

    Where there is a GPU with CUDA, BERT-base takes its steps there as well, for another minute at most.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}: expected at least 1")
    with one_thread():
        yield _gradients(rounds)
        tiny = ModelConfig.tiny(BERT_WORDS, max_position_embeddings=LENGTH)
        yield from _training_steps(rounds, _ways_to_step(tiny, BATCH, torch.device("cpu")))
        if (gpu := choose_device()).type == "cuda":
            yield from _training_steps_on_a_gpu(rounds, gpu)
        posterior = medians(rounds, _posteriors())
        yield BenchRow("a posterior on English", *posterior, POSTERIOR_MS, "a fiftieth of a second", 1.0)
        for name, _, step in widget_steps():
            yield BenchRow(f"a step of the {name}", *medians(rounds, step), STEP_MS, "a tenth of a second", 1.0)
        first, slow = first_check(min(rounds, 5)), float(np.quantile(check_times(), 0.95))
        yield BenchRow("the first check in a fresh process", first, FIRST_CHECK_MS, "three seconds", 1.0)
        yield BenchRow("a check, of all exercises the 95th percentile", slow, CHECK_MS, "a second", 1.0)


def medians(rounds: int, *ways: Callable[[], object]) -> list[float]:
    """Median milliseconds of each way; they take turns, as `take_turns` says."""
    return np.median(take_turns(ways, rounds), axis=1).tolist()


# ---- gradients and training


def _gradients(rounds: int) -> BenchRow:
    """Per-draw gradients of the widget's model at the widget's size."""
    language, rng = scene_language(), np.random.default_rng(0)
    ids = language.sample(QUICK_SENTENCES, rng).ids[None]
    words = np.broadcast_to(maskable_positions(ids, language.vocabulary.special_ids), (GRADIENT_DRAWS, *ids.shape[1:]))
    asked = select_from_batch(words, DRAWN_RATIO, rng, "fixed")
    draws = make_draws(ids, language.vocabulary, asked, asked)
    times = time_gradients(narrow_model(rng), draws, QUICK_SENTENCES, int(words[0].sum()), rounds)
    ours, peer = (float(np.median(way)) for way in (times.vmap, times.loop))
    return BenchRow(f"a gradient, of {GRADIENT_DRAWS} by vmap", ours, peer, "one draw after the other", 3.0)


@dataclass
class Step:
    """A forward and a backward pass of a model, over when it is done, in bfloat16 where training has it so."""

    model: torch.nn.Module
    loss: Callable[[], torch.Tensor]

    def __call__(self) -> None:
        self.forget()
        with autocast(self.device, self.model.config.hidden_size):
            loss = self.loss()
        loss.backward()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def forget(self) -> None:
        """Lets go of the gradients."""
        self.model.zero_grad(set_to_none=True)

    def mebibytes(self) -> float:
        """The most memory of the GPU that it takes at once, in MiB, beside that of the weights."""
        self.forget()
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        self()
        return (torch.cuda.max_memory_allocated(self.device) - before) / 2**20


def _training_steps(rounds: int, ways: list[Step], who: str = "") -> Iterator[BenchRow]:
    """Logits at the predicted positions only, beside logits everywhere, and beside the same model in `transformers`."""
    few, everywhere, theirs = ways
    for name, ours, peer_name, peer, limit in (
        ("at 15% of the tokens", few, "logits everywhere", everywhere, 1.0),
        ("at 15% of the tokens", few, "transformers.BertForMaskedLM", theirs, 1.0),
        ("everywhere", everywhere, "transformers.BertForMaskedLM", theirs, 0.9),
    ):
        yield BenchRow(f"a training step{who}, logits {name}", *medians(rounds, ours, peer), peer_name, limit)
    if few.device.type == "cuda":
        memory = f"memory of a training step{who}, logits at 15% of the tokens"
        for peer_name, peer in (("logits everywhere", everywhere), ("transformers.BertForMaskedLM", theirs)):
            yield BenchRow(memory, few.mebibytes(), peer.mebibytes(), peer_name, 1.0, "MiB")


def _training_steps_on_a_gpu(rounds: int, device: torch.device) -> Iterator[BenchRow]:
    """Of BERT-base, with a batch as large as GPU_BATCH or as fits."""
    config, batch = ModelConfig.base(BERT_WORDS, max_position_embeddings=LENGTH), GPU_BATCH
    while batch:
        if ways := _warm(config, batch, device):
            who = f" of base, {batch} rows, on {torch.cuda.get_device_name(device)}"
            yield from _training_steps(rounds, ways, who)
            return
        batch //= 2


def _warm(config: ModelConfig, batch: int, device: torch.device) -> list[Step]:
    """The three ways to step, each of which has been gone a few times, or none where the GPU lacks the memory."""
    try:
        ways = _ways_to_step(config, batch, device)
        for step in ways * 3:
            step()
    except torch.OutOfMemoryError:
        return []
    return ways


def _ways_to_step(config: ModelConfig, batch: int, device: torch.device) -> list[Step]:
    """Ours with logits at the predicted positions, ours with logits everywhere, and that of `transformers`."""
    from transformers import BertConfig, BertForMaskedLM

    generator = torch.Generator().manual_seed(0)
    model = MaskedLM(config, generator).train().to(device)
    other = BertForMaskedLM(BertConfig(**json.loads(config.to_json()))).train().to(device)
    ids = torch.randint(0, BERT_WORDS, (batch, LENGTH), generator=generator)
    positions = torch.stack([torch.randperm(LENGTH, generator=generator)[:PREDICTED] for _ in range(batch)])
    labels = torch.full_like(ids, IGNORE_INDEX).scatter(1, positions, ids.gather(1, positions))
    ids, positions, labels = (tensor.to(device) for tensor in (ids, positions, labels))

    def nats(where: torch.Tensor | None) -> torch.Tensor:
        logits, asked = model(ids, None, where), labels if where is None else ids.gather(1, where)
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), asked.flatten(), ignore_index=IGNORE_INDEX)

    return [
        Step(model, lambda: nats(positions)),
        Step(model, lambda: nats(None)),
        Step(other, lambda: other(input_ids=ids, labels=labels).loss),
    ]


# ---- what a learner waits for


def _posteriors() -> Callable[[], None]:
    """What asks the trigram model for the next word of a sentence, round and round."""
    model, words = english_trigram(), split_words("And God said, Let there be light: and there was light.")
    positions = cycle(range(len(words)))
    return lambda: model.posterior(words, next(positions))
