"""The trigram model against a slow transcription of its equation, brute force, and the text it was made for."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from mlm_mini.languages import english_corpus, split_words
from mlm_mini.languages.ngram import Trigram, english_trigram

SENTENCES = [
    sentence.split()
    for sentence in (
        "the cat sees the dog .",
        "the dog sees the cat .",
        "a cat sees a bird",
        "the dog sleeps .",
        "a bird sleeps .",
        "the cat sleeps",
        "the dog sees a zebra .",
    )
]


@pytest.fixture(scope="module")
def small():
    return Trigram.fit(SENTENCES)


@pytest.fixture(scope="module")
def held_out():
    return [split_words(sentence) for sentence in english_corpus().split("test").sentences()]


def words_of(model):
    """Everything that can stand in a sentence."""
    return [word for word in model.vocabulary.tokens if word not in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")]


def kneser_ney(sentences):
    """P(w | u v) from dictionaries, term by term as Chen and Goodman write it."""
    frequency = Counter(word for sentence in sentences for word in sentence)
    known = {word for word, n in frequency.items() if n >= 2}
    trigrams = Counter()
    for sentence in sentences:
        framed = ["<s>", "<s>", *(word if word in known else "[UNK]" for word in sentence), "</s>"]
        trigrams.update(zip(framed, framed[1:], framed[2:], strict=False))
    bigrams = Counter((v, w) for _, v, w in trigrams)
    unigrams = Counter(w for _, w in bigrams)
    outcomes = known | {"[UNK]", "</s>"}

    def smoothed(counts, gram, shorter):
        once, twice = list(counts.values()).count(1), list(counts.values()).count(2)
        discount = once / (once + 2 * twice) if once else 0.5
        followers = [n for other, n in counts.items() if other[:-1] == gram[:-1]]
        if not followers:
            return shorter
        count, total = counts.get(gram, 0), sum(followers)
        return max(count - discount, 0) / total + discount * len(followers) / total * shorter

    def probability(u, v, w):
        p = smoothed({(word,): n for word, n in unigrams.items()}, (w,), 1 / len(outcomes))
        p = smoothed(bigrams, (v, w), p)
        return smoothed(trigrams, (u, v, w), p)

    return probability, outcomes


# ---------------------------------------------------------------- the model


@pytest.mark.parametrize("sentence", [*SENTENCES, ["a", "zebra", ".", "."], ["bird"], []])
def test_log_probability_is_kneser_neys(small, sentence):
    probability, outcomes = kneser_ney(SENTENCES)
    framed = ["<s>", "<s>", *(word if word in outcomes else "[UNK]" for word in sentence), "</s>"]
    grams = zip(framed, framed[1:], framed[2:], strict=False)
    expected = sum(math.log(probability(*gram)) for gram in grams)
    assert small.log_probability(sentence) == pytest.approx(expected, abs=1e-12)


def test_the_next_word_or_the_end_has_probability_one_after_any_words(small):
    size = len(small.vocabulary)
    words = np.arange(size)
    for u, v in itertools.product(words, words):
        assert small._probability(u, v, words).sum() == pytest.approx(1, abs=1e-12)
    # ... and nothing goes to what a sentence cannot contain
    impossible = small.vocabulary.ids(["[PAD]", "[CLS]", "[MASK]"])
    assert not small._probability(words[:, None], words, impossible[:, None, None]).any()


def test_every_sentence_is_possible(small):
    assert math.isfinite(small.log_probability(["nobody", "said", "such", "words"]))


def test_words_seen_once_are_unknown(small):
    assert "zebra" not in small.vocabulary
    assert "bird" in small.vocabulary
    assert small.log_probability(["zebra"]) == small.log_probability(["okapi"]) == small.log_probability(["[UNK]"])


def test_a_text_that_says_unk_itself_has_one_sign_for_it():
    model = Trigram.fit([["[UNK]", "a"], ["[UNK]", "a"], ["[UNK]", "b"]])
    assert model.vocabulary.tokens.count("[UNK]") == 1
    assert model.log_probability(["[UNK]", "a"]) == model.log_probability(["b", "a"])


def test_a_text_without_single_counts_still_leaves_something_for_the_unseen():
    model = Trigram.fit([["a", "b"]] * 4)
    assert -20 < model.log_probability(["b", "a", "okapi"]) < model.log_probability(["a", "b"]) < 0


# ---------------------------------------------------------------- one hidden word


@pytest.mark.parametrize("position", range(6))
@pytest.mark.parametrize("sentence", ["the cat sees the dog .", "a zebra sleeps a okapi bird"])
def test_the_posterior_is_what_trying_every_word_gives(small, sentence, position):
    words = sentence.split()
    tried = {w: small.log_probability([*words[:position], w, *words[position + 1 :]]) for w in words_of(small)}
    total = np.logaddexp.reduce(list(tried.values()))
    posterior = small.posterior(words, position)
    assert posterior.shape == (len(small.vocabulary),)
    assert posterior.sum() == pytest.approx(1, abs=1e-12)
    for word, log_p in tried.items():
        assert posterior[small.vocabulary.ids([word])[0]] == pytest.approx(math.exp(log_p - total), abs=1e-12)


@pytest.mark.parametrize("sentence", [["dog"], ["the", "dog"]])
def test_the_posterior_of_short_sentences(small, sentence):
    tried = [small.log_probability([*sentence[:-1], word]) for word in words_of(small)]
    posterior = small.posterior(sentence, len(sentence) - 1)[small.vocabulary.ids(words_of(small))]
    np.testing.assert_allclose(posterior, np.exp(tried - np.logaddexp.reduce(tried)), atol=1e-12)


def test_what_stands_at_the_position_does_not_matter_and_is_not_changed(small):
    words = ["the", "[MASK]", "sees", "a", "bird"]
    expected = small.posterior(words, 1)
    assert words[1] == "[MASK]"
    for hidden in ("cat", "okapi", "[CLS]", None):
        np.testing.assert_array_equal(small.posterior(["the", hidden, "sees", "a", "bird"], 1), expected)


# ---------------------------------------------------------------- bad input


def test_no_words_to_fit_is_an_error():
    for sentences in ([], [[]]):
        with pytest.raises(ValueError, match="no words"):
            Trigram.fit(sentences)


@pytest.mark.parametrize("position", [-1, 3, 10])
def test_a_position_outside_the_sentence_is_named(small, position):
    with pytest.raises(ValueError, match=f"position {position} is outside a sentence of 3 words"):
        small.posterior(["the", "cat", "sleeps"], position)


def test_a_string_is_no_sentence(small):
    for call in (small.log_probability, lambda s: small.posterior(s, 0), lambda s: Trigram.fit([s])):
        with pytest.raises(TypeError, match=r"'the cat'.*use split_words"):
            call("the cat")


def test_a_word_must_be_a_str(small):
    with pytest.raises(TypeError, match="word 1 must be a str, not 7"):
        small.log_probability(["the", 7])


@pytest.mark.parametrize("token", ["[MASK]", "[CLS]", "[SEP]", "[PAD]"])
def test_a_second_hidden_word_is_an_error(small, token):
    words = ["the", "[MASK]", token, "."]
    with pytest.raises(ValueError, match=f"word 2 is .{token[1:-1]}., which is no word: only one position"):
        small.posterior(words, 1)
    with pytest.raises(ValueError, match=r"word 1 is \[MASK\]"):
        small.log_probability(words)
    with pytest.raises(ValueError, match="which is no word"):
        Trigram.fit([words])


# ---------------------------------------------------------------- on English


def test_on_held_out_english_it_is_far_better_than_word_frequencies(held_out):
    model = english_trigram()
    train = [split_words(sentence) for sentence in english_corpus().split("train").sentences()]
    known = model.vocabulary

    def outcomes(sentences):
        return [known.ids([*sentence, "[SEP]"]) for sentence in sentences]

    counts = np.bincount(np.concatenate(outcomes(train)), minlength=len(known)) + 0.5
    unigram = -np.log(counts / counts.sum())[np.concatenate(outcomes(held_out))].mean()
    predictions = sum(len(sentence) + 1 for sentence in held_out)
    trigram = -sum(model.log_probability(sentence) for sentence in held_out) / predictions
    assert 45 < math.exp(trigram) < 55  # perplexity; of the unigram model, 237
    assert unigram - trigram > 1.4  # nats


def test_on_held_out_english_it_fills_four_blanks_in_ten(held_out):
    model = english_trigram()
    rng = np.random.default_rng(0)
    sentences = [held_out[i] for i in rng.integers(len(held_out), size=1000)]
    positions = [int(rng.integers(len(sentence))) for sentence in sentences]
    hidden = [sentence[position] for sentence, position in zip(sentences, positions, strict=True)]
    right = [
        known == model.posterior(sentence, position).argmax()
        for known, sentence, position in zip(model.vocabulary.ids(hidden), sentences, positions, strict=True)
    ]
    assert np.mean(right) > 0.38
    assert hidden.count(",") / len(hidden) < 0.1  # what always guessing the most frequent token would give


def test_right_context_decides_between_words():
    model = english_trigram()
    words = split_words("Let there be light: and there was light.")
    assert model.vocabulary.tokens[model.posterior(words, 2).argmax()] == "be"
