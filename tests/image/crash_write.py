#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random writes, zeroes and discards to qcow2, killed with SIGKILL at random times: the image opens afterwards, has at most
leaks, and every block holds what it held at the last flush that was answered, or something written since.

CRASH_ROUNDS=N kills (default 12; `make crash` does 200), CRASH_SEED=N repeats a run.  One image for each kind goes
through all of its rounds."""
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get('EMU_BIN', os.path.join(TOP, 'build')))
ROUNDS = int(os.environ.get('CRASH_ROUNDS', '12'))
SEED = int(os.environ.get('CRASH_SEED', str(random.randrange(1 << 30))))
MiB = 1 << 20
BLOCK = 4096
BLOCKS = 16 * MiB // BLOCK

# name, options of create, with a backing file
KINDS = [
    ('default', '', False),
    ('small clusters', 'cluster_size=4k', False),
    ('extended l2', 'extended_l2=on', False),
    ('lazy refcounts', 'lazy_refcounts=on', False),
    ('version 2', 'compat=0.10', False),
    ('one-bit refcounts', 'refcount_bits=1', False),
    ('overlay', '', True),
]


def run(*argv):
    r = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return r.returncode, r.stdout


class Kind:
    def __init__(self, name, options, backing, work, rng):
        self.name, self.rng = name, rng
        self.path = f'{work}/{name.replace(" ", "-")}.qcow2'
        self.flat = self.path + '.raw'
        self.may = [{0x77 if backing else 0} for _ in range(BLOCKS)]  # values a block may have
        line = [f'{BIN}/qemu-img', 'create', '-q', '-f', 'qcow2']
        if options:
            line += ['-o', options]
        if backing:
            line += ['-b', f'{work}/base', '-F', 'raw']
        code, out = run(*line, self.path, str(BLOCKS * BLOCK))
        assert code == 0, out
        self.kills = self.flushes = 0

    def commands(self):
        """Some requests at once, then everything is waited for, flushed, and answered by 'length'."""
        touched = {}
        lines = []
        for _ in range(self.rng.randrange(1, 24)):
            n = min(self.rng.choice([1, 1, 2, 16, 40, 200]), BLOCKS)
            at = self.rng.randrange(BLOCKS - n + 1)
            if any(b in touched for b in range(at, at + n)):
                continue  # two writes at once to one block could end in either order
            what = self.rng.choice(['write', 'write', 'write', 'zero', 'unmap', 'discard'])
            value = self.rng.randrange(1, 256) if what == 'write' else 0
            where = f'{at * BLOCK} {n * BLOCK}'
            lines.append({'write': f'aio_write -q -P {value} {where}', 'zero': f'aio_write -q -z {where}',
                          'unmap': f'aio_write -q -z -u {where}', 'discard': f'discard -q {where}'}[what])
            for b in range(at, at + n):
                touched[b] = value, what
        return lines + ['aio_flush', 'flush', 'length'], touched

    def round(self):
        """None, or what is wrong."""
        p = subprocess.Popen([f'{BIN}/qemu-io', '-f', 'qcow2', '-d', 'unmap', self.path], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        alarm = threading.Timer(self.rng.choice([0.02, 0.1, 0.4]) * self.rng.random(), p.kill)
        alarm.start()
        while True:
            lines, touched = self.commands()
            for b, (value, what) in touched.items():
                self.may[b].add(value)
                # What is given up shows zeros, what was there, or the backing file's.
                if what == 'discard':
                    self.may[b].add(0x77)
            try:
                p.stdin.write('\n'.join(lines) + '\n')
                p.stdin.flush()
            except BrokenPipeError:
                break
            out = ''
            while 'MiB' not in out:
                got = p.stdout.readline()
                if not got:
                    break
                out += got
            if 'MiB' not in out:
                break
            if 'rror' in out or 'failed' in out:
                p.kill()
                p.wait()
                return out
            self.flushes += 1
            for b, (value, what) in touched.items():
                self.may[b] = self.may[b] if what == 'discard' else {value}
        alarm.join()
        p.wait()
        p.stdout.close()
        self.kills += 1
        return self.verify()

    def verify(self):
        if self.name == 'lazy refcounts':  # they are put right when somebody opens the image to write
            code, out = run(f'{BIN}/qemu-io', '-f', 'qcow2', '-c', 'length', self.path)
            if code:
                return out
        for tool in (f'{BIN}/qemu-img', '/usr/bin/qemu-img'):
            code, out = run(tool, 'check', '-U', '-f', 'qcow2', self.path)
            if code not in (0, 3):  # 3: leaks
                return f'{tool} check: status {code}\n{out[-800:]}'
        code, out = run(f'{BIN}/qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', self.path, self.flat)
        if code:
            return out
        with open(self.flat, 'rb') as f:
            for b in range(BLOCKS):
                data = f.read(BLOCK)
                values = set(data)
                if not values <= self.may[b]:
                    return (f'block {b} holds {sorted(values)[:8]}, may hold {sorted(self.may[b])} '
                            f'after {self.flushes} flushes')
                self.may[b] = values
        return None


def main():
    if not os.path.exists('/usr/bin/qemu-img'):
        print('needs qemu-img\nskip crash_write, runs')
        return
    work = tempfile.mkdtemp(prefix='emu-crash-')
    rng = random.Random(SEED)
    with open(f'{work}/base', 'wb') as f:
        f.write(b'\x77' * (BLOCKS * BLOCK))
    kinds = [Kind(*k, work, rng) for k in KINDS]
    wrong = {}
    start = time.monotonic()
    for n in range(ROUNDS):
        kind = kinds[n % len(kinds)]
        if kind.name not in wrong:
            bad = kind.round()
            if bad:
                wrong[kind.name] = bad
    for kind in kinds:
        bad = wrong.get(kind.name)
        print(f'seed {SEED}: {kind.kills} kills, {kind.flushes} flushes')
        print(f'{bad}\nfail crash_write, {kind.name}' if bad else f'pass crash_write, {kind.name}', flush=True)
    print(f'{ROUNDS} rounds in {time.monotonic() - start:.0f} s')
    if not wrong:
        shutil.rmtree(work)
    else:
        print(f'images are in {work}')


if __name__ == '__main__':
    main()
