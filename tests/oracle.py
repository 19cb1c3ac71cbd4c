"""Brute force: every answer read off the full table of sentence probabilities, (V,) * T, of a tiny language."""

from itertools import combinations, product

import numpy as np


def random_masks(language, rng, n):
    """n sampled sentences, each with its own random positions hidden, [CLS], [SEP] and [PAD] among them."""
    ids = language.sample(n, rng).ids
    return np.where(rng.random(ids.shape) < rng.random((n, 1)), language.vocabulary.mask_id, ids)


def slab(table, ids, mask_id):
    """The part of the table that agrees with the visible tokens: one axis for each hidden position."""
    return table[tuple(slice(None) if i == mask_id else i for i in ids)]


def marginal(table, ids, mask_id):
    return slab(table, ids, mask_id).sum()


def joint(table, ids, mask_id, positions):
    """(V,) * m, the joint of hidden positions, axes in the order asked."""
    hidden = [t for t, i in enumerate(ids) if i == mask_id]
    part = slab(table, ids, mask_id)
    others = tuple(axis for axis, t in enumerate(hidden) if t not in positions)
    part = part.sum(axis=others) / part.sum()
    kept = [t for t in hidden if t in positions]
    return part.transpose([kept.index(t) for t in positions])


def sentences(table):
    """Every possible sentence with its probability."""
    return [(ids, table[tuple(ids)]) for ids in np.argwhere(table > 0)]


def fates(word, mask_ratio, split, vocabulary):
    """What may become of one word: (probability, was it selected, what is seen)."""
    mask, replaced, kept = (mask_ratio * share for share in split)
    regular = vocabulary.regular_ids
    yield 1 - mask_ratio, False, word
    yield mask, True, vocabulary.mask_id
    yield kept, True, word
    for other in regular:
        yield replaced / len(regular), True, other


def corrupted(table, vocabulary, mask_ratio, split):
    """All (true sentence, seen sentence, selected positions) with their probabilities, by listing every fate."""
    for ids, p in sentences(table):
        words = np.flatnonzero(np.isin(ids, vocabulary.regular_ids))
        for outcome in product(*(fates(ids[t], mask_ratio, split, vocabulary) for t in words)):
            seen = ids.copy()
            seen[words] = [token for _, _, token in outcome]
            chosen = words[[selected for _, selected, _ in outcome]]
            yield ids, seen, chosen, p * np.prod([q for q, _, _ in outcome])


def posteriors_under_corruption(table, vocabulary, mask_ratio, split):
    """{(seen sentence, position): unnormalized distribution (V,) of the true word, given that it was selected}."""
    answers = {}
    for ids, seen, chosen, p in corrupted(table, vocabulary, mask_ratio, split):
        for t in chosen:
            key = (tuple(seen.tolist()), int(t))
            answers.setdefault(key, np.zeros(len(vocabulary)))[ids[t]] += p
    return answers


def floor(table, vocabulary, mask_ratio, split=(1, 0, 0)):
    """Expected nats over expected number of selected words, exactly."""
    return mean_entropy(posteriors_under_corruption(table, vocabulary, mask_ratio, split))


def fixed_floor(table, vocabulary, mask_ratio):
    """The same when exactly floor(mask_ratio n + 1/2) of n words become [MASK], every such choice equally likely."""
    answers = {}
    for ids, p in sentences(table):
        words = np.flatnonzero(np.isin(ids, vocabulary.regular_ids))
        choices = list(combinations(words, int(mask_ratio * len(words) + 0.5)))
        for chosen in choices:
            seen = ids.copy()
            seen[list(chosen)] = vocabulary.mask_id
            for t in chosen:
                key = (tuple(seen.tolist()), int(t))
                answers.setdefault(key, np.zeros(len(vocabulary)))[ids[t]] += p / len(choices)
    return mean_entropy(answers)


def mean_entropy(answers):
    nats = count = 0.0
    for mass in answers.values():
        mass = mass[mass > 0]
        nats -= (mass * np.log(mass / mass.sum())).sum()
        count += mass.sum()
    return nats / count


def assert_exact_at_random_masks(language, table, n):
    """Posterior and marginal of n sentences with any pattern of hidden words agree with the table."""
    ids = random_masks(language, np.random.default_rng(0), n)
    mask = language.vocabulary.mask_id
    posterior, log_marginal = language.posterior(ids), language.log_marginal(ids)
    for b, row in enumerate(ids):
        np.testing.assert_allclose(np.exp(log_marginal[b]), marginal(table, row, mask), rtol=1e-12)
        for t, token in enumerate(row):
            want = joint(table, row, mask, [t]) if token == mask else np.eye(len(language.vocabulary))[token]
            np.testing.assert_allclose(posterior[b, t], want, atol=1e-13)


def assert_exact_joint(language, table, text, positions):
    """The joint distribution of the hidden positions of a sentence agrees with the table."""
    ids = language.encode(text)
    ids[positions] = language.vocabulary.mask_id
    want = joint(table, ids, language.vocabulary.mask_id, positions)
    np.testing.assert_allclose(language.joint(ids, positions), want, atol=1e-13)
