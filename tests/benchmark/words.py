"""Numbers as the benchmark's page and its messages write them."""
import math


def digits(value, count=3):
    """Plain notation with so many significant digits, and all that stand before the point: 0.0213, 0.500, 345, 12345."""
    if value is None:
        return "-"
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, count - 1 - magnitude)}f}"


def size(count):
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_:
            return f"{digits(count / bytes_)} {unit}"
    return f"{count} bytes"


def seconds(value):
    return f"{digits(1e3 * value)} ms" if value < 1 else f"{digits(value)} s"


def several(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share):
    return "-" if share is None else f"{100 * share:.0f} %"
