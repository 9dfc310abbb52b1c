#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qcow2: checking, repairing, amending, measuring and bitmaps say and do what the reference's do.

Where they differ on purpose, the case says why."""
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

import suite

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.environ.get('EMU_BIN', os.path.join(TOP, 'build'))
SIDES = {'want': '', 'got': OURS + '/'}
COPIED = 1 << 63
FAR = 0x100000000


def run(*argv):
    p = subprocess.run(argv, text=True, errors='replace', timeout=60, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode, p.stdout


def must(*argv):
    status, out = run(*argv)
    if status:
        raise suite.Failed(f'{" ".join(argv)}: status {status}\n{out[:500]}')
    return out


class Image:
    """Numbers in an image file, poked from outside."""

    def __init__(self, path):
        self.path = path

    def get(self, off, form='>Q'):
        with open(self.path, 'rb') as f:
            f.seek(off)
            return struct.unpack(form, f.read(struct.calcsize(form)))[0]

    def put(self, off, value, form='>Q'):
        with open(self.path, 'r+b') as f:
            f.seek(off)
            f.write(struct.pack(form, value))

    l1 = property(lambda self: self.get(40))
    l2 = property(lambda self: self.get(self.l1) & 0xfffffffffffe00)
    reftable = property(lambda self: self.get(48))
    refblock = property(lambda self: self.get(self.reftable))

    def cluster(self, i):
        return self.get(self.l2 + 8 * i) & 0xfffffffffffe00

    def count(self, host, value):
        self.put(self.refblock + 2 * (host >> 16), value, '>H')


# name, what is done to the image, traits: 'better' we repair what the reference cannot, 'elsewhere' our new refcounts
# lie behind the end, so that nothing old is overwritten before the header switches
DAMAGE = [
    ('nothing', lambda i: None, ''),
    ('a leak', lambda i: i.put(i.l2 + 8 * 3, 0), ''),
    ('a count of zero', lambda i: i.count(i.cluster(3), 0), 'elsewhere'),
    ('a count too high', lambda i: i.count(i.cluster(3), 2), ''),
    ("an L2 table's count too high", lambda i: i.count(i.l2, 2), ''),
    ('two entries for one cluster', lambda i: i.put(i.l2 + 8 * 40, i.get(i.l2 + 8 * 3)), ''),
    ('an entry unaligned', lambda i: i.put(i.l2 + 8 * 4, i.get(i.l2 + 8 * 4) + 512), ''),
    ('a cluster past the end', lambda i: i.put(i.l2 + 8 * 50, COPIED | FAR), ''),
    ('reserved bits of an entry', lambda i: i.put(i.l2 + 8 * 50, COPIED | 1 << 57), ''),
    ('an L2 table past the end', lambda i: i.put(i.l1, COPIED | FAR), ''),
    ('refcount block unaligned', lambda i: i.put(i.reftable, i.refblock + 512), 'better'),
    ('refcount block past the end', lambda i: i.put(i.reftable, FAR), 'better'),
    ('a refcount block twice', lambda i: i.put(i.reftable + 8, i.refblock), 'elsewhere'),
    ('no refcount block', lambda i: i.put(i.reftable, 0), 'elsewhere'),
    ('no COPIED flag', lambda i: i.put(i.l2 + 8 * 4, i.get(i.l2 + 8 * 4) & ~COPIED), ''),
    ('compressed data past the end', lambda i: i.put(i.l2 + 8 * 50, 1 << 62 | FAR), ''),
    ('compressed and COPIED', lambda i: i.put(i.l2 + 8 * 50, 3 << 62 | i.cluster(3)), ''),
    ('a refcount block in the data', lambda i: i.put(i.reftable + 8, i.cluster(3)), 'elsewhere'),
    ('the corrupt bit', lambda i: i.put(72, 2), ''),
    ('the dirty bit', lambda i: i.put(72, 1), ''),
]


def lines_of(text, where):
    """Sorted, as the two write standard output and error in other orders; without what we say in advance."""
    keep = [l for l in text.replace(where, 'IMAGE').splitlines() if not l.startswith('Going to ')]
    return '\n'.join(sorted(keep))


def check_damage(damage, traits):
    outputs = {}
    for words in ((), ('-r', 'leaks'), ('-r', 'all'), ()):
        for side, where in SIDES.items():
            image = f'{side}.qcow2'
            if not os.path.exists(image):
                shutil.copy('base.qcow2', image)
                damage(Image(image))
            status, out = run(where + 'qemu-img', 'check', '-f', 'qcow2', *words, image)
            outputs[side] = f'status {status}\n' + lines_of(out, image)
        if 'elsewhere' in traits and 'all' in words:
            for side, text in outputs.items():
                outputs[side] = '\n'.join(l for l in text.splitlines() if 'offset:' not in l and
                                          'Repairing cluster' not in l)
        elif 'elsewhere' in traits and not words:
            for side, text in outputs.items():
                outputs[side] = '\n'.join(l for l in text.splitlines() if 'offset:' not in l)
        if 'better' not in traits and outputs['want'] != outputs['got']:
            raise suite.Failed(f'check {words}: want\n{outputs["want"]}\ngot\n{outputs["got"]}')
    if 'better' in traits:
        must('qemu-img', 'check', '-q', 'got.qcow2')
        must('qemu-img', 'compare', 'base.qcow2', 'got.qcow2')


def make_base(*commands):
    must('qemu-img', 'create', '-q', '-f', 'qcow2', 'base.qcow2', '8M')
    for c in commands:
        must('qemu-io', '-c', c, 'base.qcow2')


WRITES = ('write -P 1 0 1M', 'write -P 2 2M 512k', 'write -c 4M 64k', 'write -z 6M 64k',
          'write -P 3 7M 128k', 'write -z 7M 64k')


def amends(*options):
    """Each option in turn, by both; the contents stay, and so says the reference's check."""
    for side, where in SIDES.items():
        shutil.copy('base.qcow2', f'{side}.qcow2')
    for o in options:
        texts = [run(where + 'qemu-img', 'amend', '-f', 'qcow2', '-o', o, f'{side}.qcow2')
                 for side, where in SIDES.items()]
        if texts[0] != texts[1]:
            raise suite.Failed(f'amend -o {o}: want {texts[0]}, got {texts[1]}')
        must('qemu-img', 'check', '-q', 'got.qcow2')
        infos = [must('qemu-img', 'info', f'{side}.qcow2').replace(f'{side}.qcow2', '').splitlines()
                 for side in SIDES]
        infos = [[l for l in i if 'disk size' not in l] for i in infos]
        if infos[0] != infos[1]:
            raise suite.Failed(f'after amend -o {o}: want {infos[0]}, got {infos[1]}')
        must('qemu-img', 'compare', 'want.qcow2', 'got.qcow2')


