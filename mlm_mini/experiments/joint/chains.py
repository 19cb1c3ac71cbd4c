"""Three small languages as whole tables: every sentence with its probability, so that nothing has to be believed.

first order     p(x_t | x_t-1)
second order    p(x_t | x_t-2, x_t-1)
hidden Markov   states z make a first-order chain that nobody sees; p(x_t | z_t)

Shape letters: K words (or states), n words of a sentence; a table is (K,)*n.
"""

import numpy as np

from mlm_mini.experiments.joint.measures import conditional_information

FIRST_ORDER, SECOND_ORDER, HIDDEN_MARKOV = "first-order chain", "second-order chain", "hidden Markov model"


def first_order(initial: np.ndarray, step: np.ndarray, n: int) -> np.ndarray:
    """initial: (K,); step: (K, K), row i is p(next | i)."""
    table = initial
    for _ in range(n - 1):
        table = table[..., None] * step
    return table


def second_order(initial: np.ndarray, step: np.ndarray, n: int) -> np.ndarray:
    """initial: (K, K) of the first two words; step: (K, K, K), step[i, j] is p(next | i, j)."""
    table = initial
    for _ in range(n - 2):
        table = table[..., None] * step
    return table


def hidden_markov(initial: np.ndarray, step: np.ndarray, emission: np.ndarray, n: int) -> np.ndarray:
    """initial: (Z,), step: (Z, Z) of the states; emission: (Z, K), row z is p(word | state z)."""
    message = initial[:, None] * emission  # p(state, words so far): (Z, K, ..., K)
    for _ in range(n - 1):
        moved = np.tensordot(step, message, axes=(0, 0))  # the next state, words so far
        message = moved[..., None] * emission.reshape(len(emission), *[1] * (message.ndim - 1), -1)
    return message.sum(axis=0)


def small_languages(K: int = 3, n: int = 8, seed: int = 1400, evenness: float = 0.5) -> dict[str, np.ndarray]:
    """One table (K,)*n of each kind; evenness: of the Dirichlet draws. The chains are mixed with 5% of an even draw, so
    that every sentence is possible."""
    rng = np.random.default_rng(seed)

    def rows(*shape: int) -> np.ndarray:
        return 0.95 * rng.dirichlet(np.full(K, evenness), shape) + 0.05 / K

    return {
        FIRST_ORDER: first_order(rows()[None][0], rows(K), n),
        SECOND_ORDER: second_order(rows(K) / K, rows(K, K), n),
        HIDDEN_MARKOV: hidden_markov(rows()[None][0], 0.8 * np.eye(K) + 0.2 * rows(K), rows(K), n),
    }


def information_by_distance(table: np.ndarray, first: int = 1, margin: int = 1) -> np.ndarray:
    """I(X_first; X_first+d | all other words) for d = 1, 2 ... up to `margin` words before the end: (D,) nats.

    Two blanks d apart, and everything else of the sentence visible, averaged over sentences.
    """
    last = table.ndim - margin
    return np.array([_two_blanks(table, first, j) for j in range(first + 1, last)])


def _two_blanks(table: np.ndarray, i: int, j: int) -> float:
    others = [t for t in range(table.ndim) if t not in (i, j)]
    return max(0.0, conditional_information(table, i, j, others))  # rounding leaves -1e-16
