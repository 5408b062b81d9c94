#!/usr/bin/env python3
"""BENCHMARKS.md from bench.json: the words are here, the figures there.

    page.py bench.json > BENCHMARKS.md      writes the page anew
"""
import json
import sys

from figures import by_more_threads, floor_share, memory_ratio, startup_of, weft_us
from words import digits, percent, seconds, several, size

NAMES = {"weft": "weft", "torch": "PyTorch", "jax": "JAX", "plain": "plain C++"}
CHANNELS_LAST = "_channels_last"  # ends the names of PyTorch's modes in that memory format
HALF = 0.5  # of the floor; below, a case counts as one where weft leaves much on the table

MODES = {
    "torch": {
        "eager": "`loss.backward()` and the optimizer's plain loop",
        "foreach": "the optimizer's foreach implementation",
        "fused": "the optimizer's fused implementation",
        "manual": "`autograd.grad` and an update written out",
        "model": "`torch.compile` of forward and loss, fused optimizer",
        "step": "`torch.compile` of the whole step",
        "step_cpp": "`torch.compile` of the whole step, `cpp_wrapper`",
        "step_tuned": "`torch.compile` of the whole step, `max_autotune`",
    },
    "jax": {
        "jit": "`jax.jit` of the whole step, donated, waiting for every loss",
        "queue": "the same, waiting once in about 10 ms",
    },
    "plain": {"loop": "a loop written by hand, `-O3 -march=native`"},
    "weft": {"step": "the compiled step", "strict": "the compiled step, `strict`"},
}


# ---- an entry in words -----------------------------------------------------------------------------------------------------

def spread(entry):
    return f"{digits(entry['ratio'])} ({digits(entry['ratio_min'])} to {digits(entry['ratio_max'])})"


def faster(ratio):
    """What a ratio weft / peer says."""
    if ratio <= 1:
        return f"weft is {digits(1 / ratio)} times as fast"
    return f"**weft is slower**, {digits(ratio)} times its time"


def mode_name(entry):
    tuned = ", tuned allocator" if entry["allocator"] == "tuned" else ""
    return f"`{entry['mode']}`{tuned}"


def mode_words(entry):
    mode = entry["mode"].removesuffix(CHANNELS_LAST)
    words = MODES[entry["peer"]][mode]
    if mode != entry["mode"]:
        words += ", channels last"
    return words + (", tuned allocator" if entry["allocator"] == "tuned" else "")


def cut(text, length):
    return text if len(text) <= length else text[:length - 3] + "..."


def call_text(call):
    """What is called, and its lines, where weft separates them; kernels with many operands are long."""
    what, _, lines = call.replace("|", "/").partition("  # ")
    return f"{cut(what, 100)} at {cut(lines.replace('../', ''), 80)}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines) + "\n"


# ---- what runs print while they go on ----------------------------------------------------------------------------------

def survey_line(entry):
    name = f"{NAMES[entry['peer']]:10} {entry['mode']:24} {entry['allocator']:8}"
    if "error" in entry:
        return f"{name} {entry['error']}"
    return f"{name} {digits(entry['peer_us']):>8} us   weft / it {digits(entry['ratio']):8} losses within {entry['loss_difference']:.1e}"


def final_line(entry):
    disturbed = f", {entry['disturbed']} of them disturbed" if entry["disturbed"] else ""
    return (f"-> {NAMES[entry['peer']]}: {entry['mode']}, {entry['allocator']} allocator: weft {digits(entry['weft_us'])} us, "
            f"it {digits(entry['peer_us'])} us, weft / it {spread(entry)}, {entry['pairs']} pairs{disturbed}")


# ---- where weft is behind ------------------------------------------------------------------------------------------------

def losses_of_weft(report):
    """Where weft is behind, in sentences."""
    for case in report["cases"]:
        ours = startup_of(case, "weft")
        for final in case["finals"]:
            peer = NAMES[final["peer"]]
            if final["ratio"] > 1:
                yield f"`{case['name']}`: a step takes {digits(final['ratio'])} times as long as {peer}'s ({mode_name(final)})."
            theirs = startup_of(case, final["peer"])
            if not theirs or final["peer"] == "plain":  # a process without any library is not what a framework's start is held to
                continue
            for key, what in (("first_step_s", "the first step, from the start of the process, comes later than with"),
                              ("resident_bytes", "the process is larger than with")):
                if ours["warm"][key] > theirs["warm"][key]:
                    yield f"`{case['name']}`: {what} {peer}."
        if case.get("one_thread") and not case["one_thread"]["same_losses"]:
            yield f"`{case['name']}`: one thread and several do not give the same losses."
        share = floor_share(case)
        if share is not None and share < HALF:
            yield f"`{case['name']}`: weft reaches only {percent(share)} of the floor; the rest of the step is neither products at peak nor memory."


