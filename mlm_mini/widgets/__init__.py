"""The course's widgets: views under a slider or a text box. They compute nothing of their own.

`from mlm_mini.widgets import mask_ratio_widget` loads ipywidgets; importing this package alone does not.
"""

import importlib

_CLASSES = {
    "attention_widget": ("attention", "AttentionWidget"),
    "cloze_widget": ("cloze", "ClozeWidget"),
    "joint_widget": ("joint", "JointWidget"),
    "lacuna_widget": ("lacuna", "LacunaWidget"),
    "leak_widget": ("leak", "LeakWidget"),
    "mask_economics_widget": ("economics", "MaskEconomicsWidget"),
    "mask_ratio_widget": ("mask_ratio", "MaskRatioWidget"),
    "projection_widget": ("projection", "ProjectionWidget"),
    "probe_widget": ("probe", "ProbeWidget"),
    "strategy_widget": ("strategy", "StrategyWidget"),
    "two_knobs_widget": ("economics", "TwoKnobsWidget"),
    "unmasking_widget": ("unmasking", "UnmaskingWidget"),
}

__all__ = sorted(_CLASSES)


def __getattr__(name: str):
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, widget = _CLASSES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), widget)


def __dir__() -> list[str]:
    return __all__
