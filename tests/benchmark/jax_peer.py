#!/usr/bin/env python3
"""JAX's side of the benchmark: jax_peer.py THREADS FOLDER serves the case that is stored in the folder (cases.py).

jax.jit of the whole step, with the parameters and the optimizer's state donated. XLA takes one thread per core that the
process may use, so the driver's affinity sets their number; THREADS is checked against it.

    jit     waits for the loss of every step
    queue   hands the steps over without waiting and waits once in about 10 ms
"""
import functools
import itertools
import json
import os
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy

import serve

QUEUE_SECONDS = 0.01


# ---- the nets, losses and optimizers that cases name -----------------------------------------------------------------

# Each is net(parameters, buffers, x) -> output, new buffers, and the buffers that it starts with.

def line(case):
    return lambda p, buffers, x: (p["w"] * x + p["b"], buffers), {}


def conv(x, p, padding):
    y = jax.lax.conv_general_dilated(x, p["weight"], (1, 1), 2 * [(padding, padding)])
    return y + p["bias"][:, None, None]


def batch_norm(x, p, buffers, eps=1e-5, momentum=0.1):
    """In training mode, as torch.nn.BatchNorm1d: a biased variance for the output, an unbiased one for the statistics."""
    mean, var = jnp.mean(x, axis=0), jnp.var(x, axis=0)
    move = lambda running, of_batch: running + momentum * (of_batch - running)
    y = (x - mean) * jax.lax.rsqrt(var + eps) * p["weight"] + p["bias"]
    return y, {"running_mean": move(buffers["running_mean"], mean),
               "running_var": move(buffers["running_var"], var * (len(x) / (len(x) - 1))),
               "num_batches_tracked": buffers["num_batches_tracked"] + 1}


def part_of(numbers, prefix):
    return {name.removeprefix(prefix): n for name, n in numbers.items() if name.startswith(prefix)}


def layers(case):
    row = [(f"{i}.", *layer.split()) for i, layer in enumerate(case["layers"])]

    def net(p, buffers, x):
        buffers = dict(buffers)
        for prefix, kind, *sizes in row:
            own = part_of(p, prefix)
            if kind == "linear":
                x = x @ own["weight"].T + own["bias"]
            elif kind == "conv":
                x = conv(x, own, int(sizes[3]))
            elif kind == "batch_norm":
                x, new = batch_norm(x, own, part_of(buffers, prefix))
                buffers |= {prefix + name: value for name, value in new.items()}
            elif kind == "relu":
                x = jax.nn.relu(x)
            elif kind == "flatten":
                x = x.reshape(len(x), -1)
            else:
                raise ValueError(f"there is no layer {kind}")
        return x, buffers

    start = {}
    for prefix, kind, *sizes in row:
        if kind == "batch_norm":
            features = int(sizes[0])
            start |= {f"{prefix}running_mean": jnp.zeros(features), f"{prefix}running_var": jnp.ones(features),
                      f"{prefix}num_batches_tracked": jnp.zeros((), jnp.int32)}
    return net, start


def linear(x, p, name):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def layer_norm(x, p, name, eps=1e-5):
    mean, var = jnp.mean(x, axis=-1, keepdims=True), jnp.var(x, axis=-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + eps) * p[f"{name}.weight"] + p[f"{name}.bias"]


