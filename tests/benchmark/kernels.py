"""Single kernels beside PyTorch's eager ones, on one thread: what a fused step's loops are made of."""
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
    """For each kernel the times of weft and of PyTorch with the better of its allocators. `bench` has one thread.

    Every kernel gets processes of its own: PyTorch's softmax took 0.6 ms in a new one, and 1.5 or 2 ms in some that had run
    other kernels before."""
    folder = write_arrays(bench.work)
    start = lambda peer, allocator: bench.launcher.start(peer, folder, bench.cache, allocator)
    rows, versions = [], {}
    with start("kernels", "default") as weft:
        names, versions["weft"] = weft.about["modes"], weft.about["versions"]
    for name in names:
        tried = []
        for allocator in ALLOCATORS:
            with start("kernels", "default") as weft, start("torch_kernels", allocator) as peer:
                versions["torch"] = peer.about["versions"]
                tried.append(row(bench, weft, weft.ask("START", name, 1), peer, allocator, name))
        rows.append(max(tried, key=lambda entry: entry["ratio"]))
        say("  " + page.kernel_line(rows[-1]))
    return {"side": SIDE, "versions": versions, "rows": rows}


def row(bench, weft, ours, peer, allocator, name):
    theirs = peer.ask("START", name, 1)
    difference = measure.loss_difference(ours["losses"], theirs["losses"])
    if not difference <= TOLERANCE:
        raise SystemExit(f"{name}: weft and PyTorch compute something else: {ours['losses']} and {theirs['losses']}")
    times = bench.compare(weft, peer, name, bench.effort.block_s, bench.effort.pairs, ours=name)
    return {"kernel": name, "allocator": allocator, "calls": ours["calls"]} | times
