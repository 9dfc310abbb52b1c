#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the .def lists: one whose first comments say "sorted" is in order, with no name twice."""
import glob
import os
import re

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROW = re.compile(r'^([A-Z][A-Z0-9_]*)\(\s*([A-Za-z0-9_]+)')


def rows(path):
    for number, line in enumerate(open(path), 1):
        m = ROW.match(line)
        if m:
            yield number, m[1], m[2]


def is_sorted_list(path):
    head = open(path).read(2000)
    return 'sorted' in head[:head.rfind('*/')]


def faults(path):
    last = {}
    for number, macro, name in rows(path):
        if name == last.get(macro):
            yield f'{path}:{number}: {name} again'
        elif name < last.get(macro, ''):
            yield f'{path}:{number}: {name} comes after {last[macro]}: keep rows sorted'
        last[macro] = name


for path in sorted(glob.glob('src/**/*.def', recursive=True)):
    if is_sorted_list(path):
        bad = list(faults(path))
        print(*bad[:20], f'{"fail" if bad else "pass"} lists, {path}', sep='\n')
print('pass lists, all read')
