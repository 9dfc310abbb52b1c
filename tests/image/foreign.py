#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images that qemu-img cannot make: bochs, cloop, dmg, differencing disks.  They are made here by hand; we and
the reference read the same from them.  Damaged ones are refused in one line, with bounded memory."""

import base64
import bz2
import os
import random
import resource
import shutil
import struct
import subprocess
import tempfile
import zlib

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
KB, MB = 1 << 10, 1 << 20
SECTOR = 512
rng = random.Random(7)


def content(size):
    """Sectors, some zero, some not."""
    return b''.join(bytes([rng.choice((0, 0, rng.randrange(256)))]) * SECTOR
                    for _ in range(size // SECTOR))


def bochs(data, version=1, extent=64 * KB):
    bitmap_len = SECTOR
    n = (len(data) + extent - 1) // extent
    head = b'Bochs Virtual HD Image'.ljust(32, b'\0') + b'Redolog'.ljust(16, b'\0') + \
        b'Growing'.ljust(16, b'\0') + struct.pack('<IIIII', version << 16, 512, n, bitmap_len, extent)
    head += struct.pack('<Q', len(data)) if version == 1 else struct.pack('<IQ', 0, len(data))
    catalog, body = [], b''
    for i in range(n):
        piece = data[i * extent:(i + 1) * extent].ljust(extent, b'\0')
        if not any(piece):
            catalog.append(0xffffffff)
            continue
        catalog.append(len(body) // (bitmap_len + extent))
        bits = bytearray(bitmap_len)
        for s in range(extent // SECTOR):
            if any(piece[s * SECTOR:(s + 1) * SECTOR]):
                bits[s // 8] |= 1 << s % 8
            else:   # what an unmarked sector holds does not count
                piece = piece[:s * SECTOR] + b'\xaa' * SECTOR + piece[(s + 1) * SECTOR:]
        body += bytes(bits) + piece
    return head.ljust(512, b'\0') + struct.pack(f'<{n}I', *catalog) + body


def cloop(data, block=64 * KB):
    script = b'#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n'
    packed = [zlib.compress(data[i:i + block].ljust(block, b'\0')) for i in range(0, len(data), block)]
    offsets, at = [], 136 + 8 * (len(packed) + 1)
    for p in packed + [b'']:
        offsets.append(at)
        at += len(p)
    return script.ljust(128, b'\0') + struct.pack('>II', block, len(packed)) + \
        struct.pack(f'>{len(offsets)}Q', *offsets) + b''.join(packed)


def dmg(data, chunk=128 * KB, claim=None):
    """@claim: what packs the chunks that bzip2 has packed, as they say."""
    body, chunks, sector = b'', [], 0
    for i in range(0, len(data), chunk):
        piece = data[i:i + chunk]
        kind = 0 if not any(piece) else (1, 0x80000005, 0x80000006)[i // chunk % 3]
        packed = {0: lambda p: b'', 1: bytes, 0x80000005: zlib.compress,
                  0x80000006: bz2.compress}[kind](piece)
        kind = claim if claim and kind == 0x80000006 else kind
        chunks.append(struct.pack('>IIQQQQ', kind, 0, sector, len(piece) // SECTOR, len(body),
                                  len(packed)))
        body += packed
        sector += len(piece) // SECTOR
    chunks.append(struct.pack('>IIQQQQ', 0xffffffff, 0, sector, 0, len(body), 0))
    mish = b'mish' + struct.pack('>IQQQII', 1, 0, sector, 0, 0x208, 0)
    mish = mish.ljust(200, b'\0') + struct.pack('>I', len(chunks)) + b''.join(chunks)
    xml = b'<?xml version="1.0"?><plist><dict><key>resource-fork</key><dict><key>blkx</key><array>' \
        b'<dict><key>Data</key><data>\n' + base64.encodebytes(mish) + \
        b'</data></dict></array></dict></dict></plist>'
    koly = bytearray(512)
    koly[:4] = b'koly'
    struct.pack_into('>II', koly, 4, 4, 512)
    struct.pack_into('>QQ', koly, 24, 0, len(body))
    struct.pack_into('>QQ', koly, 216, len(body), len(xml))
    struct.pack_into('>Q', koly, 492, sector)
    return body + xml + bytes(koly)


def vpc_sum(b, at):
    b[at:at + 4] = bytes(4)
    b[at:at + 4] = struct.pack('>I', ~sum(b) & 0xffffffff)


def vpc_child(parent, parent_data, data, name):
    """A differencing disk on the file @parent; sectors that differ from @parent_data are its own."""
    footer = bytearray(parent[:512])
    parent_uuid = bytes(footer[68:84])
    footer[60:64] = struct.pack('>I', 4)
    footer[68:84] = os.urandom(16)
    vpc_sum(footer, 64)
    block, at = 2 * MB, 512 + 1024
    n = (len(data) + block - 1) // block
    locator, table_len = name.encode('utf-16-le'), (4 * n + 511) // 512 * 512
    head = bytearray(1024)
    head[:8] = b'cxsparse'
    struct.pack_into('>QQIII', head, 8, (1 << 64) - 1, at, 0x10000, n, block)
    head[40:56] = parent_uuid
    head[576:600] = b'W2ru' + struct.pack('>IIIQ', 512, len(locator), 0, at + table_len)
    vpc_sum(head, 36)
    table, body, start = [], b'', at + table_len + 512
    for i in range(n):
        bits, own = bytearray(512), b''
        for s in range(i * block, min((i + 1) * block, len(data)), SECTOR):
            k = s % block // SECTOR
            if data[s:s + SECTOR] != parent_data[s:s + SECTOR]:
                bits[k // 8] |= 0x80 >> k % 8
            own += data[s:s + SECTOR] if bits[k // 8] & 0x80 >> k % 8 else b'\x55' * SECTOR
        table.append((start + len(body)) // 512 if any(bits) else 0xffffffff)
        if any(bits):
            body += bytes(bits) + own.ljust(block, b'\0')
    return bytes(footer + head) + struct.pack(f'>{n}I', *table).ljust(table_len, b'\xff') + \
        locator.ljust(512, b'\0') + body + bytes(footer)


def limits():
    if 'san' not in os.path.basename(OURS):  # sanitizers map terabytes
        resource.setrlimit(resource.RLIMIT_AS, (600 * MB, 600 * MB))


def run(*argv):
    """Ours has to do with little memory; the reference's threads take what they take."""
    return subprocess.run(argv, capture_output=True, text=True, timeout=60,
                          preexec_fn=limits if argv[0].startswith(OURS) else None)


