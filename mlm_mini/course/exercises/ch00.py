"""Chapter 00, Fill in the blanks: text turned into questions with answers, and what a guess costs."""

import math
from collections import Counter

from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.languages.cloze import all_pairs, guess_distribution, one_pair, score, several_blanks, unigram

MASK = "[MASK]"
FOX = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."]
CHEF = ["the", "chef", "cuts", "the", "bread", "."]
CATS = ["the", "cat", "chased", "the", "cat", "."]
TWICE = ["the", "cat", "the"]


def hide(words, positions):
    return [MASK if i in positions else word for i, word in enumerate(words)]


def hide_all(words, hidden):
    return [MASK if word == hidden else word for word in words]


# ---------------------------------------------------------------- 00.one-pair


def hides_in_place(words, index):
    label = words[index]
    words[index] = MASK
    return words, label


def reads_label_after_hiding(words, index):
    input_words = list(words)
    input_words[index] = MASK
    return input_words, input_words[index]


def gives_the_list_a_second_name(words, index):
    input_words = words
    input_words[index] = MASK
    return input_words, words[index]


def removes_the_word(words, index):
    return words[:index] + words[index + 1 :], words[index]


def inserts_the_mask(words, index):
    return [*words[:index], MASK, *words[index:]], words[index]


def ends_at_the_blank(words, index):
    return [*words[:index], MASK], words[index]


def counts_from_one(words, index):
    place = range(len(words))[index - 1]  # Python takes -1 for the last
    return hide(words, [place]), words[place]


def hides_every_copy(words, index):
    return hide_all(words, words[index]), words[index]


def hides_the_first_copy(words, index):
    return hide(words, [words.index(words[index])]), words[index]


def labels_with_the_index(words, index):
    return hide(words, [index]), index


def answer_first(words, index):
    return words[index], hide(words, [index])


def as_one_string(words, index):
    return " ".join(hide(words, [index])), words[index]


ONE_PAIR = Exercise(
    id="00.one-pair",
    title="One sentence, one blank, one label",
    reference=one_pair,
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
    mistakes=(
        Mistake(
            "the sentence is hidden in place",
            "Your pair is right, but the caller's sentence now has a hole in it, and the next blank would be the "
            "second. Work on a copy.",
            hides_in_place,
        ),
        Mistake(
            "the label is read after hiding",
            "Your label is [MASK] itself: by the time you look, the word is gone. In which order must the two steps "
            "come?",
            reads_label_after_hiding,
        ),
        Mistake(
            "two names for one list",
            "Your label is [MASK], and the caller's sentence has a hole in it. An assignment gives a list a second "
            "name and makes no second list: whatever is written under one name is read under both.",
            gives_the_list_a_second_name,
        ),
        Mistake(
            "the words behind the blank are dropped",
            "Your input ends at the blank, which is how a model that writes from left to right is asked. Here the "
            "reader may look at both sides.",
            ends_at_the_blank,
        ),
        Mistake(
            "the word is removed, not replaced",
            "Your input is one word shorter than the sentence, so nothing says where the gap is. Something has to "
            "stand in the word's place.",
            removes_the_word,
        ),
        Mistake(
            "[MASK] is inserted before the word",
            "Your input is one word longer than the sentence, and the answer can still be read in it, right behind "
            "the blank.",
            inserts_the_mask,
        ),
        Mistake(
            "counting starts at one",
            "You hide the word before the one that is asked for. Python counts places from 0.",
            counts_from_one,
        ),
        Mistake(
            "every copy of the word is hidden",
            "Where the word occurs twice, you hide both. The blank is a place in the sentence, not a word of it.",
            hides_every_copy,
        ),
        Mistake(
            "the first copy of the word is hidden",
            "Right while words are distinct; where one occurs twice, you hide the first whichever is asked for. You "
            "know the place already and need not search for it.",
            hides_the_first_copy,
        ),
        Mistake(
            "the label is the place",
            "Your label is a number, the place of the blank. The reader can see that; what it must say is the word.",
            labels_with_the_index,
        ),
        Mistake(
            "label and input are swapped",
            "You return the label first. The question comes before its answer: (input_words, label).",
            answer_first,
        ),
        Mistake(
            "the input is joined into one string",
            "Your input is a single string. Keep it a list of words, so that place i of the input is place i of the "
            "sentence.",
            as_one_string,
        ),
    ),
    hints=(
        (
            "Two things are wanted from one sentence: the sentence with a hole, and what was in the hole. Which is at "
            "risk of being lost?"
        ),
        ("`b = a` does not copy a list: both names mean the same one. What makes a second list with the same words?"),
        (
            "Take a copy of words, put the text [MASK] at the place index of the copy, and read the label from the "
            "original."
        ),
    ),
)


