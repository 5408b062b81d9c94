"""Second derivatives: a penalty on the gradient of a small net in its input, under many middle layers.

    python3 penalty.py

A net is Linear(3, 4) without a bias (whose gradient batch normalization would make 0), a middle layer, Linear(4, 1), in f64. With y = net(x) and g = d sum(y) / dx for each sample, the loss is
mean(y^2) + mean((|g| - 1)^2). A case: {"name", "module", "arguments", "options" (of the middle layer, as in calls.py), "input",
"parameters", "loss", "grads"}, the last three by state_dict's names.
"""
import pathlib

import torch
from torch import nn

import calls
import stored
from calls import spread

MIDDLES = [("Identity", []), ("ReLU", []), ("Sigmoid", []), ("Tanh", []), ("GELU", []), ("SiLU", []), ("Mish", []), ("Softplus", []),
           ("ELU", []), ("SELU", []), ("LogSigmoid", []), ("Hardswish", []), ("LeakyReLU", []), ("PReLU", []), ("Softmax", [1]),
           ("LogSoftmax", [1]), ("LayerNorm", [[4]]), ("RMSNorm", [[4]]), ("BatchNorm1d", [4])]


def case(module, arguments):
    net = nn.Sequential(nn.Linear(3, 4, bias=False), getattr(nn, module)(*arguments), nn.Linear(4, 1)).double()
    with torch.no_grad():
        for i, parameter in enumerate(net.parameters()):
            parameter.copy_(spread(*parameter.shape, start=9 * i + 2, low=-24, high=24))
    x = spread(5, 3, low=-24, high=24).requires_grad_()
    y = net(x)
    g, = torch.autograd.grad(y.sum(), x, create_graph=True)
    loss = y.square().mean() + (g.norm(dim=1) - 1).square().mean()
    named = dict(net.named_parameters())
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(named.values(), gradients)]
    return {"name": module, "module": module, "arguments": arguments, "options": {}, "input": stored.encode(x),
            "parameters": calls.encode_all(named), "loss": loss.item(), "grads": calls.encode_all(zip(named, gradients))}


def main():
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), [case(*middle) for middle in MIDDLES])


main()
