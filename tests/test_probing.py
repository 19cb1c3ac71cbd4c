"""Probes: the exact posterior of a role beside enumeration, the draw of nouns, what is hidden, what is removed."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import rel_entr

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.claims.probing import say_used
from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.probing import features, probe, removal, removed, run
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
from mlm_mini.experiments.probing.probe import balanced_accuracy, by_kind, control_labels, fit_probe, split_folds
from mlm_mini.experiments.probing.reading import (
    CONTROL_TASK,
    KNOWN_WORDS,
    NOUN_MASKED,
    NOUN_SEEN,
    READ_NOUNS,
    ROLE,
    TRAINED,
    UNTRAINED,
    Reader,
    Reading,
    random_copy,
)
from mlm_mini.experiments.probing.removed import (
    EQUALLY_FAR,
    RANDOM_DRAWS,
    RANDOM_REMOVED,
    ROLE_REMOVED,
    RemovalBench,
    measure_removal,
)
from mlm_mini.experiments.probing.study import points, with_ends
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
    assert not (one & (nouns.ids == language.vocabulary.ids(["."])[0])).any()
    others = words_meant(language, nouns, OTHER_WORD)
    place, of = (others.cumsum(axis=1) * one).max(axis=1), others.sum(axis=1)  # the first, second ... of so many
    several = of > 1
    assert ((place - 1)[several] / (of - 1)[several]).mean() == pytest.approx(0.5, abs=0.04), "any of them alike"
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


def test_nouns_read_some_at_a_time_are_read_as_those_read_at_once(read, monkeypatch):
    model, nouns = read
    asked = model, nouns.ids, nouns.places, scene_language().vocabulary.pad_id
    whole = features.states_at(*asked), removal.log_predictions(*asked)
    for module in (features, removal):
        monkeypatch.setattr(module, "PROBED_AT_ONCE", 7)
    for one, other in zip((features.states_at(*asked), removal.log_predictions(*asked)), whole, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_a_changed_vector_is_what_the_head_reads(read):
    model, nouns = read
    asked = model, nouns.ids, nouns.places, scene_language().vocabulary.pad_id
    x = features.states_at(*asked)[-1]
    with torch.no_grad():
        logits = model.head(torch.from_numpy(2 - x).float(), model.embeddings.words.weight)
    found = removal.log_predictions(*asked, layer=len(model.blocks), change=lambda x: 2 - x)
    assert found == pytest.approx(logits.double().log_softmax(-1).numpy(), abs=1e-4)
    before = removal.log_predictions(*asked)
    moved = rel_entr(np.exp(before), np.exp(found)).sum(axis=1)  # KL(before, after)
    assert removal.moved_nats(before, found) == pytest.approx(moved)
    assert np.abs(moved - rel_entr(np.exp(found), np.exp(before)).sum(axis=1)).max() > 0.01


def test_the_text_around_a_noun_is_its_words_and_its_place():
    seen = np.array([[2, 7, 7, 5, 3], [2, 5, 6, 3, 0]])
    bag = features.bag_of_words(seen, np.array([1, 2]), 8)
    assert bag.tolist() == [[0, 0, 1, 1, 0, 1, 0, 1], [1, 0, 1, 1, 0, 1, 0, 0]]
    assert features.position_one_hot(np.array([1, 2]), 3).tolist() == [[0, 1, 0], [0, 0, 1]]


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


def test_an_equally_far_move_goes_towards_the_mean_along_a_direction_of_the_vectors_spread():
    rng = np.random.default_rng(12)
    line = rng.normal(size=(50, 1)) + 7
    moved = removal.equally_far(line, lambda x: np.full_like(x, line.mean()), rng)(line)
    assert moved == pytest.approx(np.full_like(line, line.mean()))  # on a line there is one way to go so far
    x = rng.normal(size=(400, 2)) * [3, 1]
    along = []
    for _ in range(400):
        away = removal.equally_far(x, lambda x: x + 1, rng)(x) - x
        along.append((away[:, 0] ** 2).sum() / (away**2).sum())
    assert np.mean(along) == pytest.approx(3 / 4, abs=0.05)  # of a normal direction with standard deviations 3 and 1
    assert removal.random_removal(x + 5, 1, rng)(x + 5).mean(axis=0) == pytest.approx((x + 5).mean(axis=0))


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


def test_who_always_says_the_same_is_half_right():
    true = np.array([True, True, True, False])
    assert balanced_accuracy(np.ones(4, dtype=bool), true) == 0.5
    assert balanced_accuracy(np.array([True, False, False, False]), true) == pytest.approx((1 / 3 + 1) / 2)
    assert balanced_accuracy(np.array([True, False, False]), true[:3]) == pytest.approx(1 / 3)


def test_accuracy_is_that_of_each_fold_and_kind_and_folds_are_averaged():
    scores = np.array([1.0, -1.0, 2.0, -3.0, 0.5, -0.5])
    agent = np.array([True, True, False, False, True, False])
    kind, folds = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 1, 1])
    found = by_kind(scores, Nouns(np.zeros((6, 1)), np.zeros(6), agent, kind), folds)
    assert found == pytest.approx(np.array([[0.25, 1, np.nan], [np.nan, 1, np.nan]]), nan_ok=True)
    turned = by_kind(scores, Nouns(np.zeros((6, 1)), np.zeros(6), ~agent, kind), folds, agent)
    assert turned == pytest.approx(found, nan_ok=True)
    reading = Reading(TRAINED, NOUN_SEEN, 0, NOTHING, ROLE, [[0.25, 1.0, None], [None, 0.5, 0.75]])
    assert reading.accuracy.tolist() == [0.25, 0.75, 0.75]


def test_a_penalty_is_tried_on_groups_that_were_not_fitted_and_a_tie_goes_to_the_larger(monkeypatch):
    """A probe that is right with the penalties 1 and 10, and wrong with the others."""
    groups, y = np.repeat(np.arange(10), 2), np.tile([True, False], 10)
    x, fitted, asked = np.column_stack([groups, np.where(y, 1.0, -1.0)]), [], set()

    def fit(x, y, penalty):
        fitted.append((set(x[:, 0].astype(int).tolist()), penalty))

        def scores(x):
            asked.update(x[:, 0].astype(int).tolist())
            return x[:, 1] * (1 if penalty in (1, 10) else -1)

        return SimpleNamespace(scores=scores, penalty=penalty)

    monkeypatch.setattr(probe, "fit_probe", fit)
    assert probe.choose_probe(x, y, groups).penalty == 10
    assert asked == {0, 5}
    assert all(seen == set(range(10)) - asked for seen, _ in fitted[:-1])
    assert sorted(penalty for _, penalty in fitted[:-1]) == sorted(probe.PENALTIES)
    assert fitted[-1] == (set(range(10)), 10)


@pytest.fixture(scope="module")
def reader(one_thread):
    return Reader(role_task(), 300, 7)


def test_the_ceiling_is_how_often_the_exact_posterior_is_right(small):
    reader = Reader(RoleTask(small), 150, 3)
    for noun in READ_NOUNS:
        right: dict[int, list] = {kind: [] for kind in range(len(SENTENCE_KINDS))}
        for ids, place, kind in zip(reader.nouns.ids, reader.nouns.places, reader.nouns.kind, strict=True):
            seen = ids.copy()
            if noun == NOUN_MASKED:
                seen[place] = small.vocabulary.mask_id
            p = enumerated_posterior(reader.task, seen, place)
            right[kind].append(max(p, 1 - p))
        assert reader.ceiling(noun) == pytest.approx([np.mean(right[kind]) for kind in right])
        hidden = reader.seen(noun)[np.arange(150), reader.nouns.places] == small.vocabulary.mask_id
        assert (hidden == (noun == NOUN_MASKED)).all()


def test_a_word_that_the_probe_has_met_tells_it_how_to_read(reader):
    """Each word says its role on a line of its own: of use on words that were met, and of none on new ones."""
    words = np.eye(len(scene_language().vocabulary))[reader.nouns.lemmas]
    signed = words[:, words.any(axis=0)] * np.where(reader.nouns.agent, 1.0, -1.0)[:, None]
    assert reader.fold_accuracy(signed, KNOWN_WORDS).mean() > 0.9
    assert reader.fold_accuracy(signed, ROLE).mean() == pytest.approx(0.5, abs=0.05)


def test_each_reading_says_where_it_is_from(reader, shipped, monkeypatch):
    made = []

    def accuracy(self, x, task=ROLE):
        made.append((*x, task))
        return np.full((1, 3), len(made) - 1)

    monkeypatch.setattr(Reader, "fold_accuracy", accuracy)
    monkeypatch.setattr(Reader, "states", lambda self, m, noun, hidden=NOTHING: [(m[0], noun, i, hidden) for i in m[1]])
    monkeypatch.setattr(Reader, "text_features", lambda self, noun: {"position": ("position", noun, 0, NOTHING)})
    monkeypatch.setattr(features, "word_vectors", lambda model, lemmas: ("static table", NOUN_SEEN, 0, NOTHING))

    class Model(tuple):
        blocks = (None, None)

    models = {name: Model((name, range(3))) for name in (TRAINED, UNTRAINED)}
    found = [*reader.read_layers(models), *reader.read_hidden(models[TRAINED]), *reader.read_text(models[TRAINED])]
    for reading in found:
        name = reading.reader, reading.noun, reading.layer, reading.hidden, reading.task
        assert made[int(reading.accuracy[0])] == name
    names = {(r.reader, r.noun, r.layer, r.hidden, r.task) for r in shipped.models[0].readings}
    assert {name for name in names if "bag" not in name[0]} == set(made)


def test_random_weights_are_those_before_a_first_step(read):
    model, _ = read
    one, again, other = (random_copy(model, seed).embeddings.words.weight for seed in (3, 3, 4))
    assert one.equal(again)
    assert not one.equal(other)
    assert not one.equal(model.embeddings.words.weight)


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


def test_the_same_words_are_hidden_at_every_call_and_for_every_noun(reader):
    hidden = {what: [reader.seen(noun, what) for noun in (*READ_NOUNS, NOUN_SEEN)] for what in (OTHER_WORD, HALF)}
    for whole, without, again in hidden.values():
        assert (whole == again).all()
        assert (hide_noun(reader.language, reader.nouns, whole) == without).all()
    assert Reader(role_task(), 300, 8).seen(NOUN_SEEN, HALF).tolist() != hidden[HALF][0].tolist()


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


def test_what_a_change_does_is_measured_on_the_nouns_of_a_kind_in_a_fold(reader):
    """All vectors become one: every prediction is the same then, and nothing of the role is left."""
    model = narrow_model(np.random.default_rng(1))
    last = len(model.blocks)
    bench, asked = RemovalBench(reader, model, last), reader.seen(NOUN_MASKED)
    out = (reader.lemma_folds == 2) & (reader.nouns.kind == SUBJECT_ALONE)
    found = bench.measure(lambda x: np.full_like(x, 0.5), 2, SUBJECT_ALONE, new_probe=True)
    with torch.no_grad():
        logits = model.head(torch.full((1, bench.x.shape[1]), 0.5), model.embeddings.words.weight)
    after = logits.double().softmax(-1).numpy()
    places = reader.nouns.places
    before = np.exp(removal.log_predictions(model, asked, places, reader.language.vocabulary.pad_id))[out]
    exact = reader.language.posterior_at(asked[out], places[out][:, None])[:, 0]
    farther = (rel_entr(exact, after) - rel_entr(exact, before)).sum(axis=1).mean()
    flips = (before.argmax(axis=1) != after.argmax()).mean()
    moved = rel_entr(before, after).sum(axis=1).mean()
    assert found == pytest.approx([moved, farther, flips, 0.5], rel=1e-3)
    assert np.isnan(bench.measure(lambda x: x, 2, SUBJECT_ALONE, new_probe=False)).tolist() == [False] * 3 + [True]


def test_removals_are_averaged_over_folds_and_draws():
    measured = [(0, 1, 2, 3, np.nan), (0, 3, 4, 5, 0.5), (1, 5, 5, 5, 0.25), (2, 1, 0, 0, 1.0), (1, 6, 7, 8, np.nan)]
    assert removed._means(measured).tolist() == [[2, 5.5, 1], [3, 6, 0], [4, 6.5, 0], [0.5, 0.25, 1]]


def test_a_cell_reads_new_verbs_in_the_last_layer_of_each_model(monkeypatch):
    class Fake:
        nouns = SimpleNamespace(lemmas=None)
        read_layers = read_hidden = read_text = lambda self, model: []
        ceiling = changed = lambda self, *what: np.zeros(3)

        def states(self, model, noun):
            return [0.0, {"m": 10.0, "r": 20.0}[model.name] + READ_NOUNS.index(noun)]

        def new_verbs(self, x):
            return x

    def of(name):
        return SimpleNamespace(name=name, blocks=[1, 2, 3])

    curve = [SimpleNamespace(gap=0.5), SimpleNamespace(gap=0.25)]
    monkeypatch.setattr(run, "cached_model", lambda *given, **how: SimpleNamespace(model=of("m"), curve=curve))
    monkeypatch.setattr(run.reading, "random_copy", lambda model, seed: of("r"))
    monkeypatch.setattr(run, "Reader", lambda *given: Fake())
    monkeypatch.setattr(run.features, "word_vectors", lambda model, lemmas: 30.0)
    monkeypatch.setattr(run.removed, "measure_removal", lambda reader, model, layer: [layer])
    found = run.run_probing_cell(run.ProbingCell("tiny", 1, 0, 10))
    verbs = {"trained, noun visible": 10, "trained, noun hidden": 11, "static table": 30}
    assert found["new_verbs"] == verbs | {"random weights, noun visible": 20, "random weights, noun hidden": 21}
    assert (found["gap"], found["removals"]) == (0.25, [1, 3])
    assert [(of["noun"], of["hidden"]) for of in found["ceilings"]] == list(itertools.product(READ_NOUNS, HIDEABLE))


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


def test_ceilings_removals_and_verbs_are_read_where_their_names_say(shipped):
    number = (x / 10_000 for x in range(10_000))
    models = tuple(
        replace(
            model,
            ceilings=tuple(replace(c, right=three(number), changed=three(number)) for c in model.ceilings),
            removals=tuple(
                replace(r, moved=three(number), farther=three(number), flips=three(number), left=three(number))
                for r in model.removals
            ),
            new_verbs={name: next(number) for name in model.new_verbs},
        )
        for model in shipped.models
    )
    study = replace(shipped, models=models)

    def ceilings(noun, hidden):
        return [c for model in models for c in model.ceilings if (c.noun, c.hidden) == (noun, hidden)]

    for noun, hidden in itertools.product(READ_NOUNS, HIDEABLE):
        whole, without = (np.array([c.right for c in ceilings(noun, what)]) for what in (NOTHING, hidden))
        assert (study.ceiling(noun, hidden) == without).all()
        assert (study.exact_drop(noun, hidden) == whole - without).all()
        assert (study.changed(hidden) == [c.changed for c in ceilings(NOUN_SEEN, hidden)]).all()
    for what, layer, quantity in itertools.product((ROLE_REMOVED, EQUALLY_FAR), (1, 2), ("moved", "farther", "left")):
        of = [r for model in models for r in model.removals if (r.what, r.layer) == (what, layer)]
        assert (study.removed(what, quantity, layer) == [getattr(r, quantity) for r in of]).all()
    assert (study.removed(ROLE_REMOVED) == study.removed(ROLE_REMOVED, "moved", 2)).all()
    for noun, reader in itertools.product(READ_NOUNS, (TRAINED, UNTRAINED)):
        assert (study.new_verbs(noun, reader) == [model.new_verbs[f"{reader}, {noun}"] for model in models]).all()
    assert (study.new_verbs_by_word() == [model.new_verbs["static table"] for model in models]).all()


def three(numbers):
    return np.array([next(numbers) for _ in range(3)])


def points_lost(study, noun, hidden, kind):
    """What hiding a word costs the probe in each model, straight from its readings, and what it costs on average to
    know nothing else."""

    def read(model, what):
        wanted = (TRAINED, noun, 2, what, ROLE)
        (of,) = [r for r in model.readings if (r.reader, r.noun, r.layer, r.hidden, r.task) == wanted]
        return 100 * np.nanmean(of.folds, axis=0)[kind]

    def exact(model, what):
        (of,) = [c for c in model.ceilings if (c.noun, c.hidden) == (noun, what)]
        return 100 * of.right[kind]

    lost = [read(model, NOTHING) - read(model, hidden) for model in study.models]
    return lost, np.mean([exact(model, NOTHING) - exact(model, hidden) for model in study.models])


def test_table_and_words_have_the_numbers_of_the_study(shipped):
    lines = shipped.table().splitlines()
    said = shipped.describe()
    for noun, hidden in itertools.product(READ_NOUNS, HIDEABLE[1:]):
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"{noun}, {hidden} hidden")]
        columns = [mean_interval(100 * column) for column in shipped.accuracy(noun, hidden=hidden).T]
        cells = lines[at][46:].replace("±", "").split()
        values = [x for e in columns for x in (e.value, (e.high - e.low) / 2)]
        assert [float(x) for x in cells] == pytest.approx(values, abs=0.051)
        ceilings = [c for model in shipped.models for c in model.ceilings]
        posterior = np.mean([c.right for c in ceilings if (c.noun, c.hidden) == (noun, hidden)], axis=0)
        assert [float(x) for x in lines[at + 1][46:].split()] == pytest.approx(100 * posterior, abs=0.051)
        for kind, name in enumerate(SENTENCE_KINDS):
            lost, exact = points_lost(shipped, noun, hidden, kind)
            told = f"{noun}, {hidden} hidden, {name}: {points(mean_interval(lost))}, posterior {exact:.1f}"
            assert (told in said) == bool(shipped.changed(hidden)[:, kind].any())
    for noun, reader in itertools.product(READ_NOUNS, (TRAINED, UNTRAINED)):
        (line,) = [line for line in lines if line.startswith(f"{noun}, {reader}: selectivity")]
        assert f" {points(mean_interval(100 * shipped.selectivity(noun, reader)))} points" in line


def test_the_picture_shows_each_drop_beside_its_word_and_titles_that_of_the_verb(shipped):
    for kind, axes in enumerate(shipped.plot().axes):
        words = [hidden for hidden in HIDEABLE[1:] if shipped.changed(hidden)[:, kind].any()]
        bars = {container.get_label(): container for container in axes.containers}
        ticks = [line for line in axes.lines if line.get_marker() == "|" and line.get_markersize() > 10]
        for noun, tick in zip((NOUN_MASKED, NOUN_SEEN), ticks, strict=True):
            drops = [points_lost(shipped, noun, hidden, kind) for hidden in words]
            marks, _, (lines,) = bars[noun]
            assert marks.get_xdata() == pytest.approx([np.mean(lost) for lost, _ in drops])
            assert np.round(marks.get_ydata()).tolist() == [HIDEABLE[1:].index(hidden) for hidden in words]
            ends = [mean_interval(lost)[1:] for lost, _ in drops]
            assert [tuple(segment[:, 0]) for segment in lines.get_segments()] == [pytest.approx(e) for e in ends]
            assert tick.get_xdata() == pytest.approx([exact for _, exact in drops])
        verb = np.mean(points_lost(shipped, NOUN_MASKED, VERB, kind)[0])
        assert axes.get_title().endswith(f"noun hidden:\nwithout the verb {round(verb) + 0} points lost")


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
        (Estimate(-0.2, -0.52, -0.02), "-0.20 (-0.52 to -0.02)"),
    ],
)
def test_an_interval_has_ends_that_differ(estimate, expected):
    assert with_ends(estimate) == expected
    assert points(estimate) == expected if estimate.value < 0 else points(estimate).startswith(f"+{expected[:3]}")


def test_where_a_direction_moves_more_is_said_by_kind():
    assert say_used({"active": 2.0, "passive": 1.1}) == "more in every kind"
    assert say_used({"active": 0.5, "passive": 0.9}) == "less in every kind"
    assert say_used({"active": 2.0, "passive": 0.9}) == "more in active only"
    assert say_used({"active": 1.0, "passive": 1.001}) == "more in passive only"
