#!/usr/bin/env python3
"""Measures training steps of weft beside PyTorch, JAX and plain C++, and writes bench.json and BENCHMARKS.md.

To be run by an interpreter that has PyTorch, JAX and NumPy; scripts/bench.sh prepares one and builds the programs.
"""
import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cases
import kernels
import machine
import measure
import page
import reports
from peers import ALLOCATORS, Launcher, PeerError

COMPARED_STEPS = 100
FIRST_STEPS = 20
TOLERANCES = {None: (1e-4, 1e-2), "bf16": (2e-2, 5e-2)}  # by autocast: of the first losses, and of all; rounding differs between peers, nothing else may
ATTEMPTS = 3         # pairs that may be run for each one that counts
CLOSE = 1.1          # modes this close to a peer's best are measured again at length
LONG_START_S = 3     # a process that takes longer to its first step is started once
SLOW_STEPS, SLOW_PAIRS = 10, 6  # what is compared and measured of a case whose steps take seconds, at most


@dataclasses.dataclass
class Effort:
    survey_s: float    # a block while all modes of a peer are tried
    survey_pairs: int
    block_s: float     # a block of the peer's best modes
    pairs: int
    finalists: int     # modes of a peer that are measured at length, at most
    starts: int        # of a process with no compiler's cache
    modes: dict        # what to try of a peer that has it, where not all


FULL = Effort(survey_s=0.25, survey_pairs=3, block_s=0.5, pairs=20, finalists=2, starts=3, modes={})
QUICK = Effort(survey_s=0.1, survey_pairs=1, block_s=0.25, pairs=4, finalists=1, starts=0, modes={"torch": ["fused", "fused_channels_last", "step"], "jax": ["jit"]})

PEERS = {"torch": list(ALLOCATORS), "jax": list(ALLOCATORS), "plain": ["default"]}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One session: a set of cores, the machine's own limits, and blocks on them."""

    def __init__(self, launcher, machine_peer, effort, cores, work):
        self.launcher, self.machine, self.effort, self.cores, self.work = launcher, machine_peer, effort, cores, work
        self.cache = work / "cache"  # of the compilers, for all processes but those that start cold
        self.best_spin = float("inf")
        if not launcher.cpu_time:
            for _ in range(50):
                self.spin()
        self.gflops = self.machine.ask("PEAK")["gflops"]

    def spin(self):
        ms = self.machine.ask("SPIN")["ms"]
        self.best_spin = min(self.best_spin, ms)
        return ms

    def block(self, peer, mode, seconds):
        """Median microseconds of a step, and how long the block was and other processes ran on the cores."""
        start = time.monotonic()
        busy, own = machine.busy_seconds(self.cores), machine.process_seconds(peer.process.pid)
        answer = peer.ask("RUN", mode, seconds)
        own = machine.process_seconds(peer.process.pid) - own
        foreign = machine.busy_seconds(self.cores) - busy - own
        return answer["median_us"], time.monotonic() - start, foreign

    def pair(self, number, weft, ours, peer, mode, seconds):
        sides = {"ours": (weft, ours), "theirs": (peer, mode)}  # of one process, maybe
        order = ["ours", "theirs"] if measure.weft_first(number) else ["theirs", "ours"]
        if self.launcher.cpu_time:
            us = {side: sides[side][0].ask("RUN", sides[side][1], seconds)["median_us"] for side in order}
            return measure.Pair(ours_us=us["ours"], theirs_us=us["theirs"])
        blocks, spins = {}, [self.spin()]
        for side in order:
            blocks[side] = self.block(*sides[side], seconds)
            spins.append(self.spin())
        return measure.Pair(ours_us=blocks["ours"][0], theirs_us=blocks["theirs"][0], spins=spins,
                            foreign_s=max(foreign for _, _, foreign in blocks.values()),
                            core_s=len(self.cores) * min(wall for _, wall, _ in blocks.values()))

    def compare(self, weft, peer, mode, seconds, pairs, ours="step"):
        """Blocks of weft's mode `ours` and of the peer's `mode`."""
        run = lambda number: self.pair(number, weft, ours, peer, mode, seconds)
        collected = measure.collect(run, lambda: self.best_spin, pairs, ATTEMPTS * pairs)
        return measure.summary(collected, self.best_spin, pairs)


