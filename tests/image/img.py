#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu-img beside the reference: the same command lines, each side in a folder of its own, print the same
text, end with the same status and leave the same files.

The command lines are in img/*.test.  "== NAME" begins a test; the lines below are run by bash one by one,
with qemu-img and qemu-io being the side's own; ref-img and ref-io are the reference on both sides,
our-img and our-io are ours.  Lines that begin with

    needs FORMAT...         skip the test unless these formats are built in
    differ REGEX # REASON   take out what matches, on both sides, in the output of this test
    loop                    an 8 MiB loop device, its name in the file "loop"; skips where there is none
    mounts                  skip the test where nobody may mount in a name space of his own
    quiet COMMAND           run it, but compare only its status
    ours COMMAND            run it on our side only (on the other nothing happens); status must be 0
    same FILE...            compare these files' contents, byte for byte
    alike FILE...           compare the disks in these images, through the reference's `compare`
    clean FILE...           the reference's `check` finds nothing wrong

IMG_ONLY=WORD runs the tests with WORD in their names."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.path.abspath(os.environ.get('EMU_BIN', os.path.join(TOP, 'build')))
ONLY = os.environ.get('IMG_ONLY', '')
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'img')
LIMIT = 60

# What differs everywhere, and why.
EVERYWHERE = [
    (r"(?m)^Did you mean '.*'\?\n|; did you mean '.*'\?", ''),   # we say the nearest right word
    (r'(?m) +$', ''),                                            # blanks at the ends of lines
    (r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', 'DATE'),                   # of snapshots
    (r'"date-(n?sec)": \d+', r'"date-\1": TIME'),
]


class Side:
    def __init__(self, name, work):
        self.folder = os.path.join(work, name)
        self.bin = os.path.join(work, name + '-bin')
        os.mkdir(self.bin)
        own = OURS if name == 'ours' else '/usr/bin'
        for tool in ('img', 'io', 'nbd'):
            for prefix, where in (('qemu', own), ('ref', '/usr/bin'), ('our', OURS)):
                # A link would do for us, but the reference's messages begin with argv[0].
                with open(os.path.join(self.bin, f'{prefix}-{tool}'), 'w') as f:
                    f.write(f'#!/bin/sh\nexec {shlex.quote(where)}/qemu-{tool} "$@"\n')
                os.chmod(f.name, 0o755)
        self.env = dict(os.environ, PATH=self.bin + ':' + os.environ['PATH'], TZ='UTC')
        self.ours = name == 'ours'

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)

    def run(self, line):
        try:
            r = subprocess.run(['bash', '-c', line], cwd=self.folder, env=self.env, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=LIMIT, errors='replace')
        except subprocess.TimeoutExpired:
            return 'timeout', ''
        return r.returncode, r.stdout


def sorted_name(m):
    """The reference writes json: names in the order of its hash table."""
    try:
        return 'json:' + json.dumps(json.loads(m[1]), sort_keys=True)
    except ValueError:
        return m[0]


class Loop:
    """One loop device, for both sides in turn: they are to print the same name."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.file.truncate(8 << 20)
        r = subprocess.run(['losetup', '-f', '--show', self.file.name], text=True,
                           capture_output=True)
        self.name = r.stdout.strip() if r.returncode == 0 else None

    def empty(self):
        self.file.truncate(0)
        self.file.truncate(8 << 20)

    def close(self):
        if self.name:
            subprocess.run(['losetup', '-d', self.name])


class Test:
    def __init__(self, name):
        self.name, self.lines, self.differ, self.needs = name, [], [], []
        self.loop = None

    def add(self, line):
        word, _, rest = line.partition(' ')
        if word == 'needs':
            self.needs += rest.split()
        elif word == 'differ':
            pattern, mark, reason = rest.partition(' # ')
            if not mark:
                sys.exit(f'{self.name}: "{line}" has no reason')
            self.differ.append(pattern)
        else:
            self.lines.append(line)

    def normal(self, text):
        for pattern, by in EVERYWHERE:
            text = re.sub(pattern, by, text)
        text = re.sub(r'json:(\{.*\})', sorted_name, text)
        for pattern in self.differ:
            text = re.sub('(?m)' + pattern, '', text)
        return text


def load():
    tests = []
    for file in sorted(os.listdir(HERE)):
        if not file.endswith('.test'):
            continue
        for line in re.sub(r'\\\n\s*', '', open(os.path.join(HERE, file)).read()).splitlines():
            if line.startswith('== '):
                tests.append(Test(f'{file[:-5]}, {line[3:]}'))
            elif line and not line.startswith('#'):
                tests[-1].add(line)
    return tests


def same_bytes(sides, file):
    a, b = (os.path.join(s.folder, file) for s in sides)
    r = subprocess.run(['cmp', a, b], text=True, capture_output=True)
    return r.returncode == 0, r.stdout + r.stderr


def alike(sides, file):
    a, b = (os.path.join(s.folder, file) for s in sides)
    r = subprocess.run(['/usr/bin/qemu-img', 'compare', a, b], text=True, capture_output=True)
    return r.returncode == 0, r.stdout + r.stderr


def clean(sides, file):
    a = os.path.join(sides[1].folder, file)
    r = subprocess.run(['/usr/bin/qemu-img', 'check', a], text=True, capture_output=True)
    return r.returncode == 0, r.stdout + r.stderr


FILES = {'same': same_bytes, 'alike': alike, 'clean': clean}


def run_side(test, side, line):
    if test.loop:
        test.loop.empty()
        with open(os.path.join(side.folder, 'loop'), 'w') as f:
            f.write(test.loop.name)
    return side.run(line)


def step(test, sides, line):
    """None, or what is wrong."""
    word, _, rest = line.partition(' ')
    if word in FILES:
        for file in rest.split():
            good, detail = FILES[word](sides, file)
            if not good:
                return f'{line}: {file}\n{detail}'
        return None
    if word == 'ours':
        code, out = sides[1].run(rest)
        return None if code == 0 else f'{rest}\n{out}\nstatus {code}'
    want, got = (run_side(test, s, rest if word == 'quiet' else line) for s in sides)
    if word == 'quiet':
        want, got = (want[0], ''), (got[0], got[1] if got[0] != want[0] else '')
    if want[0] == got[0] and test.normal(want[1]) == test.normal(got[1]):
        return None
    return (f'$ {line}\nreference, status {want[0]}:\n{test.normal(want[1])}\n'
            f'ours, status {got[0]}:\n{test.normal(got[1])}')


def main():
    formats = subprocess.run([f'{OURS}/qemu-img', '--help'], text=True, capture_output=True)
    formats = formats.stdout.rpartition('Supported formats:')[2].split()
    if not os.path.exists('/usr/bin/qemu-img'):
        print('needs qemu-img\nskip img, runs')
        return
    work = tempfile.mkdtemp(prefix='emu-img-')
    sides = Side('ref', work), Side('ours', work)
    for test in load():
        if ONLY not in test.name:
            continue
        missing = [f for f in test.needs if f not in formats]
        if missing:
            print(f'needs {" ".join(missing)} in our build\nskip img {test.name}')
            continue
        if 'loop' in test.lines:
            test.loop = Loop()
            test.lines.remove('loop')
        if 'mounts' in test.lines:
            test.lines.remove('mounts')
            if subprocess.run(['unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'],
                              capture_output=True).returncode:
                print(f'no private mounts here\nskip img {test.name}')
                continue
        if test.loop and not test.loop.name:
            print(f'no loop device can be had here\nskip img {test.name}')
            continue
        for s in sides:
            s.fresh()
        wrong = next(filter(None, (step(test, sides, l) for l in test.lines)), None)
        if test.loop:
            test.loop.close()
        print(f'{wrong}\nfail img {test.name}' if wrong else f'pass img {test.name}', flush=True)
    shutil.rmtree(work)


if __name__ == '__main__':
    main()
