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

# What differs by right.  traits:
#   append    clusters are written once, whole
#   packed    clusters of 4 KiB can be compressed; only we do, as the reference loses such a write where
#             plain data was
#   backing   on a backing file, smaller
#   leaky     the reference leaks clusters of zeros, and counts one as leaked that a table has
#   nozeros   no clusters of zeros: when the reference writes into one, the file below shines through
#   nocheck   the reference has no check
#   nomap     the reference calls it all data, we say what is where
#   noresize  no resize
CASES = [
    ('raw', '', 8 * MB, {'nocheck'}),
    ('qcow2', '', 20 * MB, set()),
    ('qcow2', 'compat=0.10,cluster_size=4k', 5 * MB + 512, set()),
    ('qcow2', 'extended_l2=on', 20 * MB, set()),
    ('qcow2', 'cluster_size=2M,refcount_bits=1,lazy_refcounts=on', 40 * MB, set()),
    ('qcow2', 'preallocation=metadata', 10 * MB, set()),
    ('qcow2', 'preallocation=full', 10 * MB, set()),
    ('qcow2', 'extended_l2=on,cluster_size=16k', 10 * MB, {'backing'}),
    ('qcow2', '', 10 * MB + 4 * KB, {'backing'}),
    ('vmdk', '', 100 * MB + 512, {'noresize'}),
    ('vmdk', 'zeroed_grain=on', 40 * MB, {'noresize'}),
    ('vmdk', 'compat6=on,adapter_type=lsilogic', 5 * MB, {'noresize'}),
    ('vmdk', 'subformat=monolithicFlat', 5 * MB, {'noresize'}),
    ('vmdk', 'subformat=twoGbMaxExtentSparse', 4 * GB + 3 * MB, {'noresize'}),
    ('vmdk', 'subformat=twoGbMaxExtentFlat', 4 * GB + 3 * MB, {'noresize'}),
    ('vmdk', 'subformat=streamOptimized', 50 * MB, {'noresize', 'append'}),
    ('vmdk', '', 10 * MB + 4 * KB, {'noresize', 'backing'}),
    ('vmdk', 'zeroed_grain=on', 10 * MB, {'noresize', 'backing'}),
    ('vhdx', '', 100 * MB, {'noresize', 'nomap'}),
    ('vhdx', 'block_size=1M,log_size=2M', 20 * MB + 512, {'noresize', 'nomap'}),
    ('vhdx', 'block_state_zero=off,block_size=32M', 70 * MB, {'noresize', 'nomap'}),
    ('vhdx', 'subformat=fixed,block_size=1M', 20 * MB, {'noresize', 'nomap'}),
    ('vhdx', 'block_size=256M', 9 * GB + 5 * MB, {'noresize', 'nomap'}),
    ('vpc', '', 20 * MB, {'noresize', 'nocheck'}),
    ('vpc', 'force_size=on', 9 * MB + 512, {'noresize', 'nocheck'}),
    ('vpc', 'subformat=fixed', 5 * MB, {'noresize', 'nocheck'}),
    ('vpc', 'subformat=fixed,force_size=on', 5 * MB, {'noresize', 'nocheck'}),
    ('vpc', '', 9 * GB, {'noresize', 'nocheck'}),
    ('qed', '', 20 * MB, {'leaky'}),
    ('qed', 'cluster_size=4k,table_size=2', 20 * MB + 512, {'leaky'}),
    ('qed', 'cluster_size=1M,table_size=16', 20 * MB, {'leaky'}),
    ('qed', 'cluster_size=2M', 20 * MB, {'backing', 'leaky', 'nozeros'}),
    ('qed', '', 20 * MB, {'backing', 'leaky', 'nozeros'}),
    ('parallels', '', 20 * MB, {'noresize'}),
    ('parallels', 'cluster_size=64k', 20 * MB + 512, {'noresize'}),
    ('parallels', 'cluster_size=512', 3 * MB, {'noresize'}),
    ('parallels', 'cluster_size=3M', 20 * MB, {'noresize'}),
    ('qcow', '', 20 * MB + 512, {'noresize', 'nocheck', 'packed'}),
    ('qcow', '', 5 * GB, {'noresize', 'nocheck', 'packed'}),
    ('qcow', '', 20 * MB, {'noresize', 'nocheck', 'backing'}),
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

    def windows(self):
        """Where things happen: everywhere, or around each edge of large disks."""
        if self.size <= 256 * MB:
            return [(0, self.size)]
        edges = [0] + list(range(2 * GB, self.size, 2 * GB)) + [self.size]
        return [(max(0, e - 4 * MB), min(self.size, e + 4 * MB)) for e in edges]

    def reads(self):
        data = self.sectors
        for at, stop in self.windows():
            at, stop = at // SECTOR, (stop + SECTOR - 1) // SECTOR
            while at < stop:
                end = at + 1
                while end < stop and data[end] == data[at]:
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


def random_writes(rng, disk, traits, n, side):
    commands = []
    for _ in range(n):
        if 'append' in traits:
            cluster = 64 * KB
            free = [c for c in range(0, disk.size - cluster + 1, cluster)
                    if not any(disk.sectors[c // SECTOR:(c + cluster) // SECTOR])]
            off, length = rng.choice(free), cluster
        else:
            length = rng.choice((SECTOR, 4 * KB, 60 * KB, 64 * KB, 200 * KB, MB, 3 * MB))
            low, high = rng.choice(disk.windows())
            off = rng.randrange(low // SECTOR, high // SECTOR) * SECTOR
            if rng.random() < 0.4:
                off = off // (64 * KB) * 64 * KB
            length = min(length, (high - off) // SECTOR * SECTOR)
        value = rng.randrange(1, 256)
        if not traits & {'append', 'nozeros'} and rng.random() < 0.2:
            value = 0
            commands.append(f'write -z {rng.choice(("", "-u "))}{off} {length}')
        elif 'packed' in traits and side == 'ours' and rng.random() < 0.3 and off + 4 * KB <= disk.size:
            off, length = off // (4 * KB) * 4 * KB, 4 * KB
            commands.append(f'write -c -P {value} {off} {length}')
        else:
            commands.append(f'write -P {value} {off} {length}')
        disk.write(off, length, value)
    return commands


TELLS = [['info'], ['info', '--output=json'], ['map', '--output=json'], ['check']]
KNOWN = set()   # what our qemu-img can do


def tells_alike(fmt, image, traits):
    """Both qemu-img say the same about the image."""
    for words in TELLS:
        if words[0] not in KNOWN or 'no' + words[0] in traits:
            continue
        argv = words[:1] + ['-f', fmt] + words[1:] + [image]
        ours, theirs = (run(tool(side, 'qemu-img'), *argv) for side in ('ours', 'reference'))
        if ours != theirs and not (theirs[0] == 3 and 'leaky' in traits):
            return f'qemu-img {" ".join(words)}: we say {ours}, the reference {theirs}'
    return None


def turn(side, other, fmt, image, disk, rng, traits):
    bad = qemu_io(side, fmt, image, random_writes(rng, disk, traits, 12, side) + ['flush'])
    for reader in (side, other):
        bad = bad or qemu_io(reader, fmt, image, list(disk.reads()))
    if not bad and 'nocheck' not in traits:
        code, out = run('qemu-img', 'check', '-f', fmt, image)
        if code and not (code == 3 and 'leaky' in traits):
            bad = f'after {side} wrote, the reference\'s check says: {out[:400]}'
    return bad or tells_alike(fmt, image, traits)


def case(folder, maker, fmt, opts, size, traits):
    rng = random.Random(f'{SEED} {maker} {fmt} {opts}')
    image = os.path.join(folder, 'disk.' + fmt)
    args = ['create', '-q', '-f', fmt] + (['-o', opts] if opts else [])
    sides = ['ours', 'reference']
    if maker != 'ours':
        sides.reverse()
    content = bytes()
    if 'backing' in traits:
        base, below = os.path.join(folder, 'base.' + fmt), Disk(size // 3 * 2 // SECTOR * SECTOR)
        code, out = run(tool(maker, 'qemu-img'), *args, base, str(below.size))
        bad = out if code else turn(sides[1], sides[0], fmt, base, below, rng, traits)
        if bad:
            return f'backing file: {bad}'
        args += ['-b', os.path.basename(base), '-F', fmt]
        content = below.sectors
    code, out = run(tool(maker, 'qemu-img'), *args, image, str(size))
    if code:
        return f'{maker} create: {out}'
    disk = Disk(real_size(fmt, image))
    if disk.size < size:
        return f'made {disk.size} bytes of {size}'
    disk.sectors[:len(content)] = content
    for i in range(3):
        if i and 'noresize' not in traits:
            disk.resize(disk.size + rng.randrange(1, 8 * MB // SECTOR) * SECTOR)
            code, out = run(tool(sides[i % 2], 'qemu-img'), 'resize', '-f', fmt, image, str(disk.size))
            if code:
                return f'{sides[i % 2]} resize: {out}'
        bad = turn(sides[i % 2], sides[1 - i % 2], fmt, image, disk, rng, traits)
        if bad:
            return f'turn {i}: {bad}'
    return None


def zeros_hide(folder, fmt, opts):
    """What is written into a cluster of zeros has zeros around it, not the backing file's data."""
    base, image = f'{folder}/base', f'{folder}/disk'
    run(tool('ours', 'qemu-img'), 'create', '-q', '-f', fmt, base, '2M')
    reads = ['read -P 0 0 4k', 'read -P 3 4k 4k', f'read -P 0 8k {MB - 8 * KB}', f'read -P 1 {MB} {MB}']
    bad = qemu_io('ours', fmt, base, ['write -P 1 0 2M'])
    run(tool('ours', 'qemu-img'), 'create', '-q', '-f', fmt, *opts, '-b', base, '-F', fmt, image)
    return bad or \
        qemu_io('ours', fmt, image, [f'write -z 0 {MB}', 'write -P 3 4k 4k'] + reads) or \
        qemu_io('reference', fmt, image, reads)


def real_size(fmt, image):
    out = run('qemu-img', 'info', '-f', fmt, image)[1]
    return int(out.split('virtual size:')[1].split('(')[1].split()[0])


def report(name, check, *args):
    folder = tempfile.mkdtemp(prefix='emu-formats-')
    try:
        bad = check(folder, *args)
    except (subprocess.TimeoutExpired, IndexError) as e:
        bad = repr(e)
    shutil.rmtree(folder)
    if bad:
        print(f'seed {SEED}: {bad}')
    print(('fail ' if bad else 'pass ') + name, flush=True)


def main():
    if not shutil.which('qemu-img') or not shutil.which('qemu-io'):
        print("needs the reference's qemu-img and qemu-io\nskip formats, both ways")
        return
    wanted = sys.argv[1:]
    KNOWN.update(w[0] for w in TELLS if 'not found' not in run(tool('ours', 'qemu-img'), w[0])[1])
    for fmt, opts, size, traits in CASES:
        if wanted and fmt not in wanted:
            continue
        for maker in ('ours', 'reference'):
            name = f'formats, {fmt}{" " + opts if opts else ""}' + \
                   f'{" with backing file" if "backing" in traits else ""} made by {maker}'
            report(name, case, maker, fmt, opts, size, traits)
    for fmt, opts in (('qed', []), ('vmdk', ['-o', 'zeroed_grain=on'])):
        if not wanted or fmt in wanted:
            report(f'formats, {fmt}: zeros hide the backing file', zeros_hide, fmt, opts)


main()
