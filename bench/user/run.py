#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the user-mode benchmarks natively, under the reference emulators and under Emu, taking turns
in one go, and prints a table: fractions of native speed, geometric means, peak memory.

Time is CPU time (user and system, with waited-for children), the median of the runs; for what uses
two CPUs it is the wall clock.  Programs are pinned to one CPU.

usage: run.py [--guest aarch64|x86_64|i386] [--emu PROGRAM] [--references DIR] [--roots DIR] [--build DIR] [--runs N]
              [--only NAME,CATEGORY,...]
"""
import argparse
import hashlib
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import inputs

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
# Guest: compiler, Debian's name of it, its multiarch triplet.
GUESTS = {
    'aarch64': ('aarch64-linux-gnu-gcc', 'arm64', 'aarch64-linux-gnu'),
    'x86_64': ('gcc', 'amd64', 'x86_64-linux-gnu'),
    'i386': ('i686-linux-gnu-gcc', 'i386', 'i386-linux-gnu'),
}
SCALAR = '-O2 -fno-tree-vectorize'

# Own C programs: name, category, source, compiler flags, arguments.
PROGRAMS = [
    ('dhry', 'int', 'dhry', '-O2', '8000000'),
    ('intmix', 'int', 'intmix', '-O2', '12'),
    ('bignum', 'int', 'bignum', '-O2', '400000'),
    ('hash', 'int', 'hash', '-O2', '12'),
    ('fib', 'call', 'fib', '-O2', '38'),
    ('interp', 'call', 'interp', '-O2', '6000000'),
    ('icall', 'call', 'icall', '-O2', '600'),
    ('strmem', 'mem', 'strmem', '-O2', '80000'),
    ('byteloop', 'mem', 'byteloop', SCALAR, '6000'),
    ('nbody', 'fp', 'nbody', '-O2', '1500000'),
    ('spectral', 'fp', 'spectral', '-O2', '1800'),
    ('linpack', 'fp', 'linpack', SCALAR, '30'),
    ('fft+libm', 'fp', 'fft', SCALAR, '1000'),
    ('fpmix', 'fp', 'fpmix', '-O2', '700'),
    ('simd', 'simd', 'simd', '-O3', '30000'),
    ('simdfp', 'simd-fp', 'simdfp', '-O3 -ffast-math', '2500'),
    ('getppid', 'syscall', 'syscalls', '-O2', '2000000 g'),
    ('rw1', 'syscall', 'syscalls', '-O2', '1000000 r'),
    ('mmap', 'syscall', 'syscalls', '-O2', '200000 m'),
    ('clock', 'vdso', 'syscalls', '-O2', '4000000 c'),
    ('signal', 'signal', 'syscalls', '-O2', '300000 s'),
    ('mutex-1thr', 'thread', 'atomic', '-O2', '12000000 1'),
    ('mutex-2thr-1cpu', 'thread', 'atomic', '-O2', '6000000 2'),
    ('mutex-2thr-2cpu', 'thread', 'atomic', '-O2', '1500000 2'),
    ('coldcode x1', 'translate', 'cold', '-O1', '1'),
]
TWO_CPUS = {'mutex-2thr-2cpu'}

# Debian's programs: name, category, program, arguments ({s} scripts, {d} made inputs).
APPLICATIONS = [
    ('lua5.4', 'app-interp', '/usr/bin/lua5.4', '{s}/bench.lua 6'),
    ('python3', 'app-interp', '/usr/bin/python3.11', '-S -E {s}/bench.py 800'),
    ('python3 startup', 'startup', '/usr/bin/python3.11', '-S -c import_json'),
    ('sqlite3', 'app-int', '/usr/bin/sqlite3', ':memory: .read_{s}/db.sql'),
    ('xz -6 2MB', 'app-int', '/usr/bin/xz', '-6 -T1 -c {d}/f2'),
    ('zstd -3 20MB', 'app-int', '/usr/bin/zstd', '-3 -q --single-thread -c {d}/f20'),
    ('gzip -6 5MB', 'app-int', '/bin/gzip', '-6 -c {d}/f5'),
    ('cc1 -O2', 'app-int', '/usr/lib/gcc/{t}/12/cc1', '-O2 -quiet {d}/cc1.i -o /dev/null'),
    ('openssl sha256', 'crypto', '/usr/bin/openssl', 'dgst -sha256 {d}/f20 {d}/f20 {d}/f20'),
    ('openssl md5', 'crypto', '/usr/bin/openssl', 'dgst -md5 {d}/f20'),
    ('openssl aes128-ctr', 'crypto', '/usr/bin/openssl',
     f'enc -aes-128-ctr -K {"0" * 32} -iv {"0" * 32} -in {{d}}/f20'),
    ('openssl chacha20', 'crypto', '/usr/bin/openssl',
     f'enc -chacha20 -K {"0" * 64} -iv {"0" * 32} -in {{d}}/f20'),
    ('openssl prime1279', 'crypto', '/usr/bin/openssl', f'prime -checks 200 -hex 7{"F" * 319}'),
    ('luajit', 'jit', '/usr/bin/luajit', '{s}/jit.lua 10'),
    ('node', 'jit', '/usr/bin/node', '{s}/jit.js 3'),
    ('node startup', 'startup', '/usr/bin/node', '-e 0'),
    ('dd bs=1', 'syscall', '/bin/dd', 'if=/dev/zero of=/dev/null bs=1 count=300000 status=none'),
]
NATIVE_TRIPLET = 'x86_64-linux-gnu'


class Workload:
    """@native and @guest: commands; the guest's is what the emulator gets."""

    def __init__(self, name, category, native, guest, wrap=(), options=()):
        self.name, self.category = name, category
        self.native, self.guest = native, guest
        self.wrap, self.options = list(wrap), list(options)
        self.cpus = {0, 1} if name in TWO_CPUS else {0}

    def command(self, emulator):
        if not emulator:
            return self.wrap + self.native
        return self.wrap + [emulator] + self.options + self.guest


