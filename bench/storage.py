#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disk images beside the reference and beside what the host can do at most (cp, cmp, cat).

    bench/storage.py [-n ROUNDS] [-s MiB] [NAME...]

All but compression runs on one processor (--all: on all), so that elapsed time is what the work costs and not how
busy the others are.  The image is half data of files, a quarter random, a quarter holes, on a memory file system.  All commands of a row run
in turns, ROUNDS times; the table has the median seconds (elapsed, then of processors), how many times
faster than the reference we are in elapsed time (median of the rounds' ratios), and the target."""
import argparse
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
MiB = 1 << 20


def make_image(path, mib):
    """Half file data (this machine's programs), a quarter random, a quarter holes; mixed."""
    rng = random.Random(1)
    files = []
    for top in ('/usr/lib', '/usr/bin', '/usr/share'):
        for folder, _, names in os.walk(top):
            files += [os.path.join(folder, n) for n in sorted(names)]
    rng.shuffle(files)
    with open(path, 'wb') as f:
        f.truncate(mib * MiB)
        pool = b''
        for at in range(0, mib * MiB, MiB):
            kind = rng.choice('ffrh')
            if kind == 'r':
                os.pwrite(f.fileno(), rng.randbytes(MiB), at)
            while kind == 'f' and len(pool) < MiB:
                name = files.pop()
                if os.path.isfile(name) and not os.path.islink(name):
                    try:
                        pool += open(name, 'rb').read(8 * MiB)
                    except OSError:
                        pass
            if kind == 'f':
                os.pwrite(f.fileno(), pool[:MiB], at)
                pool = pool[MiB:]


class Bench:
    def __init__(self, work, one):
        self.work, self.one = work, one

    def ref(self, line):
        return re.sub(r'\bqemu-(?=img|io|nbd)', '/usr/bin/qemu-', line)

    def ours(self, line):
        return re.sub(r'\bqemu-(?=img|io|nbd)', f'{OURS}/qemu-', line)

    def run(self, line, one=False):
        pin = (lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})) if one else None
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        r = subprocess.run(line, shell=True, cwd=self.work, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           timeout=600, preexec_fn=pin)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if r.returncode:
            sys.exit(f'{line}: status {r.returncode}\n{r.stderr}')
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def row(self, row, rounds):
        name, setup, line, limit, target, after = row
        for command in setup:
            self.run(self.ref(command))
        sides = {'ref': self.ref(line), 'ours': self.ours(line)}
        if limit:
            sides['limit'] = limit
        got = {s: [] for s in sides}
        sizes = {}
        for n in range(rounds):
            for s in (sides if n % 2 else reversed(sides)):
                got[s].append(self.run(sides[s], self.one and 'convert -c' not in line))
                out = os.path.join(self.work, 'out')
                if s != 'limit' and os.path.exists(out):
                    sizes[s] = os.stat(out).st_blocks * 512
                for command in after:
                    self.run(command)
        walls = {s: statistics.median(w for w, _ in got[s]) for s in sides}
        cpus = {s: statistics.median(c for _, c in got[s]) for s in sides}
        ratio = statistics.median(r[0] / o[0] for r, o in zip(got['ref'], got['ours']))
        cpu_ratio = statistics.median(r[1] / max(o[1], 1e-4)
                                      for r, o in zip(got['ref'], got['ours']))
        text = f'{walls["limit"]:8.3f}' if limit else '       -'
        print(f'{name:34}{walls["ref"]:8.3f}{walls["ours"]:8.3f}{text}'
              f'{cpus["ref"]:9.3f}{cpus["ours"]:8.3f}{ratio:8.2f}x{cpu_ratio:8.2f}x'
              f'{target:7.2f}x  {"met" if ratio >= target else "MISSED"}', end='')
        if len(sizes) == 2:
            print(f'  size {sizes["ours"] / max(sizes["ref"], 1):.3f}', end='')
        print(flush=True)
        return ratio >= target


def served(image, size, what, depth, mib):
    """A server of @image (@size MiB) for one client, fio, that does @mib of requests of 4 KiB all over it, @depth at once.
    fio asks for structured replies, so a server may look for holes before it reads."""
    return (f'qemu-nbd -t -f raw -k $PWD/s {image} & p=$!; for i in $(seq 500); do [ -S s ] && break; sleep 0.01; done; '
            f"fio --name=nbd --ioengine=nbd --uri=\"nbd+unix:///?socket=$PWD/s\" --rw={what} --bs=4k --iodepth={depth} "
            f'--size={size}M --io_size={mib}M --norandommap=1 --output=/dev/null; r=$?; kill $p; wait $p; rm -f s; exit $r')


