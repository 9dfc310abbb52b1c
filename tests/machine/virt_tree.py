#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The device tree of `virt`, node by node, beside the reference's, for many command lines.

Handles are numbers that each side chooses: they are compared by the path of the node that they name.  Seeds are random,
and the reference leaves a chosen node's order open: neither is compared."""
import os
import re
import subprocess
import sys
import tempfile

EMU = os.environ.get("EMU_BIN", "build")
ours = os.path.join(EMU, "qemu-system-aarch64")
REF = "/usr/bin/qemu-system-aarch64"

CASES = [
    "-M virt -cpu cortex-a57 -smp 2 -m 512",
    "-M virt -cpu cortex-a53",
    "-M virt -cpu cortex-a72 -smp 8 -m 3G",
    "-M virt -cpu max -m 64",
    "-M virt -cpu neoverse-n1,pmu=off",
    "-M virt,virtualization=on -cpu cortex-a57 -smp 3",
    "-M virt,gic-version=3 -cpu cortex-a57 -smp 2",
    "-M virt,gic-version=max -cpu cortex-a76 -smp 16,sockets=2,cores=4,threads=2",
    "-M virt,gic-version=3 -cpu cortex-a57 -smp 20,sockets=2,clusters=2,cores=5,threads=1",
    "-M virt,gic-version=3,virtualization=on -cpu cortex-a57",
    "-M virt,gic-version=3,its=off -cpu cortex-a57",
    "-M virt,highmem=off -cpu cortex-a57",
    "-M virt,acpi=off,dtb-randomness=off -cpu cortex-a57",
    "-M virt,gic-version=3 -cpu neoverse-n1 -smp 150",
] + ["-M virt-%s,gic-version=%d -cpu cortex-a57 -smp 2" % (v, g)
     for v in ("2.6", "2.8", "2.12", "3.0", "6.1", "6.2", "7.1") for g in (2, 3)]


def dump(program, args):
    with tempfile.TemporaryDirectory() as d:
        dtb = os.path.join(d, "dtb")
        words = args.split()
        words[1] += ",dumpdtb=" + dtb
        p = subprocess.run([program] + words + ["-nodefaults", "-display", "none"], capture_output=True, text=True,
                           timeout=60)
        if p.returncode or not os.path.exists(dtb):
            sys.exit("%s %s: status %d: %s" % (program, args, p.returncode, p.stderr))
        return subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dtb], capture_output=True, text=True,
                              check=True).stdout


def parse(text):
    """{path: {property: value}}, handles replaced by paths."""
    tree, path = {}, []
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            path.append(line[:-1].strip())
            tree["/".join(path)] = {}
        elif line == "};":
            path.pop()
        elif line.endswith(";") and path:
            name, _, value = line[:-1].partition(" = ")
            tree["/".join(path)][name] = value
    handles = {int(p["phandle"].strip("<>"), 16): path for path, p in tree.items() if "phandle" in p}
    def named(m):
        n = int(m.group(0), 16)
        return "&" + handles[n] if n in handles and n >= 0x8000 else m.group(0)
    for props in tree.values():
        for name in list(props):
            if name in ("phandle", "rng-seed", "kaslr-seed"):
                props[name] = "present"
            else:
                props[name] = re.sub(r"0x[0-9a-f]+", named, props[name])
    return tree


def differences(a, b):
    for path in sorted(set(a) | set(b)):
        if path not in a or path not in b:
            yield "%s: only %s" % (path, "ours" if path in a else "theirs")
            continue
        for name in sorted(set(a[path]) | set(b[path])):
            if name in ("rng-seed", "kaslr-seed"): # ours are written at reset
                continue
            if a[path].get(name) != b[path].get(name):
                yield "%s %s: ours %s, theirs %s" % (path, name, a[path].get(name), b[path].get(name))


def main():
    if not os.path.exists(REF):
        print("skip virt_tree: no " + REF)
        return 0
    bad = 0
    for args in CASES:
        d = list(differences(parse(dump(ours, args)), parse(dump(REF, args))))
        print(("fail" if d else "pass") + " virt_tree, " + args)
        for line in d[:20]:
            print("    " + line)
        bad += bool(d)
    return 1 if bad else 0


sys.exit(main())
