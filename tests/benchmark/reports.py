"""What becomes of the stored report when a new one is measured."""
import page


def identity(report):
    """Of two reports with the same one, the later stands for both."""
    machine = report["machine"]
    return [machine["cpu"], machine.get("family"), machine.get("model"), machine["isa"], report["threads"], page.by_processor_time(report)]


def summary(report):
    """What stays of a report once another machine's stands on the page."""
    head, rows = page.short_table(report)
    return {"identity": identity(report), "date": report["date"], "commit": report["commit"], "quick": report["quick"], "head": head, "rows": rows}


def others(stored, report):
    """The summaries of all machines but the new report's: those that the stored one has, and its own."""
    if "cases" not in stored:
        return []
    return [one for one in [*stored.get("others", []), summary(stored)] if one["identity"] != identity(report)]


def with_earlier(stored, report, order):
    """The cases of a report of some, and those of the stored one that were measured as they were and where."""
    alike = "cases" in stored and identity(stored) == identity(report) and stored["quick"] == report["quick"]
    found = {case["name"]: case for one in ([stored] if alike else []) + [report] for case in one["cases"]}
    return [found[name] for name in order if name in found]
