"""One gradient for each draw of the masks, those of many draws at once, and how they scatter.

Shape letters: n draws, R sentences of a draw, T positions, k predicted tokens of a draw, P weights of the model.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from mlm_mini.experiments.lab.asking import without_dropout
from mlm_mini.experiments.lab.timing import one_thread
from mlm_mini.experiments.variance.draws import Draws
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX

DRAWS_AT_ONCE = 32  # that go through the model together: more of them gain nothing, and take memory


class MeanSurprisal(nn.Module):
    """The loss of one draw: the mean surprisal per predicted token, in nats; 0 where nothing is asked."""

    def __init__(self, model: MaskedLM):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, attention_mask: Tensor | None, places: Tensor, labels: Tensor) -> Tensor:
        x = self.model.encode(ids, attention_mask).flatten(0, 1)[places]  # (R, T, D) -> (R T, D) -> (k, D)
        logits = self.model.head(x, self.model.embeddings.words.weight)  # (k, D) -> (k, V)
        nats = F.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX, reduction="sum")
        return nats / (labels != IGNORE_INDEX).sum().clamp(min=1)


def draw_gradients(model: MaskedLM, draws: Draws, at_once: int = DRAWS_AT_ONCE) -> Tensor:
    """The gradient of each draw with respect to all weights: (n, P) float32, in the order of `model.parameters()`.

    `vmap` runs the draws side by side through one set of weights (PyTorch's torch.func): (n, P) numbers of 4 bytes
    remain, and nothing else. The model is left as it was; its dropout, if it has any, is off.
    """
    loss = MeanSurprisal(model)
    weights = {name: weight.detach() for name, weight in loss.named_parameters()}
    gradient = grad(lambda weights, *inputs: functional_call(loss, weights, inputs))
    mask_axis = None if draws.attention_mask is None else 0
    gradients = vmap(gradient, in_dims=(None, 0, mask_axis, 0, 0))
    out = torch.empty(len(draws), sum(weight.numel() for weight in weights.values()))
    # The other kernels have no rule for vmap, and would go one draw at a time.
    with without_dropout(model), one_thread(), sdpa_kernel(SDPBackend.MATH):
        for part, rows in zip(draws.split(at_once), out.split(at_once), strict=True):
            each = gradients(weights, part.ids, part.attention_mask, part.places, part.labels)
            torch.cat([each[name].flatten(1) for name in weights], dim=1, out=rows)
    return out


def loop_gradients(model: MaskedLM, draws: Draws) -> Tensor:
    """The same as `draw_gradients`, one draw after the other: (n, P)."""
    loss, out = MeanSurprisal(model), []
    weights = list(loss.parameters())
    with without_dropout(model):
        for part in draws.split(1):
            mask = None if part.attention_mask is None else part.attention_mask[0]
            each = torch.autograd.grad(loss(part.ids[0], mask, part.places[0], part.labels[0]), weights)
            out.append(torch.cat([gradient.flatten() for gradient in each]))
    return torch.stack(out)


def moments(gradients: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Of n gradients (n, P): n/(n-1) |g_d - mean|^2, and the mean inner product of g_d with the n - 1 others, (n,).

    The means of the two over the draws estimate tr Cov(g) and |E g|^2 without bias. `gradients` is overwritten.
    """
    n = len(gradients)
    total = gradients.sum(dim=0)
    agreements = ((gradients @ total).double().numpy() - _squared_lengths(gradients)) / (n - 1)
    gradients -= total / n
    return _squared_lengths(gradients) * (n / (n - 1)), agreements


def _squared_lengths(gradients: Tensor) -> np.ndarray:
    """(n, P) -> (n,), in float64, row by row, since all rows in float64 would take twice the memory again."""
    return np.array([float(row.double().square().sum()) for row in gradients])
