"""The sentence whose words can be hidden (chapter 13), driven as a learner drives it."""

import html
import re

import numpy as np
import pytest
import torch
from driving import alt_of

from mlm_mini import widgets
from mlm_mini.experiments.probing import one_sentence
from mlm_mini.experiments.probing.hiding import HALF, NOTHING
from mlm_mini.experiments.probing.nouns import role_task
from mlm_mini.experiments.probing.probe import Probe, fit_probe
from mlm_mini.experiments.probing.reading import NOUN_MASKED, NOUN_SEEN, READ_NOUNS, Reader
from mlm_mini.experiments.variance.measure import narrow_model
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.widgets import probe_widget
from mlm_mini.widgets.probe import PROBE_SENTENCES, READERS, ProbeWidget, probe_figure, read

pytestmark = pytest.mark.usefixtures("one_thread")
FALLS, RUNS = "the soldier falls in the park .", "the soldier runs in the park ."


@pytest.fixture(scope="module")
def widget(one_thread):
    return probe_widget(narrow_model(np.random.default_rng(0)))


def text_of(widget):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", widget.status.value)).split())


def show(widget, sentence, hidden=()):
    """Chooses a sentence and presses words, as a learner does."""
    widget.sentence.value = sentence
    for i, button in enumerate(widget.row.children):
        button.value = i in hidden


def test_the_package_exports_it():
    assert widgets.probe_widget is ProbeWidget


@pytest.mark.parametrize("sentence", PROBE_SENTENCES)
def test_the_noun_of_each_sentence_can_be_both_and_has_the_role_that_is_said(sentence):
    noun, role = PROBE_SENTENCES[sentence]
    task, words = role_task(), sentence.split()
    assert noun in task.lemmas
    ids = task.language.encode(sentence)
    p = task.agent_posterior(ids[None], np.array([words.index(noun) + 1]))[0]
    assert p == pytest.approx(float(role == "agent"), abs=1e-9)


def test_text_and_bars_show_what_is_read(widget):
    show(widget, FALLS, (2,))
    _, _, shown, shares = read(widget.probes, FALLS, (2,))
    text, values = text_of(widget), [shares.exact, *shares.probes.values()]
    assert "Read: the soldier [MASK] in the park ." in text
    assert "The soldier is the patient." in text
    assert shown[2] == "[MASK]"
    for name, p in zip(READERS.values(), values, strict=True):
        assert f"{name} {p:.2f}" in text
    for bar, p in zip(widget.charts.bars, values, strict=True):
        assert sorted([bar.get_x(), bar.get_x() + bar.get_width()]) == pytest.approx(sorted([p, 0.5]))
    assert alt_of(widget).endswith(text)


def test_a_share_is_the_logistic_of_the_score_of_the_probe_for_this_noun_and_model(widget, monkeypatch):
    probes, names = widget.probes, [(name, noun) for name in widget.probes.models for noun in READ_NOUNS]
    D = probes.models["trained"].config.hidden_size
    constant = {key: Probe(np.zeros(D), np.log(odds), 1.0) for key, odds in zip(names, (1 / 3, 1, 3, 9), strict=True)}
    monkeypatch.setattr(probes, "probes", constant)
    ids = scene_language().encode(RUNS)
    for noun, shares in ((NOUN_SEEN, [0.25, 0.75]), (NOUN_MASKED, [0.5, 0.9])):
        seen = ids.copy()
        if noun == NOUN_MASKED:
            seen[2] = scene_language().vocabulary.mask_id
        found = probes.read(seen, 2)
        assert list(found.probes.values()) == pytest.approx(shares)
        assert found.exact == pytest.approx(1)


def test_without_its_verb_a_sentence_is_that_of_the_other_verb(widget):
    said = []
    for sentence in (FALLS, RUNS):
        show(widget, sentence, (2,))
        said.append(text_of(widget).partition("agent: ")[2])
        show(widget, sentence)
        assert ("posterior 1.00" if sentence == RUNS else "posterior 0.00") in text_of(widget)
    assert said[0] == said[1]


def test_a_word_is_hidden_and_shown_again_and_a_new_sentence_begins_whole(widget):
    show(widget, FALLS)
    first = widget.status.value, widget.picture.value
    widget.row.children[1].value = True
    assert widget.hidden == (1,)
    assert "Read: the [MASK] falls" in text_of(widget)
    widget.row.children[1].value = False
    assert (widget.status.value, widget.picture.value) == first
    widget.row.children[4].value = True
    widget.sentence.value = RUNS
    assert widget.hidden == ()
    assert [button.description for button in widget.row.children] == RUNS.split()


def test_the_still_picture_has_its_numbers_in_words(widget):
    figure, alt = probe_figure(widget.probes.models["trained"], FALLS, (2,))
    assert len(figure.axes) == 1
    assert alt.startswith("Three bars. Read: the soldier [MASK] in the park .")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"sentence": "the chef cuts the bread ."},
            "sentence is 'the chef .*': expected one of 'the king",
        ),
        ({"hidden": (9,)}, "hidden has 9: the words of 'the king .*' are numbered 0 to 6"),
    ],
)
def test_what_cannot_be_shown_is_refused(given, message):
    for make in (probe_widget, probe_figure):
        with pytest.raises(ValueError, match=message):
            make(None, **given)


def test_a_model_of_another_language_is_refused():
    other = MaskedLM(ModelConfig.tiny(50, num_hidden_layers=1), torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"vocabulary of 50 tokens, the scene language \d+"):
        probe_widget(other)


def test_the_probes_have_met_none_of_the_nouns_that_are_asked_about(monkeypatch):
    fitted, read = [], []

    def note(x, y, penalty):
        fitted.append(len(y))
        read.append((x, y))
        return fit_probe(x, y, penalty)

    monkeypatch.setattr(one_sentence, "fit_probe", note)
    asked = scene_language().vocabulary.ids(["cat", "soldier"])
    model = narrow_model(np.random.default_rng(0))
    one_sentence.SentenceProbes(model, asked)
    reader = Reader(role_task(), one_sentence.PROBED_NOUNS, one_sentence.PROBED_SEED)
    nouns = reader.nouns
    others = int((~np.isin(nouns.lemmas, asked)).sum())
    assert others < len(nouns)
    assert fitted == [2 * others] * 4, "whole and half hidden, in two models, the noun visible and hidden"
    kept = ~np.isin(nouns.lemmas, asked)
    for hidden, half in ((NOTHING, slice(None, others)), (HALF, slice(others, None))):
        x, y = (part[half] for part in read[1])  # the second: of the model itself, the noun hidden
        assert x == pytest.approx(reader.states(model, NOUN_MASKED, hidden)[-1][kept], abs=1e-5)
        assert (y == nouns.agent[kept]).all()
