#!/usr/bin/env python3
"""Lesson 8's recipe in PyTorch: char_gpt.py DIR STEPS [SEED...] trains on DIR/input.txt and prints each seed's test loss, after each
epoch and at the end.

The same net (4 blocks, width 128, 4 heads, windows of 128), the same windows in a shuffled order, batches of 16, Adam at 1e-3: 491
steps an epoch.
"""
import sys

import torch
import torch.nn.functional as F
from torch import nn

WIDTH, HEADS, LAYERS, WINDOW, BATCH, LR = 128, 4, 4, 128, 16, 1e-3


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        n, tokens, _ = x.shape
        q, k, v = (part.view(n, tokens, HEADS, WIDTH // HEADS).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, 2))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, tokens, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.token, self.position = nn.Embedding(characters, WIDTH), nn.Embedding(WINDOW, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters, bias=False)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.token(x) + self.position(torch.arange(x.shape[1])))))


def windows(part):
    count = (len(part) - 1) // WINDOW
    return part[: count * WINDOW].view(count, WINDOW), part[1 : count * WINDOW + 1].view(count, WINDOW)


def loss_of(net, x, y):
    return F.cross_entropy(net(x).transpose(1, 2), y)


def test_loss(net, x, y):
    with torch.no_grad():
        return sum(loss_of(net, a, b).item() * len(a) for a, b in zip(x.split(BATCH), y.split(BATCH))) / len(x)


def train(text, characters, steps, seed):
    torch.manual_seed(seed)
    split = len(text) // 10 * 9
    x, y = windows(text[:split])
    net = Gpt(characters)
    adam = torch.optim.Adam(net.parameters(), lr=LR)
    step = 0
    while step < steps:
        for batch in torch.randperm(len(x)).split(BATCH)[: steps - step]:
            adam.zero_grad()
            loss_of(net, x[batch], y[batch]).backward()
            adam.step()
            step += 1
        print(f"seed {seed}, step {step}: test loss {test_loss(net, *windows(text[split:])):.4f}", flush=True)


def main():
    letters = open(sys.argv[1] + "/input.txt", encoding="utf-8").read()
    known = {c: i for i, c in enumerate(sorted(set(letters)))}
    text = torch.tensor([known[c] for c in letters])
    for seed in map(int, sys.argv[3:] or ["0"]):
        train(text, len(known), int(sys.argv[2]), seed)


main()