# ---- the page ----------------------------------------------------------------------------------------------------------

def short_table(report):
    peers = [peer for peer in NAMES if any(final["peer"] == peer for case in report["cases"] for final in case["finals"])]
    head = ["case", "weft", *(f"weft / {NAMES[peer]}" for peer in peers), "share of the floor", "one thread / all", "peak memory / PyTorch's"]
    rows = []
    for case in report["cases"]:
        finals = {final["peer"]: final for final in case["finals"]}
        rows.append([f"`{case['name']}`", f"{digits(weft_us(case))} us",
                     *(digits(finals[peer]["ratio"]) if peer in finals else "-" for peer in peers), percent(floor_share(case)),
                     digits(by_more_threads(case)), digits(memory_ratio(case))])
    return head, rows


def in_short(report):
    return table(*short_table(report))


def others_section(report):
    found = report.get("others")
    if not found:
        return ""
    text = "## Other machines\n\nWhat earlier runs of this page found elsewhere, with the code of their day.\n"
    for one in reversed(found):
        cpu, family, model, isa, threads, by_cpu_time = one["identity"]
        text += f"\n**{cpu}**, family {family} model {model}, {isa}, {several(threads, 'thread')}{', processor time' if by_cpu_time else ''}, "
        text += f"{one['date']}, commit {one['commit']}{', a quick run' if one['quick'] else ''}\n\n{table(one['head'], one['rows'])}"
    return text + "\n"


def strict_words(final):
    return f", {digits(1 / final['strict']['ratio'])} times with `strict`" if "strict" in final else ""


def numbers_say(report):
    lines = []
    for case in report["cases"]:
        words = [f"{faster(final['ratio'])} {'as' if final['ratio'] <= 1 else 'beside'} {NAMES[final['peer']]} ({mode_name(final)}){strict_words(final)}"
                 for final in case["finals"]]
        lines.append(f"* `{case['name']}`: {'; '.join(words) or 'beside nothing, since no peer took part that computes the same'}.")
    behind = [f"* {sentence}" for sentence in losses_of_weft(report)]
    return "\n".join(lines) + "\n\nWhere weft is behind:\n\n" + ("\n".join(behind) if behind else "* in none of the figures on this page.") + "\n"


def disturbed(report):
    count = sum(final["disturbed"] for case in report["cases"] for final in case["finals"])
    if not count:
        return ""
    pairs = sum(final["pairs"] for case in report["cases"] for final in case["finals"])
    return (f"\n**The machine was not still**: {count} of the {pairs} pairs of blocks behind these figures were disturbed and could not be "
            "replaced. The figures are to be taken again.\n")


def pairs_of(times):
    return f"{times['pairs']}, {times['dropped']} dropped"


def steps_table(case):
    rows = [["weft", "the compiled step", digits(weft_us(case)), "", "", ""]]
    if alone := case.get("one_thread"):
        rows.append(["weft", "the same on one thread", digits(alone["peer_us"]), spread(alone), pairs_of(alone),
                     "0" if alone["same_losses"] else "**not the same**"])
    for final in case["finals"]:
        rows.append([NAMES[final["peer"]], mode_words(final), digits(final["peer_us"]), spread(final), pairs_of(final), f"{final['loss_difference']:.1e}"])
        if strict := final.get("strict"):
            rows.append(["", f"beside weft's `strict`, which takes {digits(strict['weft_us'])} us", digits(strict["peer_us"]), spread(strict), pairs_of(strict), ""])
    return table(["", "best mode", "step, us", "weft / it (range)", "pairs of blocks", "losses differ by"], rows)


def startup_table(case):
    rows = []
    for entry in case["startup"]:
        cold, warm = entry["cold"], entry["warm"]
        times = [seconds(start[key]) if start else "-" for key in ("build_s", "first_step_s") for start in (cold, warm)]
        rows.append([NAMES[entry["peer"]], *times, size(warm["resident_bytes"]), size(warm["resident_bytes"] - warm["idle_bytes"]),
                     size(warm["peak_bytes"])])
    return table(["", "build, cold", "warm", "first step, cold", "warm", "resident", "of it for the case", "peak"], rows)


def profile_table(case):
    calls = case["weft"]["profile"]
    step = sum(call["us"] for call in calls)
    rate = lambda amount, us: digits(amount / us * 1e-3 if us else None)
    rows = [[digits(call["us"]), percent(call["us"] / step), digits(call["waiting_us"]), rate(call["flops"], call["us"]),
             rate(call["bytes"], call["us"]), call_text(call["call"])] for call in calls]
    return table(["us", "share", "of it waiting", "GFLOP/s", "GB/s", "call, and the lines it comes from"], rows)


