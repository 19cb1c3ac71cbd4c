"""The worked answers of 07_training.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "07.adamw": r"""
import numpy as np


def adamw_step(weight, gradient, m, v, step, rate, decay=0.01, beta1=0.9, beta2=0.98, epsilon=1e-6):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    return weight - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + decay * weight), m, v
""",
    "07.learning-rate": r"""
def learning_rate(step, steps, warmup, highest):
    rise = (step + 1) / (warmup + 1)
    fall = (steps - step) / (steps - warmup)
    return highest * min(rise, fall)
""",
    "07.clip-gradient": r"""
import numpy as np


def clip_gradient(gradients, largest):
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    factor = min(1.0, largest / norm) if norm > 0 else 1.0
    return [gradient * factor for gradient in gradients]
""",
    "07.accumulate": r"""
import numpy as np


def accumulate(gradients, counts):
    total = np.zeros_like(gradients[0])
    for gradient, count in zip(gradients, counts):
        if count:
            total += gradient * count
    return total / max(sum(counts), 1)
""",
    "07.fixed-masks": r"""
import numpy as np


def fixed_masks(ids, special_ids, mask_ratio, seed):
    draws = np.random.default_rng(seed).random(ids.shape)
    return (draws < mask_ratio) & ~np.isin(ids, special_ids)
""",
    "07.gap": r"""
import numpy as np


def gap(model_nats, floor_nats, counts):
    difference = model_nats - floor_nats
    mean = difference.sum() / counts.sum()
    residual = difference - mean * counts
    return mean, np.sqrt((residual**2).sum()) / counts.sum()
""",
    "07.save": r"""
def save(disk, name, content):
    disk.write(name + ".partial", content)
    disk.flush(name + ".partial")
    disk.rename(name + ".partial", name)
""",
    "07.wordpiece": r"""
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            if mark + word[start:end] in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces
""",
    "07.blocks": r"""
import numpy as np


def blocks(tokens, length, cls_id, sep_id, pad_id):
    inside = length - 2
    rows = np.full((-(-len(tokens) // inside), length), pad_id)
    for i, row in enumerate(rows):
        part = tokens[i * inside : (i + 1) * inside]
        row[0], row[1 : len(part) + 1], row[len(part) + 1] = cls_id, part, sep_id
    return rows
""",
    "07.clinic-zero-grad": r"""
def descend(gradient_of, weight, rate, steps):
    for _ in range(steps):
        gradient = gradient_of(weight)
        weight = weight - rate * gradient
    return weight
""",
    "07.clinic-padding": r"""
def padded_loss(nats, is_token):
    return float(nats[is_token].sum() / max(is_token.sum(), 1))
""",
    "07.clinic-broadcast": r"""
def weighted_loss(nats, weights):
    return float((nats * weights[:, 0]).sum() / weights.sum())
""",
    "07.clinic-evaluation": r"""
import numpy as np


def evaluate_model(model, sentences):
    was_training = model.training
    model.eval()
    try:
        loss = np.mean([model(sentence) for sentence in sentences])
    finally:
        model.train(was_training)
    return float(loss)
""",
    "07.clinic-resume": r"""
def state_of(weights, moments, step, rng):
    return {
        "weights": weights.copy(),
        "moments": moments.copy(),
        "step": step,
        "rng": rng.bit_generator.state,
    }
""",
    "07.clinic-split": r"""
def split_documents(documents, held_out, rng):
    chosen = set(rng.permutation(len(documents))[:held_out].tolist())
    train, test = [], []
    for number, document in enumerate(documents):
        (test if number in chosen else train).extend(document)
    return train, test
""",
}
