"""BERT for masked language modeling (Devlin et al. 2019), top to bottom.

Shapes: B sentences, T positions, k predicted positions per sentence, D the width of a position, I the width inside a
block, H heads, V tokens. The same functions in NumPy, one equation each, are in `mlm_mini.reference`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlm_mini.model.config import ModelConfig


class Embeddings(nn.Module):
    """LayerNorm(word + position + type): what stands here, where, and in which segment."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        D = config.hidden_size
        self.words = embedding(config.vocab_size, D)
        self.positions = embedding(config.max_position_embeddings, D)
        self.types = embedding(config.type_vocab_size, D)
        self.norm = nn.LayerNorm(D, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids: Tensor, token_type_ids: Tensor | None) -> Tensor:
        # BERT was trained with a type everywhere: without ids it is type 0, and its row is still added.
        types = self.types.weight[0] if token_type_ids is None else self.types(token_type_ids)
        x = self.words(ids) + self.positions.weight[: ids.shape[1]] + types  # (B, T) -> (B, T, D)
        return self.dropout(self.norm(x))


def embedding(rows: int, D: int) -> nn.Embedding:
    """A table without numbers yet. `nn.Embedding` would draw some, and for that "meta" imports PyTorch's compiler."""
    return nn.Embedding.from_pretrained(torch.empty(rows, D), freeze=False)


class Attention(nn.Module):
    """Each position reads from those it may see, in H subspaces at once."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        D = config.hidden_size
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob
        self.qkv = nn.Linear(D, 3 * D)  # queries, keys and values in one product
        self.out = nn.Linear(D, D)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool, readers: Tensor | None = None) -> Tensor:
        """readers: (B, k) positions, the only ones whose result is wanted: (B, k, D)."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).unbind(2)  # (B, T, 3D) -> three times (B, T, H, D/H)
        if readers is not None:
            q = take(q, readers)  # (B, T, H, D/H) -> (B, k, H, D/H), and k stands for T from here on
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))  # (B, T, H, D/H) -> (B, H, T, D/H)
        y = attend(q, k, v, mask, causal, self.dropout if self.training else 0.0)
        return self.out(y.transpose(1, 2).flatten(2))  # (B, H, T, D/H) -> (B, T, H, D/H) -> (B, T, D)


def take(x: Tensor, positions: Tensor) -> Tensor:
    """x, (B, T, ...), at positions, (B, k): (B, k, ...)."""
    index = positions.view(*positions.shape, *(1,) * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return x.gather(1, index)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, dropout: float) -> Tensor:
    """softmax(q k^T / sqrt(D/H)) v over the keys a query may see, and zero for a query that may see none.

    q, k, v: (B, H, T, D/H). mask: bool that broadcasts to (B, H, T, T), True where a query may see a key; where it is
    None, a query sees all keys, or with `causal` those that are not later than itself. Returns (B, H, T, D/H).
    """
    if q.device.type == "cpu" and q.dtype == torch.bfloat16:
        # PyTorch's kernel for CPUs takes three to six times as long backward in bfloat16 as in float32.
        with torch.autocast("cpu", enabled=False):
            return attend(q.float(), k.float(), v.float(), mask, causal, dropout)
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=causal)
    # A softmax over nothing is 0 / 0, and PyTorch's kernels differ in what they make of it.
    sees = mask.any(-1, keepdim=True)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask | ~sees, dropout_p=dropout)
    return y.masked_fill(~sees, 0.0)


class Block(nn.Module):
    """h = LayerNorm(x + Attention(x)), then LayerNorm(h + W_2 gelu(W_1 h)): the norm comes after the sum."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        D = config.hidden_size
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(D, eps=config.layer_norm_eps)
        self.expand = nn.Linear(D, config.intermediate_size)
        self.contract = nn.Linear(config.intermediate_size, D)
        self.norm = nn.LayerNorm(D, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool, readers: Tensor | None = None) -> Tensor:
        """readers: as in `Attention`."""
        y = self.attention(x, mask, causal, readers)
        if readers is not None:
            x = take(x, readers)  # (B, T, D) -> (B, k, D)
        h = self.attention_norm(x + self.dropout(y))
        return self.norm(h + self.dropout(self.contract(F.gelu(self.expand(h)))))  # (B, T, D) -> (B, T, I) -> (B, T, D)


class Head(nn.Module):
    """E LayerNorm(gelu(W x)) + b, with E the table of word embeddings, which is used twice and stored once."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        return F.linear(self.norm(F.gelu(self.dense(x))), words, self.bias)  # (..., D) -> (..., V)