def rows(mib):
    gone = ['rm -f out']
    depth = 41
    chain = ['qemu-img create -q -f qcow2 chain0 256M',
             'qemu-io -f qcow2 -c "write -q -P 1 0 256M" chain0']
    for n in range(1, depth):
        chain += [f'qemu-img create -q -f qcow2 -b chain{n - 1} -F qcow2 chain{n}']
    img = 'qemu-img bench -c 300000 -s 4096'
    return [
        # name, made before by the reference, measured, limit, target, after each
        ('convert raw to raw', [], 'qemu-img convert -O raw in out', 'cp in out', 1.4, gone),
        ('convert raw to qcow2', [], 'qemu-img convert -O qcow2 in out', 'cp in out', 1.25, gone),
        ('convert raw to qcow2, 2 MiB', [], 'qemu-img convert -O qcow2 -o cluster_size=2M in out',
         'cp in out', 1.5, gone),
        ('convert qcow2 to raw', ['qemu-img convert -O qcow2 in in.qcow2'],
         'qemu-img convert -O raw in.qcow2 out', 'cp in out', 1.25, gone),
        ('convert -c zlib', [], 'qemu-img convert -c -O qcow2 part out', 'gzip -6c part >out', 1.7, gone),
        ('convert -c zstd', [],
         'qemu-img convert -c -O qcow2 -o compression_type=zstd part out', None, 1.7, gone),
        ('compare raw, qcow2', ['qemu-img convert -O qcow2 in in.qcow2'],
         'qemu-img compare in in.qcow2', 'cmp in in', 1.2, []),
        ('4 KiB reads of qcow2, depth 1', ['qemu-img convert -S 0 -O qcow2 in full.qcow2'],
         f'{img} -d 1 full.qcow2', None, 3, []),
        ('4 KiB reads of qcow2, depth 32', ['qemu-img convert -S 0 -O qcow2 in full.qcow2'],
         f'{img} -d 32 full.qcow2', None, 1.5, []),
        ('4 KiB allocating writes', ['qemu-img create -q -f qcow2 empty 2G'],
         'cp empty w; qemu-img bench -w -c 32768 -d 32 -s 4096 -S 65536 -f qcow2 w', None, 2, ['rm -f w']),
        ('4 KiB allocating, extended L2', ['qemu-img create -q -f qcow2 -o extended_l2=on empty 2G'],
         'cp empty w; qemu-img bench -w -c 32768 -d 32 -s 4096 -S 65536 -f qcow2 w', None, 1.3, ['rm -f w']),
        ('1 MiB reads, scattered, direct', ['rm -f disk/s; qemu-img create -q -f qcow2 disk/s 128M',
                                            'for i in $(seq 0 2047); do echo "write -q -P 5 $((i * 1021 % 2048 * 64))k 64k"; done |'
                                            ' qemu-io -t unsafe -f qcow2 disk/s'],
         'qemu-img bench -t none -i io_uring -d 1 -s 1M -c 1000 -f qcow2 disk/s', None, .8, []),  # the disk's time, mostly
        (f'reads through {depth} overlays', chain,
         f'qemu-img bench -c 60000 -d 8 -s 4096 chain{depth - 1}', None, 10, []),
        ('NBD 4 KiB reads, depth 1', [], served('disk/nbd', 256, 'randread', 1, 160), None, 1.3, []),
        ('NBD 4 KiB reads, depth 16', [], served('disk/nbd', 256, 'randread', 16, 512), None, 1.6, []),
        ('NBD 4 KiB writes, depth 16', [], served('disk/nbd', 256, 'randwrite', 16, 512), None, 1.8, []),
        # The reference asks SEEK_HOLE for each read, which walks all pages up to the next hole: runs of 96 MiB of data.
        ('NBD 4 KiB reads, tmpfs, holes',
         [f'truncate -s {mib}M runs; for i in $(seq 0 128 {mib - 96}); do '
          'dd status=none conv=notrunc bs=32M if=in of=runs count=3 skip=$((i/32)) seek=$((i/32)); done'],
         served('runs', mib, 'randread', 16, 160), None, 6, []),
        ('create', [], 'for i in 1 2 3 4 5 6 7 8 9 10; do qemu-img create -q -f qcow2 out 1G; done',
         None, 2, gone),
        ('start and info', ['qemu-img create -q -f qcow2 small 1G'],
         'for i in 1 2 3 4 5 6 7 8 9 10; do qemu-img info small; done',
         'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done', 2, []),
    ]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('-n', type=int, default=5, help='rounds')
    ap.add_argument('-s', type=int, default=2048, help='MiB of the image')
    ap.add_argument('--all', action='store_true', help='everything on all processors')
    ap.add_argument('--strict', action='store_true', help='fail when a target is missed')
    ap.add_argument('name', nargs='*', help='only rows with one of these words in their names')
    args = ap.parse_args()
    work = tempfile.mkdtemp(prefix='emu-storage-', dir='/dev/shm')
    disk = tempfile.mkdtemp(prefix='emu-storage-', dir='/var/tmp')
    try:
        make_image(f'{work}/in', args.s)
        os.symlink(disk, f'{work}/disk')
        make_image(f'{disk}/nbd', 256)
        make_image(f'{work}/part', max(args.s // 8, 16))
        print(f'{"":34}{"ref s":>8}{"ours s":>8}{"limit":>8}{"ref cpu":>9}{"ours":>8}{"faster":>9}'
              f'{"cpu":>9}{"target":>8}')
        b = Bench(work, not args.all)
        met = [b.row(r, args.n) for r in rows(args.s)
               if not args.name or any(w in r[0] for w in args.name)]
        print(f'{os.cpu_count()} processors, image of {args.s} MiB, {args.n} rounds; '
              f'{sum(met)} of {len(met)} targets met')
    finally:
        shutil.rmtree(work)
        shutil.rmtree(disk)
    if args.strict and not all(met):
        sys.exit(1)


if __name__ == '__main__':
    main()
