"""The Markov language against brute force: every sentence of a tiny chain is listed."""

import numpy as np
import oracle
import pytest
from scipy import stats

from mlm_mini.languages import MarkovLanguage, markov_language
from mlm_mini.languages.markov import stationary_distribution


@pytest.fixture(scope="module")
def tiny():
    """Three words, sentences of three, with some steps forbidden."""
    transition = [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [0.9, 0.0, 0.1]]
    return MarkovLanguage(["x", "y", "z"], transition, [0.2, 0.5, 0.3], sentence_length=3)


@pytest.fixture(scope="module")
def table(tiny):
    """p of every sentence, straight from the definition: (V,) * T."""
    cls, sep, words = tiny.vocabulary.cls_id, tiny.vocabulary.sep_id, tiny.vocabulary.regular_ids
    table = np.zeros((len(tiny.vocabulary),) * tiny.length)
    chain = np.einsum("a,ab,bc->abc", tiny.initial, tiny.transition, tiny.transition)
    table[np.ix_([cls], words, words, words, [sep])] = chain[None, ..., None]
    return table


def test_posterior_and_marginal_of_random_masks(tiny, table):
    oracle.assert_exact_at_random_masks(tiny, table, n=200)


@pytest.mark.parametrize("positions", [[1], [1, 2], [3, 1], [2, 3, 1], [0, 3], [4, 2, 0, 1, 3]])
def test_joint(tiny, table, positions):
    oracle.assert_exact_joint(tiny, table, "x y z", positions)


def test_joint_sums_to_the_posterior_when_other_words_are_hidden(tiny):
    ids = tiny.encode("[MASK] [MASK] [MASK]")
    joint = tiny.joint(ids, [1, 3])
    np.testing.assert_allclose(joint.sum(axis=1), tiny.posterior(ids[None])[0, 1], atol=1e-13)
    assert joint.sum() == pytest.approx(1, abs=1e-12)


def test_neighbors_tell_more_than_strangers():
    """In a first-order chain, a visible word between two hidden ones makes them independent."""
    language = markov_language(sentence_length=6)
    ids = language.sample(1, np.random.default_rng(2)).ids[0]

    def information(positions):
        hidden = ids.copy()
        hidden[positions] = language.vocabulary.mask_id
        joint = language.joint(hidden, positions)
        apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        return stats.entropy(joint.ravel(), apart.ravel())

    assert information([2, 3]) > 0.1
    assert information([2, 4]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("split", [(0.8, 0.1, 0.1), (0, 1, 0), (0.5, 0, 0.5), (0, 0, 1)])
def test_posterior_under_corruption(tiny, table, split):
    answers = oracle.posteriors_under_corruption(table, tiny.vocabulary, 0.3, split)
    answers = {key: mass for key, mass in answers.items() if mass.sum() > 0}
    ids = np.array([key[0] for key in answers])
    asked = np.array([[key[1]] for key in answers])
    got = tiny.posterior_under_corruption(ids, asked, 0.3, split)[:, 0]
    np.testing.assert_allclose(got, [mass / mass.sum() for mass in answers.values()], atol=1e-12)


@pytest.mark.parametrize("split", [(1, 0, 0), (0.8, 0.1, 0.1)])
def test_bayes_floor(tiny, table, split):
    floor = tiny.bayes_floor(0.4, np.random.default_rng(3), n=20_000, split=split)
    assert abs(floor.mean - oracle.floor(table, tiny.vocabulary, 0.4, split)) < 4 * floor.standard_error
    assert 0 < floor.standard_error < 0.01
    assert floor.sentences == 20_000


def test_floor_of_everything_hidden_is_the_mean_entropy_of_the_words(tiny, table):
    posterior = tiny.posterior(tiny.encode("[MASK] [MASK] [MASK]")[None])[0, 1:4]
    floor = tiny.bayes_floor(1.0, np.random.default_rng(0), n=10)
    assert floor.mean == pytest.approx(stats.entropy(posterior, axis=1).mean(), abs=1e-12)
    assert floor.standard_error == pytest.approx(0, abs=1e-12)


def test_samples_follow_the_chain(tiny, table):
    ids = tiny.sample(20_000, np.random.default_rng(4)).ids
    possible = oracle.sentences(table)
    counts = [(ids == sentence).all(axis=1).sum() for sentence, _ in possible]
    assert sum(counts) == len(ids)
    assert stats.chisquare(counts, [len(ids) * p for _, p in possible]).pvalue > 0.01


def test_the_bundled_chain_starts_as_it_goes_on():
    language = markov_language()
    np.testing.assert_allclose(language.initial @ language.transition, language.initial, atol=1e-12)
    assert (language.transition > 0).sum(axis=1).tolist() == [9] * 20
    assert len(set(language.vocabulary.tokens)) == 25
    everything_hidden = np.full((1, language.length), language.vocabulary.mask_id)
    last = language.posterior(everything_hidden)[0, -2, language.vocabulary.regular_ids]
    np.testing.assert_allclose(last, language.initial, atol=1e-12)


def test_long_sentences_do_not_underflow():
    language = markov_language(sentence_length=600)
    ids = language.sample(2, np.random.default_rng(0)).ids
    assert (language.log_marginal(ids) < -800).all()
    ids[:, 1:-1:2] = language.vocabulary.mask_id
    np.testing.assert_allclose(language.posterior(ids).sum(axis=2), 1, atol=1e-12)
    hidden = np.full(language.length, language.vocabulary.mask_id)
    assert language.joint(hidden, [1, 600]).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "change",
    [
        {"words": ["x", "y", "w"]},
        {"transition": [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [0.9, 0.1, 0.0]]},
        {"initial": [0.2, 0.3, 0.5]},
        {"sentence_length": 4},
    ],
)
def test_fingerprint_names_the_language(tiny, change):
    parts = {"words": ["x", "y", "z"], "transition": tiny.transition, "initial": tiny.initial, "sentence_length": 3}
    assert MarkovLanguage(**parts).fingerprint == tiny.fingerprint
    assert MarkovLanguage(**(parts | change)).fingerprint != tiny.fingerprint