def modes_table(case):
    rows = []
    for entry in case["survey"]:
        allocator = entry["allocator"]
        if "error" in entry:
            rows.append([NAMES[entry["peer"]], f"`{entry['mode']}`", allocator, entry["error"].replace("|", "/")[:200], "", ""])
        else:
            rows.append([NAMES[entry["peer"]], f"`{entry['mode']}`", allocator, digits(entry["peer_us"]), digits(entry["ratio"]),
                         f"{entry['loss_difference']:.1e}"])
    return table(["", "mode", "allocator", "step, us", "weft / it", "losses differ by"], rows)


def case_section(case, steps):
    floor = case["floor"]
    at_peak = f", {digits(floor['products_us'])} us at the measured peak" if floor["products_us"] else ""
    products = (f"Its products are {digits(case['flops'] / 1e6)} MFLOP{at_peak}; its "
                f"state, {size(case['state_bytes'])}, takes {digits(floor['state_us'])} us to be read and written once at the "
                f"{digits(case['gbs'])} GB/s measured for that size." if case["flops"] else
                "There is nothing to multiply; the plain loop stands for what the machine can do.")
    weft = case["weft"]
    return f"""### `{case['name']}`

{case['about']} {case['parameters']} parameters. {products}

{steps_table(case)}
weft makes {several(len(weft['calls']), 'call')} of kernels and libraries a step, in an arena of {size(weft['planned_bytes'])} that was planned
at compile time. The loss goes from {digits(weft['first_loss'], 4)} to {digits(weft['last_loss'], 4)} over the first {steps} steps.

{startup_table(case)}
<details><summary>Where weft's step spends its time</summary>

{profile_table(case)}
Timing each call makes the step slower by two readings of the clock a call.
</details>

<details><summary>Every mode that was tried</summary>

{modes_table(case)}
</details>
"""


def kernel_line(row):
    return f"{row['kernel']}: {digits(row['weft_us'])} us, {digits(row['ratio'])} x PyTorch's {digits(row['peer_us'])} us"


def kernels_section(found):
    if not found:
        return ""
    head = ["kernel", "weft, us", "PyTorch, us", "weft / it (range)", "pairs of blocks", "calls"]
    rows = [[f"`{row['kernel']}`", digits(row["weft_us"]), digits(row["peer_us"]),
             spread(row),
             f"{row['pairs']}" + (f", {row['disturbed']} disturbed" if row["disturbed"] else ""), str(len(row["calls"]))]
            for row in found["rows"]]
    slower = [f"`{row['kernel']}`" for row in found["rows"] if row["ratio"] > 1]
    verdict = f"weft is slower at {', '.join(slower)}." if slower else "weft is slower at none."
    return f"""## Single kernels

One thread, f32, arrays of {found['side']} x {found['side']}: a program of that one op beside PyTorch's eager function with the better of its
allocators, each in processes of its own. `softmax` and `layer_norm` go along the rows; `softmax_masked` is causal, its
operand -inf above the diagonal. {verdict}

{table(head, rows)}
Measured by `scripts/bench.sh --kernels` on {found['date']}{' in a quick run' if found['quick'] else ''}{", in the processor's time" if by_processor_time(found) else ''}, commit {found['commit'] or 'unknown'}, PyTorch {found['versions']['torch']['PyTorch']}, on {found['machine']['cpu']}
(family {found['machine']['family']}, model {found['machine']['model']}; {found['machine']['isa']}).
"""


def slow_cases(report):
    slow = [case for case in report["cases"] if case.get("steps", report["steps"]) < report["steps"]]
    names = ", ".join(f"`{case['name']}`" for case in slow)
    return f" Of {names}, whose steps take long, only {slow[0]['steps']} steps are compared, in one short pair and at most {slow[0]['pairs']} long ones." if slow else ""


def by_processor_time(found):
    return found.get("clock") == "cpu"


def stillness(report):
    """What was done about the machine's other processes."""
    tolerances = report["tolerances"]
    if by_processor_time(report):
        return """* **Processor time.** What is counted is the time that a process's threads ran, not the time that passed, so that other processes on
  the cores do not count: no pair is dropped. What they do to caches, to memory and to the clock's rate still shows in the times,
  less so in the ratios of neighbouring blocks. The peak, the bandwidth and the starts are measured in time that passed."""
    return f"""* **Undisturbed.** Before, between and after the blocks of a pair a fixed loop runs on all the cores at once. A pair is dropped and
  repeated when that loop took more than {percent(tolerances['spin'])} above its best time, or when other processes (the host's included) had
  more than {percent(tolerances['foreign'])} of the cores during a block. After {tolerances['attempts']} times the pairs wanted, the least disturbed ones fill up, and this page says so."""


