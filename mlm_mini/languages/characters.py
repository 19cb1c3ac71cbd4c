"""One token for each character: for text whose words are no help, such as proteins, or a script without spaces.

N characters of a text, V tokens in the vocabulary.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from mlm_mini.languages.tokenizer import BERT_SLOTS, FileTokenizer
from mlm_mini.languages.vocabulary import CLS, SEP, SPECIAL_TOKENS, UNK

CHARACTER = r"[\s\S]"  # the regular expression of a token


class Characters(FileTokenizer):
    """A token for each character as it is written, spaces, capitals and the ends of lines too.

    The ids of the special tokens are those of `WordPiece`; a character that is not in the vocabulary is [UNK].
    """

    kind = "tokenizer of characters"

    def __init__(self, backend: Tokenizer):
        super().__init__(backend)
        tokens = self.vocabulary.words(self.vocabulary.regular_ids)
        if any(len(token) != 1 for token in tokens) or self.to_json() != _pipeline(self.vocabulary.tokens).to_str(
            pretty=True
        ):
            raise ValueError("the tokenizer does not have one token for each character, as this course writes it")
        self._id_of = {token: i for i, token in enumerate(self.vocabulary.tokens)}

    def encode_lines(self, lines: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of one document that is given line by line, in pieces: [CLS] comes first and [SEP] last."""
        yield np.array([self.vocabulary.cls_id])
        first = True
        for line in lines:
            yield self._ids(line if first else "\n" + line)
            first = False
        yield np.array([self.vocabulary.sep_id])

    def unknown_pieces(self, line: str) -> list[str]:
        """What became [UNK] in a line that is plain text: characters of it, in order."""
        return [character for character in line if character not in self._id_of]

    def _ids(self, text: str) -> np.ndarray:
        unknown = self.vocabulary.unk_id
        return np.fromiter((self._id_of.get(c, unknown) for c in text), dtype=np.int64, count=len(text))


def train_characters(lines: Iterable[str], size: int) -> Characters:
    """The characters of a text in the order of their numbers; the most frequent ones where `size` has not room for all.

    Raises ValueError when there is no text, or `size` has no room for any character.
    """
    counts = Counter({"\n": 1})
    for line in lines:
        counts.update(line)
        counts["\n"] += 1
    if not any(not character.isspace() for character in counts):
        raise ValueError("there is no text to train a tokenizer on")
    room = size - len(BERT_SLOTS)
    if room < 1:
        raise ValueError(
            f"a vocabulary of size {size} is too small: {len(BERT_SLOTS)} ids are BERT's own, and it takes more"
        )
    kept = sorted(counts, key=lambda character: (-counts[character], character))[:room]
    return Characters(_pipeline([*BERT_SLOTS, *sorted(kept)]))


def _pipeline(tokens: Iterable[str]) -> Tokenizer:
    ids = {token: i for i, token in enumerate(tokens)}
    backend = Tokenizer(models.WordLevel(ids, unk_token=UNK))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(CHARACTER), behavior="isolated")
    backend.decoder = decoders.Fuse()
    backend.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(token, ids[token]) for token in (CLS, SEP)],
    )
    backend.add_special_tokens(list(SPECIAL_TOKENS))  # found in the text before it is cut
    return backend
