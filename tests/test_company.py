"""The company of words (chapter 12): counts and exact figures against enumeration, vectors against what they say."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import rankdata, spearmanr

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.claims.all_claims import find_claims
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.company import arms, baseline, english, geometry, projection, study, uses
from mlm_mini.experiments.company.alike import mantel, partial_rank_correlation
from mlm_mini.experiments.company.baseline import GRID, CountSetting
from mlm_mini.experiments.company.config import CompanyCell, CompanyConfig, CompanyScore, Look
from mlm_mini.experiments.company.contexts import (
    jensen_shannon,
    pairwise_divergence,
    sentence_divergence,
)
from mlm_mini.experiments.company.counts import cooccurrence, expected_cooccurrence
from mlm_mini.experiments.company.english import _counts, kinds_of
from mlm_mini.experiments.company.figures_of import CompanyFigures, company_figures, further
from mlm_mini.experiments.company.ppmi import context_distribution, ppmi, svd_vectors
from mlm_mini.experiments.company.projection import plane_of
from mlm_mini.experiments.company.result import IN_CONTEXT, WordCompany
from mlm_mini.experiments.company.stretch import output_pair, predictions, stretch
from mlm_mini.experiments.company.study import run_company_cell
from mlm_mini.experiments.company.truth import scene_company, word_frequency
from mlm_mini.experiments.company.vectors import last_states, mean_vectors, occurrences, table
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.permutations import permutation_share, rank_correlation, shuffled_correlations
from mlm_mini.experiments.lab.result import plain, restored
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.languages import SceneLanguage, Vocabulary, scene_language
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.seeds import TUNING_SEED
from mlm_mini.training import recipe

pytestmark = pytest.mark.usefixtures("one_thread")
rng = np.random.default_rng


@pytest.fixture(scope="module")
def company():
    return scene_company()


@pytest.fixture(scope="module")
def untrained(one_thread):
    return MaskedLM(ModelConfig.tiny(len(scene_language().vocabulary)), torch.Generator().manual_seed(1)).eval()


def small_language():
    """Three scenes of three words: contexts can be written down one by one."""
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "a", "b", "c", "d"])
    distributions = np.zeros((6, 9))
    for row, token in enumerate((vocabulary.cls_id, vocabulary.sep_id)):
        distributions[row, token] = 1.0
    distributions[2:, 5:] = [[0.5, 0.5, 0, 0], [0.2, 0, 0.8, 0], [0, 0.3, 0.3, 0.4], [0, 0, 0, 1.0]]
    slots = np.array([[0, 2, 3, 4, 1], [0, 4, 5, 2, 1], [0, 5, 3, 3, 1]])
    return SceneLanguage(vocabulary, [0.5, 0.3, 0.2], slots, distributions)


# ---- counts


def test_counts_are_those_of_a_loop():
    ids = rng(0).integers(0, 6, (20, 8))
    expected = np.zeros((6, 6), dtype=int)
    for row, i, j in itertools.product(ids, range(8), range(8)):
        if 0 < abs(i - j) <= 3 and row[i] not in (4, 1) and row[j] not in (4, 1):
            expected[row[i], row[j]] += 1
    assert (cooccurrence(ids, [4, 1], 6, 3) == expected).all()


@pytest.mark.parametrize("window", [1, 2, 20])
def test_the_expected_counts_are_sums_of_exact_joint_distributions(window):
    language = small_language()
    hidden = np.full(language.length, language.vocabulary.mask_id)
    expected = np.zeros((9, 9))
    for t, u in itertools.product(range(language.length), repeat=2):
        if 0 < abs(t - u) <= window:
            expected += language.joint(hidden, [t, u])
    special = language.vocabulary.special_ids
    expected[special] = expected[:, special] = 0
    assert expected_cooccurrence(language, window) == pytest.approx(expected, abs=1e-12)


def test_counts_come_to_what_is_expected():
    language = scene_language()
    ids = language.sample(20_000, rng(1)).ids
    counted = cooccurrence(ids, language.vocabulary.special_ids, len(language.vocabulary), 2) / len(ids)
    expected = expected_cooccurrence(language, 2)
    assert counted.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert np.abs(counted - expected).sum() < 0.2 * expected.sum()


def test_information_is_that_of_its_formula():
    counts = rng(2).poisson(1.0, (7, 5))
    counts[3] = counts[:, 1] = 0
    q = context_distribution(counts, 0.75)
    assert q.sum() == pytest.approx(1)
    matrix = ppmi(counts, shift=2.0)
    for i, j in np.ndindex(*counts.shape):
        times = counts[i, j] / max(counts[i].sum() * q[j], 1e-300)
        assert matrix[i, j] == pytest.approx(max(np.log(times / 2), 0) if counts[i, j] else 0)


def test_short_vectors_keep_the_inner_products_of_the_best_approximation():
    matrix = rng(3).normal(size=(6, 9))
    U, s, Vt = np.linalg.svd(matrix, full_matrices=False)
    best = (U[:, :2] * s[:2]) @ Vt[:2]
    short = svd_vectors(matrix, 2, 1.0)
    assert short @ short.T == pytest.approx(best @ best.T)
    assert np.linalg.norm(svd_vectors(matrix, 4, 0.0), axis=0) == pytest.approx(np.ones(4))


def test_a_setting_is_what_its_numbers_say():
    counts = {1: rng(31).poisson(2.0, (7, 7)), 2: rng(32).poisson(2.0, (7, 7))}
    setting = CountSetting(window=2, shift=1.25, smoothing=0.5, dimensions=2, power=1.0)
    U, s, _ = np.linalg.svd(ppmi(counts[2], shift=1.25, smoothing=0.5))
    vectors = setting.vectors(counts[2])
    assert vectors @ vectors.T == pytest.approx((U[:, :2] * s[:2] ** 2) @ U[:, :2].T)
    assert str(setting) == "window 2, shift 1.25, smoothing 0.5, 2 dimensions, power 1"
    assert str(setting._replace(shift=1.0)) == "window 2, smoothing 0.5, 2 dimensions, power 1"


def test_each_setting_is_tried_on_the_counts_of_its_window_and_the_first_of_the_best_is_kept(monkeypatch):
    monkeypatch.setattr(baseline, "company_figures", lambda vectors, company: planted_figures(vectors[0, 0]))
    monkeypatch.setattr(CountSetting, "vectors", lambda setting, counts: np.full((2, 2), counts[0, 0]))
    grid = [CountSetting(window, 1.0, 0.75, 2, power) for window in (1, 2, 5) for power in (0.0, 1.0)]
    counts = {1: np.full((2, 2), 4), 2: np.full((2, 2), 9), 5: np.full((2, 2), 7)}
    tried = baseline.try_settings(counts, None, grid)
    assert [trial.figures.likeness for trial in tried] == [4, 4, 9, 9, 7, 7]
    assert baseline.best_setting(tried, "likeness") == grid[2]


def planted_figures(likeness, **others):
    return CompanyFigures(**dict.fromkeys(CompanyFigures._fields, 0.0) | {"likeness": likeness} | others)


# ---- geometry


def test_neighbors_and_cones():
    vectors = np.array([[1.0, 0.0], [2.0, 0.1], [0.0, 3.0], [0.0, 0.0]])
    assert geometry.nearest(vectors, 2).tolist() == [[1, 2], [0, 2], [1, 0], [0, 1]]
    cosines = geometry.cosines(vectors)
    assert geometry.mean_cosine(vectors) == pytest.approx(cosines[~np.eye(4, dtype=bool)].mean())
    cone = rng(4).normal(size=(50, 8)) + 5
    assert geometry.mean_cosine(cone) > 0.9
    assert abs(geometry.mean_cosine(geometry.centered(cone))) < 0.05


def test_chance_is_what_random_neighbors_come_to():
    classes = np.array(list("aaaaabbbcd"))
    random = [[rng([5, n, i]).permutation(np.delete(np.arange(10), i))[:3] for i in range(10)] for n in range(300)]
    drawn = np.mean([geometry.purity(np.array(neighbors), classes) for neighbors in random])
    assert drawn == pytest.approx(geometry.chance_purity(classes), abs=0.02)
    assert geometry.purity(np.array([[1], [0], [3], [2]]), np.array([0, 0, 1, 1])) == 1


def test_clusters_that_are_the_classes_agree():
    classes = np.repeat([0, 1, 2], 8)
    vectors = np.eye(3)[classes] + 0.01 * rng(6).normal(size=(24, 3))
    assert geometry.cluster_agreement(vectors, classes, 0) == 1
    lengths = np.tile([0.1, 1.0, 10.0, 100.0], 6)[:, None]
    assert geometry.cluster_agreement(lengths * vectors, classes, 0) == 1
    assert abs(geometry.cluster_agreement(vectors, rng(7).permutation(classes), 0)) < 0.3


# ---- how alike contexts are


def test_divergences_are_those_of_scipy():
    p = rng(8).dirichlet(np.full(12, 0.2), 6) * rng(9).integers(0, 2, (6, 12))
    p[:, 0] += 0.1
    shares = p / p.sum(axis=1, keepdims=True)
    table_of = pairwise_divergence(p)
    for i, j in np.ndindex(6, 6):
        expected = jensenshannon(shares[i], shares[j]) ** 2 if i != j else 0.0
        assert table_of[i, j] == pytest.approx(expected, abs=1e-9)
        assert jensen_shannon(shares[i], shares[j]) == pytest.approx(expected, abs=1e-9)
    assert pairwise_divergence(np.eye(2)) == pytest.approx(np.log(2) * (1 - np.eye(2)))


def test_the_divergence_of_sentences_is_that_of_all_contexts_written_down():
    language = small_language()
    regular = language.vocabulary.regular_ids
    weights = {}  # (place, the two other words) -> how often each word stands in this hole
    for scene, prior in enumerate(language.prior):
        p = language.distributions[language.slot_distribution[scene, 1:4]][:, regular]
        for words in np.ndindex(4, 4, 4):
            chance = prior * p[[0, 1, 2], list(words)].prod()
            for hole in range(3):
                rest = hole, *(w for place, w in enumerate(words) if place != hole)
                weights.setdefault(rest, np.zeros(4))[words[hole]] += chance
    exact = pairwise_divergence(np.array(list(weights.values())).T)
    assert sentence_divergence(language, 40_000, rng(10), words_each=3) == pytest.approx(exact, abs=0.01)


def test_words_of_one_group_are_twins_and_cat_is_nearer_to_dog_than_to_chef(company):
    place = company.place
    for one, other in (("opens", "closes"), ("young", "tall"), ("gold", "silver")):
        if one in company.words:
            assert company.divergence[place(one), place(other)] < 1e-9
    cat, dog, chef = place("cat"), place("dog"), place("chef")
    assert company.divergence[cat, dog] < company.divergence[cat, chef]
    assert company.judged.sum() == sum((company.classes == kind).sum() >= 4 for kind in company.classes)
    assert len(company.pairs[0]) + len(company.strangers[0]) == len(company.words) * (len(company.words) - 1) // 2


def test_frequencies_are_those_of_sentences(company):
    language = scene_language()
    ids = language.sample(20_000, rng(11)).ids
    drawn = np.bincount(ids[np.isin(ids, company.ids)], minlength=len(language.vocabulary))
    assert drawn / drawn.sum() == pytest.approx(word_frequency(language), abs=0.003)


def test_rank_correlations_are_those_of_scipy_and_what_is_held_drops_out():
    x, y = rng(12).integers(0, 9, (2, 200)).astype(float)
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y)[0])
    held = rng(13).normal(size=4000)
    one, other = held + rng(14).normal(size=(2, 4000))
    assert rank_correlation(one, other) > 0.3
    assert abs(partial_rank_correlation(one, other, held)) < 0.05
    assert partial_rank_correlation(x, y + x, held[:200]) == pytest.approx(of_what_is_left(x, y + x, held[:200]))
    with pytest.raises(ValueError, match="never varies"):
        rank_correlation(x, np.ones(200))


def of_what_is_left(x, y, held):
    """The correlation of the ranks of x and y, each less its line over the ranks of `held`."""
    design = np.column_stack([np.ones(len(x)), rankdata(held)])
    left = [r - design @ np.linalg.lstsq(design, r, rcond=None)[0] for r in (rankdata(x), rankdata(y))]
    return np.corrcoef(*left)[0, 1]


def test_the_mantel_test_finds_what_is_there_and_nothing_else():
    noise = rng(15).normal(size=(2, 20, 20))
    x, y = noise + noise.transpose(0, 2, 1)
    pairs, orders = np.triu_indices(20, 1), np.array([rng([16, i]).permutation(20) for i in range(99)])
    assert mantel(x, x + 0.1 * y, pairs, orders)[1] == 0.01
    assert 0.05 < mantel(x, y, pairs, orders)[1] < 0.95
    assert permutation_share(1.0, [1.0, 0.5, 2.0]) == 0.75


def test_the_figures_of_perfect_vectors_and_of_none(company):
    likeness = np.log(2) - company.divergence
    values, directions = np.linalg.eigh(likeness)
    perfect = company_figures(directions * np.sqrt(np.maximum(values, 0)), company)
    nothing = company_figures(rng(17).normal(size=(len(company.words), 64)), company)
    assert perfect.closest > 0.95 > 0.6 > nothing.closest > 0.4
    assert perfect.likeness > 0.6 > 0.1 > abs(nothing.likeness)
    assert perfect.purity > 0.7 > 0.15 > nothing.purity
    assert perfect.twins == pytest.approx(1, abs=0.01)
    similarity = np.array([[1, 0.5, 0.2, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    assert further(similarity, np.array([0, 0]), np.array([1, 2])).tolist() == [0.75, 0.0]


def test_figures_of_pairs_are_those_of_scipy_and_of_a_loop(company):
    vectors = rng(18).normal(size=(len(company.words), 16)) + np.linspace(-1, 1, 16)
    found, near = company_figures(vectors, company), geometry.cosines(vectors - vectors.mean(axis=0))
    cat, dog = company.words.index("cat"), company.words.index("dog")
    shares = []
    for one, other in ((cat, dog), (dog, cat)):
        rest = [i for i in range(len(near)) if i not in (cat, dog)]
        shares.append(np.mean([near[one, i] < near[one, other] for i in rest]))
    assert abs(shares[0] - shares[1]) > 0.01  # the two see different words between them
    assert found.dog_nearer == pytest.approx(np.mean(shares))
    assert found.cat_dog == pytest.approx(near[cat, dog])
    one, other = np.triu_indices(len(near), 1)
    alike = company.divergence[one, other]
    met, logs = alike < 0.99 * np.log(2), np.log(company.frequency)
    mixed, strange = met & (company.classes[one] != company.classes[other]), ~met
    assert found.likeness == pytest.approx(spearmanr(-alike[met], near[one, other][met])[0])
    assert found.other_class == pytest.approx(spearmanr(-alike[mixed], near[one, other][mixed])[0])
    apart = -np.abs(logs[one] - logs[other])[strange]
    assert found.by_frequency == pytest.approx(spearmanr(apart, near[one, other][strange])[0])
    raw, as_often = geometry.cosines(vectors)[one, other], -np.abs(logs[one] - logs[other])
    assert found.mean_cosine == pytest.approx(raw.mean())
    assert found.likeness_raw == pytest.approx(spearmanr(-alike[met], raw[met])[0])
    left = of_what_is_left(-alike[met], near[one, other][met], as_often[met])
    assert found.beyond_frequency == pytest.approx(left)
    assert found.twins == pytest.approx(near[one, other][alike < 1e-9].mean())
    apart = company.divergence + 9 * np.eye(len(near))
    nearest = [(near[i] < near[i, j]).sum() / (len(near) - 2) for i, j in enumerate(apart.argmin(axis=1))]
    assert found.closest == pytest.approx(np.mean(nearest))
    judged = [i for i, kind in enumerate(company.classes) if (company.classes == kind).sum() >= 4]
    closest = [sorted((-near[i, j], j) for j in judged if j != i)[:3] for i in judged]
    same = [[company.classes[i] == company.classes[j] for _, j in row] for i, row in zip(judged, closest, strict=True)]
    assert found.purity == pytest.approx(np.mean(same))
    centered = (vectors - vectors.mean(axis=0))[judged]
    assert found.agreement == geometry.cluster_agreement(centered, company.classes[judged], 0)


# ---- texts, uses, vectors


def test_words_drawn_alone_are_the_same_words_at_the_same_places():
    language = scene_language()
    vocabulary, ids = language.vocabulary, language.sample(300, rng(18)).ids
    alone = arms.drawn_alone(ids, vocabulary, rng(19))
    word = np.isin(ids, vocabulary.regular_ids)
    assert (alone[~word] == ids[~word]).all()
    assert (np.sort(alone[word]) == np.sort(ids[word])).all()
    assert (alone[word] == ids[word]).mean() < 0.2
    assert (np.sort(alone, axis=1) != np.sort(ids, axis=1)).any(axis=1).mean() > 0.9, "words leave their sentence"


def test_a_dog_that_only_barks_is_as_rare_as_its_control():
    language = scene_language()
    vocabulary, ids = language.vocabulary, language.sample(30_000, rng(20)).ids
    dog, puppy, barked = vocabulary.ids(["dog", "puppy", "barked"])
    barks, control = (rewrite(ids, vocabulary, rng(21)) for rewrite in (arms.dog_barks, arms.dog_anywhere))
    with_dog = (barks == dog).any(axis=1)
    assert ((barks == barked).any(axis=1)[with_dog]).all()
    assert not ((barks == barked).any(axis=1) & (barks == puppy).any(axis=1)).any()
    assert (control == dog).sum() == pytest.approx((barks == dog).sum(), rel=0.2)
    assert (ids != barks).sum() == ((barks != ids) & np.isin(ids, [dog, puppy])).sum()


def test_the_same_seed_has_the_same_sentences_in_every_arm():
    plain_text, barking = (arms.ArmSentences(arm, 5).next_batch(50) for arm in (arms.WHOLE_TEXT, arms.BARKS))
    assert np.isin(plain_text[plain_text != barking], scene_language().vocabulary.ids(["dog", "puppy"])).all()


@pytest.mark.parametrize("arm", [arms.ALONE, arms.RARE_DOG])
def test_what_an_arm_draws_by_lot_does_not_change_the_sentences_that_follow(arm):
    one, other = arms.ArmSentences(arms.WHOLE_TEXT, 5), arms.ArmSentences(arm, 5)
    dogs = scene_language().vocabulary.ids(["dog", "puppy"])
    for _ in range(2):
        whole, changed = (np.sort(source.next_batch(50), axis=None) for source in (one, other))
        assert (whole[~np.isin(whole, dogs)] == changed[~np.isin(changed, dogs)]).all()


def test_two_uses_differ_in_the_subject_alone_and_are_known_exactly(untrained):
    sentences = uses.two_uses()
    chance = uses.chance_by_itself(scene_language(), sentences.ids)
    assert np.minimum(chance, 1 - chance).max() < 1e-12
    opened = sentences.subject[(sentences.verb == "opens") & sentences.by_itself]
    assert set(opened) == {"door", "window", "gate", "box", "drawer", "cupboard"}
    for verb in uses.VERBS:
        mine = sentences.verb == verb
        assert len(set(sentences.subject[mine])) == mine.sum()
        assert (sentences.ids[mine] != sentences.ids[mine][0]).any(axis=0).sum() == 1
    verbs = np.array([scene_language().vocabulary.ids([verb])[0] for verb in sentences.verb])
    rows, places = np.nonzero(sentences.ids == verbs[:, None])
    states = last_states(untrained, sentences.ids, scene_language().vocabulary.pad_id)
    assert (rows == np.arange(len(verbs))).all()
    assert (uses.verb_vectors(untrained, sentences) == states[rows, places]).all()
    use = sentences.by_itself[:, None].astype(float)
    assert uses.told_apart(np.hstack([use, 1 - use]), sentences) == 1
    assert uses.told_apart(np.ones((len(use), 3)), sentences) == 0.5
    noise = rng(26).normal(size=(len(use), 2)) * [1, 0.01]
    apart = [uses.told_apart(np.hstack([use + far, far + 0 * use, noise]), sentences) for far in (0, 1000)]
    assert apart[0] == apart[1], "what all have in common is of no account"
    assert 0.3 < uses.told_apart(uses.verb_vectors(untrained, sentences), sentences) < 0.8


def test_mean_vectors_are_means_over_occurrences(untrained):
    language = scene_language()
    ids = language.sample(50, rng(22)).ids
    tokens, vectors = occurrences(untrained, ids, language.vocabulary)
    the, missing = language.vocabulary.ids(["the"])[0], language.vocabulary.pad_id
    mean = mean_vectors(tokens, vectors, [the, missing])
    assert mean[0] == pytest.approx(vectors[tokens == the].mean(axis=0), abs=1e-5)
    assert (mean[1] == 0).all()
    assert table(untrained, [the])[0] == pytest.approx(untrained.embeddings.words.weight[the].detach().numpy())
    short = ids[(ids != language.vocabulary.pad_id).sum(axis=1).argmin()]
    n = (short != language.vocabulary.pad_id).sum()
    alone, padded = (last_states(untrained, row[None], language.vocabulary.pad_id)[0] for row in (short[:n], short))
    assert padded[:n] == pytest.approx(alone, abs=1e-5)


def test_a_stretch_changes_angles_and_no_prediction(untrained):
    language = scene_language()
    hidden, rows, bias = output_pair(untrained, language.sample(20, rng(23)).ids, language.vocabulary.pad_id)
    logits = untrained(torch.from_numpy(language.sample(20, rng(23)).ids)).detach().double().softmax(-1).numpy()
    before = predictions(hidden, rows, bias)
    assert before.shape == (20 * language.length, len(language.vocabulary))
    for power in (1.0, 0.0, -1.0):
        for_rows, for_hidden = stretch(rows, power)
        assert predictions(hidden @ for_hidden, rows @ for_rows, bias) == pytest.approx(before, abs=1e-9)
        spread = np.linalg.svd(geometry.centered(rows @ for_rows), compute_uv=False)
        plain_spread = np.linalg.svd(geometry.centered(rows), compute_uv=False)
        assert spread == pytest.approx(np.sort(plain_spread**power)[::-1])
    shown = language.sample(20, rng(23)).ids[:, 0] == language.vocabulary.cls_id  # a place that every sentence has
    assert before.reshape(20, language.length, -1)[shown, 0].sum(-1) == pytest.approx(1)
    assert logits.shape == (20, language.length, len(language.vocabulary))


def test_english_counts_leave_rare_words_their_place():
    place = {"the": 0, "dog": 1}
    counts = _counts([["the", "old", "dog", "."], ["the"], ["dog", "the", "the"]], place)
    assert counts.tolist() == [[2, 3], [3, 0]]
    places, kinds = kinds_of(("gold", "two", "three", "xyzzy"))
    assert places.tolist() == [1, 2, 0]
    assert kinds.tolist() == ["numbers", "numbers", "metals"]


def test_english_words_that_are_met_often_are_counted_book_group_by_book_group(monkeypatch):
    texts = "The dog ran. The cat ran.", "A dog sat.", "The dog sat on 7 mats; 7 mats."
    corpus = Corpus(tuple(Document(str(i), text, "train") for i, text in enumerate(texts)), "s", "l", "n")
    for name, value in (("english_corpus", lambda: corpus), ("OFTEN", 2), ("BOOK_GROUPS", 2)):
        monkeypatch.setattr(english, name, value)
    found = english.english_counts.__wrapped__()
    assert found.words == ("the", "dog", "ran", "sat", "mats")
    assert found.times.tolist() == [3, 3, 2, 2, 2]
    upper = {(0, 1): 2, (1, 2): 1, (0, 2): 2, (1, 3): 1, (0, 3): 1}  # books 0 and 2, at most two places apart
    expected = np.zeros((2, 5, 5), dtype=int)
    for (i, j), n in upper.items():
        expected[0, i, j] = expected[0, j, i] = n
    expected[1, 1, 3] = expected[1, 3, 1] = 1
    assert found.counts.tolist() == expected.tolist()


def test_for_the_interval_each_group_of_books_is_left_out(monkeypatch):
    counts = rng(23).normal(size=(3, 7, 7)) + 3 * np.eye(7)[6]
    words = ("gold", "two", "silver", "three", "brass", "four", "the")  # the last is of no kind
    monkeypatch.setattr(english, "english_counts", lambda: english.EnglishCounts(words, np.ones(7), counts))
    monkeypatch.setattr(english, "english_vectors", lambda counts: counts)

    def share(group_sum):
        near = geometry.nearest((group_sum - group_sum.mean(axis=0))[:6], 3)
        return np.mean([[i % 2 == j % 2 for j in row] for i, row in enumerate(near)])

    whole = share(counts.sum(axis=0))
    without = [share(counts[list(kept)].sum(axis=0)) for kept in ((1, 2), (0, 2), (0, 1))]
    found = english.english_purity(rng(24), shuffles=400)
    assert found.measured.estimate == pytest.approx(Sampled.jackknife(whole, without).estimate)
    assert found.chance == pytest.approx(2 / 5)
    assert found.shuffled.shape == (400,)
    assert found.shuffled.mean() == pytest.approx(2 / 5, abs=0.03)


def test_the_plane_shows_the_largest_spread(company):
    vectors = rng(24).normal(size=(len(company.words), 5)) * [9, 5, 1, 0.2, 0.1]
    plane = plane_of(vectors, company)
    assert plane.shares.sum() > 0.8
    assert plane.shares[0] > plane.shares[1]
    near = [name for name, _ in plane.neighbors("cat", 4)]
    expected = geometry.nearest(geometry.centered(vectors), 4)[company.place("cat")]
    assert near == [company.words[i] for i in expected]
    directions = geometry.unit(geometry.centered(vectors))
    spread = np.sort(np.linalg.eigvalsh(np.cov(directions.T)))[::-1]
    assert plane.shares == pytest.approx(spread[:2] / spread.sum())
    assert np.cov(plane.points.T) == pytest.approx(np.diag(spread[:2]), abs=1e-12)
    assert (plane.points.max(axis=0) == np.abs(plane.points).max(axis=0)).all()
    for word in ("cat", "bread", "the"):
        away = [np.hypot(*(point - plane.points[plane.place(word)])) for point in plane.points]
        flat = {company.words[i] for i in np.argsort(away)[1:5]}  # the first is the word itself
        assert plane.seen_in_plane(word, 4) == len(flat & {name for name, _ in plane.neighbors(word, 4)})
    with pytest.raises(ValueError, match="'axolotl' is not among the 399 words"):
        plane.neighbors("axolotl", 4)


# ---- the study


def test_a_run_finds_what_its_score_holds():
    settings = (CountSetting(1, 1.0, 0.75, 16, 0.5), CountSetting(2, 1.0, 0.75, 16, 0.5))
    cell = CompanyCell(arms.WHOLE_TEXT, 7, 2, (0, 2), settings)
    found = json.loads(json.dumps(run_company_cell(cell)))
    score = restored(CompanyScore, found | {"cell": plain(cell)})
    assert score.cell == cell
    first, last = score.looks
    assert (len(first.counts), len(last.counts)) == (0, 2)
    assert first.table.closest == pytest.approx(0.5, abs=0.1)
    assert score.changed < 1e-9
    assert abs(first.table.mean_cosine) < 0.05 < 0.2 < first.context.mean_cosine
    assert len({score.stretched[0].twins, score.stretched[1].twins, last.table.twins}) == 3
    source, company, special = arms.ArmSentences(arms.WHOLE_TEXT, 7), scene_company(), scene_language().vocabulary
    read = np.concatenate([source.next_batch(recipe("scenes", size="tiny", device="cpu").batch_size) for _ in "12"])
    for setting, counted in zip(settings, last.counts, strict=True):
        counts = cooccurrence(read, special.special_ids, len(special), setting.window)
        near = geometry.cosines(geometry.centered(setting.vectors(counts[np.ix_(company.ids, company.ids)])))
        assert counted.twins == pytest.approx(near[company.twins].mean(), abs=1e-4)
    assert cell.name != replace(cell, settings=settings[:1]).name


def test_the_shipped_study_is_whole():
    study = find_experiment("word_company").shipped()
    assert isinstance(study, WordCompany)
    assert study.config == CompanyConfig()
    assert tuple(trial.setting for trial in study.tried) == GRID
    assert TUNING_SEED not in {score.cell.seed for score in study.runs}
    for arm in study.config.arms:
        assert len(study.scores(arm)) == study.config.seeds
    for score in study.scores():
        assert score.cell.settings == (study.setting("likeness"), study.setting("purity"))
        assert score.changed < 1e-9
    assert "rank correlation" not in study.plot().axes[0].get_title()
    assert len(study.table().splitlines()) == 9


def test_the_full_study_runs_the_cells_that_are_shipped(monkeypatch):
    shipped, asked = find_experiment("word_company").shipped(), []
    monkeypatch.setattr(study, "try_counts", lambda config: shipped.tried)
    monkeypatch.setattr(study, "study_folder", lambda *of: None)
    monkeypatch.setattr(study, "score_cells", lambda kind, cells, *how: asked.extend(cells) or shipped.runs)
    study.measure_company(CompanyConfig(), rng(0))
    assert asked == [run.cell for run in shipped.runs]


def test_settings_are_tried_on_as_much_text_as_a_model_reads_with_the_seed_that_chooses(monkeypatch):
    asked = []
    figures = planted_figures(0.123456789)

    class Text:
        def __init__(self, arm, seed):
            asked.append((arm, seed))

        def next_batch(self, n):
            asked.append(n)
            return arms.ArmSentences(arms.WHOLE_TEXT, 0).next_batch(9)

    monkeypatch.setattr(study, "ArmSentences", Text)
    monkeypatch.setattr(study, "try_settings", lambda counts, *given: [baseline.CountTrial(tuple(counts), figures)])
    (trial,) = study.try_counts(CompanyConfig(steps=3))
    assert asked == [(arms.WHOLE_TEXT, TUNING_SEED), 3 * recipe("scenes", size="tiny", device="cpu").batch_size]
    assert trial.setting == baseline.WINDOWS
    assert trial.figures.likeness == 0.12346


def test_three_planes_show_counts_a_table_and_words_in_sentences(company, untrained, monkeypatch):
    monkeypatch.setattr(projection, "PLANE_SENTENCES", 60)
    planes = projection.scene_planes(untrained)
    assert (planes[projection.OF_TABLE].vectors == table(untrained, company.ids)).all()
    ids = scene_language().sample(60, rng(projection.PLANE_SEED)).ids
    tokens, vectors = occurrences(untrained, ids, scene_language().vocabulary)
    the = company.place("the")
    mean = vectors[tokens == company.ids[the]].mean(axis=0)
    assert planes[projection.OF_CONTEXT].vectors[the] == pytest.approx(mean, abs=1e-5)
    counts = expected_cooccurrence(scene_language(), 2)[np.ix_(company.ids, company.ids)]
    U, s, _ = np.linalg.svd(ppmi(counts, smoothing=0.75))
    lengths = (U[:, :64] ** 2) @ s[:64]
    assert (planes[projection.OF_COUNTS].vectors ** 2).sum(axis=1) == pytest.approx(lengths)


@pytest.fixture(scope="module")
def planted():
    """A study of two seeds in which every figure of every look is another number, the seeds in falling order."""
    config, numbers = CompanyConfig(steps=8, looks=(0, 4, 8), seeds=2), iter(range(10**6))

    def figures():
        return CompanyFigures(*(next(numbers) / 1000 for _ in CompanyFigures._fields))

    runs = []
    for seed, arm in itertools.product((1201, 1200), config.arms):
        looks = config.looks if arm == arms.WHOLE_TEXT else config.looks[-1:]
        cell = CompanyCell(arm, seed, config.steps, looks, GRID[:2])
        of = [Look(s, 0.1, figures(), (figures(), figures()) if s else (), figures(), 0.5) for s in looks]
        runs.append(CompanyScore(cell, looks=tuple(of), stretched=(figures(), figures()), changed=0.0))
    return WordCompany(config, (), tuple(runs))


def planted_look(planted, seed, step, arm=arms.WHOLE_TEXT):
    (run,) = [run for run in planted.runs if (run.cell.seed, run.cell.arm) == (seed, arm)]
    (look,) = [look for look in run.looks if look.step == step]
    return look


def test_figures_are_read_where_their_names_say_in_the_order_of_the_seeds(planted):
    def of(read, step=8, arm=arms.WHOLE_TEXT):
        return [read(planted_look(planted, seed, step, arm)) for seed in (1200, 1201)]

    assert planted.values("twins").tolist() == of(lambda look: look.table.twins)
    assert planted.values("twins", 4, of=IN_CONTEXT).tolist() == of(lambda look: look.context.twins, 4)
    assert planted.values("purity", arm=arms.BARKS).tolist() == of(lambda look: look.table.purity, arm=arms.BARKS)
    for figure, which in (("likeness", 0), ("purity", 1), ("cat_dog", 0)):
        counted = of(lambda look, figure=figure, which=which: getattr(look.counts[which], figure))
        assert planted.counted(figure).tolist() == counted
        assert planted.course(figure, counts=True)[8] == mean_interval(counted)
    assert (list(planted.course("purity")), list(planted.course("purity", True))) == ([0, 4, 8], [4, 8])
    runs = sorted((run for run in planted.runs if run.cell.arm == arms.WHOLE_TEXT), key=lambda run: run.cell.seed)
    assert planted.stretched("purity").T.tolist() == [[of.purity for of in run.stretched] for run in runs]


def test_table_picture_and_words_have_the_numbers_of_the_study(planted):
    rows = {line[:36].strip(): line[36:] for line in planted.table().splitlines()}
    sources = {
        "table, 8 steps": planted.values,
        "table, untrained": lambda figure: planted.values(figure, 0),
        "counts of the same sentences": planted.counted,
        "in context": lambda figure: planted.values(figure, of=IN_CONTEXT),
        "in context, untrained": lambda figure: planted.values(figure, 0, of=IN_CONTEXT),
        **{f"table: {arm}": lambda figure, arm=arm: planted.values(figure, arm=arm) for arm in planted.config.arms[1:]},
    }
    assert set(rows) == {"", *sources}
    for name, values in sources.items():
        cells = [rows[name][16 * i : 16 * (i + 1)].split(" ± ") for i in range(len(CompanyFigures._fields))]
        for figure, (value, margin) in zip(CompanyFigures._fields, cells, strict=True):
            pair = values(figure)
            assert float(value) == pytest.approx(pair.mean(), abs=6e-4)
            assert float(margin) == pytest.approx(12.706 * abs(pair[1] - pair[0]) / 2, abs=2e-3)
    for axes, name in zip(planted.plot().axes, ("likeness", "purity"), strict=True):
        ends = planted.values(name).mean(), planted.counted(name).mean()
        assert axes.get_title() == f"{name.capitalize()} in the end: table {ends[0]:.2f}, counts {ends[1]:.2f}"
        shown = [container.lines[0].get_ydata()[-1] for container in axes.containers]
        assert shown == pytest.approx(ends)
        for container, values in zip(axes.containers, (planted.values(name), planted.counted(name)), strict=True):
            (bars,) = container.lines[2]
            assert bars.get_segments()[-1][:, 1] == pytest.approx(mean_interval(values)[1:])
    said = planted.describe()
    assert f"likeness of the model's table: {planted.values('likeness', 0).mean():.2f} after 0, " in said
    assert f"purity of counts: {planted.counted('purity', 4).mean():.2f} after 4, " in said


def test_classes_are_held_against_three_tables_that_nobody_taught_them(company):
    study = find_experiment("word_company").shipped()
    before, alone = study.looks(0), study.looks(arm=arms.ALONE)
    controls = {
        "untrained": [look.table.purity for look in before],
        "words drawn alone": [look.table.purity for look in alone],
        "in context, untrained": [look.context.purity for look in before],
    }
    trained = [look.table.purity for look in study.looks()]
    (claim,) = find_claims(["semantics"])
    found = claim.measure(Effort())
    assert found.figure.value == pytest.approx(np.mean(trained))
    for name, values in controls.items():
        assert found.figures[f"beyond {name}"].value == pytest.approx(np.mean(trained) - np.mean(values))
    assert len({figure.value for figure in found.figures.values()}) == 4
    counted = [look.counts[1].purity for look in study.looks()]
    clusters = [look.table.agreement for look in study.looks()]
    told = {"counts of the same sentences": counted, "adjusted Rand index of k-means": clusters} | controls
    for name, values in told.items():
        assert found.facts[name][0] == pytest.approx(np.mean(values), abs=6e-4)
    judged = [kind for kind in company.classes if (company.classes == kind).sum() >= 4]
    same = np.mean([judged.count(kind) - 1 for kind in judged]) / (len(judged) - 1)
    assert found.facts["chance"] == pytest.approx(same, abs=6e-5)


def test_a_dog_that_barks_has_no_context_in_common_with_the_cat():
    language = scene_language()
    vocabulary, ids = language.vocabulary, language.sample(20_000, rng(25)).ids
    dog, puppy, cat, barked, by = vocabulary.ids(["dog", "puppy", "cat", "barked", "by"])
    holes = ids[(ids == barked).any(axis=1)]
    places = ((holes == dog) | (holes == puppy)).argmax(axis=1)
    assert len(holes) > 20
    assert not (holes == by).any()
    holes[np.arange(len(holes)), places] = vocabulary.mask_id
    assert language.posterior_at(holes, places[:, None])[:, 0][:, cat].max() == 0


def test_what_the_chapter_says_of_the_shipped_study():
    study = find_experiment("word_company").shipped()
    assert study.values("purity").min() > study.values("purity", 0).max()
    assert study.values("likeness", arm=arms.ALONE).max() < 0.3 * study.values("likeness").min()
    assert (study.values("cat_dog", arm=arms.BARKS) < study.values("cat_dog", arm=arms.RARE_DOG)).all()
    lead = mean_interval(study.values("dog_nearer") - study.values("dog_nearer", arm=arms.ALONE))
    assert lead.low > 0
    counted = study.counted("cat_dog", arm=arms.BARKS) - study.counted("cat_dog", arm=arms.RARE_DOG)
    assert (counted < study.values("cat_dog", arm=arms.BARKS) - study.values("cat_dog", arm=arms.RARE_DOG)).all()
    assert study.stretched("purity")[-1].max() < 0.5 * study.values("purity").min()
    equally_wide, exchanged = study.stretched("closest")
    assert equally_wide.min() > 0.95 > exchanged.max()
    assert min(look.told_apart for look in study.looks()) > 0.9
    early = study.config.looks[1]
    for figure in ("likeness", "purity"):
        assert (study.counted(figure, early) > study.values(figure, early) + 0.3).all()
        assert study.counted(figure, early) == pytest.approx(study.counted(figure), abs=0.07)
    assert (study.values("purity") > study.counted("purity")).all()
    assert (study.values("likeness") < study.counted("likeness")).all()


def test_a_shuffled_name_takes_its_row_and_its_column_along():
    rng = np.random.default_rng(1207)
    one, other = (x + x.T for x in rng.normal(size=(2, 7, 7)))
    pairs = np.triu_indices(7, 1)
    orders = np.array([rng.permutation(7) for _ in range(5)])
    observed, shuffled = shuffled_correlations(one, other, pairs, orders)
    assert observed == pytest.approx(spearmanr(one[pairs], other[pairs])[0])
    for order, found in zip(orders, shuffled, strict=True):
        renamed = [other[order[a], order[b]] for a, b in zip(*pairs, strict=True)]
        assert found == pytest.approx(spearmanr(one[pairs], renamed)[0])
