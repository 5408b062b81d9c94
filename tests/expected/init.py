"""The bounds of PyTorch's default initialization of nn.Linear and nn.Conv2d, and the statistics that confirm them.

    python3 init.py

Both layers draw weight and bias from U(-bound, bound) with bound = 1 / sqrt(fan_in): kaiming_uniform with a = sqrt(5)
has bound sqrt(3) * sqrt(2 / (1 + a^2)) / sqrt(fan_in), the same number. fan_in is the in_features of a Linear, and
in_channels * kernel height * kernel width of a Conv2d. The statistics of a uniform draw: mean 0, std bound / sqrt(3).
"""
import math
import pathlib

import torch
from torch import nn

import stored

LAYERS = [("Linear", [784, 512]), ("Linear", [64, 48]), ("Linear", [1, 1000]), ("Conv2d", [3, 64, 5])]


def statistics(tensor):
    tensor = tensor.detach().double()
    return {"shape": list(tensor.shape), "min": tensor.min().item(), "max": tensor.max().item(),
            "mean": tensor.mean().item(), "std": tensor.std(correction=0).item()}


def confirm(tensor, bound, fan_in):
    """Every draw lies within the bound, the extremes come close, and the moments are a uniform distribution's."""
    seen, count, std = statistics(tensor), tensor.numel(), bound / math.sqrt(3)
    kaiming = math.sqrt(3) * nn.init.calculate_gain("leaky_relu", math.sqrt(5)) / math.sqrt(fan_in)
    assert math.isclose(kaiming, bound, rel_tol=1e-15)
    assert -bound * (1 + 1e-6) <= seen["min"] < -bound * (1 - 20 / count)
    assert bound * (1 - 20 / count) < seen["max"] <= bound * (1 + 1e-6)
    assert abs(seen["mean"]) < 4 * std / math.sqrt(count)
    assert abs(seen["std"] / std - 1) < 4 / math.sqrt(count)


def main():
    content = stored.header() | {"seed": 0}
    cases = []
    for kind, arguments in LAYERS:
        torch.manual_seed(0)
        layer = getattr(nn, kind)(*arguments)
        fan_in = layer.weight[0].numel()
        bound = 1 / math.sqrt(fan_in)
        for tensor in (layer.weight, layer.bias):
            confirm(tensor, bound, fan_in)
        cases.append({"layer": kind, "arguments": arguments, "fan_in": fan_in, "bound": bound, "std": bound / math.sqrt(3),
                      "weight": statistics(layer.weight), "bias": statistics(layer.bias)})
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content | {"cases": cases})


main()
