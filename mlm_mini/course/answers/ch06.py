"""The worked answers of 06_the_transformer.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "06.embeddings": r"""
import torch.nn.functional as F


def embed(ids, token_type_ids, words, positions, types, gain, bias):
    segment = types[0] if token_type_ids is None else types[token_type_ids]
    x = words[ids] + positions[: ids.shape[1]] + segment  # (B, T, D) + (T, D) + (D,) or (B, T, D)
    return F.layer_norm(x, gain.shape, gain, bias, 1e-12)
""",
    "06.self-attention": r"""
import torch.nn.functional as F


def self_attention(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    B, T, D = x.shape
    qkv = F.linear(x, qkv_weight, qkv_bias).view(B, T, 3, H, D // H)  # (B, T, 3D) -> (B, T, 3, H, D/H)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # -> (3, B, H, T, D/H)
    mask = None if attention_mask is None else attention_mask[:, None, None, :]  # (B, T) -> (B, 1, 1, T)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return F.linear(y.transpose(1, 2).reshape(B, T, D), out_weight, out_bias)  # (B, H, T, D/H) -> (B, T, D)
""",
    "06.gather-positions": r"""
def gather_positions(x, positions):
    index = positions[:, :, None].expand(-1, -1, x.shape[-1])  # (B, k) -> (B, k, D)
    return x.gather(1, index)
""",
    "06.head": r"""
import torch.nn.functional as F


def mlm_head(x, dense_weight, dense_bias, gain, bias, words, word_bias):
    x = F.gelu(F.linear(x, dense_weight, dense_bias))
    x = F.layer_norm(x, gain.shape, gain, bias, 1e-12)
    return F.linear(x, words, word_bias)  # (..., D) -> (..., V)
""",
    "06.masked-loss": r"""
import torch.nn.functional as F


def masked_loss(logits, labels):
    total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")  # (B, k, V) -> (B k, V)
    return total / (labels != -100).sum().clamp(min=1)
""",
    "06.count-parameters": r"""
def count_parameters(V, D, L, inner, P, types=2):
    def layer(n, m):
        return n * m + m

    norm = 2 * D
    embeddings = (V + P + types) * D + norm
    block = 4 * layer(D, D) + norm + layer(D, inner) + layer(inner, D) + norm
    head = layer(D, D) + norm + V
    return embeddings + L * block + head
""",
    "06.forward-flops": r"""
def forward_flops(B, T, k, V, D, L, inner):
    def product(n, m, p):
        return 2 * n * m * p

    layers = 4 * product(B * T, D, D) + product(B * T, D, inner) + product(B * T, inner, D)
    attention = B * (product(T, D, T) + product(T, T, D))
    head = product(B * k, D, D) + product(B * k, D, V)
    return L * (layers + attention) + head
""",
}
