"""Chapter 00: text turned into questions with answers, and what a guess costs."""

from mlm_mini.course.exercise import Case, Exercise, WrongAnswer

FOX = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."]
CHEF = ["the", "chef", "cuts", "the", "bread", "."]
CATS = ["the", "cat", "chased", "the", "cat", "."]

ONE_PAIR = Exercise(
    id="00.one-pair",
    title="One sentence, one blank, one label",
    twin="mlm_mini.languages.cloze.pairs:one_pair",
    minutes=5,
    cases=(
        Case("a sentence of two words", (["birds", "sing"], 1)),
        Case("a verb in the middle", (CHEF, 2)),
        Case("the first word", (CHEF, 0)),
        Case("the last word", (CHEF, 5)),
        Case("a word that occurs twice, hidden at its second place", (CATS, 4)),
        Case("a sentence of a single word", (["stop"], 0)),
        Case("a sentence of ten words", (FOX, 4)),
    ),
    habits=("unchanged words",),
    mistakes="""
    - the caller's sentence is changed: Your pair is right, but the sentence you were given has a hole. Whose list is
      written to?
          input_words = list(words) => input_words, label = words, words[index]
          , words[index] => , label
    - the labels are read after hiding
          , words[index] => , input_words[index]
    - two names for one list: Your label is [MASK], and the caller's sentence has a hole in it. An assignment makes no
      second list: whatever is written under one name is read under both.
          list(words) => words
    - the words behind the blank are dropped
          return input_words => return input_words[: index + 1]
    - the word is removed, not replaced: Your input is one word shorter than the sentence. What says where the gap is?
          input_words[index] = "[MASK]" => del input_words[index]
    - the word after the blank is lost
          input_words[index] = "[MASK]" => input_words[index : index + 2] = ["[MASK]"]
    - [MASK] is inserted before the word: The answer can still be read in your input, right behind the blank. What has
      to become of the word itself?
          input_words[index] = "[MASK]" => input_words.insert(index, "[MASK]")
    - counting starts at one
          input_words = => index -= 1; input_words =
    - every copy of the word is hidden
          list(words) => ["[MASK]" if word == words[index] else word for word in words]
    - another copy of the word is hidden
          input_words[index] = => input_words[words.index(words[index])] =
       or input_words[index] = => input_words[max(i for i, word in enumerate(words) if word == words[index])] =
    - the label is the place: The reader can see where the blank is; what it must say is the word.
          , words[index] => , index
    - input and label are swapped
          return input_words, words[index] => return words[index], input_words
    - the input is joined into one string: Keep the input a list, so that place i of it is place i of the sentence.
          return input_words => return " ".join(input_words)
    """,
    hints="""
    - Two things are wanted from one sentence: the sentence with a hole, and what was in the hole. Which is at risk of
      being lost?
    - `b = a` does not copy a list: both names mean the same one. What makes a second list with the same words?
    - Take a copy of words, put the text [MASK] at the place index of the copy, and read the label from the original.
    """,
)

