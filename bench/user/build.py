#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds and tests Debian source packages in an arm64 root, under the reference emulators and under
Emu without a translation cache, with one that is empty at first, and with the one that this left.

A build is configure, make and the package's own tests.  The kernel starts every program through
binfmt_misc.  Time is CPU time with all children; columns take turns.

usage: build.py [--emu PROGRAM] [--references DIR] [--root DIR] [--sources DIR] [--runs N]
                [--only PACKAGE,...] [--columns NAME,...]
"""
import argparse
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIMIT = 3600    # seconds for one build

# How to build and test it, and what only a build prints whose tests have passed.
PACKAGES = {
    'hello': ('./configure && make && make check', r'^# PASS:  4\n(.*\n)*# FAIL:  0$'),
    'zlib': ('./configure && make && make test',
             r'\*\*\* zlib test OK \*\*\*(.*\n)*.*\*\*\* zlib shared test OK \*\*\*'),
    'lua5.4': ("printf '#define DEB_HOST_MULTIARCH \"aarch64-linux-gnu\"\\n' >src/lua5.4-deb-multiarch.h && "
               'make linux-readline LIBTOOL=libtool && make test LIBTOOL=libtool',
               r'^Lua 5\.4\.4 '),
}


class Column:
    """A way to build: an emulator, and the folder of its cache, emptied before or not."""

    def __init__(self, name, emulator, cache=None, empty=False):
        self.name, self.emulator, self.cache, self.empty = name, emulator, cache, empty

    def environment(self, share):
        env = dict(os.environ, EMU=self.emulator, BINFMT='1', SHARE=share, TCACHE=self.cache or '')
        env.pop('EMU_OPTS', None)
        if self.cache:
            if self.empty:
                shutil.rmtree(self.cache, ignore_errors=True)
            os.makedirs(self.cache, mode=0o700, exist_ok=True)
        return env

    def build(self, package, args):
        """CPU seconds, or None when the package was not built and tested."""
        with tempfile.TemporaryDirectory(prefix='emu-build-') as share:
            shutil.copytree(f'{args.sources}/{package}', f'{share}/src', symlinks=True)
            log = f'{args.logs}/{package}, {self.name}.log'
            command = [f'{TOP}/tools/in-root.sh', args.root, '/bin/sh', '-c',
                       f'cd /share/src && {PACKAGES[package][0]}']
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            with open(log, 'w') as out:
                try:
                    status = subprocess.run(command, env=self.environment(share), stdout=out,
                                            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                            timeout=LIMIT).returncode
                except subprocess.TimeoutExpired:
                    status = -1
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if status or not re.search(PACKAGES[package][1], open(log, errors='replace').read(), re.M):
            print(f'{package}, {self.name}: failed, status {status}; see {log}', file=sys.stderr)
            return None
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f'{package}, {self.name}: {seconds:.1f} s', file=sys.stderr, flush=True)
        return seconds


def columns(args):
    if os.path.isdir(args.references):
        for name in sorted(os.listdir(args.references)):
            if not name.startswith('.'):
                yield Column(name, os.path.abspath(f'{args.references}/{name}'))
    emu, cache = os.path.abspath(args.emu), os.path.abspath(f'{args.logs}/tcache')
    yield Column('no cache', emu)
    yield Column('empty', emu, cache, True)
    yield Column('full', emu, cache)


def measure(package, cols, args):
    seconds = {c.name: [] for c in cols}
    for _ in range(args.runs):
        for c in cols:
            seconds[c.name].append(c.build(package, args))
    return {n: statistics.median(s) if None not in s else None for n, s in seconds.items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--emu', default=f'{TOP}/build/qemu-aarch64')
    ap.add_argument('--references', default=f'{TOP}/build/reference/aarch64', help='folder of emulators')
    ap.add_argument('--root', default=f'{TOP}/build/root/build-arm64')
    ap.add_argument('--sources', default=f'{TOP}/build/sources')
    ap.add_argument('--logs', default=f'{TOP}/build/bench/build')
    ap.add_argument('--runs', type=int, default=1)
    ap.add_argument('--only', help='packages, separated by commas')
    ap.add_argument('--columns', help='ways to build, separated by commas')
    args = ap.parse_args()

    os.makedirs(args.logs, exist_ok=True)
    cols = [c for c in columns(args) if not args.columns or c.name in args.columns.split(',')]
    references = [c.name for c in cols if c.cache is None and c.name != 'no cache']
    cpu = next((l.split(':')[1].strip() for l in open('/proc/cpuinfo') if 'model name' in l), '?')
    print(f'# {time.strftime("%Y-%m-%d")}, {cpu}, Linux {platform.release()}, median of {args.runs}; '
          'CPU seconds, and how many times faster than the better reference')
    print(f'{"package":10s}' + ''.join(f'{c.name:>10s}' for c in cols) +
          f'{"no cache":>12s}{"empty":>8s}{"full":>8s}')
    failed = False
    for package in args.only.split(',') if args.only else PACKAGES:
        s = measure(package, cols, args)
        failed = failed or None in s.values()
        best = min((s[r] for r in references if s[r]), default=None)
        cells = ''.join(f'{s[c.name]:10.1f}' if s[c.name] else f'{"-":>10s}' for c in cols)
        ratios = ''.join(f'{best / s[n]:{w}.2f}' if best and s.get(n) else f'{"-":>{w}s}'
                         for n, w in (('no cache', 12), ('empty', 8), ('full', 8)))
        print(f'{package:10s}{cells}{ratios}', flush=True)
    sys.exit(failed)


if __name__ == '__main__':
    main()
