"""100 training steps of the nets of lessons 3 and 4, in f64; in f32 to see that the losses are well conditioned.

    python3 nets.py

Nothing but the losses is stored: weights, images and labels are drawn by one formula, here and in net_trajectory_test.cpp.
Element i of draw number n is u(n, i) = mix(mix(i) + n) / 2^32. A weight or bias of a linear or convolutional layer is
(2 u - 1) / sqrt(fan_in), rounded to f32: draws 1, 2, ... in the order of state_dict. Step s has the labels
floor(10 u(1000 + s, i)); element j of an image is signal (u(2000 + label, j) - 1/2) + u(3000 + s, j') - 1/2, rounded to f32,
j' its place in the batch. "large" nets would take the reference too long.
"""
import copy
import math
import pathlib

import torch
from torch import nn

import stored

STEPS = 100
MASK = 0xFFFFFFFF


def mix(x):
    x = (x ^ (x >> 16)) * 0x7FEB352D & MASK
    x = (x ^ (x >> 15)) * 0x846CA68B & MASK
    return x ^ (x >> 16)


def draw(number, shape):
    count = math.prod(shape)
    return (mix(mix(torch.arange(count)) + number & MASK).double() / 2**32).reshape(shape)


def single(x):
    return x.float().double()


def mlp(normalized):
    layers = [nn.Flatten()]
    for inputs in (784, 32):
        layers += [nn.Linear(inputs, 32), nn.BatchNorm1d(32), nn.ReLU()] if normalized else [nn.Linear(inputs, 32), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(32, 10))


def conv(first, second, side):
    return nn.Sequential(nn.Conv2d(3, first, 5, padding=2), nn.ReLU(), nn.Conv2d(first, second, 3, padding=1), nn.ReLU(),
                         nn.Flatten(), nn.Linear(second * side * side, 10))


def challenge(first, second, hidden, side):
    return nn.Sequential(nn.Conv2d(3, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(second * side * side // 16, hidden), nn.ReLU(), nn.Linear(hidden, 10))


ADAM = ("Adam", {"lr": 1e-2})
NESTEROV = ("SGD", {"lr": 1e-2, "momentum": 0.9, "nesterov": True})
NETS = {
    "mlp": (mlp(False), [32, 1, 28, 28], 0.08, ADAM),
    "batch_norm": (mlp(True), [32, 1, 28, 28], 0.08, ADAM),
    "conv": (conv(8, 4, 16), [4, 3, 16, 16], 0.25, NESTEROV),
    "challenge": (challenge(8, 16, 32, 16), [4, 3, 16, 16], 3, NESTEROV),
    "conv_large": (conv(32, 16, 32), [4, 3, 32, 32], 0.125, NESTEROV),
    "challenge_large": (challenge(32, 64, 512, 32), [4, 3, 32, 32], 1, NESTEROV),
}


def start(model):
    number = 0
    for layer in model:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            for parameter in (layer.weight, layer.bias):
                number += 1
                parameter.data = single((2 * draw(number, parameter.shape) - 1) / math.sqrt(layer.weight[0].numel()))


def train(dtype, model, shape, signal, optimizer, options):
    model.double()
    start(model)
    model = copy.deepcopy(model).to(dtype)
    patterns = torch.stack([draw(2000 + label, shape[1:]) for label in range(10)])
    update = getattr(torch.optim, optimizer)(model.parameters(), foreach=False, fused=False, **options)
    losses = []
    for step in range(STEPS):
        labels = (10 * draw(1000 + step, shape[:1])).long()
        images = single(signal * (patterns[labels] - 0.5) + draw(3000 + step, shape) - 0.5).to(dtype)
        loss = nn.functional.cross_entropy(model(images), labels)
        losses.append(loss.item())
        update.zero_grad()
        loss.backward()
        update.step()
    return losses


def main():
    content = stored.header() | {"steps": STEPS}
    cases = []
    for name, (model, shape, signal, (optimizer, options)) in NETS.items():
        losses = train(torch.float64, model, shape, signal, optimizer, options)
        apart = max(abs(a - b) / a for a, b in zip(losses, train(torch.float32, model, shape, signal, optimizer, options)))
        print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}, f32 within {apart:.1e} of f64")
        widths = [layer.weight.shape[0] for layer in model if isinstance(layer, (nn.Linear, nn.Conv2d))]
        cases.append({"name": name, "net": name.removesuffix("_large"), "large": name.endswith("_large"), "shape": shape, "signal": signal, "widths": widths,
                      "optimizer": optimizer, "options": options, "losses": losses})
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content | {"cases": cases})


if __name__ == "__main__":
    main()