class Highest:
    """A generator whose every number is the highest that there is."""

    def random(self, shape):
        return np.full(shape, np.nextafter(1.0, 0.0))


def test_the_highest_random_number_draws_a_word_that_can_be():
    for seed in range(5):
        language = markov_language(seed=seed)
        assert np.isfinite(language.log_marginal(language.sample(1, Highest()).ids)).all()


def test_a_word_of_the_bundled_chain_leads_to_its_group_to_the_next_or_to_one_surprise():
    to_group = markov_language().transition.reshape(5, 4, 5, 4).sum(axis=3)  # from a group's word to a group
    for g, words in enumerate(to_group):
        np.testing.assert_allclose(words[:, [g, (g + 1) % 5]], np.tile([0.4, 0.5], (4, 1)), atol=1e-12)
        elsewhere = np.delete(words, [g, (g + 1) % 5], axis=1)
        np.testing.assert_allclose(elsewhere.max(axis=1), 0.1, atol=1e-12)


def test_stationary_distribution():
    p = stationary_distribution(np.array([[0.9, 0.1], [0.3, 0.7]]))
    np.testing.assert_allclose(p, [0.75, 0.25], atol=1e-12)
    with pytest.raises(ValueError, match="no unique stationary"):
        stationary_distribution(np.eye(2))


def test_impossible_sentence(tiny):
    ids = tiny.encode("x z y")  # x is never followed by z
    assert tiny.log_marginal(ids[None]) == -np.inf
    for ask in (tiny.posterior, lambda rows: tiny.posterior_at(rows, np.zeros((len(rows), 1), dtype=int))):
        with pytest.raises(ValueError, match=r"row 1 is impossible.*x z y"):
            ask(np.stack([tiny.encode("x y z"), ids]))
    with pytest.raises(ValueError, match="impossible"):
        tiny.joint(tiny.encode("x z [MASK]"), [3])


def test_no_sentences_give_no_answers(tiny):
    nothing = np.empty((0, tiny.length), dtype=int)
    assert tiny.log_marginal(nothing).shape == (0,)
    assert tiny.posterior(nothing).shape == (0, tiny.length, len(tiny.vocabulary))
    assert tiny.sample(0, np.random.default_rng(0)).ids.shape == (0, tiny.length)
    with pytest.raises(ValueError, match="number of sentences, got -1"):
        tiny.sample(-1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"transition": [[0.5, 0.5]]}, r"transition must have shape \(2, 2\)"),
        ({"transition": [[0.5, 0.6], [1, 0]]}, "transition must sum to one"),
        ({"transition": [[1.5, -0.5], [1, 0]]}, "negative or NaN entry: -0.5"),
        ({"transition": [[np.nan, 1], [1, 0]]}, "negative or NaN"),
        ({"initial": [1.0]}, r"initial must have shape \(2,\)"),
        ({"sentence_length": 0}, "at least 1 word"),
    ],
)
def test_bad_chains(arguments, message):
    arguments = {"words": ["x", "y"], "transition": [[0.5, 0.5], [1, 0]]} | arguments
    with pytest.raises(ValueError, match=message):
        MarkovLanguage(**arguments)


def test_encode_wants_the_exact_length(tiny):
    with pytest.raises(ValueError, match="exactly 3 words, 'x y' has 2"):
        tiny.encode("x y")
    with pytest.raises(ValueError, match="1 to 3 words"):
        tiny.encode("x y x y")
