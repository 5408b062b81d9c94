#!/usr/bin/env python3
"""PyTorch's side of the sweep: as sweep_peer.cpp, eagerly, with the fused optimizer and, for images, channels last."""
import sys
import time

import torch
from torch import nn

import serve


class Conv(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.head = nn.Conv2d(width, width, 3, padding=1), nn.Linear(width, 10)

    def forward(self, x):
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


NETS = {"mlp": lambda width: nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10)), "conv": Conv}


def step_us(name, width, batch, seconds):
    net, x = NETS[name](width), torch.rand((batch, 64) if name == "mlp" else (batch, width, 8, 8)) - 0.5
    if name == "conv":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    y = torch.arange(batch) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, fused=True)

    def block(steps):
        start = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        return (time.perf_counter() - start) * 1e6 / steps

    block(3)
    steps = min(100, max(1, int(500 / block(3))))
    times, start = [], time.perf_counter()
    while len(times) < 4 or time.perf_counter() - start < seconds:
        times.append(block(steps))
    return sorted(times)[len(times) // 4]


def answer(request):
    name, width, batch, seconds = request.split()
    return {"us": step_us(name, int(width), int(batch), float(seconds))}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    serve.serve_lines({"peer": "PyTorch", "version": torch.__version__}, answer)


if __name__ == "__main__":
    main()
