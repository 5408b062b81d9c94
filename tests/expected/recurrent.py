"""Recurrent layers and cells, forward and every gradient.

    python3 recurrent.py

calls.py says what a case holds. The output of a case is all that the module gives, flat, one after the other. Operands are x, then those
that `given` names: h0, c0, and lengths, with which x is packed as pack_padded_sequence does it.
"""
import pathlib
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import calls
from calls import spread


def flat(results):
    return torch.cat([r.flatten() for r in results])


def recurrent(base):
    class Layer(base):
        def __init__(self, *arguments, given=(), **options):
            super().__init__(*arguments, **options)
            self.given = given

        def forward(self, x, *operands):
            given = dict(zip(self.given, operands))
            state = given.get("h0")
            if "c0" in given:
                state = state, given["c0"]
            if "lengths" in given:
                packed = pack_padded_sequence(x, given["lengths"], batch_first=self.batch_first, enforce_sorted=False)
                output, last = super().forward(packed, state)
                steps = x.shape[1 if self.batch_first else 0]
                output = pad_packed_sequence(output, batch_first=self.batch_first, total_length=steps)[0]
            else:
                output, last = super().forward(x, state)
            return flat([output, *(last if isinstance(last, tuple) else (last,))])

    return Layer


def cell(base):
    class Cell(base):
        def forward(self, x, *state):
            result = super().forward(x, None if not state else state[0] if len(state) == 1 else state)
            return flat(result if isinstance(result, tuple) else (result,))

    return Cell


RNN, LSTM, GRU = recurrent(nn.RNN), recurrent(nn.LSTM), recurrent(nn.GRU)
RNNCell, LSTMCell, GRUCell = cell(nn.RNNCell), cell(nn.LSTMCell), cell(nn.GRUCell)


def call(name, module, inputs, *arguments, **options):
    return calls.call(name, module, inputs, list(arguments), options, of=sys.modules[__name__], shrink=4)


def layers():
    x, h, c = spread(4, 2, 3) / 4, spread(1, 2, 5, start=3) / 4, spread(1, 2, 5, start=8) / 4
    lengths = torch.tensor([2, 4])
    for name in ("RNN", "LSTM", "GRU"):
        states = [h, c] if name == "LSTM" else [h]
        given = ["h0", "c0"][:len(states)]
        yield call("plain", name, [x], 3, 5)
        yield call("states", name, [x, *states], 3, 5, given=given)
        yield call("no_bias", name, [x], 3, 5, bias=False)
        yield call("batch_first", name, [x], 3, 5, batch_first=True)
        yield call("two_layers", name, [x], 3, 5, 2)
        yield call("both_ways", name, [x], 3, 5, 2, bidirectional=True)
        yield call("unbatched", name, [x[:, 0], *(s[:, 0] for s in states)], 3, 5, given=given)
        yield call("one_step", name, [x[:1]], 3, 5)
        yield call("lengths", name, [x, lengths], 3, 5, given=["lengths"])
        yield call("lengths_both_ways", name, [x.transpose(0, 1), *(torch.cat([s, -s]) for s in states), lengths], 3, 5, bidirectional=True,
                   batch_first=True, given=[*given, "lengths"])
    yield call("relu", "RNN", [x, h], 3, 5, nonlinearity="relu", given=["h0"])
    yield call("projected", "LSTM", [x, h[:, :, :2], c], 3, 5, proj_size=2, given=["h0", "c0"])
    yield call("projected_both_ways", "LSTM", [x], 3, 5, 2, proj_size=2, bidirectional=True)


def cells():
    x, h, c = spread(2, 3) / 4, spread(2, 5, start=3) / 4, spread(2, 5, start=8) / 4
    for name in ("RNNCell", "LSTMCell", "GRUCell"):
        states = [h, c] if name == "LSTMCell" else [h]
        yield call("states", name, [x, *states], 3, 5)
        yield call("plain", name, [x], 3, 5)
        yield call("unbatched", name, [x[0], *(s[0] for s in states)], 3, 5, bias=False)
    yield call("relu", "RNNCell", [x, h], 3, 5, nonlinearity="relu")


if __name__ == "__main__":
    calls.write(pathlib.Path(__file__).with_name("recurrent.json"), [*layers(), *cells()])
