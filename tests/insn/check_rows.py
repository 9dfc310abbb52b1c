#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of the decode rows: two that overlap are one inside the other, each has a case here, and
the lists of exceptions name rows that exist.  -v: how many cases each row has."""
import collections
import glob
import shutil
import struct
import sys
import tempfile

import a64
import random_sequences
import rows
import run

# Where rows may cross, and why: the row with more fixed bits lies in (mask, value) as a whole.
CROSSINGS = [
    (0x9ff80400, 0x0f000400, 'DDI 0487, C4.1, "shift by immediate": with immh 0000 it is the group '
     '"modified immediate", and no pattern can say "not 0000"'),
]
# Rows whose instruction a harness cannot run, and where else it is tested.
ELSEWHERE = {'hvc': 'undefined but in the vDSO: tests/programs/src/calls/clocks.c'}


def crossings(all_rows):
    """Pairs that overlap without one being inside the other, and the exceptions nobody needs."""
    used = set()
    for i, a in enumerate(all_rows):
        for b in all_rows[:i]:
            if not a.overlaps(b) or a.mask != b.mask and (a.inside(b) or b.inside(a)):
                continue
            inner = max(a, b, key=lambda r: r.fixed)
            area = next((c for c in CROSSINGS if inner.mask & c[0] == c[0] and
                         inner.value & c[0] == c[1] and a.fixed != b.fixed), None)
            if area:
                used.add(area)
            else:
                yield f'{a.name} "{a.pattern}" and {b.name} "{b.pattern}" cross'
    yield from (f'no rows cross in {c[0]:#x}, {c[1]:#x}: take it out'
                for c in CROSSINGS if c not in used)


def strangers(all_rows):
    """Exceptions, here or of the random test, for rows or features that are no more."""
    known = {r.name for r in all_rows} | {r.feature for r in all_rows}
    for name in [*random_sequences.EXCLUDED, *random_sequences.REFERENCE_DIFFERS, *ELSEWHERE]:
        if name not in known:
            yield f'{name} is neither a row nor a feature'


def counted(all_rows):
    """How many cases have an instruction of a row.  Those that are undefined show nothing of it."""
    files = [f for f in sorted(glob.glob(f'{a64.HERE}/aarch64/*.S')) if 'harness' not in f]
    cases = [c for f in files for c in run.parse(f)]
    with tempfile.TemporaryDirectory(prefix='emu-rows-') as folder:
        run.assemble(cases, folder)
    seen = collections.Counter({r.name: 0 for r in all_rows})
    for c in cases:
        if 'sigill' not in c.outputs:
            found = {rows.find(all_rows, w) for (w,) in struct.iter_unpack('<I', c.code)}
            seen.update(r.name for r in found if r)
    return seen


def report(what, faults):
    bad = list(faults)
    print(*bad[:20], f'{"fail" if bad else "pass"} lists, {what}', sep='\n')


def main():
    all_rows = rows.read_rows()
    report('decode rows cross nowhere', crossings(all_rows))
    report('exceptions name decode rows', strangers(all_rows))
    what = 'every decode row has an instruction test'
    if not shutil.which(a64.CROSS + 'as'):
        print(f'{a64.CROSS}as is not installed\nskip lists, {what}')
        return
    seen = counted(all_rows)
    if '-v' in sys.argv:
        print(*(f'{n:4d} {name}' for name, n in sorted(seen.items(), key=lambda s: s[1])), sep='\n')
    report(what, (f'{name}: no case in tests/insn/aarch64/' for name, n in seen.items()
                  if not n and name not in ELSEWHERE))


if __name__ == '__main__':
    sys.exit(main())
