#!/usr/bin/env python3
"""PyTorch's side of the training-step benchmark: builds a step, times it when asked, and answers in JSON.

An outside driver starts one process per peer and lets them take turns, so that a slow minute of the machine hits all
of them. Each line on standard input is a request, each gets one line of JSON on standard output:

    RUN seconds mode case   times steps for about that long
    QUIT                    ends; so does the end of the input

The first line out, before any request, describes the process: versions, threads, cases and modes.

Cases
    temperature   w * t_u + b on 11 samples, mean squared error, SGD with lr 1e-2: all overhead, hardly any arithmetic
    mlp           784-512-512-10 with ReLU and cross-entropy, batch 64, SGD with lr 1e-3

Modes, every one the same step: forward, loss, backward, update, with the loss left in a tensor
    eager         loss.backward() and the single-tensor optimizer
    foreach       the same with the optimizer's foreach implementation
    fused         the same with the optimizer's fused implementation
    manual        autograd.grad and p -= lr * g by hand: no optimizer object, PyTorch's least overhead without a compiler
    compile       torch.compile of the whole step in one graph: gradients by torch.func, parameters updated in place
    unguarded     compile without the checks, at every call, that the arguments are still what was compiled for
    tuned         unguarded, and torch.compile may time alternatives (max_autotune)

The last three are there only if a C++ compiler is (CXX, or g++).

A mode is built at its first RUN: its losses over the first 20 steps are compared with eager's (a step that computes
something else is refused), then it is warmed up. The answer to RUN:

    {"mode", "case", "steps", "median_us", "mean_us", "min_us", "p10_us", "p90_us", "preempted",
     "build_s", "loss", "loss_error"}

"preempted" counts how often the system took a core away from a thread meanwhile: where it is not small beside steps,
other work ran on the machine and the block says little (threads that spin for each other suffer most).

Times are per step, each step between two readings of the clock (whose cost is "clock_us" in the first line). A block
starts with untimed steps, so that caches and threads that slept while another peer ran do not count. A request that
cannot be served is answered by {"error": ...}.
"""
import argparse
import gc
import itertools
import json
import os
import resource
import shutil
import statistics
import sys
import time
import types

import torch
from torch import nn
from torch.func import functional_call, grad_and_value

BATCHES = 16           # distinct batches that a run of the MLP cycles over, as training does
COMPARED_STEPS = 20    # steps whose losses are compared with eager's when a mode is built
TOLERANCE = 1e-4       # of those losses, relative: rounding differs between modes, nothing else may
SETTLE_SECONDS = 0.05  # untimed steps at the start of each block


# ---- the two models -------------------------------------------------------------------------------------------------

class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, t_u):
        return self.w * t_u + self.b


def temperature():
    """The model, its loss, its learning rate and its batches."""
    t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
    t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4]) * 0.1
    return Line(), nn.functional.mse_loss, 1e-2, [(t_u, t_c)]


def mlp():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    batches = [(torch.rand(64, 784), torch.randint(0, 10, (64,))) for _ in range(BATCHES)]
    return model, nn.functional.cross_entropy, 1e-3, batches


CASES = {"temperature": temperature, "mlp": mlp}


# ---- the ways to run a step: each takes a model, a loss and a rate, and returns step(x, y) -> loss ---------------------

def with_optimizer(**implementation):
    def build(model, loss_of, lr):
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, **implementation)

        def step(x, y):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            return loss
        return step
    return build


def by_hand(model, loss_of, lr):
    parameters = list(model.parameters())

    def step(x, y):
        loss = loss_of(model(x), y)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients):
                parameter.sub_(gradient, alpha=lr)
        return loss
    return step


numbers = itertools.count()


def own_code(function):
    """A copy of `function` with a code object of its own, for torch.compile looks up what it compiled by code object:
    two cases that share one would check each other's guards at every call, or, unguarded, run each other's program."""
    name = f"{function.__name__}_{next(numbers)}"
    return types.FunctionType(function.__code__.replace(co_name=name), function.__globals__, name, None, function.__closure__)


def compiled(**options):
    def build(model, loss_of, lr):
        names, parameters = zip(*((name, parameter.detach()) for name, parameter in model.named_parameters()))

        def whole_step(values, x, y):
            def loss_at(values):
                return loss_of(functional_call(model, dict(zip(names, values)), (x,)), y)
            gradients, loss = grad_and_value(loss_at)(values)
            for value, gradient in zip(values, gradients):
                value.sub_(gradient, alpha=lr)
            return loss

        program = torch.compile(own_code(whole_step), fullgraph=True, dynamic=False, options=options or None)
        return lambda x, y: program(parameters, x, y)
    return build


