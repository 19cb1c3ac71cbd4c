# ---
# jupyter:
#   course:
#     title: Fill in the blanks
#     question: Where do the labels come from?
#     minutes: 60
#     prerequisites: Python lists and dicts; what a logarithm is
# ---

# %% [markdown] id="title"
# # 00 · Fill in the blanks
#
# **Where do the labels come from?**
#
# Hide a word of a sentence, and the sentence has become a question whose answer you hold in your hand. Masked language
# models learn from nothing else. In this chapter you make such questions from plain text, play the game yourself beside
# a trained model and beside a player that nobody can beat, and see how far one gets by counting words.
#
# You will be able to
#
# - turn a sentence into pairs of an input and a label, with one blank or with several;
# - state a guess as a probability distribution, and score it in nats;
# - say what a player must know to score better, and how far from perfect it still is.
#
# *60 minutes. Prerequisites: Python lists and dicts; what a logarithm is. On a machine with a GPU nothing changes: most of
# this is counting, and the one model here is so small that it is trained on the CPU.*

# %% [markdown] id="how-it-works"
# **How a chapter works.** Run the cells from top to bottom. A cell that begins with `# exercise:` is yours: replace its
# `raise` line with your code. The cell below it checks your answer on several inputs and, if it is not right yet, says
# what is wrong. `hint("00.one-pair")` in a new cell gives one step of help at a time, and `failing("00.one-pair")`
# hands you the smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s
# versions, so they work whether or not yours do. Go on with Shift+Enter; *Run All Cells* stops at the first exercise
# that is not solved.
#
# Now and then you will meet *the article this course grew from*: a popular introduction to masked language modeling. The
# chapters measure what it claims.

# %% id="setup"
import math

import numpy as np

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import cloze

# %% [markdown] id="why-pairs"
# ## 1 · A sentence is a question and its answer
#
# In 1953 Wilson Taylor measured how readable a text was by deleting words and counting how many of them readers could
# restore. He called it the *cloze procedure*, after *closure*, our way of seeing a broken circle as a whole one. Seventy
# years later it teaches machines. To learn to name the animal in a photograph, a machine needs photographs that someone
# has labeled. To learn to fill in a blank it needs text, because the label was in the sentence all along:
#
# $$\begin{array}{rl}
# \text{sentence} & \text{the quick brown fox jumps over the lazy dog}\\
# \text{input} & \text{the quick brown fox [MASK] over the lazy dog}\\
# \text{label} & \text{jumps}
# \end{array}$$

# %% id="ex-one-pair"
# exercise: 00.one-pair
def one_pair(words, index):
    """One training pair from one sentence.

    words: list of n strings, left as it is; index: the place to hide, 0 to n - 1.
    Returns (input_words, label): a list of n strings with "[MASK]" at `index`, and
    the word that stood there.
    """
    # Where to start: with a copy of the words.
    # <solution>
    input_words = list(words)
    input_words[index] = "[MASK]"
    return input_words, words[index]
    # </solution>


# %% id="check-one-pair"
check("00.one-pair", one_pair)

# %% [markdown] id="why-all-pairs"
# Nothing singles out *jumps*. Any word can be hidden, so a sentence of $n$ words supplies $n$ pairs. Each starts from the
# whole sentence: the reader may look to the left of the blank and to the right of it.

# %% id="ex-all-pairs"
# exercise: 00.all-pairs
def all_pairs(words):
    """Every pair with one blank that a sentence supplies.

    words: list of n strings, left as it is.
    Returns a list of n pairs (input_words, label), in the order of the words, each
    with a list of its own.
    """
    # Where to start: what does the second pair begin from?
    # <solution>
    pairs = []
    for place, label in enumerate(words):
        hidden = list(words)  # a fresh copy for every pair
        hidden[place] = "[MASK]"
        pairs.append((hidden, label))
    return pairs
    # </solution>


# %% id="check-all-pairs"
check("00.all-pairs", all_pairs)

# %% id="show-all-pairs"
for input_words, label in cloze.all_pairs("the chef cuts the bread .".split()):
    print(f"{' '.join(input_words):32} {label}")

