"""20 training steps of a small net under torch.autocast(bfloat16) and in f32, and the gradients of the first one.

    python3 autocast.py

Weights, images and labels are drawn by the formula of nets.py, here and in autocast_test.cpp: draws 1, 2, ... are the weights and
biases of convolution and linear layers in the order of state_dict, (2 u - 1) / sqrt(fan_in) rounded to f32; step s has the labels
floor(10 u(1000 + s, i)) and the images 4 (u(2000 + label, j) - 1/2) + u(3000 + s, j') - 1/2. The layer norm starts as it does.
"""
import math
import pathlib

import torch
from torch import nn

import stored

STEPS, SHAPE, CHANNELS, HIDDEN = 20, [16, 3, 8, 8], 4, 16
MASK = 0xFFFFFFFF


def mix(x):
    x = (x ^ (x >> 16)) * 0x7FEB352D & MASK
    x = (x ^ (x >> 15)) * 0x846CA68B & MASK
    return x ^ (x >> 16)


def draw(number, shape):
    count = math.prod(shape)
    return (mix(mix(torch.arange(count)) + number & MASK).double() / 2**32).reshape(shape)


def net():
    model = nn.Sequential(nn.Conv2d(3, CHANNELS, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(CHANNELS * 16, HIDDEN), nn.LayerNorm(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    number = 0
    for layer in model:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            for parameter in (layer.weight, layer.bias):
                number += 1
                parameter.data = ((2 * draw(number, parameter.shape) - 1) / math.sqrt(layer.weight[0].numel())).float()
    return model


def train(enabled):
    model = net()
    update = torch.optim.SGD(model.parameters(), lr=0.02, foreach=False, fused=False)
    patterns = torch.stack([draw(2000 + label, SHAPE[1:]) for label in range(10)])
    losses, gradients = [], {}
    for step in range(STEPS):
        labels = (10 * draw(1000 + step, SHAPE[:1])).long()
        images = (4 * (patterns[labels] - 0.5) + draw(3000 + step, SHAPE) - 0.5).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = nn.functional.cross_entropy(model(images).float(), labels)
        losses.append(loss.item())
        update.zero_grad()
        loss.backward()
        if step == 0:
            assert all(p.grad.dtype == torch.float32 for p in model.parameters())
            gradients = {name: stored.encode(p.grad) for name, p in model.named_parameters()}
        update.step()
    return losses, gradients


def main():
    content = stored.header() | {"steps": STEPS, "shape": SHAPE, "channels": CHANNELS, "hidden": HIDDEN}
    for name, enabled in (("f32", False), ("bf16", True)):
        losses, gradients = train(enabled)
        content[name] = {"losses": losses, "gradients": gradients}
        print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    a, b = content["f32"]["losses"], content["bf16"]["losses"]
    print(f"losses apart by at most {max(abs(x - y) for x, y in zip(a, b)):.1e}")
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content)


main()