def verdict(name, bad):
    if bad:
        print(str(bad)[:600])
    print(('fail ' if bad else 'pass ') + 'foreign, ' + name, flush=True)


def converted(tool, fmt, image):
    r = run(tool, 'convert', '-f', fmt, '-O', 'raw', image, image + '.raw')
    if r.returncode:
        return r.stderr.encode()
    with open(image + '.raw', 'rb') as f:
        return f.read()


def good(folder):
    cases = [('bochs', 'version 1', lambda d: bochs(d)), ('bochs', 'version 2', lambda d: bochs(d, 2)),
             ('cloop', '64 KiB blocks', lambda d: cloop(d)), ('cloop', '512 bytes', lambda d: cloop(d, 512)),
             ('dmg', 'raw, zlib and bzip2', lambda d: dmg(d))]
    for fmt, what, make in cases:
        data, image = content(MB), os.path.join(folder, 'disk.' + fmt)
        with open(image, 'wb') as f:
            f.write(make(data))
        ours = converted(f'{OURS}/qemu-img', fmt, image)
        theirs = converted('qemu-img', fmt, image) if shutil.which('qemu-img') else data
        bad = None
        if ours != data:
            bad = f'we read otherwise: {ours[:300]}'
        elif theirs != data and not (fmt == 'dmg' and b'zip2' in theirs):
            bad = f'the reference reads otherwise: {theirs[:300]}'
        for words in (['info'], ['info', '--output=json']):
            tools = (f'{OURS}/qemu-img', 'qemu-img' if shutil.which('qemu-img') else 'true')
            pair = [run(t, *words, image).stdout for t in tools]
            if not bad and shutil.which('qemu-img') and pair[0] != pair[1]:
                bad = f'info: {pair}'
        verdict(f'{fmt}, {what}', bad)


