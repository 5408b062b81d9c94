"""A net of two layers, of which the first is frozen for a while, with decay, clipping and a schedule; and one with tied weights.

    python3 frozen.py

"frozen" holds the weights of both layers after every step; the first one is frozen in the steps "frozen_in". The gradient is
clipped by the norm of what is trained. "tied" is an embedding whose table is the last layer's weight, too: its losses and the table
after every step.
"""
import pathlib

import torch

import stored

STEPS = 9
FROZEN_IN = [0, 1, 2, 6, 7]


def filled(shape, start):
    count = 1
    for extent in shape:
        count *= extent
    return torch.sin(start + 0.7 * torch.arange(count, dtype=torch.float64)).reshape(shape)


def frozen(name, options):
    first, last = filled((4, 3), 1).requires_grad_(), filled((2, 4), 2).requires_grad_()
    x, y = filled((5, 3), 3), filled((5, 2), 4)
    optimizer = getattr(torch.optim, name)([first, last], **options)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.7)
    after = []
    for step in range(STEPS):
        first.requires_grad_(step not in FROZEN_IN)
        optimizer.zero_grad()
        loss = ((torch.tanh(x @ first.T) @ last.T - y) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([first, last], 0.1)
        optimizer.step()
        schedule.step()
        after.append(first.flatten().tolist() + last.flatten().tolist())
    return after


def tied(name, options):
    table = filled((4, 3), 5).requires_grad_()
    words, next_words = torch.tensor([0, 1, 2, 3, 1]), torch.tensor([1, 2, 3, 0, 2])
    optimizer = getattr(torch.optim, name)([table], **options)
    losses, after = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        hidden = torch.tanh(torch.nn.functional.embedding(words, table))
        loss = torch.nn.functional.cross_entropy(hidden @ table.T, next_words)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([table], 0.5)
        optimizer.step()
        losses.append(loss.item())
        after.append(table.flatten().tolist())
    return {"losses": losses, "table": after}


def main():
    torch.set_default_dtype(torch.float64)
    settings = [("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}), ("Adam", {"lr": 0.1, "weight_decay": 0.1}), ("AdamW", {"lr": 0.1})]
    cases = [{"optimizer": name, "options": options, "frozen": frozen(name, options), "tied": tied(name, options)} for name, options in settings]
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"),
                 stored.header() | {"steps": STEPS, "frozen_in": FROZEN_IN, "cases": cases})


main()
