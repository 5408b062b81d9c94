#!/usr/bin/env python3
"""PyTorch's side of the benchmark: torch_peer.py THREADS FOLDER serves the case that is stored in the folder (cases.py).

Every mode is the same step: forward, loss, backward, update, with the loss left in a tensor.

    eager       loss.backward() and the optimizer's plain loop over the parameters
    foreach     the same with the optimizer's foreach implementation
    fused       the same with the optimizer's fused implementation
    manual      autograd.grad and an update written out: no optimizer object
    model       torch.compile of forward and loss (so of their gradients), and the fused optimizer
    step        torch.compile of the whole step in one graph: gradients by torch.func, everything updated in place
    step_cpp    the same, called through the C++ wrapper (cpp_wrapper) instead of the Python one
    step_tuned  the same, and torch.compile may time alternatives (max_autotune)

Where the net has convolutions, each mode is there again with the suffix _channels_last: model and images in that memory
format.

The compiled modes, which need a C++ compiler, skip the checks at every call that the arguments are still what was
compiled for, which makes them faster than torch.compile's default.
"""
import functools
import itertools
import json
import pathlib
import sys
import types

import numpy
import torch
from torch import nn
from torch.func import functional_call, grad_and_value

import cases
import serve


# ---- the nets, losses and optimizers that cases name -----------------------------------------------------------------

class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, t_u):
        return self.w * t_u + self.b


LAYERS = {"linear": nn.Linear, "conv": lambda inputs, outputs, kernel, padding: nn.Conv2d(inputs, outputs, kernel, padding=padding),
          "batch_norm": nn.BatchNorm1d, "max_pool": nn.MaxPool2d, "relu": nn.ReLU, "flatten": nn.Flatten}


def layers(case):
    return nn.Sequential(*(LAYERS[kind](*map(int, sizes)) for kind, *sizes in map(str.split, case["layers"])))