# %% [markdown] id="why-several"
# One blank for each reading is a slow way to learn. BERT hides 15% of the words it reads (Devlin et al. 2019), so that
# one reading answers many questions. The labels then need a way to say *nothing is asked here*: a word that is visible is
# no question, and rewarding the reader for copying it would teach it to copy. We write `None`; in chapter 03, where words
# have become numbers, the number -100 says the same.

# %% id="ex-several-blanks"
# exercise: 00.several-blanks
def several_blanks(words, positions):
    """One training example with several blanks.

    words: list of n strings, left as it is.
    positions: list of distinct places to hide, in any order, perhaps empty; left as it is.
    Returns (input_words, labels), two new lists of length n. At a hidden place they
    hold "[MASK]" and the word that stood there; at any other, the word and None.
    """
    # Where to start: with a list of n times None, and a copy of the words.
    # <solution>
    input_words, labels = list(words), [None] * len(words)
    for place in positions:
        input_words[place], labels[place] = "[MASK]", words[place]
    return input_words, labels
    # </solution>


# %% id="check-several-blanks"
check("00.several-blanks", several_blanks)

# %% [markdown] id="why-guess"
# ## 2 · What is a guess worth?
#
# Right or wrong is too coarse a measure. *The chef cuts the [MASK]*: whoever says *bread* where it was *cheese* knows much
# more than one who says *because*. So we ask players how sure they are. A guess $g$ with confidence $c$ among $W$ words
# stands for the distribution
#
# $$q(w) = \begin{cases} c & \text{if } w = g,\\[2pt] \dfrac{1 - c}{W - 1} & \text{for each of the } W - 1 \text{ other words.}\end{cases}$$

# %% id="ex-guess"
# exercise: 00.guess
def guess_distribution(guess, confidence, words):
    """q: the confidence on the guess, the rest shared evenly by the other words.

    guess: one of `words`; confidence: from 0 to 1.
    words: list of W >= 2 distinct strings, left as it is.
    Returns a dict from each of the W words to its probability; they sum to one.
    """
    # Where to start: how much is left, and how many share it?
    # <solution>
    share = (1 - confidence) / (len(words) - 1)
    q = dict.fromkeys(words, share)
    q[guess] = confidence
    return q
    # </solution>


# %% id="check-guess"
check("00.guess", guess_distribution)

# %% [markdown] id="why-score"
# The score is the **surprisal** of the word that was there:
#
# $$s = -\ln q(\text{answer}) \quad\text{in nats.}$$
#
# It is 0 when you were certain and right, grows by $\ln 2 \approx 0.693$ nats (one *bit*) with every halving of what you
# gave to the answer, and is infinite if you ruled the answer out. Less is better. It is honest: nobody can score better on
# average by stating a confidence other than the one they have. Chapter 02 returns to it as the loss that models are
# trained with.

# %% id="ex-score"
# exercise: 00.score
def score(q, answer):
    """The surprisal of the answer under q, in nats.

    q: dict from word to probability, left as it is; a word that is not listed has
    probability 0, and no probability above 0 is too small to count.
    Returns a float: 0.0 when q is certain of the answer, math.inf when q rules it out.
    """
    # Where to start: math.log is the natural logarithm, and refuses 0.
    # <solution>
    probability = q.get(answer, 0.0)
    if probability == 0:
        return math.inf
    return -math.log(probability)
    # </solution>


# %% id="check-score"
check("00.score", score)

# %% [markdown] id="play"
# ## 3 · Play
#
# You can play on two kinds of text.
#
# - **Scenes** are made up by this course's scene language, which has a few hundred words. You have two opponents. The
#   *trained model* is a small masked language model, of the kind that this course is about. It has read raw sentences,
#   with some of their words hidden, and nothing else: nobody told it a rule of the language. The *exact posterior* is the
#   probabilities of all words once the rest of the sentence has been seen. They follow from the rules of the language,
#   without error, so nobody does better on average. Blanks whose word is certain are skipped.
# - **English** is real: the Bible in Basic English, from books that your opponent has not read. Here it is a *trigram
#   model* (*tri*, three): it has counted which three words follow each other in the other books, and how often, and looks
#   at two words on either side of the blank. The counting takes a few seconds when you first choose English. The widget
#   names source and license.
#
# The next cell fetches the trained model. The first time there is none, and it is trained: a minute or two on two cores,
# while a figure shows how its mean score (the curves) comes down towards that of the exact posterior (the dashed line,
# called *Bayes floor* there). Then it is kept on your computer, and the cell takes a few seconds. Meanwhile, read on.

