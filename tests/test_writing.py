"""Writing by unmasking (chapter 16): the area, the bound, the order, and what parallel steps cost, by enumeration."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlm_mini.experiments.lab.intervals import mean_interval, share_interval
from mlm_mini.experiments.lab.rates import RateTrial
from mlm_mini.experiments.writing import causal, estimators, study
from mlm_mini.experiments.writing.causal import causal_nats, write_causal
from mlm_mini.experiments.writing.estimators import (
    ALL_ALIKE,
    EMPTY_LEFT_OUT,
    MEAN_WEIGHT,
    RATIO_WEIGHT,
    STRATIFIED_RATIOS,
    measure_estimators,
)
from mlm_mini.experiments.writing.floor_area import (
    entropy_given_frame,
    expected_nats,
    gauss_ratios,
    hidden_nats,
    measure_area,
)
from mlm_mini.experiments.writing.mechanism import two_steps
from mlm_mini.experiments.writing.operations import causal_flops, pass_flops, unmasking_flops
from mlm_mini.experiments.writing.price import judge_written, price, staircase
from mlm_mini.experiments.writing.readers import exact_reader, model_reader
from mlm_mini.experiments.writing.sentence import frame_of, sentence_lengths, write_sentence
from mlm_mini.experiments.writing.unmasking import (
    BY_LOT,
    LIKELIEST_DRAW,
    MOST_CERTAIN,
    WRITING_ORDERS,
    draw,
    hide_all_words,
    pick,
    step_counts,
    unmask,
)
from mlm_mini.languages import MarkovLanguage, scene_language
from mlm_mini.model import MaskedLM, ModelConfig

pytestmark = pytest.mark.usefixtures("one_thread")


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def chain():
    """Three words in a row of four, so that all 81 sentences and all 15 ways to hide some can be gone through."""
    transition = np.array([[0.7, 0.3, 0.0], [0.1, 0.2, 0.7], [0.5, 0.1, 0.4]])
    return MarkovLanguage(["a", "b", "c"], transition, np.array([0.5, 0.2, 0.3]), sentence_length=4)


@pytest.fixture(scope="module")
def sentences(chain):
    """All that the chain can produce, (n, T) ids, and their probabilities (n,)."""
    v = chain.vocabulary
    ids = np.array([[v.cls_id, *words, v.sep_id] for words in itertools.product(v.regular_ids, repeat=4)])
    p = np.exp(chain.log_marginal(ids))
    return ids[p > 0], p[p > 0]


@pytest.fixture(scope="module")
def model(one_thread):
    return MaskedLM(ModelConfig.tiny(404, num_hidden_layers=1), torch.Generator().manual_seed(0)).eval()


# ---------------------------------------------------------------- the area under the floor


def exact_floor(chain, sentences, ratio):
    """F(r) by all sentences and all ways to hide some of their words."""
    ids, p = sentences
    nats = 0.0
    for hidden in itertools.product((False, True), repeat=4):
        row = np.tile([False, *hidden, False], (len(ids), 1))
        if any(hidden):
            nats += ratio ** sum(hidden) * (1 - ratio) ** (4 - sum(hidden)) * (p @ expected_nats(chain, ids, row))
    return nats / (4 * ratio)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_the_area_under_the_floor_is_the_entropy_per_word_to_the_last_digits(n, chain, sentences):
    """Exactly, by enumeration: the floor of four words is a cubic, for which two points are enough."""
    p = sentences[1]
    ratios, weights = gauss_ratios(n)
    area = weights @ [exact_floor(chain, sentences, ratio) for ratio in ratios]
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert area == pytest.approx(-(p @ np.log(p)) / 4, abs=1e-12)


def test_one_point_is_not_enough(chain, sentences):
    (ratio,), _ = gauss_ratios(1)
    p = sentences[1]
    assert abs(exact_floor(chain, sentences, ratio) + (p @ np.log(p)) / 4) > 0.001


def test_the_area_is_the_entropy_of_scenes_within_its_error():
    found = measure_area(scene_language(), 1200, 9, rng(1))
    apart = mean_interval(found.differences)
    assert apart.low < 0 < apart.high
    assert apart.high - apart.value < 0.03
    assert found.area[0] - found.exact[0] == pytest.approx(apart.value, abs=1e-9)
    assert 1.1 < found.exact[0] < 1.25
    assert 9.2 < found.words * found.exact[0] < 9.9


def test_the_curve_is_the_floor_at_each_ratio_within_its_errors(chain, sentences):
    found = measure_area(chain, 2000, 3, rng(2))
    for ratio, floor, error in zip(found.ratios, found.floors, found.errors, strict=True):
        assert abs(floor - exact_floor(chain, sentences, ratio)) < 4 * error < 0.1
    p = sentences[1]
    for value, error in (found.area, found.exact):
        assert abs(value + p @ np.log(p) / 4) < 4 * error < 0.1
    spread = entropy_given_frame(chain, chain.sample(2000, rng(3)).ids).std() / 4 / np.sqrt(2000)
    assert found.exact[1] == pytest.approx(spread, rel=0.1)
    assert found.words == 4


def test_gauss_weights_are_those_of_a_mean():
    ratios, weights = gauss_ratios(5)
    assert weights.sum() == pytest.approx(1)
    assert ((ratios > 0) & (ratios < 1)).all()
    assert weights @ ratios**9 == pytest.approx(1 / 10)


def test_surprisals_of_hidden_words_are_those_of_the_posterior():
    language = scene_language()
    ids = language.sample(20, rng()).ids
    hidden = np.isin(ids, language.vocabulary.regular_ids) & (rng(1).random(ids.shape) < 0.5)
    nats = hidden_nats(language, ids, hidden)
    assert (nats[~hidden] == 0).all()
    row, place = np.argwhere(hidden)[3]
    seen = np.where(hidden, language.vocabulary.mask_id, ids)
    p = language.posterior(seen[row : row + 1])[0, place, ids[row, place]]
    assert nats[row, place] == pytest.approx(-np.log(p))


def test_the_estimator_is_unbiased_and_both_wrong_turns_are_not():
    found = measure_estimators(scene_language(), 60, 32, rng(1))
    right = mean_interval(found.errors[f"{STRATIFIED_RATIOS}, {MEAN_WEIGHT}"])
    assert right.low < 0 < right.high
    assert right.high < 0.1
    assert mean_interval(found.errors[EMPTY_LEFT_OUT]).low > 0.05
    assert mean_interval(found.errors[ALL_ALIKE]).low > 0.05
    assert 0.08 < found.empty < 0.16
    assert found.largest[f"{STRATIFIED_RATIOS}, {MEAN_WEIGHT}"] <= 16


def test_the_largest_weight_is_that_of_a_row_in_which_something_is_hidden(monkeypatch):
    monkeypatch.setattr(estimators, "stratified_ratios", lambda rows, rng: np.array([1e-9, 0.5, 1.0]))
    found = measure_estimators(scene_language(), 4, 3, rng(3))
    assert found.empty == pytest.approx(1 / 3)  # nothing is hidden at a ratio of 1e-9, and no weight of 1e9 is used
    assert found.largest[f"{STRATIFIED_RATIOS}, {RATIO_WEIGHT}"] == 2.0


def test_an_error_is_that_of_a_batch_whose_words_are_added_up(monkeypatch):
    """Each hidden word costs a nat, and so does each word of a sentence; the first of three rows hides nothing."""
    monkeypatch.setattr(estimators, "stratified_ratios", lambda rows, rng: np.array([1e-9, 1.0, 1.0]))
    monkeypatch.setattr(estimators, "hidden_nats", lambda language, ids, hidden: hidden * 1.0)
    v = scene_language().vocabulary
    monkeypatch.setattr(
        estimators, "entropy_given_frame", lambda language, ids: np.isin(ids, v.regular_ids).sum(1) * 1.0
    )
    found = measure_estimators(scene_language(), 5, 3, rng(4))
    words = np.isin(scene_language().sample(15, rng(4)).ids, v.regular_ids).sum(axis=1).reshape(5, 3)
    total, shown = words.sum(axis=1), words[:, 0]
    expected = {
        f"{STRATIFIED_RATIOS}, {RATIO_WEIGHT}": -shown / total,
        f"{STRATIFIED_RATIOS}, {MEAN_WEIGHT}": (total - shown + 2) / total - 1,
        EMPTY_LEFT_OUT: 2 / (total - shown),
        ALL_ALIKE: np.zeros(5),
    }
    for way, errors in expected.items():
        assert found.errors[way] == pytest.approx(errors)
    assert found.batches == 5


# ---------------------------------------------------------------- steps, picks and draws


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20])
def test_every_word_is_filled_in_at_the_end_exactly(steps):
    words = np.array([9, 1, 0, 15, 4])
    counts = step_counts(words, steps)
    assert counts.shape == (steps, 5)
    assert (counts.sum(axis=0) == words).all()
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()
    with pytest.raises(ValueError, match="steps is 0: expected at least 1"):
        step_counts(words, 0)


def test_the_highest_scores_are_picked_and_equal_ones_by_lot():
    scores = np.tile([9.0, -1.0, -1.0, -5.0, -1.0], (6000, 1))
    hidden = np.tile([False, True, True, True, True], (6000, 1))
    picked = pick(scores, hidden, np.full(6000, 2), rng())
    assert (picked.sum(axis=1) == 2).all()
    assert not picked[:, [0, 3]].any()
    assert picked[:, [1, 2, 4]].mean(axis=0) == pytest.approx(2 / 3, abs=0.04)


def test_words_are_drawn_as_often_as_they_are_due():
    p = np.array([0.0, 0.5, 0.3, 0.2])
    with np.errstate(divide="ignore"):
        drawn = draw(np.tile(np.log(p), (20_000, 1)), rng())
    assert np.bincount(drawn, minlength=4) / 20_000 == pytest.approx(p, abs=0.02)


# ---------------------------------------------------------------- unmasking


@pytest.mark.parametrize("order", WRITING_ORDERS)
@pytest.mark.parametrize("steps", [1, 3, 4, 9])
def test_all_is_filled_in_and_nothing_else_is_touched(order, steps, chain):
    v = chain.vocabulary
    ids = hide_all_words(chain.sample(40, rng()).ids, v)
    written = unmask(exact_reader(chain), ids, v.mask_id, steps, rng(1), order)
    assert np.isin(written.ids[:, 1:-1], v.regular_ids).all()
    assert (written.ids[:, [0, -1]] == ids[:, [0, -1]]).all()
    assert ((written.step > 0) == (ids == v.mask_id)).all()
    assert written.step.max() <= steps
    assert (written.after(0, v.mask_id) == ids).all()
    assert (written.after(steps, v.mask_id) == written.ids).all()


def test_the_surest_place_comes_first_whatever_stands_there(chain):
    v = chain.vocabulary
    a, b, c = v.regular_ids
    sure = {1: 0.5, 2: 0.9, 3: 0.4, 4: 0.7}

    def reader(ids):
        log_p = np.full(((ids == v.mask_id).sum(), len(v)), -np.inf)
        for row, place in zip(log_p, np.nonzero(ids == v.mask_id)[1], strict=True):
            row[[a, b, c]] = np.log([sure[place], 0.98 - sure[place], 0.02])
        return log_p

    hidden = np.full((3, 6), v.mask_id)
    hidden[:, 0], hidden[:, 5] = v.cls_id, v.sep_id
    answers = np.tile([v.cls_id, b, c, b, a, v.sep_id], (3, 1))
    written = unmask(reader, hidden, v.mask_id, 4, rng(), MOST_CERTAIN, answers)
    assert written.step.tolist() == [[0, 4, 1, 3, 2, 0]] * 3  # 0.58, the largest at the third place, is that of b
    assert written.surprisal[0, 1:5] == pytest.approx(-np.log([0.48, 0.02, 0.58, 0.7]))
    sure = dict.fromkeys(sure, 0.49) | {3: 0.97}
    drawn = unmask(reader, np.repeat(hidden, 100, axis=0), v.mask_id, 4, rng(), LIKELIEST_DRAW)
    likely = drawn.ids[:, 3] == a
    assert likely.mean() > 0.9
    assert (drawn.step[likely, 3] == 1).mean() > 0.9


@pytest.mark.parametrize("order", [BY_LOT, MOST_CERTAIN])
def test_each_of_two_steps_costs_what_its_words_cost_by_enumeration(order, chain, sentences):
    ids, p = sentences
    blank, mask_id = hide_all_words(ids, chain.vocabulary), chain.vocabulary.mask_id
    steps = unmask(exact_reader(chain), blank, mask_id, 2, rng(5), order, answers=ids).step
    for now, cost in enumerate(two_steps(chain, ids, order, rng(5)), start=1):
        for i in range(0, len(ids), 7):
            before, own = (steps[i] > 0) & (steps[i] < now), steps[i] == now
            given = p * (ids[:, before] == ids[i, before]).all(axis=1)
            alone = [given @ (ids[:, t] == ids[i, t]) / given.sum() for t in np.flatnonzero(own)]
            assert cost.apart[i] == pytest.approx(-np.log(alone).sum())
            both = given @ (ids[:, own] == ids[i, own]).all(axis=1) / given.sum()
            assert cost.together[i] == pytest.approx(-np.log(both))


def test_who_knows_the_language_reads_each_row_by_itself_and_guesses_where_all_is_lost(chain):
    v = chain.vocabulary
    rows = [
        chain.encode(text) for text in ("a b [MASK] [MASK]", "a c [MASK] b", "[MASK] c c [MASK]")
    ]  # c never follows a
    log_p = exact_reader(chain)(np.stack(rows))
    assert log_p.shape == (5, len(v))
    assert np.exp(log_p[2, v.regular_ids]) == pytest.approx([1 / 3] * 3)
    assert np.isneginf(log_p[2, v.special_ids]).all()
    for row, at in ((0, [0, 1]), (2, [3, 4])):
        assert np.exp(log_p[at]) == pytest.approx(chain.posterior(rows[row][None])[0, rows[row] == v.mask_id])


@pytest.mark.parametrize("order", [BY_LOT, MOST_CERTAIN])
def test_one_word_a_step_is_exact_in_any_order(order, chain, sentences):
    ids, p = sentences
    nats = unmask(
        exact_reader(chain), hide_all_words(ids, chain.vocabulary), chain.vocabulary.mask_id, 4, rng(), order, ids
    )
    assert nats.nats == pytest.approx(-np.log(p), abs=1e-9)


@pytest.mark.parametrize("order", [BY_LOT, MOST_CERTAIN])
def test_the_price_is_the_total_correlation_of_what_is_filled_in_together(order, chain, sentences):
    """A second derivation: what each step's words cost apart, less what they cost together, over all sentences."""
    ids, p = sentences
    lost = sum(cost.lost for cost in two_steps(chain, ids, order, rng(3)))
    assert lost == pytest.approx(price(exact_reader(chain), chain, ids, 2, rng(3), order), abs=1e-9)
    assert p @ lost > 0.01


