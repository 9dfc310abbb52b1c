#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""convert --resume, killed with SIGKILL at random times: it goes on where it was, and what comes out is the disk.

CRASH_ROUNDS=N kills (default 12; `make crash` does 200), CRASH_SEED=N repeats a run.  Every round kills one
convert; a copy that ends before its time is compared, checked by the reference and begun anew."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IMG = os.path.abspath(os.environ.get('EMU_BIN', os.path.join(TOP, 'build'))) + '/qemu-img'
ROUNDS = int(os.environ.get('CRASH_ROUNDS', '12'))
SEED = int(os.environ.get('CRASH_SEED', str(random.randrange(1 << 30))))
MiB = 1 << 20
SIZE = 48 * MiB

# name, options of convert, format of the target
CASES = [
    ('raw', ['-O', 'raw'], 'raw'),
    ('qcow2', ['-O', 'qcow2'], 'qcow2'),
    ('small clusters', ['-O', 'qcow2', '-o', 'cluster_size=4k'], 'qcow2'),
    ('compressed', ['-c', '-O', 'qcow2'], 'qcow2'),
    ('any order', ['-W', '-m', '4', '-O', 'qcow2', '-o', 'extended_l2=on'], 'qcow2'),
]


def make_source(path, rng):
    with open(path, 'wb') as f:
        f.truncate(SIZE)
        for _ in range(60):
            f.seek(rng.randrange(SIZE // 4096 - 300) * 4096)
            f.write(rng.randbytes(4096) * rng.choice([1, 16, 64, 256]))


def run(*argv):
    r = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=300)
    return r.returncode, r.stdout


class Case:
    def __init__(self, name, options, fmt, work, rng):
        self.name, self.fmt, self.rng = name, fmt, rng
        self.out = f'{work}/{name.replace(" ", "-")}'
        self.src = f'{work}/src'
        self.line = [IMG, 'convert', '--resume', *options, self.src, self.out]
        self.kills = self.ends = self.continued = 0

    def round(self):
        """None, or what is wrong."""
        if os.path.exists(self.out + '.resume'):
            self.continued += 1
        # As fast as it goes, or slow enough that notes are taken while it works.
        rate, end = self.rng.choice([(0, 0.2), (8 * MiB, 2.5), (16 * MiB, 1.5)])
        line = self.line[:2] + ['-r', str(rate)] + self.line[2:]
        p = subprocess.Popen(line, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        try:
            out, _ = p.communicate(timeout=self.rng.uniform(0, end))
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
            p.communicate()
            self.kills += 1
            return None
        self.ends += 1
        return f'status {p.returncode}\n{out}' if p.returncode else self.verify()

    def finish(self):
        code, out = run(*self.line)
        return f'status {code}\n{out}' if code else self.verify()

    def verify(self):
        code, out = run('/usr/bin/qemu-img', 'compare', '-f', 'raw', '-F', self.fmt, self.src,
                        self.out)
        if code:
            return out
        if self.fmt != 'raw':
            code, out = run('/usr/bin/qemu-img', 'check', '-f', self.fmt, self.out)
            if code:
                return f'check: status {code}\n{out[-600:]}'
        if os.path.exists(self.out + '.resume'):
            return 'the note is still there'
        os.unlink(self.out)
        return None


def main():
    if not os.path.exists('/usr/bin/qemu-img'):
        print('needs qemu-img\nskip crash_convert, runs')
        return
    work = tempfile.mkdtemp(prefix='emu-crash-')
    rng = random.Random(SEED)
    make_source(f'{work}/src', rng)
    cases = [Case(*c, work, rng) for c in CASES]
    wrong = {}
    start = time.monotonic()
    for n in range(ROUNDS):
        case = cases[n % len(cases)]
        if case.name not in wrong:
            bad = case.round()
            if bad:
                wrong[case.name] = bad
    for case in cases:
        bad = wrong.get(case.name) or case.finish()
        print(f'seed {SEED}: {case.kills} kills, {case.continued} went on, {case.ends} ended')
        print(f'{bad}\nfail crash_convert, {case.name}' if bad else
              f'pass crash_convert, {case.name}', flush=True)
    print(f'{ROUNDS} rounds in {time.monotonic() - start:.0f} s')
    shutil.rmtree(work)


if __name__ == '__main__':
    main()
