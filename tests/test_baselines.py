"""Models that count, beside a model that was trained: asked for the same tokens in the same context."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from mlm_mini.languages import Trigram, Vocabulary
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS
from mlm_mini.training import Blanks, Comparison, baselines, compare_with_counting, draw_blanks
from mlm_mini.training.baselines import blank_nats, fit_trigram, trigram_nats, unigram_nats

pytestmark = pytest.mark.usefixtures("one_thread")

V = Vocabulary([*SPECIAL_TOKENS, "[unused0]", "the", "cat", "dog", "sat", "ran", "wug", "dax"])
TEXT = ["the cat sat the dog ran", "the dog sat the cat ran the cat sat", "the dog dax [UNK] ran"]


def tokenized(*documents):
    """Documents as `write_tokens` leaves them: uint16, each from its [CLS] to its [SEP]."""
    rows = [V.ids(["[CLS]", *document.split(), "[SEP]"]) for document in documents]
    return TokenizedText(np.concatenate(rows).astype(np.uint16), np.cumsum([0, *map(len, rows)]))


def rows(*texts, length=12):
    ids = [V.ids(["[CLS]", *text.split(), "[SEP]"]) for text in texts]
    return np.array([np.pad(row, (0, length - len(row)), constant_values=V.pad_id) for row in ids])


def blank(text, word):
    """One blank in a row: the first `word` of the text."""
    ids = rows(text)
    return Blanks(ids, np.array([np.flatnonzero(ids[0] == V.ids([word])[0])[0]]))


def rng(seed=0):
    return np.random.default_rng(seed)


# ---------------------------------------------------------------- what is asked


def test_blanks_are_words_with_two_tokens_on_either_side():
    ids = rows("the cat sat the dog ran", "the cat [UNK] sat the dog", "the cat sat [SEP] [CLS] the dog ran", "the cat")
    drawn = draw_blanks(ids, V, 100, rng())
    places = [(V.words(row), position) for row, position in zip(drawn.ids, drawn.positions, strict=True)]
    assert [(words[:8], position) for words, position in places] == [
        (V.words(ids[0])[:8], 3),
        (V.words(ids[0])[:8], 4),
        (V.words(ids[1])[:8], 4),  # position 3 holds [UNK], which may stand beside a blank and is none
    ]
    assert V.words(drawn.answers) == ["sat", "the", "sat"]


def test_the_draw_is_without_repetition_in_order_and_from_its_generator_alone():
    ids = rng(1).choice(V.regular_ids, (20, 12))
    ids[:, 0], ids[:, -1] = V.cls_id, V.sep_id
    drawn = draw_blanks(ids, V, 50, rng())
    assert drawn.ids.shape == (50, 12)
    places = [(row.tobytes(), position) for row, position in zip(drawn.ids, drawn.positions, strict=True)]
    assert len(set(places)) == 50
    order = [
        (next(i for i in range(20) if (ids[i] == row).all()), p) for row, p in zip(*vars(drawn).values(), strict=True)
    ]
    assert order == sorted(order)
    again, other = draw_blanks(ids, V, 50, rng()), draw_blanks(ids, V, 50, rng(1))
    np.testing.assert_array_equal(drawn.positions, again.positions)
    np.testing.assert_array_equal(drawn.ids, again.ids)
    assert not np.array_equal(drawn.positions, other.positions)
    everything = draw_blanks(ids, V, 10**6, rng())
    assert len(everything.positions) == 20 * (12 - 2 - 4)


def test_every_place_is_as_likely():
    ids = rows("the cat sat the dog ran the", length=9)
    drawn = [draw_blanks(ids, V, 2, rng(seed)).positions for seed in range(600)]
    counts = np.bincount(np.concatenate(drawn), minlength=9)
    assert set(np.flatnonzero(counts)) == {3, 4, 5}
    assert (abs(counts[3:6] - 400) < 80).all()


@pytest.mark.parametrize(
    ("ids", "n", "message"),
    [
        (rows("the cat sat the dog ran"), 1, "n is 1, and 2 tokens have 2 others on either side: expected 2 or more"),
        (rows("the cat sat the dog"), 5, "n is 5, and 1 tokens"),
        (rows("the cat sat the"), 5, "and 0 tokens"),
        (rows("the cat", length=4), 5, "and 0 tokens"),  # shorter than a blank and its neighbors
        (np.empty((0, 12), dtype=np.int64), 5, "and 0 tokens"),
    ],
)
def test_too_few_blanks_for_a_mean_are_refused(ids, n, message):
    with pytest.raises(ValueError, match=message):
        draw_blanks(ids, V, n, rng())


# ---------------------------------------------------------------- models that count


def test_the_unigram_is_the_share_of_each_token_with_one_added():
    """Of 20 words, `cat` is 4 and `wug` none; 7 tokens may be predicted."""
    train = tokenized(*TEXT)
    words = " ".join(TEXT).split()
    for word in ("cat", "wug"):
        share = (words.count(word) + 1) / (len(words) - 1 + 7)  # [UNK] cannot be predicted
        assert unigram_nats(train, blank(f"the dog {word} the dog", word), V) == pytest.approx(-np.log(share))
    asked = Blanks(np.tile(rows("the dog the dog"), (7, 1)), np.full(7, 3))
    asked.ids[:, 3] = V.regular_ids
    assert np.exp(-unigram_nats(train, asked, V)).sum() == pytest.approx(1)


def test_the_trigram_is_that_of_the_words_and_sees_two_tokens_on_either_side():
    documents = [text.split() for text in TEXT]
    trigram = Trigram.fit(documents)
    fitted = fit_trigram(tokenized(*TEXT), V)
    assert fitted.vocabulary == trigram.vocabulary
    for text, position in (
        ("the cat sat the dog ran", 2),
        ("the dog ran [UNK] cat sat", 2),
        ("the cat dog the ran", 2),
    ):
        asked = Blanks(rows(text), np.array([position + 1]))
        words = text.split()
        p = trigram.posterior(words[:5], 2)[trigram.vocabulary.ids([words[position]])[0]]
        assert trigram_nats(fitted, asked, V) == pytest.approx(-np.log(p))
    far, near = rows("ran the cat sat the dog ran"), rows("sat the cat sat the dog sat")
    same = [trigram_nats(fitted, Blanks(ids, np.array([4])), V) for ids in (far, near)]
    assert same[0] == same[1]


def test_tokens_that_the_trigram_has_not_met_twice_share_what_it_gives_to_unk():
    trigram = fit_trigram(tokenized(*TEXT), V)
    assert "dax" not in trigram.vocabulary
    wug, dax = (trigram_nats(trigram, blank(f"the cat {word} the dog", word), V)[0] for word in ("wug", "dax"))
    unk = trigram.posterior(["the", "cat", "wug", "the", "dog"], 2)[trigram.vocabulary.unk_id]
    assert wug == dax == pytest.approx(-np.log(unk / 2))
    asked = Blanks(np.tile(rows("the cat wug the dog"), (7, 1)), np.full(7, 3))
    asked.ids[:, 3] = V.regular_ids
    assert np.exp(-trigram_nats(trigram, asked, V)).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("most", "counted"),
    [(3, ["the cat sat"]), (6, [TEXT[0]]), (8, [TEXT[0], "the dog"]), (20, TEXT), (10**9, TEXT)],
)
def test_of_a_long_text_the_beginning_is_counted(most, counted):
    train, part = tokenized(*TEXT), tokenized(*counted)
    asked = blank("the cat sat the dog", "sat")
    assert unigram_nats(train, asked, V, most) == unigram_nats(part, asked, V)
    assert fit_trigram(train, V, most).vocabulary == fit_trigram(part, V).vocabulary
    pays = [trigram_nats(fit_trigram(*arguments), asked, V) for arguments in ((train, V, most), (part, V))]
    assert pays[0] == pays[1]


# ---------------------------------------------------------------- a model beside them


class Told(nn.Module):
    """A model that is told each row's logits; it notes what it was shown."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.shown = nn.Parameter(torch.from_numpy(logits)), []

    def forward(self, ids, attention_mask, positions):
        assert not self.training
        start = sum(map(len, (shown for shown, _, _ in self.shown)))
        self.shown.append((ids.numpy(), attention_mask.numpy(), positions.numpy()))
        return self.logits[start : start + len(ids), None]  # (n, 1, V)


