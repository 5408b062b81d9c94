"""100 training steps of a small language model of nn.TransformerEncoder, in f64; in f32 to see that the losses are well conditioned.

    python3 transformer.py

Nothing but the losses is stored: nets.py says how numbers are drawn. A weight of two axes is (2 u - 1) / sqrt(columns), rounded to f32:
draws 1, 2, ... in the order of named_parameters; weights of norms are 1 and biases 0. In step s, sequence i begins with
floor(20 u(1000 + s, i)) and goes on in steps of 1 + floor(3 u(2000 + s, i)), modulo 20; the targets are the next tokens.
"""
import copy
import math
import pathlib

import torch
from torch import nn

import stored
from nets import draw, single

STEPS, TOKENS, WIDTH, VOCABULARY, BATCH = 100, 12, 16, 20, 8
OPTIMIZER, OPTIONS = "AdamW", {"lr": 1e-2, "weight_decay": 0.05}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, WIDTH)
        self.position = nn.Embedding(TOKENS, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 32, dropout=0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, x):
        hidden = torch.ones(TOKENS, TOKENS, dtype=torch.bool).triu(1)
        return self.head(self.encoder(self.token(x) + self.position.weight, mask=hidden))


def start(model):
    number = 0
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            number += 1
            parameter.data = single((2 * draw(number, parameter.shape) - 1) / math.sqrt(parameter.shape[1]))
        else:
            nn.init.constant_(parameter, 1 if "norm" in name and name.endswith("weight") else 0)


def train(dtype):
    model = Model().double()
    start(model)
    model = copy.deepcopy(model).to(dtype)
    update = getattr(torch.optim, OPTIMIZER)(model.parameters(), foreach=False, fused=False, **OPTIONS)
    losses = []
    for step in range(STEPS):
        first, stride = (20 * draw(1000 + step, (BATCH, 1))).long(), 1 + (3 * draw(2000 + step, (BATCH, 1))).long()
        sequence = (first + stride * torch.arange(TOKENS + 1)) % VOCABULARY
        loss = nn.functional.cross_entropy(model(sequence[:, :-1]).flatten(0, 1), sequence[:, 1:].flatten())
        losses.append(loss.item())
        update.zero_grad()
        loss.backward()
        update.step()
    return losses


def main():
    losses = train(torch.float64)
    apart = max(abs(a - b) / a for a, b in zip(losses, train(torch.float32)))
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, f32 within {apart:.1e} of f64")
    content = stored.header() | {"steps": STEPS, "optimizer": OPTIMIZER, "options": OPTIONS, "losses": losses}
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content)


main()