def child(folder):
    base, image = os.path.join(folder, 'base.vhd'), os.path.join(folder, 'child.vhd')
    size = 5 * MB
    run(f'{OURS}/qemu-img', 'create', '-q', '-f', 'vpc', '-o', 'force_size=on', base, str(size))
    run(f'{OURS}/qemu-io', '-f', 'vpc', '-c', 'write -P 9 0 3M', '-c', 'write -P 8 4M 64k', base)
    parent_data = bytes([9]) * (3 * MB) + bytes(MB) + bytes([8]) * (64 * KB) + bytes(MB - 64 * KB)
    data = bytearray(parent_data)
    for _ in range(40):
        s = rng.randrange(size // SECTOR) * SECTOR
        data[s:s + SECTOR] = bytes([rng.randrange(256)]) * SECTOR
    with open(base, 'rb') as f:
        parent = f.read()
    with open(image, 'wb') as f:
        f.write(vpc_child(parent, parent_data, bytes(data), '.\\base.vhd'))
    got = converted(f'{OURS}/qemu-img', 'vpc', image)
    verdict('vpc, a differencing disk', None if got == data else got[:300] if len(got) < 400 else 'wrong')
    run(f'{OURS}/qemu-img', 'create', '-q', '-f', 'vpc', '-o', 'force_size=on', base, str(size))
    got = converted(f'{OURS}/qemu-img', 'vpc', image)
    verdict('vpc, a parent that is another disk', None if b'identifier' in got else got[:300])


def make_folder(top):
    os.makedirs(f'{top}/Some folder/and a longer one below it')
    files = {'HELLO.TXT': 20, 'hello.txt2': 100000, 'a name that is longer than thirteen characters.data': 8192,
             'a name that is longer than others, but begins alike': 1, 'empty': 0, 'GRÜSSE': 700,
             'Some folder/x': 16385, 'Some folder/and a longer one below it/y': 3}
    for name, size in files.items():
        with open(f'{top}/{name}', 'wb') as f:
            f.write(rng.randbytes(size))
    for i in range(120):
        with open(f'{top}/Some folder/file number {i}', 'w') as f:
            f.write(str(i))


def vvfat(folder):
    """A folder as a disk: mtools find in it what the host has, fsck nothing to complain of."""
    if not shutil.which('mcopy') or not shutil.which('fsck.fat'):
        print('needs mtools and dosfstools\nskip foreign, vvfat')
        return
    top, image, out = f'{folder}/tree', f'{folder}/fat.raw', f'{folder}/out'
    make_folder(top)
    for prefix, start in (('', 63), ('12:', 63), ('16:', 63), ('32:', 63), ('floppy:', 0)):
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
        r = run(f'{OURS}/qemu-img', 'convert', '-f', 'raw', '-O', 'raw', f'fat:{prefix}{top}', image)
        bad = r.stderr
        if not bad:
            run('mcopy', '-s', '-n', '-i', f'{image}@@{start * SECTOR}', '::*', out)
            bad = run('diff', '-r', top, out).stdout
        if not bad:
            with open(image, 'rb') as f, open(f'{folder}/part', 'wb') as part:
                f.seek(start * SECTOR)
                shutil.copyfileobj(f, part)
            r = run('fsck.fat', '-n', f'{folder}/part')
            bad = r.stdout + r.stderr if r.returncode else None
        verdict(f'vvfat, fat:{prefix}', bad)
    with open(f'{top}/big', 'wb') as f:
        f.truncate(600 * MB)
    r = run(f'{OURS}/qemu-img', 'info', f'fat:{top}')
    verdict('vvfat, a folder that does not fit', None if 'does not fit' in r.stderr else r.stdout + r.stderr)


def change(image, start, folder):
    """What a guest does to the files of make_folder(): all kinds of changes."""
    at = f'{image}@@{start * SECTOR}'
    new, empty = f'{folder}/new', f'{folder}/empty'
    open(empty, 'w').close()
    with open(new, 'wb') as f:
        f.write(random.Random(2).randbytes(123456))
    for command in (('mmd', '-i', at, '::New Folder'), ('mcopy', '-i', at, new, '::New Folder/a new file.bin'),
                    ('mcopy', '-o', '-i', at, new, '::Some folder/x'), ('mdel', '-i', at, '::Some folder/file number 7'),
                    ('mren', '-i', at, '::Some folder/and a longer one below it', 'moved'),
                    ('mren', '-i', at, '::Some folder/file number 8', 'renamed.txt'),
                    ('mdeltree', '-i', at, '::deep'), ('mcopy', '-i', at, empty, '::deep'),
                    ('mcopy', '-i', at, empty, '::nothing')):
        r = run(*command)
        if r.returncode:
            return f'{command}: {r.stderr}'
    return None


def vvfat_written(folder):
    """A guest's changes come to the folder: the disk is copied, changed by mtools, and written back."""
    if not shutil.which('mcopy'):
        print('needs mtools\nskip foreign, vvfat written to')
        return
    top, image, out = f'{folder}/rw', f'{folder}/rw.raw', f'{folder}/rw.out'
    for prefix, start in (('12:', 63), ('16:', 63), ('32:', 63), ('floppy:', 0)):
        for d in (top, out):
            shutil.rmtree(d, ignore_errors=True)
            os.mkdir(d)
        make_folder(top)
        os.makedirs(f'{top}/deep/er')
        with open(f'{top}/deep/er/file', 'w') as f:
            f.write('in a folder that becomes a file')
        os.symlink('nowhere', f'{top}/broken')
        run(f'{OURS}/qemu-img', 'convert', '-f', 'raw', '-O', 'raw', f'fat:{prefix}{top}', image)
        bad = change(image, start, folder)
        if not bad:
            bad = run(f'{OURS}/qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', image, f'fat:rw:{prefix}{top}').stderr
        if not bad:
            run('mcopy', '-s', '-n', '-i', f'{image}@@{start * SECTOR}', '::*', out)
            bad = run('diff', '-r', out, top).stdout.replace(f'Only in {top}: broken\n', '')
        if not bad and os.path.exists(f'{top}/.vvfat-new'):
            bad = 'a temporary file is left'
        verdict(f'vvfat, fat:rw:{prefix}', bad or None)
    # One that has become nonsense changes nothing.
    before = run('find', top, '-type', 'f', '-exec', 'md5sum', '{}', '+').stdout
    with open(image, 'r+b') as f:
        f.seek(SECTOR + 3)
        f.write(b'\x03\x40' * 4000)
    r = run(f'{OURS}/qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', image, f'fat:rw:floppy:{top}')
    after = run('find', top, '-type', 'f', '-exec', 'md5sum', '{}', '+').stdout
    verdict('vvfat, a broken file system is not applied',
            None if before == after and 'does not have the last changes' in r.stderr else r.stderr + after)
    r = run(f'{OURS}/qemu-io', '-f', 'raw', '-c', 'write 0 512', f'fat:{top}')
    verdict('vvfat, without rw it is only read', None if 'read-only' in (r.stdout + r.stderr).lower() else r.stdout + r.stderr)


def patch(image, at, fmt, value):
    b = bytearray(image)
    struct.pack_into(fmt, b, at, value)
    return bytes(b)


def hostile(folder):
    """Each is one change of a sound image: a clear line, no crash, no memory."""
    def made(fmt, opts=''):
        path = os.path.join(folder, 'made')
        run(f'{OURS}/qemu-img', 'create', '-q', '-f', fmt, *(['-o', opts] if opts else []), path, '8M')
        run(f'{OURS}/qemu-io', '-f', fmt, '-c', 'write -P 1 0 4k', path)
        with open(path, 'rb') as f:
            return f.read()
    big, apple = (1 << 63) - 512, dmg(content(MB))
    images = [
        ('vdi', 'size near 2^63', patch(made('vdi'), 0x170, '<Q', big)),
        ('vdi', 'table of 4 GiB', patch(made('vdi'), 0x180, '<I', 0xffffffff)),
        ('vdi', 'table past the end', patch(made('vdi'), 0x154, '<I', 0x7ffffe00)),
        ('vmdk', 'capacity near 2^63', patch(made('vmdk'), 12, '<Q', big // 512)),
        ('vmdk', 'grain of 2^40', patch(made('vmdk'), 20, '<Q', 1 << 40)),
        ('vmdk', 'directory past the end', patch(made('vmdk'), 56, '<Q', 1 << 50)),
        ('vmdk', 'tables of 2^32 entries', patch(made('vmdk'), 44, '<I', 0xffffffff)),
        ('vmdk', 'descriptor of extents that overflow',
         b'version=1\nRW 9007199254740992 ZERO\n' + b'RW 9007199254740992 ZERO\n' * 3),
        ('vmdk', 'descriptor that names itself', b'version=1\nRW 16 SPARSE "bad"\n'),
        ('vhdx', 'no header', patch(patch(made('vhdx'), 65536, '<I', 0), 131072, '<I', 0)),
        ('vpc', 'checksum', patch(patch(made('vpc'), 40, '>Q', big), len(made('vpc')) - 472, '>Q', big)),
        ('qed', 'size near 2^63', patch(made('qed'), 48, '<Q', big)),
        ('qed', 'clusters of 2 GiB', patch(made('qed'), 4, '<I', 1 << 31)),
        ('qed', 'table at the header', patch(made('qed'), 40, '<Q', 0)),
        ('qed', 'header of 2^32 clusters', patch(made('qed'), 12, '<I', 0xffffffff)),
        ('parallels', 'size near 2^63', patch(made('parallels'), 36, '<Q', big)),
        ('parallels', 'table of 16 GiB', patch(made('parallels'), 32, '<I', 0xffffffff)),
        ('parallels', 'no cluster', patch(made('parallels'), 28, '<I', 0)),
        ('qcow', 'size near 2^63', patch(made('qcow'), 24, '>Q', big)),
        ('qcow', 'table past the end', patch(made('qcow'), 40, '>Q', big)),
        ('qcow', 'a name of 4 GiB', patch(patch(made('qcow'), 8, '>Q', 48), 16, '>I', 0xffffffff)),
        ('bochs', 'size near 2^63', patch(bochs(content(MB)), 84, '<Q', big)),
        ('bochs', 'bitmap of 4 GiB', patch(bochs(content(MB)), 76, '<I', 0xfffffff0)),
        ('cloop', 'blocks of 4 GiB', patch(cloop(content(MB)), 128, '>I', 0xfffffe00)),
        ('cloop', '2^32 blocks', patch(cloop(content(MB)), 132, '>I', 0xffffffff)),
        ('dmg', 'list near 2^63', patch(apple, len(apple) - 512 + 216, '>Q', big)),
    ]
    for fmt, what, image in images:
        path = os.path.join(folder, 'bad')
        with open(path, 'wb') as f:
            f.write(image)
        bad = None
        for argv in (['info', '-f', fmt, path], ['convert', '-f', fmt, '-O', 'raw', path, path + '.raw']):
            r = run(f'{OURS}/qemu-img', *argv)
            if r.returncode != 1 or len(r.stderr.strip().splitlines()) != 1:
                bad = f'{argv[0]}: status {r.returncode}, {r.stderr}'
        verdict(f'hostile {fmt}, {what}', bad)


def packers(folder):
    """What we cannot unpack is called by its name, and what would be right."""
    path = os.path.join(folder, 'apple')
    for claim, name in ((0x80000004, 'ADC'), (0x80000007, 'LZFSE'), (0x80000008, 'LZMA')):
        with open(path, 'wb') as f:
            f.write(dmg(os.urandom(MB), claim=claim))
        r = run(f'{OURS}/qemu-img', 'convert', '-f', 'dmg', '-O', 'raw', path, path + '.raw')
        good = r.returncode == 1 and f'packed with {name} (type {claim:08x})' in r.stderr and 'UDZO' in r.stderr
        verdict(f'dmg, packed with {name}', None if good else f'status {r.returncode}: {r.stderr}')


def main():
    if not shutil.which('qemu-img'):
        print('no reference here: only what the images hold is compared')
    folder = tempfile.mkdtemp(prefix='emu-foreign-')
    good(folder)
    child(folder)
    vvfat(folder)
    vvfat_written(folder)
    hostile(folder)
    packers(folder)
    shutil.rmtree(folder)


main()
