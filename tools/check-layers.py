#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lower floors never use higher ones: compares every folder's DEPS file with its #include lines
and with the undefined symbols of its objects.  usage: check-layers.py [OBJECT_FOLDER]"""
import glob
import os
import re
import subprocess
import sys

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OBJ = sys.argv[1] if len(sys.argv) > 1 else 'build/obj/release'
FOLDERS = {os.path.basename(d.rstrip('/')) for d in glob.glob('src/*/')}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def floor(path):
    """src/host/x86_64/asm.c -> host"""
    return path.split('/')[1]


def allowed():
    deps = {}
    for f in FOLDERS:
        try:
            deps[f] = set(open(f'src/{f}/DEPS').read().split()) | {f}
        except FileNotFoundError:
            deps[f] = {f}
            yield f'src/{f}/ has no DEPS file'
    allowed.deps = deps


def sources():
    for pattern in ('c', 'h', 'S', 'def'):
        yield from sorted(glob.glob(f'src/**/*.{pattern}', recursive=True))


def bad_includes():
    for path in sources():
        for inc in INCLUDE.findall(open(path, errors='replace').read()):
            target, here = 'src/' + inc, floor(path)
            if not os.path.exists(target):
                yield f'{path}: "{inc}": not a path below src/'
            elif floor(target) not in allowed.deps[here]:
                yield f'{path}: includes {inc}, but src/{here}/DEPS does not list {floor(target)}'
            elif inc.endswith('_priv.h') and os.path.dirname(target) != os.path.dirname(path):
                yield f'{path}: includes {inc}, which is private to its folder'


def symbols():
    """(object, type letter, name) of everything global in our objects."""
    objects = sorted(glob.glob(f'{OBJ}/src/**/*.o', recursive=True))
    objects = [o for o in objects if glob.glob(o[len(OBJ) + 1:-2] + '.[cS]')]
    if not objects:
        return []
    out = subprocess.run(['nm', '-A', '-g', *objects], capture_output=True, text=True).stdout
    rows = []
    for line in out.splitlines():
        path, _, rest = line.partition(':')
        kind, name = rest.split()[-2:]
        rows.append((path[len(OBJ) + 1:], kind, name))
    return rows


def bad_symbols():
    rows = symbols()
    home = {name: floor(path) for path, kind, name in rows if kind not in 'Uw'}
    for path, kind, name in rows:
        there, here = home.get(name), floor(path)
        if kind in 'Uw' and there and there not in allowed.deps[here]:
            yield f'{path}: uses {name} of src/{there}/, not listed in src/{here}/DEPS'


missing = list(allowed())
for what, faults in (('every folder has a DEPS file', missing),
                     ('includes stay within DEPS', list(bad_includes())),
                     ('symbols stay within DEPS', list(bad_symbols()))):
    print(*faults, f'{"fail" if faults else "pass"} layers, {what}', sep='\n')
