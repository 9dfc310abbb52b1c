#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What multiboot and PVH kernels (pc_kernel.S) are told by -kernel, -initrd and -append, on each kind of PC."""
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EMU = os.path.join(os.environ.get('EMU_BIN', 'build'), 'qemu-system-x86_64')

MAP = r'''map 00000000 00000000 0009FC00 00000000 00000001
map 0009FC00 00000000 00000400 00000000 00000002
map 000F0000 00000000 00010000 00000000 00000002
map 00100000 00000000 03E..000 00000000 00000001
(?:map .* 00000002
)+'''
QBOOT = r'''map 00000000 00000000 0009FC00 00000000 00000001
map 0009FC00 00000000 00000400 00000000 00000002
(?:map .*
)+?map 00100000 00000000 03F00000 00000000 00000001
(?:map .*
)*'''
PICTURE = '''picture: pitch 00000A00, 00000280 by 000001E0, 00000020 bits, type 00000001
00123456
'''
TEXT = '''picture: pitch 000000A0, 00000050 by 00000019, 00000010 bits, type 00000002
00123456
'''
RSD = '20445352'  # "RSD "; SeaBIOS has tables of its own without ours
END = 'ticks 000003E8\nend\n'


def multiboot(kernel, flags, cmdline, picture='', memory=MAP):
    return f'''magic 2BADB002, CR0 00000001, flags 00000000
information {flags}
<{kernel}{cmdline}>
<Emu>
KiB 0000027F 0000(?:F[AB]80|FC00)
module of 00000006
<hello
>
<m1 a b>
module of 00000008
<2nd,mod
>
<m2,x>
''' + memory + picture + END


def pvh(cmdline, rsdp, task='00000018', memory=MAP):
    return f'''magic 336EC578, CR0 00000001, flags 00000000, task {task}
<{cmdline}>
modules 00000001
<hello
>
{rsdp}
''' + memory + END


MODULES = ['-initrd', 'm1 a b,m2,,x']
CASES = [
    ('multiboot, an ELF file, pc', 'elf', '-M pc', [*MODULES, '-append', 'hello kernel'],
     multiboot('elf', '0000024F', ' hello kernel')),
    ('multiboot, an ELF file, packed, q35', 'elf.gz', '-M q35', MODULES, multiboot('elf.gz', '0000024F', '')),
    ('multiboot by addresses, with a picture', 'kludge', '-M pc -vga std', MODULES, multiboot('kludge', '00001A4F', '', PICTURE)),
    ('multiboot by addresses, a picture that cannot be had', 'kludge', '-M pc,hpet=off -vga none', MODULES,
     multiboot('kludge', '0000124F', '', TEXT.replace('00123456', '........'))),
    ('multiboot, microvm', 'elf', '-M microvm', MODULES, multiboot('elf', '0000024F', '', memory=QBOOT)),
    ('PVH, pc', 'pvh', '-M pc', ['-initrd', 'm1', '-append', 'hello kernel'], pvh('hello kernel', RSD)),
    ('PVH, q35 without ACPI', 'pvh', '-M q35,acpi=off', ['-initrd', 'm1'], pvh('', RSD)),
    ('PVH, microvm', 'pvh', '-M microvm', ['-initrd', 'm1', '-append', 'x'], pvh('x', RSD, '00000000', QBOOT)),
    ('PVH, microvm without ACPI', 'pvh', '-M microvm,acpi=off -device virtio-rng-device',
     ['-initrd', 'm1', '-append', 'x'], pvh('x virtio_mmio.device=512@0xfeb00e00:12', '[0-9A-F]+', '00000000', QBOOT)),
]
WRONG = [
    ('long', '', 'could not load kernel .long.: multiboot kernels are 32-bit ELF files, this one is 64-bit'),
    ('kludge.cut', '', 'could not load kernel .kludge.cut.: it is shorter than its multiboot header says'),
    ('plain', '', 'could not load kernel .plain.: an ELF file without multiboot header or PVH entry .*'),
    ('m1', '', 'could not load kernel .m1.: it is no kernel for PCs .*'),
    ('elf', '-m 3', 'could not load kernel .elf.: [0-9]+ bytes at 0x200000 do not fit into memory .-m.'),
    ('elf', '-initrd m1,nothing', "-initrd: could not load 'nothing': No such file or directory"),
    ('high', '', 'could not load kernel .high.: [0-9]+ bytes at 0x8000 do not fit into memory .-m.'),
]


def build(name, *options, text='0x200000', link=('-m', 'elf_i386', '-N')):
    subprocess.run(['as', '--32', *options, '-o', name + '.o', f'{HERE}/pc_kernel.S'], check=True)
    subprocess.run(['ld', *link, '--no-warn-rwx-segments', f'-Ttext={text}', '-o', name, name + '.o'], check=True)


def make():
    build('elf')
    build('kludge', '--defsym', 'KLUDGE=1', '--defsym', 'VIDEO=1', link=('-m', 'elf_i386', '-N', '--oformat=binary'))
    build('pvh', '--defsym', 'PVH=1', link=('-m', 'elf_i386', '-N', '--section-start=.note.Xen=0x1ff000'))
    build('high', text='0x8000')
    shutil.copy('elf', 'long')
    with open('long', 'r+b') as f:
        f.seek(4)
        f.write(b'\2')
    shutil.copy('elf', 'plain')
    with open('plain', 'r+b') as f:
        data = f.read()
        f.seek(data.index(b'\x02\xb0\xad\x1b'))
        f.write(b'\0')
    subprocess.run('gzip -k elf; head -c 100 kludge > kludge.cut; echo hello > m1; echo 2nd,mod > m2,x', shell=True, check=True)


def run(argv):
    try:
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', timeout=120)
        return p.stdout, p.stderr, p.returncode
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b'').decode(errors='replace'), '', 'none: it hangs'


def report(name, good, *what):
    if not good:
        print(*what, sep='\n')
    print('pass' if good else 'fail', f'pc_kernel, {name}', flush=True)


def main():
    if not os.path.exists('/usr/share/seabios/bios-256k.bin'):
        print('needs /usr/share/seabios/bios-256k.bin\nskip pc_kernel, -kernel')
        return
    if not shutil.which('as') or not shutil.which('ld'):
        print('needs as and ld\nskip pc_kernel, -kernel')
        return
    emu = os.path.abspath(EMU)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make()
        common = ['-m', '64', '-display', 'none', '-nodefaults', '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
        for name, kernel, options, more, want in CASES:
            out, err, status = run([emu, *options.split(), *common, '-kernel', kernel, *more])
            report(name, status == 33 and re.fullmatch(want, out), out, err, f'status {status}', 'wanted:', want)
        for kernel, options, want in WRONG:
            out, err, status = run([emu, *common, '-kernel', kernel, *options.split()])
            report(f'{kernel} {options} is refused', status == 1 and re.fullmatch(f'qemu-system-x86_64: {want}\n', err), out, err,
                   f'status {status}', 'wanted:', want)
        os.chdir('/')


main()
