"""Where text comes from: languages whose answers are known exactly, and real English."""

from importlib import import_module

from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary

__all__ = [
    "SPECIAL_TOKENS",
    "Vocabulary",
]

# Real text, loaded when first asked for (see __getattr__), so that the exact languages stay quick to import.
_REAL_TEXT = {
    "Corpus": "corpus",
    "Document": "corpus",
    "TokenizedText": "tokenizer",
    "Trigram": "ngram",
    "WordPiece": "tokenizer",
    "english_corpus": "corpus",
    "english_tokenizer": "tokenizer",
    "english_tokens": "tokenizer",
    "english_trigram": "ngram",
    "read_text_folder": "corpus",
    "split_sentences": "corpus",
    "split_words": "corpus",
    "train_wordpiece": "tokenizer",
}
__all__ += sorted(_REAL_TEXT)


def __getattr__(name: str):
    if name not in _REAL_TEXT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_REAL_TEXT[name]}"), name)
