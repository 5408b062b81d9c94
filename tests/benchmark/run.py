#!/usr/bin/env python3
"""Step times of weft and PyTorch, block by block in turn (A B B A), on the same threads.

    run.py --weft build/tests/benchmark/weft_peer --python PYTHON [--seconds 0.5] [--rounds 6] [--threads 2]

PYTHON is an interpreter that has PyTorch. Prints, for each case and each mode of PyTorch, both medians and the median of
the ratios weft / PyTorch over the pairs of blocks, with the smallest and the largest. Blocks during which the system
took cores away from the peer are measured again.
"""
import argparse
import json
import pathlib
import statistics
import subprocess


class Peer:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = json.loads(self.process.stdout.readline())

    def run(self, seconds, mode, case):
        for _ in range(5):
            self.process.stdin.write(f"RUN {seconds} {mode} {case}\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            if "error" in answer:
                raise RuntimeError(f"{mode} {case}: {answer['error']}")
            if answer.get("preempted", 0) < max(5, answer["steps"] / 20):
                break
        return answer

    def quit(self):
        self.process.stdin.write("QUIT\n")
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--modes", nargs="*")
    arguments = parser.parse_args()
    here = pathlib.Path(__file__).parent
    weft = Peer([arguments.weft, str(arguments.threads)])
    torch = Peer([arguments.python, str(here / "torch_peer.py"), "--threads", str(arguments.threads)])
    print(f"PyTorch: {json.dumps(torch.about)}")
    for case in ("temperature", "mlp"):
        for mode in arguments.modes or torch.about["modes"]:
            ours, theirs, ratios = [], [], []
            try:
                torch.run(0.1, mode, case)
                for round_ in range(arguments.rounds):
                    first, second = (weft, torch) if round_ % 2 == 0 else (torch, weft)
                    results = {}
                    for peer in (first, second):
                        results[peer] = peer.run(arguments.seconds, "compiled" if peer is weft else mode, case)["median_us"]
                    ours.append(results[weft])
                    theirs.append(results[torch])
                    ratios.append(results[weft] / results[torch])
            except RuntimeError as error:
                print(f"{case:12} {mode:10} {error}")
                continue
            print(f"{case:12} {mode:10} weft {statistics.median(ours):10.2f} us   PyTorch {statistics.median(theirs):10.2f} us   "
                  f"ratio {statistics.median(ratios):.4f} ({min(ratios):.4f} to {max(ratios):.4f})", flush=True)
    weft.quit()
    torch.quit()


if __name__ == "__main__":
    main()