def test_one_step_costs_the_total_correlation_of_the_sentence(chain, sentences):
    ids, p = sentences
    paid = p @ price(exact_reader(chain), chain, ids, 1, rng())
    marginals = np.array([[p @ (ids[:, t] == word) for word in chain.vocabulary.regular_ids] for t in range(1, 5)])
    assert paid == pytest.approx(-(marginals * np.log(marginals)).sum() + p @ np.log(p), abs=1e-9)


def test_the_stairs_are_the_price_of_a_writer_who_lets_luck_decide(chain, sentences):
    """Each word has a number: those in a K-th of the range are filled in together. All ways, by enumeration."""
    ids, p = sentences
    reader, mask_id = exact_reader(chain), chain.vocabulary.mask_id
    paid = 0.0
    for steps in itertools.product((1, 2, 3), repeat=4):
        at, nats = np.array([0, *steps, 0]), 0.0
        for step in (1, 2, 3):
            hidden = np.tile(at >= step, (len(ids), 1)) & (at > 0)
            if (at == step).any():
                log_q = reader(np.where(hidden, mask_id, ids))
                now = np.tile(at == step, (len(ids), 1))[hidden]
                nats -= p @ np.bincount(np.nonzero(hidden)[0][now], log_q[now, ids[hidden][now]], minlength=len(ids))
        paid += nats / 3**4
    floors = np.array([exact_floor(chain, sentences, k / 3) for k in (1, 2, 3)])
    entropy = -(p @ np.log(p))
    assert 4 * staircase(floors, entropy / 4) == pytest.approx(paid - entropy, abs=1e-9)


