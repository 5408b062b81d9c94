"""Attention: torch.nn.functional.scaled_dot_product_attention and the layers made of it, forward and every gradient.

    python3 attention.py

calls.py says what a case holds. A case's module is one of the classes below, whose operands are tensors alone.
"""
import pathlib
import sys

import torch
from torch import nn

import calls
from calls import spread


class Attention(nn.Module):
    """Operands q, k, v and, if there is one, a mask."""

    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, q, k, v, mask=None):
        return nn.functional.scaled_dot_product_attention(q, k, v, mask, **self.options)


class Rotary(nn.Module):
    """Pairs of features turned as complex numbers; what x holds begins at token `position`."""

    def __init__(self, base=10000.0, position=0, interleaved=False):
        super().__init__()
        self.base, self.position, self.interleaved = base, position, interleaved

    def forward(self, x):
        tokens, half = x.shape[-2], x.shape[-1] // 2
        place = torch.arange(self.position, self.position + tokens, dtype=x.dtype)
        angles = torch.outer(place, self.base ** (-torch.arange(half, dtype=x.dtype) / half))
        apart = x.unflatten(-1, (half, 2)) if self.interleaved else x.unflatten(-1, (2, half)).transpose(-1, -2)
        turned = torch.view_as_real(torch.view_as_complex(apart.contiguous()) * torch.polar(torch.ones_like(angles), angles))
        return (turned if self.interleaved else turned.transpose(-1, -2)).flatten(-2)


class Sinusoids(nn.Module):
    """Added to x."""

    def __init__(self, base=10000.0):
        super().__init__()
        self.base = base

    def forward(self, x):
        tokens, width = x.shape[-2:]
        feature = torch.arange(width)
        angles = torch.outer(torch.arange(tokens, dtype=x.dtype), self.base ** (-(feature - feature % 2).to(x.dtype) / width))
        return x + torch.where(feature % 2 == 0, angles.sin(), angles.cos())


class MultiheadAttention(nn.MultiheadAttention):
    """Operands x, or query, key and value, then the masks that `masks` names. With `weights`, all of the result, then all weights."""

    def __init__(self, *arguments, masks=(), weights=False, is_causal=False, **options):
        super().__init__(*arguments, **options)
        self.masks, self.weights, self.is_causal = masks, weights, is_causal

    def forward(self, *operands):
        tensors, masks = operands[:len(operands) - len(self.masks)], operands[len(operands) - len(self.masks):]
        if len(tensors) == 1:
            tensors = tensors * 3
        named = dict(zip(self.masks, masks))
        if self.is_causal:
            named["attn_mask"] = nn.Transformer.generate_square_subsequent_mask(tensors[0].shape[1 if self.batch_first else 0], dtype=torch.float64)
        result, weights = super().forward(*tensors, need_weights=self.weights, **named)
        return torch.cat([result.flatten(), weights.flatten()]) if self.weights else result


class TransformerEncoderLayer(nn.TransformerEncoderLayer):
    def __init__(self, *arguments, masks=(), **options):
        super().__init__(*arguments, **options)
        self.masks = masks

    def forward(self, src, *masks):
        return super().forward(src, **dict(zip(self.masks, masks)))


class TransformerEncoder(nn.TransformerEncoder):
    """Of layers as TransformerEncoderLayer's arguments and options make them."""

    def __init__(self, *arguments, layers=2, norm=False, **options):
        layer = nn.TransformerEncoderLayer(*arguments, **options)
        super().__init__(layer, layers, nn.LayerNorm(arguments[0]) if norm else None, enable_nested_tensor=False)


class TransformerDecoderLayer(nn.TransformerDecoderLayer):
    def __init__(self, *arguments, masks=(), **options):
        super().__init__(*arguments, **options)
        self.masks = masks

    def forward(self, tgt, memory, *masks):
        return super().forward(tgt, memory, **dict(zip(self.masks, masks)))


class TransformerDecoder(nn.TransformerDecoder):
    def __init__(self, *arguments, layers=2, norm=False, **options):
        layer = nn.TransformerDecoderLayer(*arguments, **options)
        super().__init__(layer, layers, nn.LayerNorm(arguments[0]) if norm else None)


def call(name, module, inputs, *arguments, wanted=None, shrink=1, **options):
    floating = [i for i, x in enumerate(inputs) if x.is_floating_point()] if wanted is None else wanted
    return calls.call(name, module, inputs, list(arguments), options, wanted=floating, of=sys.modules[__name__], shrink=shrink)


def flags(*shape):
    """Of bool, with both values in each row."""
    return torch.tensor([i * 7 % 5 < 3 for i in range(torch.Size(shape).numel())]).reshape(shape)


