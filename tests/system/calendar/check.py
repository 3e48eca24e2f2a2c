#!/usr/bin/python3
"""Five years of figures, added up by the real programs and, independently, here in decimals.

  check.py short|whole [SEED]        BUILD=build/gcc; the seed is printed, and the same one asks and makes the same

A ledger is written as a collector would have over the years (fill.c): daily and monthly reports with corrections of
residents in Asia/Almaty, figures each ten seconds in the weeks around the change of its clock on 2024-03-01 (which has the
leap day), a year's end and the beginning of a fiscal year in July, and a central bank's rates. Then the real collector makes
its projections and the real dashboard is asked. What must hold, to the last digit, in each of five currencies:
  sums       of days, months, quarters, years and fiscal years are those computed here, and add up to each other
  kept       the same after the raw months were rolled up and dropped
  rebuilt    when everything but the ledger was deleted and made again, 1,000 questions (series, span, step, moment, by,
             currency, form) get the same bytes as before: raw, and rolled up
The last line is `calendar: residents=… figures=… sums=… questions=… mismatches=…`; the exit code is 0 when nothing differs.
"""
import bisect
import datetime
import json
import math
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zoneinfo
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vintages"))
import replay  # noqa: E402  processes, addresses and what a projection is

getcontext().prec = 80
PARK, CURRENCIES = "calpark", ("KZT", "USD", "UZS", "RUB", "KGS")
ZONE = zoneinfo.ZoneInfo("Asia/Almaty")
EPOCH = datetime.date(1970, 1, 1)
FIRST, END = datetime.date(2019, 7, 1), datetime.date(2024, 7, 1)  # five fiscal years
LAST_RECEIVED = datetime.date(2024, 9, 1)
FISCAL_FROM = 7
DAY_S = 86400
KINDS = ("day", "month", "quarter", "year", "fiscal_year")
PERIODS = {"day": 1, "month": 2}
SHOWN = 20
UNKNOWN_EACH = 997  # as fill.c
SIZES = {
    "short": {"residents": 5, "daily": 2, "questions": 150, "windows": (("2023-12-31", "2024-01-02"), ("2024-02-28", "2024-03-02"))},
    "whole": {"residents": 50, "daily": 50, "questions": 1000,
              "windows": (("2023-06-28", "2023-07-03"), ("2023-12-27", "2024-01-06"), ("2024-02-22", "2024-03-07"))},
}


def number(day):
    return (day - EPOCH).days


def midnight(day):
    """The first moment of a local day, in seconds of UTC."""
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())


def next_month(day):
    return (day.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)


def months(first, end):
    while first < end:
        yield first
        first = next_month(first)


def days(first, end):
    return [first + datetime.timedelta(days=i) for i in range((end - first).days)]


def span_of(kind, day):
    """Name, first day and the day after the last one, of the span a civil day lies in."""
    if kind == "day":
        return day.isoformat(), day, day + datetime.timedelta(days=1)
    if kind == "month":
        return f"{day:%Y-%m}", day.replace(day=1), next_month(day)
    if kind == "quarter":
        first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        return f"{day.year}-Q{(day.month - 1) // 3 + 1}", first, next_month(next_month(next_month(first)))
    if kind == "year":
        return str(day.year), day.replace(month=1, day=1), datetime.date(day.year + 1, 1, 1)
    year = day.year if day.month >= FISCAL_FROM else day.year - 1
    return f"FY{year + 1}", datetime.date(year, FISCAL_FROM, 1), datetime.date(year + 1, FISCAL_FROM, 1)


def spans(kind, first, end):
    found = []
    while first < end:
        found.append(span_of(kind, first))
        first = found[-1][2]
    return found


# ---- the figures ----------------------------------------------------------------------------------------------------