ALL_PAIRS = Exercise(
    id="00.all-pairs",
    title="Every pair that a sentence supplies",
    twin="mlm_mini.languages.cloze.pairs:all_pairs",
    minutes=6,
    cases=(
        Case("a sentence of two words", (["birds", "sing"],)),
        Case("a sentence of a single word", (["stop"],)),
        Case("a word that occurs twice", (["the", "cat", "the"],)),
        Case("the chef's sentence", (CHEF,)),
        Case("no words at all", ([],)),
        Case("a sentence of ten words", (FOX,)),
    ),
    habits=("unchanged words",),
    mistakes="""
    - blanks pile up: Your first pair has one blank, the second two, and the last nothing but blanks. From which
      sentence should each pair start?
          pairs = [] => pairs, hidden = [], list(words)
          hidden = list(words) => hidden = list(hidden)
       or hidden = list(words) => hidden = words
          (hidden, => (list(hidden),
    - one list stands in every pair: All your inputs are equal and consist of [MASK] alone: they are one list, changed
      again and again. When is a new list made?
          pairs = [] => pairs, copy = [], list(words)
          hidden = list(words) => hidden = copy
       or hidden = list(words) => hidden = words
    - the blanks are filled again: All your inputs are the whole sentence: they are one list, in which the word was put
      back after each pair. When is a new list made?
          pairs = [] => pairs, copy = [], list(words)
          hidden = list(words) => hidden = copy
          , label)) => , label)); hidden[place] = label
       or hidden = list(words) => hidden = words
          , label)) => , label)); hidden[place] = label
    - the labels are read after hiding
          , label)) => , hidden[place]))
    - the last word is never hidden: You return one pair too few. Look at where the count of places ends.
          enumerate(words) => enumerate(words[:-1])
    - the first word is never hidden: You return one pair too few. Look at where the count of places begins.
          enumerate(words) => list(enumerate(words))[1:]
    - one pair for each distinct word: Where a word occurs twice, a pair is missing. Is the same word elsewhere the same
      question?
          enumerate(words) => ((words.index(word), word) for word in dict.fromkeys(words))
    - another copy of the word is hidden
          hidden[place] => hidden[words.index(label)]
    - every copy of the word is hidden
          list(words) => ["[MASK]" if word == label else word for word in words]
    - the words behind the blank are dropped
          (hidden, => (hidden[: place + 1],
    - the word after the blank is lost
          hidden[place] = "[MASK]" => hidden[place : place + 2] = ["[MASK]"]
    - input and label are swapped
          (hidden, label) => (label, hidden)
    - inputs and labels in two lists: Keep each label with its own input: a list of pairs.
          return pairs => return [hidden for hidden, _ in pairs], list(words)
    """,
    hints="""
    - How many pairs does a sentence of six words supply? The answer is the length of your list.
    - You have written one pair already. What changes from one pair to the next, and what must not?
    - Walk over the places 0, 1, ... of the sentence; at each, start from the untouched sentence again and append one
      (input_words, label) to a list.
    """,
)


def lists_of_their_own(function, words, positions):
    """The answer, unless a list in it is the caller's own, which shows in no word where nothing is hidden."""
    before = list(words)
    answer = function(words, positions)
    if type(answer) in (tuple, list) and any(part is words for part in answer) and words == before:
        raise WrongAnswer("The words are right, but you return the caller's own list and no new one.")
    return answer


SEVERAL_BLANKS = Exercise(
    id="00.several-blanks",
    title="Several blanks at once",
    twin="mlm_mini.languages.cloze.pairs:several_blanks",
    minutes=6,
    cases=(
        Case("one blank in two words", (["birds", "sing"], [0])),
        Case("two blanks", (CHEF, [1, 4])),
        Case("two blanks, the later one named first", (CHEF, [4, 1])),
        Case("no blank at all", (CHEF, [])),
        Case("nothing but blanks", (CHEF, [0, 1, 2, 3, 4, 5])),
        Case("one of two equal words", (CATS, [1])),
        Case("three blanks in no order", (FOX, [7, 0, 5])),
        Case("three neighbors in a sentence of ten words", (FOX, [3, 4, 5])),
    ),
    habits=("unchanged words", "unchanged positions"),
    observe=lists_of_their_own,
    mistakes="""
    - labels for the blanks alone: Your labels are shorter than the input, so that label i no longer belongs to place i.
      Keep the labels as long as the sentence, and let None say that nothing is asked.
          return input_words, labels => return input_words, [label for label in labels if label]
       or return input_words, labels => return input_words, [words[place] for place in positions]
    - labels for every word: A reader would be rewarded for copying what it sees: what is asked where nothing is hidden?
          [None] * len(words) => list(words)
    - labels where the words are visible: Your labels are None at the blanks and words elsewhere. Where is something
      asked?
          [None] * len(words) => list(words)
          "[MASK]", words[place] => "[MASK]", None
    - the labels are read after hiding
          "[MASK]", words[place] => "[MASK]", "[MASK]"
    - another sign than None where nothing is asked: Your blanks are right, but something other than None stands at the
      visible places. What can never be a label? (The number -100 comes with chapter 03.)
          [None] => [-100]
       or [None] => ["-100"]
       or [None] => [""]
       or [None] => ["None"]
       or [None] => [-1]
       or [None] => [0]
       or [None] => [False]
    - [MASK] where nothing is asked: [MASK] is a token like others. None is what cannot be mistaken for an answer.
          [None] => ["[MASK]"]
    - only one blank is made: You hide the first position alone. Does something end the loop before it is through?
          "[MASK]", words[place] => "[MASK]", words[place]; break
       or "[MASK]", words[place] => "[MASK]", words[place]; return input_words, labels
          return input_words, labels => return None
    - a list of the caller's is changed: Your answer is right, but the sentence you were given is full of holes, or the
      positions are sorted or used up. Which of your lines writes into a list of the caller's?
          list(words) => words
       or return input_words => positions.clear(); return input_words
       or return input_words => positions.sort(); return input_words
    - without blanks the caller's own list is returned (raises): Where nothing is hidden, you hand back the very list
      that you were given: whoever changes one changes the other. Copy the sentence first of all.
          list(words) => list(words) if positions else words
    - every copy of the word is hidden
          in positions: => in [i for i, word in enumerate(words) if word in [words[p] for p in positions]]:
       or return input_words => return ["[MASK]" if word in labels else word for word in words]
    - counting starts at one
          in positions: => in [place - 1 for place in positions]:
       or in positions: => in [place - 1 for place in positions if place]:
    - one example for each blank: All blanks are to be made in one copy of the sentence: one input, one list of labels.
          return input_words, labels
          => return [([*words[:place], "[MASK]", *words[place + 1 :]], words[place]) for place in positions]
    - input and label are swapped
          return input_words, labels => return labels, input_words
    - pairs of a word and its label: Two lists are asked for, and you return one, of pairs.
          return input_words, labels => return list(zip(input_words, labels))
    - labels in a dict: All that is needed is there, but a list as long as the input is what becomes an array later.
          [None] * len(words) => {}
    """,
    hints="""
    - Two lists come back, both as long as the sentence. What stands at a place that is hidden, in each? And at one that
      is not?
    - Start with a copy of the words and with a list of as many None, and change both at the positions alone.
    - For each position: the copy gets the text [MASK] there, and the list of None gets the original word there.
    """,
)

