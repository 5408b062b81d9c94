"""100 training steps of a small classifier under two or more settings of every dense optimizer but Muon (whose
bf16 turns a rounding error into a step), and under groups, clipping and
accumulation, in f64 and in f32.

    python3 trajectory.py --data DIR     takes 320 digits anew from DIR/optdigits/optdigits.tra
    python3 trajectory.py                keeps the stored images.npy and labels.npy

The model is Linear(64, 48), ReLU, Linear(48, 32), ReLU, Linear(32, 10) with mean cross-entropy. Step i trains on
samples 16 i ... 16 i + 15, modulo 320, of images / 16; its loss is the one before the update. Every run starts from
the stored f32 weights, which are nn.Linear's own initialization under seed 0.
"""
import argparse
import pathlib

import numpy as np
import torch
from torch import nn

import papers
import stored

SAMPLES, BATCH, STEPS = 320, 16, 100
SIZES = [64, 48, 32, 10]
FOLDER = pathlib.Path(__file__).resolve().parent / "trajectory"

SETTINGS = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd_nesterov": ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "sgd_momentum_wd": ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.1, "weight_decay": 1e-3}),
    "adam": ("Adam", {"lr": 1e-3}),
    "adam_wd": ("Adam", {"lr": 1e-3, "betas": [0.8, 0.95], "weight_decay": 1e-2}),
    "adam_amsgrad": ("Adam", {"lr": 1e-3, "amsgrad": True}),
    "sgd_clip_norm": ("SGD", {"lr": 0.05, "momentum": 0.9}, {"clip_norm": 0.5}),
    "adam_clip_both": ("Adam", {"lr": 1e-3}, {"clip_value": 0.02, "clip_norm": 0.3}),
    "sgd_groups": ("SGD", {"lr": 0.02, "momentum": 0.9, "weight_decay": 1e-2}, {"clip_norm": 1.0, "groups": {
        "head": {"parameters": ["4.weight", "4.bias"], "options": {"lr": 0.05, "momentum": 0.5}},
        "biases": {"parameters": ["0.bias", "2.bias"], "options": {"lr": 0.02, "momentum": 0.9, "nesterov": True}}}}),
    "adam_parts": ("Adam", {"lr": 1e-3, "weight_decay": 1e-2}, {"clip_norm": 0.5, "parts": 3}),
    "adamw": ("AdamW", {"lr": 3e-3}),
    "adamw_amsgrad": ("AdamW", {"lr": 1e-3, "betas": [0.8, 0.95], "weight_decay": 0.1, "amsgrad": True}),
    "adamax": ("Adamax", {"lr": 2e-3}),
    "adamax_wd": ("Adamax", {"lr": 5e-3, "betas": [0.8, 0.95], "weight_decay": 1e-2}),
    "nadam": ("NAdam", {"lr": 2e-3}),
    "nadam_decoupled": ("NAdam", {"lr": 1e-3, "momentum_decay": 0.1, "weight_decay": 1e-2, "decoupled_weight_decay": True}),
    "radam": ("RAdam", {"lr": 3e-3}),
    "radam_wd": ("RAdam", {"lr": 3e-3, "betas": [0.8, 0.95], "weight_decay": 1e-2}),
    "adagrad": ("Adagrad", {"lr": 1e-2}),
    "adagrad_decay": ("Adagrad", {"lr": 2e-2, "lr_decay": 1e-2, "initial_accumulator_value": 0.1, "weight_decay": 1e-3}),
    "adadelta": ("Adadelta", {"lr": 1.0}),
    "adadelta_wd": ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 1e-2}),
    "rmsprop": ("RMSprop", {"lr": 1e-3}),
    "rmsprop_centered": ("RMSprop", {"lr": 5e-4, "alpha": 0.9, "eps": 1e-4, "momentum": 0.5, "centered": True, "weight_decay": 1e-3}),
    "adafactor": ("Adafactor", {"lr": 1e-2}),
    "adafactor_wd": ("Adafactor", {"lr": 2e-2, "beta2_decay": -0.5, "d": 2.0, "weight_decay": 0.1}),
    "asgd": ("ASGD", {"lr": 0.05}),
    "asgd_decay": ("ASGD", {"lr": 0.05, "lambd": 1e-2, "alpha": 0.5, "t0": 50, "weight_decay": 1e-3}),
    "lion": ("Lion", {"lr": 3e-4}),
    "lion_wd": ("Lion", {"lr": 1e-3, "betas": [0.95, 0.98], "weight_decay": 0.1}),
    "lars": ("LARS", {"lr": 5.0, "weight_decay": 1e-3}),
    "lars_nesterov": ("LARS", {"lr": 0.5, "momentum": 0.8, "trust_coefficient": 0.02, "nesterov": True}),
    "rprop": ("Rprop", {"lr": 1e-4}),
    "rprop_etas": ("Rprop", {"lr": 1e-3, "etas": [0.3, 1.1], "step_sizes": [1e-4, 1e-2]}),
}
# A gradient's sign decides, so that a rounding error may grow to a whole step: nothing to compare in f32.
DISCONTINUOUS = {"Rprop", "Lion"}


