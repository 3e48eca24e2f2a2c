#!/usr/bin/env python3
"""Computes again what path_test and forecast_test wrote down, by fractions and the words of lib/kpi/README.md alone:
target_check.py path FILE      lines `FROM TO START END AT MONEY ANSWER`
target_check.py forecast FILE  lines `COMPARATOR VALUE HIGH ACTUAL END GAINED SPAN WHY DAY GAP`
ANSWER, DAY and GAP may be `missing`. Prints the counts."""
import math
import sys
from fractions import Fraction

MILLIONTH = Fraction(1, 10**6)


def near(answer, exact):
    return abs(Fraction(float(answer)) - exact) <= abs(exact) * Fraction(1, 2**51)


def path(fields):
    first, last, start, end, at, money = map(int, fields[:6])
    if at < start:
        return fields[6] == "missing"
    exact = Fraction(last) if at >= end else first + Fraction((last - first) * (at - start), end - start)
    if money:
        return int(fields[6]) == round(exact)  # Python rounds halves to even
    return fields[6] == str(exact) if exact.denominator == 1 else near(fields[6], exact)


def forecast(fields):
    comparator, why = fields[0], fields[7]
    value, high, actual = (Fraction(x) for x in fields[1:4])
    end, gained, span = int(fields[4]), Fraction(fields[5]), int(fields[6])
    reached = {">=": actual >= value, "=": actual >= value, ">": actual > value, "<=": actual <= value,
               "<": actual < value, "range": value <= actual <= high}[comparator]
    if reached:
        return why == "already" and fields[8] == fields[9] == "missing"
    down = comparator in ("<=", "<") or (comparator == "range" and actual > high)
    bound = high if comparator == "range" and down else value
    need = actual - bound if down else bound - actual
    if not near(fields[9], need):
        return False
    if span < 90:
        return why == "less" and fields[8] == "missing"
    pace = Fraction(gained, span) * (-1 if down else 1)
    if pace == 0:
        return why == "nothing" and fields[8] == "missing"
    if pace < 0:
        return why == "it" and fields[8] == "missing"
    days = need / pace
    days = math.floor(days + MILLIONTH) + 1 if comparator in (">", "<") else math.ceil(days - MILLIONTH)
    days = max(days, 1)
    if days > 36525:
        return why == "not" and fields[8] == "missing"
    # walked as well: at the end of the day before, it was not there yet
    assert actual * (-1 if down else 1) + pace * (days - 1) < bound * (-1 if down else 1) + pace * 2 * MILLIONTH or days == 1 or \
        comparator in (">", "<")
    return why == "known" and int(fields[8]) == end + days - 1


def main():
    check = {"path": path, "forecast": forecast}[sys.argv[1]]
    seen = {}
    for number, line in enumerate(open(sys.argv[2]), 1):
        fields = line.split()
        if not check(fields):
            sys.exit(f"line {number}: {line.strip()}")
        kind = fields[7] if sys.argv[1] == "forecast" else "path"
        seen[kind] = seen.get(kind, 0) + 1
    print(" ".join(f"{kind}={n}" for kind, n in sorted(seen.items())))
    if sys.argv[1] == "forecast" and (len(seen) < 6 or min(seen.values()) < 20):
        sys.exit("some answers were hardly tried")


main()
