"""Chapter 14: joint predictions. What one pass can know, what turns can, and whether conditionals agree; the clinic.

Shapes: V, W, K, L words, T positions, m blanks, B sentences, C contexts, D numbers of a vector.
"""

import numpy as np

from mlm_mini.course.exercise import Case, Exercise, Twin

rng = np.random.default_rng


class Reader:
    """Stands in for a model: it knows a small language, given as a table, and is as inconsistent as models are.

    Words are 0 to V - 2, mask_id is V - 1; specials, where there are any, lie above. words: (T,) bool, the places of
    the words; at others it expects what it sees. A word that is visible pulls its own prediction towards itself.
    """

    def __init__(self, seed, words, V, evenness=0.5, logs=False, floor=0.0):
        self.words, self.V, self.logs, self.floor = np.asarray(words), V, logs, floor
        shape = (V - 1,) * int(self.words.sum())
        self.table = rng(seed).dirichlet(np.full(int(np.prod(shape)), evenness)).reshape(shape)
        self.calls = 0

    def __repr__(self):
        return f"a reader of sentences of {self.table.ndim} words"

    def __call__(self, ids):
        self.calls += 1
        if self.calls > 40:
            raise RuntimeError("asked more than 40 times: will there ever be an end?")
        ids = np.asarray(ids)
        if ids.shape[-1] != len(self.words):
            raise ValueError(f"a sentence of another length: {ids.shape[-1]} places, where {len(self.words)} belong")
        p = np.array([self._read(row) for row in ids]) if ids.ndim == 2 else self._read(ids)
        with np.errstate(divide="ignore"):
            return np.log(p) if self.logs else p

    def _read(self, ids):
        seen = ids[self.words]
        p = np.zeros((len(ids), max(self.V, ids.max() + 1)))
        p[np.arange(len(ids)), ids] = 1.0
        for axis, place in enumerate(np.flatnonzero(self.words)):
            others = [slice(None) if a == axis or word == self.V - 1 else word for a, word in enumerate(seen)]
            part = self.table[tuple(others)]
            kept = sum(word == self.V - 1 for word in seen[:axis])  # hidden axes before this one
            part = part.sum(axis=tuple(a for a in range(part.ndim) if a != kept)) ** (1 + 0.15 * axis) + self.floor
            p[place, : self.V - 1] = part / part.sum()
            p[place, self.V - 1] = self.floor
            if seen[axis] != self.V - 1:
                p[place] *= 0.7
                p[place, seen[axis]] += 0.3
        return p / p.sum(axis=1, keepdims=True)


ALL = np.ones(5, dtype=bool)

APART = Exercise(
    id="14.apart",
    title="What one pass can say of a pair",
    twin="mlm_mini.experiments.joint.measures:independent",
    minutes=6,
    cases=(
        Case("two words for each blank", (np.array([[0.4, 0.1], [0.2, 0.3]]),)),
        Case("two words, then three", (np.array([[0.3, 0.0, 0.1], [0.0, 0.5, 0.1]]),)),
        Case("pairs that exclude each other", (np.diag([0.5, 0.3, 0.2]),)),
        Case("many words", (rng(1).dirichlet(np.full(63, 0.3)).reshape(9, 7),)),
    ),
    habits=("unchanged joint",),
    helpers={"np": np},
    mistakes="""
    - one number for each word (raises): You multiply two rows of numbers place by place. For each pair of words there
      is to be one number: which axes of length 1 make a table of it?
          joint.sum(axis=1, keepdims=True) => joint.sum(axis=1)
          joint.sum(axis=0, keepdims=True) => joint.sum(axis=0)
    - the table lies on its side: Rows belong to the first word, columns to the second, as in the joint.
          first * second => (first * second).T
    - the largest entry, not the sum: How likely is a word, whatever the other one is? The likeliest pair is only one of
      its chances.
          first = joint.sum( => first = joint.max(
          second = joint.sum( => second = joint.max(
    - means, not sums: Your table does not sum to one. A word's chances with all others add up: they are not averaged.
          first = joint.sum( => first = joint.mean(
          second = joint.sum( => second = joint.mean(
    - the joint itself: That is what one pass cannot say: what goes with what. What does it know of each blank alone?
          first * second => joint.copy()
    - a conditional: Your rows or columns sum to one: that is a word given the other. One pass knows neither of them.
          first * second => joint / second
       or first * second => joint / first
    - the joint counts again: A pair that cannot be still has 0 in your table. What does the second blank know of the
      first, in one pass?
          first * second => first * joint
       or first * second => joint * second
    - added: Chances of two things together are not added.
          first * second => first + second
    - one blank alone: Every row, or every column, is the same in your table. Both blanks have a distribution.
          first * second => second + 0 * first
       or first * second => first + 0 * second
    - nothing is known: An even table. One pass knows much: how likely each word is in each blank.
          first * second => np.full(joint.shape, 1 / joint.size)
    """,
    hints="""
    - How likely is a word in the first blank, whatever the second one is? Add up along one axis.
    - The same for the second blank, along the other axis. Now there are two distributions.
    - A column times a row is a table: keep the axes that you sum over, with length 1.
    """,
)

THREE = rng(3).dirichlet(np.full(24, 0.4)).reshape(2, 3, 4)
PARITY = np.where(np.indices((2, 2, 2)).sum(axis=0) % 2 == 0, 0.25, 0.0)