@pytest.mark.parametrize("at_once", [2, 512])
def test_the_model_is_asked_for_one_hidden_token_of_each_row(at_once, monkeypatch):
    monkeypatch.setattr(baselines, "ROWS_AT_ONCE", at_once)
    ids = rows("the cat sat the dog ran", "the dog sat the cat", "the wug sat the cat")
    asked, written = Blanks(ids, np.array([3, 3, 2])), ids.copy()
    logits = rng().normal(size=(3, len(V)))
    model = Told(logits).train()
    expected = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(3), asked.answers]
    np.testing.assert_allclose(blank_nats(model, asked, V), expected)
    np.testing.assert_array_equal(asked.ids, written)  # the row itself stays as it was
    seen, attended, positions = (np.concatenate(part) for part in zip(*model.shown, strict=True))
    changed = written.copy()
    changed[np.arange(3), asked.positions] = V.mask_id
    np.testing.assert_array_equal(seen, changed)
    np.testing.assert_array_equal(attended, written != V.pad_id)
    np.testing.assert_array_equal(positions[:, 0], asked.positions)


def test_all_three_answer_the_same():
    train, asked = tokenized(*TEXT), draw_blanks(rows(*TEXT), V, 8, rng())
    comparison = compare_with_counting(Told(np.zeros((8, len(V)))), asked, train, V)
    np.testing.assert_allclose(comparison.model, np.log(len(V)))
    np.testing.assert_array_equal(comparison.trigram, trigram_nats(fit_trigram(train, V), asked, V))
    np.testing.assert_array_equal(comparison.unigram, unigram_nats(train, asked, V))
    assert (comparison.counted, comparison.training) == (20, 20)
    part = compare_with_counting(Told(np.zeros((8, len(V)))), asked, train, V, most=7)
    assert (part.counted, part.training) == (7, 20)
    np.testing.assert_array_equal(part.unigram, unigram_nats(train, asked, V, 7))


