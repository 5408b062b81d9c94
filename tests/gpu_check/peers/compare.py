#!/usr/bin/env python3
"""compare.py BUNDLE [--only TEXT] [--seconds N] [--out DIR]: the bundle's steps beside PyTorch and JAX.

Each side is a process that stays warm; they are measured in the order A B B A, and of the four times each side's median stands in
the table. What is not installed is said.
"""
import argparse
import importlib.util
import json
import pathlib
import select
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {"torch": ("nets_torch.py", ("eager", "max-autotune-no-cudagraphs", "max-autotune")), "jax": ("nets_jax.py", ("jit",))}


class Failed(Exception):
    pass


class Side:
    """A process that says "ready" and then answers seconds with milliseconds a step; what it says before is about itself."""

    def __init__(self, command, log, deadline):
        self.log = log.open("w")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        bufsize=1)
        self.about = []
        try:
            while (line := self.line(deadline)) != "ready":
                self.about.append(line)
        except Failed:
            self.close()
            raise

    def line(self, deadline):
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise Failed("the time was up")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"it ended; see {self.log.name}")
        return line.strip()

    def measure(self, seconds, deadline):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self.line(deadline))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def beside(weft, peer, seconds, deadline):
    """Median milliseconds of both, in the order A B B A."""
    times = {weft: [], peer: []}
    for side in (weft, peer, peer, weft):
        times[side].append(side.measure(seconds, deadline))
    return [statistics.median(times[side]) for side in (weft, peer)]


def compared(bundle, name, out, deadline, missing):
    """Rows for one step: (peer, mode, weft's milliseconds, the peer's, what it says of itself)."""
    file = "".join(c if c.isalnum() else "_" for c in name)
    weft = Side([bundle / "weft_gpu_check", "serve", bundle, "--only", name], out / f"{file}.weft.log", deadline)
    try:
        for package, (script, modes) in PEERS.items():
            if package in missing:
                continue
            for mode in modes:
                try:
                    peer = Side([sys.executable, HERE / script, name, mode], out / f"{file}.{package}.{mode}.log", deadline)
                    try:
                        yield package, mode, *beside(weft, peer, 1, deadline), "; ".join(peer.about)
                    finally:
                        peer.close()
                except Failed as e:
                    yield package, mode, None, None, str(e)
    finally:
        weft.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("gpu_report"))
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    options.out.mkdir(parents=True, exist_ok=True)
    missing = {package for package in PEERS if importlib.util.find_spec(package) is None}
    for package in sorted(missing):
        print(f"{package} is not installed here: not measured")
    manifest = json.loads((options.bundle / "manifest.json").read_text())
    names = [m["name"] for m in manifest["measured"] if m["kind"] == "step" and options.only in m["name"]]
    rows, failed = [], 0
    for name in names if len(missing) < len(PEERS) else []:
        try:
            for row in compared(options.bundle, name, options.out, deadline, missing):
                rows.append((name, *row))
        except Failed as e:
            print(f"{name}: weft's own step was not measured: {e}")
            failed += 1
    lines = ["| step | beside | weft, ms | the other, ms | weft is faster by | it says |", "|---|---|---|---|---|---|"]
    for name, package, mode, weft, peer, about in rows:
        numbers = f"{weft:.4f} | {peer:.4f} | {peer / weft:.2f}" if weft else "| |"
        lines.append(f"| {name} | {package}, {mode} | {numbers} | {about} |")
    if rows:
        print("\n".join(lines))
    (options.out / "peers.md").write_text("\n".join(lines) + "\n")
    (options.out / "peers.json").write_text(json.dumps({"missing": sorted(missing), "rows": rows}, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
