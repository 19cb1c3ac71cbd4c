"""Joint predictions: every exact figure against enumeration, or against a second way to it."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from mlm_mini.experiments.joint import chains, conditionals, filling, losses, measures, one_pass, pseudo, readers
from mlm_mini.experiments.joint.picture import ReadBlanks
from mlm_mini.languages import MarkovLanguage, markov_language, scene_language
from mlm_mini.model import MaskedLM, ModelConfig

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(0).dirichlet(np.full(24, 0.5)).reshape(2, 3, 4)


def test_total_correlation_is_the_divergence_from_the_product(table):
    product = np.einsum("a,b,c->abc", *(table.sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))))
    np.testing.assert_allclose(measures.independent(table), product)
    assert measures.total_correlation(table) == pytest.approx(stats.entropy(table.ravel(), product.ravel()))
    assert measures.total_correlation(product) == pytest.approx(0, abs=1e-12)
    assert measures.dual_total_correlation(product) == pytest.approx(0, abs=1e-12)


def test_of_two_blanks_both_correlations_are_the_mutual_information(table):
    pair = table.sum(axis=2)
    information = measures.conditional_information(pair, 0, 1, [])
    assert measures.total_correlation(pair) == pytest.approx(information)
    assert measures.dual_total_correlation(pair) == pytest.approx(information)


def test_conditional_information_is_a_mean_over_contexts(table):
    by_context = sum(
        part.sum() * measures.total_correlation(part / part.sum()) for part in (table[:, :, c] for c in range(4))
    )
    assert measures.conditional_information(table, 0, 1, [2]) == pytest.approx(by_context)


def test_parity_has_no_information_in_pairs_and_all_of_it_in_three():
    parity = np.array([[[0.25 * ((a + b + c) % 2 == 0) for c in (0, 1)] for b in (0, 1)] for a in (0, 1)])
    assert measures.conditional_information(parity, 0, 1, []) == pytest.approx(0)
    assert measures.conditional_information(parity, 0, 1, [2]) == pytest.approx(np.log(2))
    assert measures.total_correlation(parity) == pytest.approx(np.log(2))
    assert measures.dual_total_correlation(parity) == pytest.approx(2 * np.log(2))


def test_two_tables_are_as_far_apart_as_scipy_and_the_best_event_say():
    p, q = np.random.default_rng(1).dirichlet(np.ones(6), 2).reshape(2, 2, 3)
    assert measures.kl_tables(p, q) == pytest.approx(stats.entropy(p.ravel(), q.ravel()))
    assert measures.kl_tables(p, q) != pytest.approx(measures.kl_tables(q, p), rel=0.01)
    assert measures.kl_tables(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert measures.kl_tables(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    events = itertools.product((False, True), repeat=6)
    assert measures.table_variation(p, q) == pytest.approx(max((p - q).ravel()[list(event)].sum() for event in events))


# ---- three small languages


def test_each_table_lists_the_sentences_of_its_definition():
    rng = np.random.default_rng(3)
    K, Z, n = 2, 3, 4
    start, step, second = rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K), rng.dirichlet(np.ones(K), (K, K))
    pair = rng.dirichlet(np.ones(K * K)).reshape(K, K)
    begin, move, say = rng.dirichlet(np.ones(Z)), rng.dirichlet(np.ones(Z), Z), rng.dirichlet(np.ones(K), Z)
    made = (
        chains.first_order(start, step, n),
        chains.second_order(pair, second, n),
        chains.hidden_markov(begin, move, say, n),
    )
    for x in itertools.product(range(K), repeat=n):
        first = start[x[0]] * np.prod([step[x[t - 1], x[t]] for t in range(1, n)])
        two = pair[x[0], x[1]] * np.prod([second[x[t - 2], x[t - 1], x[t]] for t in range(2, n)])
        hidden = sum(
            begin[z[0]]
            * np.prod([move[z[t - 1], z[t]] for t in range(1, n)])
            * np.prod([say[z[t], x[t]] for t in range(n)])
            for z in itertools.product(range(Z), repeat=n)
        )
        assert [table[x] for table in made] == pytest.approx([first, two, hidden], rel=1e-12)


def test_information_by_distance_is_that_of_the_markov_language():
    """Enumeration beside forward-backward."""
    rng = np.random.default_rng(4)
    initial, step = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), 3)
    table = chains.first_order(initial, step, 5)
    language = MarkovLanguage(["x", "y", "z"], step, initial, sentence_length=5)
    words = language.vocabulary.regular_ids
    for i, j in ((1, 2), (1, 3)):
        expected = 0.0
        for x in itertools.product(range(3), repeat=5):
            ids = np.array([language.vocabulary.cls_id, *words[list(x)], language.vocabulary.sep_id])
            ids[[i + 1, j + 1]] = language.vocabulary.mask_id
            expected += table[x] * measures.total_correlation(language.joint(ids, [i + 1, j + 1]))
        found = chains.information_by_distance(table)[j - i - 1]
        assert found == pytest.approx(expected, abs=1e-12)
        contexts = np.moveaxis(table, (i, j), (-2, -1)).reshape(-1, 3, 3)  # the same, from the table alone
        parts = [context.sum() * measures.total_correlation(context / context.sum()) for context in contexts]
        assert sum(parts) == pytest.approx(expected, abs=1e-12)


def test_only_the_first_order_chain_ends_at_the_next_word():
    reach = {name: chains.information_by_distance(t) for name, t in chains.small_languages(n=7).items()}
    assert all(nats[0] > 1e-3 for nats in reach.values())
    assert np.abs(reach[chains.FIRST_ORDER][1:]).max() < 1e-12
    assert reach[chains.SECOND_ORDER][1] > 1e-3
    assert np.abs(reach[chains.SECOND_ORDER][2:]).max() < 1e-12
    assert (reach[chains.HIDDEN_MARKOV] > 1e-6).all()
    for t in chains.small_languages(n=5).values():
        assert t.sum() == pytest.approx(1)


# ---- conditionals and what they amount to


@pytest.fixture(scope="module")
def pair():
    return np.random.default_rng(5).dirichlet(np.full(12, 0.6)).reshape(3, 4) * 0.9 + 0.1 / 12


@pytest.fixture(scope="module")
def strangers(pair):
    """Conditionals that no joint has: each of another one."""
    other = np.random.default_rng(6).dirichlet(np.ones(12)).reshape(3, 4)
    return [conditionals.conditionals_of(pair)[0], conditionals.conditionals_of(other)[1]]


def test_conditionals_of_one_joint_agree_and_lead_back_to_it(pair):
    tables = conditionals.conditionals_of(pair)
    assert conditionals.log_odds_gap(tables) < 1e-12
    np.testing.assert_allclose(conditionals.gibbs_law(tables), pair, atol=1e-11)
    np.testing.assert_allclose(conditionals.gibbs_law(tables, order=[1, 0]), pair, atol=1e-11)
    np.testing.assert_allclose(conditionals.chained(pair.sum(1), tables[1]), pair)


def test_the_gap_is_that_of_every_four_words(strangers):
    A, B = map(np.log, strangers)
    four = [
        (A[a, b] + A[c, d] - A[c, b] - A[a, d] - (B[a, b] + B[c, d] - B[a, d] - B[c, b])) ** 2
        for a, c in itertools.product(range(3), repeat=2)
        for b, d in itertools.product(range(4), repeat=2)
    ]
    assert conditionals.log_odds_gap(strangers) == pytest.approx(np.sqrt(np.mean(four)))
    assert conditionals.log_odds_gap(strangers) > 0.1
    with pytest.raises(ValueError, match="a probability is 0"):
        conditionals.log_odds_gap([np.eye(2), np.eye(2)])


def gibbs_matrix(tables):
    """A step of Gibbs sampling, blank by lot, as a matrix over all K^m states: row s is p(next state | s)."""
    shape = tables[0].shape
    S = int(np.prod(shape))
    matrix = np.zeros((S, S))
    for s, state in enumerate(np.ndindex(shape)):
        for i, table in enumerate(tables):
            line = (*state[:i], slice(None), *state[i + 1 :])
            reached = np.arange(S).reshape(shape)[line]
            matrix[s, reached] += table[line] / len(tables)
    return matrix


def test_the_law_of_gibbs_sampling_is_the_left_eigenvector(strangers):
    matrix = gibbs_matrix(strangers)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    values, vectors = np.linalg.eig(matrix.T)
    vector = np.real(vectors[:, np.argmax(np.real(values))])
    np.testing.assert_allclose(conditionals.gibbs_law(strangers).ravel(), vector / vector.sum(), atol=1e-10)


def test_strangers_have_another_law_in_each_order(strangers):
    one, other = (conditionals.gibbs_law(strangers, order) for order in ([0, 1], [1, 0]))
    assert measures.table_variation(one, other) > 0.01
    np.testing.assert_allclose(conditionals.conditionals_of(one)[1], strangers[1], atol=1e-9)  # that of the last draw


def test_three_blanks(table):
    joint = 0.9 * table + 0.1 / table.size
    tables = conditionals.conditionals_of(joint)
    np.testing.assert_allclose(conditionals.gibbs_law(tables), joint, atol=1e-10)


def test_the_field_of_the_pseudo_likelihood_has_other_conditionals(pair):
    field = conditionals.energy_law(conditionals.conditionals_of(pair))
    assert field.sum() == pytest.approx(1)
    assert measures.kl_tables(pair, field) > 0.01
    product = measures.independent(pair)
    np.testing.assert_allclose(conditionals.energy_law(conditionals.conditionals_of(product)), product)


def test_parts_that_never_meet():
    assert len(conditionals.closed_parts(np.eye(3))) == 3
    (whole,) = conditionals.closed_parts(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]]))
    assert [words.tolist() for words in whole] == [[0, 1], [0, 1, 2]]
    first, second = conditionals.closed_parts(np.array([[0.1, 0, 0], [0, 0.4, 0.5]]))
    assert [words.tolist() for words in first + second] == [[1], [1, 2], [0], [0]]


def test_where_parts_never_meet_gibbs_sampling_keeps_how_likely_its_start_made_them():
    joint = np.array([[0.1, 0, 0], [0, 0.4, 0.5]])
    law = conditionals.gibbs_law(conditionals.conditionals_of(joint), order=[0, 1])
    assert measures.table_variation(law, joint) > 0.1
    np.testing.assert_allclose(law[1] / law[1].sum(), joint[1] / joint[1].sum(), atol=1e-9)


def test_a_pronoun_ties_two_blanks_by_an_odds_ratio_that_is_neither_0_nor_infinite():
    """From four probabilities of whole sentences; and both sides of an exact reader give the same."""
    language = scene_language()
    ids = language.encode("the [MASK] visited the [MASK] because he needed glory .")
    places = np.flatnonzero(ids == language.vocabulary.mask_id)
    words = [language.vocabulary.ids(pair) for pair in (("surgeon", "mother"), ("prince", "sergeant"))]
    log_p = np.empty((2, 2))
    for i, j in np.ndindex(2, 2):
        said = ids.copy()
        said[places] = words[0][i], words[1][j]
        log_p[i, j] = language.log_marginal(said[None])[0]
    expected = log_p[0, 0] + log_p[1, 1] - log_p[0, 1] - log_p[1, 0]
    assert -10 < expected < -1
    tables = readers.conditional_tables(readers.reader_of_language(language), ids, places, [np.array(w) for w in words])
    for p in map(np.log, tables):
        assert p[0, 0] + p[1, 1] - p[0, 1] - p[1, 0] == pytest.approx(expected)


def test_the_tables_of_a_reader_are_those_of_its_language():
    rng = np.random.default_rng(7)
    dense = MarkovLanguage(["x", "y", "z"], 0.8 * rng.dirichlet(np.ones(3), 3) + 0.2 / 3, sentence_length=5)
    words = dense.vocabulary.regular_ids
    ids, places = dense.sample(1, rng).ids[0], np.array([2, 3, 5])
    hidden = ids.copy()
    hidden[places] = dense.vocabulary.mask_id
    joint = dense.joint(hidden, places)[np.ix_(words, words, words)]
    found = readers.conditional_tables(readers.reader_of_language(dense), ids, places, [words] * 3)
    for table, expected in zip(found, conditionals.conditionals_of(joint), strict=True):
        np.testing.assert_allclose(table, expected, atol=1e-12)
    some = [words, words[:2], words[1:]]
    confined = readers.conditional_tables(readers.reader_of_language(dense), ids, places, some)
    for table, expected in zip(confined, conditionals.conditionals_of(joint[:, :2, 1:]), strict=True):
        np.testing.assert_allclose(table, expected, atol=1e-12)
    apart = readers.one_pass_marginals(readers.reader_of_language(dense), ids, places, words)
    np.testing.assert_allclose(apart, [joint.sum((1, 2)), joint.sum((0, 2)), joint.sum((0, 1))], atol=1e-12)


# ---- what several blanks cost


def test_one_pass_pays_the_total_correlation():
    language = scene_language()
    blanks = one_pass.hide_words(language, 400, 2, np.random.default_rng(8))
    exact = readers.reader_of_language(language)
    joints = map(language.joint, blanks.hidden, blanks.positions)
    tc = np.array([measures.total_correlation(joint) for joint in joints])
    apart = one_pass.one_pass_nats(exact, blanks)
    assert (tc > -1e-12).all()
    np.testing.assert_allclose(one_pass.in_turn_nats(exact, blanks), one_pass.joint_nats(blanks), atol=1e-9)
    excess = apart - one_pass.joint_nats(blanks)
    error = (excess - tc).std() / np.sqrt(len(blanks))
    assert abs((excess - tc).mean()) < 4 * error < 0.2
    chained = one_pass.chained_total_correlation(blanks)
    assert abs((chained - tc).mean()) < 4 * (chained - tc).std() / np.sqrt(len(blanks))


def test_drawn_excess_has_the_total_correlation_as_its_mean(pair):
    drawn = one_pass.drawn_excess(pair, 200_000, np.random.default_rng(9))
    assert drawn.mean() == pytest.approx(measures.total_correlation(pair), abs=0.01)


def test_blanks_are_words_and_every_pair_is_as_likely():
    language = markov_language(4)
    blanks = one_pass.hide_words(language, 3000, 2, np.random.default_rng(10))
    assert (np.diff(blanks.positions) > 0).all()
    _, counts = np.unique(blanks.positions, axis=0, return_counts=True)
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-4
    assert (blanks.hidden == language.vocabulary.mask_id).sum() == 6000
    assert not (blanks.ids == language.vocabulary.mask_id).any()


def test_sentences_that_are_too_short_are_passed_over():
    language = scene_language()
    words = language.vocabulary.regular_ids
    for m, least in ((6, 0), (2, 8)):
        blanks = one_pass.hide_words(language, 300, m, np.random.default_rng(15), least)
        assert len(blanks) == 300
        assert np.isin(blanks.truth, words).all()
        assert (np.isin(blanks.ids, words).sum(axis=1) >= max(m, least)).all()
    with pytest.raises(ValueError, match="had 40 words"):
        one_pass.hide_words(language, 10, 40, np.random.default_rng(0))


# ---- filling


@pytest.mark.parametrize("order", filling.FILLING_ORDERS[1:])
def test_who_knows_the_language_and_fills_in_turn_draws_from_the_joint(order):
    language = MarkovLanguage(["x", "y"], [[0.9, 0.1], [0.3, 0.7]], sentence_length=3)
    ids = np.repeat(language.encode("x y x")[None], 20_000, axis=0)
    blanks = one_pass.HiddenWords(language, ids, np.tile([1, 2], (len(ids), 1)))
    filled = filling.fill_blanks(readers.reader_of_language(language), blanks, order, np.random.default_rng(11))
    words = language.vocabulary.regular_ids
    joint = language.joint(blanks.hidden[0], [1, 2])[np.ix_(words, words)]
    seen = np.array([[((filled[:, 1] == a) & (filled[:, 2] == b)).sum() for b in words] for a in words])
    assert stats.chisquare(seen.ravel(), 20_000 * joint.ravel()).pvalue > 1e-4
    expected = np.log(joint[filled[0, 1] - words[0], filled[0, 2] - words[0]])
    assert filling.judged(blanks, filled)[0] == pytest.approx(expected)


def test_blanks_are_filled_in_the_order_that_is_asked_for():
    """By a reader who is surest of the second blank, then of the third, whatever else is filled in."""
    language = MarkovLanguage(["x", "y"], [[0.9, 0.1], [0.3, 0.7]], sentence_length=3)
    x, y = language.vocabulary.regular_ids
    blanks = one_pass.HiddenWords(language, np.tile(language.encode("x x x"), (900, 1)), np.tile([1, 2, 3], (900, 1)))
    p = np.zeros((3, len(language.vocabulary)))
    p[:, x], p[:, y] = (0.5, 0.1, 0.3), (0.5, 0.9, 0.7)
    asked = []

    def ask(ids, positions):
        asked.append(np.take_along_axis(ids, positions, axis=1) == language.vocabulary.mask_id)
        return np.tile(p, (len(ids), 1, 1))

    def order_of(name):
        asked.clear()
        reader = readers.BlankReader(language.vocabulary, ask)
        filled = filling.fill_blanks(reader, blanks, name, np.random.default_rng(3), best=True)
        assert (filled[:, 2:4] == y).all()
        return np.sum(asked, axis=0)  # for how many rounds each blank was open

    assert (order_of(filling.LEFT_FIRST) == [1, 2, 3]).all()
    assert (order_of(filling.CERTAIN_FIRST) == [3, 1, 2]).all()
    orders, counts = np.unique(order_of(filling.ANY_ORDER), axis=0, return_counts=True)
    assert len(orders) == 6
    assert stats.chisquare(counts).pvalue > 1e-4


def test_each_sweep_draws_every_blank_anew_given_the_others():
    language = MarkovLanguage(["x", "y"], [[0.9, 0.1], [0.05, 0.95]], sentence_length=3)
    ids = np.repeat(language.encode("y y x")[None], 20_000, axis=0)
    blanks = one_pass.HiddenWords(language, ids, np.tile([1, 2], (len(ids), 1)))
    words = language.vocabulary.regular_ids
    first, second = conditionals.conditionals_of(language.joint(blanks.hidden[0], [1, 2])[np.ix_(words, words)])
    law, laws = np.array([[0.0, 0.0], [0.0, 1.0]]), []
    for _ in range(2):
        law = first * law.sum(axis=0)
        law = second * law.sum(axis=1, keepdims=True)
        laws.append(law)
    assert measures.table_variation(*laws) > 0.05
    swept = filling.gibbs_sweeps(readers.reader_of_language(language), blanks, ids, 2, np.random.default_rng(4))
    for filled, expected in zip(swept, laws, strict=True):
        seen = np.array([[((filled[:, 1] == a) & (filled[:, 2] == b)).sum() for b in words] for a in words])
        assert stats.chisquare(seen.ravel(), 20_000 * expected.ravel()).pvalue > 1e-4


def test_a_model_gives_all_of_a_blank_to_words():
    language = scene_language()
    model = MaskedLM(ModelConfig.tiny(len(language.vocabulary), num_hidden_layers=1), torch.Generator().manual_seed(0))
    blanks = one_pass.hide_words(language, 3, 2, np.random.default_rng(5))
    p = readers.reader_of_model(model.eval(), language.vocabulary)(blanks.hidden, blanks.positions)
    with torch.no_grad():
        ids = torch.from_numpy(blanks.hidden)
        logits = model(ids, ids != language.vocabulary.pad_id, torch.from_numpy(blanks.positions)).double().numpy()
    weights = np.exp(logits)
    weights[..., language.vocabulary.special_ids] = 0
    np.testing.assert_allclose(p, weights / weights.sum(axis=-1, keepdims=True), atol=1e-6)


def test_the_likeliest_words_are_shown_and_no_impossible_one():
    alone = np.array([[0.2, 0.0, 0.5, 0.3], [0.1, 0.4, 0.4, 0.1]])
    blanks = ReadBlanks(scene_language(), np.zeros(3), np.array([0, 1]), np.eye(4) / 4, np.full((4, 4), 1 / 16), alone)
    assert blanks.shown(0, 2).tolist() == [2, 3]
    assert blanks.shown(0, 4).tolist() == [2, 3, 0]
    assert blanks.shown(1, 3).tolist() == [1, 2, 0]
    assert (blanks.information, blanks.impossible) == pytest.approx((np.log(4), 12 / 16))


def test_one_pass_says_what_cannot_be_said_and_turns_do_not():
    language = scene_language()
    blanks = one_pass.hide_words(language, 200, 3, np.random.default_rng(12))
    exact = readers.reader_of_language(language)
    at_once = filling.judged(blanks, filling.fill_blanks(exact, blanks, filling.ONE_PASS, np.random.default_rng(1)))
    assert np.isneginf(at_once).mean() > 0.05
    for order in filling.FILLING_ORDERS[1:]:
        for best in (False, True):
            filled = filling.fill_blanks(exact, blanks, order, np.random.default_rng(1), best)
            assert np.isfinite(filling.judged(blanks, filled)).all()
    swept = filling.gibbs_sweeps(exact, blanks, blanks.ids, 2, np.random.default_rng(2))
    assert len(swept) == 2
    assert np.isfinite(filling.judged(blanks, swept[1])).all()
    with pytest.raises(ValueError, match="order is 'right'"):
        filling.fill_blanks(exact, blanks, "right", np.random.default_rng(0))


# ---- losses and gradients


@pytest.fixture(scope="module")
def chain():
    rng = np.random.default_rng(13)
    step = 0.8 * rng.dirichlet(np.ones(3), 3) + 0.2 / 3
    return step, chains.first_order(np.full(3, 1 / 3), step, 6)


def test_the_scores_are_the_conditionals_of_the_chain(chain):
    step, table = chain
    conditional = conditionals.conditionals_of(table)[2]
    scores = losses.exact_scores(step)
    for x in ((0, 1, 2, 0, 1, 2), (2, 2, 1, 1, 0, 0)):
        assert np.exp(scores[x[1], x[3], x[2]]) == pytest.approx(conditional[x])


def test_gradients_are_those_of_finite_differences(chain):
    step, _ = chain
    scores, x = losses.exact_scores(step) + np.random.default_rng(1).normal(size=(3, 3, 3)), np.array([[0, 1, 2, 2]])
    gradient = losses.blank_gradients(scores, x, 1)[0]
    for place in range(27):
        moved = [scores.ravel().copy() for _ in range(2)]
        moved[0][place] += 1e-6
        moved[1][place] -= 1e-6
        up, down = (losses.blank_losses(m.reshape(3, 3, 3), x, 1)[0] for m in moved)
        assert gradient[place] == pytest.approx((up - down) / 2e-6, abs=1e-8)


def test_losses_and_gradients_by_listing(chain):
    """Apart in a first-order chain: nothing within a context, for losses and gradients; between, for losses alone."""
    step, table = chain
    x, scores = losses.all_sentences(3, 6), losses.exact_scores(step)
    loss = losses.parted_correlation(*(losses.blank_losses(scores, x, t) for t in (1, 3)), table, 1, 3)
    assert loss.within == pytest.approx(0, abs=1e-12)
    assert abs(loss.between) > 1e-3
    exact = losses.parted_correlation(*(losses.blank_gradients(scores, x, t) for t in (1, 3)), table, 1, 3)
    assert [exact.within, exact.between] == pytest.approx([0, 0], abs=1e-12)
    even = losses.parted_correlation(*(losses.blank_gradients(0 * scores, x, t) for t in (1, 3)), table, 1, 3)
    assert even.within == pytest.approx(0, abs=1e-12)
    assert abs(even.between) > 1e-3
    a, b = (losses.blank_losses(scores, x, t) for t in (1, 3))
    p = table.ravel()
    mean = [p @ a, p @ b]
    correlation = (p @ ((a - mean[0]) * (b - mean[1]))) / np.sqrt((p @ (a - mean[0]) ** 2) * (p @ (b - mean[1]) ** 2))
    assert loss.correlation == pytest.approx(correlation)
    vectors = [losses.blank_gradients(0 * scores, x, t) for t in (1, 3)]
    one, other = (v - p @ v for v in vectors)
    traces = [p @ (u * v).sum(axis=1) for u, v in ((one, other), (one, one), (other, other))]
    assert even.correlation == pytest.approx(traces[0] / np.sqrt(traces[1] * traces[2]))
    with pytest.raises(ValueError, match="the same in every sentence"):
        losses.parted_correlation(np.ones(len(p)), b, table, 1, 3)


def test_the_losses_of_one_pass_are_those_of_the_exact_scores(chain):
    """Two ways to the losses of blanks that do not see each other."""
    step, table = chain
    found = losses.one_pass_losses(table, 1, 3)
    x, scores = losses.all_sentences(3, 6), losses.exact_scores(step)
    for loss, t in zip(found, (1, 3), strict=True):
        np.testing.assert_allclose(loss, losses.blank_losses(scores, x, t), atol=1e-9)
    second = chains.small_languages(n=6)[chains.SECOND_ORDER]
    parted = losses.parted_correlation(*losses.one_pass_losses(second, 1, 3), second, 1, 3)
    p, pair = second.ravel(), [loss - second.ravel() @ loss for loss in losses.one_pass_losses(second, 1, 3)]
    within, rest = 0.0, np.delete(losses.all_sentences(3, 6), (1, 3), axis=1) @ 3 ** np.arange(4)
    for context in np.unique(rest):
        share = np.where(rest == context, p, 0)
        means = [share @ loss / share.sum() for loss in pair]
        within += share @ ((pair[0] - means[0]) * (pair[1] - means[1]))
    size = np.sqrt((p @ pair[0] ** 2) * (p @ pair[1] ** 2))
    assert parted.within == pytest.approx(within / size)
    assert abs(parted.within) > 1e-3
    assert parted.correlation == pytest.approx(p @ (pair[0] * pair[1]) / size)
    with pytest.raises(ValueError, match="a sentence is impossible"):
        losses.one_pass_losses(np.eye(2)[None], 1, 2)


# ---- pseudo-log-likelihood


def test_pseudo_likelihood_is_too_high_by_the_dual_total_correlation():
    rng = np.random.default_rng(14)
    language = MarkovLanguage(["x", "y", "z"], 0.8 * rng.dirichlet(np.ones(3), 3) + 0.2 / 3, sentence_length=4)
    table = chains.first_order(language.initial, language.transition, 4)
    words = language.vocabulary.regular_ids
    ids = np.array(
        [[language.vocabulary.cls_id, *words[x], language.vocabulary.sep_id] for x in losses.all_sentences(3, 4)]
    )
    pll = pseudo.pseudo_log_likelihood(readers.reader_of_language(language), ids)
    gap = table.ravel() @ (pll - language.log_marginal(ids))
    assert gap == pytest.approx(measures.dual_total_correlation(table))
    assert gap > 0.05


def test_words_are_cut_behind_the_third_letter():
    cut = pseudo.cut_words(["[MASK]", "cat", "bird", "chef", "baker", "bakes", "maker"])
    assert (cut[:4, 1] == -1).all()
    assert cut[4, 0] == cut[5, 0] != cut[6, 0]
    assert cut[4, 1] == cut[6, 1] != cut[5, 1]


def test_with_the_rest_of_the_word_hidden_pieces_pay_what_the_word_pays():
    cut = pseudo.cut_words(["cat", "baker", "bakes", "maker"])
    p = np.array([0.1, 0.4, 0.2, 0.3])
    seen, hidden = pseudo.piece_scores(p, cut, 1)
    assert hidden == pytest.approx(np.log(0.4))
    assert seen == pytest.approx(np.log(0.4 / 0.7) + np.log(0.4 / 0.6))
    assert pseudo.piece_scores(p, cut, 0) == pytest.approx((np.log(0.1), np.log(0.1)))
