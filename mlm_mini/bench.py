"""Speed, side by side: what is ours and its peer take turns in one run, so that a busy machine slows both alike.

A row's ratio is the peer's median time over ours, above 1 where ours is faster; its limit is the least that the
course promises. For a widget the peer is the tenth of a second within which a step must be seen.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle

import ipywidgets
import numpy as np
import torch

from mlm_mini import widgets
from mlm_mini.experiments.gradient_variance import QUICK_SENTENCES, quick_gradient_variance, quick_model
from mlm_mini.experiments.gradients import make_draws, one_thread, time_gradients
from mlm_mini.experiments.selection import STRATEGIES
from mlm_mini.languages import english_trigram, scene_language, split_words
from mlm_mini.model import MaskedLM, ModelConfig, autocast, choose_device
from mlm_mini.reference import IGNORE_INDEX, maskable_positions, select_positions
from mlm_mini.widgets.attention import MOST_TOKENS, AttentionMaps
from mlm_mini.widgets.economics import MaskingCurves

ROUNDS = 11
STEP_MS, POSTERIOR_MS = 100.0, 20.0
DRAWS, DRAWN_RATIO = 64, 0.15
BATCH, GPU_BATCH, LENGTH = 8, 64, 128
WORDS, PREDICTED = 30_522, 19  # BERT's vocabulary, and 15% of the tokens


@dataclass(frozen=True)
class Row:
    """ours, peer: median times in `unit`. limit: the least ratio of the two that the course promises."""

    name: str
    ours: float
    peer: float
    peer_name: str
    limit: float
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """How many times as fast as its peer ours is."""
        return self.peer / self.ours

    @property
    def kept(self) -> bool:
        """Whether it is as fast as promised."""
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


def measure(rounds: int = ROUNDS) -> Iterator[Row]:
    """Every row, one after the other, on one thread; about a minute. Raises ValueError for less than one round.

    Where there is a GPU, BERT-base takes its steps there as well.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}: expected at least 1")
    with one_thread():
        yield _gradients(rounds)
        tiny, base = (size(WORDS, max_position_embeddings=LENGTH) for size in (ModelConfig.tiny, ModelConfig.base))
        yield from _training_steps(rounds, tiny, BATCH, torch.device("cpu"))
        if (gpu := choose_device()).type != "cpu":
            yield from _training_steps(rounds, base, GPU_BATCH, gpu)
        yield Row("a posterior on English", _median(_posteriors(), rounds), POSTERIOR_MS, "a fiftieth of a second", 1.0)
        for name, _, step in _widget_steps():
            yield Row(f"a step of the {name}", _median(step, rounds), STEP_MS, "a tenth of a second", 1.0)