class Suite:
    """Compiles and lists the workloads."""

    def __init__(self, args):
        self.build = os.path.abspath(args.build)
        self.compiler, self.arch, self.triplet = GUESTS[args.guest]
        self.only = set(filter(None, (args.only or '').split(',')))
        self.roots = os.path.abspath(args.roots)
        self.data = f'{self.build}/data'
        sys.argv[1:] = [self.data]
        inputs.main()
        os.chdir(TOP)

    def wanted(self, name, category):
        return not self.only or name in self.only or category in self.only

    def compile(self, source, flags, compiler, arch):
        path = f'{self.data}/cold.c' if source == 'cold' else f'{HERE}/src/{source}.c'
        out = f'{self.build}/{arch}/{source}'
        if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(path):
            os.makedirs(os.path.dirname(out), exist_ok=True)
            subprocess.run([compiler, *flags.split(), '-static', '-w', '-o', out, path, '-lm',
                            '-pthread'], check=True)
        return out

    def pair(self, source, flags):
        return (self.compile(source, flags, 'gcc', 'amd64'),
                self.compile(source, flags, self.compiler, self.arch))

    def programs(self):
        for name, category, source, flags, arguments in PROGRAMS:
            if self.wanted(name, category):
                native, guest = self.pair(source, flags)
                yield Workload(name, category, [native, *arguments.split()],
                               [guest, *arguments.split()])

    def native_command(self, path):
        """A program of the amd64 root, with that root's libraries."""
        root = f'{self.roots}/amd64'
        libraries = ':'.join(f'{root}{d}/x86_64-linux-gnu' for d in ('/lib', '/usr/lib'))
        return [f'{root}/lib64/ld-linux-x86-64.so.2', '--library-path', libraries, root + path]

    def applications(self):
        root = f'{self.roots}/{self.arch}'
        if not os.path.isdir(root):
            print(f'# no root file system of {self.arch}: programs of Debian are left out')
            return
        values = {'s': f'{HERE}/scripts', 'd': self.data}
        for name, category, path, arguments in APPLICATIONS:
            if not self.wanted(name, category):
                continue
            words = [w.replace('import_json', 'import json').replace('.read_', '.read ')
                     for w in arguments.format(**values).split()]
            native = self.native_command(path.format(t=NATIVE_TRIPLET)) + words
            guest = [root + path.format(t=self.triplet), *words]
            if 'node' in path:      # looks for files in /usr/share: natively it needs a chroot
                native = self.chroot(path, words)
            yield Workload(name, category, native, guest, options=['-L', root])

    def chroot(self, path, words):
        """Natively inside the amd64 root; the script is copied there."""
        root = f'{self.roots}/amd64'
        for w in words:
            if w.startswith(HERE):
                open(f'{root}/tmp/{os.path.basename(w)}', 'w').write(open(w).read())
        words = [f'/tmp/{os.path.basename(w)}' if w.startswith(HERE) else w for w in words]
        enter = [] if os.getuid() == 0 else ['/usr/bin/unshare', '-r']
        return [*enter, '/usr/sbin/chroot', root, path, *words]

    def startups(self):
        if self.wanted('true-static x200', 'startup') or self.wanted('true-dynamic x200', 'startup'):
            many = [self.pair('forker', '-O2')[0], '200']
            native, guest = self.pair('true', '-O2')
            yield Workload('true-static x200', 'startup', [native], [guest], many)
            root = f'{self.roots}/{self.arch}'
            if os.path.isdir(root):
                yield Workload('true-dynamic x200', 'startup', self.native_command('/bin/true'),
                               [f'{root}/bin/true'], many, ['-L', root])

    def workloads(self):
        return [*self.programs(), *self.startups(), *self.applications()]


class Result:
    def __init__(self):
        self.seconds, self.peak_kib, self.status, self.output = [], 0, 0, ''

    def median(self):
        return statistics.median(self.seconds)


