#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What options make a PC tell its firmware: fw_cfg's items and files and CMOS, read by a program that stands where firmware does
(pc_told.S).  Each case says what must be there; where the reference is installed, it must say the same there."""
import os
import shutil
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EMU = os.path.join(os.environ.get('EMU_BIN', 'build'), 'qemu-system-x86_64')
REFERENCE = shutil.which('qemu-system-x86_64')
ITEMS = 0x22


def told(program, options, rom, folder):
    """{item number, file name or ('cmos', n): bytes}, or what went wrong."""
    out = f'{folder}/out'
    argv = [program, *options, '-bios', rom, '-display', 'none', '-debugcon', f'file:{out}', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if p.returncode != 33:
        return p.stderr
    data = open(out, 'rb').read()
    got = {i: data[16 * i:16 * i + 16] for i in range(ITEMS)}
    data = data[16 * ITEMS:]
    count = struct.unpack_from('>I', data)[0]
    files = [struct.unpack_from('>IHH56s', data, 4 + 64 * i) for i in range(count)]
    data = data[4 + 64 * count:]
    for size, _, _, name in files:
        got[name.split(b'\0')[0].decode()] = data[:size]
        data = data[size:]
    got.update({('cmos', i): data[i:i + 1] for i in range(128)})
    return got


def structures(table):
    """SMBIOS: [(type, bytes behind the header, strings)]."""
    found, at = [], 0
    while at + 4 <= len(table):
        body, end = table[at + 4:at + table[at + 1]], table.index(b'\0\0', at + table[at + 1])
        strings = table[at + table[at + 1]:end].split(b'\0')
        found.append((table[at], body, [s.decode() for s in strings if s]))
        at = end + 2
    return found


def smbios(kind):
    return lambda got: [(body.hex(), *strings) for t, body, strings in structures(got['etc/smbios/smbios-tables']) if t == kind]


def cmos(first, n=1):
    return lambda got: b''.join(got['cmos', i] for i in range(first, first + n)).hex()


def of_file(name):
    return lambda got: got[name].hex() if name in got else None


def disks(got):
    return cmos(0x12)(got) + cmos(0x19, 20)(got) + cmos(0x39)(got)


def digits(got):
    """The order of booting: first, second, third."""
    return '%x%x%x' % (got['cmos', 0x3d][0] & 15, got['cmos', 0x3d][0] >> 4, got['cmos', 0x38][0] >> 4)


def e820(got):
    return [struct.unpack_from('<QQI', got['etc/e820'], i) for i in range(0, len(got['etc/e820']), 20)]


MIB, GIB = 1 << 20, 1 << 30
HT = (0xfd00000000, 0x300000000, 2)
UUID = '01234567-89ab-cdef-0123-456789abcdef'

# What it is about, options, what is looked at, what must be there.  {d}: a folder with disk.img (600 MiB), small.img (20 MiB), text.
CASES = [
    ('boot order', '-boot order=dc', digits, '320'),
    ('boot order for once', '-boot order=dc,once=n', digits, '400'),
    ('boot order, the old way', '-boot n', digits, '400'),
    ('boot order without any', '', digits, '213'),
    ('boot menu', '-boot menu=on', lambda got: got[0x0e][:2].hex(), '0100'),
    ('no boot menu', '-boot menu=off', lambda got: got[0x0e][:2].hex(), '0000'),
    ('time of the splash', '-boot menu=on,splash-time=5000', of_file('etc/boot-menu-wait'), '8813'),
    ('time until a reboot', '-boot reboot-timeout=3000', of_file('etc/boot-fail-wait'), 'b80b0000'),
    ('no reboot', '', of_file('etc/boot-fail-wait'), 'ffffffff'),
    ('boot signatures of floppy disks', '-no-fd-bootchk', lambda got: got['cmos', 0x38][0] & 1, 1),
    ('boot signatures as ever', '', lambda got: got['cmos', 0x38][0] & 1, 0),
    ('a date', '-rtc base=2006-06-17', cmos(7, 3), '170606'),
    ('its century, in both places', '-rtc base=1999-06-17', lambda got: cmos(0x32)(got) + cmos(0x37)(got), '1919'),
    ('no disk', '', disks, '00' * 22),
    ('a disk for the BIOS', '-hda {d}/disk.img', disks,
     'f0' '2f00' 'c30410ffffc8c3043f' + '00' * 9 + '01'),
    ('a small one, the second', '-hdb {d}/small.img', disks,
     '0f' '002f' + '00' * 9 + '280010ffffc828003f' '00'),
    ('a third', '-hdc {d}/disk.img', lambda got: cmos(0x12)(got) + cmos(0x39)(got), '0010'),
    ('a disk of a Q35', '-M q35 -hda {d}/disk.img', disks, 'f0' '2f00' 'c30410ffffc8c3043f' + '00' * 9 + '01'),
    ('a disk partitioned for other heads', '-hda {d}/mbr-8-32.img', disks, 'f0' '2f00' '400108ffffc0400120' + '00' * 9 + '00'),
    ('a disk partitioned for many tracks', '-hda {d}/mbr-15-50.img', disks, 'f0' '2f00' '77070fffffc8770732' + '00' * 9 + '00'),
    ('a disk partitioned for the heads of a BIOS', '-hda {d}/mbr-64-63.img', disks, 'f0' '2f00' 'c30410ffffc8c3043f' + '00' * 9 + '02'),
    ('a large one', '-hda {d}/mbr-255-63.img', disks, 'f0' '2f00' 'ff3f10ffffc8ff3f3f' + '00' * 9 + '01'),
    ('a disk as the user says', '-drive if=none,id=d,format=raw,file={d}/disk.img -device ide-hd,unit=0,bus=ide.0,drive=d,cyls=2000,heads=15,secs=40', disks,
     'f0' '2f00' 'd0070fffffc8d00728' + '00' * 9 + '01'),
    ('counted as the user says', '-drive if=none,id=d,format=raw,file={d}/disk.img -device ide-hd,unit=0,bus=ide.0,drive=d,bios-chs-trans=rechs', disks,
     'f0' '2f00' 'c30410ffffc8c3043f' + '00' * 9 + '03'),
    ('two floppy disks', '-fda {d}/floppy.img -fdb {d}/floppy.img', lambda got: cmos(0x10)(got) + cmos(0x14)(got), '4447'),
    ('memory', '-m 5G', e820, [HT, (0, 3 * GIB, 1), (4 * GIB, 2 * GIB, 1)]),
    ('memory without HyperTransport', '-m 64 -cpu Haswell', e820, [(0, 64 * MIB, 1)]),
    ('memory before HyperTransport was known of', '-m 64 -M pc-i440fx-7.0', e820, [(0, 64 * MIB, 1)]),
    ('less memory below 4 GiB', '-m 3G -M pc,max-ram-below-4g=1G', e820, [HT, (0, GIB, 1), (4 * GIB, 2 * GIB, 1)]),
    ('CPUs', '-smp 2,maxcpus=8', lambda got: got[5][:2].hex() + got[0xf][:2].hex() + cmos(0x5f)(got), '0200' '0800' '01'),
    ('memory of microvm', '-M microvm -m 64', lambda got: cmos(0x15, 4)(got) + cmos(0x30, 2)(got) + cmos(0x34, 2)(got), '8002' '00fc' '00fc' '0003'),
    ('time until a reboot, of microvm', '-M microvm -boot reboot-timeout=3000', of_file('etc/boot-fail-wait'), 'b80b0000'),
    ('a UUID', f'-uuid {UUID}', lambda got: got[2].hex(), UUID.replace('-', '')),
    ('a file', '-fw_cfg name=opt/org.test/a,string=b', of_file('opt/org.test/a'), '62'),
    ('an option ROM', '-option-rom {d}/text', of_file('genroms/text'), b'hello\n'.hex()),
    ('the place of option ROMs', '-nic none -option-rom {d}/text,bootindex=3 -option-rom {d}/smbios,bootindex=2 -device virtio-rng-pci,addr=5',
     lambda got: got['bootorder'], b'/rom@genroms/smbios\n/rom@genroms/text\0'),
    ('HPET', '', lambda got: '/HPET' if b'HPET' in got['etc/acpi/tables'] else '', '/HPET'),
    ('no HPET', '-no-hpet', lambda got: '/HPET' if b'HPET' in got['etc/acpi/tables'] else '', ''),
    ('no ACPI', '-no-acpi', of_file('etc/acpi/tables'), None),
    ('a table of the user', '-acpitable sig=TEST,rev=3,oem_id=abcdef,oem_table_id=abcdefgh,oem_rev=5,asl_compiler_id=ghij,asl_compiler_rev=7,data={d}/text',
     lambda got: (t := got['etc/acpi/tables'])[(i := t.index(b'TEST')):i + 8] + t[i + 8:i + 9] + t[i + 10:i + 42],
     b'TEST' + (42).to_bytes(4, 'little') + b'\3abcdefabcdefgh\5\0\0\0ghij\7\0\0\0hello\n'),
    ('SMBIOS of the firmware', '-smbios type=0,vendor=V,version=1.2,date=01/02/2003,release=4.5,uefi=on', smbios(0),
     [('010200e803000800000000000000001c0405ffff', 'V', '1.2', '01/02/2003')]),
    ('SMBIOS of the machine', f'-smbios type=1,manufacturer=M,product=P,version=V -smbios type=1,serial=S,uuid={UUID},sku=K,family=F', smbios(1),
     [('01020304' '67452301ab89efcd0123456789abcdef' '060506', 'M', 'P', 'V', 'S', 'K', 'F')]),
    ('SMBIOS of the board', '-smbios type=2,manufacturer=M,product=P,version=V,serial=S,asset=A,location=L', smbios(2),
     [('01020304050106' '00030a00', 'M', 'P', 'V', 'S', 'A', 'L')]),
    ('SMBIOS of the case', '-smbios type=3,manufacturer=M,version=V,serial=S,asset=A,sku=K', smbios(3),
     [('010102030403030302000000000000000005', 'M', 'V', 'S', 'A', 'K')]),
    ('SMBIOS of a processor', '-smbios type=4,sock_pfx=X,manufacturer=M,version=V,serial=S,asset=A,part=P,max-speed=3000,current-speed=2500,processor-id=0x123456789a',
     smbios(4), [('010301029a7856341200000003000000b80bc4094101ffffffffffff0405060101010200' '0100', 'X 0', 'M', 'V', 'S', 'A', 'P')]),
    ('SMBIOS of two processors', '-cpu Haswell -smp 4,sockets=2,cores=2', smbios(4),
     [('01030102c4060300fdfb8b0703000000d007d0074101ffffffffffff0000000202020200' '0100', f'CPU {i}', 'QEMU', 'pc-i440fx-7.2') for i in range(2)]),
    ('SMBIOS of a processor, since 3.0', '-M pc,smbios-entry-point-type=64 -cpu qemu64,vendor=GenuineIntel', lambda got: smbios(4)(got)[0][0][-16:], '0100' * 4),
    ('SMBIOS of sockets', '-smbios type=8,internal_reference=I,external_reference=E,connector_type=8,port_type=9 -smbios type=8,external_reference=Z',
     smbios(8), [('0100020809', 'I', 'E'), ('0000010000', 'Z')]),
    ('SMBIOS of strings', '-smbios type=11,value=a,,b,path={d}/text -smbios type=11,value=z', smbios(11), [('03', 'a,b', 'hello\n', 'z')]),
    ('SMBIOS of a memory module', '-smbios type=17,loc_pfx=L,bank=B,manufacturer=M,serial=S,asset=A,part=P,speed=1600', smbios(17),
     [('0010feffffffffff80000900010207020040060304050600000000004006000000000000', 'L 0', 'B', 'M', 'S', 'A', 'P')]),
    ('SMBIOS of memory on both sides of the hole', '-m 5G', smbios(19),
     [('00000000ffff2f00001001' + '00' * 16,), ('00004000ffff5f00001001' + '00' * 16,)]),
    ('SMBIOS of what is on board', '-smbios type=41,designation=D,kind=ethernet,instance=2,pcidev=n1 -smbios type=41,designation=E -device e1000,id=n1,addr=7',
     smbios(41), [('01850200000038', 'D'), ('01810100000000', 'E')]),
    ('SMBIOS from a file', '-smbios file={d}/smbios', smbios(200), [('01', 'word')]),
]

# What is refused, and the end of the line that says so.
REFUSED = [
    ('-drive if=none,id=d,format=raw,file={d}/disk.img -device ide-hd,drive=d,cyls=100', 'heads must be between 1 and 16'),
    ('-drive if=none,id=d,format=raw,file={d}/disk.img -device ide-hd,drive=d,cyls=65536,heads=8,secs=20', 'cyls must be between 1 and 65535'),
    ('-drive if=none,id=d,format=raw,file={d}/disk.img -device ide-hd,drive=d,cyls=1,heads=8,secs=256', 'secs must be between 1 and 255'),
    ('-option-rom /nix', "-option-rom: Could not find ROM image '/nix'"),
    ('-option-rom {d}/text,bootindex=x', 'bootindex=x: want a number from 0 on'),
    ('-smbios type=41,designation=D,pcidev=nix', 'No PCI device nix for SMBIOS type 41 entry D'),
    ('-smbios type=41,designation=D,pcidev=f -device isa-serial,id=f', 'No PCI device f for SMBIOS type 41 entry D'),
    ('-smbios type=41,kind=foo', "-smbios type=41: Parameter 'kind' does not accept value 'foo'"),
    ('-smbios type=0,release=x', "-smbios type=0: Invalid release 'x'"),
    ('-smbios type=4,max-speed=100000', '-smbios type=4: max-speed=100000: at most 65535'),
    ('-smbios type=11,path=/nix', "-smbios type=11: could not load '/nix': No such file or directory"),
    ('-smbios type=11,foo=x', "-smbios type=11: Invalid parameter 'foo'"),
    ('-smbios type=5', '-smbios type=5: 0, 1, 2, 3, 4, 8, 11, 17 and 41 can be set'),
    ('-smbios serial=x', '-smbios: Must specify type= or file='),
    ('-smbios file={d}/smbios,type=1', 'smbios: the file has everything, nothing else can be said'),
]


def partitioned(path, heads, sectors, size):
    """A disk with one partition, of ten cylinders but for the first track."""
    entry = struct.pack('<8BII', 0x80, 1, 1, 0, 6, heads - 1, sectors, 9, sectors, 10 * heads * sectors - sectors)
    open(path, 'wb').write(bytes(446) + entry + bytes(48) + b'\x55\xaa')
    os.truncate(path, size)


def make(folder):
    for name, size in (('disk.img', 600 << 20), ('small.img', 20 << 20), ('floppy.img', 1440 << 10)):
        open(f'{folder}/{name}', 'wb').close()
        os.truncate(f'{folder}/{name}', size)
    for heads, sectors, size in (8, 32, 40 << 20), (15, 50, 700 << 20), (64, 63, 600 << 20), (255, 63, 9 << 30):
        partitioned(f'{folder}/mbr-{heads}-{sectors}.img', heads, sectors, size)
    open(f'{folder}/text', 'w').write('hello\n')
    open(f'{folder}/smbios', 'wb').write(b'\xc8\5\0\xc8\1word\0\0')
    subprocess.run(['as', '--32', '-o', f'{folder}/d.o', f'{HERE}/pc_told.S'], check=True)
    subprocess.run(['ld', '-m', 'elf_i386', '-Ttext=0', '--oformat=binary', '-o', f'{folder}/rom', f'{folder}/d.o'], check=True)


def look(program, options, what, folder):
    got = told(program, [*options.format(d=folder).split(), '-snapshot'], f'{folder}/rom', folder)
    return what(got) if isinstance(got, dict) else f'it ends: {got}'


def refused(folder):
    for options, want in REFUSED:
        p = subprocess.run([EMU, *options.format(d=folder).split(), '-display', 'none', '-S'], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=60)
        good = p.returncode == 1 and p.stderr.count('\n') == 1 and want in p.stderr
        if not good:
            print(f'status {p.returncode}\n{p.stderr}')
        print('pass' if good else 'fail', 'pc_told, refused:', options, flush=True)


def main():
    for tool in 'as', 'ld':
        if not shutil.which(tool):
            print(f'needs {tool}\nskip pc_told')
            return
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        for name, options, what, want in CASES:
            for program in filter(None, (EMU, REFERENCE)):
                got = look(program, options, what, folder)
                if got != want:
                    print(f'{"reference" if program == REFERENCE else "ours"}: {got!r}, want {want!r}')
                    break
            print('fail' if got != want else 'pass', f'pc_told, {name}', flush=True)
        refused(folder)


main()