def amend():
    make_base(*WRITES)
    # Not refcount_bits=1: the reference never ends when it is to become more.
    amends('compat=0.10', 'compat=0.10,lazy_refcounts=on', 'refcount_bits=8', 'compat=1.1',
           'lazy_refcounts=on', 'refcount_bits=64', 'refcount_bits=4', 'refcount_bits=3', 'size=12M',
           'compat=0.10', 'refcount_bits=16,lazy_refcounts=off', 'compat=v2', 'data_file=x', 'compat=2',
           'backing_fmt=raw', 'compat=v3,refcount_bits=32,lazy_refcounts=on,size=20M',
           'data_file_raw=on', 'encrypt.state=active')
    shutil.copy('base.qcow2', 'below.qcow2')
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'below.qcow2', '-F', 'qcow2', 'base.qcow2')
    for c in ('write -z 0 256k', 'write 128k 256k', 'write -z 2M 64k'):
        must('qemu-io', '-c', c, 'base.qcow2')
    must('qemu-img', 'snapshot', '-c', 'kept', 'base.qcow2')
    must('qemu-io', '-c', 'write -z 512k 64k', 'base.qcow2')
    amends('compat=0.10', 'compat=1.1', 'refcount_bits=32')
    must('qemu-img', 'snapshot', '-a', 'kept', 'got.qcow2')
    must('qemu-img', 'snapshot', '-a', 'kept', 'want.qcow2')
    must('qemu-img', 'compare', 'want.qcow2', 'got.qcow2')