def causal_attention(qkv, heads):
    batch, tokens, width = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    q, k, v = (part.reshape(batch, tokens, heads, -1) for part in jnp.split(qkv, 3, axis=2))
    scores = jnp.einsum("bthd,bshd->bhts", q, k) * (width // heads) ** -0.5
    weights = jax.nn.softmax(jnp.where(jnp.tri(tokens, dtype=bool), scores, -jnp.inf), axis=-1)
    return jnp.einsum("bhts,bshd->bthd", weights, v).reshape(batch, tokens, width)


def gpt(case):
    def net(p, buffers, x):
        x = p["token.weight"][x] + p["position.weight"]
        for i in range(case["layers"]):
            own = part_of(p, f"blocks.{i}.")
            x = x + linear(causal_attention(linear(layer_norm(x, own, "norm1"), own, "qkv"), case["heads"]), own, "out")
            x = x + linear(jax.nn.gelu(linear(layer_norm(x, own, "norm2"), own, "up"), approximate=True), own, "down")
        x = layer_norm(x, p, "norm") @ p["head.weight"].T
        return x.reshape(-1, case["vocabulary"]), buffers
    return net, {}


def mse(out, y):
    return jnp.mean((out - y) ** 2)


def cross_entropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


NETS = {"line": line, "layers": layers, "gpt": gpt}
LOSSES = {"mse": mse, "cross_entropy": cross_entropy}


def sgd(lr, parameters):
    def update(p, gradients, state):
        return jax.tree.map(lambda p, g: p - lr * g, p, gradients), state
    return update, ()


def adam(lr, parameters, decay=0, betas=(0.9, 0.999), eps=1e-8):
    """With a decay as AdamW has it."""
    def update(p, gradients, state):
        count, means, squares = state
        count = count + 1
        means = jax.tree.map(lambda m, g: m + (1 - betas[0]) * (g - m), means, gradients)
        squares = jax.tree.map(lambda v, g: betas[1] * v + (1 - betas[1]) * g * g, squares, gradients)
        rate, correction = lr / (1 - betas[0] ** count), (1 - betas[1] ** count) ** -0.5
        p = jax.tree.map(lambda p, m, v: (1 - lr * decay) * p - rate * m / (jnp.sqrt(v) * correction + eps), p, means, squares)
        return p, (count, means, squares)
    zeros = lambda: {name: jnp.zeros_like(p) for name, p in parameters.items()}
    return update, (jnp.zeros((), jnp.float32), zeros(), zeros())


OPTIMIZERS = {"sgd": sgd, "adam": adam, "adamw": functools.partial(adam, decay=1e-2)}


def build(folder, waits):
    spec = json.loads((folder / "case.json").read_text())
    load = lambda name: jnp.asarray(numpy.load(folder / f"{name}.npy"))
    # A copy each, for donated memory must not be shared with the NumPy array.
    parameters = {name: jnp.array(load(name), copy=True) for name in spec["parameters"]}
    update, state = OPTIMIZERS[spec["optimizer"]](spec["lr"], parameters)
    (net, buffers), loss_of = NETS[spec["net"]](spec), LOSSES[spec["loss"]]
    batches = itertools.cycle([(x, y) for x, y in zip(load("x"), load("y"))])

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(p, buffers, state, x, y):
        def loss_at(p):
            out, new_buffers = net(p, buffers, x)
            return loss_of(out, y), new_buffers
        (loss, buffers), gradients = jax.value_and_grad(loss_at, has_aux=True)(p)
        p, state = update(p, gradients, state)
        return p, buffers, state, loss

    carried, loss = (parameters, buffers, state), None

    def advance(n):
        nonlocal carried, loss
        for x, y in itertools.islice(batches, n):
            *carried, loss = step(*carried, x, y)
            if waits:
                loss.block_until_ready()
        loss.block_until_ready()

    return serve.Training(advance, lambda: float(loss), serve.READING_SECONDS if waits else QUEUE_SECONDS,
                          lambda: {name: float(jnp.mean(jnp.abs(b))) for name, b in carried[1].items()})


def main():
    threads, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    if len(os.sched_getaffinity(0)) != threads:
        sys.exit(f"jax_peer: the process may use {len(os.sched_getaffinity(0))} cores, and XLA would take as many threads, not {threads}")
    serve.serve({"peer": "jax", "versions": {"JAX": jax.__version__}},
                {"jit": lambda: build(folder, True), "queue": lambda: build(folder, False)})


if __name__ == "__main__":
    main()