TOTAL_CORRELATION = Exercise(
    id="14.total-correlation",
    title="What blanks know of each other",
    twin="mlm_mini.experiments.joint.measures:total_correlation",
    answers_in=("mlm_mini.experiments.joint.measures:table_entropy",),
    minutes=12,
    cases=(
        Case("two blanks", (np.array([[0.4, 0.1], [0.2, 0.3]]),)),
        Case("two blanks with impossible pairs", (np.array([[0.5, 0.0, 0.0], [0.0, 0.25, 0.25]]),)),
        Case("three blanks", (THREE,)),
        Case("three blanks of which each two know nothing of each other", (PARITY,)),
        Case("a single blank", (np.array([0.2, 0.8]),)),
        Case("four blanks", (rng(4).dirichlet(np.full(48, 0.5)).reshape(2, 3, 2, 4),)),
    ),
    habits=("unchanged joint",),
    mistakes="""
    - 0 log 0 is not a number: Zero times the logarithm of zero is NaN. Pairs that cannot be cost nothing.
          p[p > 0] => p + 0
    - a small number in the logarithm
          p = p[p > 0] => p = p + 1e-9
       or np.log(p) => np.log(p + 1e-8)
       or p[p > 0] => p + 0
          np.log(p) => np.log(p + 1e-8)
       or p[p > 0] => p + 0
          np.log(p) => np.log(p + 1e-9)
    - bits
          np.log( => np.log2(
    - the wrong way round: Yours is below 0. Alone, blanks cost more than together.
          sum(H(p) for p in marginals) - H(joint) => H(joint) - sum(H(p) for p in marginals)
    - what they cost together is left in: You add up what each costs alone. How much of that is too much?
          sum(H(p) for p in marginals) - H(joint) => sum(H(p) for p in marginals)
    - one axis is summed out, not all the others: Right for two blanks. Of three, you take the distributions of pairs:
      which axes have to go, so that a single blank is left?
          if j != i => if j == i
    - the first two blanks alone: Right for two blanks. How many has the array?
          for i in axes] => for i in list(axes)[:2]]
    - the first blank against the rest: You make two blanks of all: the first, and the others as one. What do the others
      know of each other?
          instead:
              pair = joint.reshape(len(joint), -1)
              both = pair[pair > 0]
              apart = (pair.sum(axis=1, keepdims=True) * pair.sum(axis=0))[pair > 0]
              return (both * np.log(both / apart)).sum()
    - the mean of the blanks: Each blank costs its own entropy, and they all have to be paid.
          sum(H(p) for p in marginals) => sum(H(p) for p in marginals) / joint.ndim
    - per blank: You share the nats out among the blanks. How much more do all of them cost together?
          return sum(H(p) for p in marginals) - H(joint)
          => return (sum(H(p) for p in marginals) - H(joint)) / joint.ndim
    - of neighbors alone: You add up what each blank and the next know of each other. In the parity of three there is
      nothing to be found in pairs.
          instead:
              def H(p):
                  p = p[p > 0]
                  return -(p * np.log(p)).sum()

              def to(*kept):
                  return H(joint.sum(axis=tuple(j for j in range(joint.ndim) if j not in kept)))

              return sum(to(i) + to(i + 1) - to(i, i + 1) for i in range(joint.ndim - 1)) + 0.0
    - with all the others in sight: You compare with what each blank costs when all others are visible. In one pass all
      of them are hidden.
          instead:
              def H(p):
                  p = p[p > 0]
                  return -(p * np.log(p)).sum()

              return H(joint) - sum(H(joint) - H(joint.sum(axis=i)) for i in range(joint.ndim))
    - the divergence the wrong way round: Where the joint has a zero yours is infinite. Which of the two is averaged
      over?
          instead:
              q = np.ones(())
              for i in range(joint.ndim):
                  q = q[..., None] * joint.sum(axis=tuple(j for j in range(joint.ndim) if j != i))
              return (q * (np.log(q) - np.log(joint)))[q > 0].sum()
    """,
    hints="""
    - An entropy takes any array that sums to one: leave out its zeros and add up -p log p of the rest.
    - The distribution of one blank: sum over all the other axes, which may be given as a tuple.
    - Add the entropies of all blanks, and take off that of the whole array.
    """,
)

