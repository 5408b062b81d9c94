"""100 training losses of lesson 8's net (tests/recipes/char_gpt.py), in f64 and in f32, and the weights that they begin with, as PyTorch
writes them and under its names.

    python3 gpt.py                          a small net on gpt/input.txt: writes gpt/weights.safetensors and gpt/losses.json
    python3 gpt.py --data DIR --into OUT    the lesson's own sizes on DIR/input.txt: writes them into OUT
    python3 gpt.py --curve FILE --into OUT  how far the losses that the lesson wrote into FILE (--curve) are from those in OUT

Batches come in the text's order, as the lesson's with --no-shuffle. The weights are rounded to f16 and stored so, which makes a small file;
every run begins with these. The text is the beginning of tiny Shakespeare. Needs the package safetensors beside torch.
"""
import argparse
import copy
import dataclasses
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

import stored

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "recipes"))
import char_gpt as recipe  # noqa: E402

STEPS = 100
SMALL = recipe.Sizes(layers=2, width=32, window=32, batch=8)


def in_order(examples, batch):
    while True:
        yield from torch.arange(examples).split(batch)


def write(data, into, sizes):
    content = stored.header()
    torch.manual_seed(0)
    text, characters = recipe.read(data)
    (x, y), test = recipe.windows(text, sizes.window)
    start = recipe.Gpt(characters, sizes).half()
    into.mkdir(exist_ok=True)
    save_file(start.state_dict(), into / "weights.safetensors", metadata={"format": "pt"})
    found = {}
    for dtype in (torch.float64, torch.float32):
        net = copy.deepcopy(start).to(dtype)
        found[dtype] = [loss for _, loss in zip(range(STEPS), recipe.losses_of(net, x, y, in_order(len(x), sizes.batch)))]
        print(f"{dtype}: loss {found[dtype][0]:.4f} -> {found[dtype][-1]:.4f}, test {recipe.test_loss(net, *test, sizes.batch):.4f}")
    print("f32 from f64:", apart(found[torch.float32], found[torch.float64]))
    content |= dataclasses.asdict(sizes) | {"lr": recipe.LR, "steps": STEPS, "losses_f64": found[torch.float64],
                                            "losses_f32": [stored.f32(loss) for loss in found[torch.float32]]}
    stored.write(into / "losses.json", content, spread=1)


def apart(got, want):
    """The largest relative differences up to some steps."""
    each = [abs(a - b) / b for a, b in zip(got, want, strict=True)]
    return ", ".join(f"{max(each[:steps]):.1e} in {steps} steps" for steps in (1, 20, 50, len(each)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--into", metavar="OUT", type=pathlib.Path, default=HERE / "gpt")
    parser.add_argument("--curve", metavar="FILE")
    o = parser.parse_args()
    if o.curve:
        content = json.loads((o.into / "losses.json").read_text())
        curve = [float(line.split(",")[1]) for line in open(o.curve).read().split("\n")[1:] if line]
        for name in ("losses_f64", "losses_f32"):
            print(f"from {name}:", apart(curve, content[name]))
    else:
        write(o.data or o.into, o.into, recipe.Sizes() if o.data else SMALL)


main()
