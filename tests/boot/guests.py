#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests of ARCH.json, one after the other; EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made.
A guest with "then" is started again for these steps.  In commands, {d} is the folder of guests, {t} that of this file.
usage: guests.py ARCH [NAME...]   with patterns of names, only those; --long: those that say "long", without it the others"""
import fnmatch
import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import console  # noqa: E402

EMU_BIN = os.environ.get("EMU_BIN", "build")
GUESTS = os.environ.get("GUESTS", "build/guests")


def run(recipe):
    """None, or what went wrong."""
    argv = [x.replace("{d}", GUESTS).replace("{t}", HERE) for x in shlex.split(recipe["cmd"])]
    argv[0] = os.path.join(EMU_BIN, argv[0])
    for pre in recipe["pre"]:
        subprocess.run(pre.replace("{d}", shlex.quote(GUESTS)).replace("{t}", shlex.quote(HERE)), shell=True, check=True)
    for steps in [recipe["steps"], recipe.get("then")]:
        wrong = steps and start(argv, steps, recipe["fail"])
        if wrong:
            return wrong
    return None


def start(argv, steps, fail):
    monitor = any("hmp" in step or "vga" in step for step in steps)
    with console.Console(argv, fail=fail, monitor=monitor, mem_limit=16 << 30) as c:
        try:
            console.run_steps(c, steps, 60, lambda s: None)
            return None
        except (console.Timeout, console.Failed, console.Died) as e:
            return "%s\n%s" % (e, c.text[-1500:])


def missing(recipe):
    for word in shlex.split(recipe["cmd"]):
        for part in word.replace(" ", ",").split(","):
            path = part.partition("=")[2] or part
            if path.startswith("{d}/") and "/work/" not in path and not os.path.exists(path.replace("{d}", GUESTS)):
                return path[4:]
    return None


def main():
    bad = 0
    names = [a for a in sys.argv[2:] if a != "--long"]
    for recipe in json.load(open(os.path.join(HERE, sys.argv[1] + ".json"))):
        name = recipe["name"]
        if names and not any(fnmatch.fnmatch(name, p) for p in names):
            continue
        if not names and recipe.get("long", False) != ("--long" in sys.argv):
            continue
        gone = missing(recipe)
        if gone:
            print("no %s in %s (tools/mk-guests.sh)\nskip boot, %s" % (gone, GUESTS, name), flush=True)
            continue
        wrong = run(recipe)
        if wrong:
            print("\n".join("    " + line for line in wrong.splitlines()))
        print("%s boot, %s" % ("fail" if wrong else "pass", name), flush=True)
        bad += bool(wrong)
    return bad != 0


sys.exit(main())
