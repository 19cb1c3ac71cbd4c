"""How every model of a study begins and is trained, so that two of them differ in nothing but what it varies."""

import numpy as np
import torch

from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training import TrainingConfig

BATCH_SIZE, PARTS, LEARNING_RATE = 64, 2, 3e-3  # parts: in which a batch goes through the model on a CPU
DECIMALS = 5  # kept of what a run found: far below its error


def study_recipe(steps: int, seed: int, **fields) -> TrainingConfig:
    """The recipe of one run. fields: of the TrainingConfig and its masking, side by side."""
    usual = {"batch_size": BATCH_SIZE, "micro_batches": PARTS, "learning_rate": LEARNING_RATE}
    return TrainingConfig.of(steps=steps, seed=seed, **usual | fields)


def untrained_model(shape: ModelConfig, rng: np.random.Generator) -> MaskedLM:
    """A model before its first step, with weights from `rng`."""
    return MaskedLM(shape, torch.Generator().manual_seed(int(rng.integers(2**31)))).eval()
