"""Every widget of the course with something that moves it by one step, for who asks how long a learner waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

import ipywidgets
import numpy as np
import torch

from mlm_mini import widgets
from mlm_mini.experiments.strategy.selection import STRATEGIES
from mlm_mini.experiments.variance.masking_curves import MaskingCurves
from mlm_mini.experiments.variance.measure import quick_gradient_variance
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.widgets.attention import MOST_MAPPED, AttentionMaps
from mlm_mini.widgets.joint import THREE_BLANKS

LONG_SENTENCE = "word " * 40
MANY_SHARES = [round(0.1 + 0.02 * k, 2) for k in range(30)]
WidgetStep = tuple[str, ipywidgets.Widget, Callable[[], None]]


def widget_steps() -> Iterator[WidgetStep]:
    """The name of each widget, the widget, and what moves it by one step, at the largest size where there is one."""
    model = MaskedLM(ModelConfig.mini(len(scene_language().vocabulary)), torch.Generator().manual_seed(0)).eval()
    yield from _of_part_one()
    yield from _of_ratios()
    strategy = widgets.strategy_widget(model)
    yield "strategy, ratio", strategy, _moving(strategy.slider, MANY_SHARES)
    yield "strategy, choice", strategy, _moving(strategy.strategy, STRATEGIES)
    plane = widgets.projection_widget(model)
    yield "projection, word", plane, _moving(plane.word, ("dog", "chef", "bread", "opens"))
    probe = widgets.probe_widget(model)
    yield "probe, sentence", probe, _moving(probe.sentence, probe.sentence.options)
    joint = widgets.joint_widget(THREE_BLANKS)
    yield "joint, word", joint, _moving(joint.word, joint.word.options)
    unmasking = widgets.unmasking_widget(model)
    yield "unmasking, step", unmasking, _moving(unmasking.slider, range(int(unmasking.slider.max) + 1))


def _of_part_one() -> Iterator[WidgetStep]:
    game = widgets.cloze_widget()
    for text in game.texts:
        game.chooser.value = text
        yield f"cloze game, {text}", game, _playing(game)
    masks = widgets.mask_ratio_widget(LONG_SENTENCE)
    yield "mask ratio", masks, _moving(masks.slider, MANY_SHARES)
    leak = widgets.leak_widget()
    yield "leak", leak, _moving(leak.slider, [0.25 * k for k in range(24)])
    weights = np.random.default_rng(0).dirichlet(np.ones(MOST_MAPPED), size=MOST_MAPPED)
    maps = AttentionMaps(tuple("abcdefgh" * (MOST_MAPPED // 8)), {"one": weights})
    attention = widgets.attention_widget(lambda _: maps, "")
    yield "attention map", attention, _moving(attention.query, range(MOST_MAPPED))


def _of_ratios() -> Iterator[WidgetStep]:
    floor = np.array([0.02, 0.5, 0.9]), np.array([0.7, 1.0, 1.8]), np.full(3, 0.02)
    curves = MaskingCurves(*floor, quick_gradient_variance(np.random.default_rng(0), draws=4))
    economics = widgets.mask_economics_widget(LONG_SENTENCE, curves=curves)
    yield "ratio, floor and noise", economics, _moving(economics.slider, MANY_SHARES)
    knobs = widgets.two_knobs_widget(LONG_SENTENCE, 0.8, 0.05, curves=curves)
    yield "two knobs, prediction", knobs, _moving(knobs.prediction, MANY_SHARES)
    yield "two knobs, corruption", knobs, _moving(knobs.corruption, MANY_SHARES)


def _playing(game: ipywidgets.Widget) -> Callable[[], None]:
    """What guesses, or brings the next sentence."""

    def step() -> None:
        game.word.value = "the"
        game.advance()

    return step


def _moving(control: ipywidgets.Widget, values: Iterable) -> Callable[[], None]:
    """What sets the control to the next of the values, round and round; the picture is drawn before it returns."""
    following = cycle(value for value in values if value != control.value)
    return lambda: setattr(control, "value", next(following))