def measure():
    make_base(*WRITES)
    must('qemu-img', 'bitmap', '--add', '-g', '512', 'base.qcow2', 'b')
    must('qemu-img', 'convert', '-O', 'qcow2', 'base.qcow2', 'plain.qcow2')
    sizes = [['--size', s] for s in ('0', '1', '513', '1G', '100M', '1T', '8191P', '4095G')]
    options = ('', 'cluster_size=512', 'cluster_size=2M', 'refcount_bits=1', 'refcount_bits=64',
               'extended_l2=on', 'preallocation=full', 'preallocation=metadata', 'cluster_size=1000',
               'compat=0.10')
    for o in options:
        for what in sizes + [['base.qcow2'], ['plain.qcow2']]:
            words = ['measure', '-O', 'qcow2'] + (['-o', o] if o else []) + what
            texts = [run(where + 'qemu-img', *words) for where in SIDES.values()]
            if texts[0] != texts[1]:
                raise suite.Failed(f'{" ".join(words)}: want {texts[0]}, got {texts[1]}')


def bitmaps():
    """The same commands by both; then the other side goes on."""
    steps = ['img bitmap --add IMAGE a', 'img bitmap --add -g 4k --disable IMAGE b',
             'io -c "write 100k 300k"', 'img bitmap --add -g 100 IMAGE c', 'img bitmap --add IMAGE a',
             'io -c "write -z 6M 1M" -c "discard 7M 64k"', 'img bitmap --merge a IMAGE b',
             'img bitmap --enable IMAGE b', 'io -c "write 3M 100"', 'img resize -q IMAGE 20M',
             'img bitmap --clear IMAGE a', 'io -c "write 15M 64k"', 'img resize -q --shrink IMAGE 4M',
             'img bitmap --remove IMAGE a', 'img bitmap --remove IMAGE a',
             'img bitmap --add IMAGE a --enable', 'img snapshot -c s IMAGE', 'img snapshot -a s IMAGE']
    for turn in range(2):
        for side in SIDES:
            must('qemu-img', 'create', '-q', '-f', 'qcow2', f'{side}.qcow2', '8M')
        for i, step in enumerate(steps):
            texts = []
            for side, where in SIDES.items():
                tool, words = step.split(' ', 1)
                words = words if 'IMAGE' in words else words + ' IMAGE'
                where = where if i % 2 == turn else ''     # Emu and the reference take turns
                texts.append(run('sh', '-c', f'{where}qemu-{tool} {words}'.replace(
                    'IMAGE', f'{side}.qcow2') + (' | grep -v ops' if tool == 'io' else '')))
            if texts[0][0] != texts[1][0] or (tool == 'img' and texts[0] != texts[1]):
                raise suite.Failed(f'{step}: want {texts[0]}, got {texts[1]}')
            for where in SIDES.values():
                must(where + 'qemu-img', 'check', '-q', 'got.qcow2')
            infos = [must(where + 'qemu-img', 'info', f'{side}.qcow2').replace(side, '')
                     for side in SIDES for where in SIDES.values()]
            infos = [[l for l in i.splitlines() if 'disk size' not in l and ':00.000' not in l]
                     for i in infos]
            if any(i != infos[0] for i in infos):
                raise suite.Failed(f'after {step}: info differs: {infos}')


def options():
    """Options that are refused are refused in the same words; others are taken."""
    make_base()
    for o in ('overlap-check=bad', 'overlap-check=all', 'cache-size=1M,l2-cache-size=2M',
              'cache-size=1M,l2-cache-size=1M,refcount-cache-size=1M', 'l2-cache-entry-size=100',
              'cache-size=1M,refcount-cache-size=2M', 'l2-cache-entry-size=4k,l2-cache-size=64k',
              'cache-clean-interval=5', 'cache-clean-interval=4294967295', 'cache-clean-interval=4294967296', 'lazy-refcounts=on', 'pass-discard-request=off', 'nosuch=1',
              'overlap-check.template=bad', 'overlap-check.template=none,overlap-check.active-l2=on',
              'overlap-check.active-l2=x', 'overlap-check.nosuch=on'):
        texts = [run(where + 'qemu-io', '-r', '--image-opts',
                     f'driver=qcow2,file.filename=base.qcow2,{o}', '-c', 'read -q 0 1')
                 for where in SIDES.values()]
        if texts[0] != texts[1]:
            raise suite.Failed(f'{o}: want {texts[0]}, got {texts[1]}')


