"""Text cut into sentences, and sentences into words: the course's one definition of a word."""

import re

# A sentence ends with its paragraph, or at . ? ! (and a closing bracket or quote) before a capital letter or a digit.
# \u2018 \u2019 \u201c \u201d are the curly quotes.
SENTENCE_BREAK = re.compile(
    r"""(?:(?<=[.?!])|(?<=[.?!][)\]"'\u2019\u201d]))\s+(?=[(\["'\u2018\u201c]*[^\Wa-z_])|\n\s*\n"""
)
# Letters and digits, with apostrophes and hyphens between them; the dash --; or one punctuation mark.
WORD = r"[^\W_]+(?:['\u2019-][^\W_]+)*|--|[^\w\s]|_"
_WORD, _WORD_OR_BRACKETS = re.compile(WORD), re.compile(rf"\[\w+\]|{WORD}")


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, each on one line.

    "What would you say now? if a man has a hundred sheep ..." stays whole, because no capital follows. There is no
    list of abbreviations: "Mr. Smith" is cut in two.
    """
    return [" ".join(sentence.split()) for sentence in SENTENCE_BREAK.split(text) if sentence.strip()]


def split_words(sentence: str) -> list[str]:
    """Lower-case words and punctuation marks: "God's hill-country." gives ["god's", "hill-country", "."]."""
    return _WORD.findall(sentence.lower())


def split_words_and_masks(sentence: str) -> list[str]:
    """Words and punctuation marks as they are written; a word in brackets, such as [MASK], is one."""
    return _WORD_OR_BRACKETS.findall(sentence)