CERTAIN_FIRST = Exercise(
    id="14.certain-first",
    title="The most certain first",
    answers_in=("mlm_mini.experiments.joint.filling:fill_blanks",),
    minutes=15,
    cases=(
        Case("one blank", (np.array([0, 3, 1]), 3, Reader(21, ALL[:3], 4))),
        Case("two blanks", (np.array([3, 1, 3]), 3, Reader(22, ALL[:3], 4))),
        Case("three blanks", (np.array([4, 4, 2, 4]), 4, Reader(23, ALL[:4], 5))),
        Case("nothing but blanks", (np.full(5, 4), 4, Reader(24, ALL, 5))),
        Case("nothing but blanks, no word impossible", (np.full(5, 3), 3, Reader(25, ALL, 4, 0.3, floor=1e-4))),
        Case("four blanks, five words", (np.full(4, 5), 5, Reader(201, ALL[:4], 6, 0.3))),
        Case("no blank", (np.array([0, 2, 1]), 3, Reader(26, ALL[:3], 4))),
    ),
    habits=("unchanged ids", "fresh"),
    mistakes="""
    - everything in one pass: You ask once, and what is written first changes nothing for the rest. When must the reader
      be asked again?
          instead:
              p = ask(ids)
              return np.where(ids == mask_id, p.argmax(axis=1), ids)
    - from left to right: Your next blank is the next in the sentence. Of which blank is the reader most certain?
          t = entropies.argmin() => t = (ids == mask_id).argmax()
    - from right to left: Your next blank is the last that is left. Of which blank is the reader most certain?
          t = entropies.argmin() => t = np.flatnonzero(ids == mask_id)[-1]
    - the least certain first: A high entropy means that the reader does not know.
          entropies.argmin() => np.where(ids == mask_id, entropies, -np.inf).argmax()
    - by the best guess: You go by the probability of the likeliest word. Which number takes all words into account?
          -(p * log_p).sum(axis=1) => -p.max(axis=1)
    - by the spread of the probabilities: A variance, or a sum of squares, grows with certainty as well, and yet puts
      some blanks in another order. The measure asked for takes the logarithm of each probability.
          -(p * log_p).sum(axis=1) => -p.var(axis=1)
    - visible words are chosen (raises): Of a word that it sees a reader is nearly certain, so that you write there
      again and again. Which positions may be chosen?
          np.where(ids == mask_id, -(p * log_p).sum(axis=1), np.inf) => -(p * log_p).sum(axis=1)
    - by the lead of the best guess: You go by how far the likeliest word lies before the next. Which number takes all
      words into account?
          -(p * log_p).sum(axis=1) => np.diff(np.sort(p, axis=1)[:, -2:])[:, 0] * -1
    - visible words are chosen, as often as there are blanks: Blanks are left at the end: a reader is nearly certain of
      a word that it sees, so that turns are spent on writing there. Which positions may be chosen?
          instead:
              blanks, ids = (ids == mask_id).sum(), ids.copy()
              for _ in range(blanks):
                  p = ask(ids)
                  log_p = np.log(p, where=p > 0, out=np.zeros_like(p))
                  t = (-(p * log_p).sum(axis=1)).argmin()
                  ids[t] = p[t].argmax()
              return ids
    - 0 log 0 is not a number: An impossible word gives NaN, and the smallest of NaN is the first of them. What does
      what is impossible add to an entropy?
          np.log(p, where=p > 0, out=np.zeros_like(p)) => np.log(p)
    - the caller's arrays are changed
          ids = ids.copy() => ids = ids
    - the likeliest word of any position: The word is to be the likeliest in that blank: which row of p is it from?
          p[t].argmax() => p.max(axis=0).argmax()
    - the order of the first pass: You keep the order that the first answers had. What is known changes with each word.
          instead:
              ids = ids.copy()
              p = ask(ids) if (ids == mask_id).any() else np.ones((len(ids), 1))
              log_p = np.log(p, where=p > 0, out=np.zeros_like(p))
              blanks = np.flatnonzero(ids == mask_id)
              for t in blanks[(-(p * log_p).sum(axis=1))[blanks].argsort(kind="stable")]:
                  ids[t] = ask(ids)[t].argmax()
              return ids
    """,
    hints="""
    - One blank in each turn: ask, find the blank with the lowest entropy, write its likeliest word, ask again.
    - Visible positions must never win: which entropy could be written in for them?
    - Where a probability is 0, its term p log p is 0: np.log takes `where=` and `out=`. Give visible positions an
      infinite entropy, and take the argmin.
    """,
)

TABLE = rng(5).dirichlet(np.full(30, 0.4)).reshape(2, 3, 5)
RARE = rng(6).gamma(0.2, size=(4, 3, 40)) * np.linspace(0.01, 1, 40)
RARE /= RARE.sum()
CHAIN = np.array([[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.5]]])

