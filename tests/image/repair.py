#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check -r of formats that the reference cannot repair (vdi, vmdk: it says so with status 63) or repairs in part
(parallels): damage is named before it is mended, afterwards both sides find nothing, and sound data is untouched."""

import os
import struct
import subprocess

from suite import must, run_tests, same

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
MB = 1 << 20


def run(tool, *argv, ours=True, stdin=None):
    r = subprocess.run([f'{OURS}/{tool}' if ours else tool, *argv], input=stdin, capture_output=True, text=True, timeout=60)
    return r.returncode, r.stdout + r.stderr


def peek(at, form='<I'):
    with open('a', 'rb') as f:
        f.seek(at)
        return struct.unpack(form, f.read(struct.calcsize(form)))[0]


def poke(at, value, form='<I'):
    with open('a', 'r+b') as f:
        f.seek(at)
        f.write(struct.pack(form, value))


def make(fmt, *options, size='10M', blocks=(0, 2, 3, 5, 9)):
    """Block n, of 1 MiB, is full of n + 1."""
    code, out = run('qemu-img', 'create', '-q', '-f', fmt, *options, 'a', size)
    must(code == 0, out)
    code, out = run('qemu-io', '-f', fmt, 'a', stdin=''.join(f'write -q -P {n + 1} {n}M 1M\n' for n in blocks))
    must(code == 0, out)


def holds(fmt, want):
    """@want: block -> its byte."""
    commands = [f'read -q -P {value} {n}M 1M' for n, value in want.items()]
    for ours in (True, False):
        code, out = run('qemu-io', '-r', '-f', fmt, *(x for c in commands for x in ('-c', c)), 'a', ours=ours)
        same((code, out), (0, ''), f'contents, {"ours" if ours else "reference"}')


def check(fmt, status, *words, repair=None):
    code, out = run('qemu-img', 'check', '-f', fmt, *(['-r', repair] if repair else []), 'a')
    must(code == status, f'check {repair}: status {code}, not {status}:\n{out}')
    for word in words:
        must(word in out, f'check {repair}: no "{word}" in:\n{out}')
    return out


def clean(fmt):
    check(fmt, 0, 'No errors were found')
    code, out = run('qemu-img', 'check', '-f', fmt, 'a', ours=False)
    must(code == 0, 'the reference finds:', out)


VDI_TABLE, VDI_COUNT = 512, 0x184


def test_vdi_blocks_out_of_range():
    make('vdi')
    poke(VDI_TABLE + 4 * 3, 1000)
    size = os.path.getsize('a')
    check('vdi', 2, 'ERROR: block index 3 out of range, is 1000')
    check('vdi', 2, 'Going to leave 1 errors', 'out of range', repair='leaks')
    same(peek(VDI_TABLE + 4 * 3), 1000, 'leaks leaves errors alone')
    out = check('vdi', 0, 'Going to repair 1 errors', 'Repairing: block index 3 out of range', 'Double checking', repair='all')
    must(out.index('Repairing') < out.index('Double checking') or 'Repairing' in out, out)
    clean('vdi')
    holds('vdi', {0: 1, 2: 3, 3: 0, 5: 6, 9: 10})
    must(os.path.getsize('a') < size, 'the lost block\'s room is still there')


def test_vdi_blocks_used_twice():
    make('vdi')
    poke(VDI_TABLE + 4 * 5, peek(VDI_TABLE))
    check('vdi', 2, 'also used by 5')
    check('vdi', 0, 'Repairing: block index 0 also used by 5', repair='all')
    clean('vdi')
    holds('vdi', {0: 1, 2: 3, 3: 4, 5: 1, 9: 10})
    code, out = run('qemu-io', '-f', 'vdi', '-c', 'write -q -P 77 5M 1M', 'a')
    must(code == 0, out)
    holds('vdi', {0: 1, 5: 77})


def test_vdi_leaks():
    make('vdi')
    poke(VDI_TABLE + 4 * 0, 0xffffffff)
    poke(VDI_TABLE + 4 * 3, 0xffffffff)
    size = os.path.getsize('a')
    check('vdi', 3, 'allocated blocks mismatch, is 3, should be 5')
    check('vdi', 0, 'Going to free 2 leaked clusters', 'Repairing: allocated blocks mismatch', repair='leaks')
    clean('vdi')
    holds('vdi', {0: 0, 2: 3, 3: 0, 5: 6, 9: 10})
    same(os.path.getsize('a'), size - 2 * MB, 'size of the file')
    code, out = run('qemu-io', '-f', 'vdi', '-c', 'write -q -P 9 3M 1M', 'a')
    must(code == 0, out)
    clean('vdi')
    holds('vdi', {0: 0, 2: 3, 3: 9, 5: 6, 9: 10})


def test_vdi_count_too_small():
    make('vdi')
    poke(VDI_COUNT, 2)
    check('vdi', 2, 'ERROR')
    check('vdi', 0, 'Repairing', repair='all')
    clean('vdi')
    holds('vdi', {0: 1, 2: 3, 3: 4, 5: 6, 9: 10})


def test_vdi_all_at_once():
    make('vdi')
    poke(VDI_TABLE + 4 * 2, 77777)
    poke(VDI_TABLE + 4 * 3, peek(VDI_TABLE + 4 * 9))
    poke(VDI_COUNT, 1)
    check('vdi', 0, repair='all')
    clean('vdi')
    holds('vdi', {0: 1, 2: 0, 3: 10, 5: 6, 9: 10})


def vmdk_tables():
    """Offsets of the first grain tables: of the directory that counts, and of the second."""
    return peek(peek(56, '<Q') * 512) * 512, peek(peek(48, '<Q') * 512) * 512


def test_vmdk_grains_outside():
    make('vmdk')
    first, second = vmdk_tables()
    grain = 2 * MB // 65536
    poke(first + 4 * grain, 0x7fffffff)              # the second directory knows
    poke(first + 4 * (grain + 16), 0x7ffffff0)       # neither does
    poke(second + 4 * (grain + 16), 0x7ffffff0)
    check('vmdk', 2, 'beyond the end of its file')
    check('vmdk', 2, 'Going to leave', repair='leaks')
    check('vmdk', 0, 'Going to repair 2 errors', 'taken from the second directory', 'becomes a hole: its data is lost', repair='all')
    clean('vmdk')
    holds('vmdk', {0: 1, 2: 3, 5: 6, 9: 10})
    code, out = run('qemu-io', '-r', '-f', 'vmdk', '-c', 'read -q -P 4 3080k 960k', '-c', 'read -q -P 0 3M 8k', 'a')
    must('failed' in out, 'block 3 lost its first grain', out)
    code, out = run('qemu-io', '-r', '-f', 'vmdk', '-c', 'read -q -P 0 3M 64k', '-c', 'read -q -P 4 3136k 960k', 'a')
    same((code, out), (0, ''), 'block 3, without its first grain')


def test_vmdk_tables_outside():
    make('vmdk', size='100M', blocks=(0, 2, 40, 70))
    directory, twin = peek(56, '<Q') * 512, peek(48, '<Q') * 512
    poke(directory, 0x7fffffff)
    check('vmdk', 2)
    check('vmdk', 0, 'Repairing: table 0 of grains is taken from the second directory', repair='all')
    clean('vmdk')
    holds('vmdk', {0: 1, 2: 3, 40: 41, 70: 71})
    poke(directory + 4, 0x7fffffff)
    poke(twin + 4, 0x7ffffff0)
    check('vmdk', 0, 'Repairing: table 1 of grains is dropped', repair='all')
    clean('vmdk')
    holds('vmdk', {0: 1, 2: 3, 40: 0, 70: 71})
    code, out = run('qemu-io', '-f', 'vmdk', '-c', 'write -q -P 9 40M 1M', 'a')
    must(code == 0, out)
    holds('vmdk', {0: 1, 2: 3, 40: 9, 70: 71})


def test_vmdk_that_cannot_be_mended():
    """streamOptimized files are written once: what is wrong is told, nothing is done."""
    make('vmdk', '-o', 'subformat=streamOptimized')
    with open('a', 'rb') as f:
        before = f.read()
    directory = peek(56, '<Q')
    if directory == (1 << 64) - 1:
        directory = struct.unpack('<Q', before[-1024 + 56:-1024 + 64])[0]
    table = struct.unpack('<I', before[directory * 512:directory * 512 + 4])[0]
    poke(table * 512, 0x7fffffff)
    check('vmdk', 2, 'ERROR')
    code, out = run('qemu-img', 'check', '-f', 'vmdk', '-r', 'all', 'a')
    must(code in (0, 2) and 'grain' in out, code, out)


def test_parallels_clusters_used_twice():
    make('parallels')
    poke(64 + 4 * 5, peek(64))
    check('parallels', 2, 'cluster 5 is where another one is')
    check('parallels', 0, 'Repairing cluster 5 is where another one is', repair='all')
    clean('parallels')
    holds('parallels', {0: 1, 2: 3, 3: 4, 5: 1, 9: 10})
    code, out = run('qemu-io', '-f', 'parallels', '-c', 'write -q -P 77 5M 1M', 'a')
    must(code == 0, out)
    holds('parallels', {0: 1, 5: 77})


def test_json_counts_what_was_repaired():
    import json
    make('vdi')
    poke(VDI_TABLE + 4 * 3, 1000)
    r = subprocess.run([f'{OURS}/qemu-img', 'check', '-f', 'vdi', '-r', 'all', '--output=json', 'a'], capture_output=True, text=True)
    o = json.loads(r.stdout)
    must(r.returncode == 0 and o.get('corruptions-fixed', 0) >= 1 and 'corruptions' not in o, r.stdout, r.stderr)


if __name__ == '__main__':
    run_tests('repair', globals())
