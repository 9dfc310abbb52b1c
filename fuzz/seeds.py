#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the seeds of image formats' fuzz targets, with our own tools: fuzz/seeds.py FORMAT...
What is written there by hand (see the ends of the names) stays."""

import os
import struct
import subprocess
import sys
import tempfile

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
SEEDS = {   # format: create options and size of each seed
    'parallels': [('cluster_size=4k', '3M'), ('cluster_size=1536', '1M')],
    'qcow': [('', '3M'), ('', '1G')],
    'qcow2': [('cluster_size=4k', '3M'), ('compat=0.10,cluster_size=512', '1M'),
              ('extended_l2=on,cluster_size=16k', '3M'), ('refcount_bits=1,lazy_refcounts=on', '3M'),
              ('compression_type=zstd,cluster_size=4k', '1M')],
    'qed': [('cluster_size=4k,table_size=2', '3M'), ('', '1M')],
    'vdi': [('', '3M'), ('static=on', '1M')],
    'vhdx': [('block_size=1M', '2M'), ('subformat=fixed,block_size=1M', '1M')],
    'vpc': [('', '3M'), ('subformat=fixed,force_size=on', '1M')],
    'vmdk': [('', '3M'), ('zeroed_grain=on', '64M'), ('subformat=streamOptimized', '1M')],
}
PACKED = 'write -c -P 5 128k 4k\n'   # for formats with compression
MORE = {    # what else is done to them, as far as the options allow
    'qcow2': [('img', 'snapshot', '-c', 'one'), ('io', '-c', 'write -c 256k 64k'),
              ('img', 'snapshot', '-c', 'two'), ('io', '-c', 'write 5k 5k'),
              ('io', '-c', 'write -z 300k 8k')],
}
COMMANDS = 'write -P 1 0 4k\nwrite -P 2 700k 512\nwrite -z 64k 64k\nwrite -P 3 900k 100k\n'


def pack(image):
    """SPARSE records of what is not zero; runs of one byte are cut short: they are only data."""
    out, run, at = bytearray(b'SPARSE'), b'', 0
    sectors = [image[i:i + 512] for i in range(0, len(image), 512)]
    for i, sector in enumerate(sectors + [b'']):
        keep = sector.strip(b'\0') and not (len(set(sector)) == 1 and i and sectors[i - 1] == sector)
        if keep and len(run) < 32768:
            at, run = (at, run + sector) if run else (i, sector)
        elif run:
            out += struct.pack('<IH', at, len(run)) + run
            at, run = i, sector if keep else b''
    last = (len(image) + 511) // 512 - 1
    return bytes(out + struct.pack('<IH', last, 512) + sectors[last].ljust(512, b'\0'))


def main():
    for fmt in sys.argv[1:] or SEEDS:
        folder = os.path.join(os.path.dirname(__file__), 'corpus', fmt)
        os.makedirs(folder, exist_ok=True)
        for opts, size in SEEDS[fmt]:
            with tempfile.TemporaryDirectory() as work:
                image = os.path.join(work, 'x')
                subprocess.run([f'{OURS}/qemu-img', 'create', '-q', '-f', fmt] +
                               (['-o', opts] if opts else []) + [image, size], check=True)
                subprocess.run([f'{OURS}/qemu-io', '-f', fmt, image], input=COMMANDS + (PACKED if fmt == 'qcow' else ''), text=True,
                               stdout=subprocess.DEVNULL, check=True)
                for words in MORE.get(fmt, []):
                    subprocess.run([f'{OURS}/qemu-{words[0]}', *words[1:], image], check=False,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                with open(image, 'rb') as f:
                    seed = pack(f.read())
            name = (opts.replace('=', '-').replace(',', '-') or 'plain') + '-' + size
            with open(os.path.join(folder, name), 'wb') as f:
                f.write(seed)


main()
