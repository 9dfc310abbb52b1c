#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qcow2 in both directions: what we write the reference reads and checks, and the other way round.

Seeded random commands run on an image made by one side; a model in this program knows every byte; then
the other side reads all of it with patterns, and `check` of the reference finds nothing."""
import bisect
import copy
import os
import random
import shutil
import subprocess
import sys

import suite

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.environ.get('EMU_BIN', os.path.join(TOP, 'build'))
MiB = 1 << 20
ANY = 256  # what the model knows of discarded bytes

# name, create options, size, cluster size for compressed writes (0: none)
CASES = [
    ('defaults', 'cluster_size=64k', 9 * MiB, 65536),
    ('clusters of 512 bytes', 'cluster_size=512', 3 * MiB, 0),
    ('clusters of 1 KiB, two bits of refcount', 'refcount_bits=2,cluster_size=1k', 4 * MiB, 1024),
    ('clusters of 4 KiB, one bit of refcount', 'cluster_size=4k,refcount_bits=1', 8 * MiB, 4096),
    ('clusters of 2 MiB', 'cluster_size=2M', 9 * MiB, 2 * MiB),
    ('version 2', 'compat=0.10', 9 * MiB, 65536),
    ('extended L2 entries', 'extended_l2=on', 9 * MiB, 65536),
    ('extended L2 entries, 16 KiB', 'extended_l2=on,cluster_size=16k', 9 * MiB, 16384),
    ('64 bits of refcount, lazy', 'refcount_bits=64,lazy_refcounts=on', 9 * MiB, 65536),
    ('zstd', 'compression_type=zstd', 9 * MiB, 65536),
    ('metadata preallocated', 'preallocation=metadata', 8 * MiB, 0),
    ('space preallocated', 'preallocation=falloc', 8 * MiB, 0),
    ('zeros preallocated', 'preallocation=full,extended_l2=on', 8 * MiB, 0),
    ('external data file', 'data_file=d.raw', 9 * MiB, 0),
    ('raw external data file', 'data_file=d.raw,data_file_raw=on', 9 * MiB, 0),
    ('an odd size', 'cluster_size=4k', 5 * MiB + 1536, 4096),
]


def run(program, *args, stdin=None, status=0):
    p = subprocess.run([program, *args], input=stdin, text=True, timeout=120,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode != status:
        raise suite.Failed(f'{os.path.basename(program)} {" ".join(args)}: status {p.returncode}\n' +
                      p.stdout.replace('qemu-io> ', '')[-600:])
    return p.stdout


class Side:
    def __init__(self, folder):
        self.img = os.path.join(folder, 'qemu-img') if folder else 'qemu-img'
        self.io = os.path.join(folder, 'qemu-io') if folder else 'qemu-io'

    def commands(self, image, lines, fmt='qcow2'):
        out = run(self.io, '-f', fmt, '-d', 'unmap', image, stdin='\n'.join(lines) + '\n')
        bad = [l for l in out.replace('qemu-io> ', '').splitlines() if l.strip()]
        if bad:
            raise suite.Failed('\n'.join(bad[:5]))

    def verify(self, image, model, fmt='qcow2'):
        self.commands(image, [f'read -q -P {value} {at} {length}'
                              for at, length, value in model.runs() if value != ANY], fmt)


ONLY = sys.argv[2] if len(sys.argv) > 2 else ''   # cases with this in their name
REFERENCE, EMU = Side(None), Side(OURS)


class Model:
    """What each byte of a disk must be: runs [offset, value], sorted."""

    def __init__(self, size):
        self.size, self.at, self.value = size, [0], [0]

    def fill(self, off, length, value):
        end = off + length
        first, last = bisect.bisect_left(self.at, off), bisect.bisect_right(self.at, end) - 1
        after = self.value[last]
        keep = bisect.bisect_right(self.at, end)
        new = [(off, value)] + ([(end, after)] if end < self.size else [])
        self.at[first:keep] = [a for a, _ in new]
        self.value[first:keep] = [v for _, v in new]

    def copy_to(self, other):
        for at, length, value in self.runs():
            other.fill(at, length, value)

    def runs(self):
        ends = self.at[1:] + [self.size]
        return [(a, e - a, v) for a, e, v in zip(self.at, ends, self.value)]


class Load:
    """Random commands and what they leave behind."""

    def __init__(self, seed, size, cluster):
        self.r, self.size, self.cluster = random.Random(seed), size, cluster
        self.model, self.used = Model(size), set()
        self.done = []
        self.packs = True

    def fill(self, off, length, value):
        self.model.fill(off, length, value)
        self.done.append((off, length, value))
        if self.cluster:
            self.used.update(range(off // self.cluster, (off + length - 1) // self.cluster + 1))

    def compressed(self, off):
        off -= off % self.cluster
        length = min(self.cluster, self.size - off)
        if off // self.cluster in self.used or length % 512:
            return []  # the reference refuses to do it twice
        value = self.r.randrange(256)
        self.fill(off, length, value)
        return [f'write -q -c -P {value} {off} {length}']

    def one(self):
        r, k = self.r, self.r.random()
        off = r.randrange(self.size)
        length = int(2 ** r.uniform(0, 20))
        if r.random() < .6:
            off, length = off & ~511, max(512, length & ~511)
        length = min(length, self.size - off)
        if k < .6:
            value = r.randrange(256)
            self.fill(off, length, value)
            return [f'write -q -P {value} {off} {length}']
        if k < .8:
            self.fill(off, length, 0)
            return [f'write -q -z {"-u " if k < .7 else ""}{off} {length}']
        if k < .88:
            self.fill(off, length, ANY)
            return [f'discard -q {off} {length}']
        if k < .96:
            return self.compressed(off) if self.cluster and self.packs else []
        return ['flush']

    def lines(self, n):
        return [l for _ in range(n) for l in self.one()]


def both_ways(seed, options, size, cluster):
    load = Load(seed, size, cluster)
    for first, second in ((EMU, REFERENCE), (REFERENCE, EMU)):
        load = Load(seed, size, cluster)
        for f in ('a.qcow2', 'd.raw'):
            if os.path.exists(f):
                os.unlink(f)
        run(first.img, 'create', '-q', '-f', 'qcow2', '-o', options, 'a.qcow2', str(size))
        for side, other in ((first, second), (second, first)):
            side.commands('a.qcow2', load.lines(100))
            run('qemu-img', 'check', '-q', 'a.qcow2')
            other.verify('a.qcow2', load.model)


def backing(seed, options, size, cluster):
    for side, other in ((EMU, REFERENCE), (REFERENCE, EMU)):
        load = Load(seed, size, cluster)
        run(side.img, 'create', '-q', '-f', 'qcow2', 'base.qcow2', str(size - MiB))
        below = Load(seed + 1, size - MiB, 0)
        side.commands('base.qcow2', [l for l in below.lines(60) if 'discard' not in l])
        below.model.copy_to(load.model)
        run(side.img, 'create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', '-o',
            options, 'a.qcow2', str(size))
        side.commands('a.qcow2', load.lines(60))
        run('qemu-img', 'check', '-q', 'a.qcow2')
        other.verify('a.qcow2', load.model)


def chain(seed):
    """Many layers, of different sizes and clusters: small reads in any order, again and again, among writes to the top."""
    r, model, below = random.Random(seed), Model(4 * MiB), None
    for i, cluster in enumerate(('64k', '4k', '64k', '512', '1M', '16k', '64k')):
        size = 4 * MiB if i == 6 else 2 * MiB + r.randrange(4 * MiB - 2 * MiB) // 512 * 512
        run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', f'cluster_size={cluster}',
            *(['-b', below, '-F', 'qcow2'] if below else []), f'c{i}.qcow2', str(size))
        layer = Load(seed + i, size, 0)
        model.fill(size, 4 * MiB - size, 0) if size < 4 * MiB else None   # a short layer cuts what is below
        REFERENCE.commands(f'c{i}.qcow2', [l for l in layer.lines(25 if i < 6 else 0) if 'discard' not in l])
        for l in layer.done:
            model.fill(*l)
        below = f'c{i}.qcow2'
    for _ in range(2):
        lines = []
        for _ in range(3):
            pieces = [(a + n, min(4096, length - n), v) for a, length, v in model.runs() if v != ANY
                      for n in range(0, length, 4096)]
            r.shuffle(pieces)
            lines += [f'read -q -P {v} {a} {n}' for a, n, v in pieces]
            off, value = r.randrange(4 * MiB - 65536), r.randrange(256)
            model.fill(off, 3000, value)
            lines.append(f'write -q -P {value} {off} 3000')
        EMU.commands('c6.qcow2', lines)
        EMU.verify('c6.qcow2', model)
        REFERENCE.verify('c6.qcow2', model)
    run(EMU.img, 'commit', '-q', '-b', 'c2.qcow2', 'c6.qcow2')
    for side in (EMU, REFERENCE):
        side.verify('c2.qcow2', model)


def snapshots(seed, options, size, cluster):
    """Snapshots made, applied and deleted by both sides in turn; clusters are shared all the time."""
    for sides in ((EMU, REFERENCE), (REFERENCE, EMU)):
        load, kept, n = Load(seed, size, cluster), {}, 0
        run(sides[0].img, 'create', '-q', '-f', 'qcow2', '-o', options, 'a.qcow2', str(size))
        for turn in range(8):
            side = sides[turn % 2]
            # The reference goes on packing compressed data into a cluster that was freed meanwhile and
            # holds other data: with snapshots, seed 9 shows it without us.
            load.packs = side is EMU
            side.commands('a.qcow2', load.lines(25))
            if turn % 3 == 2:
                name = load.r.choice(sorted(kept))
                run(side.img, 'snapshot', '-a', name, 'a.qcow2')
                load.model, load.used = copy.deepcopy(kept[name])
            if turn % 4 == 3:
                name = load.r.choice(sorted(kept))
                run(side.img, 'snapshot', '-d', name, 'a.qcow2')
                del kept[name]
            name = f's{turn}'
            run(side.img, 'snapshot', '-c', name, 'a.qcow2')
            kept[name] = copy.deepcopy((load.model, load.used))
            for each in sides:
                run(each.img, 'check', '-q', 'a.qcow2')
            sides[1 - turn % 2].verify('a.qcow2', load.model)
            if run(EMU.img, 'snapshot', '-l', 'a.qcow2') != run('qemu-img', 'snapshot', '-l', 'a.qcow2'):
                raise suite.Failed('snapshot -l differs')
        for name, (model, _) in kept.items():
            for each in sides:
                run(each.img, 'convert', '-l', name, '-O', 'raw', 'a.qcow2', 'a.raw')
                EMU.verify('a.raw', model, 'raw')
        for name in kept:
            run(sides[0].img, 'snapshot', '-d', name, 'a.qcow2')
        for each in sides:
            run(each.img, 'check', '-q', 'a.qcow2')
            each.verify('a.qcow2', load.model)
        os.unlink('a.qcow2')


def case(name, function, *args):
    if ONLY in name:
        suite.case(f'qcow2, {name}', function, *args)


def main():
    if not shutil.which('qemu-img') or not shutil.which('qemu-io'):
        print('needs Debian\'s qemu-utils\nskip qcow2, both ways')
        return
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 1  # another seed finds other things
    for i, (name, options, size, cluster) in enumerate(CASES):
        case(name + ', both ways', both_ways, first + i, options, size, cluster)
        if 'prealloc' not in options and 'raw=on' not in options:
            case(name + ', with a backing file', backing, first + i, options, size, cluster)
        if 'data_file' not in options and 'refcount_bits=1' not in options \
                and 'refcount_bits=2' not in options:
            case(name + ', snapshots', snapshots, first + i, options, size, cluster)
    for i in range(3):
        case(f'a chain of seven, {i}', chain, first + i)


main()
