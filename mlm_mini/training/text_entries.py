"""Entries of real text, and those of texts that are installed already: proteins, code, ancient books."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from mlm_mini.languages import Corpus
from mlm_mini.languages.greek import greek_corpus
from mlm_mini.languages.proteins import protein_corpus
from mlm_mini.languages.python_code import python_corpus
from mlm_mini.languages.text_quality import check_unknown, check_words
from mlm_mini.languages.token_store import VOCABULARY_SIZE, TokenizedText, text_tokenizer, text_tokens
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import Material, text_material
from mlm_mini.training.entries import LanguageEntry
from mlm_mini.training.waves import wavy_model

REAL_TEXT = {"steps": 8000, "batch_size": 64, "micro_batches": 4, "mask_ratio": 0.3, "learning_rate": 2e-3}
HALF_A_MINUTE = {"size": "tiny", "micro_batches": 1}  # of one thread
FAST = {"mask_ratio": 0.2, "learning_rate": 4e-3}


@dataclass(frozen=True, kw_only=True)
class TextEntry(LanguageEntry):
    """Real text: a model of it is compared with models that count. tokenizer: one of TOKENIZERS, or a tokenizer."""

    usual: Mapping = field(default_factory=lambda: REAL_TEXT)
    tokenizer: str | FileTokenizer = "wordpiece"

    @abstractmethod
    def corpus(self) -> Corpus:
        """The documents."""

    def tokenized(self, vocabulary_size: int) -> tuple[FileTokenizer, TokenizedText, TokenizedText]:
        """The tokenizer, the tokens to train on, and those for validation."""
        return self._tokenized(self.corpus(), vocabulary_size)

    def _tokenized(self, corpus: Corpus, vocabulary_size: int) -> tuple[FileTokenizer, TokenizedText, TokenizedText]:
        tokenizer = self.tokenizer
        if isinstance(tokenizer, str):
            tokenizer = text_tokenizer(corpus, vocabulary_size, tokenizer)
        # pyrefly: ignore[bad-return] two splits, so three in all
        return tokenizer, *(text_tokens(corpus, split, tokenizer) for split in ("train", "validation"))

    def text(self) -> list[str]:
        return self.corpus().texts()

    def count_tokens(self) -> int:
        return VOCABULARY_SIZE

    def material(self, config: TrainingConfig, length: int, vocabulary_size: int) -> Material:
        corpus = self.corpus()
        tokenized = self._tokenized(corpus, vocabulary_size)
        self.check(corpus, *tokenized, length)
        return text_material(*tokenized, config, length)

    def check(
        self, corpus: Corpus, tokenizer: FileTokenizer, train: TokenizedText, held_out: TokenizedText, length: int
    ) -> None:
        """Says what may be wrong with the text, as `check_unknown` does."""
        for split, tokens in (("train", train), ("validation", held_out)):
            check_words(corpus, split, tokens)
            check_unknown(corpus, split, tokenizer, tokens, given=tokenizer is self.tokenizer)


@dataclass(frozen=True, kw_only=True)
class PackageEntry(TextEntry):
    """Text that is installed already: proteins, code, ancient books.

    documents: reads it. letters: a token is a letter, whatever is asked for by name; a tokenizer of a model to start
    from is used as it is. first_weights: their standard deviation, two or three times the usual, so that attention is
    uneven from the start; waves: the height of those that stand in the first table of positions (see `waves.py`). With
    these and short rows half a minute is enough to learn something; without them no model had left the unigram by then.
    """

    documents: Callable[[], Corpus]
    letters: bool = False
    first_weights: float = 0.15
    waves: float = 0.2
    row_length: int = 32

    def corpus(self) -> Corpus:
        return self.documents()

    def made_by(self) -> list[str]:
        return [wavy_model.__module__]

    def shape(self, size: str, tokens: int, length: int = 0) -> ModelConfig:
        return replace(super().shape(size, tokens, length), initializer_range=self.first_weights)

    def first_model(self, shape: ModelConfig, seed: int) -> MaskedLM:
        return wavy_model(shape, seed, self.waves)

    def _tokenized(self, corpus: Corpus, vocabulary_size: int) -> tuple[FileTokenizer, TokenizedText, TokenizedText]:
        if self.letters and isinstance(self.tokenizer, str):
            alphabet = text_tokenizer(corpus, vocabulary_size, "characters")
            return replace(self, tokenizer=alphabet)._tokenized(corpus, vocabulary_size)
        return super()._tokenized(corpus, vocabulary_size)


INSTALLED_TEXTS = (
    PackageEntry(
        name="proteins",
        documents=protein_corpus,
        letters=True,
        first_weights=0.2,
        waves=0.3,
        usual=REAL_TEXT | {"mask_ratio": 0.15},
        kept={"tiny": HALF_A_MINUTE | {"steps": 1200}},
    ),
    PackageEntry(
        name="python",
        documents=python_corpus,
        usual=REAL_TEXT | FAST,
        kept={"tiny": HALF_A_MINUTE | {"steps": 600}},
    ),
    PackageEntry(
        name="greek",
        documents=greek_corpus,
        letters=True,
        usual=REAL_TEXT | FAST,
        kept={"tiny": HALF_A_MINUTE | {"steps": 1000}},
    ),
)
