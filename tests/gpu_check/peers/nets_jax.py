#!/usr/bin/env python3
"""nets_jax.py STEP jit: JAX's side of a step (compare.py), one jitted function whose parameters and states are donated. Of the steps it
has the lessons' and GPT-2; normalization updates no running statistics here.
"""
import os
import sys

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the GPU is shared with the step beside which this one is measured

import jax
import jax.numpy as jnp
import numpy

import serve

BATCH, TOKENS, WIDTH, HEADS, VOCABULARY = 8, 1024, 768, 12, 50257
draw = numpy.random.default_rng(1)


def weights(*shape):
    bound = 1 / numpy.sqrt(numpy.prod(shape[1:]))
    return draw.uniform(-bound, bound, shape).astype(numpy.float32)


def linear(x, p):
    return x @ p["w"].T.astype(x.dtype) + p["b"].astype(x.dtype)


def layer(outputs, inputs):
    return {"w": weights(outputs, inputs), "b": numpy.zeros(outputs, numpy.float32)}


def norm(x, p, axis):
    wide = x.astype(jnp.float32)
    centered = wide - wide.mean(axis, keepdims=True)
    y = centered * jax.lax.rsqrt(jnp.square(centered).mean(axis, keepdims=True) + 1e-5) * p["w"] + p["b"]
    return y.astype(x.dtype)


def scale(width):
    return {"w": numpy.ones(width, numpy.float32), "b": numpy.zeros(width, numpy.float32)}


def conv(x, p, padding):
    y = jax.lax.conv_general_dilated(x, p["w"], (1, 1), 2 * [(padding, padding)])
    return y + p["b"][:, None, None]


def kernel(outputs, inputs, size):
    return {"w": weights(outputs, inputs, size, size), "b": numpy.zeros(outputs, numpy.float32)}


def mlp(p, x):
    x = x.reshape(len(x), -1)
    return linear(jax.nn.relu(linear(jax.nn.relu(linear(x, p[0])), p[1])), p[2])


def normed(p, x):
    x = x.reshape(len(x), -1)
    for linear_of, norm_of in ((p[0], p[1]), (p[2], p[3])):
        x = jax.nn.relu(norm(linear(x, linear_of), norm_of, 0))
    return linear(x, p[4])


def convolutions(p, x):
    x = jax.nn.relu(conv(jax.nn.relu(conv(x, p[0], 2)), p[1], 1))
    return linear(x.reshape(len(x), -1), p[2])


def block(x, p):
    def heads(t):
        return t.reshape(BATCH, TOKENS, HEADS, WIDTH // HEADS)

    q, k, v = map(heads, jnp.split(linear(norm(x, p["norm1"], -1), p["qkv"]), 3, axis=2))
    mixed = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    x = x + linear(mixed.reshape(BATCH, TOKENS, WIDTH), p["out"])
    return x + linear(jax.nn.gelu(linear(norm(x, p["norm2"], -1), p["up"])), p["down"])


def gpt(p, x):
    x = (p["token"][x] + p["position"]).astype(jnp.bfloat16)
    for of_block in p["blocks"]:
        x = block(x, of_block)
    x = norm(x, p["norm"], -1).reshape(BATCH * TOKENS, WIDTH)
    return (x @ p["token"].T.astype(x.dtype)).astype(jnp.float32)


def gpt_parameters():
    blocks = [{"norm1": scale(WIDTH), "norm2": scale(WIDTH), "qkv": layer(3 * WIDTH, WIDTH), "out": layer(WIDTH, WIDTH),
               "up": layer(4 * WIDTH, WIDTH), "down": layer(WIDTH, 4 * WIDTH)} for _ in range(12)]
    return {"token": weights(VOCABULARY, WIDTH), "position": weights(TOKENS, WIDTH), "blocks": blocks, "norm": scale(WIDTH)}


def sgd(momentum):
    """How many states a parameter has, and (parameter, gradient, states, number of the step) -> parameter, states."""
    if not momentum:
        return 0, lambda p, g, s, n: (p - 1e-3 * g, ())

    def update(p, g, s, n):
        velocity = momentum * s[0] + g
        return p - 1e-3 * velocity, (velocity,)

    return 1, update


def adam(lr, decay):
    def update(p, g, s, n):
        m, v = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g * g
        root = jnp.sqrt(v / (1 - 0.999 ** n)) + 1e-8
        return p * (1 - lr * decay) - lr * m / (1 - 0.9 ** n) / root, (m, v)

    return 2, update


def pictures(*shape):
    return lambda: (draw.uniform(-1, 1, shape).astype(numpy.float32), draw.integers(0, 10, shape[0]))


STEPS = {
    "step/lesson 02, mlp": (mlp, lambda: [layer(512, 784), layer(512, 512), layer(10, 512)], sgd(0), pictures(64, 1, 28, 28)),
    "step/lesson 03, batch norm": (normed, lambda: [layer(32, 784), scale(32), layer(32, 32), scale(32), layer(10, 32)], adam(1e-3, 0),
                                   pictures(32, 1, 28, 28)),
    "step/lesson 04, convolutions": (convolutions, lambda: [kernel(32, 3, 5), kernel(16, 32, 3), layer(10, 16 * 32 * 32)], sgd(0.9),
                                     pictures(64, 3, 32, 32)),
    "step/gpt2 124M, bf16": (gpt, gpt_parameters, adam(1e-4, 0.01),
                             lambda: (draw.integers(0, VOCABULARY, (BATCH, TOKENS)), draw.integers(0, VOCABULARY, BATCH * TOKENS))),
}


def main():
    net, make, (states, update), batch = STEPS[sys.argv[1]]
    jax.config.update("jax_default_matmul_precision", "highest")  # no TF32; bf16 products stay bf16
    x, y = batch()
    parameters, tree = jax.tree_util.tree_flatten(jax.device_put(make()))
    state = [tuple(jnp.zeros_like(p) for _ in range(states)) for p in parameters]

    def loss_of(parameters, x, y):
        logits = net(jax.tree_util.tree_unflatten(tree, parameters), x)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()

    def trained(parameters, state, n, x, y):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
        new = [update(p, g, s, n) for p, g, s in zip(parameters, gradients, state)]
        return [p for p, _ in new], [s for _, s in new], n + 1, loss

    compiled = jax.jit(trained, donate_argnums=(0, 1, 2))
    kept = [parameters, state, jnp.float32(1), None]

    def step():
        kept[:] = compiled(*kept[:3], x, y)

    serve.say(f"jax {jax.__version__}, {jax.devices()[0].device_kind}", "TF32: off (jax_default_matmul_precision=highest)")
    if jax.default_backend() != "gpu":
        sys.exit("jax finds no GPU")
    serve.serve(step, lambda: jax.block_until_ready(kept[3]))


if __name__ == "__main__":
    main()
