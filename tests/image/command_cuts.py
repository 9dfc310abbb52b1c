#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu-img's commands that change images, with each host write cut in turn, and then failing from there on.

Afterwards each image opens, for writing too (which repairs what the dirty bit tells of); both checks find at
most leaks, and disks and snapshots hold what they held.  A command whose writes fail says so in its status."""
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile

import suite
from suite import must

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.abspath(os.environ.get('EMU_BIN', os.path.join(HERE, '../../build')))
MAX_CUTS = 300
KEYS = ['--object', 'secret,id=old,data=old', '--object', 'secret,id=new,data=new']
LUKS = 'driver=luks,key-secret=old,file.filename=now'


def run(program, *argv, env=None):
    p = subprocess.run([f'{OURS}/{program}', *argv], text=True, errors='replace', timeout=60, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    return p.returncode, p.stdout


def good(program, *argv, env=None, status=0):
    got, out = run(program, *argv, env=env)
    must(got == status, program, *argv, f'status {got}: {out}')
    return out


def contents(*words, keep=4 << 20):
    """What the disk, or a snapshot of it, holds; without what growing added."""
    good('qemu-img', 'convert', *words, '-O', 'raw', 'raw')
    with open('raw', 'rb') as f:
        return f.read(keep)


def cut_at(n, error=None):
    env = {'CUT_AT': str(n), 'LD_PRELOAD': suite.preload(f'{OURS}/qemu-img', os.path.abspath('cut.so'))}
    return env | ({'CUT_ERROR': str(error)} if error else {})


def check(image):
    good('qemu-io', '-f', 'qcow2', '-c', 'read 0 512', image)
    for where in f'{OURS}/qemu-img', 'qemu-img':
        p = subprocess.run([where, 'check', '-f', 'qcow2', image], capture_output=True, text=True, timeout=60)
        must(p.returncode in (0, 3), f'{where} check {image}:', p.stdout[:600], p.stderr[:600])


class Case:
    """An image called now, what is to be done with it, and what it has to hold."""
    def __init__(self, name, options, *command):
        self.name, self.options = name, ['-o', options] if options else []
        self.command = [*command, *['IMAGE'] * ('IMAGE' not in command and LUKS not in command), *['b'] * (command[0] == 'bitmap')]
        self.command = ['now' if w == 'IMAGE' else w for w in self.command]

    def make(self):
        packed = '4k' if 'cluster_size=4k' in ''.join(self.options) else '64k'
        good('qemu-img', 'create', '-q', '-f', 'qcow2', *self.options, 'now', '4M')
        good('qemu-io', '-c', 'write -P 1 0 1M', '-c', 'write -z 2M 64k', 'now')
        good('qemu-img', 'snapshot', '-c', 'one', 'now')
        good('qemu-io', '-c', 'write -P 2 512k 700k', '-c', f'write -c -P 3 3M {packed}', 'now')

    def holds(self):
        snapshots = good('qemu-img', 'snapshot', '-l', 'now')
        # Whose deletion has been done already is not looked for.
        one = contents('-f', 'qcow2', '-l', 'one', 'now') if '-d' not in self.command or 'one' in snapshots else None
        return {'the disk': contents('-f', 'qcow2', 'now'), 'the snapshot': one}

    def look(self):
        check('now')

    def done(self):
        """What the command changes, for comparison: sizes, snapshots, options."""
        info = json.loads(good('qemu-img', 'info', '-U', '--output=json', 'now'))
        snapshots = [x['name'] for x in info.get('snapshots', [])]
        return snapshots, [info.get(k) for k in ('virtual-size', 'backing-filename')], info.get('format-specific')


class Overlay(Case):
    """now lies over base, and both may be written."""
    def make(self):
        good('qemu-img', 'create', '-q', '-f', 'qcow2', 'base', '4M')
        good('qemu-io', '-c', 'write -P 1 0 1M', '-c', 'write -P 4 3M 256k', 'base')
        good('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'qcow2', *self.options, 'now')
        good('qemu-io', '-c', 'write -P 2 512k 700k', '-c', 'write -z 3M 64k', '-c', 'write -c -P 3 2M 64k', 'now')

    def holds(self):
        return {'the disk': contents('-f', 'qcow2', 'now')}

    def look(self):
        check('base')
        check('now')

    def done(self):
        return super().done(), contents('-f', 'qcow2', 'base')


class Leaky(Case):
    """A write to it was cut so that clusters are lost."""
    def make(self):
        super().make()
        shutil.copy('now', 'sound')
        for n in range(1, MAX_CUTS):
            shutil.copy('sound', 'now')
            run('qemu-io', '-f', 'qcow2', '-c', 'write -P 5 1536k 300k', 'now', env=cut_at(n))
            if run('qemu-img', 'check', '-q', 'now')[0] == 3:
                return
        must(False, 'no cut made it leak')

    def done(self):
        return run('qemu-img', 'check', '-q', 'now')[0]


class Luks(Case):
    """Its first passphrase has to open it, whatever is done with others."""
    def make(self):
        good('qemu-img', 'create', '-q', '-f', 'luks', *KEYS, '-o', 'key-secret=old,iter-time=10', 'now', '1M')
        good('qemu-io', *KEYS, '--image-opts', LUKS, '-c', 'write -P 6 0 1M')
        if 'state=inactive' in ''.join(self.command):
            good('qemu-img', 'amend', *KEYS, '-o', 'state=active,new-secret=new,keyslot=1,iter-time=10', '--image-opts', LUKS)

    def holds(self):
        return {'the disk': contents(*KEYS, '--image-opts', LUKS)}

    def look(self):
        good('qemu-io', *KEYS, '--image-opts', LUKS, '-c', 'read -P 6 0 1M')

    def done(self):
        return run('qemu-io', *KEYS, '--image-opts', LUKS.replace('old', 'new'), '-c', 'read -P 6 0 1M')[0]


CASES = [
    Case('making a snapshot', '', 'snapshot', '-c', 'two'),
    Case('deleting a snapshot', '', 'snapshot', '-d', 'one'),
    Case('making a snapshot, extended L2', 'extended_l2=on', 'snapshot', '-c', 'two'),
    Case('growing', '', 'resize', '-q', '-f', 'qcow2', 'IMAGE', '600M'),
    Case('growing the L1 table', 'cluster_size=4k', 'resize', '-q', '-f', 'qcow2', 'IMAGE', '9G'),
    Case('other refcounts', '', 'amend', '-o', 'refcount_bits=32'),
    Case('version 2', '', 'amend', '-o', 'compat=0.10'),
    Case('lazy refcounts', '', 'amend', '-o', 'lazy_refcounts=on'),
    Case('a bitmap', '', 'bitmap', '--add'),
    Overlay('commit', '', 'commit', '-q'),
    Overlay('commit, extended L2', 'extended_l2=on', 'commit', '-q'),
    Overlay('commit, and the overlay stays full', '', 'commit', '-q', '-d'),
    Overlay('no backing file', '', 'rebase', '-f', 'qcow2', '-b', ''),
    Case('a backing file by name only', '', 'rebase', '-u', '-f', 'qcow2', '-b', 'other', '-F', 'raw'),
    Leaky('repair of leaks', '', 'check', '-q', '-r', 'leaks'),
    Luks('a passphrase more', '', 'amend', *KEYS, '-o', 'state=active,new-secret=new,keyslot=1,iter-time=10', '--image-opts', LUKS),
    Luks('a passphrase less', '', 'amend', *KEYS, '-o', 'state=inactive,keyslot=1', '--image-opts', LUKS),
]


def files():
    return [f for f in ('now', 'base') if os.path.exists(f)]


def one_cut(case, n, error, want, done=None):
    """The command with its @n-th write cut; its status.  @done: what is there when it is done."""
    for f in files():
        shutil.copy(f'saved/{f}', f)
    status, out = run('qemu-img', *case.command, env=cut_at(n, error))
    where = f'host write {n} {"fails" if error else "cut"}, status {status}: {out}'
    try:
        case.look()
        for what, before in want.items():
            now = case.holds()[what]
            must(now in (before, None), what, 'holds something else')
        if error and status == 0:
            must(case.done() == done, 'it has not done what it says')
    except suite.Failed as e:
        raise suite.Failed(where, *e.args) from None
    if error:
        must(status == 0 or status in (1, 2, 3) and out.strip(), where)
    else:
        must(status in (0, 99), where)
    return status


def cuts(case):
    for f in os.listdir('.'):
        if f not in ('cut.so', 'other', 'saved'):
            os.unlink(f)
    open('other', 'wb').truncate(4 << 20)
    case.make()
    os.makedirs('saved', exist_ok=True)
    for f in files():
        shutil.copy(f, f'saved/{f}')
    want = case.holds()
    n = 1
    while one_cut(case, n, None, want):
        n += 1
        must(n < MAX_CUTS, 'cut again and again')
    must(n > 1, 'nothing was cut')
    done = case.done()
    for k in range(1, n):
        one_cut(case, k, errno.EIO, want, done)


def main():
    folder = tempfile.mkdtemp(prefix='emu-cuts-')
    os.chdir(folder)
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o', 'cut.so',
                    f'{HERE}/cut.c', '-ldl'], check=True)
    for case in CASES:
        if sys.argv[1:] and case.name not in sys.argv[1:]:
            continue
        suite.report(f'command cuts, {case.name}', cuts, case)
    os.chdir('/')
    shutil.rmtree(folder)


if not shutil.which('qemu-img'):
    print("needs the reference's qemu-img\nskip command cuts")
    sys.exit()
main()