MODES = {
    "eager": with_optimizer(foreach=False, fused=False),
    "foreach": with_optimizer(foreach=True),
    "fused": with_optimizer(fused=True),
    "manual": by_hand,
}
if shutil.which(os.environ.get("CXX", "g++")):
    unguarded = {"guard_filter_fn": torch.compiler.skip_all_guards_unsafe}
    MODES |= {
        "compile": compiled(),
        "unguarded": compiled(**unguarded),
        "tuned": compiled(max_autotune=True, **unguarded),
    }


# ---- building and timing --------------------------------------------------------------------------------------------

class Runner:
    """One mode of one case, built, checked against eager and ready to be timed."""

    def __init__(self, mode, case):
        start = time.perf_counter()
        losses, self.step, self.batches = first_losses(mode, case)
        expected, _, _ = first_losses("eager", case)
        self.loss_error = max(abs(a - b) / abs(b) for a, b in zip(losses, expected))
        if not self.loss_error <= TOLERANCE:
            raise RuntimeError(f"{mode} computes another {case}: its losses differ from eager's by {self.loss_error:.1e}")
        self.build_s = time.perf_counter() - start
        self.done = COMPARED_STEPS
        self.loss = None

    def run(self, seconds, times):
        """Steps for that long; appends the nanoseconds of each to `times`."""
        clock, step, batches, done = time.perf_counter_ns, self.step, self.batches, self.done
        loss, end = None, clock() + int(seconds * 1e9)
        before = clock()
        while before < end:
            x, y = batches[done % len(batches)]
            before = clock()
            loss = step(x, y)
            after = clock()
            times.append(after - before)
            before = after
            done += 1
        self.done = done
        self.loss = loss if loss is not None else self.loss


def first_losses(mode, case):
    """The losses of a fresh model's first steps, and what is needed to go on: the step and its batches."""
    model, loss_of, lr, batches = CASES[case]()
    step = MODES[mode](model, loss_of, lr)
    losses = [step(*batches[i % len(batches)]).item() for i in range(COMPARED_STEPS)]
    return losses, step, batches


def answer(runner, mode, case, seconds):
    runner.run(SETTLE_SECONDS, [])
    times = []
    preempted = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    gc.collect()
    gc.disable()
    try:
        runner.run(seconds, times)
    finally:
        gc.enable()
    preempted = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - preempted
    micros = sorted(t / 1e3 for t in times)
    at = lambda share: micros[min(int(share * len(micros)), len(micros) - 1)]
    return {"mode": mode, "case": case, "steps": len(micros), "median_us": statistics.median(micros),
            "mean_us": statistics.fmean(micros), "min_us": micros[0], "p10_us": at(0.1), "p90_us": at(0.9),
            "preempted": preempted, "build_s": runner.build_s, "loss": runner.loss.item(), "loss_error": runner.loss_error}


def serve(request, runners):
    words = request.split()
    if len(words) != 4 or words[0] != "RUN":
        raise ValueError(f"expected 'RUN seconds mode case', got {request!r}")
    seconds, mode, case = float(words[1]), words[2], words[3]
    if not 0 < seconds < float("inf"):
        raise ValueError(f"cannot run for {words[1]} seconds")
    if mode not in MODES or case not in CASES:
        raise ValueError(f"modes are {', '.join(MODES)}; cases are {', '.join(CASES)}")
    if (mode, case) not in runners:
        runners[mode, case] = Runner(mode, case)
    return answer(runners[mode, case], mode, case, seconds)


def description(threads):
    ticks = [time.perf_counter_ns() for _ in range(10001)]
    return {"peer": "pytorch", "version": torch.__version__, "python": sys.version.split()[0], "threads": threads,
            "isa": torch.backends.cpu.get_cpu_capability(), "onednn": torch.backends.mkldnn.is_available(),
            "clock_us": statistics.median(b - a for a, b in zip(ticks, ticks[1:])) / 1e3,
            "cases": list(CASES), "modes": list(MODES)}


def replies():
    """Standard output for the answers alone: what libraries print there goes to standard error from now on."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return out


def main():
    parser = argparse.ArgumentParser(description="serves training-step timings; see the top of the file")
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    out = replies()
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    print(json.dumps(description(threads)), file=out)
    runners = {}
    for request in sys.stdin:
        if request.strip() == "QUIT":
            break
        if not request.strip():
            continue
        try:
            reply = serve(request, runners)
        except Exception as error:  # the driver decides what a missing mode means
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0], "request": request.strip()}
        print(json.dumps(reply), file=out)


if __name__ == "__main__":
    main()
