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

import cases
import serve

QUEUE_SECONDS = 0.01


# ---- the nets, losses and optimizers that cases name -----------------------------------------------------------------

# Each is net(parameters, buffers, x) -> output, new buffers, and the buffers that it starts with. Where a case asks for autocast,
# what products read is cast by low(), and what norms, softmax and the loss read by wide().

LOW = {None: jnp.float32, "bf16": jnp.bfloat16}
low_type = jnp.float32


def low(*arrays):
    return [array.astype(low_type) for array in arrays]


def wide(array):
    return array.astype(jnp.float32)


def line(case):
    return lambda p, buffers, x: (p["w"] * x + p["b"], buffers), {}


def conv(x, weight, padding, stride=1):
    x, weight = low(x, weight)
    return jax.lax.conv_general_dilated(x, weight, (stride, stride), 2 * [(padding, padding)])


def max_pool(x, size, stride=None, padding=0):
    window, strides = (1, 1, size, size), (1, 1, *2 * [stride or size])
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, 2 * [(0, 0)] + 2 * [(padding, padding)])


def batch_norm(x, p, buffers, eps=1e-5, momentum=0.1):
    """In training mode, as torch.nn's batch norms: a biased variance for the output, an unbiased one for the statistics."""
    others, of_type, x = (0, *range(2, x.ndim)), x.dtype, wide(x)
    mean, var, count = jnp.mean(x, axis=others), jnp.var(x, axis=others), x.size // x.shape[1]
    along = lambda numbers: numbers.reshape(-1, *(1 for _ in others[1:]))
    move = lambda running, of_batch: running + momentum * (of_batch - running)
    y = (x - along(mean)) * along(jax.lax.rsqrt(var + eps) * p["weight"]) + along(p["bias"])
    return y.astype(of_type), {"running_mean": move(buffers["running_mean"], mean),
               "running_var": move(buffers["running_var"], var * (count / (count - 1))),
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
                x = linear(x, p, prefix[:-1])
            elif kind == "conv":
                x = conv(x, own["weight"], int(sizes[3])) + low(own["bias"])[0][:, None, None]
            elif kind == "max_pool":
                x = max_pool(x, int(sizes[0]))
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
            start |= fresh_statistics(prefix, int(sizes[0]))
    return net, start


def fresh_statistics(prefix, features):
    return {f"{prefix}running_mean": jnp.zeros(features), f"{prefix}running_var": jnp.ones(features),
            f"{prefix}num_batches_tracked": jnp.zeros((), jnp.int32)}


def resnet(case):
    stem, blocks, pool = cases.stem_of(case), cases.blocks_of(case), case.get("pool")

    def net(p, buffers, x):
        buffers = dict(buffers)

        def normed(which, x):
            norm = f"{which.name}_norm."
            x, new = batch_norm(conv(x, p[f"{which.name}.weight"], which.kernel // 2, which.stride), part_of(p, norm), part_of(buffers, norm))
            buffers.update({norm + key: value for key, value in new.items()})
            return x

        x = jax.nn.relu(normed(stem, x))
        if pool:
            x = max_pool(x, pool["kernel"], pool["stride"], pool["kernel"] // 2)
        for block in blocks:
            y = x
            for which in block.convs[:-1]:
                y = jax.nn.relu(normed(which, y))
            y = normed(block.convs[-1], y)
            x = jax.nn.relu(y + (normed(block.around, x) if block.around else x))
        return linear(x.mean((2, 3)), p, "head"), buffers

    start = {}
    for which in [stem, *(conv for block in blocks for conv in [*block.convs, *([block.around] if block.around else [])])]:
        start |= fresh_statistics(f"{which.name}_norm.", which.outputs)
    return net, start


def linear(x, p, name):
    x, weight, bias = low(x, p[f"{name}.weight"], p[f"{name}.bias"])
    return x @ weight.T + bias


def layer_norm(x, p, name, eps=1e-5):
    x = wide(x)
    mean, var = jnp.mean(x, axis=-1, keepdims=True), jnp.var(x, axis=-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + eps) * p[f"{name}.weight"] + p[f"{name}.bias"]


def causal_attention(qkv, heads):
    batch, tokens, width = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    q, k, v = (part.reshape(batch, tokens, heads, -1) for part in jnp.split(*low(qkv), 3, axis=2))
    scores = wide(jnp.einsum("bthd,bshd->bhts", q, k)) * (width // heads) ** -0.5
    weights = jax.nn.softmax(jnp.where(jnp.tri(tokens, dtype=bool), scores, -jnp.inf), axis=-1)
    return jnp.einsum("bhts,bshd->bthd", *low(weights), v).reshape(batch, tokens, width)


def gpt(case):
    def net(p, buffers, x):
        x = p["token.weight"][x] + p["position.weight"]
        for i in range(case["layers"]):
            own = part_of(p, f"blocks.{i}.")
            x = x + linear(causal_attention(linear(layer_norm(x, own, "norm1"), own, "qkv"), case["heads"]), own, "out")
            x = x + linear(jax.nn.gelu(linear(layer_norm(x, own, "norm2"), own, "up"), approximate=True), own, "down")
        x, weight = low(layer_norm(x, p, "norm"), p["head.weight"])
        return (x @ weight.T).reshape(-1, case["vocabulary"]), buffers
    return net, {}


def lstm_layer(x, p, l):
    """x [tokens, batch, width]."""
    name = f"lstm.{{}}_l{l}"
    x, of_inputs, of_state = low(x, p[name.format("weight_ih")], p[name.format("weight_hh")])
    of_x = x @ of_inputs.T + p[name.format("bias_ih")] + p[name.format("bias_hh")]

    def step(state, of_x):
        h, c = state
        i, f, g, o = jnp.split(of_x + low(h)[0] @ of_state.T, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros(x.shape[1:])
    return jax.lax.scan(step, (zeros, zeros), of_x)[1]


def gru_layer(x, p, l):
    """x [tokens, batch, width]."""
    name = f"gru.{{}}_l{l}"
    x, of_inputs, of_state, bias = low(x, *(p[name.format(part)] for part in ("weight_ih", "weight_hh", "bias_hh")))
    of_x = x @ of_inputs.T + p[name.format("bias_ih")]

    def step(h, of_x):
        (r, z, n), (of_r, of_z, of_n) = jnp.split(of_x, 3, axis=1), jnp.split(low(h)[0] @ of_state.T + bias, 3, axis=1)
        z = jax.nn.sigmoid(z + of_z)
        h = (1 - z) * jnp.tanh(n + jax.nn.sigmoid(r + of_r) * of_n) + z * h
        return h, h

    return jax.lax.scan(step, jnp.zeros(x.shape[1:]), of_x)[1]


def recurrent(case):
    layer = {"lstm": lstm_layer, "gru": gru_layer}[case["net"]]

    def net(p, buffers, x):
        x = p["token.weight"][x].transpose(1, 0, 2)
        for l in range(case["layers"]):
            x = layer(x, p, l)
        return linear(x.transpose(1, 0, 2), p, "head").reshape(-1, case["vocabulary"]), buffers
    return net, {}


def mse(out, y):
    return jnp.mean((out - y) ** 2)


def smooth_l1(out, y):
    distance = jnp.abs(out - y)
    return jnp.mean(jnp.where(distance < 1, distance ** 2 / 2, distance - 0.5))


def cross_entropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


NETS = {"line": line, "layers": layers, "resnet": resnet, "gpt": gpt, "lstm": recurrent, "gru": recurrent}
LOSSES = {"mse": mse, "smooth_l1": smooth_l1, "cross_entropy": cross_entropy}


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
    global low_type
    spec = json.loads((folder / "case.json").read_text())
    low_type = LOW[spec.get("autocast")]
    load = lambda name: jnp.asarray(numpy.load(folder / f"{name}.npy"))
    stored = {name: load(name) for name in spec["parameters"]}
    update, first_state = OPTIMIZERS[spec["optimizer"]](spec["lr"], stored)
    (net, first_buffers), loss_of = NETS[spec["net"]](spec), LOSSES[spec["loss"]]
    batches = itertools.cycle([(x, y) for x, y in zip(load("x"), load("y"))])

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(p, buffers, state, x, y):
        def loss_at(p):
            out, new_buffers = net(p, buffers, x)
            return loss_of(wide(out), y), new_buffers
        (loss, buffers), gradients = jax.value_and_grad(loss_at, has_aux=True)(p)
        if "clip" in spec:
            norm = jnp.sqrt(sum(jnp.sum(g ** 2) for g in gradients.values()))
            gradients = jax.tree.map(lambda g: g * jnp.minimum(1, spec["clip"] / (norm + 1e-6)), gradients)
        p, state = update(p, gradients, state)
        return p, buffers, state, loss

    def restart():
        nonlocal carried
        carried = jax.tree.map(lambda array: jnp.array(array, copy=True), (stored, first_buffers, first_state))  # a step takes them over

    carried, loss = None, None
    restart()

    def advance(n):
        nonlocal carried, loss
        for x, y in itertools.islice(batches, n):
            *carried, loss = step(*carried, x, y)
            if waits:
                loss.block_until_ready()
        loss.block_until_ready()

    return serve.Training(advance, lambda: float(loss), serve.READING_SECONDS if waits else QUEUE_SECONDS,
                          lambda: {name: float(jnp.mean(jnp.abs(b))) for name, b in carried[1].items()}, restart)


def main():
    threads, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    if len(os.sched_getaffinity(0)) != threads:
        sys.exit(f"jax_peer: the process may use {len(os.sched_getaffinity(0))} cores, and XLA would take as many threads, not {threads}")
    serve.serve({"peer": "jax", "versions": {"JAX": jax.__version__}},
                {"jit": lambda: build(folder, True), "queue": lambda: build(folder, False)})


if __name__ == "__main__":
    main()
