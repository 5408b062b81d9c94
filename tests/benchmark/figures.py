"""What follows from the figures of a case."""


def weft_us(case):
    """weft's time in the comparison with the first peer; the others measured it again within their own pairs."""
    return case["finals"][0]["weft_us"] if case["finals"] else None


def floor_share(case):
    """The larger of the floors over weft's time; None for a case without products."""
    floor, time = case["floor"], weft_us(case)
    return max(floor["products_us"], floor["state_us"]) / time if floor["products_us"] and time else None


def startup_of(case, peer):
    return next((entry for entry in case["startup"] if entry["peer"] == peer), None)


def memory_ratio(case):
    """The most memory that weft's process had, over PyTorch's."""
    ours, theirs = startup_of(case, "weft"), startup_of(case, "torch")
    return ours["warm"]["peak_bytes"] / theirs["warm"]["peak_bytes"] if ours and theirs else None


def by_more_threads(case):
    """The time of one thread over that of all."""
    return 1 / case["one_thread"]["ratio"] if case.get("one_thread") else None