# ---------------------------------------------------------------- 00.all-pairs


def blanks_pile_up(words):
    input_words, pairs = list(words), []
    for index, word in enumerate(words):
        input_words[index] = MASK
        pairs.append((list(input_words), word))
    return pairs


def same_list_in_every_pair(words):
    input_words, pairs = list(words), []
    for index, word in enumerate(words):
        input_words[index] = MASK
        pairs.append((input_words, word))
    return pairs


def forgets_the_last(words):
    return [(hide(words, [i]), words[i]) for i in range(len(words) - 1)]


def skips_the_first(words):
    return [(hide(words, [i]), words[i]) for i in range(1, len(words))]


def one_list_is_the_callers(words):
    pairs = []
    for index, word in enumerate(words):
        words[index] = MASK
        pairs.append((words, word))
    return pairs


def one_list_and_its_labels(words):
    pairs = []
    for index in range(len(words)):
        words[index] = MASK
        pairs.append((words, words[index]))
    return pairs


def blanks_pile_up_in_place(words):
    pairs = []
    for index, word in enumerate(words):
        words[index] = MASK
        pairs.append((list(words), word))
    return pairs


def labels_read_after_hiding(words):
    return [(hide(words, [i]), MASK) for i in range(len(words))]


def one_per_distinct_word(words):
    return [(hide(words, [words.index(word)]), word) for word in dict.fromkeys(words)]


def one_per_distinct_word_all_hidden(words):
    return [(hide_all(words, word), word) for word in dict.fromkeys(words)]


def first_copy_every_time(words):
    return [(hide(words, [words.index(word)]), word) for word in words]


def every_copy_every_time(words):
    return [(hide_all(words, word), word) for word in words]


def hides_what_follows(words):
    return [([*words[:index], MASK], word) for index, word in enumerate(words)]


def inputs_beside_labels(words):
    return [hide(words, [i]) for i in range(len(words))], list(words)


ALL_PAIRS = Exercise(
    id="00.all-pairs",
    title="Every pair that a sentence supplies",
    reference=all_pairs,
    minutes=6,
    cases=(
        Case("a sentence of two words", (["birds", "sing"],)),
        Case("a sentence of a single word", (["stop"],)),
        Case("a word that occurs twice", (TWICE,)),
        Case("the chef's sentence", (CHEF,)),
        Case("no words at all", ([],)),
        Case("a sentence of ten words", (FOX,)),
    ),
    mistakes=(
        Mistake(
            "blanks pile up",
            "Your first pair has one blank, the second two, and the last nothing but blanks: each pair starts from "
            "the sentence that the pair before it left behind.",
            blanks_pile_up,
            variants=(blanks_pile_up_in_place,),
        ),
        Mistake(
            "one list stands in every pair",
            "All your inputs are equal and consist of [MASK] alone: they are one list, changed again and again. When "
            "is a new list made?",
            same_list_in_every_pair,
            variants=(one_list_is_the_callers, one_list_and_its_labels),
        ),
        Mistake(
            "the labels are read after hiding",
            "Your labels are [MASK] itself: by the time you look, the word is gone. In which order must the two steps "
            "come?",
            labels_read_after_hiding,
        ),
        Mistake(
            "the last word is never hidden",
            "You return one pair too few: the last word never gets its turn. Look at where the count of places ends.",
            forgets_the_last,
        ),
        Mistake(
            "the first word is never hidden",
            "You return one pair too few: the first word never gets its turn. Look at where the count of places "
            "begins.",
            skips_the_first,
        ),
        Mistake(
            "one pair for each distinct word",
            "Where a word occurs twice, a pair is missing. The same word at another place is another question.",
            one_per_distinct_word,
            variants=(one_per_distinct_word_all_hidden,),
        ),
        Mistake(
            "the first copy of the word is hidden",
            "Where a word occurs twice, you hide the first both times, because a search for a word stops at the first. "
            "Count the places as you go, and there is nothing to search for.",
            first_copy_every_time,
        ),
        Mistake(
            "every copy of the word is hidden",
            "Where a word occurs twice, you hide both at once. The blank is a place in the sentence, not a word of it.",
            every_copy_every_time,
        ),
        Mistake(
            "the words behind the blank are dropped",
            "Your inputs end at the blank, which is how a model that writes from left to right is asked. Here the "
            "reader may look at both sides.",
            hides_what_follows,
        ),
        Mistake(
            "inputs and labels in two lists",
            "You return all inputs, then all labels. Keep each label with its own input: a list of pairs.",
            inputs_beside_labels,
        ),
    ),
    hints=(
        "How many pairs does a sentence of six words supply? The answer is the length of your list.",
        "You have written one pair already. What changes from one pair to the next, and what must not?",
        (
            "Walk over the places 0, 1, ... of the sentence; at each, start from the untouched sentence again and "
            "append one (input_words, label) to a list."
        ),
    ),
)