def test_exact_sentences_are_possible_and_have_the_entropy_and_those_of_one_step_are_not():
    language = scene_language()
    blank = hide_all_words(language.sample(300, rng()).ids, language.vocabulary)
    reader, mask_id = exact_reader(language), language.vocabulary.mask_id
    one_by_one = judge_written(language, unmask(reader, blank, mask_id, 15, rng(1)).ids)
    assert one_by_one.possible.value == 1
    assert abs(one_by_one.surprisal.value - 9.5) < 0.8
    at_once = judge_written(language, unmask(reader, blank, mask_id, 1, rng(1)).ids)
    assert at_once.possible.high < 0.2


def test_what_is_impossible_has_no_surprisal(chain):
    ids = np.stack([chain.encode(text) for text in ("a b c c", "a a a a", "c c b b", "a c a a")])
    quality = judge_written(chain, ids)
    assert quality.possible == share_interval(np.array([True, True, True, False]))
    assert quality.surprisal == mean_interval(-chain.log_marginal(ids[:3]))
    assert np.isnan(judge_written(chain, ids[[0, 3]]).surprisal).all()


def test_likeliest_draws_first_write_likely_sentences_too_often(chain, sentences):
    ids, p = sentences
    blank = np.repeat(hide_all_words(ids[:1], chain.vocabulary), 4000, axis=0)
    written = unmask(exact_reader(chain), blank, chain.vocabulary.mask_id, 4, rng(), LIKELIEST_DRAW).ids
    nats = mean_interval(entropy_given_frame(chain, written))
    assert nats.high < -(p @ np.log(p)) - 0.1