def store_samples(data):
    table = np.loadtxt(data / "optdigits" / "optdigits.tra", delimiter=",", dtype=np.int64, max_rows=SAMPLES)
    assert table.shape == (SAMPLES, 65) and table.min() >= 0 and table[:, :64].max() <= 16
    np.save(FOLDER / "images.npy", table[:, :64].astype(np.uint8))
    np.save(FOLDER / "labels.npy", table[:, 64])


def initial_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(SIZES[0], SIZES[1]), nn.ReLU(),
        nn.Linear(SIZES[1], SIZES[2]), nn.ReLU(),
        nn.Linear(SIZES[2], SIZES[3]))


def groups_of(model, options, groups):
    """PyTorch's parameter groups; an option that a group does not name has PyTorch's default, not the other group's."""
    named = dict(model.named_parameters())
    grouped = {name for group in groups.values() for name in group["parameters"]}
    defaults = {"momentum": 0, "weight_decay": 0, "nesterov": False}
    return [{"params": [p for name, p in named.items() if name not in grouped], **options}] + [
        {"params": [named[name] for name in group["parameters"]], **defaults, **group["options"]} for group in groups.values()]


def train(dtype, optimizer, options, how, images, labels):
    """The losses of the steps and the trained parameters by name."""
    model = initial_model().to(dtype)
    images = (images.to(dtype) / 16).reshape(-1, BATCH, SIZES[0])
    labels = labels.reshape(-1, BATCH)
    trained = groups_of(model, options, how["groups"]) if "groups" in how else model.parameters()
    update = papers.optimizer(optimizer)(trained, **papers.implementation(optimizer), **options)
    losses = []
    torch.set_default_dtype(dtype)  # of the scalars that some optimizers keep in tensors
    for step in range(STEPS):
        batch = step % len(images)
        update.zero_grad()
        total = 0
        for x, y in zip(images[batch].tensor_split(how.get("parts", 1)), labels[batch].tensor_split(how.get("parts", 1))):
            loss = nn.functional.cross_entropy(model(x), y) * (len(x) / BATCH)
            loss.backward()
            total += loss.item()
        losses.append(total)
        if "clip_value" in how:
            nn.utils.clip_grad_value_(model.parameters(), how["clip_value"])
        if "clip_norm" in how:
            nn.utils.clip_grad_norm_(model.parameters(), how["clip_norm"])
        update.step()
    torch.set_default_dtype(torch.float32)
    return losses, model.state_dict()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR", help="a folder that holds optdigits/optdigits.tra")
    data = parser.parse_args().data
    FOLDER.mkdir(exist_ok=True)
    content = stored.header()
    if data:
        store_samples(data)
    images = torch.from_numpy(np.load(FOLDER / "images.npy"))
    labels = torch.from_numpy(np.load(FOLDER / "labels.npy"))

    weights = initial_model().state_dict()
    for name, weight in weights.items():
        np.save(FOLDER / f"{name}.npy", weight.numpy())

    settings = []
    for name, (optimizer, options, *how) in SETTINGS.items():
        how = how[0] if how else {}
        f64, trained = train(torch.float64, optimizer, options, how, images, labels)
        f32, _ = train(torch.float32, optimizer, options, how, images, labels)
        apart = max(abs(a - b) / a for a, b in zip(f64, f32))
        print(f"{name}: loss {f64[0]:.4f} -> {f64[-1]:.4f}, f32 within {apart:.1e} of f64")
        settings.append({
            "name": name, "optimizer": optimizer, "options": options, "continuous": optimizer not in DISCONTINUOUS, **how,
            "losses_f64": f64, "losses_f32": [stored.f32(loss) for loss in f32],
            "abs_sums_f64": {key: value.abs().sum().item() for key, value in trained.items()}})

    content |= {"layers": SIZES, "batch": BATCH, "steps": STEPS, "pixel_scale": 1 / 16,
                "parameters": list(weights), "settings": settings}
    stored.write(FOLDER / "trajectory.json", content, spread=3)


main()