# ---------------------------------------------------------------- 00.several-blanks


def labels_of_blanks_only(words, positions):
    return hide(words, positions), [word for i, word in enumerate(words) if i in positions]


def labels_of_blanks_in_their_order(words, positions):
    return hide(words, positions), [words[i] for i in positions]


def labels_everywhere(words, positions):
    return hide(words, positions), list(words)


def labels_where_visible(words, positions):
    return hide(words, positions), [None if i in positions else word for i, word in enumerate(words)]


def labels_from_the_input(words, positions):
    return hide(words, positions), [MASK if i in positions else None for i in range(len(words))]


def labels_from_the_callers_list(words, positions):
    labels = labels_from_the_input(words, positions)[1]
    for i in positions:
        words[i] = MASK
    return words, labels


def another_sign(sign):
    def labels_with_another_sign(words, positions):
        return hide(words, positions), [word if i in positions else sign for i, word in enumerate(words)]

    return labels_with_another_sign


def masks_as_labels_elsewhere(words, positions):
    return hide(words, positions), [word if i in positions else MASK for i, word in enumerate(words)]


def stops_after_one(words, positions):
    labels = [None] * len(words)
    for i in positions:
        labels[i] = words[i]
        return hide(words, [i]), labels
    return list(words), labels


def returns_inside_the_loop(words, positions):
    return stops_after_one(words, positions) if positions else None


def hides_several_in_place(words, positions):
    labels = [word if i in positions else None for i, word in enumerate(words)]
    for i in positions:
        words[i] = MASK
    return words, labels


def hides_all_copies(words, positions):
    hidden = {words[i] for i in positions}
    return [MASK if word in hidden else word for word in words], [word if word in hidden else None for word in words]


def hides_all_copies_asks_for_one(words, positions):
    labels = [word if i in positions else None for i, word in enumerate(words)]
    return hides_all_copies(words, positions)[0], labels


def with_labels(words, positions):
    return hide(words, positions), [word if i in positions else None for i, word in enumerate(words)]


def uses_up_the_positions(words, positions):
    answer = with_labels(words, positions)
    positions.clear()
    return answer


def sorts_the_positions(words, positions):
    positions.sort()
    return with_labels(words, positions)


def labels_in_a_dict(words, positions):
    return hide(words, positions), {i: words[i] for i in positions}


