#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Image formats, both ways: Emu and the reference take turns at writing an image, each reads all
of what the other wrote.  FORMATS_SEED=N repeats a run, names on the command line choose formats."""

import os
import random
import shutil
import subprocess
import sys
import tempfile

OURS = os.environ.get('EMU_BIN', 'build')
SEED = int(os.environ.get('FORMATS_SEED', '1'))
KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
SECTOR = 512

# What differs by right.  traits: 'zero' write -z is quick; 'append' clusters are written once, whole;
# 'nocheck' the reference has no check; 'noresize' no resize.
CASES = [
    ('raw', '', 8 * MB, {'nocheck'}),
    ('vdi', '', 20 * MB, {'noresize'}),
    ('vdi', 'static=on', 5 * MB + 512, {'noresize'}),
]


class Disk:
    """What the disk should hold: one byte for each sector."""

    def __init__(self, size):
        self.size = size
        self.sectors = bytearray((size + SECTOR - 1) // SECTOR)

    def write(self, off, length, value):
        n = (length + SECTOR - 1) // SECTOR
        self.sectors[off // SECTOR:off // SECTOR + n] = bytes([value]) * n

    def resize(self, size):
        n = (size + SECTOR - 1) // SECTOR
        self.sectors = (self.sectors + bytes(max(0, n - len(self.sectors))))[:n]
        self.size = size

    def reads(self):
        at, data = 0, self.sectors
        while at < len(data):
            end = at + 1
            while end < len(data) and data[end] == data[at] and (end - at) * SECTOR < 32 * MB:
                end += 1
            length = min(end * SECTOR, self.size) - at * SECTOR
            yield f'read -P {data[at]} {at * SECTOR} {length}'
            at = end


def run(*argv, stdin=None, cwd=None):
    r = subprocess.run(argv, input=stdin, text=True, capture_output=True, timeout=120, cwd=cwd)
    return r.returncode, r.stdout + r.stderr


def tool(side, name):
    return os.path.abspath(f'{OURS}/{name}') if side == 'ours' else name


def qemu_io(side, fmt, image, commands):
    """None, or what went wrong."""
    code, out = run(tool(side, 'qemu-io'), '-d', 'unmap', '-f', fmt, image,
                    stdin='\n'.join(commands) + '\n')
    bad = [l for l in out.splitlines() if 'failed' in l.lower() or 'error' in l.lower()]
    return f'{side} qemu-io: {bad[:3] or out[:500]}' if code or bad else None


def random_writes(rng, disk, traits, n):
    commands = []
    for _ in range(n):
        if 'append' in traits:
            cluster = 64 * KB
            free = [c for c in range(0, disk.size - cluster + 1, cluster)
                    if not any(disk.sectors[c // SECTOR:(c + cluster) // SECTOR])]
            off, length = rng.choice(free), cluster
        else:
            length = rng.choice((SECTOR, 4 * KB, 60 * KB, 64 * KB, 200 * KB, MB, 3 * MB))
            off = rng.randrange(0, disk.size // SECTOR) * SECTOR
            if rng.random() < 0.4:
                off = off // (64 * KB) * 64 * KB
            length = min(length, (disk.size - off) // SECTOR * SECTOR)
        value = rng.randrange(1, 256)
        if 'append' not in traits and rng.random() < 0.2:
            value = 0
            commands.append(f'write -z {rng.choice(("", "-u "))}{off} {length}')
        else:
            commands.append(f'write -P {value} {off} {length}')
        disk.write(off, length, value)
    return commands


def turn(side, other, fmt, image, disk, rng, traits):
    bad = qemu_io(side, fmt, image, random_writes(rng, disk, traits, 12) + ['flush'])
    for reader in (side, other):
        bad = bad or qemu_io(reader, fmt, image, list(disk.reads()))
    if not bad and 'nocheck' not in traits:
        code, out = run('qemu-img', 'check', '-f', fmt, image)
        if code:
            bad = f'after {side} wrote, the reference\'s check says: {out[:400]}'
    return bad


def case(folder, maker, fmt, opts, size, traits):
    rng = random.Random(f'{SEED} {maker} {fmt} {opts}')
    image = os.path.join(folder, 'disk.' + fmt)
    args = ['create', '-q', '-f', fmt] + (['-o', opts] if opts else []) + [image, str(size)]
    code, out = run(tool(maker, 'qemu-img'), *args)
    if code:
        return f'{maker} create: {out}'
    disk = Disk(real_size(fmt, image))
    if disk.size < size:
        return f'made {disk.size} bytes of {size}'
    sides = ['ours', 'reference']
    if maker != 'ours':
        sides.reverse()
    for i in range(4):
        bad = turn(sides[i % 2], sides[1 - i % 2], fmt, image, disk, rng, traits)
        if bad:
            return f'turn {i}: {bad}'
    return None


def real_size(fmt, image):
    out = run('qemu-img', 'info', '-f', fmt, image)[1]
    return int(out.split('virtual size:')[1].split('(')[1].split()[0])


def main():
    if not shutil.which('qemu-img') or not shutil.which('qemu-io'):
        print("needs the reference's qemu-img and qemu-io\nskip formats, both ways")
        return
    wanted = sys.argv[1:]
    for fmt, opts, size, traits in CASES:
        if wanted and fmt not in wanted:
            continue
        for maker in ('ours', 'reference'):
            name = f'formats, {fmt}{" " + opts if opts else ""} made by {maker}'
            folder = tempfile.mkdtemp(prefix='emu-formats-')
            try:
                bad = case(folder, maker, fmt, opts, size, traits)
            except (subprocess.TimeoutExpired, IndexError) as e:
                bad = repr(e)
            shutil.rmtree(folder)
            if bad:
                print(f'seed {SEED}: {bad}')
            print(('fail ' if bad else 'pass ') + name)


main()
