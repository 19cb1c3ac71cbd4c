"""Probes: the exact posterior of a role beside enumeration, the draw of nouns, what is hidden, what is removed."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.claims.probing import say_used
from mlm_mini.experiments.lab.intervals import Estimate
from mlm_mini.experiments.probing import features, removal
from mlm_mini.experiments.probing.hiding import (
    BY,
    DETERMINER,
    HALF,
    HIDEABLE,
    NOTHING,
    OTHER_WORD,
    VERB,
    hide,
    hide_noun,
    words_meant,
)
from mlm_mini.experiments.probing.logistic import logistic_loss
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS, SUBJECT_ALONE, Nouns, RoleTask, role_task
from mlm_mini.experiments.probing.probe import control_labels, fit_probe, split_folds
from mlm_mini.experiments.probing.reading import CONTROL_TASK, KNOWN_WORDS, NOUN_SEEN, READ_NOUNS, ROLE, Reader
from mlm_mini.experiments.probing.removed import (
    EQUALLY_FAR,
    RANDOM_DRAWS,
    RANDOM_REMOVED,
    ROLE_REMOVED,
    RemovalBench,
    measure_removal,
)
from mlm_mini.experiments.probing.study import with_ends
from mlm_mini.experiments.variance.measure import narrow_model
from mlm_mini.languages import ROLE_AGENT, ROLE_NONE, ROLE_PATIENT, SceneLanguage, Vocabulary, scene_language

pytestmark = pytest.mark.usefixtures("one_thread")

WORDS = ("man", "cat", "stone", "sees", "falls", "by")
N_, A, P = ROLE_NONE, ROLE_AGENT, ROLE_PATIENT


@pytest.fixture(scope="module")
def small():
    """Three words a sentence; "stone" is never an agent, and one frame is not asked about."""
    vocabulary = Vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
    at = {word: i + 5 for i, word in enumerate(WORDS)}

    def spread(**shares):
        row = np.zeros(len(vocabulary))
        for word, share in shares.items():
            row[at[word]] = share
        return row

    distributions = [
        np.eye(len(vocabulary))[2],
        np.eye(len(vocabulary))[3],
        spread(man=0.6, cat=0.4),
        spread(man=0.2, cat=0.3, stone=0.5),
        spread(sees=1.0),
        spread(falls=0.7, sees=0.3),
        spread(by=1.0),
        spread(cat=0.8, man=0.2),
    ]
    slots = [[0, 2, 4, 3, 1], [0, 3, 6, 2, 1], [0, 2, 5, 7, 1], [0, 3, 5, 7, 1], [0, 3, 4, 3, 1]]
    roles = [[N_, A, N_, P, N_], [N_, P, N_, A, N_], [N_, A, N_, N_, N_], [N_, P, N_, N_, N_], [N_, A, N_, P, N_]]
    return SceneLanguage(
        vocabulary,
        [0.3, 0.15, 0.2, 0.25, 0.1],
        np.array(slots),
        np.array(distributions),
        roles=np.array(roles),
        frame=np.array([0, 1, 2, 3, 4]),
        frames=("active", "passive", "acting", "undergoing", "coreference"),
    )


def whole_sentences(language):
    """Every sentence of every scene, with its probability: brute force."""
    for scene, slots in enumerate(language.slot_distribution):
        choices = [np.flatnonzero(language.distributions[d]) for d in slots]
        for ids in itertools.product(*choices):
            p = language.prior[scene] * np.prod([language.distributions[d, i] for d, i in zip(slots, ids, strict=True)])
            yield scene, np.array(ids), p


def enumerated_posterior(task, seen, place):
    """p(agent | seen, kept), by adding up whole sentences that agree with what is seen."""
    language, mass = task.language, {A: 0.0, P: 0.0}
    for scene, ids, p in whole_sentences(language):
        role, kind = language.roles[scene, place], task.scene_kind[scene]
        if (
            kind >= 0
            and role in mass
            and all(s in (i, language.vocabulary.mask_id) for s, i in zip(seen, ids, strict=True))
        ):
            mass[role] += p * task.keep[kind, ids[place], (A, P).index(role)]
    return mass[A] / (mass[A] + mass[P]) if sum(mass.values()) else None


def test_the_exact_posterior_of_a_role_is_that_of_enumeration(small):
    task, mask, checked = RoleTask(small), small.vocabulary.mask_id, 0
    sentences = {tuple(ids) for _, ids, _ in whole_sentences(small)}
    for ids in sorted(sentences):
        for hidden in itertools.product([False, True], repeat=3):
            seen = np.array(ids)
            seen[1:4][list(hidden)] = mask
            for place in (1, 3):
                expected = enumerated_posterior(task, seen, place)
                if expected is not None:
                    checked += 1
                    assert task.agent_posterior(seen[None], np.array([place]))[0] == pytest.approx(expected, abs=1e-12)
    assert checked > 100


def test_a_noun_that_is_never_asked_about_is_refused(small):
    task = RoleTask(small)
    stone = small.encode("stone falls cat")
    with pytest.raises(ValueError, match=r"what stands at 1 of '\[CLS\] stone falls cat \[SEP\]' is never asked about"):
        task.agent_posterior(stone[None], np.array([1]))


def test_of_each_word_and_kind_agents_and_patients_are_kept_alike():
    task = role_task()
    kept = task._chances() * task.keep
    assert kept[..., 0] == pytest.approx(kept[..., 1], abs=1e-15)
    assert kept.sum(axis=(1, 2)) == pytest.approx(np.full(len(SENTENCE_KINDS), kept.sum() / len(SENTENCE_KINDS)))
    assert task.keep.min() >= 0
    assert task.keep.max() == 1
    assert {"thief", "cat", "child"} <= set(task.lemmas)
    assert not {"chef", "bread", "door"} & set(task.lemmas), "these are never both"


def test_who_sees_nothing_but_the_noun_and_its_kind_is_right_half_of_the_time():
    nouns = role_task().draw(6000, np.random.default_rng(1))
    for kind in range(len(SENTENCE_KINDS)):
        assert nouns.agent[nouns.kind == kind].mean() == pytest.approx(0.5, abs=0.05)
        assert (nouns.kind == kind).mean() == pytest.approx(1 / 3, abs=0.03)


def test_the_posterior_is_calibrated_on_what_is_drawn():
    task, rng = role_task(), np.random.default_rng(2)
    nouns = task.draw(4000, rng)
    p = task.agent_posterior(hide(task.language, nouns, HALF, rng), nouns.places)
    for low, high in ((0, 0.1), (0.2, 0.5), (0.5, 0.8), (0.9, 1.01)):
        chosen = (low <= p) & (p < high)
        error = np.sqrt((p * (1 - p))[chosen].sum()) / chosen.sum()
        assert abs(nouns.agent[chosen].mean() - p[chosen].mean()) < 4 * error + 1e-9, (low, high)


def test_the_verb_decides_where_the_subject_stands_alone_and_nowhere_else():
    task, rng = role_task(), np.random.default_rng(3)
    nouns = task.draw(1500, rng)
    for what in (NOTHING, VERB, "is or was", BY, DETERMINER):
        for seen in (hide(task.language, nouns, what, rng), hide_noun(task.language, nouns, nouns.ids)):
            p = task.agent_posterior(seen, nouns.places)
            right = [np.maximum(p, 1 - p)[nouns.kind == kind].mean() for kind in range(len(SENTENCE_KINDS))]
            undecided = what == VERB and seen[0, nouns.places[0]] != task.language.vocabulary.mask_id
            assert right[0] > 0.99
            assert right[1] > 0.99
            assert right[SUBJECT_ALONE] < 0.6 if undecided else right[SUBJECT_ALONE] > 0.99


@pytest.mark.parametrize(
    ("text", "place", "what", "hidden"),
    [
        ("the young thief is arrested by the officer .", 3, VERB, "arrested"),
        ("the young thief is arrested by the officer .", 3, "is or was", "is"),
        ("the young thief is arrested by the officer .", 3, BY, "by"),
        ("the young thief is arrested by the officer .", 8, DETERMINER, "the"),
        ("the child slowly burns the cake in the garden .", 2, VERB, "burns"),
    ],
)
def test_what_is_hidden_is_what_its_name_says(text, place, what, hidden):
    language = scene_language()
    nouns = Nouns(language.encode(text)[None], np.array([place]), np.array([True]), np.array([0]))
    chosen = words_meant(language, nouns, what)[0]
    assert language.vocabulary.words(nouns.ids[0][chosen]) == [hidden]
    if what == DETERMINER:
        assert np.flatnonzero(chosen) == [7], "the one before the noun"


def test_another_word_is_neither_noun_nor_verb_and_half_is_half():
    task, rng = role_task(), np.random.default_rng(4)
    language, nouns = task.language, task.draw(800, rng)
    mask, each = language.vocabulary.mask_id, np.arange(800)
    one = hide(language, nouns, OTHER_WORD, rng) == mask
    assert (one.sum(axis=1) == 1).all()
    assert not (one & words_meant(language, nouns, VERB)).any()
    assert not one[each, nouns.places].any()
    half = hide(language, nouns, HALF, rng) == mask
    words = np.isin(nouns.ids, language.vocabulary.regular_ids)
    assert half.sum() / (words.sum() - 800) == pytest.approx(0.5, abs=0.02)
    assert not half[each, nouns.places].any()
    assert (hide(language, nouns, NOTHING, rng) == nouns.ids).all()
    with pytest.raises(ValueError, match="what is 'adverb': expected one of nothing"):
        words_meant(language, nouns, "adverb")
    assert set(HIDEABLE) >= {NOTHING, VERB, BY, DETERMINER, OTHER_WORD, HALF}


@pytest.fixture(scope="module")
def read(one_thread):
    """A small model, and some nouns in their sentences."""
    nouns = role_task().draw(60, np.random.default_rng(5))
    return narrow_model(np.random.default_rng(0)), nouns


def test_the_last_state_is_that_of_the_model_and_unchanged_states_predict_the_same(read):
    model, nouns = read
    pad = scene_language().vocabulary.pad_id
    ids = torch.from_numpy(nouns.ids)
    states = features.states_at(model, nouns.ids, nouns.places, pad)
    with torch.no_grad():
        last = model.encode(ids, ids != pad)[torch.arange(60), torch.from_numpy(nouns.places)]
        logits = model(ids, ids != pad, torch.from_numpy(nouns.places)[:, None])[:, 0]
    assert states[-1] == pytest.approx(last.numpy(), abs=1e-5)
    expected = logits.double().log_softmax(-1).numpy()
    for layer in range(len(model.blocks) + 1):
        same = removal.log_predictions(model, nouns.ids, nouns.places, pad, layer, lambda x: x)
        assert same == pytest.approx(expected, abs=1e-4)
        assert removal.moved_nats(expected, same).max() < 1e-6


def test_a_removed_direction_is_gone_and_nothing_else():
    rng = np.random.default_rng(6)
    x, directions = rng.normal(size=(40, 9)), rng.normal(size=(2, 9))
    directions = np.concatenate([directions, directions[:1] * 3])  # dependent, and not of length 1
    left = removal.remove_directions(x, directions)
    assert np.abs(left @ directions.T).max() < 1e-12
    kept = np.linalg.svd(directions)[2][2:]  # what is at right angles to all of them
    assert left @ kept.T == pytest.approx(x @ kept.T)


def test_without_the_difference_of_the_means_the_means_are_equal_and_controls_go_equally_far():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(300, 6)) * np.arange(1, 7)
    y = rng.random(300) < 0.4
    x[y] += 2.0
    change = removal.removing(removal.class_difference(x, y), x.mean(axis=0))
    moved = change(x)
    assert moved[y].mean(axis=0) == pytest.approx(moved[~y].mean(axis=0))
    assert moved.mean(axis=0) == pytest.approx(x.mean(axis=0))
    other = removal.equally_far(x, change, rng)(x)
    assert ((other - x) ** 2).sum() == pytest.approx(((moved - x) ** 2).sum())
    assert np.linalg.matrix_rank(other - x) == 1


def test_directions_of_one_probe_after_the_other_stand_at_right_angles():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(200, 5))
    y = x[:, 0] + 0.3 * rng.normal(size=200) > 0
    found = removal.probed_directions(x, y, 3)
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-9)
    assert abs(found[0, 0]) > 0.9


# ---- probes


def test_the_gradient_of_a_probe_is_that_of_finite_differences():
    rng = np.random.default_rng(9)
    x, y, w, b = rng.normal(size=(12, 4)), rng.random(12) < 0.5, rng.normal(size=4), 0.3
    _, slope, slope_of_bias = logistic_loss(w, b, x, y, 1.5)
    for i in range(5):
        step = np.eye(5)[i] * 1e-6
        up, down = (logistic_loss(w + s * step[:4], b + s * step[4], x, y, 1.5)[0] for s in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx([*slope, slope_of_bias][i], rel=1e-5, abs=1e-7)


def test_a_fitted_probe_is_where_the_gradient_is_zero():
    rng = np.random.default_rng(10)
    x = rng.normal(size=(80, 5)) * np.arange(1, 6) + 3
    y = x[:, 0] + rng.normal(size=80) > 3
    probe = fit_probe(x, y, 2.0)
    scale = x.std(axis=0)
    _, slope, slope_of_bias = logistic_loss(
        probe.weights * scale, probe.bias + probe.weights @ x.mean(axis=0), (x - x.mean(axis=0)) / scale, y, 2.0
    )
    assert np.abs([*slope, slope_of_bias]).max() < 0.01


def test_a_word_lies_in_one_fold_and_a_coin_belongs_to_a_word():
    rng = np.random.default_rng(11)
    lemmas = rng.integers(0, 30, 400) * 7
    folds, labels = split_folds(lemmas, 6, rng), control_labels(lemmas, rng)
    for word in np.unique(lemmas):
        assert len(np.unique(folds[lemmas == word])) == 1
        assert len(np.unique(labels[lemmas == word])) == 1
    words = np.array([folds[lemmas == word][0] for word in np.unique(lemmas)])
    assert np.bincount(words).tolist() == [5] * 6


@pytest.fixture(scope="module")
def reader(one_thread):
    return Reader(role_task(), 300, 7)


def test_who_knows_the_word_solves_the_control_task_and_is_lost_on_new_words(reader):
    words = np.eye(len(scene_language().vocabulary))[reader.nouns.lemmas]
    words = words[:, words.any(axis=0)]
    assert reader.fold_accuracy(words, CONTROL_TASK).mean() > 0.95
    assert reader.fold_accuracy(words, ROLE).mean() == pytest.approx(0.5, abs=0.1)


def test_who_knows_the_role_is_right_on_new_words_and_lost_on_the_control_task(reader):
    role = reader.nouns.agent[:, None] * 1.0
    assert reader.fold_accuracy(role, ROLE).min() == 1
    assert reader.fold_accuracy(role, CONTROL_TASK).mean() == pytest.approx(0.5, abs=0.15)


def test_new_verbs_are_new(reader):
    """A probe that sees nothing but the verb knows its list, and no other verb."""
    verbs = np.where(words_meant(reader.language, reader.nouns, VERB), reader.nouns.ids, 0).max(axis=1)
    listed = np.eye(len(reader.language.vocabulary))[verbs]
    assert reader.fold_accuracy(listed)[:, SUBJECT_ALONE].mean() > 0.9
    assert reader.new_verbs(listed) < 0.6


@pytest.mark.parametrize("kind", range(len(SENTENCE_KINDS)))
def test_a_control_goes_as_far_as_the_removal_within_its_kind(reader, kind):
    bench = RemovalBench(reader, narrow_model(np.random.default_rng(1)), 1)
    given = (reader.lemma_folds != 0) & (reader.nouns.kind == kind)
    x, roles = bench.x[given], reader.nouns.agent[given]
    far: dict[str, list] = {}
    for what, change in bench.changes(0, kind):
        moved = change(x)
        far.setdefault(what, []).append(((moved - x) ** 2).sum(axis=1).mean())
        if what == ROLE_REMOVED:
            assert moved[roles].mean(axis=0) == pytest.approx(moved[~roles].mean(axis=0))
    assert far[EQUALLY_FAR] == pytest.approx(far[ROLE_REMOVED] * RANDOM_DRAWS)
    assert len(far[RANDOM_REMOVED]) == RANDOM_DRAWS


def test_what_is_not_there_is_not_hidden(reader):
    assert reader.changed(VERB).tolist() == [1, 1, 1]
    assert reader.changed(BY).tolist() == [0, 1, 0]
    assert reader.changed(NOTHING).tolist() == [0, 0, 0]


def test_a_removal_moves_predictions_and_leaves_no_role(reader):
    found = {of.what: of for of in measure_removal(reader, narrow_model(np.random.default_rng(1)), 1)}
    assert set(found) == {ROLE_REMOVED, RANDOM_REMOVED, EQUALLY_FAR}
    assert found[ROLE_REMOVED].left == pytest.approx(0.5, abs=0.12)
    for of in found.values():
        assert (of.moved >= 0).all()
        assert of.moved.shape == of.farther.shape == of.flips.shape == (len(SENTENCE_KINDS),)


# ---- the study


@pytest.fixture(scope="module")
def shipped():
    return find_experiment("probing").shipped()


def test_the_shipped_study_is_the_full_one_and_shows_itself(shipped):
    assert shipped.config == find_experiment("probing").full
    assert [model.cell for model in shipped.models] == shipped.config.cells()
    assert len(shipped.models) >= 5
    for noun in READ_NOUNS:
        assert shipped.accuracy(noun).shape == (len(shipped.models), len(SENTENCE_KINDS))
        assert shipped.selectivity(noun).shape == shipped.over_random(noun).shape == (len(shipped.models),)
        for hidden in HIDEABLE[1:]:
            assert shipped.drop(noun, hidden).shape == shipped.exact_drop(noun, hidden).shape
            assert shipped.exact_drop(noun, hidden).min() > -1e-9
    assert "the verb hidden" in shipped.table()
    assert "subject alone" in shipped.describe()
    titles = [ax.get_title() for ax in shipped.plot().axes]
    assert [title.split(",")[0] for title in titles] == list(SENTENCE_KINDS)
    with pytest.raises(ValueError, match="the study has 0 readings of"):
        shipped.accuracy(NOUN_SEEN, layer=9)


def test_selectivity_is_about_words_that_the_probe_has_met(shipped):
    rates = {ROLE: 0.6, KNOWN_WORDS: 0.9, CONTROL_TASK: 0.75}
    models = tuple(
        replace(model, readings=tuple(replace(r, folds=np.full_like(r.folds, rates[r.task])) for r in model.readings))
        for model in shipped.models
    )
    planted = replace(shipped, models=models)
    for noun in READ_NOUNS:
        assert planted.selectivity(noun) == pytest.approx([0.15] * len(models))
        assert planted.over_random(noun) == pytest.approx([0.0] * len(models))


def test_every_figure_is_read_where_its_name_says(shipped):
    names = [(r.reader, r.noun, r.layer, r.hidden, r.task) for r in shipped.models[0].readings]
    number = {name: 2.0**-i for i, name in enumerate(names)}  # no two have the difference of two others

    def planted(reading):
        name = reading.reader, reading.noun, reading.layer, reading.hidden, reading.task
        return replace(reading, folds=np.full_like(reading.folds, number[name]))

    models = tuple(replace(m, readings=tuple(map(planted, m.readings))) for m in shipped.models)
    study, last = replace(shipped, models=models), shipped.last
    for noun in READ_NOUNS:
        whole = number["trained", noun, last, "nothing", "role"]
        for hidden in HIDEABLE[1:]:
            lost = whole - number["trained", noun, last, hidden, "role"]
            assert (study.drop(noun, hidden) == lost).all()
        assert (study.over_random(noun) == whole - number["random weights", noun, last, "nothing", "role"]).all()
        for reader, layer in itertools.product(("trained", "random weights"), range(last + 1)):
            known = number[reader, noun, layer, "nothing", "role, words known"]
            control = number[reader, noun, layer, "nothing", "control task"]
            assert (study.selectivity(noun, reader, layer) == known - control).all()


def test_a_study_survives_its_json(shipped):
    again = type(shipped).from_json(shipped.to_json())
    assert again.table() == shipped.table()


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(1.0, 0.5, 1.5), "1.0 (0.5 to 1.5)"),
        (Estimate(0.93, 0.92, 0.94), "0.93 (0.92 to 0.94)"),
        (Estimate(52.001, 51.999, 52.003), "52.001 (51.999 to 52.003)"),
        (Estimate(2.0, 2.0, 2.0), "2.0"),
        (Estimate(-0.1, -0.16, -0.04), "-0.10 (-0.16 to -0.04)"),
    ],
)
def test_an_interval_has_ends_that_differ(estimate, expected):
    assert with_ends(estimate) == expected


def test_where_a_direction_moves_more_is_said_by_kind():
    assert say_used({"active": 2.0, "passive": 1.1}) == "more in every kind"
    assert say_used({"active": 0.5, "passive": 0.9}) == "less in every kind"
    assert say_used({"active": 2.0, "passive": 0.9}) == "more in active only"
