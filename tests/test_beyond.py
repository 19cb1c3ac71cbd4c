"""Proteins, code and Greek: the texts, the models that count, and what the masked models are asked."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.beyond import (
    antibody,
    blanks,
    code,
    kinship,
    lacunae,
    mutations,
    ngrams,
    readers,
    substitution,
    uses,
)
from mlm_mini.experiments.beyond.ngrams import (
    Ngram,
    both_sides_posterior,
    left_posterior,
    product_posterior,
    token_shares,
)
from mlm_mini.experiments.beyond.tuning import Tuning, tune
from mlm_mini.experiments.lab.intervals import mean_interval, share_interval
from mlm_mini.experiments.lab.permutations import permutation_share
from mlm_mini.languages import proteins, python_code
from mlm_mini.languages.characters import Characters
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.greek import BOOKS, GREEK_LETTERS, as_on_stone, greek_corpus
from mlm_mini.languages.package_files import read_package_files
from mlm_mini.languages.proteins import AMINO_ACIDS, protein_corpus
from mlm_mini.languages.python_code import code_lines, python_corpus
from mlm_mini.languages.token_store import text_tokenizer
from mlm_mini.languages.tokenizer import WordPiece, train_wordpiece
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.shipped import shipped
from mlm_mini.training import LANGUAGES
from mlm_mini.training.text_entries import PackageEntry
from mlm_mini.training.waves import wavy_model

TEXTS = [np.array(t) for t in ([1, 2, 3, 1, 2, 2, 1, 3], [3, 3, 1, 2, 1], [2, 1, 2, 3, 1, 1, 2, 3, 3, 1])]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_an_ngram_is_a_distribution_after_any_context(n):
    model = Ngram.fit(TEXTS, n, 3)
    for context in itertools.product(range(4), repeat=n - 1):
        p = model.probability([np.array(c) for c in context], np.arange(1, 4))
        assert p.sum() == pytest.approx(1)
        assert (p > 0).all()


def test_a_bigram_is_kneser_neys_by_hand():
    text = [np.array([1, 2, 1, 2, 1, 3])]
    model = Ngram.fit(text, 2, 3)
    # Bigrams with the edge in front: 01 12 21 12 21 13, so 01 and 13 occur once, 12 and 21 twice: D = 2 / (2 + 2 * 2).
    discount = 1 / 3
    followed = np.array([2, 1, 1]) + 0.5  # after how many different tokens 1, 2 and 3 stand, and a half
    lower = followed / followed.sum()
    after_one = (np.array([0, 2 - discount, 1 - discount]) + discount * 2 * lower) / 3
    assert model.probability([np.array(1)], np.array([1, 2, 3])) == pytest.approx(after_one)


def test_shares_have_half_a_token_more_and_both_sides_are_divided_by_them():
    texts = [np.array([1, 1, 2]), np.array([1])]
    assert token_shares(texts, 3) == pytest.approx(np.array([3.5, 1.5, 0.5]) / 5.5)
    assert Ngram.fit(texts, 1, 3).probability([], np.array([1, 2, 3])) == pytest.approx(np.array([3.5, 1.5, 0.5]) / 5.5)
    model, backwards, prior = Ngram.fit(TEXTS, 3, 3), Ngram.fit([t[::-1] for t in TEXTS], 3, 3), token_shares(TEXTS, 3)
    row, x = np.array([2, 1, 3, 1, 2, 2, 3]), np.arange(1, 4)
    before = model.probability([np.array(1), np.array(3)], x)
    after = backwards.probability([np.array(2), np.array(2)], x)  # from the right: the second, then the first neighbor
    expected = before * after / prior
    found = product_posterior(model, backwards, prior, row[None], np.array([3]))
    assert found[0] == pytest.approx(expected / expected.sum())
    edge = left_posterior(model, row[None], np.array([1]))[0]
    assert edge == pytest.approx(model.probability([np.array(0), np.array(2)], x))


@pytest.mark.parametrize("n", [2, 3])
def test_both_sides_are_bayes_rule_on_whole_rows(n):
    """Against a second derivation: the probability of the row with each token tried in turn."""
    model, row = Ngram.fit(TEXTS, n, 3), np.array([2, 1, 3, 1, 2, 2, 3, 1, 1])

    def log_p(tokens):
        padded = np.concatenate([np.zeros(n - 1, dtype=int), tokens])
        return sum(
            np.log(model.probability([np.array(c) for c in padded[i : i + n - 1]], padded[i + n - 1]))
            for i in range(len(tokens))
        )

    for place in (3, 4, 5):
        tried = np.array([log_p(np.concatenate([row[:place], [x], row[place + 1 :]])) for x in (1, 2, 3)])
        expected = np.exp(tried - tried.max()) / np.exp(tried - tried.max()).sum()
        found = both_sides_posterior(model, row[None], np.array([place]))[0]
        assert found == pytest.approx(expected, rel=1e-9)


def test_the_blank_itself_is_not_looked_at():
    model, backwards = Ngram.fit(TEXTS, 3, 3), Ngram.fit([t[::-1] for t in TEXTS], 3, 3)
    prior = token_shares(TEXTS, 3)
    rows, places = np.tile([2, 1, 3, 1, 2, 2, 3], (3, 1)), np.full(3, 3)
    rows[:, 3] = [1, 2, 3]
    for posterior in (
        left_posterior(model, rows, places),
        both_sides_posterior(model, rows, places),
        product_posterior(model, backwards, prior, rows, places),
    ):
        assert np.ptp(posterior, axis=0).max() == 0
        assert posterior.sum(axis=1) == pytest.approx(1)


def test_blanks_taken_some_at_a_time_are_those_taken_at_once(monkeypatch):
    model, backwards = Ngram.fit(TEXTS, 3, 3), Ngram.fit([t[::-1] for t in TEXTS], 3, 3)
    rows, places = np.random.default_rng(2).integers(1, 4, (7, 8)), np.array([1, 6, 3, 0, 7, 2, 5])

    def asked():
        prior = token_shares(TEXTS, 3)
        sides = left_posterior(model, rows, places), both_sides_posterior(model, rows, places)
        return np.stack([*sides, product_posterior(model, backwards, prior, rows, places)])

    whole = asked()
    monkeypatch.setattr(ngrams, "AT_ONCE", 7)
    assert asked() == pytest.approx(whole)


def test_tuning_finds_how_much_too_sure_a_reader_is():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(5))
    true = 0.8 * rng.dirichlet(np.ones(5), 20000) + 0.2 * shares
    answers = (rng.random((20000, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(max=4)
    own = (true - 0.2 * shares) ** 2
    too_sure = own / own.sum(axis=1, keepdims=True)  # undone by the exponent 0.5 and a fifth of the unigram
    found = tune(too_sure, answers, shares)
    assert (found.exponent, found.unigram) == pytest.approx((0.5, 0.2), abs=0.061)
    tuned = found.applied(too_sure, shares)
    assert tuned.sum(axis=1) == pytest.approx(1)
    assert blanks.surprisal_of(tuned, answers).mean() == pytest.approx(found.validation)
    assert found.validation < blanks.surprisal_of(too_sure, answers).mean()


def test_a_reader_that_says_what_is_true_is_left_nearly_as_it_is():
    rng = np.random.default_rng(1)
    true = rng.dirichlet(np.ones(4), 20000)
    answers = (rng.random((20000, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(max=3)
    found = tune(true, answers, np.full(4, 0.25))
    assert (found.exponent, found.unigram) == pytest.approx((1, 0), abs=0.061)


def test_an_order_that_has_no_numbers_is_refused():
    with pytest.raises(ValueError, match="n is 0"):
        Ngram.fit(TEXTS, 0, 3)
    with pytest.raises(ValueError, match=r"below 2 \*\* 63"):
        Ngram.fit(TEXTS, 8, 4000)
    with pytest.raises(ValueError, match="no tokens"):
        Ngram.fit([np.array([], dtype=int)], 2, 3)


def test_top_k_is_the_share_of_orders_that_a_lot_may_draw():
    rng = np.random.default_rng(0)
    scores, answers = rng.integers(0, 3, (5, 4)).astype(float), rng.integers(0, 4, 5)
    for k in (1, 2, 4):
        for row, answer, found in zip(scores, answers, blanks.top_k(scores, answers, k), strict=True):
            orders = [
                o for o in itertools.permutations(range(4)) if all(row[a] >= row[b] for a, b in itertools.pairwise(o))
            ]
            assert found == pytest.approx(np.mean([answer in o[:k] for o in orders]))


@pytest.fixture(scope="module")
def letters():
    """A tokenizer of three letters and a space, and a model of it that has learned nothing."""
    corpus = Corpus((Document("d", "abcab cab", "train"),), "s", "l", "n")
    tokenizer = text_tokenizer(corpus, 4096, "characters")
    config = ModelConfig.tiny(len(tokenizer.vocabulary), num_hidden_layers=1)
    return tokenizer, MaskedLM(config, torch.Generator().manual_seed(1)).eval()


def test_a_mean_over_documents_is_one_of_their_means(letters):
    vocabulary = letters[0].vocabulary
    a, b, c = vocabulary.ids(list("abc"))
    ids = np.array([[vocabulary.cls_id, a, b, c, vocabulary.sep_id]] * 4)
    asked = blanks.DocumentBlanks(ids, np.array([1, 2, 3, 3]), np.array([0, 0, 0, 1]), ("one", "other"), vocabulary)
    assert asked.per_document(np.array([1.0, 2.0, 6.0, 5.0])).tolist() == [3.0, 5.0]
    assert [vocabulary.words(vocabulary.regular_ids)[i] for i in asked.answers] == list("abcc")
    assert asked.numbers.tolist() == [[0, *(asked.answers[:3] + 1).tolist(), 0]] * 4


def test_blanks_are_drawn_from_every_document_with_their_neighbors(letters):
    tokenizer, _ = letters
    vocabulary = tokenizer.vocabulary
    long = "".join(np.random.default_rng(3).choice(list("abc "), 90))
    corpus = Corpus((Document("long", long, "test"), Document("short", "ab ca", "test")), "s", "l", "n")
    found = blanks.draw_document_blanks(corpus, "test", tokenizer, 30, 24, np.random.default_rng(4), not_asked=" ")
    assert found.names == ("long", "short")
    assert np.bincount(found.documents).tolist() == [30, 4]
    asked = {"long": [], "short": []}
    for ids, place, document in zip(found.ids, found.places, found.documents, strict=True):
        name, text = corpus.documents[document].name, corpus.documents[document].text
        n = int((ids != vocabulary.pad_id).sum())
        assert (ids[0], ids[n - 1], len(ids)) == (vocabulary.cls_id, vocabulary.sep_id, 24)
        row = "".join(tokenizer.tokens(ids[1 : n - 1]))
        assert text.count(row) == 1
        at = text.index(row) + place - 1
        assert row[place - 1] == text[at] != " "
        assert place - 1 >= min(8, at)
        assert len(row) - place >= min(8, len(text) - 1 - at)
        assert len(row) == min(22, len(text))
        asked[name].append(at)
    assert all(at == sorted(set(at)) for at in asked.values())
    inside = [place for place, at in zip(found.places, asked["long"], strict=False) if 22 < at < 68]
    assert len(set(inside)) > 2, "the place in the row is drawn too"


def test_a_model_does_not_see_what_it_is_asked_for(letters):
    tokenizer, model = letters
    vocabulary = tokenizer.vocabulary
    ids = np.stack([tokenizer.encode("abcab cab")] * 2)
    ids[1, 4] = vocabulary.ids(["c"])[0]
    asked = blanks.DocumentBlanks(ids, np.array([4, 4]), np.array([0, 0]), ("d",), vocabulary)
    one, other = blanks.model_posterior(model, asked)
    assert asked.answers[0] != asked.answers[1]
    assert one == pytest.approx(other)
    assert one.sum() == pytest.approx(1)
    shifted = replace(asked, places=np.array([5, 5]))
    assert np.abs(np.subtract(*blanks.model_posterior(model, shifted))).max() > 1e-6, "but it sees the rest"


@pytest.mark.parametrize("reach", [None, 2])
def test_each_residue_of_a_chain_is_hidden_alone(letters, reach):
    tokenizer, model = letters
    vocabulary, chain = tokenizer.vocabulary, "abcabcacb"
    found = antibody.chain_posteriors(model, tokenizer, chain, reach)
    assert found.shape == (9, len(vocabulary.regular_ids))
    for place in (0, 1, 4, 8):
        first, last = (0, 9) if reach is None else (max(0, place - 2), min(9, place + 3))
        seen = tokenizer.encode(chain[first:last])
        seen[1 + place - first] = vocabulary.mask_id
        expected = blanks.candidate_probabilities(model, seen[None], np.array([[1 + place - first]]), vocabulary)
        assert found[place] == pytest.approx(expected[0, 0])


def test_of_each_chain_the_share_of_right_guesses_and_the_mean_surprisal_are_kept(letters, monkeypatch):
    tokenizer, _ = letters
    words = tokenizer.vocabulary.words(tokenizer.vocabulary.regular_ids)
    p = np.full((4, len(words)), 0.1)
    p[:, words.index("a")] = 0.7
    monkeypatch.setattr(antibody, "CHAINS", {"x": "aaab", "y": "cccc"})
    monkeypatch.setattr(antibody, "chain_posteriors", lambda *given: p)
    found = antibody._asked(None, tokenizer, None)
    assert found["right"] == [0.75, 0]
    assert found["nats"] == pytest.approx([-(3 * np.log(0.7) + np.log(0.1)) / 4, -np.log(0.1)], abs=1e-4)


def test_a_converted_model_leaves_out_other_heads_and_the_pickle(tmp_path):
    from safetensors.torch import load_file

    config = dict.fromkeys(antibody.CONFIG_FIELDS, 1) | {"note": "something else"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = {"bert.a": torch.arange(3.0), "cls.predictions.b": torch.ones(1), "cls.species.c": torch.ones(2)}
    torch.save(weights, tmp_path / "pytorch_model.bin")
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL_TOKENS, "A", "C"]))
    antibody.convert(tmp_path, tmp_path / "vocab.txt", tmp_path / "made")
    kept = load_file(tmp_path / "made" / antibody.WEIGHTS)
    assert set(kept) == {"bert.a", "cls.predictions.b"}
    assert kept["bert.a"].tolist() == [0, 1, 2]
    assert set(json.loads((tmp_path / "made" / "config.json").read_text())) == set(antibody.CONFIG_FIELDS)


def test_the_second_of_a_pair_is_guessed_with_the_first_filled_in(letters, monkeypatch):
    """By a reader to whom a is likeliest, and b wherever an a stands at the third place already."""
    vocabulary = letters[0].vocabulary
    a, b, c = vocabulary.ids(list("abc"))
    asked = []

    def says(model, seen, positions, vocabulary):
        asked.append(positions.tolist())
        p = np.zeros((*positions.shape, len(vocabulary)))
        p[..., a] = 0.5
        p[seen[:, 2] == a, :, b] = 0.9
        return p[..., vocabulary.regular_ids]

    monkeypatch.setattr(code, "candidate_probabilities", says)
    rows = np.array([[vocabulary.cls_id, c, c, c, b, vocabulary.sep_id]] * 2)
    pairs = np.array([[2, 4], [3, 4]])
    assert code.fill_pairs(None, letters[0], rows, pairs, in_turn=False).tolist() == [[a, a], [a, a]]
    assert code.fill_pairs(None, letters[0], rows, pairs, in_turn=True).tolist() == [[a, b], [a, a]]
    assert asked[-1] == [[4], [4]]
    assert (rows == c).sum() == 6, "rows are not written into"


def test_of_each_row_the_widest_pair_with_something_inside_is_taken():
    texts = ["f(a)[b,c]", "g()", "(h(x))"]
    tokenizer = SimpleNamespace(tokens=lambda row: list(texts[row[0]]))
    rows, pairs = code.rows_with_pairs(np.array([[0], [1], [2]]), tokenizer)
    assert rows.tolist() == [[0], [2]]
    assert pairs.tolist() == [[4, 8], [0, 5]]


@pytest.mark.parametrize("k", [2, 3])
def test_a_wide_beam_of_an_ngram_is_bayes_rule_on_whole_rows(letters, k):
    tokenizer, _ = letters
    vocabulary, lacuna = tokenizer.vocabulary, gap(tokenizer, k)
    numbers, C = blanks.as_numbers(lacuna.ids, vocabulary)[1:-1], len(vocabulary.regular_ids)
    model = Ngram.fit([numbers, numbers[::-1]], 3, C)

    def log_p(tokens):
        padded = np.concatenate([[0, 0], tokens])
        return sum(np.log(model.probability([*map(np.array, padded[i : i + 2])], padded[i + 2])) for i in range(9))

    words, expected = vocabulary.words(vocabulary.regular_ids), {}
    for letters_of in itertools.product(range(C), repeat=k):
        tried = numbers.copy()
        tried[2 : 2 + k] = np.array(letters_of) + 1
        expected["".join(words[i] for i in letters_of)] = log_p(tried)
    total = np.log(np.sum(np.exp(list(expected.values()))))
    found = lacunae.ngram_beam(model, lacuna, vocabulary, beam=C**k)
    assert {f.text: f.log_p for f in found} == pytest.approx({text: p - total for text, p in expected.items()})
    assert all(one.log_p >= other.log_p for one, other in itertools.pairwise(found))


def test_gaps_lie_in_the_middle_of_rows_of_documents_that_are_long_enough(letters):
    vocabulary = letters[0].vocabulary
    documents = {"long": np.arange(100, 130), "just": np.arange(200, 210), "short": np.arange(9)}
    found = lacunae.draw_lacunae(documents, vocabulary, 3, 15, 12, np.random.default_rng(0))
    assert [gap.document for gap in found] == ["long"] * 15 + ["just"]
    assert {(gap.start, gap.size, len(gap.ids)) for gap in found} == {(4, 3, 12)}
    assert found[-1].ids.tolist() == [vocabulary.cls_id, *range(200, 210), vocabulary.sep_id]
    starts = [gap.ids[1] for gap in found[:15]]
    assert starts == sorted(set(starts))
    assert all((np.diff(gap.ids[1:-1]) == 1).all() for gap in found)


def test_a_truth_that_is_not_among_the_twenty_best_has_no_place(letters, monkeypatch):
    tokenizer, _ = letters
    gaps = [gap(tokenizer, 2), lacunae.Lacuna(tokenizer.encode("abcab cab"), 1, 2, "d")]  # "ca" and "ab" are hidden

    def found(place):
        texts = ["xx"] * 25
        texts[place - 1] = "ca"
        return lambda *given: [lacunae.Restoration(text, 0.0) for text in texts]

    for name, place in (("one_pass", 1), ("beam_search", 20), ("ngram_beam", 21)):
        monkeypatch.setattr(lacunae, name, found(place))
    places = lacunae.restore_all(None, None, gaps, tokenizer)
    assert {way: of.tolist() for way, of in places.items()} == {
        "one pass": [1, 0],
        "beam": [20, 0],
        "n-gram beam": [0, 0],
    }


def gap(tokenizer, k):
    return lacunae.Lacuna(tokenizer.encode("abcab cab"), 3, k, "d")


def test_a_wide_beam_finds_every_text_and_their_probabilities_sum_to_one(letters):
    tokenizer, model = letters
    vocabulary = tokenizer.vocabulary
    C = len(vocabulary.regular_ids)
    found = lacunae.beam_search(model, gap(tokenizer, 2), vocabulary, beam=C**2)
    assert len({f.text for f in found}) == C**2
    assert np.exp([f.log_p for f in found]).sum() == pytest.approx(1)
    assert all(a.log_p >= b.log_p for a, b in itertools.pairwise(found))


def test_one_pass_is_the_product_and_agrees_with_a_beam_for_one_letter(letters):
    tokenizer, model = letters
    vocabulary, lacuna = tokenizer.vocabulary, gap(tokenizer, 2)
    seen = lacuna.ids.copy()
    seen[lacuna.positions] = vocabulary.mask_id
    p = blanks.candidate_probabilities(model, seen[None], lacuna.positions[None], vocabulary)[0]
    products = np.sort(np.outer(*p).ravel())[::-1][:20]
    found = lacunae.one_pass(model, lacuna, vocabulary)
    assert np.exp([f.log_p for f in found]) == pytest.approx(products)
    ways = (lacunae.one_pass, lacunae.beam_search)
    one, other = (way(model, gap(tokenizer, 1), vocabulary) for way in ways)
    assert [f.text for f in one] == [f.text for f in other]
    assert [f.log_p for f in one] == pytest.approx([f.log_p for f in other])


def test_the_ngrams_beam_is_its_posterior_where_one_letter_is_hidden(letters):
    tokenizer, _ = letters
    vocabulary, lacuna = tokenizer.vocabulary, gap(tokenizer, 1)
    numbers = blanks.as_numbers(lacuna.ids, vocabulary)
    model = Ngram.fit([numbers[numbers > 0]], 3, len(vocabulary.regular_ids))
    posterior = both_sides_posterior(model, numbers[None], lacuna.positions)[0]
    found = {f.text: f.log_p for f in lacunae.ngram_beam(model, lacuna, vocabulary)}
    expected = dict(zip(vocabulary.words(vocabulary.regular_ids), np.log(posterior), strict=True))
    assert found == pytest.approx(expected)


def test_a_share_without_a_miss_has_an_interval_within_0_and_1():
    assert share_interval(np.ones(9)).high == 1
    assert share_interval(np.zeros(9)).low == 0
    assert 0.5 < share_interval(np.ones(9)).low < 1


def test_substitution_scores_find_who_shares_places():
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 4, 4000)
    posterior = np.full((4000, 4), 0.05)
    posterior[np.arange(4000), answers] = 0.5
    posterior[np.arange(4000), answers ^ 1] = 0.4  # 0 with 1, and 2 with 3
    found = substitution.substitution_scores(posterior, answers)
    assert np.abs(found - found.T).max() < 1e-12
    assert found[0, 1] == pytest.approx(np.log(0.4 / 4 / (1 / 16)), abs=0.1)
    assert found[0, 2] == pytest.approx(np.log(0.05 / 4 / (1 / 16)), abs=0.1)


def test_a_permutation_test_is_sure_of_a_matrix_and_itself_and_of_nothing_else():
    rng = np.random.default_rng(1)
    one, other = (m + m.T for m in rng.normal(size=(2, 20, 20)))
    rho, drawn = substitution.permutation_test(one, one, rng, 199)
    assert rho == pytest.approx(1)
    assert permutation_share(rho, drawn) == 1 / 200
    rho, drawn = substitution.permutation_test(one, other, rng, 199)
    assert permutation_share(rho, drawn) > 0.01


def test_blosum62_is_symmetric_and_knows_what_is_rare():
    matrix = substitution.blosum62()
    assert (matrix == matrix.T).all()
    assert matrix[AMINO_ACIDS.index("W"), AMINO_ACIDS.index("W")] == 11


def test_the_nearest_of_the_training_side_is_measured_by_the_whole_of_the_held_out_one():
    half, other = "MKWVTFISLL", "PQRSTNDEGH"
    sides = {"train": [half + "A" * 10, "C" * 20], "test": [half + other, other + half, half + "A" * 10, "DEGNQ" * 4]}
    corpus = Corpus(tuple(Document(side, "\n".join(texts), side) for side, texts in sides.items()), "s", "l", "n")
    found = kinship.nearest_identities(corpus, 4, np.random.default_rng(0))
    assert found == pytest.approx([0.5, 0.5, 1.0, 0.0])


def test_repeated_runs_are_a_share_of_those_of_the_held_out_side():
    corpus = Corpus((Document("Mt 1", "abcdefg", "train"), Document("Mk 1", "bcdx bcd", "test")), "s", "l", "n")
    assert kinship.repeated_runs(corpus, 3) == pytest.approx(1 / 5)  # bcd, of bcd, cdx, "dx ", "x b", " bc"
    assert kinship.repeated_runs(corpus, 3, "Mt", ("Mk",)) == pytest.approx(1 / 5)  # of abc, bcd, cde, def, efg
    assert kinship.repeated_runs(corpus, 1, "Mt", ("Mk",)) == pytest.approx(3 / 7)  # b, c, d of seven


def test_the_order_of_an_ngram_is_the_one_that_pays_least_on_validation_text(monkeypatch):
    pays = {2: 3.0, 3: 1.0, 4: 2.0}
    monkeypatch.setitem(readers.ORDERS, "planted", tuple(pays))
    monkeypatch.setattr(readers, "tuning_of_order", lambda language, arm, n: Tuning(1.0, 0.1 * n, pays.get(n, 9.0)))
    assert readers.chosen.__wrapped__("planted", readers.BOTH) == (3, Tuning(1.0, 0.1 * 3, 1.0))
    assert readers.chosen.__wrapped__("planted", readers.UNIGRAM)[0] == 1


def planted_blanks(answers, documents, names):
    return SimpleNamespace(
        answers=np.array(answers),
        names=names,
        documents=np.array(documents),
        per_document=lambda values: np.array([values[np.array(documents) == d].mean() for d in range(len(names))]),
    )


def test_a_cell_is_tuned_and_held_against_test_text_as_it_was_before(monkeypatch):
    raw = np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
    shares, asked = np.array([0.5, 0.25, 0.25]), []
    monkeypatch.setattr(readers, "chosen", lambda language, arm: (4, Tuning(0.5, 0.2, 1.25)))
    monkeypatch.setattr(readers, "posterior_of_order", lambda *given: asked.append(given[:3]) or raw)
    monkeypatch.setattr(readers, "shares_of", lambda language: shares)
    monkeypatch.setattr(readers, "held_out_blanks", lambda language: planted_blanks([0, 1, 1], [0, 0, 1], ("d", "e")))
    found = readers.run_beyond_cell(readers.BeyondCell("planted", readers.LEFT))
    assert asked == [("planted", readers.LEFT, 4)]
    tuned = 0.8 * np.sqrt(raw) / np.sqrt(raw).sum(axis=1, keepdims=True) + 0.2 * shares
    nats = -np.log(tuned[[0, 1, 2], [0, 1, 1]])
    assert found["nats"] == pytest.approx([nats[:2].mean(), nats[2]], abs=1e-4)
    assert found["untuned"] == pytest.approx([-(np.log(0.6) + np.log(0.2)) / 2, -np.log(0.8)], abs=1e-4)
    assert (found["top1"], found["top5"], found["top20"]) == ([0.5, 1], [1, 1], [1, 1])
    named = found["order"], found["exponent"], found["unigram"], found["validation"], found["documents"]
    assert named == (4, 0.5, 0.2, 1.25, ["d", "e"])


def test_both_numbers_of_a_reader_are_chosen_on_validation_text(monkeypatch):
    asked, posterior = [], np.array([[0.5, 0.5], [0.9, 0.1]])

    def held_out(language, split="test", seed=readers.BLANKS_SEED):
        asked.append((split, seed))
        return SimpleNamespace(answers=np.array([0, 1]))

    monkeypatch.setattr(readers, "held_out_blanks", held_out)
    monkeypatch.setattr(readers, "shares_of", lambda language: np.array([0.5, 0.5]))
    for name in ("posterior_of_order", "model_posterior"):
        monkeypatch.setattr(readers, name, lambda *given: posterior)
    expected = tune(posterior, np.array([0, 1]), np.array([0.5, 0.5]))
    assert readers.tuning_of_order.__wrapped__("planted", readers.BOTH, 3) == expected
    assert readers.model_tuning("planted", None) == expected
    unigram = readers.tuning_of_order.__wrapped__("planted", readers.UNIGRAM, 1)
    assert unigram == Tuning(1.0, 0.0, pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2))
    assert asked == [("validation", readers.TUNING_BLANKS_SEED)] * 3


def test_each_reader_that_counts_asks_the_side_that_its_name_says(monkeypatch):
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "a", "b", "c"])
    monkeypatch.setattr(readers, "training_numbers", lambda language: (SimpleNamespace(vocabulary=vocabulary), TEXTS))
    rows, places = np.array([[2, 1, 3, 1, 2], [3, 3, 1, 2, 1]]), np.array([2, 3])
    asked = SimpleNamespace(numbers=rows, places=places, ids=rows)
    model, backwards = Ngram.fit(TEXTS, 3, 3), Ngram.fit([t[::-1] for t in TEXTS], 3, 3)
    expected = {
        readers.UNIGRAM: np.stack([token_shares(TEXTS, 3)] * 2),
        readers.LEFT: left_posterior(model, rows, places),
        readers.PRODUCT: product_posterior(model, backwards, token_shares(TEXTS, 3), rows, places),
        readers.BOTH: both_sides_posterior(model, rows, places),
    }
    for arm, posterior in expected.items():
        assert readers.posterior_of_order("planted sides", arm, 3, asked) == pytest.approx(posterior)
    assert len({posterior[0, 0] for posterior in expected.values()}) == 4


def test_what_is_no_amino_acid_is_left_out_of_a_posterior():
    words = [*AMINO_ACIDS[::-1], "X"]
    vocabulary = SimpleNamespace(regular_ids=None, words=lambda ids: words)
    posterior = np.full((2, 21), 0.02)
    posterior[:, [words.index("A"), words.index("X")]] = 0.22, 0.4
    of_words = SimpleNamespace(vocabulary=vocabulary, answers=np.array([words.index("A"), words.index("W")]))
    q, answers = substitution.residue_posterior(posterior, of_words)
    assert [AMINO_ACIDS[i] for i in answers] == ["A", "W"]
    assert q[0, AMINO_ACIDS.index("A")] == pytest.approx(0.22 / 0.6)
    assert q[1, AMINO_ACIDS.index("W")] == pytest.approx(0.02 / 0.6)
    assert q.sum(axis=1) == pytest.approx(1)


def test_documents_are_drawn_anew_with_all_of_their_blanks():
    of = SimpleNamespace(names=("a", "b", "c", "d"), documents=np.array([0, 0, 1, 2, 2, 2, 3]))
    rng, twice = np.random.default_rng(5), 0
    for _ in range(20):
        times = np.bincount(uses.resampled_blanks(of, rng), minlength=7)
        of_documents = [set(times[of.documents == d].tolist()) for d in range(4)]
        assert all(len(found) == 1 for found in of_documents)
        assert sum(found.pop() for found in of_documents) == 4
        twice += times.max() > 1
    assert twice > 10


def test_the_shipped_uses_are_what_their_own_numbers_come_to():
    found = shipped("experiments", "beyond_uses")["result"]
    published = substitution.pairs_below(substitution.blosum62())
    assert list(found["substitutions"]) == [readers.MASKED_MODEL, *uses.COUNTING_CONTROLS]
    for of in found["substitutions"].values():
        below = substitution.pairs_below(np.array(of["matrix"]))
        assert spearmanr(below, published).statistic == pytest.approx(of["rho"], abs=0.01)  # ties by rounding
        assert len(of["shuffled"]) == uses.SHUFFLINGS
        assert of["p"] == pytest.approx((1 + sum(x >= of["rho"] for x in of["shuffled"])) / 501, abs=0.005)
        low, high = np.quantile(of["resampled"], [0.001, 0.999])
        assert low < of["rho"] < high
    assert {len(shares) for shares in found["mutations"].values()} == {len(found["mutations"]["BLOSUM62"])}
    assert set(found["gaps"]) == {str(size) for size in uses.GAP_SIZES}


def test_readers_of_mutations_are_asked_about_what_stands_there(monkeypatch):
    """Each reader is sure of one letter: the wild one, nature's or the drawn one; BLOSUM62 goes by the wild one."""
    wild, natural, drawn = (np.array([AMINO_ACIDS.index(a) for a in letters]) for letters in ("LLW", "IID", "WLF"))
    drawn[1] = AMINO_ACIDS.index("P")
    variants = mutations.Substitutions(
        np.zeros((3, 4)), np.ones(3, dtype=int), wild, natural, drawn, np.array([0, 0, 3])
    )
    words = ["X", *AMINO_ACIDS[::-1]]
    vocabulary = SimpleNamespace(regular_ids=None, words=lambda ids: words)

    def counted(language, arm, asked):
        q = np.full((3, 21), 0.01)
        sure = {readers.PRODUCT: natural, readers.BOTH: drawn, readers.UNIGRAM: wild}[arm]
        q[np.arange(3), [words.index(AMINO_ACIDS[i]) for i in sure]] = 0.8
        return 0, q

    def log_p(model, of, tokenizer):
        return np.eye(20)[natural] if of is variants else None

    monkeypatch.setattr(uses, "natural_substitutions", lambda *given: variants)
    monkeypatch.setattr(uses, "masked_log_p", log_p)
    monkeypatch.setattr(uses, "counting_posterior", counted)
    trained = SimpleNamespace(model=None, tokenizer=SimpleNamespace(vocabulary=vocabulary))
    assert uses.compare_mutations(trained) == {
        readers.MASKED_MODEL: [1, 1],
        "BLOSUM62": [1, 0],  # L and I are alike, L and W or P are not; W is nearer to F than to D
        readers.PRODUCT: [1, 1],
        readers.BOTH: [0, 0],
        readers.UNIGRAM: [0.5, 0.5],
    }


