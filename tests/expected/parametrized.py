"""Layers whose weight is computed of others: torch.nn.utils.parametrizations' weight_norm and spectral_norm.

    python3 parametrized.py

A case: {"name", "input", "target", "state", "losses", "after", "eval"}: the layer's state_dict before, the losses of three steps of
SGD on the mean square error, the state_dict after them, and what the layer computes then in eval mode.
"""
import pathlib

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import calls
import stored
from calls import spread


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)


def case(name, layer, add, x):
    layer = layer.double()
    with torch.no_grad():
        for i, parameter in enumerate(layer.parameters()):
            parameter.copy_(spread(*parameter.shape, start=9 * i + 2, low=-24, high=24))
    torch.manual_seed(3)
    layer = add(layer)
    layer.train()
    state = calls.encode_all({key: value.clone() for key, value in layer.state_dict().items()})
    target = spread(*layer.eval()(x).shape, start=4, low=-12, high=12)
    layer.train()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = (layer(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    after = calls.encode_all(layer.state_dict())
    return {"name": name, "input": stored.encode(x), "target": stored.encode(target), "state": state, "losses": losses, "after": after,
            "eval": stored.encode(layer.eval()(x))}


def main():
    header = stored.header()
    weight, spectral = parametrizations.weight_norm, parametrizations.spectral_norm
    rows, image = spread(5, 3, low=-24, high=24), spread(2, 2, 4, 4, low=-24, high=24)
    cases = [
        case("weight_norm linear", nn.Linear(3, 4), weight, rows),
        case("weight_norm linear dim 1", nn.Linear(3, 4), lambda m: weight(m, dim=1), rows),
        case("weight_norm linear whole", nn.Linear(3, 4), lambda m: weight(m, dim=None), rows),
        case("weight_norm conv", nn.Conv2d(2, 3, 3), weight, image),
        case("spectral_norm linear", nn.Linear(3, 4), spectral, rows),
        case("spectral_norm linear often", nn.Linear(3, 4, bias=False), lambda m: spectral(m, n_power_iterations=3, eps=1e-6), rows),
        case("spectral_norm conv", nn.Conv2d(2, 3, 3), spectral, image),
        case("spectral_norm transposed conv", nn.ConvTranspose2d(2, 3, 2), spectral, image),
        case("spectral_norm bias", nn.Linear(3, 4), lambda m: spectral(m, "bias"), rows),
        case("symmetric", nn.Linear(3, 3), lambda m: (parametrize.register_parametrization(m, "weight", Symmetric()), m)[1], rows),
    ]
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), cases)


main()
