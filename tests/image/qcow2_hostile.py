#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qcow2 images made to hurt: each command ends soon, in little memory, with one clear line or the right
data, and a look never changes the file."""
import os
import resource
import shutil
import struct
import subprocess
import tempfile

import suite

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.environ.get('EMU_BIN', os.path.join(TOP, 'build'))
SAN = 'san' in os.path.basename(OURS)      # address sanitizers map terabytes
MEMORY = 600 << 20                         # address space; 64 MiB of it is the most for one table
COPIED = 1 << 63


def run(tool, *argv):
    def limit():
        if not SAN:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    p = subprocess.run([f'{OURS}/{tool}', *argv], text=True, errors='replace', timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       preexec_fn=limit, restore_signals=False)   # SIGXFSZ stays ignored
    if p.returncode not in (0, 1, 2, 3):
        raise suite.Failed(f'{tool} {" ".join(argv)}: status {p.returncode}\n{p.stderr[-400:]}')
    return p.returncode, p.stdout, p.stderr


def put(off, value, form='>Q'):
    with open('t.qcow2', 'r+b') as f:
        f.seek(off)
        f.write(struct.pack(form, value))


def get(off, form='>Q'):
    with open('t.qcow2', 'rb') as f:
        f.seek(off)
        return struct.unpack(form, f.read(struct.calcsize(form)))[0]


def l2():
    return get(get(40)) & 0xfffffffffffe00


def sparse(size):
    os.truncate('t.qcow2', size)


def many(*pokes):
    for off, value, *form in pokes:
        put(off, value, *form)


# name, what is done, what the refusal to open says; None: it opens, and must survive what is done with it
CASES = [
    ('a huge L1 table', lambda: put(36, 0xffffffff, '>I'), 'Active L1 table too large'),
    ('an L1 table of 32 MiB that is not there', lambda: put(36, 1 << 22, '>I'), None),
    ('a size near 2^63', lambda: put(24, (1 << 63) - 512), 'too big'),
    ('a negative size', lambda: put(24, 1 << 63), 'too big'),
    ('a size too large for the L1 table', lambda: put(24, 1 << 40), 'L1 table is too small'),
    ('the L1 table at a negative offset', lambda: put(40, (1 << 64) - 65536), 'L1 table offset'),
    ('the L1 table unaligned', lambda: put(40, 513), 'L1 table offset'),
    ('a huge refcount table', lambda: put(56, 0xffffffff, '>I'), 'Reference count table too large'),
    ('no refcount table', lambda: put(56, 0, '>I'), 'does not contain a reference count table'),
    ('the refcount table at a negative offset', lambda: put(48, (1 << 64) - 65536), 'offset invalid'),
    ('the refcount table over the header', lambda: put(48, 0), None),
    ('the refcount table over the L1 table', lambda: put(48, get(40)), None),
    ('the L1 table over the header', lambda: put(40, 0), None),
    ('an L2 table over the header', lambda: put(get(40), COPIED), None),
    ('an L2 table over itself', lambda: put(l2(), COPIED | l2()), None),
    ('a refcount block over the header', lambda: put(get(48) + 8, 0 | 512), None),
    ('a refcount block at the end of 64 bits', lambda: put(get(48), (1 << 64) - 65536), None),
    ('clusters of 2 bytes', lambda: put(20, 1, '>I'), 'Unsupported cluster size'),
    ('clusters of 2^63 bytes', lambda: put(20, 63, '>I'), 'Unsupported cluster size'),
    ('refcounts of 2^31 bits', lambda: put(96, 31, '>I'), 'may not exceed 64 bits'),
    ('a short header', lambda: put(100, 8, '>I'), 'header too short'),
    ('a header of 4 GiB', lambda: put(100, 0xfffffff8, '>I'), 'exceeds cluster size'),
    ('an unknown feature', lambda: put(72, 1 << 63), 'Unsupported qcow2 feature'),
    ('an unknown compression', lambda: many((72, 8), (104, 99, '>B')), 'compression type'),
    ('version 99', lambda: put(4, 99, '>I'), 'Unsupported qcow2 version'),
    ('an encryption that nobody knows', lambda: put(32, 99, '>I'), 'Unsupported encryption method'),
    ('an extension of 4 GiB', lambda: many((112, 0x12345678, '>I'), (116, 0xfffffff0, '>I')),
     'Header extension too large'),
    ('a backing file name of 4 GiB', lambda: many((8, 512), (16, 0xffffffff, '>I')),
     'Backing file name too long'),
    ('a backing file name far away', lambda: many((8, 1 << 62), (16, 5, '>I')),
     'Invalid backing file offset'),
    ('four billion snapshots', lambda: many((60, 0xffffffff, '>I'), (64, 65536)),
     'Snapshot table too large'),
    ('the snapshot table over the header', lambda: many((60, 3, '>I'), (64, 0)), None),
    ('the snapshot table past the end', lambda: many((60, 1, '>I'), (64, 1 << 40)),
     'Snapshot table'),
    ('compressed data past the end', lambda: put(l2() + 8, 1 << 62 | 1 << 45), None),
    ('compressed data over the header', lambda: put(l2() + 8, 1 << 62), None),
    ('data over the header', lambda: put(l2() + 8, COPIED), None),
    ('data over the refcount table', lambda: put(l2() + 8, COPIED | 65536), None),
    ('data over the L2 table', lambda: put(l2() + 8, COPIED | l2()), None),
    ('data at 2^55', lambda: put(l2() + 8, COPIED | 1 << 55), None),
    ('a hole of 8 EiB behind it', lambda: sparse(1 << 42), None),
    ('cut in the middle', lambda: os.truncate('t.qcow2', 70000), None),
    ('cut in the header', lambda: os.truncate('t.qcow2', 60), ''),
]


def hostile(damage, message):
    os.chdir(tempfile.mkdtemp(dir='.'))
    shutil.copy('../base.qcow2', 't.qcow2')
    damage()
    with open('t.qcow2', 'rb') as f:
        before = f.read(1 << 20)
    for tool, *words in (('qemu-img', 'info'), ('qemu-img', 'map'), ('qemu-img', 'check'),
                         ('qemu-io', '-r', '-c', 'read 0 1M', '-c', 'read 7M 1M')):
        status, out, err = run(tool, *words, *(() if tool == 'qemu-io' else ('-f', 'qcow2')),
                               't.qcow2')
        if tool == 'qemu-img' and 'check' in words and 'reference count table' in (message or ''):
            continue    # it can be made anew
        if message and (not status or message not in err or err.count('\n') != 1):
            raise suite.Failed(f'{tool} {" ".join(words)}: status {status}, says {err!r} {out!r}')
    with open('t.qcow2', 'rb') as f:
        if f.read(1 << 20) != before:
            raise suite.Failed('looking at it has changed it')
    run('qemu-io', '-d', 'unmap', '-c', 'write 0 100k', '-c', 'write -z 64k 1M', '-c', 'discard 2M 1M',
        '-c', 'write 5M 300k', '-c', 'flush', 't.qcow2')
    run('qemu-img', 'snapshot', '-c', 's', 't.qcow2')
    run('qemu-img', 'resize', '-f', 'qcow2', 't.qcow2', '9M')
    run('qemu-img', 'check', '-f', 'qcow2', '-r', 'all', 't.qcow2')
    run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', 't.qcow2', 'x.raw')


def overlap():
    """Refcounts that say metadata is free: the write that would destroy it is refused, the image marked."""
    shutil.copy('base.qcow2', 't.qcow2')
    block = get(get(48))
    for cluster in range(1, 5):
        put(block + 2 * cluster, 0, '>H')
    status, out, err = run('qemu-io', '-c', 'write 6M 64k', 't.qcow2')
    if not status or 'overlaps with' not in out + err:
        raise suite.Failed(f'status {status}, says {out!r} {err!r}')
    if not get(72) & 2:
        raise suite.Failed('the image is not marked')
    status, out, err = run('qemu-io', '-c', 'write 6M 64k', 't.qcow2')
    if 'Image is corrupt; cannot be opened read/write' not in err:
        raise suite.Failed(f'opened again: {out!r} {err!r}')
    for words in (['-r', 'all'], []):
        status, out, err = run('qemu-img', 'check', *words, 't.qcow2')
    if status:
        raise suite.Failed(f'not repaired: {out}')
    status, out, err = run('qemu-io', '-c', 'read -P 1 0 1M', '-c', 'write 6M 64k', 't.qcow2')
    if status:
        raise suite.Failed(f'after the repair: {out} {err}')


def overlap_in_use():
    """Tables that lie where other metadata does: the write that would change both is refused.  A repair makes
    a refcount table of its own; a refcount block's numbers are no mapping that could be repaired."""
    for what, damage in (
            ('refcount table', lambda: put(get(40), COPIED | get(48))),
            ('refcount block', lambda: put(get(40), COPIED | get(get(48)))),
            ('active L1 table', lambda: put(get(40), COPIED | get(40))),
            ('', lambda: put(get(48), get(40)))):
        shutil.copy('base.qcow2', 't.qcow2')
        damage()
        with open('t.qcow2', 'rb') as f:
            f.seek(65536)
            before = f.read()
        status, out, err = run('qemu-io', '-c', 'write 6M 64k', '-c', 'flush', 't.qcow2')
        if not status or 'overlaps with ' + what not in out + err:
            raise suite.Failed(f'{what}: status {status}, says {out!r} {err!r}')
        with open('t.qcow2', 'rb') as f:
            f.seek(65536)
            if f.read(len(before)) != before:
                raise suite.Failed(f'{what}: tables have changed')
        run('qemu-img', 'check', '-r', 'all', 't.qcow2')
        status, out, err = run('qemu-img', 'check', 't.qcow2')
        if what == 'refcount table' and status:
            raise suite.Failed(f'{what}: not repaired: {out}')


