#!/usr/bin/env python3
"""Figures, rates and answers for targets.sh, by own arithmetic (fractions), not with the project's code.
targets.py figures KPI   lines `MONTH VALUE` of the last twelve whole months    targets.py month N    the month N from now
targets.py rates         a file a day into $TARGETS_WORK/rates                  targets.py now        this moment as as_of= takes it
targets.py WHAT          judges the JSON or page on standard input; exit 1 with the reason"""
import calendar
import datetime
import html
import json
import os
import pathlib
import re
import sys
from fractions import Fraction

UTC = datetime.timezone.utc
ZONE = datetime.timedelta(hours=5)  # Almaty's, since 2024
TODAY = (datetime.datetime.now(UTC) + ZONE).date()


def month(n):  # the first day of the month n from this one
    at = TODAY.year * 12 + TODAY.month - 1 + n
    return datetime.date(at // 12, at % 12 + 1, 1)


MONTHS = [month(n) for n in range(-12, 0)]
END = month(0)  # the first day after all figures


def figures(kpi):
    of = {"jobs_hq": lambda i: 30 + i, "inv_raised": lambda i: 450_000_000 + 12_345_678 * i + Fraction(91, 100),
          "order_intake": lambda i: 7_000_000 + i, "out_value": lambda i: 9_000_000 + i}[kpi]
    return [of(i) for i in range(12)]


def rate(day):  # tenge a dollar
    return 500 + Fraction((day - MONTHS[0]).days % 97, 10)


def days_of(first):
    return [first + datetime.timedelta(days=i) for i in range(calendar.monthrange(first.year, first.month)[1])]


def want(what, is_, wanted):
    if is_ != wanted:
        sys.exit(f"{what} is {is_!r} and not {wanted!r}")


def near(what, is_, wanted):
    if is_ is None or abs(Fraction(is_) - wanted) > Fraction(1, 10**6):
        sys.exit(f"{what} is {is_!r} and not {float(wanted)!r}")


def entry(doc, ident):
    for t in doc.get("targets") or doc.get("statements"):
        if t["id"] == ident:
            return t
    sys.exit(f"there is no {ident}")


def forecast(actual, value, gained, days):
    """The first day at whose end it is reached, walked and not divided."""
    have, day = Fraction(actual), END
    while have < value:
        have += Fraction(gained, days)
        day += datetime.timedelta(days=1)
    return (day - datetime.timedelta(days=1)).isoformat()


def hires_now(value, months):
    actual = gained = sum(months)  # of the last twelve months, which are all there are
    days = (END - MONTHS[0]).days
    due = month(7)
    planned = Fraction(value * (END - MONTHS[0]).days, (due - MONTHS[0]).days)
    return {"actual": actual, "gap": value - actual, "days": days, "a_year": Fraction(gained, days) * 365, "planned": planned,
            "date": forecast(actual, value, gained, days), "due": (due - datetime.timedelta(days=1)).isoformat()[:7]}


def judge_hires(doc, value, months):
    t, w = entry(doc, "hires"), hires_now(value, months)
    o, r = t["outlook"], t["outlook"]["readings"][0]
    want("resident", t["resident"], "plant")
    want("value", t["value"], value)
    want("fact", t["fact"]["value"], w["actual"])
    want("gap", o["gap"]["value"], w["gap"])
    near("gap's per cent", o["gap"]["per_cent"], Fraction(w["gap"] * 100, value))
    want("days of the rate", o["run_rate_per_year"]["days"], w["days"])
    near("rate", o["run_rate_per_year"]["value"], w["a_year"])
    want("forecast", o["forecast"]["date"], w["date"])
    want("path", t["path"], {"kind": "linear", "from": MONTHS[0].isoformat()[:7], "from_value": 0, "from_value_assumed": True})
    near("planned", r["planned"]["value"], w["planned"])
    want("planned at", r["planned"]["at"], (END - datetime.timedelta(days=1)).isoformat())
    near("per cent of the plan", r["planned"]["per_cent"], w["actual"] * 100 / w["planned"])
    want("on plan", r["planned"]["on_plan"], w["actual"] >= w["planned"])
    want("due", r["due"], w["due"])
    want("late", o["late"], False)


def judge_hires_page(page, value, months):
    w = hires_now(value, months)
    want("the forecast on the page", bool(re.search(f'<time datetime="{w["date"]}" title="[^"]*">{w["date"][:7]}</time>', page)), True)
    gap = re.search(f'Short by:</span> <data value="{w["gap"]}"[^>]*>[^<]*</data> <span class="unit">([^<]*)<', page)
    want("the gap on the page and its unit", gap and gap.group(1), "people")


def row(page, ident):
    found = re.search(f'<tr id="s-{ident}">(.*?)</tr>', page, re.S)
    if not found:
        sys.exit(f"no row {ident}")
    return html.unescape(found.group(1))


def dollars():
    """Each month once: tiyin by the month's own average, in cents, halves to even."""
    cents = []
    for amount, first in zip(figures("inv_raised"), MONTHS):
        rates = [rate(day) for day in days_of(first)]
        cents.append(round(amount * 100 * len(rates) / sum(rates)))
    return cents


def judge_converted(doc):
    t = entry(doc, "raise-plan")
    fact, o, cents = t["fact"], t["outlook"], dollars()
    want("currency", fact["currency"], "USD")
    want("fact in cents", fact["minor"], sum(cents))
    want("bank", fact["rate"]["bank"], "kz")
    want("gap in cents", o["gap"]["minor"], 20_000_000_000 - sum(cents))
    want("readings", [(r["due"], r["passed"]) for r in o["readings"]], [("2022", True), ("2021", True)])
    want("late", o["late"], True)
    behind = [(datetime.date.fromisoformat(o["forecast"]["date"]) - datetime.date(year, 12, 31)).days for year in (2022, 2021)]
    want("days late", [r["forecast_days_late"] for r in o["readings"]], behind)
    want("forecast", o["forecast"]["date"], forecast(sum(cents), 20_000_000_000, sum(cents), (END - MONTHS[0]).days))


def judge_converted_page(page):
    text = row(page, "raise-plan")
    for part in ("If due 2022:", "If due 2021:", "the due date has passed", "each period by its own rate", "until 2022",
                 "the text may mean the end of 2021", "in US dollars, while the fact beside it is in tenge"):
        want(f'"{part}" in the row', part in text, True)


def judge_no_rates(doc):
    fact = entry(doc, "raise-plan")["fact"]
    want("value", fact["value"], None)
    want("why", fact["why_unknown"], "not comparable: no rates")
    want("per cent", fact["per_cent"], None)
    want("outlook", "outlook" in entry(doc, "raise-plan"), False)


def judge_no_rates_page(page):
    want("the reason on the page", "not comparable: reported in KZT, and there are no rates" in row(page, "raise-plan"), True)


def judge_penza(doc):
    orders, share = entry(doc, "exchange-orders"), entry(doc, "share")
    want("orders", orders["fact"]["value"], None)
    want("why", orders["fact"]["why_unknown"], "credited to others than the park")
    want("share", (share["value"], share["fact"]["value"]), (25, None))
    want("what lacks", share["fact"]["not_reported"], ["nat_out_value"])


def judge_penza_page(page):
    text = row(page, "exchange-orders")
    want("the refusal", "credited to others than the park" in text, True)
    want("a figure of the residents beside it", sum(int(v) > 0 for v in re.findall(r'<data value="(\d+)', text)), 1)
    want("the share's lack", "nobody reports" in row(page, "share"), True)


def changed(months):
    return months[:-1] + [500]


def make_rates():
    folder = pathlib.Path(os.environ["TARGETS_WORK"]) / "rates"
    folder.mkdir()
    day = MONTHS[0]
    while day <= TODAY:
        folder.joinpath(f"{day}.xml").write_text(
            f"<rates><date>{day:%d.%m.%Y}</date><item><title>USD</title><description>{float(rate(day)):.2f}</description>"
            "<quant>1</quant></item></rates>")
        day += datetime.timedelta(days=1)


def main():
    what, hires = sys.argv[1], figures("jobs_hq")
    if what == "figures":
        for first, value in zip(MONTHS, figures(sys.argv[2])):
            print(first.isoformat()[:7], f"{float(value):.2f}" if value != int(value) else int(value))
    elif what == "month":
        print(month(int(sys.argv[2])).isoformat()[:7])
    elif what == "now":
        print(datetime.datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))
    elif what == "rates":
        make_rates()
    else:
        text = sys.stdin.read()
        judges = {"hires": lambda d: judge_hires(d, 1000, hires), "hires-page": lambda d: judge_hires_page(d, 1000, hires),
                  "changed": lambda d: judge_hires(d, 5000, changed(hires)),
                  "changed-page": lambda d: judge_hires_page(d, 5000, changed(hires)), "no-rates": judge_no_rates,
                  "no-rates-page": judge_no_rates_page, "converted": judge_converted, "converted-page": judge_converted_page,
                  "penza": judge_penza, "penza-page": judge_penza_page}
        judges[what](text if what.endswith("-page") else json.loads(text))


main()
