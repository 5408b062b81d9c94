"""Two parameters that one optimizer updates in turns, one joining later, for each optimizer: what they are after every step.

    python3 joining.py

"turns" says which parameters have a gradient in a step; the others are left alone, as PyTorch leaves one whose grad is None.
"gradients" are of a and of b in their turns, row by row, repeated. A "sparse" case has them as sparse gradients of all rows.
"""
import pathlib

import torch

import papers
import stored

A = [[1.0], [-2.0], [0.5]]
B = [[0.25, -0.75], [1.5, 0.125]]
GRADIENTS = {
    "a": [[0.5, -1.0, 0.25], [0.25, 1.5, -0.5], [-0.75, 2.0, 1.0]],
    "b": [[0.125, -0.25, 2.0, 1.0], [-0.5, 0.75, -1.0, 0.5]],
}
TURNS = ["a"] * 4 + ["ab"] * 3 + ["b", "a", "b", "ab", "a", "a", "ab", "b", "ab"]

CASES = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.01}),
    ("Adamax", {"lr": 0.1}),
    ("NAdam", {"lr": 0.1, "momentum_decay": 0.1}),
    ("RAdam", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.5, "centered": True}),
    ("Rprop", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 2.0}),
    ("Adafactor", {"lr": 0.1}),
    ("Lion", {"lr": 0.1}),
    ("LARS", {"lr": 0.1}),
    ("SparseAdam", {"lr": 0.1}),
]


def gradient(name, count, like, sparse):
    rows = GRADIENTS[name][count % len(GRADIENTS[name])]
    dense = torch.tensor(rows, dtype=torch.float64).reshape(like.shape)
    if not sparse:
        return dense
    return torch.sparse_coo_tensor([list(range(len(dense)))], dense, like.shape)


def trained(optimizer, options):
    sparse = optimizer == "SparseAdam"
    parameters = {"a": torch.tensor(A, requires_grad=True), "b": torch.tensor(B, requires_grad=True)}
    update = papers.optimizer(optimizer)(list(parameters.values()), **papers.implementation(optimizer), **options)
    counts = {"a": 0, "b": 0}
    after = []
    for turn in TURNS:
        for name, parameter in parameters.items():
            parameter.grad = gradient(name, counts[name], parameter, sparse) if name in turn else None
            counts[name] += name in turn
        update.step()
        after.append(parameters["a"].flatten().tolist() + parameters["b"].flatten().tolist())
    return after


def main():
    torch.set_default_dtype(torch.float64)
    cases = [{"optimizer": optimizer, "options": options, "parameters": trained(optimizer, options)} for optimizer, options in CASES]
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"),
                 stored.header() | {"a": A, "b": B, "turns": TURNS, "gradients": GRADIENTS, "cases": cases})


main()