INFORMATION_GIVEN = Exercise(
    id="14.information-given",
    title="Information, given the rest",
    twin=Twin(
        "mlm_mini.experiments.joint.measures:conditional_information", lambda found, table: found(table, 0, 1, [2])
    ),
    answers_in=("mlm_mini.experiments.joint.measures:total_correlation",),
    minutes=12,
    cases=(
        Case("one context", (np.array([[[0.4], [0.1]], [[0.2], [0.3]]]),)),
        Case("two contexts that settle everything", (CHAIN,)),
        Case("pairs know nothing, given the third everything", (PARITY,)),
        Case("five contexts", (TABLE,)),
        Case("forty contexts, some rare", (RARE,)),
    ),
    habits=("unchanged table",),
    mistakes="""
    - 0 log 0 is not a number: Zero times the logarithm of zero is NaN. What cannot be adds nothing.
          p[p > 0] => p + 0
    - a small number in the logarithm
          p = p[p > 0] => p = p + 1e-9
       or np.log(p) => np.log(p + 1e-8)
       or p[p > 0] => p + 0
          np.log(p) => np.log(p + 1e-8)
       or p[p > 0] => p + 0
          np.log(p) => np.log(p + 1e-9)
       or p[p > 0] => p + 0
          np.log(p) => np.log(p + 1e-10)
    - bits
          np.log( => np.log2(
    - what is visible is forgotten: You add up the contexts first. Two words may go together only because both go with a
      third one, which is visible.
          H(table.sum(axis=1)) + H(table.sum(axis=0)) - H(table) - H(table.sum(axis=(0, 1)))
          => H(table.sum(axis=(1, 2))) + H(table.sum(axis=(0, 2))) - H(table.sum(axis=2))
    - every context counts the same: A context that hardly ever comes counts as much as any. What weighs each of them?
          instead:
              def H(p):
                  p = p[p > 0]
                  return -(p * np.log(p)).sum()

              contexts = [table[:, :, z] / table[:, :, z].sum() for z in range(table.shape[2])]
              return np.mean([H(p.sum(axis=1)) + H(p.sum(axis=0)) - H(p) for p in contexts])
    - contexts without weights are added up: With twice as many contexts yours is twice as large. Each comes with a
      probability.
          instead:
              def H(p):
                  p = p[p > 0]
                  return -(p * np.log(p)).sum()

              contexts = [table[:, :, z] / table[:, :, z].sum() for z in range(table.shape[2])]
              return sum(H(p.sum(axis=1)) + H(p.sum(axis=0)) - H(p) for p in contexts)
    - what the context itself costs is left in: The context stands in both of the sums of two. How often has it to be
      taken off, and how often was it?
          - H(table.sum(axis=(0, 1))) =>
    - the context is added: Its entropy is counted in both sums of two: take it off, do not add it again.
          - H(table.sum(axis=(0, 1))) => + H(table.sum(axis=(0, 1)))
    - given the second blank: You take the second blank for what is visible. Which axis is the context?
          H(table.sum(axis=1)) => H(table.sum(axis=2))
          H(table.sum(axis=(0, 1))) => H(table.sum(axis=(0, 2)))
    - given the first blank: You take the first blank for what is visible. Which axis is the context?
          H(table.sum(axis=0)) => H(table.sum(axis=2))
          H(table.sum(axis=(0, 1))) => H(table.sum(axis=(1, 2)))
    - the wrong way round: Yours is below 0. To know the other blank can only help.
          return H(table.sum(axis=1)) + H(table.sum(axis=0)) - H(table) - H(table.sum(axis=(0, 1)))
          => return H(table) + H(table.sum(axis=(0, 1))) - H(table.sum(axis=1)) - H(table.sum(axis=0))
    - what remains unknown: That is what the first blank costs once the context is known. How much of it does the second
      blank settle?
          H(table.sum(axis=1)) + H(table.sum(axis=0)) - H(table) - H(table.sum(axis=(0, 1)))
          => H(table.sum(axis=1)) - H(table.sum(axis=(0, 1)))
    - three things against each other: You measure what all three know of each other. Context is given here: what it
      tells of a blank does not count.
          H(table.sum(axis=1)) + H(table.sum(axis=0)) - H(table) - H(table.sum(axis=(0, 1)))
          => H(table.sum(axis=(1, 2))) + H(table.sum(axis=(0, 2))) + H(table.sum(axis=(0, 1))) - H(table)
    """,
    hints="""
    - Each entropy in the formula is that of some of the three axes: the others are summed out.
    - H(X, Z) is that of the table without its second axis, H(Y, Z) of that without its first. Before the logarithm,
      entries that are 0 are left out: they cost nothing.
    - H(Z) is what is left when both blanks are summed out: give both axes as a tuple.
    """,
)


def tables(seed, K, L, apart=True):
    """Two sets of conditionals: of two different joints, or of one."""
    joint = rng(seed).dirichlet(np.full(K * L, 0.8)).reshape(K, L) + 1e-3
    other = rng(seed + 1).dirichlet(np.full(K * L, 0.8)).reshape(K, L) + 1e-3 if apart else joint
    return joint / joint.sum(axis=0), other / other.sum(axis=1, keepdims=True)


ODDS_GAP = Exercise(
    id="14.odds-gap",
    title="Do two answers fit together?",
    minutes=12,
    cases=(
        Case("two words each", (*tables(31, 2, 2), (0, 0), (1, 1))),
        Case("three words, then four", (*tables(33, 3, 4), (0, 3), (2, 1))),
        Case("four words, then three", (*tables(35, 4, 3), (3, 0), (1, 2))),
        Case("conditionals of one joint", (*tables(37, 3, 3, apart=False), (2, 0), (0, 1))),
        Case("the same second word twice", (*tables(38, 3, 3), (2, 1), (0, 1))),
        Case("many words", (*tables(40, 12, 9), (11, 2), (4, 8))),
    ),
    habits=("unchanged first_given_second", "unchanged second_given_first"),
    atol=1e-9,
    mistakes="""
    - bits
          np.log(first_given_second), np.log(second_given_first)
          => np.log2(first_given_second), np.log2(second_given_first)
    - one set of conditionals alone: That is a log odds ratio, and it may be anything. With which other one should it
      agree?
          - (q[a, b] + q[c, d] - q[a, d] - q[c, b]) =>
       or (p[a, b] + p[c, d] - p[c, b] - p[a, d]) - => -
    - the two are added: For conditionals of one joint you do not get 0. How do two numbers show that they agree?
          - (q[a, b] => + (q[a, b]
    - the wrong way round: Your sign is turned: the ratio from p(first | second) comes first.
          (p[a, b] + p[c, d] - p[c, b] - p[a, d]) - (q[a, b] + q[c, d] - q[a, d] - q[c, b])
          => (q[a, b] + q[c, d] - q[a, d] - q[c, b]) - (p[a, b] + p[c, d] - p[c, b] - p[a, d])
    - odds, not their ratio: You compare two words with one other word in sight. What cancels only with a second one?
          p[a, b] + p[c, d] - p[c, b] - p[a, d] => p[a, b] - p[c, b]
          q[a, b] + q[c, d] - q[a, d] - q[c, b] => q[a, b] - q[a, d]
    - two of the four words: You compare the two pairs as such. Which words have to change places for the odds?
          p[a, b] + p[c, d] - p[c, b] - p[a, d] => p[a, b] - p[c, d]
          q[a, b] + q[c, d] - q[a, d] - q[c, b] => q[a, b] - q[c, d]
    - no logarithms: You add and subtract probabilities. A ratio becomes a difference only on the log.
          np.log(first_given_second), np.log(second_given_first) => first_given_second, second_given_first
    - ratios, not their logarithms: Both are ratios of products. What is asked is the difference of their logarithms.
          instead:
              (a, b), (c, d) = one, other
              p, q = first_given_second, second_given_first
              return p[a, b] * p[c, d] / (p[c, b] * p[a, d]) - q[a, b] * q[c, d] / (q[a, d] * q[c, b])
    - the second table turned round (raises): Both tables have the first word along the first axis, whichever is given.
          q[a, b] + q[c, d] - q[a, d] - q[c, b] => q[b, a] + q[d, c] - q[d, a] - q[b, c]
    - the sign is lost: Two sets of conditionals may differ in either direction. Here the sign is asked for.
          return (p[a, b] + p[c, d] - p[c, b] - p[a, d]) - (q[a, b] + q[c, d] - q[a, d] - q[c, b])
          => return abs((p[a, b] + p[c, d] - p[c, b] - p[a, d]) - (q[a, b] + q[c, d] - q[a, d] - q[c, b]))
    - first words and second words are mixed up (raises): A pair holds a first and a second word, not two first ones.
          (a, b), (c, d) = one, other => (a, c), (b, d) = one, other
    - a wrong sign: Of the four logarithms two are added and two taken off.
          p[a, b] + p[c, d] - p[c, b] - p[a, d] => p[a, b] + p[c, d] - p[c, b] + p[a, d]
       or q[a, b] + q[c, d] - q[a, d] - q[c, b] => q[a, b] + q[c, d] - q[a, d] + q[c, b]
    """,
    hints="""
    - On the log a quotient of products is two logarithms less two others.
    - The pairs as they are given stand above the line, those with the second words exchanged below it.
    - Both tables have the same four places. Take the second sum off the first.
    """,
)