class CaseRun:
    """Everything that is measured of one case."""

    def __init__(self, bench, case):
        self.bench, self.case, self.folder = bench, case, case.write(bench.work)
        self.slow = case.spec.get("slow", False)
        self.first_tolerance, self.tolerance = TOLERANCES[case.autocast]
        self.steps = SLOW_STEPS if self.slow else COMPARED_STEPS
        effort = bench.effort
        self.effort = dataclasses.replace(effort, survey_pairs=1, pairs=min(SLOW_PAIRS, effort.pairs)) if self.slow else effort
        self.processes = {}
        self.versions = {}

    def start(self, stack, peer, allocator="default"):
        process = self.bench.launcher.start(peer, self.folder, self.bench.cache, allocator)
        self.versions[peer] = process.about["versions"]
        return stack.enter_context(process)

    def result(self):
        case, bench = self.case, self.bench
        say(f"{case.name}")
        gbs = bench.machine.ask("STREAM", max(case.state_bytes, 1 << 16))["gbs"]
        gflops = None if case.autocast else bench.gflops  # the peak is that of f32
        with contextlib.ExitStack() as stack:
            self.weft = self.start(stack, "weft")
            facts = self.weft.ask("START", "step", self.steps)
            self.losses, self.buffers = facts.pop("losses"), facts.pop("buffers")
            self.weft.ask("START", "profile", 1)
            profile = self.weft.ask("RUN", "profile", self.effort.block_s)["profile"]
            self.has_strict = self.weft.ask("START", "strict", 1)["calls"] != facts["calls"]
            survey = [mode for peer in self.contenders() for mode in self.survey(stack, peer)]
            finals = [self.final(peer, survey) for peer in self.contenders()]
        finals = [final for final in finals if final]
        started = [("weft", "default", "step")] + [(f["peer"], f["allocator"], f["mode"]) for f in finals]
        return {"name": case.name, "about": case.spec["about"], "steps": self.steps, "pairs": self.effort.pairs, "parameters": case.parameters, "flops": case.flops,
                "state_bytes": case.state_bytes, "gbs": gbs, "floor": measure.floor(case.flops, gflops, case.state_bytes, gbs),
                "weft": facts | {"first_loss": self.losses[0], "last_loss": self.losses[-1], "profile": profile},
                "survey": survey, "finals": finals, "one_thread": self.one_thread(), "startup": [self.startup(*entry) for entry in started]}

    def contenders(self):
        return [peer for peer in PEERS if peer != "plain" or self.case.spec.get("plain")]

    def survey(self, stack, peer):
        """Every mode of a peer, tried briefly."""
        entries = []
        for allocator in PEERS[peer]:
            process = None
            try:
                process = self.start(stack, peer, allocator)
            except PeerError as error:
                entries.append({"peer": peer, "allocator": allocator, "mode": "", "error": str(error)})
                continue
            wanted = self.effort.modes.get(peer, process.about["modes"])
            for mode in filter(wanted.__contains__, process.about["modes"]):
                if process.process.poll() is not None:  # a mode before this one took the process along
                    process = self.start(stack, peer, allocator)
                self.processes[peer, allocator, mode] = process
                entries.append({"peer": peer, "allocator": allocator, "mode": mode} | self.try_mode(process, mode))
                say("  " + page.survey_line(entries[-1]))
        return entries

    def try_mode(self, process, mode):
        try:
            reply = process.ask("START", mode, self.steps)
            first = measure.loss_difference(self.losses[:FIRST_STEPS], reply["losses"][:FIRST_STEPS])
            difference = measure.loss_difference(self.losses, reply["losses"])
            if not (first <= self.first_tolerance and difference <= self.tolerance):
                raise PeerError(f"it computes something else: the losses differ by {first:.1e} over {FIRST_STEPS} steps, "
                                f"{difference:.1e} over {self.steps}")
            if measure.buffers_difference(self.buffers, reply["buffers"]) > self.first_tolerance:
                raise PeerError(f"it keeps something else beside the parameters: {reply['buffers']} instead of {self.buffers}")
            times = self.bench.compare(self.weft, process, mode, self.effort.survey_s, self.effort.survey_pairs)
        except PeerError as error:
            return {"error": str(error)}
        return times | {"loss_difference": difference}

    def final(self, peer, survey):
        """The best mode of a peer at length; None where there is none."""
        modes = [entry for entry in survey if entry["peer"] == peer and "error" not in entry]
        if not modes:
            return None
        fastest = max(entry["ratio"] for entry in modes)
        modes = sorted((entry for entry in modes if entry["ratio"] * CLOSE >= fastest), key=lambda entry: -entry["ratio"])
        finals = []
        for entry in modes[:self.effort.finalists]:
            process = self.processes[peer, entry["allocator"], entry["mode"]]
            times = self.bench.compare(self.weft, process, entry["mode"], self.effort.block_s, self.effort.pairs)
            finals.append(entry | times)
        best = max(finals, key=lambda final: final["ratio"])
        say("  " + page.final_line(best))
        if self.has_strict:
            process = self.processes[peer, best["allocator"], best["mode"]]
            best["strict"] = self.bench.compare(self.weft, process, best["mode"], self.effort.block_s, self.effort.pairs, ours="strict")
        return best

    def one_thread(self):
        """The step beside itself on one thread, whose losses must be the same to the bit; None where there is one thread at all."""
        if self.bench.launcher.threads == 1:
            return None
        with self.bench.launcher.start("weft", self.folder, self.bench.cache) as process:
            losses = [process.ask("START", mode, self.steps)["losses"] for mode in ("step", "one_thread")]
            times = self.bench.compare(process, process, "one_thread", self.effort.block_s, self.effort.pairs)
        return times | {"same_losses": losses[0] == losses[1]}

    def startup(self, peer, allocator, mode):
        """From the start of a process to its first step's loss, and its memory; cold and with the compilers' caches warm."""
        cold = []
        while len(cold) < self.effort.starts and not (cold and cold[-1]["first_step_s"] > LONG_START_S):
            with tempfile.TemporaryDirectory(dir=self.bench.work) as empty:
                cold.append(self.first_step(peer, allocator, mode, empty))
        warm = self.first_step(peer, allocator, mode, self.bench.cache)
        middle = sorted(cold, key=lambda start: start["first_step_s"])[len(cold) // 2] if cold else None
        return {"peer": peer, "allocator": allocator, "mode": mode, "cold": middle, "warm": warm}

    def first_step(self, peer, allocator, mode, cache):
        begin = time.monotonic()
        with self.bench.launcher.start(peer, self.folder, cache, allocator) as process:
            idle, _ = machine.resident_bytes(process.process.pid)
            reply = process.ask("START", mode, 1)
            seconds = time.monotonic() - begin
            process.ask("RUN", mode, 0.2)
            resident, peak = machine.resident_bytes(process.process.pid)
        return {"first_step_s": seconds, "build_s": reply["build_s"], "idle_bytes": idle, "resident_bytes": resident, "peak_bytes": peak}


def commit(root):
    git = lambda *words: subprocess.run(["git", "-C", root, *words], capture_output=True, text=True)
    name = git("rev-parse", "--short", "HEAD").stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no").stdout.strip()
    return f"{name} with changes" if name and changed else name


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="the folder of weft_peer and its like")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="the folder for bench.json and BENCHMARKS.md")
    parser.add_argument("--threads", type=int, help="2 unless given, or 1 where there is one core")
    parser.add_argument("--cpu-time", action="store_true", help="count the time that processes run, not the time that passes; one thread")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and modes")
    parser.add_argument("--case", action="append", help="only this case; may be repeated")
    parser.add_argument("--kernels", action="store_true", help="only the single kernels; the rest of the page stays as it was")
    options = parser.parse_args()
    if options.cpu_time and options.threads not in (None, 1):
        parser.error("--cpu-time is of one thread")
    options.threads = options.threads or (1 if options.cpu_time else min(2, len(os.sched_getaffinity(0))))
    return options


