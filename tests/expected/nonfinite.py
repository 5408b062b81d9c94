"""Four updates of one parameter in f64 where one element of the second gradient is nan or infinite, for each optimizer.

    python3 nonfinite.py

As optimizers.json, with the "gradients" of each case beside its parameters: which elements stay numbers, and which.
"""
import math
import pathlib

import torch

import papers
import stored

INITIAL = [1.0, -2.0, 0.5, 0.25, -0.75, 1.25]
GRADIENTS = [[0.5, -1.0, 0.25, 1e-3, 2.0, -0.5], [0.25, 1.5, -0.5, 2e-3, -1.0, 0.75], [0.125, -0.5, 1.0, -1e-3, 0.5, 1.0],
             [-0.75, 2.0, -0.25, 1e-3, 1.0, -1.0]]
BAD = 1  # the element

SETTINGS = [
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "betas": [0.0, 0.9]}),
    ("AdamW", {"lr": 0.1}),
    ("Adamax", {"lr": 0.1}),
    ("NAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": [0.8, 0.995]}),
    ("Adagrad", {"lr": 0.1}),
    ("Adadelta", {"lr": 0.5}),
    ("RMSprop", {"lr": 0.15}),
    ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.5}),
    ("Rprop", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "t0": 1.0}),
    ("Adafactor", {"lr": 0.1}),
    ("Adafactor", {"lr": 0.1, "weight_decay": 0.1, "d": 2.0}),
    ("Lion", {"lr": 0.1}),
    ("LARS", {"lr": 0.1}),
    ("Muon", {"lr": 0.1}),
]


def shaped(values, shape):
    return torch.tensor(values[:math.prod(shape)], dtype=torch.float64).reshape(shape)


def trained(optimizer, options, shape, gradients):
    parameter = shaped(INITIAL, shape).requires_grad_()
    update = papers.optimizer(optimizer)([parameter], **papers.implementation(optimizer), **options)
    after = []
    for gradient in gradients:
        parameter.grad = shaped(gradient, shape)
        update.step()
        after.append(parameter.flatten().tolist())
    kept = {name: value for name, value in update.defaults.items()
            if value is not None and name not in ("foreach", "fused", "capturable", "differentiable")}
    return kept, after


def main():
    torch.set_default_dtype(torch.float64)
    cases = []
    for optimizer, options in SETTINGS:
        for shape in ([6], [2, 3]) if optimizer != "Muon" else ([2, 3],):
            for bad in (math.nan, math.inf, -math.inf):
                gradients = [list(g) for g in GRADIENTS]
                gradients[1][BAD] = bad
                kept, after = trained(optimizer, options, shape, gradients)
                cases.append({"optimizer": optimizer, "options": kept, "shape": shape, "gradients": gradients, "parameters": after})
    print(f"{len(cases)} cases")
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), stored.header() | {"initial": INITIAL, "cases": cases})


main()