def measured(report):
    effort = report["effort"]
    return f"""## How it was measured

* **The same work.** Every process reads the same stored weights and batches (16, over and over), computes in f32 (with
  autocast, where a case says so) with the same optimizer, and leaves the loss where the program can read it. The losses of the first {report['steps']} steps are compared with weft's:
  *losses differ by* is the largest difference over the largest loss. A mode that differs by more than rounding is refused, as
  is one that leaves other running statistics behind.{slow_cases(report)}
* **The same cores.** {several(report['threads'], 'thread')}; every process is confined to {'core' if report['threads'] == 1 else 'cores'} {', '.join(map(str, report['machine']['used_cores']))}.
* **In turn.** weft and the peer alternate in blocks of {effort['block_s']} s, A B B A; a process that is not in turn waits for a line
  of input. A block begins with 0.05 s that do not count and gives the median time of a step. A pair of neighbouring
  blocks gives one ratio; the tables show the median of the ratios with their range, and the medians of the times.
{stillness(report)}
* **The peers at their best.** All modes are tried in {several(effort['survey_pairs'], 'short pair')} each, and those within 10 % of a peer's best are measured in
  {effort['pairs']} pairs. *Tuned allocator*: a process of its own in which the C library's allocator keeps freed memory
  (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_TOP_PAD_`, `MALLOC_MMAP_THRESHOLD_`). The compiled modes of PyTorch skip the checks of
  their arguments at each call. *Channels last*: the net and its images in that memory format, tried where there are convolutions.
* **The floor.** The peak is {digits(report['gflops'])} GFLOP/s: f32 multiply-adds in registers, {report['vector_bits']}-bit vectors, on all threads. The bandwidth is that
  of a sweep which reads and writes a buffer as large as the case's state (parameters and what the optimizer keeps). The *share of the
  floor* is the larger of the two times over weft's. Products are those of linear layers, convolutions and attention, forward and for
  every gradient that the step needs: a convolution's as a direct one computes it, padding included, causal attention's of
  what is not masked.
* **Start.** A fresh process reads the case, builds the step and runs it once; *build* is from the request to the first step's loss
  (recording or tracing, compiling, one step), *first step* from the start of the process. Cold: no compiler's cache on disk
  {'(the median of three starts, one where it takes long)' if effort['starts'] else '(not measured in a quick run)'}; warm: with the cache of earlier processes. *Resident* is the warm process after some
  steps, *of it for the case* what it grew by since its libraries were loaded. *Peak memory* is the most that the warm process had.
* **One thread** is the same step compiled for one thread beside it, whose losses must be the same to the bit. *Strict* is weft with
  `Target::cpu({{.strict = true}})`, without Winograd's convolutions; it is measured where it makes another program.
"""


def machine_section(report):
    m = report["machine"]
    caches = ", ".join(f"{level} {size}" for level, size in m["caches"].items())
    virtual = ", a virtual machine" if m["virtual"] else ""
    versions = [f"* {NAMES[peer]}: " + ", ".join(f"{name} {version}" for name, version in found.items()) for peer, found in report["versions"].items()]
    return "\n".join([
        "## Machine and versions\n",
        f"* {m['cpu']} (family {m['family']}, model {m['model']}), {m['cores']} cores{virtual}; {m['isa']}; {caches} (as core 0 sees them); {size(m['memory_bytes'])} of memory",
        f"* {m['system']}, Linux {m['kernel']}",
        *versions,
        f"* measured on {report['date']} in {report['seconds'] / 60:.0f} minutes, commit {report['commit'] or 'unknown'}\n"])


def render(report):
    quick = "\nA quick run (`--quick`): fewer rounds and modes, so the figures are rough.\n" if report["quick"] else ""
    cases = "\n".join(case_section(case, case.get("steps", report["steps"])) for case in report["cases"])
    return f"""# Benchmarks

How long a training step takes (forward, loss, backward, update of every parameter) in weft and in its peers: PyTorch and
JAX, each in its best mode, and plain C++ where a case is small enough to be written by hand. `scripts/bench.sh` measured and wrote this
page; all its figures, and more, are in `bench.json`. [docs/sweep.svg](docs/sweep.svg) has two nets with every width and batch from 1 to
130 (`scripts/bench.sh --sweep`), which shows whether there are cliffs between the sizes that cases have.
{quick}{disturbed(report)}
## In short

{in_short(report)}
A ratio below 1 means that weft is faster. {several(report['threads'], 'thread')}, f32 unless its name ends in _bf16.{" Times are the processor's: what the processes ran, not what passed." if by_processor_time(report) else ""}

{numbers_say(report)}
## The cases

{cases}
{kernels_section(report.get("kernels"))}
{others_section(report)}{measured(report)}
{machine_section(report)}"""


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print(render(json.load(file)), end="")