# %% id="get-model" tags=["nbval-ignore-output"]
from mlm_mini.training import LiveCurve, model_player, quick_model

trained = quick_model(LiveCurve)
model = model_player(trained, cloze.scene_cloze().words)
sentences_read = trained.config.steps * trained.config.batch_size
print(f"The trained model has read {sentences_read:,} sentences, "
      f"with {trained.config.masking.mask_ratio:.0%} of their words hidden.")

# %% [markdown] id="how-to-play"
# Type the word you think is hidden, set how sure you are, and press Enter; Enter again brings the next sentence. The arrow
# down lists the words that may be guessed, and a letter or two shortens the list. Your score is computed by the two
# equations above. Confidence goes from 0.01 to 0.99, so that no round costs infinitely much.
#
# Your opponents have an advantage over you: they state a probability for every word, you for one. With one word even a
# perfect player pays much more: on scenes about 4.5 nats a round instead of 1.7, over many rounds. So compare yourself with
# the last row of the score table, which has the same limit: the likeliest word of the exact posterior (on English, of the
# trigram model) at the probability that it has there, the rest shared evenly. Try to beat that row. On scenes only luck
# can, and only for a while; on English, someone who reads the whole sentence can do so for good. The trained model, too,
# now and then pays less than the exact posterior, by the luck of a round: over many rounds it pays more. Look, too, at
# what the exact posterior believed.

# %% id="widget-cloze" tags=["nbval-ignore-output"]
from mlm_mini.widgets import cloze_widget

cloze_widget(seed=0, rival=model)

# %% [markdown] id="why-static-round"
# Without a running kernel the widget stays still. This is what it shows after a round on a sentence of the article this
# course grew from, played by someone who is 40% sure of *senator*.

# %% id="static-round" tags=["nbval-ignore-output"]
from IPython.display import HTML, display

from mlm_mini.widgets.cloze import game_html

scenes = cloze.SceneCloze(cloze.scene_cloze().language, rival=model)
game = cloze.Game(scenes, np.random.default_rng(0))
sentence = ("the minister spoke to the activist about the protest "
            "because he advocated for change .")
game.question = cloze.Question(tuple(sentence.split()), index=5)
game.play("senator", 0.4)
display(HTML(game_html(game)))

# %% [markdown] id="why-five-rounds"
# And these are five rounds played by a player with a plan, the *unigram* player (*uni*, one: it looks at one word at a
# time). It states, for every word, how often that word occurs in 20,000 other sentences, and does not look at the context
# at all. Its favorite is always *the*.

# %% id="five-rounds"
sample = scenes.language.sample(20_000, np.random.default_rng(1))
counted_text = [sample.text(i).split()[:-1] for i in range(len(sample))]  # no full stops
unigram_q = cloze.unigram(counted_text)

rng = np.random.default_rng(6)
print("unigram  exact   answer")
print("(nats)  (nats)")
for _ in range(5):
    question = scenes.draw(rng)
    unigram_nats = cloze.score(unigram_q, question.answer)
    exact_nats = cloze.score(scenes.opponent(question), question.answer)
    shown = " ".join(question.shown)
    print(f"{unigram_nats:6.2f} {exact_nats:7.2f}   {question.answer:13}{shown}")

# %% [markdown] id="why-players"
# ## 4 · What a player needs to know
#
# Four players, the same 2,000 blanks. The first knows which words exist and nothing else: it pays $\ln W$ whatever happens.
# The second knows how frequent they are. The third reads what stands to the left of the blank and draws the best possible
# conclusion, as a model that writes from left to right would. The last draws the best possible conclusion from both sides.
# What it still pays is the **floor**: not ignorance, but choices that the language leaves open. Unlike in the game, blanks
# whose word is certain count too: about half of all blanks, which is why these means are lower than in the game.
#
# Each mean is printed with a *95% interval*: 2,000 other blanks would give another mean, and an interval made in this way
# contains the mean over all blanks 95 times in 100.