PETS = ["cat", "dog", "mouse"]
ANIMALS = ["cow", "cat", "hen", "dog", "pig", "fox"]

GUESS = Exercise(
    id="00.guess",
    title="A guess with a confidence is a distribution",
    twin="mlm_mini.languages.cloze.guess:guess_distribution",
    minutes=6,
    cases=(
        Case("a confident guess among three words", ("dog", 0.857, PETS)),
        Case("two words, nothing known", ("yes", 0.5, ["yes", "no"])),
        Case("certainty", ("cat", 1.0, PETS)),
        Case("a guess that its own player rules out", ("cat", 0.0, PETS)),
        Case("the last of six words", ("fox", 0.29, ANIMALS)),
        Case("words that are parts of each other", ("at", 0.6, ["a", "at", "cat"])),
        Case("411 words", ("w7", 0.006, [f"w{i}" for i in range(411)])),
    ),
    habits=("unchanged words",),
    mistakes="""
    - the rest is divided by all words: Your probabilities sum to less than one. How many words share the rest?
          (len(words) - 1) => len(words)
    - one is subtracted after the division: Your other words have negative probabilities. What is to be divided by what?
          (len(words) - 1) => len(words) - 1
    - only the confidence is divided: A division comes before a subtraction in front of it. What is to be divided?
          (1 - confidence) => 1 - confidence
    - the guess takes part in the rest: Your probabilities sum to one, but the guess has more than the confidence that
      was set. Who shares what the guess leaves?
          (len(words) - 1) => len(words)
          q[guess] = confidence => q[guess] += confidence
    - nothing is left for the others: A wrong guess then costs infinitely much. Who gets what the guess leaves?
          (1 - confidence) / (len(words) - 1) => 0.0
    - each of the others gets all of the rest: Your probabilities sum to more than one. How many share the rest?
          / (len(words) - 1) =>
    - the other words are missing: A distribution says something of every word, or a wrong guess cannot be scored.
          dict.fromkeys(words, share) => {}
    - the others share the confidence: The guess has taken the confidence. How much is left for the others?
          (1 - confidence) => confidence
    - the others have what an even choice gives: Your probabilities do not sum to one. How much does the guess leave?
          (1 - confidence) / (len(words) - 1) => 1 / len(words)
    - the guess is treated like the others: The guess has a share of what it left, and its confidence is lost.
          q[guess] = confidence =>
    - the guess itself is missing: Your dict does not hold the guess. Which probability was set for the guess?
          q[guess] = confidence => del q[guess]
    - confidence and rest are swapped: Your guess gets what should be left, and the others share the confidence.
          (1 - confidence) => confidence
          q[guess] = confidence => q[guess] = 1 - confidence
    - words are searched for inside words: Among `a`, `at` and `cat`, more than one word gets the confidence. Between
      two strings, `in` asks whether one is a part of the other; what asks whether they are the same?
          dict.fromkeys(words, share) => {word: confidence if word in guess else share for word in words}
       or dict.fromkeys(words, share) => {word: confidence if guess in word else share for word in words}
    - words are asked whether they are one object: Right only while Python keeps equal strings once, on which nobody can
      rely: your guess then has a share of the rest. What asks whether two strings are equal?
          dict.fromkeys(words, share) => {word: confidence if word is guess else share for word in words}
          q[guess] = confidence =>
    - the guess is taken out of the caller's list: Your answer is right, but the caller has lost a word. Which of your
      lines changes the list that was handed in?
          return q => words.remove(guess); return q
    - the probabilities without their words: Whose is the second number of your list? Keep each with its word: a dict.
          return q => return list(q.values())
    """,
    hints="""
    - Probabilities sum to one. The guess takes its confidence: how much is left, and for how many words?
    - With W words there are W - 1 others, and each gets the same share of 1 - confidence.
    - Go through the words once: the guess is given the confidence, any other word the share.
    """,
)

