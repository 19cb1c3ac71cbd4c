"""A tokenizer for the synthetic languages: one token per word, in a file that the Hugging Face libraries open."""

from collections.abc import Iterable

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from mlm_mini.languages.vocabulary import CLS, SEP, SPECIAL_TOKENS, UNK, Vocabulary
from mlm_mini.languages.words import WORD

OLDER_WORD = r"\w+|[^\w\s]"  # of older folders; for plain words the two agree


class WordLevel:
    """Text to ids and back by `vocabulary`, with the same methods as `mlm_mini.languages.WordPiece`.

    word: the regular expression of a word. Capitals become small letters, unless the vocabulary has capitals itself.
    N words.
    Raises ValueError for a vocabulary with a token that is no single word, which no text could ever contain.
    """

    def __init__(self, vocabulary: Vocabulary, word: str = WORD):
        self.vocabulary = vocabulary
        self._backend = _pipeline(vocabulary, word)
        for token in vocabulary.words(vocabulary.regular_ids):
            if self._backend.encode(token, add_special_tokens=False).tokens != [token]:
                raise ValueError(f"the token {token!r} is not one word: no text would be cut into it")

    def encode(self, text: str) -> np.ndarray:
        """The ids of `text` with [CLS] before and [SEP] behind: int64 (N + 2,); an unknown word is [UNK]."""
        return np.array(self._backend.encode(text).ids, dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        """The words of n ids with spaces between them, without [PAD], [CLS] and [SEP]."""
        framing = {self.vocabulary.pad_id, self.vocabulary.cls_id, self.vocabulary.sep_id}
        ids = self.vocabulary.checked_ids(ids, ndim=1)
        return " ".join(self.vocabulary.words(ids[~np.isin(ids, list(framing))]))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The tokens of n ids."""
        return self.vocabulary.words(ids)

    def to_json(self) -> str:
        """The content of a tokenizer.json file."""
        return self._backend.to_str(pretty=True)


def _pipeline(vocabulary: Vocabulary, word: str) -> Tokenizer:
    ids = {token: i for i, token in enumerate(vocabulary.tokens)}
    backend = Tokenizer(models.WordLevel(ids, unk_token=UNK))
    words = [token for token in vocabulary.tokens if token not in SPECIAL_TOKENS]
    if words == [token.lower() for token in words]:
        backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(word), behavior="removed", invert=True)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(token, ids[token]) for token in (CLS, SEP)],
    )
    backend.add_special_tokens(list(SPECIAL_TOKENS))  # found in the text before anything else is done to it
    return backend
