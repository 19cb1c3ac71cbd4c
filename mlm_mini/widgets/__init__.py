"""The course's widgets: views under a slider or a text box. They compute nothing of their own.

`from mlm_mini.widgets import mask_ratio_widget` loads ipywidgets; importing this package alone does not.
"""

import importlib

_MODULE_OF = {
    "attention_widget": "attention",
    "cloze_widget": "cloze",
    "leak_widget": "leak",
    "mask_economics_widget": "economics",
    "mask_ratio_widget": "mask_ratio",
    "strategy_widget": "strategy",
    "two_knobs_widget": "economics",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str):
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