def test_substitutions_of_each_reader_are_held_against_the_same_draws_of_documents(monkeypatch):
    rng = np.random.default_rng(8)
    of = SimpleNamespace(names=("a", "b", "c"), documents=np.repeat([0, 1, 2], 40))
    posteriors = {arm: rng.dirichlet(np.ones(20), 120) for arm in (readers.MASKED_MODEL, *uses.COUNTING_CONTROLS)}
    posteriors[readers.BOTH] = posteriors[readers.MASKED_MODEL]
    answers = rng.permutation(np.arange(120) % 20)
    monkeypatch.setattr(uses, "held_out_blanks", lambda language: of)
    monkeypatch.setattr(uses, "tuned_model_posterior", lambda language, model, blanks: posteriors[readers.MASKED_MODEL])
    monkeypatch.setattr(uses, "counting_posterior", lambda language, arm, blanks: (1, posteriors[arm]))
    monkeypatch.setattr(uses, "residue_posterior", lambda posterior, blanks: (posterior, answers))
    for name, few in (("SHUFFLINGS", 30), ("DOCUMENT_DRAWS", 6)):
        monkeypatch.setattr(uses, name, few)
    found = uses.compare_substitutions(SimpleNamespace(model=None))
    assert found[readers.BOTH] == found[readers.MASKED_MODEL] != found[readers.PRODUCT]
    published = substitution.pairs_below(substitution.blosum62())
    for arm, told in found.items():
        scores = substitution.substitution_scores(posteriors[arm], answers)
        assert told["rho"] == pytest.approx(spearmanr(substitution.pairs_below(scores), published).statistic, abs=6e-5)
        assert told["p"] == pytest.approx((1 + sum(x >= told["rho"] for x in told["shuffled"])) / 31, abs=0.04)
        assert (len(told["shuffled"]), len(told["resampled"])) == (30, 6)
        draws = np.random.default_rng(uses.DOCUMENT_DRAWS_SEED)
        some = uses.resampled_blanks(of, draws)
        scores = substitution.substitution_scores(posteriors[arm][some], answers[some])
        rho = spearmanr(substitution.pairs_below(scores), published).statistic
        assert told["resampled"][0] == pytest.approx(rho, abs=6e-5)


