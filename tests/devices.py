"""Where tests of the model run: on the CPU, and on a GPU as well where PyTorch finds one."""

from mlm_mini.model import choose_device

GPU = choose_device().type  # "cpu" where there is none
DEVICES = list(dict.fromkeys(["cpu", GPU]))
FLOAT64 = [device for device in DEVICES if device != "mps"]  # Apple's GPUs know no float64
