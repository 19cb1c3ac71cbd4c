"""Where text comes from: languages whose answers are known exactly, and real English."""

from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary

__all__ = [
    "SPECIAL_TOKENS",
    "Vocabulary",
]

# Real text, loaded when first asked for (see __getattr__), so that the exact languages stay quick to import.
