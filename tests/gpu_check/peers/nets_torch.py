#!/usr/bin/env python3
"""nets_torch.py STEP MODE: PyTorch's side of a step (compare.py). MODE: eager, or a mode of torch.compile for net and loss.

Batches lie in pinned memory and are copied to the GPU at every step, as weft's are.
"""
import sys

import torch
from torch import nn
from torch.nn import functional as F

import serve

BATCH, TOKENS, WIDTH, HEADS, VOCABULARY = 8, 1024, 768, 12, 50257


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        parts = [p.view(BATCH, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2) for p in self.qkv(self.norm1(x)).split(WIDTH, 2)]
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(BATCH, TOKENS, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(TOKENS, WIDTH)
        nn.init.normal_(self.token.weight, std=0.02)
        self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(12))), nn.LayerNorm(WIDTH)

    def forward(self, x):
        x = self.token(x) + self.position(torch.arange(TOKENS, device=x.device))
        return F.linear(self.norm(self.blocks(x)).view(BATCH * TOKENS, WIDTH), self.token.weight)


def pictures(*shape):
    return lambda: (torch.rand(shape) * 2 - 1, torch.randint(0, 10, shape[:1]))


STEPS = {
    "step/lesson 02, mlp": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)),
        lambda p: torch.optim.SGD(p, lr=1e-3, fused=True), pictures(64, 1, 28, 28), None),
    "step/lesson 03, batch norm": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32), nn.ReLU(),
                              nn.Linear(32, 10)),
        lambda p: torch.optim.Adam(p, lr=1e-3, fused=True), pictures(32, 1, 28, 28), None),
    "step/lesson 04, convolutions": (
        lambda: nn.Sequential(nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
                              nn.Linear(16 * 32 * 32, 10)),
        lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, fused=True), pictures(64, 3, 32, 32), None),
    "step/gpt2 124M, bf16": (
        Gpt2, lambda p: torch.optim.AdamW(p, lr=1e-4, fused=True),
        lambda: (torch.randint(0, VOCABULARY, (BATCH, TOKENS)), torch.randint(0, VOCABULARY, (BATCH * TOKENS,))), torch.bfloat16),
}


def main():
    make, optimizer_of, batch, autocast = STEPS[sys.argv[1]]
    mode = sys.argv[2]
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda")
    net = make().to(device).train()
    optimizer = optimizer_of(net.parameters())
    x, y = (t.pin_memory() for t in batch())

    def loss_of(x, y):
        with torch.autocast("cuda", dtype=autocast or torch.bfloat16, enabled=autocast is not None):
            return F.cross_entropy(net(x), y)

    compiled = loss_of if mode == "eager" else torch.compile(loss_of, mode=mode)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = compiled(x.to(device, non_blocking=True), y.to(device, non_blocking=True))
        loss.backward()
        optimizer.step()

    serve.say(f"torch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}",
              f"TF32: matmul {torch.backends.cuda.matmul.allow_tf32}, cudnn {torch.backends.cudnn.allow_tf32}")
    serve.serve(step, torch.cuda.synchronize)


if __name__ == "__main__":
    main()
