"""The learning rate over 30 steps of several schedules of one optimizer, each made and moved on one after the other.

    python3 chains.py

Every case starts from SGD with lr 1 and momentum 0.9; "rates" holds the rate once all schedules are made, and after each step.
"""
import pathlib

import torch

import stored

STEPS = 30

CHAINS = [
    [("LinearLR", {"start_factor": 0.25, "total_iters": 3}), ("ExponentialLR", {"gamma": 0.5})],
    [("ExponentialLR", {"gamma": 0.9}), ("LinearLR", {"start_factor": 0.1, "total_iters": 5})],
    [("ConstantLR", {"factor": 0.1, "total_iters": 4}), ("StepLR", {"step_size": 3, "gamma": 0.7})],
    [("LinearLR", {"start_factor": 0.5, "end_factor": 0.0, "total_iters": 20}), ("MultiStepLR", {"milestones": [2, 7, 7], "gamma": 0.5})],
    [("PolynomialLR", {"total_iters": 12, "power": 2.0}), ("ConstantLR", {"factor": 0.5, "total_iters": 6})],
    [("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}), ("ExponentialLR", {"gamma": 0.95})],
    [("LinearLR", {"start_factor": 0.1, "total_iters": 4}), ("CosineAnnealingLR", {"T_max": 10})],
    [("CosineAnnealingLR", {"T_max": 5}), ("StepLR", {"step_size": 4, "gamma": 0.5}), ("LinearLR", {"start_factor": 0.2, "total_iters": 2})],
    [("ExponentialLR", {"gamma": 0.9}), ("LambdaLR", {})],
    [("LambdaLR", {}), ("ExponentialLR", {"gamma": 0.9})],
    [("CosineAnnealingWarmRestarts", {"T_0": 6}), ("StepLR", {"step_size": 2, "gamma": 0.5})],
    [("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}), ("StepLR", {"step_size": 2, "gamma": 0.5})],
    [("OneCycleLR", {"max_lr": 1.0, "total_steps": 40}), ("ExponentialLR", {"gamma": 0.9})],
    [("OneCycleLR", {"max_lr": 1.0, "total_steps": 40}), ("LambdaLR", {})],
    [("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}), ("LambdaLR", {})],
]


def made(name, options, optimizer):
    schedules = torch.optim.lr_scheduler
    if name == "LambdaLR":
        return schedules.LambdaLR(optimizer, lambda step: 0.95 ** step)
    return getattr(schedules, name)(optimizer, **options)


def rates(chain):
    optimizer = torch.optim.SGD([torch.zeros((), requires_grad=True)], lr=1.0, momentum=0.9)
    schedules = [made(name, options, optimizer) for name, options in chain]
    all_rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(STEPS):
        optimizer.step()
        for schedule in schedules:
            schedule.step()
        all_rates.append(optimizer.param_groups[0]["lr"])
    return all_rates


def main():
    cases = [{"schedules": [{"schedule": name, "options": options} for name, options in chain], "rates": rates(chain)} for chain in CHAINS]
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), stored.header() | {"cases": cases})


main()