def memory_of(interval):
    """KiB in use after 4 MiB of tables were read, and again when they were not used for some seconds."""
    p = subprocess.Popen([f'{OURS}/qemu-io', '--image-opts', f'driver=qcow2,file.filename=idle.qcow2,cache-clean-interval={interval}'],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rss():
        with open(f'/proc/{p.pid}/status') as f:
            return next(int(l.split()[1]) for l in f if l.startswith('VmRSS'))
    def ask():
        p.stdin.write('map\n')
        p.stdin.flush()
        while 'offset' not in (line := p.stdout.readline()):
            if not line:
                raise suite.Failed('qemu-io ended')
        return rss()
    used = ask()
    end = time.monotonic() + 20
    while time.monotonic() < end and (left := rss()) > used - 3500:
        time.sleep(.1)
        if not interval and time.monotonic() > end - 17:
            break
    again = ask()
    p.stdin.write('read -P 7 1G 64k\n')
    out, _ = p.communicate(timeout=60)
    if 'read 65536/65536' not in out or p.returncode:
        raise suite.Failed(f'reading afterwards: {out}')
    return used, left, again


def clean_interval():
    """cache-clean-interval: tables that nobody used leave memory, and come back when they are needed."""
    must(f'{OURS}/qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4k,preallocation=metadata', 'idle.qcow2', '2G')
    must(f'{OURS}/qemu-io', '-f', 'qcow2', '-c', 'write -q -P 7 1G 64k', 'idle.qcow2')
    used, left, again = memory_of(1)
    if left > used - 3500 or again < left + 3500:
        raise suite.Failed(f'KiB used, after two seconds, used again: {used}, {left}, {again}')
    used, left, _ = memory_of(0)
    if left < used - 500:
        raise suite.Failed(f'switched off: {used} KiB became {left}')


def small_disk():
    """In a process: files end at 20 MiB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, 20 << 20))


def resize_without_space():
    """Space in advance that the disk does not have: the image keeps its size, and the disk its space."""
    for mode in ('full', 'falloc'):
        must(OURS + '/qemu-img', 'create', '-q', '-f', 'qcow2', 'full.qcow2', '4M')
        must(OURS + '/qemu-io', '-c', 'write -q -P 5 0 4M', 'full.qcow2')
        before = os.path.getsize('full.qcow2')
        p = subprocess.run([OURS + '/qemu-img', 'resize', f'--preallocation={mode}', 'full.qcow2', '+100M'],
                           preexec_fn=small_disk, capture_output=True, text=True)
        if not p.returncode or 'File too large' not in p.stderr:
            raise suite.Failed(f'{mode}: status {p.returncode}, says {p.stderr}')
        if 'virtual size: 4 MiB' not in must(OURS + '/qemu-img', 'info', 'full.qcow2'):
            raise suite.Failed(f'{mode}: it has grown')
        if os.path.getsize('full.qcow2') > before + (1 << 20):
            raise suite.Failed(f'{mode}: the file has {os.path.getsize("full.qcow2")} bytes')
        must(OURS + '/qemu-img', 'check', '-q', 'full.qcow2')
        must(OURS + '/qemu-io', '-c', 'read -q -P 5 0 4M', '-c', 'write -q 0 4M', 'full.qcow2')


def case(name, function, *args):
    if ONLY in name:
        suite.case(f'qcow2, {name}', function, *args)


def damage_case(damage, traits):
    make_base('write -P 1 0 1M', 'write -P 2 2M 512k', 'write -c 4M 64k')
    check_damage(damage, traits)


ONLY = sys.argv[1] if len(sys.argv) > 1 else ''   # cases with this in their name


def main():
    if not shutil.which('qemu-img') or not shutil.which('qemu-io'):
        print('needs Debian\'s qemu-utils\nskip qcow2, tools')
        return
    for name, damage, traits in DAMAGE:
        case(f'check and repair, {name}', damage_case, damage, traits)
    case('amend', amend)
    case('measure', measure)
    case('options', options)
    case('bitmaps', bitmaps)
    case('tables that nobody uses', clean_interval)
    case('resize without space', resize_without_space)


main()