class ConvNorms(nn.Module):
    """Convolutions with their batch norms, by name, called by number."""

    def __init__(self, convs):
        super().__init__()
        for conv in convs:
            name = conv.name.split(".")[-1]
            self.add_module(name, nn.Conv2d(conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.kernel // 2, bias=False))
            self.add_module(f"{name}_norm", nn.BatchNorm2d(conv.outputs))

    def normed(self, name, x):
        return self.get_submodule(f"{name}_norm")(self.get_submodule(name)(x))


class ResNetBlock(ConvNorms):
    def __init__(self, block):
        super().__init__(block.convs + ([block.around] if block.around else []))
        self.depth, self.has_around = len(block.convs), block.around is not None

    def forward(self, x):
        y = x
        for k in range(1, self.depth):
            y = torch.relu(self.normed(f"conv{k}", y))
        y = self.normed(f"conv{self.depth}", y)
        return torch.relu(y + (self.normed("around", x) if self.has_around else x))


class ResNet(ConvNorms):
    def __init__(self, case):
        super().__init__([cases.stem_of(case)])
        pool, blocks = case.get("pool"), cases.blocks_of(case)
        self.pool = nn.MaxPool2d(pool["kernel"], pool["stride"], pool["kernel"] // 2) if pool else nn.Identity()
        self.blocks = nn.Sequential(*map(ResNetBlock, blocks))
        self.head = nn.Linear(blocks[-1].outputs, case["classes"])

    def forward(self, x):
        return self.head(self.blocks(self.pool(torch.relu(self.normed("stem", x)))).mean((2, 3)))


class GptBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = (part.view(batch, tokens, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(width, 2))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, case):
        super().__init__()
        width, vocabulary = case["width"], case["vocabulary"]
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(case["tokens"], width)
        self.blocks = nn.ModuleList(GptBlock(width, case["heads"]) for _ in range(case["layers"]))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        x = self.token(x) + self.position.weight
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).flatten(0, 1)


class Recurrent(nn.Module):
    def __init__(self, case):
        super().__init__()
        width, vocabulary = case["width"], case["vocabulary"]
        self.token, self.head = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
        self.kind = case["net"]
        self.add_module(self.kind, {"lstm": nn.LSTM, "gru": nn.GRU}[self.kind](width, width, case["layers"], batch_first=True))

    def forward(self, x):
        return self.head(self.get_submodule(self.kind)(self.token(x))[0]).flatten(0, 1)


NETS = {"line": lambda case: Line(), "layers": layers, "resnet": ResNet, "gpt": Gpt, "lstm": Recurrent, "gru": Recurrent}
LOSSES = {"mse": nn.functional.mse_loss, "smooth_l1": nn.functional.smooth_l1_loss, "cross_entropy": nn.functional.cross_entropy}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class SgdByHand:
    def __init__(self, parameters, lr):
        self.state, self.lr = [], lr

    def restart(self):
        pass

    def update(self, parameters, gradients, state):
        for parameter, gradient in zip(parameters, gradients):
            parameter.sub_(gradient, alpha=self.lr)


class AdamByHand:
    """torch.optim.Adam's formula on tensors alone, with a decay as AdamW has it. The powers of the betas are tensors that are multiplied on, so that
    a compiled step neither recompiles nor takes powers."""

    def __init__(self, parameters, lr, decay=0, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.decay, self.betas, self.eps = lr, decay, betas, eps
        self.state = [[torch.zeros_like(p) for p in parameters], [torch.zeros_like(p) for p in parameters],
                      [torch.ones((), dtype=torch.float64) for _ in betas]]

    def restart(self):
        means, squares, powers = self.state
        for moment in means + squares:
            moment.zero_()
        for power in powers:
            power.fill_(1)

    def update(self, parameters, gradients, state):
        means, squares, powers = state
        for power, beta in zip(powers, self.betas):
            power.mul_(beta)
        rate = (self.lr / (1 - powers[0])).float()
        correction = ((1 - powers[1]) ** -0.5).float()
        for parameter, gradient, mean, square in zip(parameters, gradients, means, squares):
            mean.lerp_(gradient, 1 - self.betas[0])
            square.mul_(self.betas[1]).addcmul_(gradient, gradient, value=1 - self.betas[1])
            if self.decay:
                parameter.mul_(1 - self.lr * self.decay)
            parameter.sub_(rate * mean / (square.sqrt() * correction + self.eps))


AUTOCAST = {None: None, "bf16": torch.bfloat16}
BY_HAND = {"sgd": SgdByHand, "adam": AdamByHand, "adamw": functools.partial(AdamByHand, decay=1e-2)}


class Case:
    """What is stored in the folder, and fresh models of it, with images and their weights in a memory format."""

    def __init__(self, folder, memory_format=torch.contiguous_format):
        self.folder, self.memory_format = pathlib.Path(folder), memory_format
        self.spec = json.loads((self.folder / "case.json").read_text())
        self.loss_of = LOSSES[self.spec["loss"]]
        self.lr, self.clip, self.autocast = self.spec["lr"], self.spec.get("clip"), AUTOCAST[self.spec.get("autocast")]
        self.batches = [(x.to(memory_format=memory_format), y) for x, y in zip(self.load("x"), self.load("y"))]

    def load(self, name):
        return torch.from_numpy(numpy.load(self.folder / f"{name}.npy"))

    def model(self):
        model = NETS[self.spec["net"]](self.spec)
        # Buffers are not stored: they start as the layers make them.
        model.load_state_dict(model.state_dict() | {name: self.load(name) for name in self.spec["parameters"]})
        return model.to(memory_format=self.memory_format)

    def loss(self, net, x, y):
        if not self.autocast:
            return self.loss_of(net(x), y)
        with torch.autocast("cpu", self.autocast):
            return self.loss_of(net(x), y)

    def clipped(self, gradients):
        """As torch.nn.utils.clip_grad_norm_ does it."""
        if not self.clip:
            return gradients
        norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
        factor = (self.clip / (norm + 1e-6)).clamp(max=1)
        return [gradient * factor for gradient in gradients]

    def by_hand(self, parameters):
        return BY_HAND[self.spec["optimizer"]](parameters, self.lr)


# ---- the modes: each takes a case and a fresh model of it and returns step(x, y) -> loss, and what empties the optimizer's state ---

def with_optimizer(loss_of_model=lambda case, model: lambda x, y: case.loss(model, x, y), **implementation):
    def build(case, model):
        loss_at = loss_of_model(case, model)
        optimizer = OPTIMIZERS[case.spec["optimizer"]](model.parameters(), lr=case.lr, **implementation)

        def step(x, y):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_at(x, y)
            loss.backward()
            if case.clip:
                nn.utils.clip_grad_norm_(model.parameters(), case.clip)
            optimizer.step()
            return loss

        def restart():
            for state in optimizer.state.values():
                for array in filter(torch.is_tensor, state.values()):
                    array.zero_()
        return step, restart
    return build


def manual(case, model):
    parameters = list(model.parameters())
    optimizer = case.by_hand([p.detach() for p in parameters])

    def step(x, y):
        loss = case.loss(model, x, y)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            optimizer.update(parameters, case.clipped(gradients), optimizer.state)
        return loss
    return step, optimizer.restart


UNGUARDED = {"guard_filter_fn": torch.compiler.skip_all_guards_unsafe}
numbers = itertools.count()


def compiled(function, **options):
    """torch.compile of a copy with a code object of its own, for torch.compile looks up what it compiled by code object:
    two modes that shared one would, unguarded, run each other's program."""
    name = f"{function.__name__}_{next(numbers)}"
    code = function.__code__.replace(co_name=name)
    copy = types.FunctionType(code, function.__globals__, name, None, function.__closure__)
    return torch.compile(copy, fullgraph=True, dynamic=False, options=UNGUARDED | options)


def compiled_loss(case, model):
    def loss_at(x, y):
        return case.loss(model, x, y)
    return compiled(loss_at)


def whole_step(**options):
    def build(case, model):
        names, parameters = zip(*((name, parameter.detach()) for name, parameter in model.named_parameters()))
        buffers = dict(model.named_buffers())
        optimizer = case.by_hand(parameters)

        def step(values, buffers, state, x, y):
            # torch.func forbids changes of what a function captures; of its arguments, as buffers here, they are made.
            def loss_at(values, buffers):
                return case.loss(lambda x: functional_call(model, dict(zip(names, values)) | buffers, (x,)), x, y)
            gradients, loss = grad_and_value(loss_at)(values, buffers)
            optimizer.update(values, case.clipped(gradients), state)
            return loss

        program = compiled(step, **options)
        return lambda x, y: program(parameters, buffers, optimizer.state, x, y), optimizer.restart
    return build


MODES = {
    "eager": with_optimizer(foreach=False, fused=False),
    "foreach": with_optimizer(foreach=True),
    "fused": with_optimizer(fused=True),
    "manual": manual,
    "model": with_optimizer(compiled_loss, fused=True),
    "step": whole_step(),
    "step_cpp": whole_step(cpp_wrapper=True),
    "step_tuned": whole_step(max_autotune=True),
}


def training(build, case):
    model, batches = case.model(), itertools.cycle(case.batches)
    stored = [(parameter, parameter.detach().clone()) for parameter in model.parameters()]
    (step, restart_optimizer), loss = build(case, model), None

    def advance(n):
        nonlocal loss
        for x, y in itertools.islice(batches, n):
            loss = step(x, y)

    def restart():
        with torch.no_grad():
            for parameter, value in stored:
                parameter.copy_(value)
        restart_optimizer()

    return serve.Training(advance, lambda: loss.item(), restart=restart,
                          buffers=lambda: {name: b.abs().double().mean().item() for name, b in model.named_buffers()})


def main():
    threads, folder = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    case = Case(folder)
    modes = {mode: functools.partial(training, build, case) for mode, build in MODES.items()}
    if any(isinstance(part, nn.Conv2d) for part in case.model().modules()):
        case = Case(folder, torch.channels_last)
        modes |= {f"{mode}_channels_last": functools.partial(training, build, case) for mode, build in MODES.items()}
    description = {"peer": "torch", "isa": torch.backends.cpu.get_cpu_capability(), "versions": {"PyTorch": torch.__version__}}
    serve.serve(description, modes)


if __name__ == "__main__":
    main()
