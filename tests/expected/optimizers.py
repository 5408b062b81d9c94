"""Five updates of one parameter of five elements in f64, for each optimizer under many settings.

    python3 optimizers.py

Every case starts from "initial" and sees the same five "gradients", repeated where there are more "parameters", which hold
the parameter after each step; a parameter of another "shape" takes as many of the elements as it has. Where there are "indices",
a step's gradient is sparse: as many of its numbers as the step has indices, at those.
The gradients have a zero, an element that is always zero, one that changes sign, a tiny one and a large one.
"options" has PyTorch's defaults filled in. PyTorch's single-tensor implementations are used (foreach=False, fused=False).
"""
import itertools
import math
import pathlib

import torch

import papers
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

ADAMAX = [{"lr": 0.1}, {"lr": 0.1, "betas": [0.8, 0.5]}, {"lr": 0.1, "eps": 0.1, "weight_decay": 0.01}]

NADAM = [
    {"lr": 0.1},
    {"lr": 0.1, "betas": [0.8, 0.95], "momentum_decay": 0.1},
    {"lr": 0.1, "weight_decay": 0.01, "eps": 1e-3},
    {"lr": 0.1, "weight_decay": 0.01, "decoupled_weight_decay": True},
]

RADAM = [
    {"lr": 0.1},
    {"lr": 0.1, "betas": [0.9, 0.5]},  # never five degrees of freedom
    {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.1, "weight_decay": 0.01, "decoupled_weight_decay": True},
]

ADAGRAD = [
    {"lr": 0.1},
    {"lr": 0.1, "lr_decay": 0.1, "eps": 1e-3},
    {"lr": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.01},
]

ADADELTA = [{}, {"lr": 0.5, "rho": 0.5}, {"eps": 1e-3, "weight_decay": 0.01}]

RMSPROP = [
    {"lr": 0.15},
    {"lr": 0.15, "alpha": 0.5, "eps": 1e-3},
    {"lr": 0.15, "weight_decay": 0.01, "momentum": 0.9},
    {"lr": 0.15, "centered": True},
    {"lr": 0.15, "centered": True, "momentum": 0.5, "weight_decay": 0.01},
]

RPROP = [{"lr": 0.1}, {"lr": 0.1, "etas": [0.3, 2.0]}, {"lr": 0.1, "step_sizes": [0.08, 0.13]}]

ASGD = [
    {"lr": 0.1},
    {"lr": 0.1, "lambd": 0.1, "alpha": 0.5},
    {"lr": 0.1, "t0": 2.0, "weight_decay": 0.01},
]

ADAFACTOR = [{}, {"lr": 0.1, "d": 2.0}, {"lr": 0.5, "beta2_decay": -0.5, "weight_decay": 0.1}, {"lr": 0.1, "eps": [None, 0.5]}]

LION = [{"lr": 0.1}, {"lr": 0.1, "betas": [0.8, 0.5]}, {"lr": 0.1, "betas": [0.0, 0.9], "weight_decay": 0.01}]

LARS = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.0},
    {"lr": 0.1, "weight_decay": 0.01, "trust_coefficient": 0.02},
    {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.5, "eps": 0.1},
]

MUON = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.0, "nesterov": False},
    {"lr": 0.1, "momentum": 0.5, "adjust_lr_fn": "match_rms_adamw"},
    {"lr": 0.1, "ns_coefficients": [3.0, -3.2, 1.2], "eps": 300.0, "adjust_lr_fn": "spectral_unclamped"},
]

SPARSE_ADAM = [{"lr": 0.1}, {"lr": 0.1, "betas": [0.8, 0.5]}, {"lr": 0.1, "eps": 0.1}]

CASES = {"SGD": SGD, "Adam": ADAM, "AdamW": ADAM, "Adamax": ADAMAX, "NAdam": NADAM, "RAdam": RADAM, "Adagrad": ADAGRAD,
         "Adadelta": ADADELTA, "RMSprop": RMSPROP, "Rprop": RPROP, "ASGD": ASGD, "Adafactor": ADAFACTOR, "Lion": LION,
         "LARS": LARS, "Muon": MUON, "SparseAdam": SPARSE_ADAM}

# Adafactor treats a matrix otherwise than a vector: the first elements of the vectors above, in two rows of two.
# Muon takes nothing but matrices.
SHAPES = {"Adafactor": ([5], [2, 2]), "Muon": ([2, 2], [4, 1], [1, 3])}

MINIMIZING = {"Muon"}  # alone

# SparseAdam's gradients are of these elements, one line for each step: the first numbers of the gradients above.
INDICES = {"SparseAdam": [[1, 3, 1], [0, 3, 2], [1, 1, 1], [4, 0, 4], [3, 3, 0]]}

RADAM_STEPS = 4  # the gradients are repeated so often, for RAdam's variance needs some steps


def start(values, shape):
    return torch.tensor(values[:math.prod(shape)], dtype=torch.float64).reshape(shape)


def parameters(optimizer, options, shape):
    """The options with PyTorch's defaults filled in, and the parameter after each step."""
    parameter = start(INITIAL, shape).requires_grad_()
    update = papers.optimizer(optimizer)([parameter], **papers.implementation(optimizer), **options)
    after = []
    for step, gradient in enumerate(GRADIENTS * (RADAM_STEPS if optimizer == "RAdam" else 1)):
        if optimizer in INDICES:
            index = INDICES[optimizer][step]
            parameter.grad = torch.sparse_coo_tensor([index], gradient[:len(index)], shape)
        else:
            parameter.grad = start(gradient, shape)
        update.step()
        after.append(parameter.flatten().tolist())
    kept = {name: value for name, value in update.defaults.items()
            if value is not None and name not in ("foreach", "fused", "capturable", "differentiable")}
    return kept, after


def main():
    torch.set_default_dtype(torch.float64)  # of the scalars that some optimizers keep in tensors
    content = stored.header() | {"initial": INITIAL, "gradients": GRADIENTS}
    cases = []
    for (optimizer, settings), maximize in itertools.product(CASES.items(), (False, True)):
        if maximize and optimizer in MINIMIZING:
            continue
        for options, shape in itertools.product(settings, SHAPES.get(optimizer, ([5],))):
            options = options | {"maximize": True} if maximize else options
            kept, after = parameters(optimizer, options, shape)
            indices = {"indices": INDICES[optimizer]} if optimizer in INDICES else {}
            cases.append({"optimizer": optimizer, "options": kept, "shape": shape} | indices | {"parameters": after})
    print(f"{len(cases)} cases")
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content | {"cases": cases})


main()
