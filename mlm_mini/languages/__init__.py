"""Where text comes from: languages whose answers are known exactly, and real English.

What a model learns from them, and by which recipe, is an entry in `mlm_mini/training/languages.py`.
"""

from importlib import import_module

from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.floor import Floor
from mlm_mini.languages.markov import MarkovLanguage, markov_language
from mlm_mini.languages.polya import PolyaLanguage, polya_language
from mlm_mini.languages.scene_grammar import scene_language
from mlm_mini.languages.scenes import (
    ROLE_AGENT,
    ROLE_NONE,
    ROLE_OTHER,
    ROLE_PATIENT,
    ROLES,
    SceneLanguage,
    SceneSentences,
)
from mlm_mini.languages.sentences import Sentences
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary
from mlm_mini.languages.words import split_sentences, split_words

__all__ = [
    "ROLES",
    "ROLE_AGENT",
    "ROLE_NONE",
    "ROLE_OTHER",
    "ROLE_PATIENT",
    "SPECIAL_TOKENS",
    "ExactLanguage",
    "Floor",
    "MarkovLanguage",
    "PolyaLanguage",
    "SceneLanguage",
    "SceneSentences",
    "Sentences",
    "Vocabulary",
    "markov_language",
    "polya_language",
    "scene_language",
    "split_sentences",
    "split_words",
]

# Real text, loaded when first asked for (see __getattr__), so that the exact languages stay quick to import.
_REAL_TEXT = {
    "Characters": "characters",
    "Corpus": "corpus",
    "Document": "corpus",
    "TokenizedText": "token_store",
    "Trigram": "ngram",
    "WordPiece": "tokenizer",
    "english_corpus": "english",
    "english_tokenizer": "token_store",
    "english_tokens": "token_store",
    "english_trigram": "ngram",
    "read_text_folder": "text_files",
    "train_characters": "characters",
    "train_wordpiece": "tokenizer",
}
__all__ += sorted(_REAL_TEXT)


def __getattr__(name: str):
    if name not in _REAL_TEXT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_REAL_TEXT[name]}"), name)
