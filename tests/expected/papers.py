"""Optimizers that torch.optim does not have, by their papers' formulas, for the scripts beside this file."""
import torch


class Lion(torch.optim.Optimizer):
    """Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2."""

    def __init__(self, parameters, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in (p for p in group["params"] if p.grad is not None):
                g = -p.grad if group["maximize"] else p.grad
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * g
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(c.sign(), alpha=group["lr"])
                m.copy_(beta2 * m + (1 - beta2) * g)


class LARS(torch.optim.Optimizer):
    """You, Gitman and Ginsburg, "Large batch training of convolutional networks" (2017), algorithm 1, with an epsilon and a rate of 1 where
    a norm is 0, as it is usually written, and SGD's Nesterov momentum."""

    def __init__(self, parameters, lr=1e-3, momentum=0.9, weight_decay=0.0, trust_coefficient=1e-3, eps=1e-8, nesterov=False, maximize=False):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust_coefficient": trust_coefficient,
                                      "eps": eps, "nesterov": nesterov, "maximize": maximize})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            momentum, decay = group["momentum"], group["weight_decay"]
            for p in (p for p in group["params"] if p.grad is not None):
                g = -p.grad if group["maximize"] else p.grad
                length, of_gradient = p.square().sum().sqrt().double(), g.square().sum().sqrt().double()
                trust = group["trust_coefficient"] * length / (of_gradient + decay * length + group["eps"])
                if length == 0 or of_gradient == 0:
                    trust = 1.0
                step = (g + decay * p if decay else g) * float(group["lr"] * trust)
                if momentum:
                    v = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                    v.mul_(momentum).add_(step)
                    step = momentum * v + step if group["nesterov"] else v
                p.sub_(step)


def optimizer(name):
    return globals().get(name) or getattr(torch.optim, name)


def implementation(name):
    """The options that ask for PyTorch's single-tensor form, where it has others."""
    if name in ("SparseAdam", "Lion", "LARS", "Muon"):
        return {}
    return {"foreach": False} | ({"fused": False} if name in ("SGD", "Adam", "AdamW", "Adagrad") else {})