SEVERAL_BLANKS = Exercise(
    id="00.several-blanks",
    title="Several blanks at once",
    reference=several_blanks,
    minutes=6,
    cases=(
        Case("one blank in two words", (["birds", "sing"], [0])),
        Case("two blanks", (CHEF, [1, 4])),
        Case("two blanks, the later one named first", (CHEF, [4, 1])),
        Case("no blank at all", (CHEF, [])),
        Case("nothing but blanks", (CHEF, [0, 1, 2, 3, 4, 5])),
        Case("one of two equal words", (CATS, [1])),
        Case("three neighbors in a sentence of ten words", (FOX, [3, 4, 5])),
    ),
    mistakes=(
        Mistake(
            "labels for the blanks alone",
            "Your labels are shorter than the input, so that label i no longer belongs to place i. Keep the length, "
            "and let None say that nothing is asked.",
            labels_of_blanks_only,
            variants=(labels_of_blanks_in_their_order,),
        ),
        Mistake(
            "labels for every word",
            "Your labels name the visible words too. A reader would be rewarded for copying what it can see: where "
            "nothing is hidden, nothing is asked.",
            labels_everywhere,
        ),
        Mistake(
            "labels where the words are visible",
            "Your labels are None at the blanks and words elsewhere: the wrong way round.",
            labels_where_visible,
        ),
        Mistake(
            "the labels are read from the input",
            "Your labels say [MASK] at the blanks. They must come from the sentence as it was, before anything was "
            "hidden.",
            labels_from_the_input,
            variants=(labels_from_the_callers_list,),
        ),
        Mistake(
            "another sign than None where nothing is asked",
            "Your blanks are right, but something other than None stands at the visible places. Code that reads your "
            "labels asks whether there is one, and None is what says that there is not. (The number -100 comes with "
            "chapter 03, when all labels are numbers.)",
            another_sign(-100),
            variants=tuple(another_sign(sign) for sign in ("", "None", "-100", -1, 0, False)),
        ),
        Mistake(
            "[MASK] where nothing is asked",
            "Your labels say [MASK] at the visible places. That is a token like others; None is what cannot be "
            "mistaken for an answer.",
            masks_as_labels_elsewhere,
        ),
        Mistake(
            "only one blank is made",
            "You hide the first position of the list and no other. Is something returned before the loop is through?",
            stops_after_one,
            variants=(returns_inside_the_loop,),
        ),
        Mistake(
            "a list of the caller's is changed",
            "Your answer is right, but one of the two lists that you were given is not as it was: the sentence is full "
            "of holes, or the positions are sorted or used up. Work on a copy.",
            hides_several_in_place,
            variants=(uses_up_the_positions, sorts_the_positions),
        ),
        Mistake(
            "every copy of a hidden word is hidden",
            "Where a word occurs twice, you hide both. A blank is a place in the sentence, not a word of it.",
            hides_all_copies,
            variants=(hides_all_copies_asks_for_one,),
        ),
        Mistake(
            "labels in a dict",
            "Your labels are a dict from place to word. It holds what is needed; a list as long as the input is what "
            "becomes an array later.",
            labels_in_a_dict,
        ),
    ),
    hints=(
        (
            "Two lists come back, both as long as the sentence. What stands at a place that is hidden, in each? And "
            "at one that is not?"
        ),
        "Start with a copy of the words and with a list of as many None, and change both at the positions alone.",
        "For each position: the copy gets the text [MASK] there, and the list of None gets the original word there.",
    ),
)


# ---------------------------------------------------------------- 00.guess

PETS = ["cat", "dog", "mouse"]
ANIMALS = ["cow", "cat", "hen", "dog", "pig", "fox"]


def shares_among_all(guess, confidence, words):
    rest = (1 - confidence) / len(words)
    return {word: confidence if word == guess else rest for word in words}


def subtracts_after_dividing(guess, confidence, words):
    rest = (1 - confidence) / len(words) - 1
    return {word: confidence if word == guess else rest for word in words}


def guess_gets_a_share_too(guess, confidence, words):
    rest = (1 - confidence) / len(words)
    return {word: confidence + rest if word == guess else rest for word in words}


def nothing_for_the_others(guess, confidence, words):
    return {word: confidence if word == guess else 0.0 for word in words}


def others_get_all_of_it(guess, confidence, words):
    return {word: confidence if word == guess else 1 - confidence for word in words}


def only_the_guess(guess, confidence, words):
    return {guess: confidence}


def others_get_the_confidence(guess, confidence, words):
    return {word: 1 - confidence if word == guess else confidence / (len(words) - 1) for word in words}


def word_is_part_of_the_guess(guess, confidence, words):
    rest = (1 - confidence) / (len(words) - 1)
    return {word: confidence if word in guess else rest for word in words}


def guess_is_part_of_the_word(guess, confidence, words):
    rest = (1 - confidence) / (len(words) - 1)
    return {word: confidence if guess in word else rest for word in words}


def takes_the_guess_out(guess, confidence, words):
    words.remove(guess)
    return {guess: confidence} | dict.fromkeys(words, (1 - confidence) / len(words))