# %% id="players"
language = scenes.language
questions = cloze.scene_questions(language, 2_000, np.random.default_rng(2))
nats = {
    "knows the words (uniform)": np.full(2_000, math.log(len(scenes.words))),
    "knows their frequency (unigram)": np.array(
        [cloze.score(unigram_q, question.answer) for question in questions]
    ),
    "reads the left side (exact)": cloze.exact_nats(language, questions, left_only=True),
    "reads both sides (exact)": cloze.exact_nats(language, questions),
}
means = {player: scores.mean() for player, scores in nats.items()}
margins = {player: 1.96 * scores.std(ddof=1) / math.sqrt(2_000) for player, scores in nats.items()}
for player in nats:
    print(f"{player:34}{means[player]:6.2f} nats, 95% interval ± {margins[player]:.2f}")

# %% id="fig-players" tags=["nbval-ignore-output"]
fig, (ax,) = figures.new_figure(height=2.7)
floor = means["reads both sides (exact)"]
rows = list(means)[::-1]
bars = ax.barh(rows, [means[row] for row in rows], height=0.55, capsize=3,
               xerr=[margins[row] for row in rows],
               color=[figures.GREEN, figures.SKY, figures.SKY, figures.SKY])
ax.bar_label(bars, fmt="%.2f", padding=6)
ax.axvline(floor, ymin=0.19, color=figures.BLACK, linestyle="--", linewidth=1.2)
ax.text(floor + 0.07, 3.45, "the floor", va="center")
ax.set_title("The more a player reads, the less it pays")
ax.set(xlabel="mean surprisal of the hidden word (nats)", xlim=(0, 6.7), ylim=(-0.5, 3.7))
ax.grid(visible=False, axis="y")
alt = "; ".join(f"{player}: {mean:.2f}" for player, mean in means.items())
figures.show(fig, alt=f"Bars of mean surprisal in nats for four players on 2,000 blanks. "
                      f"{alt}. A dashed line marks the lowest as the floor.")

# %% [markdown] id="why-unigram"
# ## 5 · Learning from text alone
#
# The unigram player is a model, and it was trained: on 20,000 sentences, with no label but the words in them. If any word
# may be hidden, the best answer without looking at the context is the share of each word in the text,
#
# $$q(w) = \frac{\text{number of times } w \text{ occurs}}{\text{number of words in all sentences}}.$$

# %% id="ex-unigram"
# exercise: 00.unigram
def unigram(sentences):
    """The share of each word among all words.

    sentences: list of lists of strings, not all of them empty; left as they are.
    Returns a dict from each word that occurs, as it is written, to its share; they
    sum to one.
    """
    # Where to start: one count for all sentences together.
    # <solution>
    counts = {}
    for words in sentences:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()}
    # </solution>


# %% id="check-unigram"
check("00.unigram", unigram)

# %% [markdown] id="why-growth"
# A better player counts words together with their neighbors. The trigram model of `mlm_mini.languages.ngram` counts which
# word follows which two others, and combines what stands on both sides of the blank by *Bayes' rule*: multiply how probable
# a word is after the words on the left by how probable the words on the right are after it, and divide by the sum over all
# words. Give it more and more raw text, and watch how far it gets.

# %% id="growth"
from mlm_mini.languages import Trigram


def trigram_nats(sentences):
    """Surprisal (2000,), at the same questions, of a trigram model of these sentences."""
    trigram = Trigram.fit([*words, "."] for words in sentences)
    return np.array([
        cloze.score(cloze.trigram_distribution(trigram, question, scenes.words), question.answer)
        for question in questions
    ])