GIBBS = Exercise(
    id="14.gibbs",
    title="Where Gibbs sampling ends up",
    answers_in=("mlm_mini.experiments.joint.conditionals:gibbs_law",),
    minutes=12,
    cases=(
        Case("no round", (*tables(50, 2, 3), 0)),
        Case("one round, two words each", (*tables(51, 2, 2), 1)),
        Case("one round, three words, then two", (*tables(53, 3, 2), 1)),
        Case("three rounds", (*tables(55, 3, 4), 3)),
        Case("two rounds with conditionals of one joint", (*tables(57, 4, 4, apart=False), 2)),
        Case("seven rounds, five words each", (*tables(59, 5, 5), 7)),
    ),
    habits=("unchanged first_given_second", "unchanged second_given_first"),
    mistakes="""
    - one of the two, by lot: In your round one word is drawn anew, each half of the time. Here both are, one after the
      other.
          instead:
              law = np.full(first_given_second.shape, 1 / first_given_second.size)
              for _ in range(rounds):
                  first = first_given_second * law.sum(axis=0, keepdims=True)
                  law = (first + second_given_first * law.sum(axis=1, keepdims=True)) / 2
              return law
    - the second word comes first: Where the tables do not agree, the order of a round matters. Which word is drawn
      first?
          instead:
              law = np.full(first_given_second.shape, 1 / first_given_second.size)
              for _ in range(rounds):
                  law = second_given_first * law.sum(axis=1, keepdims=True)
                  law = first_given_second * law.sum(axis=0, keepdims=True)
              return law
    - the first words stay even: Your first words stay as even as they began. When the first word is drawn anew, of
      which word must the distribution be kept? And is it drawn at all?
          law.sum(axis=0, keepdims=True) => law.sum(axis=1, keepdims=True)
          law.sum(axis=1, keepdims=True) => law.sum(axis=0, keepdims=True)
       or law = first_given_second * law.sum(axis=0, keepdims=True) => pass
    - nothing is forgotten: You multiply by the conditional without taking the old word out. What is left of the law
      when the first word is hidden?
          law.sum(axis=0, keepdims=True) => law
          law.sum(axis=1, keepdims=True) => law
    - the sum has lost its axis (raises): One number for each row has to meet the rows. What keeps an axis of length 1?
          law.sum(axis=1, keepdims=True) => law.sum(axis=1)
    - the second word is never drawn anew: Your rows do not follow the second table: half of the round is missing.
          law = second_given_first * law.sum(axis=1, keepdims=True) => pass
    - a round too few: You stop before the last round.
          range(rounds) => range(rounds - 1)
    - a round too many: With no rounds at all the law is still the even one.
          range(rounds) => range(rounds + 1)
    - the end of all rounds: That is where the law settles. Here it is asked after a number of rounds.
          range(rounds) => range(500)
    - the start does not sum to one: A law is shared out among all pairs, so that its entries sum to one.
          1 / first_given_second.size => 1 / len(first_given_second)
       or 1 / first_given_second.size => 1 / first_given_second.shape[1]
       or 1 / first_given_second.size => 1.0
    - the caller's arrays are changed
          law = first_given_second * law.sum(axis=0, keepdims=True)
          => first_given_second *= law.sum(axis=0, keepdims=True); law = first_given_second
       or law = first_given_second * law.sum(axis=0, keepdims=True)
          => first_given_second *= law.sum(axis=0, keepdims=True); law = first_given_second
          law = second_given_first * law.sum(axis=1, keepdims=True)
          => second_given_first *= law.sum(axis=1, keepdims=True); law = second_given_first
    - the second draw knows the old first word: When the second word is drawn, the first has been drawn anew already.
          instead:
              law = np.full(first_given_second.shape, 1 / first_given_second.size)
              for _ in range(rounds):
                  first = (first_given_second * law.sum(axis=0, keepdims=True)).sum(axis=1, keepdims=True)
                  second = (second_given_first * law.sum(axis=1, keepdims=True)).sum(axis=0, keepdims=True)
                  law = first * second
              return law
    """,
    hints="""
    - Begin with an even table of the same shape, which sums to one.
    - To hide the first word is to sum over it: one number is left for each second word. Then put in the conditional.
    - The same for the second word, with the other axis and the other table. That was one round.
    """,
)

