"""Compares what an enterprise produced with what is stored, in two ways that share no code with the collector.

  compare.py points EXPECTED ANSWER             ANSWER: CSV of the dashboard's query API; equal as exact decimals
  compare.py rrd EXPECTED FILE STEP DECIMALS    FILE: a round-robin file; integers equal to the bit, others within 1 ulp

EXPECTED has lines "time value": seconds since 1970, or a period (2026-03-14, 2026-03); money in major units. For a period the
file has one value a civil day.
"""
import csv
import datetime
import math
import sys
from decimal import Decimal

import rrdtool

EPOCH = datetime.date(1970, 1, 1)


def days_of(text):
    """First day and the day after the last, since 1970."""
    parts = [int(p) for p in text.split("-")]
    if len(parts) == 3:
        first = datetime.date(*parts)
        after = first + datetime.timedelta(days=1)
    else:
        year, month = parts
        first = datetime.date(year, month, 1)
        after = datetime.date(year + month // 12, month % 12 + 1, 1)
    return (first - EPOCH).days, (after - EPOCH).days


def read_expected(path):
    with open(path, encoding="utf-8") as lines:
        return dict(line.split() for line in lines)


def seconds_of(text):
    """The end of a step as it is, the start of a period as UTC midnight, an RFC 3339 time."""
    if text.isdigit():
        return int(text)
    if "T" in text:
        return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
    return days_of(text)[0] * 86400


def compare_points(expected, path):
    wanted = {seconds_of(t): Decimal(v) for t, v in expected.items()}
    with open(path, encoding="utf-8", newline="") as answer:
        rows = [r for r in csv.reader(answer) if r and not r[0].startswith("#")]
    got = {}
    for row in rows:
        if len(row) >= 2 and row[0][:1].isdigit() and row[1] != "":
            got[seconds_of(row[0])] = Decimal(row[1])
    wrong = [t for t in set(wanted) | set(got) if wanted.get(t) != got.get(t)]
    report(len(wanted), wrong, lambda t: f"{t}: wanted {wanted.get(t)}, got {got.get(t)}")


def within_one_ulp(a, b):
    return a == b or math.nextafter(a, b) == b


def compare_rrd(expected, path, step, decimals):
    scale = Decimal(10) ** decimals
    wanted = {}
    for text, value in expected.items():
        if text.isdigit():
            wanted[int(text)] = Decimal(value) * scale
        else:
            first, after = days_of(text)
            for day in range(first, after):
                wanted[(day + 1) * 86400] = Decimal(value) * scale
    first, last = min(wanted), max(wanted)
    (start, _, got_step), _, rows = rrdtool.fetch(
        path, "AVERAGE", "-r", str(step), "-s", str(first - step), "-e", str(last - step))
    if got_step != step:
        sys.exit(f"the file answers at a step of {got_step}, not {step}")
    got = {start + (i + 1) * step: row[0] for i, row in enumerate(rows)}

    def is_right(t):
        value, want = got.get(t), wanted.get(t)
        if want is None or value is None:
            return want is None and value is None
        if want == want.to_integral_value():
            return value == int(want)
        return within_one_ulp(value, float(want))

    times = {t for t in set(wanted) | set(got) if first <= t <= last}
    report(len(wanted), [t for t in times if not is_right(t)], lambda t: f"{t}: wanted {wanted.get(t)}, got {got.get(t)}")


def report(count, wrong, text):
    if count == 0:
        sys.exit("nothing to compare")
    if wrong:
        sys.exit(f"{len(wrong)} of {count} differ, e.g. " + "; ".join(text(t) for t in sorted(wrong)[:3]))
    print(f"{count} equal")


if __name__ == "__main__":
    if sys.argv[1] == "points":
        compare_points(read_expected(sys.argv[2]), sys.argv[3])
    else:
        compare_rrd(read_expected(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
