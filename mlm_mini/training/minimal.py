"""Training on one page, from top to bottom: what `train` does, without checkpoints, devices, workers and reports.

A test holds that both give the same weights, to the last bit.
"""

import torch
import torch.nn.functional as F

from mlm_mini.languages.batches import TextSource
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import IGNORE_INDEX, corrupt, make_labels, maskable_positions, select_positions
from mlm_mini.seeds import Stream, generator, torch_seed


def train_minimal(
    shape: ModelConfig,
    source: TextSource,
    steps: int,
    batch_size: int = 128,
    mask_ratio: float = 0.15,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> MaskedLM:
    """A model of that shape, trained on the text of `source` with BERT's objective: all hidden words are [MASK]."""
    words, rng = source.vocabulary, generator(seed, Stream.MASKS)
    model = MaskedLM(shape, torch.Generator().manual_seed(torch_seed(seed, Stream.WEIGHTS))).train()

    # AdamW: the matrices of the linear layers decay, and nothing else does.
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    weights = dict(model.named_parameters())
    groups = [
        {"params": [weight for name, weight in weights.items() if name in linear], "weight_decay": 0.01},
        {"params": [weight for name, weight in weights.items() if name not in linear], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)

    warmup = int(0.1 * steps)
    for step in range(steps):
        # A batch: sentences, some of their words hidden, and those words as labels.
        ids = source.next_batch(batch_size)  # (B, T)
        ids = ids[(ids != words.pad_id).sum(axis=1).argsort(kind="stable")]
        selected = select_positions(maskable_positions(ids, words.special_ids), mask_ratio, rng)
        seen = corrupt(ids, selected, words.mask_id, words.regular_ids, rng, split=(1, 0, 0))
        labels = torch.from_numpy(make_labels(ids, selected))  # (B, T), IGNORE_INDEX where nothing is asked

        # Scores where a word is asked for, and nowhere else: k positions of each sentence, the asked ones first.
        k = max(1, int(selected.sum(axis=1).max()))
        positions = torch.from_numpy((~selected).argsort(axis=1, kind="stable")[:, :k])  # (B, k)
        padding = ids == words.pad_id
        T = (~padding).sum(axis=1).max()  # what is padding in all of them is left out
        mask = torch.from_numpy(~padding[:, :T]) if padding.any() else None
        logits = model(torch.from_numpy(seen[:, :T]), mask, positions, trim=True)  # (B, k, V)

        # The loss: the mean surprisal of the hidden words, in nats.
        asked = labels.gather(1, positions)
        nats = F.cross_entropy(logits.flatten(0, 1), asked.flatten(), ignore_index=IGNORE_INDEX, reduction="none")
        loss = nats.sum() / max(int((asked != IGNORE_INDEX).sum()), 1)

        # A step: the rate rises for a tenth of the way, then falls to nearly 0; a gradient longer than 1 is cut to 1.
        rate = learning_rate * min((step + 1) / (warmup + 1), (steps - step) / (steps - warmup))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()