def functions():
    q, k, v = spread(2, 3, 4, 6) / 2, spread(2, 3, 5, 6, start=3) / 2, spread(2, 3, 5, 2, start=8)
    yield call("plain", "Attention", [q, k, v])
    yield call("causal", "Attention", [q, k, v], is_causal=True)
    yield call("more_queries", "Attention", [k, q, spread(2, 3, 4, 2)], is_causal=True)
    yield call("scale", "Attention", [q, k, v], scale=0.375)
    yield call("bool_mask", "Attention", [q, k, v, flags(2, 3, 4, 5)])
    yield call("padding", "Attention", [q, k, v, flags(2, 1, 1, 5)])
    yield call("number_mask", "Attention", [q, k, v, spread(4, 5, start=2) / 4])
    yield call("constant_mask", "Attention", [q, k, v, torch.where(flags(4, 5), 0.0, -torch.inf).double()], wanted=[0, 1, 2])
    hidden = flags(4, 5)
    hidden[1] = False
    yield call("nothing_seen", "Attention", [q, k, v, hidden])
    yield call("groups", "Attention", [spread(2, 4, 3, 2), spread(2, 2, 5, 2, start=1), spread(2, 2, 5, 3, start=4)], enable_gqa=True)
    yield call("matrices", "Attention", [spread(3, 2), spread(4, 2, start=1), spread(4, 2, start=2)])
    yield call("broadcast", "Attention", [spread(2, 3, 4, 2), spread(1, 3, 5, 2, start=1), spread(3, 5, 2, start=2)])
    yield call("one_key", "Attention", [spread(2, 3, 2), spread(2, 1, 2, start=1), spread(2, 1, 2, start=2)])


def positions():
    x = spread(2, 3, 5, 6)
    yield call("halves", "Rotary", [x])
    yield call("interleaved", "Rotary", [x], interleaved=True)
    yield call("later", "Rotary", [x], base=100.0, position=7)
    yield call("plain", "Sinusoids", [x])
    yield call("odd", "Sinusoids", [spread(4, 3)], base=50.0)


def layers():
    x, memory = spread(3, 2, 4) / 4, spread(5, 2, 4, start=7) / 4
    name = "MultiheadAttention"
    yield call("self", name, [x], 4, 2)
    yield call("batch_first", name, [x], 4, 4, batch_first=True)
    yield call("memory", name, [x, memory, memory], 4, 2)
    yield call("three", name, [x, memory, spread(5, 2, 4, start=1) / 4], 4, 2)
    yield call("other_widths", name, [x, spread(5, 2, 6) / 4, spread(5, 2, 3) / 4], 4, 2, kdim=6, vdim=3)
    yield call("no_bias", name, [x], 4, 2, bias=False)
    yield call("unbatched", name, [spread(3, 4) / 4, spread(4, 4, start=5) / 4, spread(4, 4, start=5) / 4], 4, 2)
    yield call("padding", name, [x, memory, memory, ~flags(2, 5)], 4, 2, masks=["key_padding_mask"])
    yield call("masks", name, [x, memory, memory, ~flags(2, 5), spread(3, 5) / 4], 4, 2, masks=["key_padding_mask", "attn_mask"], wanted=[0, 1, 2])
    yield call("each_head", name, [x, memory, memory, ~flags(4, 3, 5)], 4, 2, masks=["attn_mask"])
    yield call("causal", name, [x], 4, 2, is_causal=True)
    yield call("weights", name, [x, memory, memory], 4, 2, weights=True)
    layer = "TransformerEncoderLayer"
    yield call("defaults", layer, [x], 4, 2, 6, dropout=0)
    yield call("norm_first", layer, [x, ~flags(3, 2)], 4, 2, 6, dropout=0, norm_first=True, activation="gelu", batch_first=True, masks=["src_key_padding_mask"])
    yield call("masked", layer, [x, torch.ones(3, 3).triu(1).bool()], 4, 2, 6, dropout=0, layer_norm_eps=0.125, bias=False, masks=["src_mask"])
    yield call("stack", "TransformerEncoder", [x], 4, 2, 6, dropout=0, norm=True)
    layer = "TransformerDecoderLayer"
    yield call("defaults", layer, [x, memory], 4, 2, 6, dropout=0)
    yield call("norm_first", layer, [x, memory, torch.ones(3, 3).triu(1).bool(), ~flags(2, 5)], 4, 2, 6, dropout=0, norm_first=True, shrink=2,
               masks=["tgt_mask", "memory_key_padding_mask"])
    yield call("stack", "TransformerDecoder", [x, memory], 4, 2, 6, dropout=0, norm=True, shrink=2)


if __name__ == "__main__":
    calls.write(pathlib.Path(__file__).with_name("attention.json"), [*functions(), *positions(), *layers()])
