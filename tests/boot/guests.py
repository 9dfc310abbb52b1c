#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests of ARCH.json, one after the other; EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made.
usage: guests.py ARCH [NAME...]   with patterns of names, only those"""
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
    argv = [x.replace("{d}", GUESTS) for x in shlex.split(recipe["cmd"])]
    argv[0] = os.path.join(EMU_BIN, argv[0])
    for pre in recipe["pre"]:
        subprocess.run(pre.replace("{d}", shlex.quote(GUESTS)), shell=True, check=True)
    monitor = any("hmp" in step for step in recipe["steps"])
    with console.Console(argv, fail=recipe["fail"], monitor=monitor, mem_limit=16 << 30) as c:
        try:
            console.run_steps(c, recipe["steps"], 60, lambda s: None)
            return None
        except (console.Timeout, console.Failed, console.Died) as e:
            return "%s\n%s" % (e, c.text[-1500:])


def missing(recipe):
    for word in shlex.split(recipe["cmd"]):
        for part in word.split(","):
            path = part.partition("=")[2] or part
            if path.startswith("{d}/") and "/work/" not in path and not os.path.exists(path.replace("{d}", GUESTS)):
                return path[4:]
    return None


def main():
    bad = 0
    for recipe in json.load(open(os.path.join(HERE, sys.argv[1] + ".json"))):
        name = recipe["name"]
        if sys.argv[2:] and not any(fnmatch.fnmatch(name, p) for p in sys.argv[2:]):
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