def test_an_order_that_is_none_and_answers_that_cannot_be_priced_are_refused(chain):
    ids = hide_all_words(chain.sample(2, rng()).ids, chain.vocabulary)
    with pytest.raises(ValueError, match="order is 'left': expected one of 'random'"):
        unmask(exact_reader(chain), ids, chain.vocabulary.mask_id, 2, rng(), "left")
    with pytest.raises(ValueError, match="nobody knows what given words cost"):
        unmask(exact_reader(chain), ids, chain.vocabulary.mask_id, 2, rng(), LIKELIEST_DRAW, answers=ids)


# ---------------------------------------------------------------- models


def test_a_model_writes_no_special_token_and_its_distribution_sums_to_one(model):
    language = scene_language()
    v = language.vocabulary
    seen = hide_all_words(language.sample(5, rng()).ids, v)
    log_q = model_reader(model, v)(seen)
    assert len(log_q) == (seen == v.mask_id).sum()
    assert np.exp(log_q).sum(axis=1) == pytest.approx(1)
    assert np.isneginf(log_q[:, v.special_ids]).all()


def test_a_models_log_probabilities_stand_in_the_order_of_the_blanks(model):
    language = scene_language()
    v = language.vocabulary
    seen = language.sample(4, rng()).ids
    seen[np.isin(seen, v.regular_ids) & (rng(1).random(seen.shape) < 0.4)] = v.mask_id
    together = model_reader(model, v)(seen)
    alone = np.concatenate([model_reader(model, v)(row[None]) for row in seen])
    assert np.allclose(together[:, v.regular_ids], alone[:, v.regular_ids], atol=1e-4)