GUESS = Exercise(
    id="00.guess",
    title="A guess with a confidence is a distribution",
    reference=guess_distribution,
    minutes=6,
    cases=(
        Case("a confident guess among three words", ("dog", 0.8, PETS)),
        Case("two words, nothing known", ("yes", 0.5, ["yes", "no"])),
        Case("certainty", ("cat", 1.0, PETS)),
        Case("a guess that its own player rules out", ("cat", 0.0, PETS)),
        Case("the last of six words", ("fox", 0.25, ANIMALS)),
        Case("words that are parts of each other", ("at", 0.6, ["a", "at", "cat"])),
        Case("411 words", ("w7", 0.3, [f"w{i}" for i in range(411)])),
    ),
    mistakes=(
        Mistake(
            "the rest is divided by all words",
            "Your probabilities sum to less than one. How many words are there to share what the guess leaves?",
            shares_among_all,
        ),
        Mistake(
            "one is subtracted after the division",
            "Your other words have negative probabilities: a division is carried out before the subtraction that "
            "follows it. What is to be divided by what?",
            subtracts_after_dividing,
        ),
        Mistake(
            "the guess takes part in the rest",
            "Your probabilities sum to one, but the guess has more than the confidence that was set: it also got a "
            "share of what it left to the others.",
            guess_gets_a_share_too,
        ),
        Mistake(
            "nothing is left for the others",
            "Every other word has probability 0, so a wrong guess costs infinitely much. Who gets what the guess "
            "leaves?",
            nothing_for_the_others,
        ),
        Mistake(
            "each of the others gets all of the rest",
            "Your probabilities sum to more than one: the rest is handed out anew to every other word.",
            others_get_all_of_it,
        ),
        Mistake(
            "the other words are missing",
            "Your dict knows the guess alone. A distribution says something of every word, or it cannot be scored "
            "when the guess is wrong.",
            only_the_guess,
        ),
        Mistake(
            "confidence and rest are swapped",
            "Your guess gets what should be left, and the others share the confidence.",
            others_get_the_confidence,
        ),
        Mistake(
            "words are searched for inside words",
            "Among `a`, `at` and `cat`, more than one word gets the confidence. Between two strings, `in` asks whether "
            "one is a part of the other; what asks whether they are the same?",
            word_is_part_of_the_guess,
            variants=(guess_is_part_of_the_word,),
        ),
        Mistake(
            "the guess is taken out of the caller's list",
            "Your distribution is right, but the caller's list has lost a word, and the next round is played without "
            "it. Work on a copy, or count the others without removing anything.",
            takes_the_guess_out,
        ),
    ),
    hints=(
        "Probabilities sum to one. The guess takes its confidence: how much is left, and for how many words?",
        "With W words there are W - 1 others, and each gets the same share of 1 - confidence.",
        "Go through the words once: the guess is given the confidence, any other word the share.",
    ),
)


# ---------------------------------------------------------------- 00.score

BREAD = {"bread": 0.5, "cheese": 0.25, "cake": 0.25}


def price(probability):
    return -math.log(probability) if probability else math.inf


def in_bits(q, answer):
    return price(q.get(answer, 0.0)) / math.log(2)


def in_bits_unguarded(q, answer):
    return -math.log2(q[answer])


def in_tens(q, answer):
    return price(q.get(answer, 0.0)) / math.log(10)


def in_tens_unguarded(q, answer):
    return -math.log10(q[answer])


def without_the_sign(q, answer):
    return -price(q.get(answer, 0.0))


def without_the_sign_but_infinite(q, answer):
    probability = q.get(answer, 0.0)
    return math.log(probability) if probability else math.inf


def without_the_sign_unguarded(q, answer):
    return math.log(q[answer])


def without_the_sign_half_guarded(q, answer):
    return math.log(q.get(answer, 0.0))


def minus_infinity_when_impossible(q, answer):
    probability = q.get(answer, 0.0)
    return price(probability) if probability else -math.inf


def entropy_of_q(q, answer):
    return sum(probability * price(probability) for probability in q.values() if probability)


def entropy_unguarded(q, answer):
    return -sum(probability * math.log(probability) for probability in q.values())


def one_minus_probability(q, answer):
    return 1.0 - q.get(answer, 0.0)


def weighted_by_itself(q, answer):
    probability = q.get(answer, 0.0)
    return probability * price(probability) if probability else 0.0


def of_the_best_guess(q, answer):
    return price(max(q.values()))


def key_error_when_not_listed(q, answer):
    return price(q[answer])


def log_of_zero(q, answer):
    return -math.log(q.get(answer, 0.0))


def log_of_zero_or_nothing(q, answer):
    return -math.log(q[answer])


