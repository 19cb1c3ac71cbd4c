"""The training room: objectives, optimizer, loop, checkpoints, and what comes out, a model that fills in blanks."""

from mlm_mini.training.baselines import Blanks, Comparison, compare_with_counting, draw_blanks
from mlm_mini.training.cached import CHAPTER_MODELS, TrainedModel, cached_model, quick_model
from mlm_mini.training.checkpoint import CheckpointError
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet, Score, draw_evaluation, evaluate
from mlm_mini.training.fill import Candidate, fill
from mlm_mini.training.folders import load_folder, recipe, train_folder
from mlm_mini.training.loop import TrainingError, TrainingResult, train
from mlm_mini.training.material import Material, find_material
from mlm_mini.training.measured import measured
from mlm_mini.training.objectives import Batch, causal_batch, masked_batch, surprisals
from mlm_mini.training.optimizer import accumulate_gradient, learning_rate, make_optimizer
from mlm_mini.training.player import model_nats, model_player
from mlm_mini.training.progress import LiveCurve, Point, Reporter, TerminalProgress

__all__ = [
    "CHAPTER_MODELS",
    "Batch",
    "Blanks",
    "Candidate",
    "CheckpointError",
    "Comparison",
    "EvaluationSet",
    "LiveCurve",
    "Material",
    "Point",
    "Reporter",
    "Score",
    "TerminalProgress",
    "TrainedModel",
    "TrainingConfig",
    "TrainingError",
    "TrainingResult",
    "accumulate_gradient",
    "cached_model",
    "causal_batch",
    "compare_with_counting",
    "draw_blanks",
    "draw_evaluation",
    "evaluate",
    "fill",
    "find_material",
    "learning_rate",
    "load_folder",
    "make_optimizer",
    "masked_batch",
    "measured",
    "model_nats",
    "model_player",
    "quick_model",
    "recipe",
    "surprisals",
    "train",
    "train_folder",
]
