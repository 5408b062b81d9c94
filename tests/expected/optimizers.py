"""Five updates of one parameter of five elements in f64, for each optimizer under many settings.

    python3 optimizers.py

Every case starts from "initial" and sees the same five "gradients"; "parameters" holds the parameter after each step.
The gradients have a zero, an element that is always zero, one that changes sign, a tiny one and a large one.
An option that a case does not name has PyTorch's default (AdamW: weight_decay 0.01). PyTorch's single-tensor
implementations are used (foreach=False, fused=False).
"""
import itertools
import pathlib

import torch

import stored

INITIAL = [1.0, -2.0, 0.5, 0.25, -0.75]
GRADIENTS = [
    [0.5, -1.0, 0.0, 1e-6, 100.0],
    [0.25, 1.5, 0.0, -1e-6, -50.0],
    [0.0, -0.5, 0.0, 2e-6, 10.0],
    [-0.75, 2.0, 0.0, 1e-6, 1000.0],
    [0.125, -0.25, 0.0, 0.0, -1.0],
]

SGD = [
    {"lr": 0.1},
    {"lr": 0.0},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
    {"lr": 0.1, "momentum": 0.9, "dampening": 1.0},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"lr": 0.1, "momentum": 0.5, "nesterov": True},
    {"lr": 0.1, "dampening": 0.5},
]

ADAM = [
    {"lr": 0.1},
    {"lr": 0.1, "betas": [0.8, 0.95]},
    {"lr": 0.1, "betas": [0.0, 0.9]},
    {"lr": 0.1, "betas": [0.9, 0.5]},
    {"lr": 0.1, "eps": 0.1},
    {"lr": 0.1, "eps": 1e-12},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.1, "amsgrad": True},
    {"lr": 0.1, "betas": [0.8, 0.5], "amsgrad": True},
    {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.01, "amsgrad": True},
]

CASES = {"SGD": SGD, "Adam": ADAM, "AdamW": ADAM}


def parameters(optimizer, options):
    """The parameter after each step."""
    parameter = torch.tensor(INITIAL, dtype=torch.float64, requires_grad=True)
    update = getattr(torch.optim, optimizer)([parameter], foreach=False, fused=False, **options)
    after = []
    for gradient in GRADIENTS:
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        update.step()
        after.append(parameter.tolist())
    return after


def main():
    content = stored.header() | {"initial": INITIAL, "gradients": GRADIENTS}
    cases = []
    for (optimizer, settings), maximize in itertools.product(CASES.items(), (False, True)):
        for options in settings:
            options = options | {"maximize": True} if maximize else options
            cases.append({"optimizer": optimizer, "options": options, "parameters": parameters(optimizer, options)})
    print(f"{len(cases)} cases")
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content | {"cases": cases})


main()
