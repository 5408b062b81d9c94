"""The learning rate (and, where it moves, the momentum) over 100 steps of every schedule of torch.optim.lr_scheduler.

    python3 schedules.py

Every case starts from SGD with lr 0.5 and momentum 0.9; "rates" holds the rate before the first step and after each.
ReduceLROnPlateau sees the "metrics". SequentialLR's parts are cases of their own form.
"""
import math
import pathlib

import torch

import stored

STEPS = 100

CASES = [
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 7, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [3, 20, 20, 71], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 40}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 60}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 80, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 17, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 0.001}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 101}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 150, "anneal_strategy": "linear", "three_phase": True, "pct_start": 0.25}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 120, "cycle_momentum": False, "div_factor": 10.0, "final_div_factor": 100.0}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 10}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "step_size_down": 15, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "mode": "exp_range", "gamma": 0.98, "cycle_momentum": False}),
    ("ReduceLROnPlateau", {}),
    ("ReduceLROnPlateau", {"mode": "max", "factor": 0.5, "patience": 3, "threshold": 0.01, "threshold_mode": "abs", "cooldown": 4, "min_lr": 0.05}),
    ("LambdaLR", {}),
    ("SequentialLR", {}),
]


def metric(step):
    """Falls, then wavers."""
    return math.exp(-step / 10) + 0.01 * math.sin(step)


def schedule(name, options, optimizer):
    schedules = torch.optim.lr_scheduler
    if name == "LambdaLR":
        return schedules.LambdaLR(optimizer, lambda step: 0.95 ** step)
    if name == "SequentialLR":  # a warm-up, then half a cosine, then decay
        parts = [schedules.LinearLR(optimizer, start_factor=0.1, total_iters=20),
                 schedules.CosineAnnealingLR(optimizer, T_max=40), schedules.ExponentialLR(optimizer, gamma=0.9)]
        return schedules.SequentialLR(optimizer, parts, milestones=[20, 60])
    return getattr(schedules, name)(optimizer, **options)


def rates(name, options):
    parameter = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5, momentum=0.9)
    the_schedule = schedule(name, options, optimizer)
    group = optimizer.param_groups[0]
    rates, momenta = [group["lr"]], [group["momentum"]]
    for step in range(STEPS):
        optimizer.step()
        the_schedule.step(*([metric(step)] if name == "ReduceLROnPlateau" else []))
        rates.append(group["lr"])
        momenta.append(group["momentum"])
    return rates, momenta


def main():
    cases = []
    for name, options in CASES:
        all_rates, momenta = rates(name, options)
        case = {"schedule": name, "options": options, "rates": all_rates}
        if len(set(momenta)) > 1:
            case["momenta"] = momenta
        cases.append(case)
    print(f"{len(cases)} cases")
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"),
                 stored.header() | {"metrics": [metric(step) for step in range(STEPS)], "cases": cases})


main()
