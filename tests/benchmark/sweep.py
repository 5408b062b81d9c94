#!/usr/bin/env python3
"""Looks for cliffs: how long a training step takes for every width and every batch from 1 to 130, beside PyTorch.

    sweep.py --programs DIR --out DIR [--threads N] [--seconds S] [--rounds N]

The two take turns at every point, in as many rounds; of each, the least disturbed round counts. Writes DIR/sweep.json, DIR/sweep.svg (by
gnuplot) and says where weft has a cliff: a point that takes more than 1.3 times its neighbours' trend (the median of the three on
either side), or more than 1.3 times as long as one that does more.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

import peers

HERE = pathlib.Path(__file__).parent
EXTENTS = range(1, 131)
# Name, what is swept, and the request for an extent.
SWEEPS = [("mlp", "width", lambda n: ("mlp", n, 32)), ("mlp", "batch", lambda n: ("mlp", 64, n)),
          ("conv", "width", lambda n: ("conv", n, 8)), ("conv", "batch", lambda n: ("conv", 32, n))]
TITLES = {("mlp", "width"): "two layers, batch 32: width", ("mlp", "batch"): "two layers, width 64: batch",
          ("conv", "width"): "a convolution, batch 8: channels", ("conv", "batch"): "a convolution, 32 channels: batch"}
CLIFF = 1.3


def cliffs(times):
    """(extent, by how much, above what) of a list of times of extents 1, 2, ..."""
    found = []
    for i, time in enumerate(times):
        around = times[max(0, i - 3):i] + times[i + 1:i + 4]
        if len(around) == 6 and time > CLIFF * statistics.median(around):
            found.append((i + 1, time / statistics.median(around), "its neighbours"))
        elif i + 1 < len(times) and time > CLIFF * min(times[i + 1:]):
            larger = min(range(i + 1, len(times)), key=times.__getitem__)
            found.append((i + 1, time / times[larger], f"{larger + 1}"))
    return found


def measure(arguments):
    commands = {"weft": [arguments.programs / "sweep_peer", arguments.threads],
                "PyTorch": [sys.executable, "-B", HERE / "sweep_torch_peer.py", arguments.threads]}
    results = {name: {f"{net} {what}": [float("inf")] * len(EXTENTS) for net, what, _ in SWEEPS} for name in commands}
    with peers.Peer(commands["weft"], peers.KEEPS_MEMORY) as weft, peers.Peer(commands["PyTorch"], peers.KEEPS_MEMORY) as torch:
        about = [weft.about, torch.about]
        for turn in range(arguments.rounds):
            for net, what, request in SWEEPS:
                print(f"round {turn + 1} of {arguments.rounds}: {net}, {what}", file=sys.stderr, flush=True)
                for i, extent in enumerate(EXTENTS):
                    for name, peer in [("weft", weft), ("PyTorch", torch)][::1 if (i + turn) % 2 else -1]:
                        times = results[name][f"{net} {what}"]
                        times[i] = min(times[i], peer.ask(*request(extent), arguments.seconds)["us"])
    return {"peers": about, "threads": arguments.threads, "us": results}


def draw(result, file):
    lines = ["set terminal svg size 1000,700 background 'white'", f"set output '{file}'", "set multiplot layout 2,2",
             "set key top left", "set ylabel 'us'", "set yrange [0:*]", "set grid"]
    for net, what, _ in SWEEPS:
        lines.append(f"set title '{TITLES[net, what]}'")
        series = {name: all_[f"{net} {what}"] for name, all_ in result["us"].items()}
        for name, times in series.items():
            lines += [f"${name} << END", *(f"{n} {us}" for n, us in zip(EXTENTS, times)), "END"]
        lines.append("plot " + ", ".join(f"${name} with lines lw 2 title '{name}'" for name in series))
    subprocess.run(["gnuplot"], input="\n".join(lines), text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    result = measure(arguments)
    for times in result["us"].values():
        for key in times:
            times[key] = [round(us, 2) for us in times[key]]
    (arguments.out / "sweep.json").write_text(json.dumps(result) + "\n")
    if shutil.which("gnuplot"):
        draw(result, arguments.out / "sweep.svg")
    for key, times in result["us"]["weft"].items():
        ratios = [w / t for w, t in zip(times, result["us"]["PyTorch"][key])]
        print(f"{key}: weft / PyTorch {min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f}")
        for extent, factor, what in cliffs(times):
            print(f"  {extent}: {times[extent - 1]:.1f} us, {factor:.2f} times as long as {what}")


if __name__ == "__main__":
    main()
