"""What a cluster is expected to do, against numbers that were worked out by hand, and what the README says of it."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from mlm_mini.__main__ import command_parser
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.model.config import SIZES
from mlm_mini.training.cluster import Cluster, bert_base_hours, block_numbers, most_numbers, sent_bytes, step_seconds

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
BASE = ModelConfig.base()
# An H100: 64 x 128 tokens forward and backward took 25.6 ms (gpu_results.md). Its links, by the maker's data sheet: 450
# GB/s between the eight cards of a machine, and 400 Gbit/s for each card between machines.
RATE = 64 * 128 * BASE.training_flops_per_token(128, 0.15) / 25.6e-3
CLUSTERS = {
    8: Cluster(workers=8, rate=RATE, bandwidth=450e9),
    64: Cluster(workers=64, rate=RATE, bandwidth=50e9),
}


def test_bytes_of_a_step():
    # 109,514,298 numbers of 4 bytes are 438,057,192; seven eighths of them, 383,300,043, go round twice.
    assert sent_bytes(BASE, 8) == 766_600_086
    assert sent_bytes(BASE, 1) == sent_bytes(BASE, 1, fsdp=True) == 0
    # Twelve blocks of 7,087,872 are 85,054,464 numbers, whose seven eighths are 297,690,624 bytes: they go once more.
    assert sent_bytes(BASE, 8, fsdp=True) == 766_600_086 + 297_690_624
    assert sent_bytes(BASE, 8, fsdp=True, parts=4) == 4 * sent_bytes(BASE, 8, fsdp=True)


@pytest.mark.parametrize("size", SIZES)
def test_the_numbers_in_the_blocks_are_those_of_the_model(size):
    shape = ModelConfig.of_size(size, 100)
    blocks = MaskedLM(shape, None).blocks
    assert block_numbers(shape) == sum(weight.numel() for weight in blocks.parameters())


def test_ddp_ends_where_sixteen_bytes_a_number_do_not_fit():
    assert most_numbers(80e9) == 5e9
    assert most_numbers(80e9, workers=64) == 5e9
    assert most_numbers(80e9, workers=64, fsdp=True) == 320e9
    assert most_numbers(80e9, others=16e9) == 4e9


def test_a_step_lasts_as_long_as_its_work_and_at_most_the_messages_longer():
    # 256 rows of 128 tokens of 545.2 million operations: 1.7866e13 for all, 2.233e12 for one of 8, 2.233 s at 1e12.
    cluster = Cluster(workers=8, rate=1e12, bandwidth=1e9)
    least, most = step_seconds(BASE, 256, 128, 0.15, cluster)
    assert least == pytest.approx(2.233, abs=0.002)
    assert most - least == pytest.approx(0.7666, abs=1e-4)
    # With a thousand times the rate the messages last longer, and the step is as long as they are.
    least, most = step_seconds(BASE, 256, 128, 0.15, Cluster(workers=8, rate=1e15, bandwidth=1e9))
    assert least == pytest.approx(0.7666, abs=1e-4)
    assert most - least == pytest.approx(0.002233, abs=2e-6)


def test_hours_of_bert_base():
    # 9e5 steps of 1.7866e13 operations and 1e5 of 256 x 512 x 588.4e6 = 7.713e13: 2.379e19, at 1e15 a second 6.61 h.
    alone = Cluster(workers=1, rate=1e15, bandwidth=1e9)
    assert bert_base_hours(alone) == pytest.approx((6.61, 6.61), abs=0.01)
    assert bert_base_hours(alone, times=16) == pytest.approx(bert_base_hours(alone))


def test_the_readme_has_these_hours_and_bytes():
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ([\d.]+) to ([\d.]+) \|", README, re.MULTILINE)
    assert len(rows) == 4
    for workers, batch, least, most in rows:
        hours = bert_base_hours(CLUSTERS[int(workers)], int(batch) // 256)
        assert (least, most) == tuple(f"{value:.1f}" for value in hours)
    assert f"{sent_bytes(BASE, 8) / 1e6:.0f} MB with DDP and {sent_bytes(BASE, 8, fsdp=True) / 1e6:,.0f} MB" in README
    assert f"{most_numbers(80e9) / 1e9:.0f} billion" in README


def test_the_commands_of_the_readme_are_understood():
    lines = re.findall(r"(?:-m mlm_mini|course.py) ((?:train|tokenize) --.*--out .*)", README)
    assert len(lines) >= 6
    for line in lines:
        options = command_parser(asked="train").parse_args(shlex.split(line))
        assert options.language
        assert options.out


@pytest.mark.parametrize("size", SIZES)
def test_operations_of_each_size_are_what_pytorch_counts(size):
    """On PyTorch's "meta" device, which has shapes and no numbers, so that `base` is as quick as `tiny`."""
    from torch.utils.flop_counter import FlopCounterMode

    T, k, shape = 128, 19, ModelConfig.of_size(size, 30_522)
    model = MaskedLM(shape, None).eval()
    ids, positions = (torch.zeros(2, n, dtype=torch.int64, device="meta") for n in (T, k))
    with FlopCounterMode(display=False) as counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        model(ids, positions=positions).sum().backward()
    assert counter.get_total_flops() == pytest.approx(shape.training_flops_per_token(T, k / T) * ids.numel(), rel=0.01)
