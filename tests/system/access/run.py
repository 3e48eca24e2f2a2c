#!/usr/bin/python3
"""The attack matrix. One line a case: `ok access CASE refused`, or `not ok … : why`."""
import argparse
import concurrent.futures
import os
import sys
import tempfile
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))

import doors
import rivals
from recorder import wire
from recorder.programs import wait_for
from site_of import Site, UNKNOWN, Victim

QUIET_S = 2.5  # a line is written a second after what it speaks of; another one for the same would come with it


def say(name, trouble, what="refused"):
    print(f"not ok access {name} {what}: {trouble}" if trouble else f"ok access {name} {what}", flush=True)


def attempt(function, *arguments):
    try:
        return function(*arguments), ""
    except Exception as e:  # whatever goes wrong is the case's finding
        return None, f"{type(e).__name__}: {e}"


# ---- at the door

def stored(site):
    return site.rows("stream"), site.rows("batch")


def door_case(options, case):
    site = Site(options, f"d{doors.CASES.index(case)}")
    try:
        site.start()
        before = stored(site)
        _, trouble = attempt(case, site)
        wait_for(lambda: site.audit(), 20)
        counted = site.counter(case.counter)
        site.collector.stop()
        lines = site.audit()
        if trouble:
            return trouble
        if len(lines) != 1 or lines[0][0] != case.who or lines[0][1] != "handshake" or lines[0][3] != 1:
            return f"one line of {case.who} was expected: {lines}"
        if counted != 1 or stored(site) != before:
            return f"{case.counter} is {counted}, streams and rows were {before} and are {stored(site)}"
        return ""
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    finally:
        site.close()


def frozen_case(options):
    site = Site(options, "frozen")
    try:
        site.start()
        done, trouble = attempt(doors.frozen_handler, site)
        if done is None and not trouble:
            print("skip access frozen-zap-handler refused: one thread can't be stopped here")
        else:
            say("frozen-zap-handler", trouble)
    finally:
        site.close()


# ---- inside

def check_lines(site, name, event, attacker):
    if event is None:
        lines = site.lines(attacker.who)
        return f"nothing was refused, yet: {lines}" if lines else ""
    lines = site.lines(attacker.who)
    times = getattr(attacker, "times", 1)
    if len(lines) != 1 or lines[0][1] != event or lines[0][3] != times:
        return f"one line of {attacker.who}, {event}, {times} times, was expected: {lines}"
    return ""


def rival_cases(options):
    site = Site(options, "rivals")
    try:
        site.start()
        victim = Victim(site).start()
        done = []
        for case in rivals.CASES:
            before = victim.acknowledged()
            attacker, trouble = attempt(case, site, victim)
            if attacker:
                site.opened.append(attacker)
            if not trouble and not wait_for(lambda: victim.acknowledged() > before, 10):
                trouble = "the victim's acknowledgements have stopped"
            done.append((case, attacker, trouble))
        time.sleep(QUIET_S)
        drained = victim.stop()
        site.collector.stop()
        for case, attacker, trouble in done:
            if attacker is None and not trouble:
                print(f"skip access {case.__name__} refused: one thread can't be stopped here")
                continue
            say(case.__name__, trouble or check_lines(site, case.__name__, case.event, attacker),
                "refused" if case.event else "of no use")
        trouble = "" if drained else "not everything was acknowledged"
        trouble = trouble or victim.differs() or (f"its key was refused: {site.lines(victim.who)}" if site.lines(victim.who) else "")
        say("victim", trouble, "undisturbed")
        done = site.collector.command("audit")
        say("log", "" if done.returncode == 0 else done.stdout[-300:] + done.stderr, "whole")
        done = site.collector.command("verify")
        say("ledger", "" if done.returncode == 0 else done.stdout[-300:] + done.stderr, "whole")
    finally:
        site.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/gcc")
    parser.add_argument("--folder")
    parser.add_argument("only", nargs="?", choices=("doors", "rivals"))
    arguments = parser.parse_args()
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    os.chdir(root)
    with tempfile.TemporaryDirectory(prefix="access.") as made:
        folder = arguments.folder or made
        options = types.SimpleNamespace(build=os.path.abspath(arguments.build), folder=folder)
        options.pb = wire.load(f"{root}/lib/wire/esep.proto", f"{folder}/pb")
        if arguments.only != "rivals":
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                for case, trouble in zip(doors.CASES, pool.map(lambda c: door_case(options, c), doors.CASES)):
                    say(case.__name__, trouble)
            frozen_case(options)
        if arguments.only != "doors":
            rival_cases(options)


main()