class MaskedLM(nn.Module):
    """The encoder and its head, on the CPU in float32.

    generator: a CPU torch.Generator that draws the weights, normal with standard deviation `initializer_range`: a seed
    gives the same weights whatever device trains them. With None the model has shapes but no numbers (PyTorch's
    "meta" device), until `load_state_dict(..., assign=True)` brings them.
    """

    def __init__(self, config: ModelConfig, generator: torch.Generator | None):
        super().__init__()
        self.config = config
        with torch.device("meta"):  # otherwise each layer would first draw weights from PyTorch's global generator
            self.embeddings = Embeddings(config)
            self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
            self.head = Head(config)
        if generator is not None:
            self.to_empty(device="cpu")
            self.draw_weights(generator)

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """Start afresh, in the order of `modules()`."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                module.weight.normal_(std=self.config.initializer_range, generator=generator)
            if isinstance(module, nn.Linear | Head):
                module.bias.zero_()
            if isinstance(module, nn.LayerNorm):
                module.reset_parameters()  # gain 1, bias 0

    def encode(
        self,
        ids: Tensor,
        attention_mask: Tensor | None = None,
        causal: bool = False,
        token_type_ids: Tensor | None = None,
        readers: Tensor | None = None,
    ) -> Tensor:
        """The last hidden states, (B, T, D), or only those at the readers, (B, k): (B, k, D).

        The last block is then computed for the readers alone. Other arguments as in `forward`.
        """
        check_input(ids, attention_mask, token_type_ids, self.config.max_position_embeddings)
        mask = None
        if attention_mask is not None:
            mask = attention_mask.bool()[:, None, None, :]  # (B, T) -> (B, 1, 1, T), for every head and query
            if causal:
                T = ids.shape[1]
                mask = mask & torch.ones(T, T, dtype=torch.bool, device=ids.device).tril()  # (B, 1, T, T)
        x = self.embeddings(ids, token_type_ids)
        *first, last = self.blocks
        for block in first:
            x = block(x, mask, causal)
        if readers is None:
            return last(x, mask, causal)
        if causal:  # nearly all positions are asked: to leave some out would cost a mask of its own, and save little
            return take(last(x, mask, causal), readers)
        return last(x, mask, causal, readers)

    def forward(
        self,
        ids: Tensor,
        attention_mask: Tensor | None = None,
        positions: Tensor | None = None,
        causal: bool = False,
        token_type_ids: Tensor | None = None,
        trim: bool = False,
    ) -> Tensor:
        """One score for each token, at every position or only where it is asked for.

        ids: (B, T) integers. attention_mask: (B, T), True or 1 at tokens, False or 0 at padding; None without padding.
        positions: (B, k) int64, each from 0 to T - 1; a sentence with fewer than k to predict repeats any of them,
        labeled with the ignore index. causal: a position sees no later one. token_type_ids: (B, T), None for zeros.
        trim: leave out of the last block what no position needs, for the same logits up to rounding. Without it the
        operations are those of BERT, which `ModelConfig.training_flops_per_token` counts.
        Returns logits (B, T, V), or (B, k, V) with positions.
        Raises ValueError for shapes that do not fit, TypeError for dtypes; IndexError for an id out of range (CPU).
        """
        if positions is not None and (positions.ndim != 2 or len(positions) != len(ids)):
            raise ValueError(f"positions has shape {tuple(positions.shape)}: expected ({len(ids)}, k)")
        x = self.encode(ids, attention_mask, causal, token_type_ids, positions if trim else None)
        if positions is not None and not trim:
            x = take(x, positions)  # (B, T, D) -> (B, k, D)
        return self.head(x, self.embeddings.words.weight)


def check_input(ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None, longest: int) -> None:
    """Shapes and dtypes only: to look at the values would make a GPU wait, and has no meaning under vmap."""
    if ids.ndim != 2 or not 0 < ids.shape[1] <= longest:
        raise ValueError(
            f"ids has shape {tuple(ids.shape)}: expected (B, T), with T from 1 to max_position_embeddings, {longest}"
        )
    for name, tensor in (("ids", ids), ("attention_mask", attention_mask), ("token_type_ids", token_type_ids)):
        if tensor is None:
            continue
        if tensor.is_floating_point():  # an additive mask, 0 and -inf, would be read the wrong way round
            wanted = "bool, or 1 and 0" if tensor is attention_mask else "integers"
            raise TypeError(f"{name} has dtype {tensor.dtype}: expected {wanted}")
        if tensor.shape != ids.shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}: expected {tuple(ids.shape)}, the shape of ids")