BREAD = {"bread": 0.5, "cheese": 0.25, "cake": 0.25}
KEPT_FROM_ZERO = "\n       or ".join(
    f"q.get(answer, 0.0) => {way}(q.get(answer, 0.0), 1e-{power})"
    for power in (*range(3, 21), 100, 300)
    for way in ("max", "added")
)

SCORE = Exercise(
    id="00.score",
    title="The price of a guess, in nats",
    twin="mlm_mini.languages.cloze.guess:score",
    minutes=6,
    cases=(
        Case("an even chance", (BREAD, "bread")),
        Case("one chance in four", (BREAD, "cake")),
        Case("certain and right", ({"bread": 1.0, "cake": 0.0}, "bread")),
        Case("a word with probability 0", ({"bread": 1.0, "cake": 0.0}, "cake")),
        Case("a word that q does not list", (BREAD, "soup")),
        Case("one chance in a million", ({"common": 1 - 1e-6, "rare": 1e-6}, "rare")),
        Case("a probability of 1e-300", ({"common": 1.0, "rare": 1e-300}, "rare")),
    ),
    habits=("unchanged q",),
    helpers={"added": lambda probability, small: probability + small},
    mistakes=f"""
    - bits
          math.log => math.log2
    - the logarithm is to base 10: An even chance costs 0.301 with yours. A nat belongs to the natural logarithm.
          math.log => math.log10
    - the sign is missing: The logarithm of a probability is never above 0. Which sign makes a logarithm a price?
          return -math.log => return math.log
       or return -math.log => return math.log
          return math.inf => return -math.inf
    - the price of the impossible is minus infinity: Less is better, so that minus infinity rewards whoever ruled the
      truth out beyond measure. Towards which end does the score go as the probability shrinks?
          math.inf => -math.inf
    - one minus the probability: One chance in a million then costs hardly more than one in four. What would make each
      halving of the chance cost the same?
          instead:
              return 1.0 - q.get(answer, 0.0)
    - weighted by the probability: You multiply by the probability once more, as in an entropy, which is a mean over
      answers. Here one answer has come true and is paid in full.
          return -math.log => return -probability * math.log
          return math.inf => return 0.0
       or return -math.log => return -probability * math.log
    - the entropy of q, not the score of an answer: Your score is the same whatever the answer is: it is what q expects
      to pay on average. Here one answer has come true; how much did q give to that one?
          instead:
              return -sum(share * math.log(share) for share in q.values() if share)
    - the best guess is scored, not the answer: What counts is how much q gave to the word that was there.
          q.get(answer, 0.0) => max(q.values())
    - a word that is not listed raises KeyError (raises): A word that q does not list has probability 0, and a price.
          q.get(answer, 0.0) => q[answer]
    - the logarithm of zero raises ValueError (raises): math.log(0) raises an error instead of answering. What does the
      score grow to as the probability shrinks to 0?
          if probability == 0: => if False:
       or if probability == 0: => if answer not in q:
       or if probability == 0: => if False:
          q.get(answer, 0.0) => q[answer]
    - the probability is kept away from zero: A floor under the probability, or a small number added to it, gives the
      impossible a finite price, and the very unlikely a wrong one. The honest price of what was ruled out is infinite.
          {KEPT_FROM_ZERO}
    - the very unlikely counts as impossible: A probability of 1e-300 is no 0, and its price is large, but a number.
          probability == 0 => probability < 1e-12
    - the impossible has no price: You return nothing where the probability is 0. How large can a price grow?
          return math.inf => return None
    - the impossible is free: Ruling out the truth would be the best of all moves.
          math.inf => 0.0
    """,
    hints="""
    - Look up how much q gave to the answer; all other words are of no interest any more.
    - The price is 0 when that probability is 1, and grows by 0.693 with every halving. Which function turns halvings
      into steps?
    - It is minus the natural logarithm. Treat 0 on its own: the dict's get can supply it for a word that is not there,
      and math.inf is the price.
    """,
)

