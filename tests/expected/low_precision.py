"""How exact PyTorch's CPU kernels are with bf16 operands: activations, softmax, norms, losses and their gradients, beside the
f64 values of the same operands.

Each figure is the largest error of the value and of the gradient, in units of one bf16 rounding (2^-8) of the largest value.
The operands follow from the formulas below, which the test repeats."""

import json
import pathlib

import torch
import torch.nn.functional as F
from stored import header

result = header()
i = torch.arange(240)
rows = ((i * 37 % 101 - 50) / 16).reshape(6, 40).bfloat16()
shifted = (100 + (i * 37 % 101 - 50) / 2).reshape(6, 40).bfloat16()
probabilities = ((i * 37 % 101 + 10) / 128).reshape(6, 40).bfloat16()
weight = ((i * 29 % 83 - 41) / 32).reshape(6, 40).bfloat16()  # of the sum that is differentiated
scale = ((torch.arange(40) * 11 % 23 + 3) / 16).bfloat16()  # of the norms' affine part
labels = torch.arange(6) * 7 % 40

cases = {
    "layer_norm": (lambda x: F.layer_norm(x, (40,)), shifted),
    "layer_norm_affine": (lambda x: F.layer_norm(x, (40,), scale.to(x.dtype), scale.to(x.dtype)), rows),
    "group_norm": (lambda x: F.group_norm(x, 4), shifted),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), shifted),
    "softmax": (lambda x: F.softmax(x, -1), rows),
    "log_softmax": (lambda x: F.log_softmax(x, -1), rows),
    "gelu": (F.gelu, rows),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), rows),
    "silu": (F.silu, rows),
    "mish": (F.mish, rows),
    "softplus": (F.softplus, rows),
    "sigmoid": (torch.sigmoid, rows),
    "tanh": (torch.tanh, rows),
    "logsigmoid": (F.logsigmoid, rows),
    "hardswish": (F.hardswish, rows),
    "elu": (F.elu, rows),
    "cross_entropy": (lambda x: F.cross_entropy(x, labels, reduction="sum"), rows),
    "mse_loss": (lambda x: F.mse_loss(x, weight.to(x.dtype), reduction="sum"), rows),
    "bce": (lambda x: F.binary_cross_entropy(x, probabilities.flip(0).to(x.dtype), reduction="none"), probabilities),
}


def value_and_gradient(f, x, w):
    x = x.clone().requires_grad_()
    y = f(x)
    (y * w if y.shape == w.shape else y).sum().backward()
    return y.detach(), x.grad


def error(got, want):
    return round(float((got.double() - want).abs().max() / want.abs().max() * 2**8), 4)


for name, (f, x) in cases.items():
    y, dx = value_and_gradient(f, x, weight)
    exact_y, exact_dx = value_and_gradient(f, x.double(), weight.double())
    result[name] = [error(y, exact_y), error(dx, exact_dx)]
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in result.items())
(pathlib.Path(__file__).parent / "low_precision.json").write_text("{\n" + lines + "\n}\n")
