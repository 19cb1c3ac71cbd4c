"""Proteins, code and Greek: the texts, the models that count, and what the masked models are asked."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.beyond import blanks, code, kinship, lacunae, mutations, readers, substitution
from mlm_mini.experiments.beyond.ngrams import (
    Ngram,
    both_sides_posterior,
    left_posterior,
    product_posterior,
    token_shares,
)
from mlm_mini.experiments.beyond.tuning import Tuning, tune
from mlm_mini.experiments.lab.intervals import share_interval
from mlm_mini.experiments.lab.permutations import permutation_share
from mlm_mini.languages import proteins, python_code
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.greek import BOOKS, GREEK_LETTERS, as_on_stone, greek_corpus
from mlm_mini.languages.package_files import read_package_files
from mlm_mini.languages.proteins import AMINO_ACIDS, protein_corpus
from mlm_mini.languages.python_code import code_lines, python_corpus
from mlm_mini.languages.token_store import text_tokenizer
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training import LANGUAGES
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


def test_variants_differ_in_few_places():
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


def test_brackets_find_their_partners():
    assert code.bracket_pairs(list("f(a[1])")) == [(3, 5), (1, 6)]
    assert code.bracket_pairs(list(")(]()")) == [(3, 4)]
    assert [code.kind_of(t) for t in ("(", "⏎", "def", "##x", "12", "=")] == [
        "bracket",
        "layout",
        "keyword",
        "name or its piece",
        "number",
        "other sign",
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
    from mlm_mini.experiments.beyond import antibody

    monkeypatch.setattr(antibody, "ANTIBODY_PACKAGE", "no-such-thing")
    with pytest.raises(FileNotFoundError, match=r"python -m pip install --no-deps no-such-thing==0\.1\.3"):
        antibody.open_antibody_model()


def test_waves_turn_alike_at_every_position():
    model = wavy_model(ModelConfig.tiny(30), 0, 0.2)
    table = model.embeddings.positions.weight.detach().numpy()
    products = table[:40] @ table[:40].T
    assert np.diagonal(products, 1) == pytest.approx(products[0, 1], abs=1e-5)
    assert products[0, 0] == pytest.approx(0.2**2 * 32, abs=1e-5)


def test_the_entries_have_rows_and_first_models_of_their_own():
    entry = LANGUAGES["proteins"]
    shape = entry.shape("tiny", 30, entry.row_length)
    assert (entry.row_length, shape.initializer_range) == (32, 0.2)
    assert entry.first_model(shape, 0).config == shape
    assert LANGUAGES["english"].first_model(shape, 0) is None