HIDDEN_PIECES = Exercise(
    id="14.hidden-pieces",
    title="A word of several pieces",
    minutes=10,
    cases=(
        Case("a word of two pieces", (np.array([-1, 0, 0, -1]),)),
        Case("a word of three pieces between others", (np.array([-1, 0, 1, 1, 1, 2, -1]),)),
        Case("numbers that fall", (np.array([-1, 7, 7, 3, 0, 0, 0, -1]),)),
        Case("padding on either side", (np.array([-1, -1, 2, 2, 5, -1, -1, -1]),)),
        Case("nothing but special tokens", (np.array([-1, -1, -1]),)),
    ),
    habits=("unchanged words", "left padding words"),
    helpers={"np": np},
    mistakes="""
    - only the piece itself: So the end of the word is in sight while its beginning is scored, and gives it away.
          place[None, :] >= place[:, None] => place[None, :] == place[:, None]
    - the whole word: While the last piece is scored, its beginning is hidden too. Then the pieces do not pay together
      what the word pays: which pieces has a reader from the left seen already?
          same_word & not_earlier & => same_word &
    - all that follows is hidden: You hide the rest of the sentence. To which word do the later pieces have to belong?
          same_word & not_earlier & => not_earlier &
       or same_word & not_earlier & => not_earlier & (words[None, :] >= 0) &
    - the earlier pieces: You hide what comes before the piece and leave in sight what comes after it. Rows are what is
      scored, columns what is hidden.
          place[None, :] >= place[:, None] => place[None, :] <= place[:, None]
       or place[None, :] >= place[:, None] => place[:, None] >= place[None, :]
    - the piece itself is in sight: What is scored must be hidden, or it is copied.
          place[None, :] >= place[:, None] => place[None, :] > place[:, None]
    - special tokens are scored: Special tokens all have the number -1, but they are no word.
          & (words[:, None] >= 0) =>
    - the first word is taken for a special token: Words are counted from 0.
          (words[:, None] >= 0) => (words[:, None] > 0)
    - visible and hidden are exchanged: True is to stand where something is hidden.
          same_word & not_earlier & (words[:, None] >= 0) => ~(same_word & not_earlier & (words[:, None] >= 0))
    - the next piece alone: A word may have more than two pieces. How far does it go on?
          place[None, :] >= place[:, None]
          => (place[None, :] >= place[:, None]) & (place[None, :] <= place[:, None] + 1)
    """,
    hints="""
    - Compare all pieces with all pieces: a column of numbers with a row of numbers gives a table of truth values.
    - Two such tables: of the same word, and not earlier in the sentence. Both have to be true.
    - Special tokens share the number -1 and would seem to be one word: leave their rows out.
    """,
)


def words_in_space(seed, V, D):
    """Vectors of very different lengths: some words are frequent."""
    return rng(seed).normal(size=(V, D)) * rng(seed + 1).gamma(0.7, 2.0, size=(V, 1)) + 0.3


NEIGHBORS = Exercise(
    id="14.clinic-neighbors",
    title="Bug clinic: always the same neighbors",
    minutes=8,
    cases=(
        Case("three words in a plane", (np.array([[1.0, 0.0], [5.0, 4.0], [0.9, 0.3]]), 0, 1)),
        Case("a word that points the other way", (np.array([[1.0, 0.2], [-1.0, -0.21], [0.1, 1.0], [0.5, 0.5]]), 0, 2)),
        Case("twelve words", (words_in_space(70, 12, 4), 5, 3)),
        Case("a rare word among forty", (words_in_space(72, 40, 6), 17, 8)),
        Case("all the others", (words_in_space(74, 9, 5), 0, 8)),
    ),
    habits=("unchanged vectors",),
    helpers={"np": np},
    mistakes="""
    - long vectors win, and the word itself: A dot product grows with the length of a vector, and frequent words have
      long ones. And who is always nearest to a word?
          instead:
              scores = vectors @ vectors[word]
              return np.argsort(-scores)[:n]
    - long vectors win: A dot product grows with the length of a vector. What does a cosine divide by?
          unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) => unit = vectors
       or np.linalg.norm(vectors, axis=1, keepdims=True) => np.linalg.norm(vectors)
    - the word is its own neighbor: In first place stands the word that was asked about.
          scores[word] = -np.inf => pass
    - numbers slip by one: You take the word out of the list, and all behind it move up by one place. Whose numbers are
      those that you return?
          scores[word] = -np.inf => scores = np.delete(scores, word)
    - the longest is dropped, not the word: The first of a ranking by dot products need not be the word itself. Which
      ranking has it in first place for certain?
          instead:
              return np.argsort(-(vectors @ vectors[word]))[1 : n + 1]
    - the farthest: You sort from below. In which order does argsort put its numbers?
          np.argsort(-scores)[:n] => np.argsort(scores)[1 : n + 1]
    - the nearest come last: The right words, in the wrong order: the nearest first.
          [:n] => [:n][::-1]
    - lengths of coordinates: You divide each coordinate by its length over all words. Of what has a vector one length?
          axis=1, keepdims=True => axis=0, keepdims=True
    - distances: Near in space is not near in direction: a long vector is far from a short one that points the same way.
          scores = unit @ unit[word] => scores = -np.linalg.norm(vectors - vectors[word], axis=1)
    - the sign is lost: A cosine near -1 is not near: that word points the other way.
          unit @ unit[word] => np.abs(unit @ unit[word])
    - one neighbor too few: How many were asked for, beside the word itself?
          [:n] => [: n - 1]
    - scores, not words: You return the cosines. Which words have them?
          np.argsort(-scores)[:n] => np.sort(scores)[::-1][:n]
    """,
    hints="""
    - Take two vectors in the same direction, the one ten times as long as the other. Which wins by dot product?
    - A cosine is a dot product of vectors of length 1: divide each row by its own length first.
    - The word itself has cosine 1. Give it a score with which it cannot win.
    """,
)

