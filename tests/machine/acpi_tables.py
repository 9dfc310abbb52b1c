#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every ACPI table of running machines, as firmware has put it into memory: each has its sum, what iasl takes apart it can put together
again without errors and warnings, and the tables that the machine must have are there (ACPI 6.3, 5.2.5 to 5.2.8)."""
import glob
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import LONG, listening, until  # noqa: E402

BIN = os.environ.get('EMU_BIN', 'build')
AAVMF = '/usr/share/AAVMF/AAVMF_CODE.fd'
PC_TABLES = {'FACP', 'FACS', 'DSDT', 'APIC', 'HPET', 'WAET'}
NUMA = ('-m 256 -object memory-backend-ram,id=m0,size=128M -object memory-backend-ram,id=m1,size=128M -numa node,memdev=m0,cpus=0-1 '
        '-numa node,memdev=m1,cpus=2-3 -numa dist,src=0,dst=1,val=20 ')
TPM = '-chardev socket,id=t,path={tpm} -tpmdev emulator,id=tpm0,chardev=t '
BRIDGES = '-device pci-bridge,id=b1,chassis_nr=1 -device e1000,bus=b1,addr=3 '
PORTS = ('-device pcie-root-port,id=r1,chassis=1,slot=1 -device pcie-root-port,id=r2,chassis=2,slot=2 -device virtio-net-pci,bus=r1 '
         '-device nvme,serial=1,bus=r2 ')

# Name, program, options, tables besides those of every machine of the kind.
MACHINES = [
    ('pc', 'x86_64', '-M pc -m 64', PC_TABLES),
    ('pc with all', 'x86_64', '-M pc -smp 4,maxcpus=8 ' + NUMA + TPM + BRIDGES + '-device tpm-tis,tpmdev=tpm0 -device vmgenid,guid=auto '
     '-device pvpanic -device isa-debug-exit', PC_TABLES | {'SRAT', 'SLIT', 'TPM2'}),
    ('pc-i440fx-7.2 of i386', 'i386', '-M pc-i440fx-7.2 -m 64 -smp 2', PC_TABLES),
    ('q35', 'x86_64', '-M q35 -m 64', PC_TABLES | {'MCFG'}),
    ('q35 with all', 'x86_64', '-M q35 -smp 4,maxcpus=8 ' + NUMA + TPM + PORTS + '-device tpm-crb,tpmdev=tpm0 -device vmgenid,guid=auto '
     '-device i6300esb', PC_TABLES | {'MCFG', 'SRAT', 'SLIT', 'TPM2'}),
    ('pc-q35-7.2', 'x86_64', '-M pc-q35-7.2 -m 64 -smp 2', PC_TABLES | {'MCFG'}),
    ('q35 without HPET', 'x86_64', '-M q35,hpet=off -m 64', PC_TABLES - {'HPET'} | {'MCFG'}),
    ('microvm with PCI Express', 'x86_64', '-M microvm,pcie=on -m 64 -device virtio-rng-pci', {'FACP', 'DSDT', 'APIC', 'MCFG'}),
    ('microvm', 'x86_64', '-M microvm -m 64 -smp 4 -device virtio-rng-device', {'FACP', 'DSDT', 'APIC'}),
    ('virt', 'aarch64', f'-M virt -cpu cortex-a57 -m 256 -bios {AAVMF}', {'FACP', 'DSDT', 'APIC', 'GTDT', 'MCFG', 'SPCR', 'DBG2'}),
    ('virt with ports', 'aarch64', f'-M virt,gic-version=3 -cpu cortex-a57 -smp 4 -m 256 -bios {AAVMF} ' + PORTS,
     {'FACP', 'DSDT', 'APIC', 'GTDT', 'MCFG', 'SPCR', 'IORT'}),
]


class Machine:
    def __init__(self, program, options, folder):
        self.folder, path = folder, f'{folder}/monitor'
        self.log = open(f'{folder}/log', 'w+')
        self.p = subprocess.Popen([f'{BIN}/qemu-system-{program}', *options.split(), '-display', 'none', '-serial', 'none', '-nic', 'none',
                                   '-monitor', f'unix:{path},server=on,wait=off'], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(LONG)
        while self.s.connect_ex(path):
            if self.p.poll() is not None:
                self.log.seek(0)
                raise OSError(f'ended with status {self.p.returncode}: {self.log.read()[:500]}')
            time.sleep(.05)
        self.answer()

    def answer(self):
        data = b''
        while not data.rstrip().endswith(b'(qemu)'):
            more = self.s.recv(65536)
            if not more:
                raise OSError('the monitor is gone')
            data += more

    def memory(self, at, size):
        path = f'{self.folder}/memory'
        self.s.sendall(f'pmemsave {at:#x} {size:#x} "{path}"\n'.encode())
        self.answer()
        with open(path, 'rb') as f:
            return f.read()

    def stop(self):
        self.p.kill()
        self.p.wait()
        self.log.close()


def root(m, areas):
    """The root pointer, or None as long as firmware has not made one."""
    for start, size in areas:
        data = m.memory(start, size)
        for hit in re.finditer(b'RSD PTR ', data):
            at = hit.start()
            if at % 16 == 0 and sum(data[at:at + 20]) & 255 == 0:
                return data[at:at + 36]
    return None


def table(m, at):
    size = struct.unpack('<4xI', m.memory(at, 8))[0]
    if not 8 <= size < 1 << 20:
        raise OSError(f'table at {at:#x}: {size} bytes')
    return m.memory(at, size)


def tables(m, rsdp):
    """(signature, bytes) of all that the pointer leads to."""
    revision, rsdt = rsdp[15], struct.unpack('<I', rsdp[16:20])[0]
    xsdt = struct.unpack('<Q', rsdp[24:32])[0] if revision else 0
    head = table(m, xsdt or rsdt)
    form = 'Q' if xsdt else 'I'
    found = [head]
    for at in struct.unpack(f'<{(len(head) - 36) // struct.calcsize(form)}{form}', head[36:]):
        t = table(m, at)
        found.append(t)
        if t[:4] == b'FACP':
            facs, dsdt = struct.unpack('<II', t[36:44])
            if len(t) >= 148:
                facs, dsdt = struct.unpack('<Q', t[132:140])[0] or facs, struct.unpack('<Q', t[140:148])[0] or dsdt
            found += [table(m, a) for a in (facs, dsdt) if a]
    return [(t[:4].decode(), t) for t in found]


# A revision of 1 means integers of 32 bits, as PCs' DSDT has always had it here; that is no fault.
FINE = re.compile(r'32-bit table \(V1\)')
BAD = re.compile(r'error|warning|invalid|unresolved|unknown|\*\*\*\*', re.I)
# The generation counter's _HID is known to guests, though it does not end in four digits.
KNOWN = ['-vw', '6035']
# Debian's iasl is older than the identifiers of nodes (DEN 0049E): it takes them apart, but writes zeros there.
NEWER = ('IORT',)


def iasl(folder, *args):
    r = subprocess.run(['iasl', *args], cwd=folder, capture_output=True, text=True, timeout=60)
    return r.stdout + r.stderr


def bad_lines(text):
    return [x for x in text.splitlines() if BAD.search(x) and not FINE.search(x)]


def apart_and_together(folder, found):
    """Lines that say what is wrong."""
    wrong, names = [], []
    for i, (signature, data) in enumerate(found):
        if signature != 'FACS' and sum(data) & 255:
            wrong.append(f'{signature}: sum {sum(data) & 255:#x}')
        names.append(f'{i:02}{signature.lower()}')
        with open(f'{folder}/{names[-1]}.dat', 'wb') as f:
            f.write(data)
    code = [n for n, (s, _) in zip(names, found) if s in ('DSDT', 'SSDT')]
    for n, (signature, _) in zip(names, found):
        others = [x for c in code if c != n for x in ('-e', f'{c}.dat')] if n in code else []
        said = iasl(folder, *others, '-d', f'{n}.dat')
        text = open(f'{folder}/{n}.dsl').read() if os.path.exists(f'{folder}/{n}.dsl') else ''
        wrong += [f'{n}: {x}' for x in bad_lines(said) + bad_lines(text)]
        if signature in NEWER:
            continue
        said = iasl(folder, *KNOWN, '-p', f'{n}-again', f'{n}.dsl')
        if not re.search(r'Compilation successful\. 0 Errors, 0 Warnings', said):
            wrong += [f'{n} again: {x}' for x in said.splitlines() if x.strip()][-12:]
        wrong += same(folder, n, signature)
    return wrong


def same(folder, n, signature):
    """Tables of data come out as they went in, but for who compiled them; code may be written in more than one way."""
    if signature in ('DSDT', 'SSDT', 'RSDT', 'XSDT') or not os.path.exists(f'{folder}/{n}-again.aml'):
        return []
    a, b = open(f'{folder}/{n}.dat', 'rb').read(), open(f'{folder}/{n}-again.aml', 'rb').read()
    if signature != 'FACS':
        a, b = a[:9] + a[10:28] + a[36:], b[:9] + b[10:28] + b[36:]
    return [] if a == b else [f'{n}: {len(a)} bytes went in, {len(b)} came out, or others']


def with_tpm(folder):
    os.makedirs(f'{folder}/tpm', exist_ok=True)
    return subprocess.Popen(['swtpm', 'socket', '--tpm2', '--tpmstate', f'dir={folder}/tpm', '--ctrl', f'type=unixio,path={folder}/tpm.sock'],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check(program, options, wanted, folder):
    tpm = with_tpm(folder) if '{tpm}' in options else None
    if tpm:
        until(lambda: listening(f'{folder}/tpm.sock'))
    m = None
    try:
        m = Machine(program, options.format(tpm=f'{folder}/tpm.sock') if tpm else options, folder)
        areas = [(0x40000000, 256 << 20)] if program == 'aarch64' else [(0xe0000, 0x20000)]
        end = time.monotonic() + 120
        while not (rsdp := root(m, areas)):
            if time.monotonic() > end:
                return ['no root pointer']
            time.sleep(2 if program == 'aarch64' else .2)
        time.sleep(.5)
        found = tables(m, rsdp)
    finally:
        if m:
            m.stop()
        if tpm:
            tpm.send_signal(signal.SIGTERM)
            tpm.wait()
    there = {s for s, _ in found}
    wrong = [f'no {", ".join(sorted(wanted - there))}; there are {", ".join(sorted(there))}'] if wanted - there else []
    return wrong + apart_and_together(folder, found)


def main():
    for name, program, options, wanted in MACHINES:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        gone = [x for x in ('iasl', *(['swtpm'] if '{tpm}' in options else [])) if not shutil.which(x)]
        gone += [AAVMF] if AAVMF in options and not os.path.exists(AAVMF) else []
        if gone:
            print(f'no {gone[0]}\nskip acpi tables, {name}')
            continue
        with tempfile.TemporaryDirectory(prefix='emu-acpi-') as folder:
            try:
                wrong = check(program, options, wanted, folder)
            except OSError as e:
                wrong = [str(e)]
            if wrong and os.environ.get('KEEP'):
                shutil.copytree(folder, os.environ['KEEP'], dirs_exist_ok=True, ignore=shutil.ignore_patterns('memory', 'monitor', '*.sock'))
            print(*wrong[:60], f'{"fail" if wrong else "pass"} acpi tables, {name}', sep='\n', flush=True)


main()
