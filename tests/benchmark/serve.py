"""The Python peers' side of the benchmark's protocol, which serve.h describes.

A peer calls serve(description, modes): `modes` maps the name of a mode to a function without arguments that builds the
training and returns a Training.
"""
import dataclasses
import gc
import json
import os
import sys
import time
import typing

SETTLE_SECONDS = 0.05   # caches, and threads that slept while another peer ran
CPU_TIME = os.environ.get("BENCH_CLOCK") == "cpu"  # steps are timed by what the threads of the process run, not by the time that passes
CLOCK_NS = time.process_time_ns if CPU_TIME else time.perf_counter_ns
READING_SECONDS = 200e-6 if CPU_TIME else 20e-6  # between two readings of the clock, which take 0.4 us and 0.05 us themselves


@dataclasses.dataclass
class Training:
    """One training of a case, built and ready to step."""
    advance: typing.Callable      # advance(n): that many steps
    loss: typing.Callable         # of the latest step, before its update, as a float
    reading_seconds: float = READING_SECONDS
    buffers: typing.Callable = dict  # name: mean absolute value, of what the net keeps beside its parameters
    restart: typing.Callable = lambda: None  # parameters are as they were stored, and what the optimizer keeps is as before its first step


def start(build, steps):
    begin = time.perf_counter()
    training = build()
    reply = {"losses": []}
    for i in range(max(1, steps)):
        training.advance(1)
        reply["losses"].append(training.loss())
        if i == 0:
            reply |= {"build_s": time.perf_counter() - begin, "buffers": training.buffers()}
    return training, reply


def settle(training):
    """As many steps as lie between two readings of the clock."""
    seconds = lambda: CLOCK_NS() * 1e-9
    begin, steps, n = seconds(), 0, 1
    while seconds() - begin < SETTLE_SECONDS:
        training.advance(n)
        steps, n = steps + n, min(2 * n, 1000)
    return max(1, int(training.reading_seconds * steps / (seconds() - begin)))


def time_steps(training, seconds):
    training.restart()
    steps, times, clock, advance = settle(training), [], CLOCK_NS, training.advance
    gc.collect()
    gc.disable()
    try:
        after, end = 0, clock() + int(seconds * 1e9)
        while after < end:
            before = clock()
            advance(steps)
            after = clock()
            times.append(after - before)
    finally:
        gc.enable()
    micros = sorted(t / 1e3 / steps for t in times)
    at = lambda share: micros[int(share * (len(micros) - 1))]
    return {"steps": steps * len(micros), "median_us": at(0.5), "p10_us": at(0.1), "p90_us": at(0.9)}


def answer(request, modes, trainings):
    verb, mode, amount = request.split()
    if mode not in modes:
        raise ValueError(f"there is no mode {mode}")
    if verb == "START":
        trainings[mode], reply = start(modes[mode], int(amount))
        return reply
    if verb != "RUN" or mode not in trainings:
        raise ValueError(f"{verb} {mode}: START it first")
    return time_steps(trainings[mode], float(amount))


def serve_lines(description, answer_line):
    """Answers every request by `answer_line`, whose exceptions become {"error"}."""
    # Standard output is for the answers alone: what libraries print there goes to standard error from now on.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(json.dumps(description), file=out)
    for request in sys.stdin:
        if request.strip() == "QUIT":
            break
        try:
            reply = answer_line(request)
        except Exception as error:  # the driver decides what a missing mode means
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(reply), file=out)


def serve(description, modes):
    versions = {"Python": sys.version.split()[0]} | description.pop("versions")
    trainings = {}
    serve_lines(description | {"modes": list(modes), "versions": versions}, lambda request: answer(request, modes, trainings))