SPLIT = Exercise(
    id="14.clinic-split",
    title="Bug clinic: tested on what was learned",
    minutes=8,
    cases=(
        Case("two words", (np.array([4, 9, 4, 9, 4, 9, 4]),)),
        Case("seven words in order", (np.arange(7),)),
        Case("words with gaps between their numbers", (np.array([300, 20, 71, 20, 5, 300, 44, 71, 12, 900, 5]),)),
        Case("two hundred tokens", (rng(80).integers(0, 40, 200) * 3 + 2,)),
        Case("large numbers", (rng(81).integers(30_000, 70_000, 30),)),
    ),
    habits=("unchanged words", "any order words"),
    helpers={"np": np},
    mistakes="""
    - tokens are held out, not words: The same words stand on both sides, so that a table of words is enough to be
      right. What has to be new to a probe that is tested?
          instead:
              return np.arange(len(words)) % 5 == 0
    - by the number of a word: Numbers of words have gaps. You are to count the words that occur.
          number % 5 == 0 => words % 5 == 0
    - in the order in which they come: You count words as they first appear. They are to be counted in order of their
      numbers.
          instead:
              order = {word: i for i, word in enumerate(dict.fromkeys(words.tolist()))}
              return np.array([order[word] % 5 == 0 for word in words.tolist()])
    - words of every fifth token: You take the word of every fifth token. Of the words that occur, each once and in
      order of their numbers, every fifth is asked for.
          number % 5 == 0 => np.isin(words, words[::5])
    - the training tokens: True is to stand at the tokens for testing.
          == 0 => != 0
    - the first word is not held out: Which remainder has the first word, when counting starts at 0?
          == 0 => == 1
       or == 0 => == 4
    - every fourth: One in five is to be held out.
          % 5 => % 4
    - the first fifth: You hold out the words with the lowest numbers, all in a row. Every fifth is asked for.
          number % 5 == 0 => number < (number.max() + 5) // 5
    - the words, not the tokens: You name the words that are held out. At which tokens do they stand?
          number % 5 == 0 => np.unique(words)[::5]
       or number % 5 == 0 => np.arange(number.max() + 1) % 5 == 0
    - one token of each word: A word that is tested must not occur in training at all, not even once.
          instead:
              kinds, first, number = np.unique(words, return_index=True, return_inverse=True)
              return np.isin(np.arange(len(words)), first) & (number % 5 == 0)
    """,
    hints="""
    - What would a probe do that has learned nothing but a list of words, each with its label?
    - Every token gets the place of its word in the sorted list of words that occur: np.unique can say it.
    - Of these places, those that can be divided by five are held out.
    """,
)

SWEEP = Exercise(
    id="14.clinic-sweep",
    title="Bug clinic: a sampler that stands still",
    answers_in=("mlm_mini.experiments.joint.filling:gibbs_sweeps",),
    minutes=10,
    cases=(
        Case("one place", (np.array([0, 1, 1]), np.array([1]), 3, Reader(91, ALL[:3], 4))),
        Case("two places", (np.array([2, 0, 1]), np.array([0, 2]), 3, Reader(92, ALL[:3], 4))),
        Case("three places in no order", (np.array([3, 0, 1, 2]), np.array([2, 0, 3]), 4, Reader(93, ALL[:4], 5))),
        Case("all five places", (np.array([0, 1, 2, 3, 0]), np.arange(5), 4, Reader(94, ALL, 5))),
        Case("all five, from the right", (np.array([1, 3, 0, 2, 2]), np.arange(5)[::-1].copy(), 4, Reader(95, ALL, 5))),
        Case("four others", (np.array([2, 2, 0, 1, 0]), np.array([1, 4, 0, 2]), 3, Reader(97, ALL, 4))),
        Case("no place", (np.array([0, 1, 1]), np.array([], dtype=np.int64), 3, Reader(96, ALL[:3], 4))),
    ),
    habits=("unchanged ids", "unchanged places", "fresh"),
    helpers={"np": np},
    mistakes="""
    - asked once, and nothing is hidden: The reader sees the words that it is to choose, so that it keeps them; and at
      the second place it has not heard what became of the first.
          instead:
              ids = ids.copy()
              p = ask(ids)
              ids[places] = p[places].argmax(axis=1)
              return ids
    - nothing is hidden: A reader that sees a word expects that word. What must stand at the place that is asked for?
          ids[t] = mask_id => pass
    - all at once: You hide all places and ask once. That is one pass, in which no place knows of another.
          instead:
              ids = ids.copy()
              ids[places] = mask_id
              p = ask(ids)
              ids[places] = p[places].argmax(axis=1)
              return ids
    - the others are as they were before the sweep: Each place is asked with the old words at all others. By the second
      place the first has changed.
          instead:
              swept = ids.copy()
              for t in places:
                  hidden = ids.copy()
                  hidden[t] = mask_id
                  swept[t] = ask(hidden)[t].argmax()
              return swept
    - all are hidden first: You hide all places and then fill them: the first knows nothing of the others' words. One
      place is hidden at a time.
          instead:
              ids = ids.copy()
              ids[places] = mask_id
              for t in places:
                  ids[t] = ask(ids)[t].argmax()
              return ids
    - places that are done stay hidden: By the second place the first is still [MASK] for the reader. Which word should
      it see there?
          instead:
              swept, hidden = ids.copy(), ids.copy()
              for t in places:
                  hidden[t] = mask_id
                  swept[t] = ask(hidden)[t].argmax()
              return swept
    - another order: Places come in the order in which they are given.
          in places => in places[::-1]
       or in places => in np.sort(places)
    - the caller's arrays are changed
          ids = ids.copy() => ids = ids
    - every place of the sentence: You change words that were not to be changed.
          in places => in range(len(ids))
    - two sweeps: Once round is asked for.
          for t in places => for t in [*places, *places]
    """,
    hints="""
    - Let the reader show what it says at a visible place. Whose word is that?
    - Go through the places in a loop: hide one, ask, write, and only then hide the next.
    - Three lines in a loop over places: write mask_id, call `ask` anew, write the argmax of row t. A copy of ids first.
    """,
)