def overlap_parts():
    """Each part of the metadata is watched when it is asked for: it alone, and all but it."""
    for part, what in (('active-l1', 'active L1 table'), ('active-l2', 'active L2 table'),
                       ('refcount-table', 'refcount table'), ('refcount-block', 'refcount block'),
                       ('snapshot-table', 'snapshot table'), ('inactive-l1', 'inactive L1 table'),
                       ('inactive-l2', 'inactive L2 table')):
        for modes in (f'template=none,overlap-check.{part}=on', f'template=all,overlap-check.{part}=off'):
            shutil.copy('base.qcow2', 't.qcow2')
            run('qemu-img', 'snapshot', '-c', 's', 't.qcow2')
            run('qemu-io', '-c', 'write 0 1k', 't.qcow2')
            table = get(64)
            old_l1 = get(table)
            mask = (1 << 56) - 512
            where = {'active-l1': get(40), 'active-l2': get(get(40)) & mask, 'refcount-table': get(48),
                     'refcount-block': get(get(48)), 'snapshot-table': table, 'inactive-l1': old_l1,
                     'inactive-l2': get(old_l1) & mask}[part]
            put(get(get(48)) + 2 * (where >> 16), 0, '>H')
            # Free space is looked for from the front: all before it is in use.
            status, out, err = run('qemu-io', '--image-opts', '-c', 'write 6M 64k',
                                   f'driver=qcow2,file.filename=t.qcow2,overlap-check.{modes}')
            if ('overlaps with ' + what in out + err) != ('none' in modes):
                raise suite.Failed(f'{modes}: status {status}, says {out!r} {err!r}')


