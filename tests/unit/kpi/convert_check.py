#!/usr/bin/env python3
"""Converts again what convert_test wrote down, by decimal fractions and the rules in lib/kpi/convert.h alone:
convert_check.py FILE. Lines: `rate BANK ASKED ANSWERED CURRENCY QUANT VALUE` (in the order taken in),
`ask PARK FROM TO flow|level FIRST END MINOR ANSWER` with ANSWER `missing` or minor units. Prints the counts."""
import bisect
import sys
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from fractions import Fraction

getcontext().prec = 80
OWN = {"kz": "KZT", "uz": "UZS", "ru": "RUB", "kg": "KGS"}
BANK = {currency: bank for bank, currency in OWN.items()}
answers = {bank: {} for bank in OWN}  # asked → (answered, {currency: rate per unit})


def in_force(bank, day, asked):
    """The answer for the day: the first that was asked for on it or later, if it is of that day or before, else the
    last before it that is at most 15 days old; none when nothing later is known."""
    at = bisect.bisect_left(asked, day)
    if at == len(asked):
        return None
    answered, rates = answers[bank][asked[at]]
    if answered <= day:
        return rates
    if at == 0:
        return None
    answered, rates = answers[bank][asked[at - 1]]
    return rates if day - answered <= 15 else None


def by_bank(bank, source, target, first, end, asked):
    sums = [Fraction(0), Fraction(0)]
    for day in range(first, end):
        rates = in_force(bank, day, asked[bank])
        if rates is None:
            return None
        for i, currency in enumerate((source, target)):
            rate = Fraction(1) if currency == OWN[bank] else rates.get(currency)
            if rate is None:
                return None
            sums[i] += rate
    return sums[0] / sums[1]


def main():
    asked, checked, missing = None, 0, 0
    for line in open(sys.argv[1]):
        kind, *rest = line.split()
        if kind == "rate":
            bank, day, answered, currency, quant, value = rest
            of_day = answers[bank].setdefault(int(day), (int(answered), {}))
            of_day[1][currency] = Fraction(Decimal(value)) / int(quant)
            continue
        if asked is None:
            asked = {bank: sorted(days) for bank, days in answers.items()}
        park, source, target, basis, first, end, minor, answer = rest
        first, end = int(first), int(end)
        if basis == "level":
            first = end - 1
        bank = BANK.get(park, "kz")
        if source == target:
            rate = Fraction(1)
        else:
            rate = by_bank(bank, source, target, first, end, asked)
            if rate is None and bank != "kz":
                rate = by_bank("kz", source, target, first, end, asked)
        if rate is None:
            expected = "missing"
            missing += 1
        else:
            exact = Fraction(int(minor)) * rate
            expected = str(int((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_EVEN)))
        if expected != answer:
            print(f"differs: {line.strip()}: expected {expected}")
            sys.exit(1)
        checked += 1
    print(f"converted={checked} missing={missing}")


main()