NOTHING = np.array([], dtype=np.int64)

CANDIDATES = Exercise(
    id="14.clinic-candidates",
    title="Bug clinic: names of several pieces",
    minutes=10,
    cases=(
        Case("one piece", (np.array([0]), np.array([2]), np.array([1]), 3, Reader(101, ALL[:3], 4, 2.0, logs=True))),
        Case(
            "two pieces", (np.array([1]), np.array([0, 2]), np.array([2]), 3, Reader(102, ALL[:4], 4, 2.0, logs=True))
        ),
        Case(
            "the same piece twice, nothing after",
            (np.array([1, 0]), np.array([2, 2]), NOTHING, 3, Reader(103, ALL[:4], 4, 2.0, logs=True)),
        ),
        Case(
            "three pieces, nothing before",
            (NOTHING, np.array([0, 3, 1]), np.array([2]), 4, Reader(104, ALL[:4], 5, 2.0, logs=True)),
        ),
        Case("four pieces", (np.array([1]), np.array([2, 0, 0, 1]), NOTHING, 3, Reader(105, ALL, 4, 2.0, logs=True))),
    ),
    habits=("unchanged before", "unchanged pieces", "unchanged after"),
    helpers={"np": np},
    mistakes="""
    - one pass, and the mean: In one pass no piece knows which of the others was chosen, so that any beginning goes with
      any end; and a mean lets a long name pay for one piece only.
          instead:
              ids = np.concatenate([before, np.full(len(pieces), mask_id), after])
              place = len(before) + np.arange(len(pieces))
              return ask(ids)[place, pieces].mean()
    - one pass: No piece knows which of the others was chosen. What should stand in the first place when the second is
      asked for?
          ids[t] = piece => pass
    - the mean of the pieces: A name is as likely as all its pieces together. What does a mean do to a long name?
          return nats => return nats / len(pieces)
    - the first piece alone: Many names begin alike. What do the other pieces say?
          enumerate(pieces, => enumerate(pieces[:1],
    - the other pieces are in sight: Who sees the end of a name can tell its beginning. What may be in sight when the
      first piece is asked for?
          instead:
              whole = np.concatenate([before, pieces, after])
              nats = 0.0
              for t, piece in enumerate(pieces, start=len(before)):
                  ids = whole.copy()
                  ids[t] = mask_id
                  nats += ask(ids)[t, piece]
              return nats
    - from right to left: A model's answers need not fit together, so that the order matters. Where does a name begin?
          instead:
              ids = np.concatenate([before, np.full(len(pieces), mask_id), after])
              nats = 0.0
              for i in reversed(range(len(pieces))):
                  nats += ask(ids)[len(before) + i, pieces[i]]
                  ids[len(before) + i] = pieces[i]
              return nats
    - a probability: The logarithm is asked for.
          return nats => return np.exp(nats)
    - counted from the beginning of the sentence: The name does not begin at place 0, unless nothing stands before it.
          start=len(before) => start=0
    - what follows is left out (raises): The words behind the gap are cut off, or the sentence is one of another length.
          np.concatenate([before, np.full(len(pieces), mask_id), after])
          => np.concatenate([before, np.full(len(pieces), mask_id)])
    - a single blank for the whole name (raises): Your gap shrinks to one blank behind the pieces that are written. The
      reader is asked about a name of another length: how many blanks has the gap while its first piece is asked for?
          instead:
              nats = 0.0
              for k, piece in enumerate(pieces):
                  ids = np.concatenate([before, pieces[:k], [mask_id], after]).astype(int)
                  nats += ask(ids)[len(before) + k, piece]
              return nats
    - the likeliest piece is carried on: You write what the reader likes best and go on from there. Whose name is to be
      scored?
          ids[t] = piece => ids[t] = ask(ids)[t].argmax()
    - bits
          return nats => return nats / np.log(2)
    - the piece is written before it is asked for: Then the reader sees the piece that it should guess.
          nats += ask(ids)[t, piece] => ids[t] = piece; nats += ask(ids)[t, piece]
    """,
    hints="""
    - Ask for New with a blank behind it, and for Francisco with a blank before it. Are both good answers?
    - Write each piece into its place as soon as it is scored, and ask again for the next.
    - The logarithms of all pieces are added up: that is the chain rule.
    """,
)

EXERCISES = (
    APART,
    TOTAL_CORRELATION,
    CERTAIN_FIRST,
    INFORMATION_GIVEN,
    ODDS_GAP,
    GIBBS,
    HIDDEN_PIECES,
    NEIGHBORS,
    SPLIT,
    SWEEP,
    CANDIDATES,
)
