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

def line(p, x):
    return p["w"] * x + p["b"]


def dense(p, x):
    layers = len(p) // 2
    for i in range(layers):
        x = x @ p[f"{2 * i}.weight"].T + p[f"{2 * i}.bias"]
        if i + 1 < layers:
            x = jax.nn.relu(x)
    return x


def mse(out, y):
    return jnp.mean((out - y) ** 2)


def cross_entropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


NETS = {"line": line, "dense": dense}
LOSSES = {"mse": mse, "cross_entropy": cross_entropy}


def sgd(lr, parameters):
    def update(p, gradients, state):
        return jax.tree.map(lambda p, g: p - lr * g, p, gradients), state
    return update, ()


def adam(lr, parameters, betas=(0.9, 0.999), eps=1e-8):
    def update(p, gradients, state):
        count, means, squares = state
        count = count + 1
        means = jax.tree.map(lambda m, g: m + (1 - betas[0]) * (g - m), means, gradients)
        squares = jax.tree.map(lambda v, g: betas[1] * v + (1 - betas[1]) * g * g, squares, gradients)
        rate, correction = lr / (1 - betas[0] ** count), (1 - betas[1] ** count) ** -0.5
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * correction + eps), p, means, squares)
        return p, (count, means, squares)
    zeros = lambda: {name: jnp.zeros_like(p) for name, p in parameters.items()}
    return update, (jnp.zeros((), jnp.float32), zeros(), zeros())


OPTIMIZERS = {"sgd": sgd, "adam": adam}


def build(folder, waits):
    spec = json.loads((folder / "case.json").read_text())
    load = lambda name: jnp.asarray(numpy.load(folder / f"{name}.npy"))
    # A copy each, for donated memory must not be shared with the NumPy array.
    parameters = {name: jnp.array(load(name), copy=True) for name in spec["parameters"]}
    update, state = OPTIMIZERS[spec["optimizer"]](spec["lr"], parameters)
    net, loss_of = NETS[spec["net"]], LOSSES[spec["loss"]]
    batches = itertools.cycle([(x, y) for x, y in zip(load("x"), load("y"))])

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(p, state, x, y):
        loss, gradients = jax.value_and_grad(lambda p: loss_of(net(p, x), y))(p)
        return *update(p, gradients, state), loss

    carried, loss = (parameters, state), None

    def advance(n):
        nonlocal carried, loss
        for x, y in itertools.islice(batches, n):
            *carried, loss = step(*carried, x, y)
            if waits:
                loss.block_until_ready()
        loss.block_until_ready()

    return serve.Training(advance, lambda: float(loss), serve.READING_SECONDS if waits else QUEUE_SECONDS)


def main():
    threads, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    if len(os.sched_getaffinity(0)) != threads:
        sys.exit(f"jax_peer: the process may use {len(os.sched_getaffinity(0))} cores, and XLA would take as many threads, not {threads}")
    serve.serve({"peer": "jax", "versions": {"JAX": jax.__version__}},
                {"jit": lambda: build(folder, True), "queue": lambda: build(folder, False)})


if __name__ == "__main__":
    main()