def clipped_at(least):
    def clipped(q, answer):
        return price(max(q.get(answer, 0.0), least))

    return clipped


def raised_by(amount):
    def raised(q, answer):
        return price(q.get(answer, 0.0) + amount)

    return raised


def free_when_impossible(q, answer):
    return price(q.get(answer, 0.0) or 1.0)


SCORE = Exercise(
    id="00.score",
    title="The price of a guess, in nats",
    reference=score,
    minutes=6,
    cases=(
        Case("an even chance", (BREAD, "bread")),
        Case("one chance in four", (BREAD, "cake")),
        Case("certain and right", ({"the": 1.0, "a": 0.0}, "the")),
        Case("a word with probability 0", ({"the": 1.0, "a": 0.0}, "a")),
        Case("a word that q does not list", (BREAD, "soup")),
        Case("one chance in a million", ({"common": 1 - 1e-6, "rare": 1e-6}, "rare")),
        Case("a probability of 1e-300", ({"common": 1.0, "rare": 1e-300}, "rare")),
    ),
    mistakes=(
        Mistake(
            "the score is in bits",
            "You took the logarithm to base 2, so an even chance costs 1 bit. In nats, with the natural logarithm, it "
            "costs 0.693.",
            in_bits,
            variants=(in_bits_unguarded,),
        ),
        Mistake(
            "the logarithm is to base 10",
            "An even chance costs 0.301 with your logarithm: its base is 10. A nat belongs to the natural logarithm.",
            in_tens,
            variants=(in_tens_unguarded,),
        ),
        Mistake(
            "the sign is missing",
            "Your scores are negative: the logarithm of a probability is never above 0, and a price should not be "
            "below it.",
            without_the_sign,
            variants=(without_the_sign_but_infinite, without_the_sign_unguarded, without_the_sign_half_guarded),
        ),
        Mistake(
            "the price of the impossible is minus infinity",
            "Less is better, so that minus infinity rewards whoever ruled the truth out beyond measure. Towards which "
            "end does the score go as the probability shrinks?",
            minus_infinity_when_impossible,
        ),
        Mistake(
            "one minus the probability",
            "Your worst score is 1. A chance of one in a million then costs hardly more than one in four: what would "
            "make each halving of the chance cost the same?",
            one_minus_probability,
        ),
        Mistake(
            "weighted by the probability",
            "You multiply by the probability once more, as in an entropy, which is a mean over answers. Here one "
            "answer has come true and is paid in full.",
            weighted_by_itself,
        ),
        Mistake(
            "the entropy of q, not the score of an answer",
            "Your score is the same whatever the answer is: it is what q expects to pay on average. Here one answer "
            "has come true; how much did q give to that one?",
            entropy_of_q,
            variants=(entropy_unguarded,),
        ),
        Mistake(
            "the best guess is scored, not the answer",
            "You score the word that q likes most. What counts is how much q gave to the word that was there.",
            of_the_best_guess,
        ),
        Mistake(
            "a word that is not listed raises KeyError",
            "Your function fails when q does not list the answer. An unlisted word has probability 0, and a price.",
            key_error_when_not_listed,
        ),
        Mistake(
            "the logarithm of zero raises ValueError",
            "math.log(0) raises an error instead of answering. What does the score grow to as the probability shrinks "
            "to 0?",
            log_of_zero,
            variants=(log_of_zero_or_nothing,),
        ),
        Mistake(
            "the probability is kept away from zero",
            "A floor under the probability, or a small number added to it, gives the impossible a finite price, and "
            "the very unlikely a wrong one. The honest price of what was ruled out is infinite.",
            clipped_at(1e-12),
            variants=tuple(
                change(10.0**-power) for power in (6, 8, 9, 10, 12, 15, 16, 20) for change in (clipped_at, raised_by)
            ),
        ),
        Mistake(
            "the impossible is free",
            "A word with probability 0 costs nothing with you, so that ruling out the truth is the best of all moves.",
            free_when_impossible,
        ),
    ),
    hints=(
        "Look up how much q gave to the answer; all other words are of no interest any more.",
        (
            "The price is 0 when that probability is 1, and grows by 0.693 with every halving. Which function turns "
            "halvings into steps?"
        ),
        (
            "It is minus the natural logarithm. Treat 0 on its own: the dict's get can supply it for a word that is "
            "not there, and math.inf is the price."
        ),
    ),
)


