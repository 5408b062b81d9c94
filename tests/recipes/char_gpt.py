#!/usr/bin/env python3
"""Lesson 8's recipe in PyTorch: char_gpt.py DIR STEPS [SEED...] trains on DIR/input.txt and prints each seed's test loss, after each
epoch and at the end.

The same net (4 blocks, width 128, 4 heads, windows of 128), the same windows in a shuffled order, batches of 16, Adam at 1e-3: 491
steps an epoch. tests/expected/gpt.py stores the first losses of such a training, and its weights.
"""
import dataclasses
import sys

import torch
import torch.nn.functional as F
from torch import nn

LR = 1e-3


@dataclasses.dataclass
class Sizes:
    """The lesson's options of these names."""
    layers: int = 4
    width: int = 128
    heads: int = 4
    window: int = 128
    batch: int = 16


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        q, k, v = (part.view(n, tokens, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, 2))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, tokens, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, characters, sizes):
        super().__init__()
        width = sizes.width
        self.token, self.position = nn.Embedding(characters, width), nn.Embedding(sizes.window, width)
        self.blocks = nn.Sequential(*(Block(width, sizes.heads) for _ in range(sizes.layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, characters, bias=False)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.token(x) + self.position(torch.arange(x.shape[1])))))


def read(folder):
    """The text as numbers, and how many different ones there are."""
    letters = open(f"{folder}/input.txt", encoding="utf-8", newline="").read()
    known = {c: i for i, c in enumerate(sorted(set(letters)))}
    return torch.tensor([known[c] for c in letters]), len(known)


def windows(text, window):
    """Inputs and targets of what is trained on, and of the last tenth, which is tested on."""
    split = len(text) // 10 * 9
    parts = []
    for part in (text[:split], text[split:]):
        count = (len(part) - 1) // window
        parts.append((part[: count * window].view(count, window), part[1 : count * window + 1].view(count, window)))
    return parts


def loss_of(net, x, y):
    return F.cross_entropy(net(x).transpose(1, 2), y)


def losses_of(net, x, y, order):
    """Trains on the batches of these examples, and yields each one's loss before its update."""
    adam = torch.optim.Adam(net.parameters(), lr=LR)
    for batch in order:
        loss = loss_of(net, x[batch], y[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
        yield loss.item()


def test_loss(net, x, y, batch):
    with torch.no_grad():
        return sum(loss_of(net, a, b).item() * len(a) for a, b in zip(x.split(batch), y.split(batch))) / len(x)


def train(text, characters, steps, seed):
    torch.manual_seed(seed)
    sizes = Sizes()
    (x, y), test = windows(text, sizes.window)
    net = Gpt(characters, sizes)
    an_epoch = -(-len(x) // sizes.batch)

    def order():
        while True:
            yield from torch.randperm(len(x)).split(sizes.batch)

    for step, _ in zip(range(1, steps + 1), losses_of(net, x, y, order())):
        if step % an_epoch == 0 or step == steps:
            print(f"seed {seed}, step {step}: test loss {test_loss(net, *test, sizes.batch):.4f}", flush=True)


def main():
    text, characters = read(sys.argv[1])
    for seed in map(int, sys.argv[3:] or ["0"]):
        train(text, characters, int(sys.argv[2]), seed)


if __name__ == "__main__":
    main()
