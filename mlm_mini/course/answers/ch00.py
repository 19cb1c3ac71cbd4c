"""The worked answers of 00_fill_in_the_blanks.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "00.one-pair": r"""
def one_pair(words, index):
    input_words = list(words)
    input_words[index] = "[MASK]"
    return input_words, words[index]
""",
    "00.all-pairs": r"""
def all_pairs(words):
    pairs = []
    for place, label in enumerate(words):
        hidden = list(words)  # a fresh copy for every pair
        hidden[place] = "[MASK]"
        pairs.append((hidden, label))
    return pairs
""",
    "00.several-blanks": r"""
def several_blanks(words, positions):
    input_words, labels = list(words), [None] * len(words)
    for place in positions:
        input_words[place], labels[place] = "[MASK]", words[place]
    return input_words, labels
""",
    "00.guess": r"""
def guess_distribution(guess, confidence, words):
    share = (1 - confidence) / (len(words) - 1)
    q = dict.fromkeys(words, share)
    q[guess] = confidence
    return q
""",
    "00.score": r"""
import math


def score(q, answer):
    probability = q.get(answer, 0.0)
    if probability == 0:
        return math.inf
    return -math.log(probability)
""",
    "00.unigram": r"""
def unigram(sentences):
    counts = {}
    for words in sentences:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()}
""",
}