class Rates:
    """The bank's rates: one answer a day but for Sundays, which go by the day before."""

    def __init__(self, chance):
        self.at, self.since = {c: {} for c in CURRENCIES}, {}
        price = {"USD": Decimal("426.03"), "UZS": Decimal("4.02"), "RUB": Decimal("5.83"), "KGS": Decimal("5.03")}
        self.documents = []
        for day in days(FIRST - datetime.timedelta(days=3), END + datetime.timedelta(days=3)):
            if day.weekday() != 6:
                price = {c: (p * Decimal(chance.randrange(9960, 10042)) / 10000).quantize(Decimal("0.01")) for c, p in price.items()}
                price = {c: max(p, Decimal("2.50")) for c, p in price.items()}
                lines = "".join(f"{c} {100 if c == 'UZS' else 1} {price[c]}\n" for c in sorted(price))
                self.documents.append((day, f"rates 1\nbank kz\nasked {day}\nanswered {day}\nstate accepted\n{lines}"))
            for c in CURRENCIES:
                self.at[c][day] = Decimal(1) if c == "KZT" else price[c] / (100 if c == "UZS" else 1)
        self.sums = {c: {} for c in CURRENCIES}
        for c in CURRENCIES:
            total = Decimal(0)
            for day in sorted(self.at[c]):
                self.sums[c][day] = total
                total += self.at[c][day]
            self.sums[c][day + datetime.timedelta(days=1)] = total

    def convert(self, minor, of, to, first, end):
        """A flow of the days from `first` to before `end`: by the average of their rates, half to even."""
        if of == to:
            return minor
        worth = self.sums[of][end] - self.sums[of][first]
        price = self.sums[to][end] - self.sums[to][first]
        return int((Decimal(minor) * worth / price).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


class Reported:
    """A series of reports: the values of each period, one after the other, with when they were received."""

    def __init__(self, name, period, currency, level=False):
        self.name, self.period, self.currency, self.level = name, period, currency, level
        self.step, self.known = 0, {}

    def newest(self):
        return {day: history[-1][1] for day, history in self.known.items() if history[-1][1] is not None}


class Measured:
    """A series each ten seconds: its formula, and what was corrected."""

    def __init__(self, name, currency, chance, modulo, divisor=1):
        self.name, self.period, self.currency, self.level = name, None, currency, False
        self.step, self.divisor, self.modulo = 10, divisor, modulo
        self.a, self.b = chance.randrange(1000, 90000), chance.randrange(modulo)
        self.runs, self.instead = [], {}

    def value(self, at):
        n = at // self.step
        if n % UNKNOWN_EACH == 0:
            return None
        value = (n * self.a + self.b) % self.modulo
        return value if self.divisor == 1 else value / self.divisor

    def day(self, day):
        """All figures of a local day, unknown ones included."""
        begin, end = midnight(day), midnight(day + datetime.timedelta(days=1))
        figures = {}
        for first, last in self.runs:
            for at in range(max(first, begin) + self.step, min(last, end) + 1, self.step):
                figures[at] = self.value(at)
        figures.update({at: v for at, v in self.instead.items() if begin < at <= end})
        return [v for v in figures.values() if v is not None]


class Figures:
    def __init__(self, size, seed):
        self.chance = random.Random(seed)
        self.size, self.rates = size, Rates(self.chance)
        self.residents = [f"plant-{i:02d}" for i in range(size["residents"])]
        self.events, self.series, self.count = [], [], 0
        for i in range(len(self.residents)):
            self.series.append(self.make_resident(i))

    def add(self, received, line):
        self.events.append((received, len(self.events), line))

    def make_resident(self, i):
        currency = CURRENCIES[i % len(CURRENCIES)]
        made = [Measured("out_value", currency, self.chance, 9876543)]
        if i % 5 == 0:
            made.append(Measured("out_units/goods", "", self.chance, 997))
        if i % 5 == 1:
            made.append(Measured("energy_kwh", "", self.chance, 99991, 10))
        made.append(Reported("inv", "month", currency))
        made.append(Reported("jobs_total", "month", "", True))
        if i < self.size["daily"]:
            made.append(Reported("order_intake", "day", currency))
        for k, series in enumerate(made):
            if series.period:
                self.make_reports(i, k, series)
            else:
                self.make_runs(i, k, series)
        return made

    def make_reports(self, i, k, series):
        starts = days(FIRST, END) if series.period == "day" else list(months(FIRST, END))
        for start in starts:
            received = midnight(next_month(start)) + 2 * DAY_S + 30000
            if self.chance.random() < 0.01:
                continue  # never reported
            self.report(i, k, series, start, received)
            while self.chance.random() < (0.004 if series.period == "day" else 0.06):
                received = min(received + self.chance.randrange(DAY_S, 200 * DAY_S), midnight(LAST_RECEIVED))
                self.report(i, k, series, start, received)

    def report(self, i, k, series, start, received):
        most = 14 if series.currency == "UZS" else 11  # below what money can hold in soums
        value = self.chance.randrange(10, 3000) if series.level else self.chance.randrange(1, 10 ** self.chance.randrange(3, most))
        if series.known.get(start) and self.chance.random() < 0.1:
            value = None
        series.known.setdefault(start, []).append((received, value))
        published = received - self.chance.randrange(0, 5 * DAY_S)
        self.add(received, f"s {received} {i} {k} {number(start)} {'-' if value is None else value} - {published}")
        self.count += 1

    def make_runs(self, i, k, series):
        windows = [(midnight(datetime.date.fromisoformat(a)), midnight(datetime.date.fromisoformat(b))) for a, b in self.size["windows"]]
        if i == 0 and k == 0:  # the newest figure of all: months are closed by what came after them
            windows.append((midnight(END) - 3600, midnight(END) - 600))
        for begin, end in windows:
            series.runs.append((begin, end))
            for at in range(begin, end, 6 * 3600):
                last = min(end, at + 6 * 3600)
                self.add(last + 30, f"run {last + 30} {i} {k} {at} {last} {series.a} {series.b} {series.modulo} {series.divisor}")
            self.count += (end - begin) // 10
            for _ in range(12 if end < midnight(END) - DAY_S else 0):
                self.correct(i, k, series, begin, end)

    def correct(self, i, k, series, begin, end):
        """A later figure for a step, or none at all any more; some for days on which the machine was off otherwise."""
        at = self.chance.randrange(begin // 10 + 1, end // 10 + 200) * 10
        value = None if self.chance.random() < 0.2 else self.chance.randrange(series.modulo)
        received = max(at, end) + self.chance.randrange(60, 6 * DAY_S)
        text = "-" if value is None else repr(value / series.divisor) if series.divisor != 1 else str(value)
        self.add(received, f"s {received} {i} {k} {at} {text}")
        series.instead.setdefault(at, []).append((received, len(self.events), value))
        self.count += 1

    def plan(self):
        lines = [f"resident {PARK}/{r}" for r in self.residents]
        for i, made in enumerate(self.series):
            for s in made:
                unit = "money" if s.currency else {"out_units/goods": "piece", "energy_kwh": "kwh"}.get(s.name, "person")
                lines.append(f"series {i} {s.name} {unit} {s.currency or '-'} {'r' if s.period else 'm'} "
                             f"{PERIODS[s.period] if s.period else s.step}")
        for day, text in self.rates.documents:  # a month's answers at once
            received = midnight(next_month(day)) + 40000
            self.add(received, f"rates {received} rates/kz {len(text)}\n{text.rstrip()}")
        lines += [line for _, _, line in sorted(self.events)]
        for made in self.series:
            for s in made:
                if not s.period:
                    settle_corrections(s)
                else:
                    for history in s.known.values():
                        history.sort(key=lambda one: one[0])
        return "\n".join(lines) + "\n"


def settle_corrections(series):
    """Of several for one step the last in the ledger counts."""
    series.instead = {at: sorted(all_, key=lambda one: one[:2])[-1][2] for at, all_ in series.instead.items()}
    series.instead = {at: v if v is None or series.divisor == 1 else v / series.divisor for at, v in series.instead.items()}


# ---- what must come out ---------------------------------------------------------------------------------------------


class Expected:
    """The sums of one series in one currency, by span: text of the value, known, missing."""

    def __init__(self, figures, series, to):
        self.series, self.parts, self.known = series, {}, {}
        for day, value, known in self.observations(figures):
            if series.currency and to != series.currency and value is not None:
                end = next_month(day) if series.period == "month" else day + datetime.timedelta(days=1)
                value = figures.rates.convert(value, series.currency, to, day, end)
            self.parts[day], self.known[day] = value, known

    def observations(self, figures):
        """What is converted once each: a report, or a local day of measurements."""
        if self.series.period:
            for day, value in sorted(self.series.newest().items()):
                yield day, value, 1
            return
        if not hasattr(self.series, "by_day"):
            self.series.by_day = {}
            touched = {day for a, b in figures.size["windows"]
                       for day in days(datetime.date.fromisoformat(a), datetime.date.fromisoformat(b) + datetime.timedelta(days=2))}
            for day in sorted(touched | {END - datetime.timedelta(days=1)}):
                found = self.series.day(day)
                if found:
                    self.series.by_day[day] = (math.fsum(found) if self.series.divisor != 1 else sum(found), len(found), found)
        for day, (total, count, _) in self.series.by_day.items():
            yield day, total, count

    def rows(self, kind, first, end):
        rows, ordered = [], sorted(self.parts)
        for name, begin, after in spans(kind, first, end):
            inside = ordered[bisect.bisect_left(ordered, begin):bisect.bisect_left(ordered, after)]
            known = sum(self.known[d] for d in inside)
            rows.append((name, self.total(inside), known, self.expected(begin, after) - known))
        return rows

    def total(self, inside):
        if not inside:
            return None
        if self.series.level:
            return str(self.parts[max(inside)])
        if not self.series.period and self.series.divisor != 1:
            return repr(math.fsum(v for d in inside for v in self.series.by_day[d][2]))
        total = sum(self.parts[d] for d in inside)
        return str(Decimal(total).scaleb(-2)) if self.series.currency else str(total)

    def expected(self, begin, after):
        if self.series.period == "month":
            return len(list(months(begin, after)))
        if self.series.period == "day":
            return (after - begin).days
        return (midnight(after) - midnight(begin)) // self.series.step


# ---- the programs ---------------------------------------------------------------------------------------------------


class World(replay.Park):
    def __init__(self, work, figures):  # pylint: disable=super-init-not-called
        self.work, self.running, self.web = work, [], None
        self.port = replay.free_port()
        os.makedirs(self.path("parks"))
        people = "".join(f"  - {{code: {r}, names: {{en: {r}}}, about: {{en: Made up}}, simulated: true}}\n" for r in figures.residents)
        self.write("parks/calpark.yaml", f"code: {PARK}\nnames: {{en: Made-up park}}\ncity: {{en: Almaty}}\nabout: {{en: Of a check}}\n"
                   f"time_zone: Asia/Almaty\ncurrency: KZT\ncalendar: {{fiscal_year_from: {FISCAL_FROM}}}\n"
                   f"dimensions: [{{code: goods, names: {{en: Goods}}}}]\nresidents:\n{people}statements: []\n")
        common = f"state: {self.path('collector')}\ncatalogue: {replay.ROOT}/deploy/catalogue.yaml\nparks: {self.path('parks')}\n"
        self.config = f"endpoint: tcp://127.0.0.1:{replay.free_port()}\n" + common
        self.write("collector.yaml", self.config)
        self.write("dashboard.yaml", f"listen: 127.0.0.1:{self.port}\n" + common)

    def fill(self, plan):
        os.makedirs(self.path("collector"), mode=0o750)
        done = subprocess.run([os.path.join(replay.BUILD, "tests/calendar/fill"), self.path("collector")], input=plan, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise replay.Trouble(done.stderr.strip())
        return done.stdout.strip()

    def start(self):
        self.ask("esep-collector", "keygen")
        self.run("esep-collector", "collector.yaml")
        self.wait("the collector", self.collector_answers)
        self.run("esep-dashboard", "dashboard.yaml")
        self.wait("the dashboard", self.dashboard_answers)

    def read(self, file, sql):
        with sqlite3.connect(f"file:{self.path('collector/' + file)}?mode=ro", uri=True, timeout=10) as db:
            return db.execute(sql).fetchone()[0]

    def projected(self):
        try:
            return self.read("observations.sqlite", "select position from cursor") >= self.read(
                "ledger.sqlite", "select max(position) from batch")
        except sqlite3.Error:
            return False

    def settled(self):
        return self.projected() and self.read("observations.sqlite", "select count(*) from day_waiting") == 0

    def dropped(self):
        """All months but the last ones are hours now."""
        until = self.read("ledger.sqlite", "select coalesce(max(dropped_until_s), 0) from seal")
        raw = self.read("ledger.sqlite", "select count(*) from batch where class=1 and gap=0")
        return until > midnight(datetime.date(2024, 4, 1)) and raw < 100 and self.settled()

    def roll_up(self):
        self.stop("esep-collector")
        self.write("collector.yaml", self.config + "retention: {raw: 40d, settle: 1d}\n")
        self.run("esep-collector", "collector.yaml")
        self.wait("the collector", self.collector_answers)
        self.wait("months that are dropped", self.dropped)

    def rebuild(self):
        self.forget_projections()
        self.wait("projections made anew", self.projected)


# ---- comparing ------------------------------------------------------------------------------------------------------


class Account(replay.Account):
    sums = questions = 0


def exact(value):
    return None if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


def same_number(wanted, got):
    if wanted is None or got is None:
        return wanted == got
    return Decimal(wanted) == Decimal(got) or (("." in wanted or "e" in wanted) and float(wanted) == float(got))


def ask_sums(world, name, kind, first, end, to):
    query = {"series": f"{PARK}/{name}", "step": kind, "from": first, "to": end}
    if to:
        query["currency"] = to
    body = world.get("/api/v1/query?" + urllib.parse.urlencode(query))
    return json.loads(body, parse_float=Decimal)["points"]


def compare_series(world, figures, resident, series, to, account, phase):
    """All spans of one series in one currency, and that the parts make the whole."""
    expected = Expected(figures, series, to)
    wholes = {}
    for kind in KINDS[1:] if series.period == "month" else KINDS:
        native = kind == series.period
        got = ask_sums(world, f"{resident}/{series.name}", kind, FIRST, END, to if series.currency else None)
        rows = [r for r in expected.rows(kind, FIRST, END) if not native or r[2] > 0]
        got = [p for p in got if not native or p["value"] is not None]
        what = f"{phase}: {resident}/{series.name} by {kind} in {to}"
        account.same(what + ": spans", [r[0] for r in rows], [p["period"] for p in got])
        for (name, value, known, missing), point in zip(rows, got):
            account.sums += 1
            shown = exact(point["value"])
            if not same_number(value, shown):
                account.same(f"{what}, {name}", value, shown)
            if not native and (known, missing, True) != (point["known"], point["missing"], point["whole"]):
                account.same(f"{what}, {name}: known, missing", (known, missing, True),
                             (point["known"], point["missing"], point["whole"]))
        wholes[kind] = sum(Decimal(exact(p["value"])) for p in got if p["value"] is not None)
    exact_parts = not series.level and getattr(series, "divisor", 1) == 1
    if exact_parts and len(set(wholes.values())) != 1:
        account.same(f"{phase}: {resident}/{series.name} in {to}: parts", "one sum", wholes)


def compare_sums(world, figures, account, phase):
    """Every series in every currency."""
    for resident, made in zip(figures.residents, figures.series):
        for series in made:
            for to in CURRENCIES if series.currency else ("",):
                compare_series(world, figures, resident, series, to, account, phase)


# ---- questions ------------------------------------------------------------------------------------------------------


def some_day(chance):
    return FIRST + datetime.timedelta(days=chance.randrange((END - FIRST).days))


def some_question(chance, figures):
    i = chance.randrange(len(figures.residents))
    series = chance.choice(figures.series[i])
    first, last = sorted((some_day(chance), some_day(chance)))
    if not series.period and chance.random() < 0.7:  # where there is something
        first = datetime.date.fromisoformat(chance.choice(figures.size["windows"])[0]) - datetime.timedelta(days=chance.randrange(3))
        last = min(first + datetime.timedelta(days=chance.randrange(400)), END - datetime.timedelta(days=1))
    query = {"series": f"{PARK}/{figures.residents[i]}/{series.name}", "from": first, "to": last + datetime.timedelta(days=1)}
    if chance.random() < 0.15:
        query["series"] = f"{PARK}/all/{series.name}"
    if chance.random() < 0.5:
        query["as_of"] = chance.choice((f"{some_day(chance)}", f"{some_day(chance):%Y-%m}",
                                        f"{some_day(chance)}T{chance.randrange(24):02d}:00:00Z"))
        query["by"] = chance.choice(("received", "published"))
    if series.currency and chance.random() < 0.6:
        query["currency"] = chance.choice(CURRENCIES)
    if chance.random() < 0.2:
        query["format"] = "csv"
    if series.period and chance.random() < 0.35:
        if "as_of" not in query:
            query["revisions"] = chance.choice(("all", "current"))
        return "/api/v1/observations?" + urllib.parse.urlencode(query)
    if not series.period and "as_of" not in query and chance.random() < 0.3:
        query["step"] = chance.choice(("3600", "21600", "86400"))
    else:
        query["step"] = chance.choice(KINDS[1:] if series.period == "month" else KINDS)
    if chance.random() < 0.3:
        query["cf"] = chance.choice(("SUM", "LAST", "MIN", "MAX", "AVERAGE"))
    return "/api/v1/query?" + urllib.parse.urlencode(query)


def ask_all(world, questions):
    return [world.fetch(q) for q in questions]


def is_put_off(answer):
    """Too many points to be added up for one answer, until days have their totals: refused, and asked again later."""
    status, body = answer
    return status == 400 and b"points would have to be added up" in (body if isinstance(body, bytes) else body.encode())


def compare_rebuilt(world, questions, account, phase):
    before = ask_all(world, questions)
    good = sum(status == 200 for status, _ in before)
    if good < len(questions) * 0.6:
        odd = next((q, a) for q, a in zip(questions, before) if a[0] != 200)
        raise replay.Trouble(f"{phase}: only {good} of {len(questions)} questions have an answer: {odd}")
    world.rebuild()
    for again, ready in (("at once", None), ("with totals", world.settled)):
        if ready:
            world.wait("totals made anew", ready)
        for question, was, now in zip(questions, before, ask_all(world, questions)):
            account.questions += 1
            if was != now and (ready or not is_put_off(now)):
                account.same(f"{phase}, made anew, {again}: {question}", was, now)
    return good


def check(work, size, seed, account):
    begun = time.monotonic()
    if size == "whole":
        replay.WAIT_S = max(replay.WAIT_S, 900)  # for what takes its time, not for what hangs

    def said(text):
        print(f"{time.monotonic() - begun:5.0f} s  {text}", flush=True)

    figures = Figures(SIZES[size], seed)
    world = World(work, figures)
    try:
        said(f"filled: {world.fill(figures.plan())}")
        chance = random.Random(seed + 1)
        questions = [some_question(chance, figures) for _ in range(SIZES[size]["questions"])]
        world.start()
        world.wait("projections", world.settled)
        said("projected, and days added up")
        compare_sums(world, figures, account, "raw")
        said(f"{account.sums} sums compared")
        good = compare_rebuilt(world, questions, account, "raw")
        said(f"asked again after a rebuild: {good} of {len(questions)} questions have figures")
        world.roll_up()
        said("months rolled up and dropped")
        compare_sums(world, figures, account, "rolled up")
        said(f"{account.sums} sums compared")
        compare_rebuilt(world, questions, account, "rolled up")
        said("asked again after a rebuild")
    finally:
        world.kill()
    print(f"calendar: residents={len(figures.residents)} series={sum(map(len, figures.series))} figures={figures.count} "
          f"sums={account.sums} currencies={len(CURRENCIES)} questions={account.questions} mismatches={account.mismatches}")


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in SIZES:
        sys.exit(__doc__)
    seed = int(sys.argv[2]) if len(sys.argv) == 3 else random.SystemRandom().randrange(1 << 30)
    print(f"calendar: seed {seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    account, work = Account(), tempfile.mkdtemp(prefix="esep-calendar.")
    try:
        check(work, sys.argv[1], seed, account)
    except replay.Trouble as trouble:
        sys.exit(f"calendar: {trouble}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if account.mismatches or account.sums == 0 else 0)


if __name__ == "__main__":
    main()
