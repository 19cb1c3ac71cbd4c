"""What a learner waits for: gradients of single draws, an exact posterior, a step of a widget, a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np

from mlm_mini.bench.row import BenchRow, medians
from mlm_mini.course.check_times import check_times, first_check
from mlm_mini.experiments.lab.timing import one_thread
from mlm_mini.experiments.variance.draws import make_draws, select_from_batch
from mlm_mini.experiments.variance.gradient_times import time_gradients
from mlm_mini.experiments.variance.measure import QUICK_SENTENCES, narrow_model
from mlm_mini.languages import english_trigram, scene_language, split_words
from mlm_mini.reference import maskable_positions
from mlm_mini.widgets.steps import widget_steps

STEP_MS, POSTERIOR_MS, FIRST_CHECK_MS, CHECK_MS = 100.0, 20.0, 3000.0, 1000.0
GRADIENT_DRAWS, DRAWN_RATIO = 64, 0.15


def gradient_rows(rounds: int) -> Iterator[BenchRow]:
    """Per-draw gradients of the widget's model at the widget's size."""
    language, rng = scene_language(), np.random.default_rng(0)
    ids = language.sample(QUICK_SENTENCES, rng).ids[None]
    words = np.broadcast_to(maskable_positions(ids, language.vocabulary.special_ids), (GRADIENT_DRAWS, *ids.shape[1:]))
    asked = select_from_batch(words, DRAWN_RATIO, rng, "fixed")
    draws = make_draws(ids, language.vocabulary, asked, asked)
    times = time_gradients(narrow_model(rng), draws, QUICK_SENTENCES, int(words[0].sum()), rounds)
    ours, peer = (float(np.median(way)) for way in (times.vmap, times.loop))
    yield BenchRow(f"a gradient, of {GRADIENT_DRAWS} by vmap", ours, peer, "one draw after the other", 3.0)


def english_posterior_rows(rounds: int) -> Iterator[BenchRow]:
    """The trigram model, which must be quick enough to play against."""
    with one_thread():
        posterior = medians(rounds, _posteriors())
    yield BenchRow("a posterior on English", *posterior, POSTERIOR_MS, "a fiftieth of a second", 1.0)


def widget_rows(rounds: int) -> Iterator[BenchRow]:
    """Each widget, beside the tenth of a second within which a step must be seen."""
    with one_thread():
        for name, _, step in widget_steps():
            yield BenchRow(f"a step of the {name}", *medians(rounds, step), STEP_MS, "a tenth of a second", 1.0)


def check_rows(rounds: int) -> Iterator[BenchRow]:
    """The first check, which loads the course, and all of them."""
    with one_thread():
        first, slow = first_check(min(rounds, 5)), float(np.quantile(check_times(), 0.95))
    yield BenchRow("the first check in a fresh process", first, FIRST_CHECK_MS, "three seconds", 1.0)
    yield BenchRow("a check, of all exercises the 95th percentile", slow, CHECK_MS, "a second", 1.0)


def _posteriors() -> Callable[[], None]:
    """What asks the trigram model for the next word of a sentence, round and round."""
    model, words = english_trigram(), split_words("And God said, Let there be light: and there was light.")
    positions = cycle(range(len(words)))
    return lambda: model.posterior(words, next(positions))
