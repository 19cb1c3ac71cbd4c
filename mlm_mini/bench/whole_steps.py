"""A whole step of training, ours and those of `transformers`: draw a batch, hide, forward, backward, clip, AdamW.

All read the same random text in rows of T tokens, hide 15% of it, and have AdamW's fused form. The peers are fed by
`DataCollatorForLanguageModeling`, as their users feed them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mlm_mini.bench.row import Side
from mlm_mini.experiments.lab.timing import on_threads
from mlm_mini.languages.batches import TextBlocks
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary
from mlm_mini.model import ModelConfig, autocast
from mlm_mini.training import TrainingConfig
from mlm_mini.training.config import BFLOAT16, FLOAT32
from mlm_mini.training.run import Run
from mlm_mini.training.threaded_map import side_by_side

TEXT_TOKENS, RATIO = 2**18, 0.15
CLIP_NORM, RATE = 1.0, 1e-4


@dataclass(frozen=True)
class Work:
    """What every side does: a model of that shape takes a step on `batch` rows of `length` tokens."""

    shape: ModelConfig
    batch: int
    length: int
    device: torch.device

    def source(self) -> TextBlocks:
        """Random text without padding, the same for all."""
        V = self.shape.vocab_size
        vocabulary = random_vocabulary(V)
        ids = np.random.default_rng(0).integers(len(SPECIAL_TOKENS), V, max(TEXT_TOKENS, self.batch * self.length))
        ids[0], ids[-1] = vocabulary.cls_id, vocabulary.sep_id
        return TextBlocks(TokenizedText(ids, np.array([0, len(ids)])), vocabulary, self.length, seed=0)

    def flops(self) -> float:
        """Of a step, by the formula of `ModelConfig.training_flops_per_token`."""
        return self.batch * self.length * self.shape.training_flops_per_token(self.length, RATIO)


def random_vocabulary(size: int) -> Vocabulary:
    """So many tokens, of which none means anything."""
    return Vocabulary([*SPECIAL_TOKENS, *(f"w{i}" for i in range(size - len(SPECIAL_TOKENS)))])


def ours(work: Work, precision: str, threads: int) -> Side:
    """Our step, with all threads in each operation or with parts of the batch side by side."""
    ways = {}
    for parts in dict.fromkeys((1, threads, 2 * threads)):
        if parts > 1 and (work.device.type != "cpu" or parts > work.batch):
            continue
        config = TrainingConfig(
            steps=10**6, batch_size=work.batch, micro_batches=parts, precision=precision, learning_rate=RATE
        )
        run = Run.start(work.shape, work.source(), config, work.device)
        ways |= _with_threads(f"{parts} parts" if parts > 1 else "", threads, work.device, _our_step(run, parts))
    return Side(f"ours, {precision}", ways)


def _our_step(run: Run, parts: int) -> Callable[[], None]:
    def step() -> None:
        with side_by_side(run.model, parts) as map_parts:
            run.one_step(map_parts)

    return step


def _with_threads(
    what: str, threads: int, device: torch.device, step: Callable[[], object]
) -> dict[str, Callable[[], None]]:
    """The step on one thread and on all, or on all alone where it is cut into parts, which share them out."""

    def way(number: int) -> Callable[[], None]:
        def run() -> None:
            with on_threads(number):
                step()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        return run

    if device.type != "cpu":
        return {"": way(torch.get_num_threads())}
    numbers = (threads,) if what else dict.fromkeys((1, threads))
    named = {number: f"{number} thread{'s' if number > 1 else ''}" for number in numbers}
    return {f"{what}, {name}" if what else name: way(number) for number, name in named.items()}


def peer(work: Work, name: str, precision: str, threads: int, compiled: bool = False) -> Side:
    """A model of `transformers` by name, one of PEERS."""
    model = PEERS[name](work.shape, work.length).train().to(work.device)
    step = _peer_step(work, model, precision, compiled)
    words = f"transformers.{name}{' compiled' if compiled else ''}, {precision}"
    return Side(words, _with_threads("", threads, work.device, step))


def _peer_step(work: Work, model: nn.Module, precision: str, compiled: bool) -> Callable[[], None]:
    source = work.source()
    collate = collator_of(source.vocabulary)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True)
    called = torch.compile(model) if compiled else model

    def step() -> None:
        batch = collate(list(torch.from_numpy(source.next_batch(work.batch))))
        batch = {name: tensor.to(work.device) for name, tensor in batch.items()}
        with autocast(work.device, precision == BFLOAT16):
            loss = called(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()

    return step


def collator_of(vocabulary: Vocabulary):
    """`transformers`' own masking."""
    import tokenizers
    from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

    words = tokenizers.models.WordLevel({token: i for i, token in enumerate(vocabulary.tokens)}, "[UNK]")
    named = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(words), **named)
    return DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATIO)


def bert(shape: ModelConfig, length: int) -> nn.Module:
    """The same model as ours."""
    from transformers import BertConfig, BertForMaskedLM

    return BertForMaskedLM(BertConfig(**json.loads(shape.to_json())))


def modern_bert(shape: ModelConfig, length: int) -> nn.Module:
    """A newer encoder (Warner et al. 2024) of the same width, depth and number of weights, logits where they are asked.

    A block of BERT has 4 D^2 weights in its attention and 8 D^2 behind it; here the latter are in three matrices.
    """
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    D = shape.hidden_size
    config = ModernBertConfig(
        vocab_size=shape.vocab_size,
        hidden_size=D,
        intermediate_size=round(2 * shape.intermediate_size / 3),
        num_hidden_layers=shape.num_hidden_layers,
        num_attention_heads=shape.num_attention_heads,
        max_position_embeddings=max(length, shape.max_position_embeddings),
        sparse_prediction=True,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=None,
        eos_token_id=None,
    )
    return ModernBertForMaskedLM(config)


PEERS = {"BertForMaskedLM": bert, "ModernBertForMaskedLM": modern_bert}
BOTH_PRECISIONS = (FLOAT32, BFLOAT16)