UNIGRAM = Exercise(
    id="00.unigram",
    title="A first model: count the labels",
    twin="mlm_mini.languages.cloze.pairs:unigram",
    minutes=7,
    cases=(
        Case("one sentence", ([CATS],)),
        Case("two sentences of unequal length", ([["birds", "sing"], CHEF],)),
        Case("a single word", ([["stop"]],)),
        Case("capitals", ([["The", "the", "the"]],)),
        Case("three sentences", ([CHEF, CATS, FOX],)),
        Case("one with no words among others", ([[], ["a", "b"], ["a"]],)),
        Case("100 sentences", ([[f"w{i % k}" for i in range(k + 3)] for k in range(2, 102)],)),
    ),
    habits=("unchanged sentences",),
    mistakes="""
    - counts, not shares: Your numbers are counts; they sum to the number of words. Probabilities sum to one.
          count / total => float(count)
    - divided by the number of sentences: Your numbers say how often a word occurs per sentence. What is a share a share
      of?
          sum(counts.values()) => len(sentences)
    - divided by the number of distinct words: Your numbers sum to more than one wherever a word occurs twice: you
      divide by how many different words there are. How many places could the blank be at?
          sum(counts.values()) => len(counts)
    - capitals are folded: `The` and `the` are one word with you. Here a word is counted as it is written.
          in words: => in [word.lower() for word in words]:
    - the share of sentences with the word: These do not sum to one. How many labels does a sentence supply?
          in words: => in set(words):
          sum(counts.values()) => len(sentences)
    - each word counts once per sentence: A word that occurs twice in a sentence supplies two labels; you count it once.
          in words: => in set(words):
    - a mean of each sentence's shares: Right when all sentences are equally long. You average over sentences, so that a
      word in a short one weighs more; here every word weighs the same.
          0) + 1 => 0) + 1 / len(words)
       or 0) + 1 => 0) + 1 / len(words)
          sum(counts.values()) => len(sentences)
    - every count is one too small: A word that occurs once has the share 0. What is a word's count when first met?
          0) + 1 => -1) + 1
          sum(counts.values()) => sum(map(len, sentences))
       or 0) + 1 => -1) + 1
    - all words have the same share: That is the player who knows which words exist. What has been learned by counting?
          count / total => 1 / len(counts)
    - one sentence alone is counted: Your shares are those of the last sentence, or of the first. Does the count begin
      anew with every sentence, or end with the first?
          in sentences: => in sentences[-1:]:
       or in sentences: => in sentences[:1]:
    - a count is that of one sentence: Right where no word stands in two sentences. What is a count added to?
          counts.get(word, 0) + 1 => words.count(word)
    - the full stop is left out: A blank may be at any place, and here a full stop is a word like others.
          in words: => in [word for word in words if word != "."]:
       or in words: => in [word for word in words if word != "."]:
          sum(counts.values()) => sum(map(len, sentences))
    """,
    hints="""
    - If any word may be hidden, how often will the answer be `the`? As often as it stands in the text.
    - Two numbers are needed: how often each word occurs in all sentences together, and how many words there are in all.
    - Count with one dict for all sentences (collections.Counter does it), and divide each count by their sum at the
      very end.
    """,
)

EXERCISES = (ONE_PAIR, ALL_PAIRS, SEVERAL_BLANKS, GUESS, SCORE, UNIGRAM)
