"""Time to quality: seconds of training until a model of scenes stands so many nats above the Bayes floor."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping

import torch

from mlm_mini.bench.row import BenchRow
from mlm_mini.bench.whole_steps import bert, collator_of
from mlm_mini.experiments.lab.timing import on_threads
from mlm_mini.languages import scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM, ModelConfig, load_pretrained
from mlm_mini.training import LANGUAGES, evaluate, train
from mlm_mini.training.datasets import Material, exact_material

QUALITY_GAP, FLOOR_GAP = 0.1, 0.05  # nats above the floor: beside the Trainer, and in the race
RUN_LENGTHS = (1000, 1400, 2000, 2800, 4000, 5600)  # a run of which ends at the gap; the rate falls over so many
TIMES_OURS = 6.0
TRAINER_RATES = (3e-4, 1e-3, 3e-3)  # of the Trainer; the best after RUN_LENGTHS[0] is taken
RACE_SECONDS = 90.0
QUALITY_LIMIT, RACE_LIMIT = 3.0, 1.0
# The record: what the recipe that arrives soonest has in place of that of scenes; how it was found is told in the
# README. Whoever tries another changes this.
RECORD = {
    **LANGUAGES["scenes"].usual_masks,  # which a ratio that is given would leave out
    "mask_ratio": 0.4,
    "optimizer": "muon",
    "learning_rate": 4e-3,
    "embedding_rate": 2.5,
    "warmup": 0.05,
}
RECORD_STEPS, RACE_SEEDS = 2000, 3
Trained = tuple[MaskedLM, float]  # a model, and seconds of steps


def quality_rows(threads: int) -> Iterator[BenchRow]:
    """Ours by the record's recipe beside the `Trainer`: the same model, text and batch, and a rate tuned for it.

    It is given TIMES_OURS times our seconds: where it has not arrived by then, its time is that of its last run.
    """
    material = scenes()
    own, own_steps, _ = soonest(lambda steps: our_training(steps, threads), material, QUALITY_GAP)
    rate = min(TRAINER_RATES, key=lambda rate: gap(their_training(RUN_LENGTHS[0], rate, threads)[0], material))
    theirs, their_steps, there = soonest(
        lambda steps: their_training(steps, rate, threads), material, QUALITY_GAP, TIMES_OURS * own
    )
    yield BenchRow(
        f"to {QUALITY_GAP:g} nats above the floor of scenes",
        own,
        theirs,
        "transformers.Trainer",
        QUALITY_LIMIT,
        "s",
        ours_setting=f"{own_steps} steps",
        peer_setting=f"{their_steps} steps, rate {rate:g}{'' if there else ', and not there yet'}",
    )


def floor_rows(threads: int) -> Iterator[BenchRow]:
    """The race: seconds of training by RECORD, beside a minute and a half. It counts where three seeds arrive.

    The median of their seconds, infinite where the mean of their distances is more than FLOOR_GAP.
    """
    material = scenes()
    models, seconds = zip(*(our_training(RECORD_STEPS, threads, seed) for seed in range(RACE_SEEDS)), strict=True)
    gaps = [gap(model, material) for model in models]
    there = statistics.fmean(gaps) <= FLOOR_GAP
    yield BenchRow(
        f"to {FLOOR_GAP:g} nats above the floor of scenes",
        statistics.median(seconds) if there else float("inf"),
        RACE_SECONDS,
        "a minute and a half",
        RACE_LIMIT,
        "s",
        (min(seconds), max(seconds)),
        ours_setting=f"{RECORD_STEPS} steps, {', '.join(f'{nats:.4f}' for nats in gaps)} nats above it",
    )


def scenes() -> Material:
    """The fixed evaluation of scenes, with its floor."""
    return exact_material(scene_language(), LANGUAGES["scenes"].recipe("mini", device="cpu"))


def gap(model: MaskedLM, material: Material) -> float:
    """Nats above the floor at the fixed masks."""
    return evaluate(model, material.evaluation).gap


def soonest(
    run: Callable[[int], Trained], material: Material, goal: float, patience: float = float("inf")
) -> tuple[float, int, bool]:
    """Seconds and steps of the first of RUN_LENGTHS that ends within `goal` of the floor, and True.

    Or of the first that takes more than `patience` seconds, or of the last one, and False.
    """
    seconds, steps = 0.0, 0
    for steps in RUN_LENGTHS:
        model, seconds = run(steps)
        if gap(model, material) <= goal:
            return seconds, steps, True
        if seconds > patience:
            break
    return seconds, steps, False


def our_training(steps: int, threads: int, seed: int = 0) -> Trained:
    """By RECORD; seconds are those that `train` prints, the trial of bfloat16 and all else of a step included."""
    config = LANGUAGES["scenes"].recipe("mini", device="cpu", steps=steps, seed=seed, precision="fastest", **RECORD)
    shape, material = ModelConfig.mini(len(scene_language().vocabulary)), exact_material(scene_language(), config)
    settings = {"evaluation": material.evaluation, "evaluate_every": steps, "device": "cpu"}
    with on_threads(threads):
        result = train(shape, material.source, config, **settings)
    return result.model, result.curve[-1].seconds


def their_training(steps: int, rate: float, threads: int) -> Trained:
    """`Trainer` with `BertForMaskedLM`, the same text, batch and number of weights, and the usual masks."""
    from transformers import Trainer, TrainingArguments

    ours = LANGUAGES["scenes"].recipe("mini", device="cpu")
    language = scene_language()
    model = bert(ModelConfig.mini(len(language.vocabulary)), language.length)
    with tempfile.TemporaryDirectory() as folder, on_threads(threads):
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=ours.batch_size,
            learning_rate=rate,
            warmup_steps=int(ours.warmup * steps),
            weight_decay=ours.weight_decay,
            adam_beta2=ours.beta2,
            max_grad_norm=ours.clip_norm,
            optim="adamw_torch_fused",
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=0,
            dataloader_drop_last=True,
        )
        trainer = Trainer(
            model=model, args=arguments, train_dataset=_Sentences(), data_collator=collator_of(language.vocabulary)
        )
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start
        model.save_pretrained(folder)
        return load_pretrained(folder)[0].eval(), seconds


class _Sentences(torch.utils.data.IterableDataset):
    """Fresh sentences without end, drawn many at a time."""

    def __iter__(self) -> Iterator[Mapping[str, torch.Tensor]]:
        source = SampledSentences(scene_language(), seed=0)
        while True:
            for row in torch.from_numpy(source.next_batch(1024)):
                yield {"input_ids": row, "attention_mask": (row != source.vocabulary.pad_id).long()}
