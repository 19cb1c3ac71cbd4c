"""The company of words (chapter 12): counts and exact figures against enumeration, vectors against what they say."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import spearmanr

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.claims.all_claims import find_claims
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.company import arms, english, geometry, uses
from mlm_mini.experiments.company.alike import mantel, partial_rank_correlation
from mlm_mini.experiments.company.baseline import GRID, CountSetting
from mlm_mini.experiments.company.config import CompanyCell, CompanyConfig, CompanyScore
from mlm_mini.experiments.company.contexts import (
    jensen_shannon,
    pairwise_divergence,
    sentence_divergence,
)
from mlm_mini.experiments.company.counts import cooccurrence, expected_cooccurrence
from mlm_mini.experiments.company.english import _counts, kinds_of
from mlm_mini.experiments.company.figures_of import company_figures, further
from mlm_mini.experiments.company.ppmi import context_distribution, ppmi, svd_vectors
from mlm_mini.experiments.company.projection import plane_of
from mlm_mini.experiments.company.result import WordCompany
from mlm_mini.experiments.company.stretch import output_pair, predictions, stretch
from mlm_mini.experiments.company.study import run_company_cell
from mlm_mini.experiments.company.truth import scene_company, word_frequency
from mlm_mini.experiments.company.vectors import mean_vectors, occurrences, table
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.permutations import permutation_share, rank_correlation, shuffled_correlations
from mlm_mini.experiments.lab.result import plain, restored
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.languages import SceneLanguage, Vocabulary, scene_language
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.seeds import TUNING_SEED

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
    with pytest.raises(ValueError, match="never varies"):
        rank_correlation(x, np.ones(200))


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
    vectors = rng(18).normal(size=(len(company.words), 16))
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


# ---- texts, uses, vectors


def test_words_drawn_alone_are_the_same_words_at_the_same_places():
    language = scene_language()
    vocabulary, ids = language.vocabulary, language.sample(300, rng(18)).ids
    alone = arms.drawn_alone(ids, vocabulary, rng(19))
    word = np.isin(ids, vocabulary.regular_ids)
    assert (alone[~word] == ids[~word]).all()
    assert (np.sort(alone[word]) == np.sort(ids[word])).all()
    assert (alone[word] == ids[word]).mean() < 0.2


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
    use = sentences.by_itself[:, None].astype(float)
    assert uses.told_apart(np.hstack([use, 1 - use]), sentences) == 1
    assert uses.told_apart(np.ones((len(use), 3)), sentences) == 0.5
    assert 0.3 < uses.told_apart(uses.verb_vectors(untrained, sentences), sentences) < 0.8


def test_mean_vectors_are_means_over_occurrences(untrained):
    language = scene_language()
    ids = language.sample(50, rng(22)).ids
    tokens, vectors = occurrences(untrained, ids, language.vocabulary)
    the, missing = language.vocabulary.ids(["the"])[0], language.vocabulary.pad_id
    mean = mean_vectors(tokens, vectors, [the, missing])
    assert mean[0] == pytest.approx(vectors[tokens == the].mean(axis=0), abs=1e-5)
    assert (mean[1] == 0).all()
    assert table(untrained, [the]).shape == (1, 64)


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


def test_for_the_interval_each_group_of_books_is_left_out(monkeypatch):
    counts = rng(23).normal(size=(3, 6, 6))
    words = ("gold", "two", "silver", "three", "brass", "four")
    monkeypatch.setattr(english, "english_counts", lambda: english.EnglishCounts(words, np.ones(6), counts))
    monkeypatch.setattr(english, "english_vectors", lambda counts: counts)

    def share(group_sum):
        near = geometry.nearest(group_sum - group_sum.mean(axis=0), 3)
        return np.mean([[i % 2 == j % 2 for j in row] for i, row in enumerate(near)])

    whole = share(counts.sum(axis=0))
    without = [share(counts[list(kept)].sum(axis=0)) for kept in ((1, 2), (0, 2), (0, 1))]
    found = english.english_purity(rng(24), shuffles=10)
    assert found.measured.estimate == pytest.approx(Sampled.jackknife(whole, without).estimate)
    assert found.chance == pytest.approx(2 / 5)
    assert found.shuffled.shape == (10,)


def test_the_plane_shows_the_largest_spread(company):
    vectors = rng(24).normal(size=(len(company.words), 5)) * [9, 5, 1, 0.2, 0.1]
    plane = plane_of(vectors, company)
    assert plane.shares.sum() > 0.8
    assert plane.shares[0] > plane.shares[1]
    near = [name for name, _ in plane.neighbors("cat", 4)]
    expected = geometry.nearest(geometry.centered(vectors), 4)[company.place("cat")]
    assert near == [company.words[i] for i in expected]
    assert 0 <= plane.seen_in_plane("cat", 4) <= 4
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


def test_classes_are_held_against_three_tables_that_nobody_taught_them():
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