def take_turns(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median milliseconds of both, which take turns; a first turn of each warms up and is not counted."""
    times = ([], [])
    for turn in range(rounds + 1):
        for way, taken in zip((ours, peer), times, strict=True):
            milliseconds = _milliseconds(way)
            if turn:
                taken.append(milliseconds)
    return statistics.median(times[0]), statistics.median(times[1])


def _median(step: Callable[[], object], rounds: int) -> float:
    step()
    return statistics.median(_milliseconds(step) for _ in range(rounds))


def _milliseconds(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return 1e3 * (time.perf_counter() - start)


# ---- gradients and training


def _gradients(rounds: int) -> Row:
    """As in chapter 09: per-draw gradients of the widget's model at the widget's size."""
    language, rng = scene_language(), np.random.default_rng(0)
    ids = language.sample(QUICK_SENTENCES, rng).ids[None]
    words = np.broadcast_to(maskable_positions(ids, language.vocabulary.special_ids), (DRAWS, *ids.shape[1:]))
    asked = select_positions(words.reshape(DRAWS, -1), DRAWN_RATIO, rng, "fixed").reshape(words.shape)
    draws = make_draws(ids, asked, asked, language.vocabulary)
    times = time_gradients(quick_model(rng), draws, QUICK_SENTENCES, int(words[0].sum()), rounds)
    ours, peer = (float(np.median(way)) for way in (times.vmap, times.loop))
    return Row(f"a gradient, of {DRAWS} by vmap", ours, peer, "one draw after the other", 3.0)


def _training_steps(rounds: int, config: ModelConfig, batch: int, device: torch.device) -> Iterator[Row]:
    """A forward and a backward pass: logits at the predicted positions only, beside logits everywhere, and beside the
    same model in `transformers`."""
    few, everywhere, theirs = _ways_to_step(config, batch, device)
    where = "a training step" if device.type == "cpu" else f"a training step of base on {_name(device)}"
    for name, ours, peer_name, peer, limit in (
        ("at 15% of the tokens", few, "logits everywhere", everywhere, 1.0),
        ("at 15% of the tokens", few, "transformers.BertForMaskedLM", theirs, 1.0),
        ("everywhere", everywhere, "transformers.BertForMaskedLM", theirs, 0.9),
    ):
        yield Row(f"{where}, logits {name}", *take_turns(ours, peer, rounds), peer_name, limit)
    if device.type == "cuda":
        for peer_name, peer in (("logits everywhere", everywhere), ("transformers.BertForMaskedLM", theirs)):
            memory = _peak_mib(few, device), _peak_mib(peer, device)
            yield Row(f"peak memory of {where}, logits at 15% of the tokens", *memory, peer_name, 1.0, "MiB")


def _ways_to_step(config: ModelConfig, batch: int, device: torch.device) -> list[Callable[[], None]]:
    """Ours with logits at the predicted positions, ours with logits everywhere, and that of `transformers`.

    On a GPU the products are in bfloat16 where training has them so, for both, and a step waits until it is done.
    """
    from transformers import BertConfig, BertForMaskedLM

    generator = torch.Generator().manual_seed(0)
    model = MaskedLM(config, generator).train().to(device)
    other = BertForMaskedLM(BertConfig(**json.loads(config.to_json()))).train().to(device)
    ids = torch.randint(0, WORDS, (batch, LENGTH), generator=generator)
    positions = torch.stack([torch.randperm(LENGTH, generator=generator)[:PREDICTED] for _ in range(batch)])
    labels = torch.full_like(ids, IGNORE_INDEX).scatter(1, positions, ids.gather(1, positions))
    ids, positions, labels = (tensor.to(device) for tensor in (ids, positions, labels))

    def nats(where: torch.Tensor | None) -> torch.Tensor:
        logits, asked = model(ids, None, where), labels if where is None else ids.gather(1, where)
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), asked.flatten(), ignore_index=IGNORE_INDEX)

    def stepping(of: torch.nn.Module, loss: Callable[[], torch.Tensor]) -> Callable[[], None]:
        def step() -> None:
            of.zero_grad(set_to_none=True)
            with autocast(device, config.hidden_size):
                cost = loss()
            cost.backward()
            if device.type != "cpu":
                torch.accelerator.synchronize(device)

        return step

    return [
        stepping(model, lambda: nats(positions)),
        stepping(model, lambda: nats(None)),
        stepping(other, lambda: other(input_ids=ids, labels=labels).loss),
    ]


def _peak_mib(step: Callable[[], None], device: torch.device) -> float:
    """How much more memory of the GPU is in use during a step, at most, than before it: MiB beside weights and
    gradients."""
    step()
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    return (torch.cuda.max_memory_allocated(device) - before) / 2**20


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


# ---- what a learner waits for


def _posteriors() -> Callable[[], None]:
    """What asks the trigram model for the next word of a sentence, round and round."""
    model, words = english_trigram(), split_words("And God said, Let there be light: and there was light.")
    positions = cycle(range(len(words)))
    return lambda: model.posterior(words, next(positions))


def _widget_steps() -> Iterator[tuple[str, ipywidgets.Widget, Callable[[], None]]]:
    """The name of each widget, the widget, and what moves it by one step, at the largest size where there is one."""
    rng, sentence = np.random.default_rng(0), "word " * 40
    floor = np.array([0.02, 0.5, 0.9]), np.array([0.7, 1.0, 1.8]), np.full(3, 0.02)
    curves = MaskingCurves(*floor, quick_gradient_variance(rng, draws=4))
    weights = rng.dirichlet(np.ones(MOST_TOKENS), size=MOST_TOKENS)
    maps = AttentionMaps(tuple("abcdefgh" * (MOST_TOKENS // 8)), {"one": weights})
    model = MaskedLM(ModelConfig.mini(len(scene_language().vocabulary)), torch.Generator().manual_seed(0)).eval()
    shares = [round(0.1 + 0.02 * k, 2) for k in range(30)]

    game = widgets.cloze_widget()
    for text in game.texts:
        game.chooser.value = text
        yield f"cloze game, {text}", game, _playing(game)
    masks = widgets.mask_ratio_widget(sentence)
    yield "mask ratio", masks, _moving(masks.slider, shares)
    leak = widgets.leak_widget()
    yield "leak", leak, _moving(leak.slider, [0.25 * k for k in range(24)])
    attention = widgets.attention_widget(lambda _: maps, "")
    yield "attention map", attention, _moving(attention.query, range(MOST_TOKENS))
    economics = widgets.mask_economics_widget(sentence=sentence, curves=curves)
    yield "ratio, floor and noise", economics, _moving(economics.slider, shares)
    knobs = widgets.two_knobs_widget(0.8, 0.05, sentence, curves=curves)
    yield "two knobs, prediction", knobs, _moving(knobs.prediction, shares)
    yield "two knobs, corruption", knobs, _moving(knobs.corruption, shares)
    strategy = widgets.strategy_widget(model)
    yield "strategy, ratio", strategy, _moving(strategy.slider, shares)
    yield "strategy, choice", strategy, _moving(strategy.strategy, STRATEGIES)


def _playing(game: ipywidgets.Widget) -> Callable[[], None]:
    """What guesses, or brings the next sentence."""

    def step() -> None:
        game.word.value = "the"
        game.advance()

    return step


def _moving(control: ipywidgets.Widget, values: Iterable) -> Callable[[], None]:
    """What sets the control to the next of the values, round and round; the picture is drawn before it returns."""
    following = cycle(value for value in values if value != control.value)

    def step() -> None:
        control.value = next(following)

    return step
