"""Training a table by its row-sparse gradients: 20 steps of SparseAdam, and of Adam on the dense layer beside it, in f64.

    python3 sparse.py

The table has 12 rows of 3. With e = table[first] and f = table[second], both of the same table, the loss of a step is
mean((sum(e * f) - target)^2) + mean((Linear(3, 1)(e) - target)^2) over 5 pairs. A case: {"name", "padding_idx", "options" (of
SparseAdam), "parameters" (before the first step), "batches" ([first, second, target] of each), "losses", "after" (the parameters),
"exp_avg" (of the table)}. Rows repeat within a batch, and some are never read.
"""
import pathlib

import torch
from torch import nn

import calls
import stored
from calls import spread

STEPS, PAIRS, ROWS = 20, 5, 12
CASES = [("plain", None, {"lr": 0.1}), ("betas", None, {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3}),
         ("maximize", None, {"lr": 0.01, "maximize": True}), ("padding", 2, {"lr": 0.1})]


def batches():
    for step in range(STEPS):
        first = [(7 * step + 3 * i) % 10 for i in range(PAIRS)]
        second = [(5 * step + i * i) % 9 for i in range(PAIRS)]
        yield first, second, [((step + i) % 4 - 1.5) / 2 for i in range(PAIRS)]


def case(name, padding_idx, options):
    table = nn.Embedding(ROWS, 3, padding_idx=padding_idx, sparse=True).double()
    dense = nn.Linear(3, 1).double()
    named = {"table.weight": table.weight, "dense.weight": dense.weight, "dense.bias": dense.bias}
    with torch.no_grad():
        for i, parameter in enumerate(named.values()):
            parameter.copy_(spread(*parameter.shape, start=9 * i + 2, low=-24, high=24))
    before = calls.encode_all(named)
    sparse, adam = torch.optim.SparseAdam([table.weight], **options), torch.optim.Adam(dense.parameters(), lr=0.02)
    losses = []
    for first, second, target in batches():
        e, f, t = table(torch.tensor(first)), table(torch.tensor(second)), torch.tensor(target, dtype=torch.float64)
        loss = ((e * f).sum(1) - t).square().mean() + (dense(e).squeeze(1) - t).square().mean()
        table.zero_grad(), dense.zero_grad()
        loss.backward()
        sparse.step(), adam.step()
        losses.append(loss.item())
    return {"name": name, "padding_idx": padding_idx, "options": options, "parameters": before, "batches": list(batches()),
            "losses": losses, "after": calls.encode_all(named), "exp_avg": stored.encode(sparse.state[table.weight]["exp_avg"])}


def main():
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), [case(*c) for c in CASES])


main()