def test_a_causal_model_is_charged_for_every_word_and_the_end(model):
    language = scene_language()
    v, ids = language.vocabulary, language.sample(6, rng()).ids
    nats = causal_nats(model, ids, v)
    allowed = torch.from_numpy(np.append(v.regular_ids, v.sep_id))
    row = ids[2][ids[2] != v.pad_id]
    with torch.no_grad():
        log_q = model(torch.from_numpy(row)[None], causal=True)[0, :, allowed].double().log_softmax(-1)
    place = [allowed.tolist().index(token) for token in row[1:]]
    assert nats[2] == pytest.approx(-float(log_q[torch.arange(len(row) - 1), place].sum()), rel=1e-5)


def test_a_causal_model_charges_alike_whatever_is_asked_at_once(model, monkeypatch):
    v, ids = scene_language().vocabulary, scene_language().sample(7, rng(8)).ids
    whole = causal_nats(model, ids, v)
    monkeypatch.setattr(causal, "ASKED_AT_ONCE", 3)
    assert causal_nats(model, ids, v) == pytest.approx(whole, rel=1e-5)


def test_a_causal_model_writes_whole_sentences(model):
    language = scene_language()
    v, ids = language.vocabulary, write_causal(model, language, 30, rng())
    assert (ids[:, 0] == v.cls_id).all()
    assert ((ids == v.sep_id).sum(axis=1) == 1).all()
    ends = (ids == v.sep_id).argmax(axis=1)
    for row, end in zip(ids, ends, strict=True):
        assert np.isin(row[1:end], v.regular_ids).all()
        assert (row[end + 1 :] == v.pad_id).all()