# ---------------------------------------------------------------- 00.unigram


def counts_not_shares(sentences):
    return {word: float(count) for word, count in Counter(word for words in sentences for word in words).items()}


def share_of_sentences(sentences):
    counts = Counter(word for words in sentences for word in set(words))
    return {word: count / len(sentences) for word, count in counts.items()}


def per_sentence_counts_normalized(sentences):
    counts = Counter(word for words in sentences for word in set(words))
    return {word: count / counts.total() for word, count in counts.items()}


def mean_of_sentence_shares(sentences):
    shares: Counter = Counter()
    for words in sentences:
        for word in words:
            shares[word] += 1 / len(words) / len(sentences)
    return dict(shares)


def per_sentence(sentences):
    counts = Counter(word for words in sentences for word in words)
    return {word: count / len(sentences) for word, count in counts.items()}


def per_distinct_word(sentences):
    counts = Counter(word for words in sentences for word in words)
    return {word: count / len(counts) for word, count in counts.items()}


def capitals_folded(sentences):
    counts = Counter(word.lower() for words in sentences for word in words)
    return {word: count / counts.total() for word, count in counts.items()}


def all_words_alike(sentences):
    distinct = {word for words in sentences for word in words}
    return dict.fromkeys(distinct, 1 / len(distinct))


def last_sentence_only(sentences):
    counts = Counter(sentences[-1])
    return {word: count / counts.total() for word, count in counts.items()}


UNIGRAM = Exercise(
    id="00.unigram",
    title="A first model: count the labels",
    reference=unigram,
    minutes=7,
    cases=(
        Case("one sentence", ([CATS],)),
        Case("two sentences of unequal length", ([["birds", "sing"], CHEF],)),
        Case("a single word", ([["stop"]],)),
        Case("capitals", ([["The", "the"]],)),
        Case("three sentences", ([CHEF, CATS, FOX],)),
        Case("one with no words among others", ([[], ["a", "b"], ["a"]],)),
        Case("100 sentences", ([[f"w{i % k}" for i in range(k + 3)] for k in range(2, 102)],)),
    ),
    mistakes=(
        Mistake(
            "counts, not shares",
            "Your numbers are counts; they sum to the number of words. Probabilities sum to one.",
            counts_not_shares,
        ),
        Mistake(
            "divided by the number of sentences",
            "Your numbers are how often a word occurs per sentence, which may be more than 1. Divide by the number of "
            "words in all sentences.",
            per_sentence,
        ),
        Mistake(
            "divided by the number of distinct words",
            "Your numbers sum to more than one wherever a word occurs twice: you divide by how many different words "
            "there are. How many places could the blank be at?",
            per_distinct_word,
        ),
        Mistake(
            "capitals are folded",
            "`The` and `the` are one word with you. Whether that is wise is for whoever prepares the text to decide; "
            "here a word is counted as it is written.",
            capitals_folded,
        ),
        Mistake(
            "the share of sentences with the word",
            "Your number for a word is the share of sentences that hold it, and these do not sum to one. A word that "
            "occurs twice in a sentence supplies two labels.",
            share_of_sentences,
        ),
        Mistake(
            "each word once per sentence",
            "Your shares sum to one, but a word that occurs twice in a sentence is counted once. Every place is a "
            "label.",
            per_sentence_counts_normalized,
        ),
        Mistake(
            "a mean of each sentence's shares",
            "Right when all sentences are equally long. You average over sentences, so that a word in a short one "
            "weighs more; here every word weighs the same.",
            mean_of_sentence_shares,
        ),
        Mistake(
            "all words alike",
            "Every word has the same probability with you: that is the player who knows which words exist, and has "
            "counted nothing.",
            all_words_alike,
        ),
        Mistake(
            "only the last sentence is counted",
            "Your shares are those of the last sentence. Is the count begun anew with every sentence?",
            last_sentence_only,
        ),
    ),
    hints=(
        "If any word may be hidden, how often will the answer be `the`? As often as it stands in the text.",
        (
            "Two numbers are needed: how often each word occurs in all sentences together, and how many words there "
            "are in all."
        ),
        (
            "Count with one dict for all sentences (collections.Counter does it), and divide each count by their sum "
            "at the very end."
        ),
    ),
)

EXERCISES = (ONE_PAIR, ALL_PAIRS, SEVERAL_BLANKS, GUESS, SCORE, UNIGRAM)
