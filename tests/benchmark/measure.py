"""The benchmark's arithmetic: which pairs of blocks count, their ratios, and how close two loss curves are.

A pair is one block of weft and one of a peer, one right after the other. Which goes first alternates, A B B A. A pair
counts when the machine was still: the spin loop before, between and after its blocks took its best time, and other
processes hardly ran on the cores meanwhile. Where the peers count the time that their process ran instead of the time that
passed, there is nothing to wait out: pairs have no spins, and all count.
"""
import dataclasses
import statistics

SPIN_TOLERANCE = 0.05      # of the spin loop's best time
FOREIGN_TOLERANCE = 0.05   # of the cores' time, for other processes
FOREIGN_GRAIN = 0.04       # seconds; the system counts in hundredths, one for each core at both ends


@dataclasses.dataclass
class Pair:
    ours_us: float
    theirs_us: float
    spins: list = ()       # ms, of the spin loop around the blocks
    foreign_s: float = 0   # that other processes ran on the cores, in either block at most
    core_s: float = 0      # of a block: its seconds times the cores

    @property
    def ratio(self):
        return self.ours_us / self.theirs_us

    def disturbance(self, best_spin):
        """1 and less: still."""
        if not self.spins:
            return 0
        spin = (max(self.spins) / best_spin - 1) / SPIN_TOLERANCE
        return max(spin, self.foreign_s / max(FOREIGN_GRAIN, FOREIGN_TOLERANCE * self.core_s))


def weft_first(pair_number):
    """A B B A, A B B A, ..."""
    return pair_number % 2 == 0


def choose(pairs, best_spin, wanted):
    """The pairs that count, and how many of them were disturbed: the least disturbed fill up where still ones lack."""
    by_disturbance = sorted(pairs, key=lambda pair: max(1, pair.disturbance(best_spin)))  # stable: still pairs in order
    chosen = by_disturbance[:wanted]
    return chosen, sum(pair.disturbance(best_spin) > 1 for pair in chosen)


def collect(run_pair, best_spin, wanted, attempts):
    """Runs pairs until `wanted` of them are still, at most `attempts`. `run_pair(number)` gives a Pair; `best_spin()` the
    best time of the spin loop so far, which may improve and then judges the earlier pairs too."""
    pairs = []
    while len(pairs) < attempts and sum(pair.disturbance(best_spin()) <= 1 for pair in pairs) < wanted:
        pairs.append(run_pair(len(pairs)))
    return pairs


def summary(pairs, best_spin, wanted):
    chosen, disturbed = choose(pairs, best_spin, wanted)
    ratios = [pair.ratio for pair in chosen]
    return {"weft_us": statistics.median(pair.ours_us for pair in chosen),
            "peer_us": statistics.median(pair.theirs_us for pair in chosen),
            "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
            "pairs": len(chosen), "dropped": len(pairs) - len(chosen), "disturbed": disturbed}


def loss_difference(ours, theirs):
    """The largest difference between two curves, relative to the largest loss."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} losses beside {len(theirs)}")
    largest = max(abs(loss) for loss in theirs)
    differences = [abs(a - b) for a, b in zip(ours, theirs)]
    # max() would pass over a nan.
    return float("inf") if any(not d < float("inf") for d in differences) else max(differences) / largest


def buffers_difference(ours, theirs):
    """The largest relative difference between buffers' means; infinite unless both have the same buffers. To be asked of one step:
    a bias before batch norm has a gradient of rounding errors alone, which Adam makes as large as any, and the running mean
    follows the bias, while the loss does not."""
    if ours.keys() != theirs.keys():
        return float("inf")
    return max((loss_difference([ours[name]], [theirs[name]]) for name in ours), default=0)


def floor(flops, gflops, state_bytes, gbs):
    """Microseconds that the products take at the machine's peak, None where there are none or it is not known, and that the state takes to
    be read and written once."""
    return {"products_us": flops / gflops * 1e-3 if flops and gflops else None, "state_us": 2 * state_bytes / gbs * 1e-3}
