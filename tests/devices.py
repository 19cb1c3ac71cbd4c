"""Where tests of the model run: on the CPU, and on a GPU as well where PyTorch finds one."""

from mlm_mini.model import choose_device

GPU = None if choose_device().type == "cpu" else choose_device().type
DEVICES = [device for device in ("cpu", GPU) if device]
NOT_MPS = [device for device in DEVICES if device != "mps"]  # Apple's GPUs know neither float64 nor our bfloat16