def test_operations_are_counted_pass_by_pass():
    shape = ModelConfig.tiny(404)
    assert unmasking_flops(shape, 8, 1) == pytest.approx(pass_flops(shape, 10, 8))
    assert unmasking_flops(shape, 8, 2) == pytest.approx(pass_flops(shape, 10, 8) + pass_flops(shape, 10, 4))
    assert unmasking_flops(shape, 8, 8) == unmasking_flops(shape, 8, 30)
    assert causal_flops(shape, 8) < unmasking_flops(shape, 8, 1) < causal_flops(shape, 8, kept=False)
    assert unmasking_flops(shape, 5, 2) == pytest.approx(pass_flops(shape, 7, 5) + pass_flops(shape, 7, 3))
    assert causal_flops(shape, 8) == pytest.approx(pass_flops(shape, 9, 9))
    assert causal_flops(shape, 2, kept=False) == pytest.approx(sum(pass_flops(shape, n, 1) for n in (1, 2, 3)))
    D, F, L, V = shape.hidden_size, shape.intermediate_size, shape.num_hidden_layers, 404
    weights, attention = 2 * L * (4 * D * D + 2 * D * F), 4 * L * 10 * D  # of a position: its weights, and 10 others
    assert pass_flops(shape, 10, 3) == pytest.approx(10 * (weights + attention) + 3 * 2 * (D * D + D * V))


def test_a_share_has_an_interval_at_its_ends_too():
    assert share_interval(np.ones(50, dtype=bool)).low == pytest.approx(0.929, abs=0.002)
    value, low, high = share_interval(np.arange(100) < 30)
    assert (value, round(low, 3), round(high, 3)) == (0.3, 0.219, 0.396)


# ---------------------------------------------------------------- one sentence, and the study


def test_a_sentence_is_told_step_by_step(model):
    language = scene_language()
    assert sentence_lengths(language) == [4, 5, 6, 7, 8, 9, 10, 11, 14, 15]
    told = write_sentence(model_reader(model, language.vocabulary), language, 6, 3, BY_LOT, seed=1)
    assert len(told.stages) == len(told.possible) == 4
    assert [stage.count("[MASK]") for stage in told.stages] == [6, 4, 2, 0]
    assert told.possible[0]
    assert np.isfinite(told.nats) == told.possible[-1]
    with pytest.raises(ValueError, match="words is 12: expected one of 4, 5"):
        frame_of(language, 12)


def test_a_run_of_the_study_is_scored_by_what_it_writes(monkeypatch):
    monkeypatch.setattr(study, "JUDGED_SENTENCES", 20)
    for arm in (study.AT_ALL, study.ONE_BY_RATIO, study.LEFT_TO_RIGHT):
        found = study.run_writing_cell(study.WritingCell(arm, 2, 0))
        assert found["price"] > 5
        assert 0 <= found["possible"] <= 1
        assert (found["kl"] is None) == (arm == study.LEFT_TO_RIGHT)


def test_each_arm_is_trained_as_its_name_says(monkeypatch):
    asked = {}

    def train(shape, source, config, objective, device):
        asked[arm] = config, objective, source.next_batch(2)
        return SimpleNamespace(model=None)

    monkeypatch.setattr(study, "train", train)
    for name in ("judge_writer", "judge_causal"):
        monkeypatch.setattr(study, name, lambda model, name=name: {"price": 0.123456789, "kl": None, "by": len(name)})
    for arm in study.WRITING_ARMS:
        found = study.run_writing_cell(study.WritingCell(arm, 7, 4, 2e-3))
        judge = "judge_causal" if arm == study.LEFT_TO_RIGHT else "judge_writer"
        assert found == {"price": 0.12346, "kl": None, "by": len(judge)}
    configs = {arm: config for arm, (config, *_) in asked.items()}
    assert [configs[arm].masking.mask_ratio for arm in (study.AT_15, study.AT_40)] == [0.15, 0.4]
    assert [config.objective for config in configs.values()] == ["masked", "masked", "diffusion", "diffusion", "causal"]
    own = {arm for arm, (_, objective, _) in asked.items() if objective is study.ratio_weighted_batch}
    assert own == {study.ONE_BY_RATIO}
    assert {(config.steps, config.seed, config.learning_rate) for config in configs.values()} == {(7, 4, 2e-3)}
    assert all((read == asked[study.AT_15][2]).all() for *_, read in asked.values())


