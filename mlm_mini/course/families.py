"""Mistakes that recur, each with the one sentence that is said to it wherever it is made."""

FAMILIES = """
- the labels are read after hiding: Your labels say [MASK]: by the time you look, the word is gone. In which order must
  the two steps come?
- counting starts at one: You hide the word before the one that is asked for. Python counts places from 0.
- the words behind the blank are dropped: Your input ends at the blank, which is how a model that writes from left to
  right is asked. Here the reader may look at both sides.
- the word after the blank is lost: Your input is one word shorter than the sentence: it goes on with the second word
  after the blank. At which place do the words on the right begin?
- every copy of the word is hidden: Where a word occurs twice, you hide both. A blank is a place in the sentence, not a
  word of it.
- input and label are swapped: You give the answer before its question. In which order are input and label asked for?
- another copy of the word is hidden: Right while words are distinct; where one occurs twice, you hide the same copy
  whichever is asked for. You know the place already and need not search for it.
- bits: Your numbers are larger by 1 / ln 2 = 1.44: you took logarithms to base 2. The course counts in nats, so the
  logarithm is the natural one.
- the logarithm of a finished softmax: A word 1000 behind the leader costs 1000 nats; you say inf, because its
  probability underflowed to 0 before you took its logarithm. Which function of chapter 01 takes the logarithm before
  anything can underflow?
- a small number added inside the logarithm: No surprisal of yours goes far beyond 20 or 30 nats, so a model is told
  that its worst guesses are all alike. Which function of chapter 01 needs no such number?
- a small number in the logarithm: Close, and not equal: with a small number added, every entropy is a little off, not
  only where there is a zero. What could be left out, so that nothing has to be added?
- -100 looked up as a word: Right while every position has a label; otherwise an error, because no word has that id.
  -100 is a mark, not a token: which positions have to leave before anything is looked up?
- token 0 ignored as well: Right until a label is 0: you leave that position out, but 0 is a token id like any other.
  Which one value means that nothing is predicted?
- NaN when nothing is selected: With no label at all you divide 0 by 0, and NumPy calls that NaN. One such batch would
  spoil every weight of a model. What does the docstring ask for where nothing is selected?
- NaN and infinity patched over: The NaN is gone, but where inf is the answer you give the largest number a computer
  has, which looks like a measurement. Which one case did you want to mend?
- infinite surprisals left out: A true word that was called impossible costs inf, and your average passes over it.
  Should the worst guess of all go unpunished?
- a sum where a mean is meant: With twice as many positions your loss is twice as large, so the length of a batch would
  set the size of every step. What is still to be done to a sum, to make it a mean?
- averages over all positions: You divide by all positions, so that padding would look like progress. The mean is over
  the selected positions alone: how many are there?
- divided by the number of sentences: The length of the labels counts sentences or, where they have a single axis, all
  positions, labeled or not. The mean is over the positions with a label: how many are there?
- every label at every position: Each position is given the labels of all positions. How do you pair position k with
  label k alone?
- the wrong positions are chosen: You keep the positions that are to be left out, and drop those that count. What does
  the mark of a position say?
- a small number added to what is divided by: A little too small: to keep the number below the line from being 0, you
  made it too large everywhere else. When is the number below the line 0, and what should then be the answer?
- every word counts the same: A rare word adds its full share, however rarely it comes. An average over what happens
  weighs each word by what?
- summed along the first axis: Right for a single row. With several you add up different blanks, word by word. Along
  which axis does each blank have its words?
- the second axis, wherever the words are: Right for a table of rows, an error for a single row, and with sentences and
  positions you add up the positions. The words always lie along the last axis: how is that one counted from the end?
- one number for all rows: You add up the rows. Each row is a blank of its own, with a number of its own: along which
  axis do the words lie?
- the maxima lost their axis: The maxima lost their axis. NumPy lined them up with the columns: an error for two rows of
  three, and in a square array each row had another row's maximum subtracted. Which argument of max keeps an axis of
  length 1?
- the sums lost their axis: The maxima are right. NumPy lined up your sums with the columns: an error for two rows of
  three, and in a square array each row meets another row's sum. Which argument of sum keeps an axis of length 1?
- the maxima and the sums lost their axis: NumPy lined up your maxima and your sums with the columns: an error for two
  rows of three, and in a square array each row gets another row's. Which argument of max and of sum keeps an axis of
  length 1?
- the axis is always the last: Right as long as the tokens lie along the last axis, but `axis` is never used. Which of
  your calls need `axis`?
- every axis of length 1 is removed: The numbers are right, but a batch of one sentence, or sentences of one position,
  lost their axis too. Only one axis should go: how can you name the one you mean?
- axes are counted from the front: Right for some numbers of axes only: with sentences or heads in front, axis 1 is
  another one. Counted from the end, axes have the same place whatever stands before them.
- every axis is turned round: Right without leading dimensions, but .T reverses all axes, those of sentences and heads
  included. Only the last two axes are to change places.
- True and False are swapped: You mark what may not be seen. A mask of this course is True where something may be seen.
- numbers where truth values are needed: Zeros and ones look like a mask, but they are numbers: ~ turns 1 into -2, and
  np.where takes them only by luck. Return booleans.
- numbers that are to be added to the scores: 0 and a large negative number is the other custom, for masks that are
  added. Here a mask is True where a key may be seen.
- the mask is ignored: Right without a mask. With one, hidden keys are read as well. How far does the mask get in your
  code?
- no maximum subtracted in the softmax: Right for small scores, NaN for large ones: exp overflows. Chapter 01 has a
  softmax for scores of any size.
- the sum has lost its axis: The sum over the keys is one number for each query. Without an axis for the keys NumPy
  lines it up with the columns, and each row meets the sums of others. Which argument of sum keeps an axis of length 1?
- a query that sees nothing becomes NaN: Right wherever something can be seen. A row of minus infinities has no
  distribution, it is 0 / 0; one such row spoils every later sum. A query that sees nothing reads nothing: zeros.
- the scores are not scaled: Your weights are too sharp, and the more so the wider the head. What keeps the size of a
  dot product from growing with d?
- multiplied where it should be divided: The root of d is there to make the scores, and their gradient, smaller: on
  which side of the fraction does it stand?
- the mask is turned round: You read what should be hidden and hide the rest. True means that a key may be seen.
- H makes no difference: All heads are one in your answer. Each head needs a softmax of its own.
- a bracket is missing: Multiplication and division come before addition and subtraction. Which terms belong together?
- scaled by d, not by its root: Your weights are too even. A sum of d random products grows like the square root of d,
  so that is what undoes it.
- divided by n: Your variance is too small by (n - 1) / n: the draws lie closer to their own mean than to the true one,
  which nobody knows. How many deviations are free, when they sum to zero?
- the mean is still in it: You measure how long the gradients are, not how they scatter. A gradient that is always the
  same has no noise.
- the mean over the weights: You average over the weights. What does a trace do with the variances of all weights?
- each row is centered by itself: You take the mean of each gradient's own entries. What scatters is one weight from row
  to row: along which axis does its mean go?
- one mean for all weights: You subtract one number, the mean of everything. Each weight has a mean of its own: along
  which axis?
- the digits cancel: Right near zero. Far from it you subtract two large numbers that agree in all digits they have, and
  nothing is left. What can be subtracted before anything is squared?
- two scatters instead of one: Your error adds the scatter of both sides. But the two belong together, pair by pair, and
  what makes both of a pair large drops out of their difference. What scatters when each pair is subtracted first?
- the scatter of single values: Your interval says where one more value would lie. The interval of a mean is narrower,
  by the root of how many values there are.
- divided by n instead of its root: The error of a mean shrinks with the root of the number of values: four times as
  many halve it.
- 1.96 for a few values: 1.96 belongs to many values. The standard deviation of a few is itself uncertain, and t makes
  up for it: the interval is wider.
- one standard error: One standard error to either side catches the mean 68 times in 100. How many standard errors
  catch the mean 95 times in 100?
- the variance in place of its root: A variance has the square of the unit: only its root may be added to a mean.
- no logs: A line through ratio and variance: but 1 / ratio is no line there. On which axes is a power a line?
- a log on one axis only: One of your axes has a log and the other has none. On which sides of log v = log c + a log r
  stands a log?
- logs to one base, and back by another: The exponential and the logarithm have different bases. Which power undoes the
  logarithm that you take?
- the answer is cut off from the graph: The numbers are right, but at one of the arguments, or at all of them, no
  gradient arrives: whatever made it would never learn. What in your code turns a tensor into mere numbers?
- no LayerNorm: Your numbers are not normalized. Where in the equation does the LayerNorm stand, with its gain and bias?
- gain or bias is missing: The normalized numbers are right. The learned gain and bias still have to be applied, both of
  them.
- the variance divides by D - 1: Your numbers are a little too small. It is the variance of the D numbers that are
  there, not an estimate of that of others. By what does a LayerNorm's variance divide, and by what does PyTorch's var?
- no eps inside the root: Right until the numbers lie close together. Before the root is taken, eps is added to the
  variance.
- an eps of 1e-5: Nearly right, off by some millionths: 1e-5 is what PyTorch takes when it is not told. BERT's eps is
  1e-12.
- a matrix is turned round: A weight of shape (E, D) takes D numbers to E: its rows belong to the outputs. With x in
  front, a weight has to be turned, and F.linear does so itself.
- one matrix for queries, keys and values: Queries, keys and values have a matrix each. From D to D a block has four
  matrices: for queries, for keys, for values, and for the output.
- the attention's last layer is missing: You count three layers from D to D in a block. From D to D a block has four
  layers: for queries, for keys, for values, and one that mixes what the heads found.
- a layer of the feed-forward part is missing: A block has one layer from D to inner, and one back from inner to D.
- the feed-forward part is taken to be 4 D wide: Right for BERT, in which it is. Which argument says how wide the
  feed-forward part is?
- there is only one block: Right for one block. There are L blocks, each with weights of its own.
- the head's dense layer is missing: Before the decoder the head has a dense layer, from D to D.
- the mean of the sentences' means: A sentence with one token counts as much as one with five, so a token in a short
  sentence counts for more. Every token is to count the same.
- the caller's arrays are changed: An array that was handed in is no longer what it was, and whoever uses it next is
  misled. Which of your lines writes into an array of the caller's, and into what could it write instead?
- rng is never used: Every call gives the same answer, because a generator of your own starts from the same seed each
  time, as if there were no luck at all. Draw from the generator that is handed in.
- the draw cannot be repeated: The shares are right, but the same seed gives another answer each time. Draw from the
  generator that is handed in and from no other, so that an experiment can be run again.
- a generator of one's own: Your luck comes from another generator than the one that is handed in. Made anew with a
  fixed seed it gives the same answer at every call; otherwise nobody can repeat what it gave. Draw from rng alone.
- every sentence gets the same positions: The share is right, yet in each draw all sentences of a length lose the same
  positions. How many random numbers are needed: one for each position, or one for each position of each sentence?
- the split comes out 81/10/9: Nearly right, and easily overlooked: [MASK] gets 81%, not 80%. A share of what an earlier
  draw has left over is not the same share of all. One draw can decide among all three.
- the split comes out 80/2/18: After 80% have become [MASK], you replace a tenth of the rest, which is 2% of all (or
  both draws hit the same token, and [MASK] wins). What share of the remaining 20% would be a tenth of all?
- the split comes out 72/10/18: [MASK] gets 72%: the random words took their tenth out of its share, by overwriting it
  or by coming first. The three fates must exclude one another, and each is a share of all.
- no token stays as it is: Every selected token that is not [MASK] is random: the third fate has been lost. Where does
  the interval of the second end?
- special ids taken for the first ones: Right where the special tokens come first, wrong where they are scattered, as
  BERT's are, with ordinary ids below and between them. An id says nothing by its size: is it among the special ones?
- a label at every position: Every position is asked for. The visible words are in the input, and copying them is no
  achievement: where nothing is hidden nothing is to be predicted.
- another number where -100 is needed: The loss skips -100 and nothing else. 0 is the id of a token, [PAD], and -1 is no
  id either, but as an index it means the last token.
- the sentences are overwritten: The array that was handed in has changed, and with it the labels that others will read
  from it. Work on a copy.
- one replacement for many tokens: Within a sentence all random replacements are the same word, or in all sentences.
  Each token needs a draw of its own.
- labels where nothing is hidden: The labels stand at the visible words: selected and not selected have changed places.
- the excluded tokens are taken out: Your answer is shorter than the vocabulary, so that ids no longer fit: each token
  keeps its place, whatever its probability. What can stand at the place of one that is excluded?
- places in the list taken for ids: Your replacements are places in the list to draw from. Which id stands at each?
"""
