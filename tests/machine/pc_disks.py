#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The BIOS reads and writes floppy and hard disks (pc_disks.S) on each controller of a PC."""
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EMU = os.path.join(os.environ.get('EMU_BIN', 'build'), 'qemu-system-x86_64')

CASES = [
    ('floppy disk, 1.44M', 18, 1440, '-M pc -fda {}'),
    ('floppy disk, 2.88M', 36, 2880, '-M pc -fda {}'),
    ('floppy disk, 720K', 9, 720, '-M pc -fda {}'),
    ('floppy disk, 360K', 9, 360, '-M pc -fda {}'),
    ('floppy disk of the newer chipset', 18, 1440, '-M q35 -drive if=floppy,format=raw,file={}'),
    ('IDE disk', 40, 8192, '-M pc -drive format=raw,file={}'),
    ('AHCI disk', 40, 8192, '-M q35 -drive format=raw,file={}'),
]


def make(folder, nth, kib):
    path = f'{folder}/disk.img'
    subprocess.run(['as', '--32', f'--defsym=NTH={nth}', '-o', f'{folder}/d.o', f'{HERE}/pc_disks.S'], check=True)
    subprocess.run(['ld', '-m', 'elf_i386', '-Ttext=0x7c00', '--oformat=binary', '-o', path, f'{folder}/d.o'], check=True)
    os.truncate(path, kib << 10)
    return path


def main():
    if not os.path.exists('/usr/share/seabios/bios-256k.bin'):
        print('needs /usr/share/seabios/bios-256k.bin\nskip pc_disks, the BIOS reads and writes')
        return
    if not shutil.which('as') or not shutil.which('ld'):
        print('needs as and ld\nskip pc_disks, the BIOS reads and writes')
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, nth, kib, options in CASES:
            path = make(folder, nth, kib)
            argv = [EMU, *options.format(path).split(), '-m', '64', '-display', 'none', '-nodefaults', '-boot', 'menu=off',
                    '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
            try:
                p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
                out, status = p.stdout, p.returncode
            except subprocess.TimeoutExpired as e:
                out, status = e.stdout or b'', 'none: it hangs'
            written = open(path, 'rb').read().count(b'second \0')
            good = (out, status, written) == (b'boot second nth second ', 33, 2)
            if not good:
                print(f'{out!r}, status {status}, {written} sectors')
            print('pass' if good else 'fail', f'pc_disks, the BIOS reads and writes: {name}', flush=True)


main()
