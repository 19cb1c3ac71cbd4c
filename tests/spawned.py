"""Work for other processes, which import this file: it stands alone so that they begin soon."""

import os
from pathlib import Path

import torch


def leave_a_note(path: Path) -> None:
    """Writes which process does it, and how many threads PyTorch has there; fails for a path named "bad"."""
    if path.name == "bad":
        raise RuntimeError("no luck")
    path.write_text(f"{os.getpid()} {torch.get_num_threads()}", encoding="utf-8")
