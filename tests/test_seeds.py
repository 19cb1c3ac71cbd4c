"""No two streams of luck begin alike: what is drawn for one purpose never repeats in another."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from mlm_mini import seeds
from mlm_mini.languages import markov_language
from mlm_mini.languages.batches import SampledSentences, TextBlocks
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.model import ModelConfig
from mlm_mini.seeds import Stream, generator, torch_seed
from mlm_mini.training import TrainingConfig
from mlm_mini.training.run import Run

PACKAGE = Path(seeds.__file__).parent
FIXED = {name: getattr(seeds, name) for name in dir(seeds) if name.endswith("_SEED")}


def beginning(rng):
    return rng.integers(2**63, size=4).tobytes()


def test_no_two_streams_of_any_seeds_begin_alike():
    begun = {}
    for seed, stream in itertools.product([*range(20), *FIXED.values()], Stream):
        begun.setdefault(beginning(generator(seed, stream)), []).append((seed, stream.name))
    for seed, epoch in itertools.product(range(5), range(1, 5)):
        begun.setdefault(beginning(generator(seed, Stream.BLOCKS, epoch)), []).append((seed, "BLOCKS", epoch))
    assert not [names for names in begun.values() if len(names) > 1]


def test_every_stream_and_every_fixed_seed_has_a_number_of_its_own():
    assert len({stream.value for stream in Stream}) == len(Stream.__members__)
    assert len(set(FIXED.values())) == len(FIXED)


def test_the_streams_of_one_run_are_seen_in_what_it_draws():
    """The generators that a run really uses, by what they would draw next."""
    language, config = markov_language(6), TrainingConfig(steps=1, batch_size=2, seed=7)
    source = SampledSentences(language, config.seed)
    run = Run.start(ModelConfig.tiny(len(language.vocabulary)), source, config, torch.device("cpu"))
    drawn = [source._rng.bit_generator.state, run.rng.bit_generator.state]
    expected = [generator(7, Stream.TEXT).bit_generator.state, generator(7, Stream.MASKS).bit_generator.state]
    assert drawn == expected
    assert torch_seed(7, Stream.WEIGHTS) != torch_seed(7, Stream.DROPOUT)
    assert torch.default_generator.initial_seed() == torch_seed(7, Stream.DROPOUT)


def test_the_order_of_a_second_epoch_is_not_that_of_the_masks():
    language = markov_language(6)
    words = language.vocabulary.regular_ids
    ids = np.concatenate([[language.vocabulary.cls_id], np.resize(words, 400), [language.vocabulary.sep_id]])
    blocks = TextBlocks(TokenizedText(ids, np.array([0, len(ids)])), language.vocabulary, 6, seed=3)
    blocks.next_batch(len(blocks))
    assert np.array_equal(blocks._order, generator(3, Stream.BLOCKS, 1).permutation(100))
    assert not np.array_equal(blocks._order, generator(3, Stream.MASKS).permutation(100))


@pytest.mark.parametrize("room", ["training", "experiments", "languages"])
def test_seeds_are_not_made_up_on_the_spot(room):
    """A list of numbers as a seed is a stream without a name."""
    for path in (PACKAGE / room).rglob("*.py"):
        assert not re.search(r"default_rng\(\[|PCG64\(|SeedSequence\(", path.read_text(encoding="utf-8")), path


def test_the_numbers_never_change_lest_every_result_does():
    numbers = {"TEXT": 0, "MASKS": 1, "WEIGHTS": 2, "PROBES": 3, "BLOCKS": 4, "DROPOUT": 5, "EVALUATION": 6}
    assert {stream.name: stream.value for stream in Stream} == numbers
    ratio = {"RATIO_QUESTIONS_SEED": 910, "RATIO_LOOKS_SEED": 911}
    others = {"STRATEGY_QUESTIONS_SEED": 1100, "WRITING_SEED": 1600, "TUNING_SEED": 100}
    assert {"EVALUATION_SEED": 2026} | ratio | others == FIXED


def test_what_a_stream_draws_never_changes():
    """As a list of seeds gives it to PCG64: the seed first, then the number of the stream, then the rest."""
    for numbers in ([3, 1], [3, 4, 1]):
        drawn = generator(3, *numbers[1:]).integers(1000, size=5)
        np.testing.assert_array_equal(drawn, np.random.Generator(np.random.PCG64(numbers)).integers(1000, size=5))
    assert generator(3, Stream.MASKS).integers(1000, size=5).tolist() == [978, 253, 579, 407, 772]
    assert torch_seed(3, Stream.WEIGHTS) == 960329833


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inc": 6}, "inc is 6: expected an odd number"),
        ({"inc": None}, "inc is None: expected an integer from 0 up to 2.128 - 1"),
        ({"state": True}, "state is True: expected an integer"),
        ({"more": 1}, r"the fields are .* with \['inc', 'more', 'state'\]: expected those of a PCG64"),
    ],
)
def test_a_state_that_no_generator_has_is_refused(change, message):
    rng = generator(0, Stream.MASKS)
    before = rng.bit_generator.state
    with pytest.raises(ValueError, match=message):
        seeds.set_state(rng, before | {"state": before["state"] | change})
    with pytest.raises(ValueError, match=r"the fields are \['bit_generator', 'buffer', "):
        seeds.set_state(rng, before | {"buffer": 0})
    assert rng.bit_generator.state == before
    largest = {"state": 2**128 - 1, "inc": 2**128 - 1}
    seeds.set_state(rng, before | {"state": largest})
    assert rng.bit_generator.state["state"] == largest