def test_a_table_says_what_was_asked_what_was_paid_and_what_was_counted():
    model, trigram, unigram = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 5.0], [4.0, 4.0, 4.0]])
    comparison = Comparison(model, trigram, unigram, counted=2000, training=5000)
    error = 1 / 3**0.5
    assert comparison.mean("model") == pytest.approx((2, error))
    assert comparison.saved("trigram") == pytest.approx((4 / 3, 1 / 3))
    assert comparison.saved("unigram") == pytest.approx((2, error))
    assert comparison.table().splitlines() == [
        "3 tokens of the validation text, hidden one at a time:",
        "unigram      4.000 nats per token, 95% interval ± 0.000",
        "trigram      3.333 nats per token, 95% interval ± 1.729",
        "this model   2.000 nats per token, 95% interval ± 1.132",
        "(The unigram and the trigram have counted the first 2,000 of 5,000 training tokens.)",
    ]
    whole = Comparison(model, trigram, unigram, counted=5000, training=5000)
    assert re.search(r"have counted 5,000 training tokens\.", whole.table())
    kept = json.loads(json.dumps(comparison.to_dict()))
    assert (kept["blanks"], kept["counted"], kept["training"]) == (3, 2000, 5000)
    assert kept["trigram"] == pytest.approx({"nats": 10 / 3, "error": 1.729 / 1.96}, abs=1e-3)
