"""L-BFGS and averages of weights: a net of 3-4-1 on eight samples, in f64.

    python3 drivers.py

"lbfgs": for each setting, what every call of step() returns, and all parameters after the last. "averages": the parameters
after steps of SGD, and the averages that AveragedModel makes of them along the way.
"""
import pathlib

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import stored

LBFGS = [
    {"lr": 0.1},
    {"max_iter": 4, "history_size": 2, "line_search_fn": "strong_wolfe"},
    {"max_iter": 20, "line_search_fn": "strong_wolfe"},
    {"lr": 0.5, "max_iter": 5, "max_eval": 7, "line_search_fn": "strong_wolfe"},
    {"lr": 0.1, "max_iter": 6, "maximize": True},
]
STEPS = 5


def problem():
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(8, 3)
    return net, x, torch.sin(x.sum(1, keepdim=True)) + 0.1 * torch.randn(8, 1)


def flat(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()]).tolist()


def lbfgs(options):
    net, x, y = problem()
    update = torch.optim.LBFGS(net.parameters(), **options)
    sign = -1 if options.get("maximize") else 1
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        update.zero_grad()
        loss = sign * nn.functional.mse_loss(net(x), y)
        loss.backward()
        return loss

    losses = [update.step(closure).item() for _ in range(STEPS)]
    return {"options": options, "losses": losses, "evaluations": evaluations, "parameters": flat(net)}


def averages():
    net, x, y = problem()
    swa, ema = AveragedModel(net), AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    update = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(STEPS):
        update.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        update.step()
        swa.update_parameters(net)
        ema.update_parameters(net)
    return {"decay": 0.8, "swa": flat(swa), "ema": flat(ema), "parameters": flat(net)}


def main():
    torch.set_default_dtype(torch.float64)
    content = stored.header()
    net, x, y = problem()
    content |= {"start": flat(net), "x": x.flatten().tolist(), "y": y.flatten().tolist(), "steps": STEPS,
                "lbfgs": [lbfgs(options) for options in LBFGS], "averages": averages()}
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content)


main()
