#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs groups of tests and prints one summary line: "N passed, N failed, N skipped".

Every test program speaks the same small language on its standard output: any number of lines
of detail, then "pass NAME", "fail NAME", or "skip NAME" (tests/README.md).  A program that ends
badly without having said so is one failure more, and so is a skip without a reason.  Names listed in
tests/known-failures count as skipped when they fail, with the reason given there; what else may be
skipped with --skips=listed is in tests/allowed-skips.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
RESULT = re.compile(r'^(pass|fail|skip) (.*)$')


class Job:
    """One program to run: its results have the form (verdict, name, detail lines)."""

    def __init__(self, name, command, limit, opts='', suffix='', **env):
        self.name, self.command, self.limit, self.env = name, command, limit, env
        self.opts, self.suffix = opts, suffix   # of Emu; behind the names of results

    def run(self, env):
        start = time.monotonic()
        env = dict(env, **self.env)
        if self.opts:
            env['EMU_OPTS'] = f'{env.get("EMU_OPTS", "")} {self.opts}'.strip()
        try:
            p = subprocess.Popen(self.command, cwd=TOP, env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        except OSError as e:
            return [('fail', f'{self.name}, starts', [str(e)])], 0
        try:
            out, _ = p.communicate(timeout=self.limit)
            end = f'ended with status {p.returncode}' if p.returncode else ''
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, _ = p.communicate()
            end = f'still running after {self.limit} s'
        return self.parse(out.decode(errors='replace'), end), time.monotonic() - start

    def parse(self, text, end):
        results, detail = [], []
        for line in text.splitlines():
            m = RESULT.match(line)
            if m:
                results.append((m[1], m[2] + self.suffix, detail))
                detail = []
            else:
                detail.append(line)
        if end and not any(r[0] == 'fail' for r in results) or not results:
            results.append(('fail', f'{self.name}, runs to its end', detail + [end or 'no result']))
        return results


def scripts(folder, limit):
    return [Job(os.path.relpath(f, TESTS), [f], limit)
            for f in sorted(glob.glob(f'{TESTS}/{folder}/*'))
            if os.access(f, os.X_OK) and os.path.isfile(f)]


def unit_jobs(args):
    programs = [f for folder in ('unit/*', 'ir', 'dev') for f in glob.glob(f'{TESTS}/{folder}/*_test.c')]
    return [Job(os.path.relpath(f, TESTS), [f'{args.obj}/{os.path.relpath(f, TOP)[:-2]}'], 1200)
            for f in sorted(programs)]


def fuzz_jobs(args):
    targets = [os.path.basename(f)[5:-2] for f in sorted(glob.glob(f'{TOP}/fuzz/fuzz_*.c'))]
    return [Job(f'fuzz/{t}', ['fuzz/check.sh', f'{args.obj}/fuzz/fuzz_{t}', t], 120)
            for t in targets]


# Programs run in every tier of the translator, with the code that it keeps on disk new and old.
TIERS = {'cold': '--hot-after=never', 'hot': '--hot-after=1', 'background': '--background=on --hot-after=20'}
TCACHE_TWICE = """
first=$("$0"); printf '%s\\n' "$first"; n=$(ls "$TCACHE" | wc -l); "$0"
echo "$n files"; [ "$n" -gt 0 ] && r=pass || r=fail
if ! printf '%s\\n' "$first" | grep -q '^pass '; then r=skip; echo "no program of ${0##*/} ran"; fi
echo "$r tiers, ${0##*/} keeps translations"
"""
TIER_SCRIPTS = ('bash.sh', 'calls.sh', 'coreutils.sh')


def tier_jobs(args):
    jobs = []
    for script in TIER_SCRIPTS:
        path, cache = f'tests/programs/{script}', os.path.abspath(f'{args.obj}/tcache/{script}')
        shutil.rmtree(cache, ignore_errors=True)
        os.makedirs(cache)
        jobs += [Job(f'tiers/{name}/{script}', [path], 900, opts, f' [{name}]')
                 for name, opts in TIERS.items()]
        jobs.append(Job(f'tiers/tcache/{script}', ['sh', '-c', TCACHE_TWICE, path], 900,
                        f'--tcache={cache}', ' [tcache]', TCACHE=cache))
    return jobs


# The same programs of other architectures, beside the processor that we run on.  i386 has no Node.js, Java and LuaJIT in its root.
X86_SCRIPTS = ('bash.sh', 'compilers.sh', 'coreutils.sh', 'data.sh', 'languages.sh')
X86_64_SCRIPTS = ('jit.sh', 'python_tests.sh')


def x86_jobs(args):
    bin_, roots = os.path.dirname(os.path.abspath(args.emu)), os.environ.get('ROOTS', f'{TOP}/build/root')
    return [Job(f'programs/{guest}/{script}', [f'tests/programs/{script}'], 900, '', f' [{guest}]', EMU=f'{bin_}/qemu-{guest}',
                GUEST_ROOT=f'{roots}/{root}', NATIVE_ROOT=f'{roots}/{root}')
            for guest, root in (('x86_64', 'amd64'), ('i386', 'i386')) for script in X86_SCRIPTS + X86_64_SCRIPTS * (guest == 'x86_64')]


GROUPS = {
    'layers': lambda a: [Job('check-layers', ['tools/check-layers.py', a.obj], 60)],
    'lists': lambda a: [Job('check-lists', ['tools/check-lists.py'], 60),
                        Job('check-rows', ['tests/insn/check_rows.py'], 60)],
    'warnings': lambda a: [Job('check-warnings', ['tools/check-warnings.sh', a.flags], 300)],
    'docs': lambda a: [Job('check-docs', ['tools/check-docs.py'], 60)],
    'unit': unit_jobs,
    'fuzz': fuzz_jobs,
    'golden': lambda a: [Job('golden', ['tests/insn/golden.py', '--count',
                                        f'{a.obj}/tests/insn/count'], 60)],
    'insn': lambda a: [Job('insn', ['tests/insn/run.py', '--emu', a.emu], 600)],
    'sys': lambda a: [Job('sys', ['tests/sys/run.py', '--machine', f'{a.obj}/tests/sys/machine'], 900),
                      Job('sys x86', ['tests/sys/run_x86.py', '--machine', f'{a.obj}/tests/sys/machine_x86', '--programs',
                                  os.path.dirname(a.emu) or '.'], 900),
                      Job('sys cpuid', ['tests/sys/cpuid_models.py', '--programs', os.path.dirname(a.emu) or '.'], 600)],
    'random': lambda a: [Job('random', ['tests/insn/random_sequences.py', '--emu', a.emu, '-n',
                                        a.n, '--seconds', '60'], 900)],
    'machine': lambda a: scripts('machine', 600),
    'boot': lambda a: [Job('boot', ['tests/boot/guests.py', 'aarch64'], 1800),
                       Job('boot x86', ['tests/boot/guests.py', 'x86'], 1800), Job('boot gdb', ['tests/boot/gdb.py'], 600),
                       Job('boot screen', ['tests/boot/screen.py'], 900), Job('boot debian', ['tests/boot/debian.py'], 1800),
                       Job('boot debian-pc', ['tests/boot/debian_pc.py'], 900)],
    'cli': lambda a: scripts('cli', 300),
    'image': lambda a: scripts('image', 900),
    'programs': lambda a: scripts('programs', 900) + x86_jobs(a),
    'tiers': tier_jobs,
    'stress': lambda a: scripts('stress', 600),
}


def listed(path, variant):
    """name or pattern -> reason, of a list like tests/known-failures."""
    names = {}
    for line in open(path):
        name, _, reason = line.partition('#')
        name = name.strip()
        if name and not reason.strip():
            sys.exit(f'{path}: {name} has no reason')
        m = re.match(r'(san|tsan): (.*)', name)     # only in that variant
        if m:
            name = m[2] if m[1] == variant else ''
        if name:
            names[name] = reason.strip()
    return names


class Report:
    def __init__(self, variant, verbose, any_skip):
        self.verbose, self.any_skip = verbose, any_skip
        self.known = listed(f'{TESTS}/known-failures', variant)
        self.allowed = listed(f'{TESTS}/allowed-skips', variant)
        self.count = {'pass': 0, 'fail': 0, 'skip': 0}
        self.skipped = collections.defaultdict(list)    # reason -> names
        self.failed = []    # (name, detail lines)
        self.unsteady = []  # those of them that passed alone

    def skip(self, name, detail):
        """What a skip counts as."""
        if not detail:
            return 'fail', ['is skipped without a reason']
        if not self.any_skip and not any(fnmatch.fnmatchcase(name, p) for p in self.allowed):
            return 'fail', detail + ['is skipped, but not listed in tests/allowed-skips']
        self.skipped[detail[-1].strip()].append(name)
        return 'skip', detail

    def add(self, job, results, seconds):
        for verdict, name, detail in results:
            if verdict == 'fail' and name in self.known:
                verdict, detail = 'skip', [f'known failure: {self.known[name]}']
                self.skipped[detail[0]].append(name)
            elif verdict == 'skip':
                verdict, detail = self.skip(name, detail)
            elif verdict == 'pass' and name in self.known:
                detail = detail + ['is listed in tests/known-failures but passes: take it out']
            self.count[verdict] += 1
            if verdict == 'fail':
                self.failed.append((name, detail))
            if verdict == 'fail' or self.verbose or name in self.known:
                print(f'{verdict} {name}', *detail[-60:], sep='\n    ')
        if self.verbose or seconds > 10:
            print(f'== {job.name}: {seconds:.1f} s')
        sys.stdout.flush()

    def summary(self):
        c = self.count
        for reason, names in sorted(self.skipped.items()):
            print(f'skipped: {reason}', *sorted(names)[:5], sep='\n    ')
            if len(names) > 5:
                print(f'    and {len(names) - 5} more')
        # Last and short: whoever sees only the end of a long log sees these.
        for what, results in (('unsteady', self.unsteady), ('failed', self.failed)):
            for name, detail in results[-20:]:
                print(f'{what}: {name}', *(line[:200] for line in detail[-5:]), sep='\n    ')
        print(f'{c["pass"]} passed, {c["fail"]} failed, {c["skip"]} skipped')
        return c['fail'] != 0

    def failures(self, results):
        return [name for verdict, name, _ in results if verdict == 'fail' and name not in self.known]

    def again(self, first, second):
        """What a program that failed beside others gives alone: if all is well then, its failures have passed, and are told."""
        if self.failures(second):
            return
        calm = [f for f in self.failed if f[0] in self.failures(first)]
        self.unsteady += calm
        self.failed = [f for f in self.failed if f not in calm]
        self.count['fail'] -= len(calm)
        self.count['pass'] += len(calm)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--emu', default='build/qemu-aarch64', help='the emulator under test')
    ap.add_argument('--obj', default='build/obj/release', help='where the unit tests were built')
    ap.add_argument('-n', default='200000', help='random instructions, at most; also 60 s')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    ap.add_argument('--opts', help='options of Emu itself for all its runs: EMU_OPTS')
    ap.add_argument('--flags', default='-Isrc -I. -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra',
                    help='how C files are compiled')
    ap.add_argument('--skips', choices=('any', 'listed'), default='any',
                    help='which tests may be skipped')
    ap.add_argument('--only', help='only programs whose name contains this')
    ap.add_argument('--again', type=int, default=0, metavar='N',
                    help='programs that failed, if at most N did, run again alone')
    ap.add_argument('-v', '--verbose', action='store_true')
    ap.add_argument('group', nargs='+', choices=sorted(GROUPS))
    args = ap.parse_args()

    jobs = [j for g in args.group for j in GROUPS[g](args)
            if not args.only or args.only in j.name]
    jobs.sort(key=lambda j: -j.limit)   # what may take long does not begin last
    env = dict(os.environ, EMU=os.path.abspath(args.emu), LC_ALL='C.UTF-8', TOP=TOP)
    # Not what a process leaves behind at its end; and signal stacks are the tests' own.
    env.setdefault('ASAN_OPTIONS', 'detect_leaks=0:use_sigaltstack=0')
    env.setdefault('TSAN_OPTIONS', f'suppressions={TESTS}/tsan.supp')
    for name in [n for n in env if n.startswith(('QEMU_', 'EMU_'))]:
        del env[name]
    env['EMU_BIN'] = os.path.dirname(env['EMU'])   # qemu-img and its kin
    if args.opts:
        env['EMU_OPTS'] = args.opts
    report = Report(os.path.basename(args.obj), args.verbose, args.skips == 'any')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(j.run, env): j for j in jobs}
        for f in concurrent.futures.as_completed(futures):
            report.add(futures[f], *f.result())
    failed = [(j, f.result()[0]) for f, j in futures.items() if report.failures(f.result()[0])]
    for job, first in failed if len(failed) <= args.again else ():
        second, seconds = job.run(env)
        print(f'== {job.name}, once more alone: {seconds:.1f} s', *report.failures(second), sep='\n    ', flush=True)
        report.again(first, second)
    sys.exit(report.summary())


if __name__ == '__main__':
    main()