@pytest.fixture
def half_possible(monkeypatch):
    """Writers whose second half of sentences is one word again and again."""

    def written(count):
        ids = scene_language().sample(count, rng(9)).ids
        v = scene_language().vocabulary
        ids[count // 2 :] = np.where(np.isin(ids[count // 2 :], v.regular_ids), v.regular_ids[0], ids[count // 2 :])
        return ids

    monkeypatch.setattr(study, "JUDGED_SENTENCES", 20)
    return written


def test_a_writer_is_judged_in_many_steps_and_in_four(half_possible, monkeypatch):
    asked = []
    whole = scene_language().sample(20, rng(9)).ids

    def unmasked(reader, hidden, mask_id, steps, rng):
        return SimpleNamespace(ids=whole if steps == 4 else half_possible(20))

    monkeypatch.setattr(study, "price", lambda reader, language, ids, steps, rng: np.array([steps, steps + 1.0]))
    monkeypatch.setattr(study, "unmask", unmasked)
    monkeypatch.setattr(study, "draw_questions", lambda language, n, ratio, rng: asked.append((n, ratio)))
    monkeypatch.setattr(study, "question_kl", lambda model, questions: np.array([0.25, 0.5]))
    found = study.judge_writer(None)
    assert (found["price"], found["few_price"]) == (scene_language().length + 0.5, 4.5)
    assert (found["possible"], found["few_possible"], found["kl"]) == (0.5, 1.0, 0.375)
    assert asked == [(20, 0.15)]


def test_a_causal_writer_pays_what_is_above_the_language_itself(half_possible, monkeypatch):
    language = scene_language()
    monkeypatch.setattr(study, "causal_nats", lambda model, ids, v: 0.75 - language.log_marginal(ids))
    monkeypatch.setattr(study, "write_causal", lambda model, language, count, rng: half_possible(count))
    found = study.judge_causal(None)
    assert (found["price"], found["possible"]) == (pytest.approx(0.75), 0.5)
    assert (found["few_price"], found["few_possible"], found["kl"]) == (None, None, None)


def test_with_the_weight_one_by_ratio_a_row_counts_as_often_as_its_words_were_hidden(monkeypatch):
    language = scene_language()
    v, ids = language.vocabulary, language.sample(2, rng(10)).ids
    monkeypatch.setattr(study, "stratified_ratios", lambda n, rng: np.array([0.5, 1.0]))
    batch = study.ratio_weighted_batch(ids, v, rng(11), None)
    words = np.isin(ids, v.regular_ids).sum()
    for row, ratio in enumerate((0.5, 1.0)):
        asked = batch.labels[row] != -100
        assert batch.weights[row][asked].numpy() == pytest.approx(1 / (ratio * words))
        assert ((batch.ids[row] == v.mask_id).sum() == asked.sum()).item()
    assert (batch.labels[1] != -100).sum() == np.isin(ids[1], v.regular_ids).sum()


def test_rates_are_chosen_by_the_price_of_a_sentence(monkeypatch):
    asked = {}

    def try_rates(cells, rates, run, folder, workers, finished, score):
        asked.update(rates=rates, score=score({"price": 2.0, "kl": 1.0}))
        return tuple(RateTrial(arm, rate, abs(rate - 3e-3)) for arm in study.WRITING_ARMS for rate in rates)

    monkeypatch.setattr(study, "study_folder", lambda *of: None)
    monkeypatch.setattr(study, "try_rates", try_rates)
    monkeypatch.setattr(study, "score_cells", lambda kind, cells, *how: asked.update(cells=list(cells)) or ())
    found = study.measure_writers(study.WritingConfig(seeds=2), rng())
    assert (asked["rates"], asked["score"]) == (study.HIGH_RATES, 2.0)
    assert [(cell.seed, cell.learning_rate, cell.steps) for cell in asked["cells"]] == [(0, 3e-3, 400)] * 5 + [
        (1, 3e-3, 400)
    ] * 5
    assert [cell.arm for cell in asked["cells"]] == list(study.WRITING_ARMS) * 2
    assert found.rate(study.LEFT_TO_RIGHT) == 3e-3


def test_table_picture_and_words_have_the_numbers_of_the_study():
    config, drawn = study.WritingConfig(steps=1, seeds=3, rates=()), rng(12)
    runs = [study.WritingScore(cell, *drawn.random(5)) for cell in config.cells()][::-1]
    tried = (RateTrial(study.AT_40, 0.5, 2.0), RateTrial(study.AT_40, 0.25, 1.0))
    writers = study.Writers(config, tried, tuple(runs))
    arms = list(study.WRITING_ARMS)

    def of(arm, unit):
        values = {run.cell.seed: getattr(run, unit) for run in runs if run.cell.arm == arm}
        return np.array([values[seed] for seed in range(3)])

    lines, said = writers.table().splitlines()[1:], writers.describe()
    panels = writers.plot().axes
    labels = [label.get_text() for label in panels[0].get_yticklabels()]
    heights = dict(zip(labels, panels[0].get_yticks(), strict=True))
    for arm, line in zip(arms, lines, strict=True):
        price, share, kl = (mean_interval(of(arm, unit)) for unit in ("price", "possible", "kl"))
        numbers = [float(x) for x in line[28:].replace("±", " ").replace("%", " ").split()]
        rate = 0.25 if arm == study.AT_40 else 3e-3
        expected = [rate, price.value, price.high - price.value, 100 * share.value, 100 * (share.high - share.value)]
        expected += [] if arm == study.LEFT_TO_RIGHT else [kl.value, kl.high - kl.value]
        assert numbers == pytest.approx(expected, abs=0.51)
        assert numbers[:3] == pytest.approx(expected[:3], abs=6e-4)
        assert numbers[5:] == pytest.approx(expected[5:], abs=6e-4)
        assert f"{arm} {price}" in said
        assert f"{arm} {share.value:.0%}" in said
        for axes, estimate in zip(panels, (price, [100 * x for x in share]), strict=True):
            (bars,) = [bars for bars in axes.containers if bars.lines[0].get_ydata()[0] == heights[arm]]
            assert bars.lines[0].get_xdata()[0] == pytest.approx(estimate[0])
            assert bars.lines[2][0].get_segments()[0][:, 0] == pytest.approx(estimate[1:])
    assert writers.values("few_price", study.AT_15).tolist() == of(study.AT_15, "few_price").tolist()


def planted(shift, shift_at_40=0.0):
    config = study.WritingConfig(steps=1, seeds=5, rates=())
    luck, own = rng(1).normal(0, 0.1, 5), rng(2).normal(0, 0.1, 5)
    runs = [
        study.WritingScore(
            cell,
            2
            + luck[cell.seed]
            + shift * (cell.arm == study.AT_15)
            + (shift_at_40 + own[cell.seed]) * (cell.arm == study.AT_40),
            0.3,
            3.0,
            0.2,
            0.3,
        )
        for cell in config.cells()
    ]
    return study.Writers(config, (), tuple(runs))


def test_verdicts_follow_the_seeds():
    clear = planted(1.0)
    assert clear.verdict("price", study.AT_ALL, study.AT_15).word == study.LESS
    assert clear.difference("price", study.AT_15, study.AT_ALL).value == pytest.approx(1)
    assert "1.0 nats less than 15%, no telling whether more than 40%" in clear.finding()
    assert clear.plot().get_suptitle() == clear.finding()
    ahead = planted(1.0, -1.0 - rng(2).normal(0, 0.1, 5).mean())  # 40% pays a nat less than all ratios
    assert ahead.finding() == "All ratios pay 1.0 nats less than 15%, 1.0 nats more than 40%"
    farther = planted(1.0, 3.0 - rng(2).normal(0, 0.1, 5).mean())
    assert farther.finding() == "All ratios pay 1.0 nats less than 15%, 3.0 nats less than 40%"
    assert study.Writers.from_json(clear.to_json()).table() == clear.table()
    assert "all ratios" in clear.describe()


# ---------------------------------------------------------------- a count in place of a ratio (the bug clinic)


@pytest.mark.parametrize(("more", "off"), [(0, 1.0), (1, 5 / 4)])
def test_a_uniform_count_from_one_on_asks_for_the_weight_w_over_k(more, off, chain, sentences):
    """By enumeration: with (W + 1) / k, right where rows may hide nothing, a row of four words pays a quarter more."""
    ids, p = sentences
    nats = 0.0
    for k in range(1, 5):
        sets = list(itertools.combinations(range(1, 5), k))
        for places in sets:
            hidden = np.zeros(ids.shape, dtype=bool)
            hidden[:, places] = True
            nats += (4 + more) / k / (4 * len(sets)) * (p @ expected_nats(chain, ids, hidden))
    assert nats == pytest.approx(-off * (p @ np.log(p)), abs=1e-12)
