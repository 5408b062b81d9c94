"""Single kernels beside PyTorch's eager ones, on one thread: what a fused step's loops are made of."""
import contextlib

import numpy

import measure
import page
from peers import ALLOCATORS

SIDE = 1024          # of the square arrays, f32
TOLERANCE = 1e-5     # of the means of what the two compute


def write_arrays(folder):
    """`normal`, and `masked`: the same with -inf above the diagonal, as causal attention has it."""
    normal = numpy.random.default_rng(0).standard_normal((SIDE, SIDE), numpy.float32)
    numpy.save(folder / "normal.npy", normal)
    numpy.save(folder / "masked.npy", numpy.where(numpy.tri(SIDE, dtype=bool), normal, numpy.float32("-inf")))
    return folder


def result(bench, say):
    """For each kernel the times of weft and of PyTorch with the better of its allocators. `bench` has one thread."""
    folder = write_arrays(bench.work)
    rows = []
    with contextlib.ExitStack() as stack:
        start = lambda peer, allocator: stack.enter_context(bench.launcher.start(peer, folder, bench.cache, allocator))
        weft = start("kernels", "default")
        peers = {allocator: start("torch_kernels", allocator) for allocator in ALLOCATORS}
        for name in weft.about["modes"]:
            ours = weft.ask("START", name, 1)
            tried = [row(bench, weft, ours, peer, allocator, name) for allocator, peer in peers.items()]
            rows.append(max(tried, key=lambda entry: entry["ratio"]))
            say("  " + page.kernel_line(rows[-1]))
        versions = {"weft": weft.about["versions"], "torch": peers["default"].about["versions"]}
    return {"side": SIDE, "versions": versions, "rows": rows}


def row(bench, weft, ours, peer, allocator, name):
    theirs = peer.ask("START", name, 1)
    difference = measure.loss_difference(ours["losses"], theirs["losses"])
    if not difference <= TOLERANCE:
        raise SystemExit(f"{name}: weft and PyTorch compute something else: {ours['losses']} and {theirs['losses']}")
    times = bench.compare(weft, peer, name, bench.effort.block_s, bench.effort.pairs, ours=name)
    return {"kernel": name, "allocator": allocator, "calls": ours["calls"]} | times