def run_once(launcher, command, cpus, result):
    usable = os.sched_getaffinity(0)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile('w+') as report:
        subprocess.run([launcher, str(report.fileno()), *command], stdin=subprocess.DEVNULL,
                       stdout=out, stderr=subprocess.DEVNULL, pass_fds=[report.fileno()],
                       preexec_fn=lambda: os.sched_setaffinity(0, cpus & usable or usable))
        report.seek(0)
        out.seek(0)
        cpu, wall, peak, status = report.read().split()
        result.output = hashlib.md5(out.read()).hexdigest()
    result.seconds.append(float(wall if len(cpus) > 1 else cpu))
    result.peak_kib = max(result.peak_kib, int(peak))
    result.status = os.waitstatus_to_exitcode(int(status))


def measure(launcher, workload, emulators, runs):
    """name -> Result; the columns take turns, so that a disturbance hits all."""
    results = {name: Result() for name in emulators}
    for _ in range(runs):
        for name, emulator in emulators.items():
            run_once(launcher, workload.command(emulator), workload.cpus, results[name])
    return results


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float('nan')


class Table:
    def __init__(self, emulators):
        self.columns = [n for n in emulators if n != 'native']
        self.references = [n for n in self.columns if n != 'emu']
        self.rows, self.failed = [], []
        heads = ''.join(f'{c:>8s}' for c in self.columns)
        print(f'{"workload":19s}{"category":11s}{"native_s":>9s}{heads}{"emu/ref":>9s}'
              f'{"emu_MiB":>9s}  notes')

    def add(self, w, results):
        native = results['native']
        notes = [f'{c}: status {r.status}' for c, r in results.items() if r.status]
        # The guest's compiler may fuse multiply and add where the native one does not: what counts
        # is that Emu prints what a reference prints.
        good = {results[c].output for c in ['native', *self.references] if c in results}
        if 'emu' in results and not results['emu'].status and results['emu'].output not in good:
            notes.append('other output')
        share = {c: native.median() / max(results[c].median(), 1e-6)
                 for c in self.columns if not results[c].status and not native.status}
        best = max((share[c] for c in self.references if c in share), default=None)
        ratio = share['emu'] / best if best and 'emu' in share else None
        if ratio and ratio < .97:
            notes.append('slower than a reference')
        if len(share) == len(self.columns):
            self.rows.append((w.category, share, ratio))
        else:
            self.failed.append(w.name)
        memory = results['emu'].peak_kib / 1024 if 'emu' in results else 0
        cells = ''.join(f'{share[c]:8.3f}' if c in share else f'{"-":>8s}' for c in self.columns)
        ratio = f'{ratio:9.2f}' if ratio else f'{"-":>9s}'
        print(f'{w.name:19s}{w.category:11s}{native.median():9.3f}{cells}{ratio}{memory:9.1f}  '
              f'{"; ".join(notes)}', flush=True)

    def summary(self):
        print('\ngeometric means: fraction of native speed')
        categories = sorted({r[0] for r in self.rows}, key=[r[0] for r in self.rows].index)
        for category in categories + ['all']:
            rows = [r for r in self.rows if category in (r[0], 'all')]
            cells = ''.join(f'{geometric_mean([s[c] for _, s, _ in rows]):8.3f}'
                            for c in self.columns)
            ratios = [r for _, _, r in rows if r]
            ratio = f'{geometric_mean(ratios):9.2f}' if ratios else ''
            print(f'{category:19s}{"n=" + str(len(rows)):20s}{cells}{ratio}')
        slower = [r for r in self.rows if r[2] and r[2] < .97]
        print(f'\n{len(slower)} of {len(self.rows)} slower than the better reference' +
              (f'; failed: {", ".join(self.failed)}' if self.failed else ''))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--guest', default='aarch64', choices=GUESTS)
    ap.add_argument('--emu', help='default: build/qemu-GUEST')
    ap.add_argument('--references', help='folder of emulators; default: build/reference/GUEST')
    ap.add_argument('--roots', default=f'{TOP}/build/root')
    ap.add_argument('--build', default=f'{TOP}/build/bench')
    ap.add_argument('--runs', type=int, default=5)
    ap.add_argument('--only', help='names or categories, separated by commas')
    args = ap.parse_args()
    args.emu = args.emu or f'{TOP}/build/qemu-{args.guest}'
    args.references = args.references or f'{TOP}/build/reference/{args.guest}'

    os.environ.update(PYTHONHOME='/usr', PYTHONDONTWRITEBYTECODE='1', LC_ALL='C')
    emulators = {'native': None}
    if os.path.isdir(args.references):
        for name in sorted(os.listdir(args.references)):
            if not name.startswith('.'):
                emulators[name] = os.path.abspath(f'{args.references}/{name}')
    if args.emu:
        emulators['emu'] = os.path.abspath(args.emu)
    cpu = next((l.split(':')[1].strip() for l in open('/proc/cpuinfo') if 'model name' in l), '?')
    print(f'# {time.strftime("%Y-%m-%d")}, {cpu}, Linux {platform.release()}, '
          f'median of {args.runs}')
    suite = Suite(args)
    table = Table(emulators)
    launcher = suite.compile('launch', '-O2', 'gcc', 'amd64')
    for w in suite.workloads():
        table.add(w, measure(launcher, w, emulators, args.runs))
    table.summary()


if __name__ == '__main__':
    main()