@contextlib.contextmanager
def bench(options, threads, work):
    cores = machine.choose_cores(threads)
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # and so every peer's
    launcher = Launcher(options.programs, sys.executable, threads, options.cpu_time)
    with launcher.machine() as machine_peer:
        yield Bench(launcher, machine_peer, QUICK if options.quick else FULL, cores, work)
    os.sched_setaffinity(0, everywhere)


def clock(options):
    return "cpu" if options.cpu_time else "wall"


def where_and_when(root, cores, start):
    return {"date": datetime.date.today().isoformat(), "commit": commit(root), "machine": machine.description(cores),
            "seconds": time.monotonic() - start}


def measure_cases(options, table, work, root):
    start = time.monotonic()
    with bench(options, options.threads, work) as session:
        runs = [CaseRun(session, case) for case in table if case.name in (options.case or [case.name])]
        results = [run.result() for run in runs]
    versions = {peer: found for run in runs for peer, found in run.versions.items()}
    return {"quick": options.quick, "clock": clock(options), "threads": options.threads, "steps": COMPARED_STEPS, "versions": versions,
            "effort": dataclasses.asdict(session.effort),
            "tolerances": {"spin": measure.SPIN_TOLERANCE, "foreign": measure.FOREIGN_TOLERANCE, "attempts": ATTEMPTS},
            "gflops": session.gflops, "vector_bits": session.machine.about["vector_bits"],
            "spin_ms": None if options.cpu_time else session.best_spin,
            "cases": results} | where_and_when(root, session.cores, start)


def measure_kernels(options, work, root):
    start = time.monotonic()
    with bench(options, 1, work) as session:
        return kernels.result(session, say) | {"quick": options.quick, "clock": clock(options)} | where_and_when(root, session.cores, start)


def main():
    options = arguments()
    table = cases.table()
    unknown = set(options.case or []) - {case.name for case in table}
    if unknown:
        sys.exit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(case.name for case in table)}")
    start = time.monotonic()
    root = pathlib.Path(__file__).resolve().parents[2]
    stored = options.out / "bench.json"
    report = json.loads(stored.read_text()) if stored.exists() else {}
    if options.kernels and "cases" not in report:
        sys.exit(f"--kernels adds to {stored}, which has no cases yet")
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as work:
        if not options.kernels:
            earlier, report = report, {"kernels": report.get("kernels")} | measure_cases(options, table, pathlib.Path(work), root)
            report["others"] = reports.others(earlier, report)
            if options.case:
                report["cases"] = reports.with_earlier(earlier, report, [case.name for case in table])
        if options.kernels or not options.case:
            report["kernels"] = measure_kernels(options, pathlib.Path(work), root)
    options.out.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(report, indent=1) + "\n")
    (options.out / "BENCHMARKS.md").write_text(page.render(report))
    say(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