def extensions():
    """An extension that nobody knows stays, whatever is done to the header."""
    shutil.copy('base.qcow2', 't.qcow2')
    with open('t.qcow2', 'r+b') as f:
        f.seek(112)
        rest = f.read(900)
        f.seek(112)
        f.write(struct.pack('>II', 0x12345678, 5) + b'hello\0\0\0' + rest)
    for words in (('amend', '-o', 'lazy_refcounts=on'), ('amend', '-o', 'compat=0.10'),
                  ('amend', '-o', 'compat=1.1'), ('bitmap', '--add', '')):
        run('qemu-img', *[w for w in words if w], 't.qcow2', *(['b'] if 'bitmap' in words else []))
        with open('t.qcow2', 'rb') as f:
            if struct.pack('>II', 0x12345678, 5) + b'hello\0\0\0' not in f.read(65536):
                raise suite.Failed(f'gone after {words}')


def case(name, function, *args):
    suite.report(f'hostile qcow2, {name}', function, *args)


def main():
    folder = tempfile.mkdtemp(prefix='emu-qcow2-')
    os.chdir(folder)
    run('qemu-img', 'create', '-q', '-f', 'qcow2', 'base.qcow2', '8M')
    run('qemu-io', '-c', 'write -P 1 0 1M', '-c', 'write 7M 64k', 'base.qcow2')
    for name, damage, message in CASES:
        case(name, hostile, damage, message)
    case('metadata counted as free', overlap)
    case('tables over other metadata', overlap_in_use)
    case('parts of the metadata that are watched', overlap_parts)
    case('an extension that nobody knows', extensions)
    os.chdir('/')
    shutil.rmtree(folder)


main()
