"""Functions of libraries that do what an exercise asks for: a teacher may want to know, and no point hangs on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlm_mini.grading.program import Program

_TORCH = ("torch.{}", "torch.nn.functional.{}", "torch.special.{}", "torch.Tensor.{}")
_ENCODERS = ("torch.nn.MultiheadAttention", "torch.nn.TransformerEncoderLayer", "transformers",
             "torch.nn.functional.scaled_dot_product_attention")  # fmt: skip


def _both(name: str) -> tuple[str, ...]:
    """A function as SciPy and PyTorch have it."""
    return (f"scipy.special.{name}", *(path.format(name) for path in _TORCH))


# Of an exercise, or of all of a chapter, what does the same: a function, or a library as a whole.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "01": (*_both("softmax"), *_both("logsumexp"), *_both("log_softmax"), "torch.nn.Softmax", "torch.nn.LogSoftmax"),
    "02": ("torch.nn.functional.cross_entropy", "torch.nn.functional.nll_loss", "torch.nn.functional.kl_div",
           "torch.nn.CrossEntropyLoss", "torch.distributions", "scipy.special.rel_entr", "scipy.special.kl_div",
           "scipy.special.entr", "scipy.stats.entropy", "sklearn.metrics.log_loss"),
    "04": ("scipy.stats.entropy", "scipy.special.rel_entr", "scipy.special.kl_div", "torch.nn.functional.kl_div",
           "torch.nn.functional.cross_entropy"),
    "05": (*_both("softmax"), *_ENCODERS, "torch.nn.functional.layer_norm", "torch.nn.LayerNorm",
           "torch.nn.functional.gelu", "torch.nn.GELU"),
    "06.count-parameters": ("transformers",),
    "06.forward-flops": ("transformers", "torch.utils.flop_counter"),
    "06": ("transformers", *_ENCODERS),
    "07.adamw": ("torch.optim", "transformers", "optax"),
    "07.clip-gradient": ("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad"),
    "07.learning-rate": ("torch.optim.lr_scheduler", "transformers"),
    "07.wordpiece": ("transformers", "tokenizers"),
    "08.flops": ("torch.utils.flop_counter", "transformers"),
    "12.svd-vectors": ("sklearn.decomposition",),
    "12.divergence": ("scipy.spatial.distance.jensenshannon",),
    "12.permutation": ("scipy.stats.permutation_test",),
    "15.permutation": ("scipy.stats.permutation_test",),
    "13.logistic": ("sklearn.linear_model", "sklearn.metrics.log_loss"),
    "13.balanced-accuracy": ("sklearn.metrics.balanced_accuracy_score",),
    "13.bag-of-words": ("sklearn.feature_extraction",),
}  # fmt: skip


def libraries_named(program: Program) -> list[str]:
    """What of the table the code for an exercise names, and the worked answer does not."""
    exercise = program.exercise
    table = LIBRARIES.get(exercise.id) or LIBRARIES.get(exercise.chapter, ())
    used = _named(program.statements) - _named((exercise.answer.code,))
    return sorted(name for name in used if any(name == path or name.startswith(path + ".") for path in table))


def _named(texts: tuple[str, ...]) -> set[str]:
    """The full names of all parts of modules that are named, `scipy.special.softmax` say, however they were imported.

    A method of whoever knows PyTorch is taken for a tensor's.
    """
    nodes = [node for text in texts for node in ast.walk(ast.parse(text))]
    meant = dict(_imported(nodes))
    has_torch = any(full.split(".")[0] == "torch" for full in meant.values())
    found = set()
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute):
            first, _, rest = _dotted(node).partition(".")
            if first in meant:
                found.add(f"{meant[first]}.{rest}".rstrip("."))
            elif has_torch and isinstance(node, ast.Attribute):
                found.add(f"torch.Tensor.{node.attr}")
    return found


def _dotted(node: ast.AST) -> str:
    """The text of `a.b.c`; "" for a part of anything but a name."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def _imported(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Each name that an import gives a value, and the full name of that."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
