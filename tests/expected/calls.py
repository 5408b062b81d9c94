"""Cases of layers and losses for layers.py and losses.py: a module of torch.nn called in f64, with all its gradients.

A case: {"name", "module", "arguments", "options", "train", "inputs", "parameters", "output", "cotangent", "grads", ...}.
"module" is the class in torch.nn, made with the arguments and options, then put into training or eval mode. "parameters"
are set to stored numbers. "grads" holds the gradients of sum(output * cotangent) by name ("input0", "weight"), for every
parameter and every floating input that is to have one. "smooth" is false where central differences say
something else: at a corner, or where gradients are stopped.

With buffers there are also "batches", further values of the input, one training step each after the first, "states", the
buffers after every step, and "eval", the output for the first input in eval mode afterwards. All numbers that go in are
multiples of 1/32, so f32 holds them exactly.
"""
import torch
from torch import nn

import stored


def spread(*shape, start=0, low=-50, high=50):
    """Odd multiples of 1/32, so never 0 or another corner, in no order, distinct where the range suffices."""
    width = high - low + 1
    step = next(s for s in (37, 41, 43) if width % s)
    count = torch.Size(shape).numel()
    return torch.tensor([((step * (i + start) + 11) % width + low) / 16 + 1 / 32 for i in range(count)], dtype=torch.float64).reshape(shape)


def indices(*shape, below, start=0):
    count = torch.Size(shape).numel()
    return torch.tensor([(7 * (i + start) + 3) % below for i in range(count)], dtype=torch.int64).reshape(shape)


def differentiate(module, inputs, wanted):
    inputs = [x.clone().requires_grad_(i in wanted) for i, x in enumerate(inputs)]
    output = module(*inputs)
    cotangent = spread(*output.shape, start=5, low=-24, high=24)
    if not output.shape:
        cotangent = torch.tensor(1.5, dtype=torch.float64)
    named = {f"input{i}": inputs[i] for i in wanted} | dict(module.named_parameters())
    gradients = torch.autograd.grad(output, list(named.values()), cotangent) if named else []
    return output, cotangent, dict(zip(named, gradients))


def encode_all(named):
    return {name: stored.encode(value) for name, value in dict(named).items()}


def encode_options(options):
    return {key: value.tolist() if isinstance(value, torch.Tensor) else value for key, value in options.items()}


def run_batches(case, module, inputs, batches):
    states = [encode_all(module.named_buffers())]
    for batch in batches:
        module(batch)
        states.append(encode_all(module.named_buffers()))
    module.eval()
    case |= {"batches": [stored.encode(b) for b in batches], "states": states, "eval": stored.encode(module(*inputs))}


def call(name, module, inputs, arguments=(), options={}, train=True, wanted=None, smooth=True, batches=None, buffers={},
         of=nn, shrink=1):
    """One case of a module in `of`, whose parameters are divided by `shrink`. `wanted` are the inputs that get gradients: the floating ones unless given."""
    made = getattr(of, module)(*arguments, **options).double().train(train)
    with torch.no_grad():
        for i, parameter in enumerate(made.parameters()):
            parameter.copy_(spread(*parameter.shape, start=9 * i + 2, low=-24, high=24) / shrink)
        for key, value in buffers.items():
            made.get_buffer(key).copy_(value)
    if wanted is None:
        wanted = [i for i, x in enumerate(inputs) if x.is_floating_point()]
    case = {"name": f"{module}/{name}", "module": module, "arguments": list(arguments), "options": encode_options(options),
            "train": train, "inputs": [stored.encode(x) for x in inputs], "parameters": encode_all(made.named_parameters()),
            "buffers": encode_all(made.named_buffers()), "smooth": smooth}
    output, cotangent, gradients = differentiate(made, inputs, wanted)
    case |= {"output": stored.encode(output), "cotangent": stored.encode(cotangent), "grads": encode_all(gradients)}
    if batches is not None:
        run_batches(case, made, inputs, batches)
    return case


def write(path, cases):
    names = [case["name"] for case in cases]
    assert len(set(names)) == len(names), "a name is taken twice"
    stored.write(path, stored.header() | {"cases": cases})
