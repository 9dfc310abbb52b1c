#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests of ARCH.json, one after the other; EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made.
A guest with "then" is started again for these steps; with "dmesg", its kernel may say of firmware and chips only what dmesg-ARCH has.  In commands, {d} is the folder of guests, {t} that of this file.
usage: guests.py ARCH [NAME...]   with patterns of names, only those; --long: those that say "long", without it the others"""
import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import console  # noqa: E402

EMU_BIN = os.environ.get("EMU_BIN", "build")
GUESTS = os.environ.get("GUESTS", "build/guests")


# Kernel messages about what firmware and the machine's own chips say, and words of complaint.
ABOUT = re.compile(r'ACPI|firmware|BIOS|\bPCI|\bpci|IRQ|\birq|MSR|x86/|APIC|HPET|hpet|mtrr|pnp|tsc|clocksource|SMBIOS|DMI|EFI|i8042|\brtc|\bata\d')
COMPLAINT = re.compile(r'error|warn|\bbug\b|fail|unable|cannot|can\'t|conflict|spurious|nobody cared|not responding|inconsistent|invalid|unknown|'
                       r'unsupported|bogus|broken|mismatch|\bbad\b|missing|disabl|timed out|stuck|\blost\b|unexpected|unhandled|unstable|overlap|'
                       r'ignor|not found|exception|exceed|violat|corrupt|wrong', re.I)


def known_messages(arch):
    """Patterns of complaints that this kernel makes on the reference, too."""
    path = os.path.join(HERE, "dmesg-" + arch)
    lines = open(path).read().splitlines() if os.path.exists(path) else ["."]
    return [re.compile(line.partition(" # ")[0].strip()) for line in lines if line.strip() and not line.startswith("#")]


def complaints(text, known):
    """What the kernel in @text says of the machine, and nobody expects."""
    said = [m[1] for m in re.finditer(r'^\[ *\d+\.\d+\] (.*)$', text, re.M)]
    return [x for x in said if ABOUT.search(x) and COMPLAINT.search(x) and not any(k.search(x) for k in known)]


def run(recipe):
    """None, or what went wrong."""
    argv = [x.replace("{d}", GUESTS).replace("{t}", HERE) for x in shlex.split(recipe["cmd"])]
    argv[0] = os.path.join(EMU_BIN, argv[0])
    for pre in recipe["pre"]:
        subprocess.run(pre.replace("{d}", shlex.quote(GUESTS)).replace("{t}", shlex.quote(HERE)), shell=True, check=True)
    for steps in [recipe["steps"], recipe.get("then")]:
        wrong = steps and start(argv, steps, recipe["fail"], recipe.get("dmesg"))
        if wrong:
            return wrong
    return None


def start(argv, steps, fail, dmesg):
    monitor = any("hmp" in step or "vga" in step for step in steps)
    with console.Console(argv, fail=fail, monitor=monitor, mem_limit=16 << 30) as c:
        try:
            console.run_steps(c, steps, 60, lambda s: None)
            wrong = complaints(c.text, known_messages(sys.argv[1])) if dmesg else []
            return "the kernel complains:\n" + "\n".join(wrong[:20]) if wrong else None
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