sizes = (30, 100, 300, 1_000, 3_000, 10_000, 20_000)
growth = {size: trigram_nats(counted_text[:size]) for size in sizes}
pairs_of = {size: sum(map(len, counted_text[:size])) for size in growth}
lines = [f"{size:6,} sentences, {pairs_of[size]:7,} pairs: {scores.mean():.2f} nats"
         for size, scores in growth.items()]
print("\n".join(lines))

# %% id="fig-growth" tags=["nbval-ignore-output"]
fig, (ax,) = figures.new_figure()
uniform = means["knows the words (uniform)"]
learned = [scores.mean() for scores in growth.values()]
ax.errorbar(list(growth), learned, color=figures.BLUE, marker="o", capsize=3,
            yerr=[1.96 * scores.std(ddof=1) / math.sqrt(2_000) for scores in growth.values()])
ax.axhline(uniform, color=figures.RED, linestyle=":")
ax.axhline(floor, color=figures.BLACK, linestyle="--")
ax.set_title("Counting raw text brings a player most of the way to the floor")
ax.set(xscale="log", xlim=(24, 26_000), ylim=(0, 6.6), ylabel="mean surprisal (nats)",
       xlabel="sentences of raw text that were counted (logarithmic)")
ax.set_xticks([100, 1_000, 10_000], ["100", "1,000", "10,000"])
ax.text(27, uniform - 0.15, "knows nothing but the words", color=figures.RED, va="top")
ax.text(27, floor - 0.15, "the floor: nobody does better on average", va="top")
ax.text(1_150, growth[1_000].mean() + 0.35, "has counted the text", color=figures.BLUE)
figures.show(fig, alt=f"Mean surprisal against the number of sentences counted. It falls from "
                      f"{learned[0]:.2f} nats after 30 sentences to {learned[-1]:.2f} after 20,000. "
                      f"Knowing nothing but the words costs {uniform:.2f}; the floor is {floor:.2f}.")

# %% [markdown] id="why-model"
# The trained model of section 3 learned from raw text too, but it reads the whole sentence. What is that worth? To be fair,
# the counting player gets as many sentences as the model has read. (The last digits of the model's numbers depend on the
# machine that trained it.)

# %% id="model" tags=["nbval-ignore-output"]
from mlm_mini.training import model_nats

sample = scenes.language.sample(sentences_read, np.random.default_rng(4))
counting_scores = trigram_nats(sample.text(i).split()[:-1] for i in range(sentences_read))
model_scores = model_nats(trained, questions, scenes.words)
floor_scores = nats["reads both sides (exact)"]

for player, scores in (
    (f"has counted {sentences_read:,} sentences", counting_scores),
    (f"trained model, has read {sentences_read:,}", model_scores),
    ("reads both sides (exact)", floor_scores),
    ("the model saves, over counting", counting_scores - model_scores),
    ("the model stays above the floor by", model_scores - floor_scores),
):
    margin = 1.96 * scores.std(ddof=1) / math.sqrt(2_000)
    print(f"{player:36}{scores.mean():5.2f} nats, 95% interval ± {margin:.2f}")

# %% [markdown] id="about-differences"
# The intervals of the two differences are narrower than those of the players. All answer the same questions, a hard one is
# hard for everybody, and in the difference that cancels.

# %% id="fig-model" tags=["nbval-ignore-output"]
bars_of = {
    "has counted 20,000 sentences": growth[20_000],
    f"has counted {sentences_read:,} sentences": counting_scores,
    f"trained model, has read {sentences_read:,}": model_scores,
    "reads both sides (exact)": floor_scores,
}
rows = list(bars_of)[::-1]
lengths = [bars_of[row].mean() for row in rows]
fig, (ax,) = figures.new_figure(height=2.4)
bars = ax.barh(rows, lengths, height=0.55,
               color=[figures.GREEN, figures.BLUE, figures.SKY, figures.SKY])
ax.bar_label(bars, fmt="%.2f", padding=6)
ax.axvline(floor, color=figures.BLACK, linestyle="--", linewidth=1.2)
ax.set_title("The trained model comes nearer the floor")
ax.set(xlabel="mean surprisal of the hidden word (nats)", xlim=(0, 1.4))
ax.grid(visible=False, axis="y")
alt = "; ".join(f"{row}: {scores.mean():.2f}" for row, scores in bars_of.items())
figures.show(fig, alt=f"Bars of mean surprisal in nats on the same 2,000 blanks. {alt}. "
                      "A dashed line marks the last as the floor.")

