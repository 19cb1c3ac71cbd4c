"""Bursty text against brute force: every document of a tiny urn is listed."""

from itertools import product

import numpy as np
import oracle
import pytest

from mlm_mini.languages import PolyaLanguage, polya_language
from mlm_mini.languages.batches import SampledSentences


@pytest.fixture(scope="module")
def tiny():
    """Three words, documents of three."""
    return PolyaLanguage(["x", "y", "z"], [0.5, 0.3, 0.2], 1.5, document_length=3)


@pytest.fixture(scope="module")
def table(tiny):
    """p of every document, straight from the definition: (V,) * T."""
    table = np.zeros((len(tiny.vocabulary),) * tiny.length)
    words = tiny.vocabulary.regular_ids
    for document in product(range(3), repeat=3):
        p = 1.0
        for t, word in enumerate(document):
            p *= (1.5 * tiny.base[word] + document[:t].count(word)) / (1.5 + t)
        table[(tiny.vocabulary.cls_id, *words[list(document)], tiny.vocabulary.sep_id)] = p
    return table


def test_the_table_is_a_distribution(table):
    assert table.sum() == pytest.approx(1, abs=1e-12)


def test_posterior_and_marginal_of_random_masks(tiny, table):
    oracle.assert_exact_at_random_masks(tiny, table, n=200)


@pytest.mark.parametrize("positions", [[1], [1, 2], [3, 1], [2, 3, 1], [0, 3], [4, 2, 0, 1, 3]])
def test_joint(tiny, table, positions):
    oracle.assert_exact_joint(tiny, table, "x y z", positions)


def test_samples_have_the_tables_frequencies(tiny, table):
    ids, n = tiny.sample(40_000, np.random.default_rng(1)).ids, 40_000
    found, counts = np.unique(ids, axis=0, return_counts=True)
    p = table[tuple(found.T)]
    assert len(found) == (table > 0).sum()
    assert np.abs(counts - n * p).max() < 4.5 * np.sqrt(n * p * (1 - p)).max()


def test_a_low_concentration_repeats_words_and_a_high_one_does_not():
    def kinds(concentration):
        ids = polya_language(concentration).sample(300, np.random.default_rng(2)).ids
        return np.mean([len(set(row[1:-1])) for row in ids])

    assert kinds(1.0) < 5 < 12 < kinds(1e9)


def test_an_impossible_document_is_named(tiny):
    ids = tiny.encode("x y z")
    ids[-1] = tiny.vocabulary.regular_ids[0]
    assert tiny.log_marginal(ids[None])[0] == -np.inf
    with pytest.raises(ValueError, match="row 0 is impossible"):
        tiny.posterior(ids[None])


def test_replaced_words_have_no_exact_answer(tiny):
    ids = tiny.encode("x [MASK] z")[None]
    with pytest.raises(ValueError, match="may have been replaced"):
        tiny.posterior_under_corruption(ids, [[2]], 0.5, (0.8, 0.1, 0.1))
    plain = tiny.posterior(ids)[:, [2]]
    np.testing.assert_allclose(tiny.posterior_at(ids, [[2]]), plain)


def test_the_floor_rises_with_the_mask_ratio(tiny, table):
    for ratio in (0.2, 0.7):
        floor = tiny.bayes_floor(ratio, np.random.default_rng(3), n=20_000)
        assert abs(floor.mean - oracle.floor(table, tiny.vocabulary, ratio)) < 4 * floor.standard_error


@pytest.mark.parametrize(
    "change",
    [{"words": ["x", "y", "w"]}, {"base": [0.5, 0.2, 0.3]}, {"concentration": 1.6}, {"document_length": 4}],
)
def test_fingerprint_names_the_language(tiny, change):
    parts = {"words": ["x", "y", "z"], "base": [0.5, 0.3, 0.2], "concentration": 1.5, "document_length": 3}
    assert PolyaLanguage(**parts).fingerprint == tiny.fingerprint
    assert PolyaLanguage(**(parts | change)).fingerprint != tiny.fingerprint


def test_the_words_of_the_bundled_urn_are_as_rare_as_zipf_says():
    base = polya_language().base
    assert len(base) == 48
    np.testing.assert_allclose(base[0] / base, np.arange(1, 49))


def test_it_is_a_source_of_training_text():
    source = SampledSentences(polya_language(), 0)
    assert source.next_batch(3).shape == (3, polya_language().length)
    assert source.fingerprint == polya_language().fingerprint != polya_language(2.0).fingerprint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["x", "y"], [0.5, 0.5], 0.0), "concentration"),
        ((["x", "y"], [0.5, 0.5], np.inf), "concentration"),
        ((["x", "y"], [1.0, 0.0], 1.0), "'y' probability 0"),
        ((["x", "y"], [0.5, 0.4], 1.0), "sum to one"),
        ((["x", "y"], [0.5, 0.3, 0.2], 1.0), "shape"),
    ],
)
def test_bad_urns_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PolyaLanguage(*arguments)


def test_other_bad_input_is_refused(tiny):
    with pytest.raises(ValueError, match="at least 1 word"):
        polya_language(document_length=0)
    with pytest.raises(ValueError, match="number of documents"):
        tiny.sample(-1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="exactly 3 words"):
        tiny.encode("x y")