def test_gaps_of_every_size_are_drawn_in_the_test_side_and_all_ways_restore_the_same(letters, monkeypatch):
    tokenizer, _ = letters
    asked = []

    def restore(model, ngram, gaps, tokenizer):
        asked.append([(gap.document, gap.size, int(gap.start)) for gap in gaps])
        return {way: np.array([i] * len(gaps)) for i, way in enumerate(lacunae.RESTORING_WAYS)}

    texts = {name: "".join(np.random.default_rng(i).choice(list("abc "), 40)) for i, name in enumerate(("d", "e"))}
    corpus = Corpus(tuple(Document(name, text, "test") for name, text in texts.items()), "s", "l", "n")
    entry = SimpleNamespace(corpus=lambda: corpus, row_length=32)
    monkeypatch.setattr(uses, "LANGUAGES", {"greek": entry})
    monkeypatch.setattr(uses, "held_out_blanks", lambda language: None)
    monkeypatch.setattr(uses, "counting_posterior", lambda *given: (5, None))
    monkeypatch.setattr(uses, "fitted", lambda language, order: order)
    monkeypatch.setattr(uses, "restore_all", restore)
    found = uses.restore_gaps(SimpleNamespace(model=None, tokenizer=tokenizer), per_document=3)
    assert list(found) == ["1", "2", "3", "5", "7", "10"]
    assert found["5"] == {"one pass": [0] * 6, "beam": [1] * 6, "n-gram beam": [2] * 6}
    assert [gaps[0][1:] for gaps in asked] == [(size, 1 + (30 - size) // 2) for size in uses.GAP_SIZES]
    assert {tuple(name for name, *_ in gaps) for gaps in asked} == {("d",) * 3 + ("e",) * 3}


def test_natures_letter_is_preferred_species_by_species_and_a_tie_is_half():
    scores = np.array([[0.1, 0.5, 0.2], [0.1, 0.5, 0.5], [0.3, 0.1, 0.2], [0.3, 0.1, 0.0]])
    wild, natural, drawn = np.zeros(4, dtype=int), np.array([1, 1, 1, 1]), np.array([2, 2, 2, 2])
    of = mutations.Substitutions(np.zeros((4, 3)), np.zeros(4), wild, natural, drawn, np.array([0, 0, 0, 5]))
    assert mutations.preferred(scores, of).tolist() == [0.5, 1.0]  # right, a tie and wrong; right


def test_the_probability_of_a_mutation_is_that_of_its_letter(monkeypatch):
    words = ["X", *AMINO_ACIDS[::-1]]
    tokenizer = SimpleNamespace(vocabulary=SimpleNamespace(regular_ids=None, words=lambda ids: words))
    p = np.linspace(0.01, 0.09, 21)
    monkeypatch.setattr(mutations, "candidate_probabilities", lambda *given: p[None, None])
    of = SimpleNamespace(rows=None, places=np.array([3]))
    (found,) = mutations.masked_log_p(None, of, tokenizer)
    assert found[AMINO_ACIDS.index("Y")] == pytest.approx(np.log(p[1]))
    assert found[AMINO_ACIDS.index("A")] == pytest.approx(np.log(p[20]))


def test_a_long_sequence_is_cut_around_its_substitution():
    rng = np.random.default_rng(6)
    texts = []
    for place in (0, 4, 30, 57, 59):
        one = "".join(rng.choice(list("CEFG"), 60, p=[0.6, 0.2, 0.1, 0.1]))
        texts.append("\n".join([one[:place] + "A" + one[place + 1 :], one[:place] + "D" + one[place + 1 :]]))
    corpus = Corpus(tuple(Document(str(i), text, "train") for i, text in enumerate(texts * 60)), "s", "l", "n")
    tokenizer = text_tokenizer(corpus, 4096, "characters")
    found = mutations.natural_substitutions(corpus, tokenizer, 5, 22, np.random.default_rng(0))
    starts = dict(zip((0, 4, 30, 57, 59), (0, 0, 20, 40, 40), strict=True))
    for i in range(len(found.rows)):
        place = (0, 4, 30, 57, 59)[found.species[i] % 5]
        row = found.rows[i].copy()
        row[found.places[i]] = tokenizer.vocabulary.ids(["A"])[0]
        assert "".join(tokenizer.tokens(row[1:-1])) == texts[found.species[i] % 5][:60][starts[place] :][:20]
        assert found.places[i] == place - starts[place] + 1
    names = np.array(list(AMINO_ACIDS))[found.drawn]
    total = sum(text.count(letter) for text in texts for letter in "CEFG")
    for letter in "CEFG":
        due = sum(text.count(letter) for text in texts) / total
        assert (names == letter).mean() == pytest.approx(due, abs=0.08)


def test_variants_differ_in_few_places():
    assert mutations.differing("A" * 20, "A" * 18 + "CC") == [18, 19]
    assert mutations.differing("A" * 20, "A" * 17 + "CCC") == []
    assert mutations.differing("A" * 20, "A" * 19 + "C") == [19]
    assert mutations.differing("A" * 20, "C" * 20) == []


def test_a_drawn_letter_is_neither_what_stands_there_nor_natures():
    """D or A at the last place of a species, in texts of A, C and D: what is left to be drawn is C."""
    texts = "\n".join(["C" * 12 + "A" * 7 + "D", "C" * 12 + "A" * 8])
    corpus = Corpus(tuple(Document(str(i), texts, "train") for i in range(20)), "s", "l", "n")
    tokenizer = text_tokenizer(corpus, 4096, "characters")
    found = mutations.natural_substitutions(corpus, tokenizer, 5, 22, np.random.default_rng(0))
    assert found.species.tolist() == list(range(20))
    names = np.array(list(AMINO_ACIDS))
    assert {*zip(names[found.wild], names[found.natural], names[found.drawn], strict=True)} == {("D", "A", "C")}
    assert (found.places == 20).all()
    assert (found.rows[:, 20] == tokenizer.vocabulary.mask_id).all()


def test_the_best_ngram_is_chosen_on_validation_text_and_held_against_on_test_text():
    study = find_experiment("beyond").shipped()
    numbers = {"n-gram, left": (1.0, 3.0), "n-grams, product": (2.0, 2.0), "n-gram, both sides": (3.0, 1.0)}

    def planted(score):
        validation, nats = numbers.get(score.cell.arm, (9.0, 0.5 + score.cell.seed))
        same = np.full(len(score.nats), nats)
        return replace(score, validation=validation, nats=same, untuned=2 * same, top1=same / 10)

    turned = replace(study, scores=tuple(map(planted, study.scores)))
    seeds = np.arange(len(study.of("greek", "masked model")))
    assert turned.best_counting("greek") == "n-gram, left"
    assert turned.saved_by_seed("greek") == pytest.approx(3.0 - 0.5 - seeds)
    assert turned.saved("greek").value == pytest.approx(3.0 - 0.5 - seeds.mean())
    assert turned.saved("greek", unit="untuned").value == pytest.approx(2 * (3.0 - 0.5 - seeds.mean()))
    assert turned.saved("greek", unit="top1").value == pytest.approx((0.5 + seeds.mean() - 3.0) / 10)  # of rights
    assert turned.saved("greek", "unigram").value == pytest.approx(0.5 - 0.5 - seeds.mean())


def test_table_picture_and_words_have_the_numbers_of_the_study():
    rng, study = np.random.default_rng(7), find_experiment("beyond").shipped()

    def planted(score):
        drawn = {name: rng.random(6) for name in ("nats", "top1", "top5", "top20", "untuned")}
        numbers = dict(zip(("exponent", "unigram", "validation"), rng.random(3), strict=True))
        return replace(score, order=score.order and int(rng.integers(2, 9)), **drawn, **numbers)

    study = replace(study, scores=tuple(map(planted, study.scores)))
    languages, arms = ("proteins", "python", "greek"), (*readers.COUNTING, readers.MASKED_MODEL)
    lines = iter(study.table().splitlines()[1:])
    panels, said = study.plot().axes, study.describe()
    for language, axes in zip(languages, panels, strict=True):
        means, told = {}, []
        for arm in arms:
            scores = [s for s in study.scores if (s.cell.language, s.cell.arm) == (language, arm)]
            nats, untuned, top1, top5 = (
                np.mean([getattr(s, unit) for s in scores], axis=0) for unit in ("nats", "untuned", "top1", "top5")
            )
            means[arm] = mean_interval(nats)
            line = next(lines)
            assert line.startswith(f"{language:10}{arm:20}{scores[0].order or '-':>6}")
            shown = [float(x) for x in line[36:].replace("±", " ").replace("%", " ").split()]
            expected = [scores[0].exponent, scores[0].unigram, untuned.mean(), means[arm].value]
            margin, shares = means[arm].high - means[arm].value, [100 * top1.mean(), 100 * top5.mean()]
            assert shown == pytest.approx([*expected, margin, *shares], abs=0.051)
            assert shown[3:5] == pytest.approx([means[arm].value, margin], abs=6e-4)
            told.append(f"{arm} {means[arm].value:.2f}")
        saved = study.saved(language)
        assert f"{language}: {', '.join(told)}; the model saves {saved.estimate}" in said
        title = f"{language}: model saves {saved.value:+.2f} nats\n({saved.low:+.2f} to {saved.high:+.2f}) on n-grams"
        assert axes.get_title(loc="left") == title
        labels = [label.get_text() for label in panels[0].get_yticklabels()]
        for label, bar, line in zip(labels, axes.patches, axes.lines, strict=True):
            assert bar.get_width() == pytest.approx(means[label].value)
            assert line.get_xdata() == pytest.approx(means[label][1:])


def test_brackets_find_their_partners():
    assert code.bracket_pairs(list("f(a[1])")) == [(3, 5), (1, 6)]
    assert code.bracket_pairs(list(")(]()")) == [(3, 4)]
    assert [code.kind_of(t) for t in ("(", "⏎", "def", "##x", "12", "=", "##1", "}")] == [
        "bracket",
        "layout",
        "keyword",
        "name or its piece",
        "number",
        "other sign",
        "number",
        "bracket",
    ]


def test_code_keeps_layout_and_loses_comments_and_docstrings():
    source = 'def f(x):\n    """Doc."""\n    # why\n    return x\n\n\nclass C:\n    """Alone."""\n'
    assert list(code_lines(source)) == ["def f ( x ) : ⏎", "⇥ return x ⏎", "⇤ class C : ⏎", "⇥ pass ⏎"]
    assert list(code_lines("def f(:\n")) == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""Of the module."""\nx = 1  # one\n', ["x = 1 ⏎"]),
        ('"""Alone."""\n', []),
        ('x = """no docstring"""\n', ['x = """no docstring""" ⏎']),
        ('def f(): "alone"\n', ["def f ( ) : pass ⏎"]),
        ('async def f():\n    "Doc."\n    await g()\n', ["async def f ( ) : ⏎", "⇥ await g ( ) ⏎"]),
        ("f(1,\n\n  2)\n", ["f ( 1 , 2 ) ⏎"]),
        ('class C:\n    """Doc."""\n\n    "text"\n', ["class C : ⏎", '⇥ "text" ⏎']),
    ],
)
def test_a_docstring_is_told_from_other_text(source, lines):
    assert list(code_lines(source)) == lines


def test_of_a_module_the_first_lines_are_taken_and_of_a_package_all_but_its_tests(tmp_path, monkeypatch):
    (tmp_path / "package" / "test").mkdir(parents=True)
    for name, text in {
        "package/__init__.py": "a = 1\n",
        "package/more.py": "b = 2\n",
        "package/test_more.py": "c = 3\n",
        "package/test/more.py": "d = 4\n",
        "long.py": "name = 12345\n" * 3_000,
        "broken.py": "def f(:\n",
        "held.py": "e = 5\n",
        "out.py": "f = 6\n",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(python_code, "_library", lambda: tmp_path)
    monkeypatch.setattr(python_code, "TRAINING", ["package", "long", "broken", "missing"])
    monkeypatch.setattr(python_code, "HELD_OUT_MODULES", {"validation": ["held"], "test": ["out"]})
    documents = python_corpus.__wrapped__().documents
    texts = {document.name: document.text for document in documents}
    assert texts.pop("long") == "\n".join(["name = 12345 ⏎"] * (40_000 // 15))  # a line has 15 characters with its end
    assert texts == {"package": "a = 1 ⏎\nb = 2 ⏎", "held": "e = 5 ⏎", "out": "f = 6 ⏎"}
    assert [document.split for document in documents] == ["train", "train", "validation", "test"]
    monkeypatch.setattr(python_code, "HELD_OUT_MODULES", {"validation": ["held"], "test": ["missing"]})
    with pytest.raises(FileNotFoundError, match="no modules in"):
        python_corpus.__wrapped__()


def test_proteins_are_whole_of_one_kind_and_not_too_many_of_a_species(monkeypatch):
    rng = np.random.default_rng(0)

    def letters(length):
        return "".join(rng.choice(list(AMINO_ACIDS), length))

    train, other = letters(200), letters(100)
    rows = [("mammal", "mouse", letters(n)) for n in (99, 100, 500, 501)]
    rows += [("mammal", "human", train), ("bird", "hen", train), ("mammal", "human", letters(150) + "X")]
    rows += [("bird", "many", letters(100)) for _ in range(41)]
    # Of 93 + 7 runs of 8 letters, the first of which are those of the training side: 47 and 46 of 93.
    rows += [("marsupial", "near", train[:54] + other[:46]), ("marsupial", "far", train[:53] + other[:47])]
    rows += [("shark_ray", "shark", letters(100))]
    lines = ["sequence,mhc_class,chain,source_group,organism"]
    lines += [f"{sequence},I,alpha,{group},{name}" for group, name, sequence in rows]
    lines += [f"{letters(100)},I,beta,bird,hen", f"{letters(100)},II,alpha,bird,hen"]
    monkeypatch.setattr(proteins, "read_package_files", lambda *_: ["\n".join(lines).encode()])
    documents = {document.name: document for document in protein_corpus.__wrapped__().documents}
    found = {name: [len(line) for line in document.lines()] for name, document in documents.items()}
    assert sorted(found.pop("mouse")) == [100, 500]
    assert found == {"human": [200], "many": [100] * 40, "far": [100], "shark": [100]}
    assert {name: documents[name].split for name in ("human", "far", "shark")} == {
        "human": "train",
        "far": "validation",
        "shark": "test",
    }


def test_runs_in_common_are_a_share_of_the_sequences_own():
    assert proteins.runs("ACDEFGHIK") == {"ACDEFGHI", "CDEFGHIK"}
    assert proteins.shared_runs("ACDEFGHIK", proteins.runs("ACDEFGHIL" * 2)) == 0.5


CHAPTERS_OF_BOOKS = (28, 16, 24, 21, 28, 16, 16, 13, 6, 6, 4, 4, 5, 3, 6, 4, 3, 1, 13, 5, 5, 3, 5, 1, 1, 1, 22)


def test_greek_has_the_chapters_of_every_book():
    names = [f"{book} {n}" for book, of in zip(BOOKS, CHAPTERS_OF_BOOKS, strict=True) for n in range(1, of + 1)]
    documents = {document.name: document.text for document in greek_corpus().documents}
    assert list(documents) == names
    assert documents["Jn 1"].startswith("εν αρχη ην ο λογοσ και ο λογοσ ην προσ τον θεον")
    assert documents["Jn 2"].startswith("και τη ημερα τη τριτη γαμοσ εγενετο εν κανα")
    assert documents["Re 22"].endswith("η χαρισ του κυριου ιησου μετα παντων")


def test_greek_is_letters_and_spaces():
    assert as_on_stone("Ἐν ἀρχῇ ἦν ὁ λόγος,") == "εν αρχη ην ο λογοσ"
    assert {c for text in greek_corpus().texts() for c in text} == {*GREEK_LETTERS, " "}


@pytest.mark.parametrize("corpus", [protein_corpus, greek_corpus, python_corpus])
def test_no_group_stands_on_two_sides(corpus):
    documents = corpus().documents
    assert len({d.name for d in documents}) == len(documents)
    sides = {}
    for document in documents:
        group = document.name.split()[0] if corpus is greek_corpus else document.name
        sides.setdefault(group, set()).add(document.split)
    assert all(len(found) == 1 for found in sides.values())
    assert {d.split for d in documents} == {"train", "validation", "test"}
    assert sides.get("Mt", {"train"}) == sides.get("Mk", {"train"}) == sides.get("Lk", {"train"})


def test_a_missing_package_or_another_file_is_one_sentence():
    with pytest.raises(FileNotFoundError, match=r"missing: install it with: python -m pip install no-such-thing==1\.0"):
        read_package_files("no-such-thing", "1.0", ["x"], "", "the text")
    with pytest.raises(ValueError, match=r"not that of numpy 0, which was examined: .*--force-reinstall"):
        read_package_files("numpy", "0", ["numpy/__init__.py"], "0", "the text")
    with pytest.raises(FileNotFoundError, match="cannot be read"):
        read_package_files("numpy", "0", ["numpy/nothing"], "0", "the text")


def test_the_antibody_model_is_asked_for_in_one_sentence_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(antibody, "ANTIBODY_PACKAGE", "no-such-thing")
    with pytest.raises(FileNotFoundError, match=r"python -m pip install --no-deps no-such-thing==0\.1\.3"):
        antibody.open_antibody_model()


def test_waves_turn_alike_at_every_position():
    model = wavy_model(ModelConfig.tiny(30), 0, 0.2)
    table = model.embeddings.positions.weight.detach().numpy()
    products = table[:40] @ table[:40].T
    assert np.diagonal(products, 1) == pytest.approx(products[0, 1], abs=1e-5)
    assert products[0, 0] == pytest.approx(0.2**2 * 32, abs=1e-5)
    # The first wave turns by 1, the middle one by 1000**-0.5 = 0.0316228, the last by 1000**(-31/32) = 0.00124094.
    for column, position, sine in ((0, 1, 0.841471), (16, 50, 0.999947), (31, 100, 0.123776)):
        assert table[position, column] == pytest.approx(0.2 * sine, abs=1e-6)
        assert abs(table[position, column + 32]) == pytest.approx(0.2 * (1 - sine**2) ** 0.5, abs=1e-5)


def test_the_entries_have_rows_and_first_models_of_their_own():
    entry = LANGUAGES["proteins"]
    shape = entry.shape("tiny", 30, entry.row_length)
    assert (entry.row_length, shape.initializer_range) == (32, 0.2)
    assert entry.first_model(shape, 0).config == shape
    assert LANGUAGES["english"].first_model(shape, 0) is None


def test_a_letter_is_a_token_where_the_language_says_so_and_a_model_may_bring_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    sides = ("train", "train", "validation", "test")
    corpus = Corpus(tuple(Document(str(i), "abc cab bca " * 9, side) for i, side in enumerate(sides)), "s", "l", "n")
    own = train_wordpiece(["abc cab"], 300)
    for letters, kind in ((True, Characters), (False, WordPiece)):
        entry = PackageEntry(name="x", documents=lambda: corpus, letters=letters)
        tokenizer, train, held_out = entry.tokenized(300)
        assert type(tokenizer) is kind
        assert (len(train.starts), len(held_out.starts)) == (3, 2)
        assert replace(entry, tokenizer=own).tokenized(300)[0] is own
        assert entry.made_by() == ["mlm_mini.training.waves"]
    assert [LANGUAGES[name].letters for name in ("proteins", "python", "greek")] == [True, False, True]
    shape = ModelConfig.tiny(30)
    for name, height in (("proteins", 0.3), ("greek", 0.2)):
        first, expected = LANGUAGES[name].first_model(shape, 3), wavy_model(shape, 3, height)
        assert all(map(torch.equal, first.parameters(), expected.parameters()))