# %% [markdown] id="why-english"
# The scene language was made for this course. Does it work on text that people wrote? The English corpus comes with the
# course: the Bible in Basic English, a translation into a vocabulary of about a thousand basic words (with inflected forms
# and Bible names, 4,655 that occur at least twice), chosen here because so small a vocabulary can be learned from one book.
# Nobody has annotated it. How many pairs does it hold, and what does a player gain who has counted its training books, on
# blanks in books that were kept aside?

# %% id="english"
from mlm_mini.languages import english_corpus, split_words

corpus = english_corpus()
tokens = [split_words(sentence) for sentence in corpus.split("train").sentences()]
training = [[token for token in sentence if cloze.is_word(token)] for sentence in tokens]
pairs = sum(map(len, training))
print(corpus.source)
print("License:", corpus.license)
print(f"{len(training):,} sentences supply {pairs:,} pairs with one blank each.")

# %% [markdown] id="why-english-players"
# The questions come from the books of the test side: 500 blanks, in sentences of 6 to 20 words that all occur in the
# training books at least twice.

# %% id="english-players"
english = cloze.english_cloze()
rng = np.random.default_rng(3)
english_questions = [english.draw(rng) for _ in range(500)]
known = set(english.words)
counted = cloze.unigram([word for word in words if word in known] for words in training)
english_nats = {
    "uniform": math.log(len(known)),
    "unigram": np.mean([cloze.score(counted, q.answer) for q in english_questions]),
    "trigram": np.mean([cloze.score(english.opponent(q), q.answer) for q in english_questions]),
}
for player, mean in english_nats.items():
    print(f"{player}: {mean:.2f} nats, as good as an even choice among {math.exp(mean):,.0f} words")

# %% [markdown] id="recap"
# ## Recap
#
# The labels come from the text: hide a word, and it has become one. The verdict below is computed. It is *holds* when the
# player that counted English beats the one that did not, and when on scenes, where the floor is known, counting words with
# their neighbors closes more than half of the gap between the unigram player and the floor.

# %% id="recap-table"
from IPython.display import Markdown

gap = round(english_nats["uniform"], 2) - round(english_nats["trigram"], 2)
frequency = means["knows their frequency (unigram)"]
closed = (frequency - growth[20_000].mean()) / (frequency - floor)
verdict = "holds" if gap > 0 and closed > 0.5 else "does not hold as worded"
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "The text itself becomes both the problem and the solution." | {pairs:,} pairs from English text \
that nobody annotated; counting them saves {gap:.2f} nats per blank; counting neighbors in 20,000 raw \
scene sentences closes {closed:.0%} of the gap between the unigram player and the floor | **{verdict}** |
""")

# %% id="what-is-missing" tags=["nbval-ignore-output"]
saved = counting_scores.mean() - model_scores.mean()
left = model_scores.mean() - floor_scores.mean()
Markdown(f"""
What the counting player lacks is the rest of the sentence, beyond two words on either side of the blank.
The model that has read {sentences_read:,} sentences saves {saved:.2f} nats per blank over the trigram model
that has counted as many, and stays {left:.2f} above the floor. How such a model reads a sentence, how it is
trained, and how much nearer the floor it comes with more training, is what the later chapters are about.
""")

# %% [markdown] id="read-on"
# ## Where to read on
#
# - Wilson L. Taylor (1953). *"Cloze procedure": a new tool for measuring readability.* Journalism Quarterly 30(4), 415-433.
# - Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019). *BERT: Pre-training of deep bidirectional
#   transformers for language understanding.* Proceedings of NAACL-HLT 2019, 4171-4186.
# - Claude E. Shannon (1951). *Prediction and entropy of printed English.* Bell System Technical Journal 30(1), 50-64. He
#   played this game with letters, and measured the entropy of English by it.
#
# Next, chapter 01: a model does not guess one word, it gives every word a score. How do scores become probabilities?
