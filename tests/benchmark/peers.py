"""The processes that the benchmark lets take turns."""
import json
import os
import pathlib
import signal
import subprocess
import threading

HERE = pathlib.Path(__file__).parent
PATIENCE_SECONDS = 600  # for one answer; a compiler may be slow, a hang must end

# glibc keeps freed memory with these, so that a step finds no fresh pages. Giving any of them fixes the size from which
# it maps memory anew for each allocation, so that one is raised as well.
KEEPS_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(4 << 30), "MALLOC_TOP_PAD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
ALLOCATORS = {"default": {}, "tuned": KEEPS_MEMORY}


class PeerError(Exception):
    """A request that a peer could not serve, in one line."""


class Peer:
    """A process that answers a line of JSON to each request."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        self.complaints = []
        threading.Thread(target=self.listen, daemon=True).start()
        self.about = self.answer()

    def listen(self):
        for line in self.process.stderr:
            self.complaints = self.complaints[-20:] + [line.rstrip()]

    def answer(self):
        timer = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            code = self.process.wait()
            why = signal.Signals(-code).name if code < 0 else f"status {code}"
            raise PeerError(f"the process ended with {why}: {' | '.join(self.complaints[-2:])}")
        reply = json.loads(line)
        if "error" in reply:
            raise PeerError(reply["error"])
        return reply

    def ask(self, *words):
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # answer() says why
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


class Launcher:
    """How each peer is started: `programs` holds the compiled ones, `python` is an interpreter with PyTorch and JAX. With
    `cpu_time` the peers count the time that their processes run, not the time that passes."""

    def __init__(self, programs, python, threads, cpu_time=False):
        self.programs, self.python, self.threads, self.cpu_time = pathlib.Path(programs), python, threads, cpu_time

    def start(self, peer, case_folder, cache, allocator="default"):
        """`cache` is the folder for what compilers keep between processes."""
        environment = {"OMP_NUM_THREADS": str(self.threads), "NPROC": str(self.threads), "JAX_PLATFORMS": "cpu",
                       "CUDA_VISIBLE_DEVICES": "", "XDG_CACHE_HOME": str(cache), "TORCHINDUCTOR_CACHE_DIR": str(cache),
                       "BENCH_CLOCK": "cpu" if self.cpu_time else "wall"}
        script = HERE / f"{peer}_peer.py"
        program = [self.python, script] if script.exists() else [self.programs / f"{peer}_peer"]
        return Peer([*program, self.threads, case_folder], environment | ALLOCATORS[allocator])

    def machine(self):
        return Peer([self.programs / "machine_peer", self.threads], {})
