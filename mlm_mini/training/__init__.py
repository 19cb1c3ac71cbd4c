"""The training room: objectives, optimizer, loop, checkpoints, and what comes out, a model that fills in blanks."""

from mlm_mini.training.baselines import Blanks, Comparison, compare_with_counting, draw_blanks
from mlm_mini.training.cached import TrainedModel, cached_model, quick_model
from mlm_mini.training.checkpoint import CheckpointError
from mlm_mini.training.config import FASTEST, TrainingConfig, recipe_options
from mlm_mini.training.datasets import Material
from mlm_mini.training.evaluation import EvaluationSet, Score, draw_evaluation, evaluate
from mlm_mini.training.fill import Candidate, fill, unknown_words
from mlm_mini.training.gradient import accumulate_gradient
from mlm_mini.training.languages import LANGUAGES, find_language, find_material, recipe
from mlm_mini.training.loop import TrainingResult, train
from mlm_mini.training.masking import Masking
from mlm_mini.training.minimal import train_minimal
from mlm_mini.training.model_folder import load_folder, train_folder
from mlm_mini.training.objectives import (
    Batch,
    causal_batch,
    diffusion_batch,
    masked_batch,
    stratified_ratios,
    surprisals,
)
from mlm_mini.training.optimizer import learning_rate, make_optimizer
from mlm_mini.training.player import model_nats, model_player
from mlm_mini.training.progress import LiveCurve, Point, Reporter, TerminalProgress
from mlm_mini.training.run import TrainingError
from mlm_mini.training.shipped_results import measured
from mlm_mini.training.start import Start, open_start
from mlm_mini.training.token_folder import write_token_folder
from mlm_mini.training.workers import Workers

__all__ = [
    "FASTEST",
    "LANGUAGES",
    "Batch",
    "Blanks",
    "Candidate",
    "CheckpointError",
    "Comparison",
    "EvaluationSet",
    "LiveCurve",
    "Masking",
    "Material",
    "Point",
    "Reporter",
    "Score",
    "Start",
    "TerminalProgress",
    "TrainedModel",
    "TrainingConfig",
    "TrainingError",
    "TrainingResult",
    "Workers",
    "accumulate_gradient",
    "cached_model",
    "causal_batch",
    "compare_with_counting",
    "diffusion_batch",
    "draw_blanks",
    "draw_evaluation",
    "evaluate",
    "fill",
    "find_language",
    "find_material",
    "learning_rate",
    "load_folder",
    "make_optimizer",
    "masked_batch",
    "measured",
    "model_nats",
    "model_player",
    "open_start",
    "quick_model",
    "recipe",
    "recipe_options",
    "stratified_ratios",
    "surprisals",
    "train",
    "train_folder",
    "train_minimal",
    "unknown_words",
    "write_token_folder",
]
