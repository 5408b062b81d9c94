"""What Linux says about the machine: its cores, its processor, and who uses them."""
import os
import pathlib
import platform
import re

TICKS = os.sysconf("SC_CLK_TCK")


def read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def choose_cores(threads):
    """So many of the cores that this process may use, one per physical core as far as they go."""
    usable = sorted(os.sched_getaffinity(0))
    if threads > len(usable):
        raise SystemExit(f"{threads} threads, but only {len(usable)} cores to run them on")
    siblings = lambda core: read(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list") or str(core)
    first_of = {siblings(core): core for core in reversed(usable)}
    physical = sorted(first_of.values())
    return sorted((physical + [core for core in usable if core not in physical])[:threads])


def busy_seconds(cores):
    """That these cores were not idle since the system started; what the host took away (steal) counts."""
    total = 0
    for line in read("/proc/stat").splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            total += user + nice + system + irq + softirq + steal
    return total / TICKS


def process_seconds(pid):
    """That all threads of a process ran."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0


def resident_bytes(pid):
    """Now, and at most so far."""
    status = read(f"/proc/{pid}/status")
    size = lambda field: int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024
    return size("VmRSS"), size("VmHWM")


def instruction_set(flags):
    for name, flag in (("AMX", "amx_tile"), ("AVX-512", "avx512f"), ("AVX2", "avx2"), ("AVX", "avx")):
        if flag in flags:
            return name
    return "SSE"


def caches():
    sizes = {}
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if read(index / "type").strip() != "Instruction":
            sizes["L" + read(index / "level").strip()] = read(index / "size").strip()
    return sizes


def description(cores):
    info = read("/proc/cpuinfo")
    field = lambda name: (re.search(rf"^{name}\s*: (.*)$", info, re.M) or [None, ""])[1]
    flags = field("flags").split()
    memory = re.search(r"MemTotal:\s+(\d+) kB", read("/proc/meminfo"))
    release = re.search(r'^PRETTY_NAME="(.*)"', read("/etc/os-release"), re.M)
    return {"cpu": field("model name") or platform.machine(), "family": field("cpu family"), "model": field("model"),
            "cores": os.cpu_count(), "used_cores": cores, "isa": instruction_set(flags), "caches": caches(),
            "virtual": "hypervisor" in flags, "memory_bytes": int(memory[1]) * 1024 if memory else 0,
            "system": release[1] if release else platform.system(), "kernel": platform.release()}
