#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole machines beside the reference emulator, in turns, with the same command lines.

Time is processor time of the emulator between two marks on the guest's console (all its threads), and the wall clock; medians of
the runs.  The disk is a snapshot: nothing is written to it.

usage: run.py [--guest aarch64|x86_64] --bin DIR --guests DIR --disk DIR [--reference DIR] [--runs N] [--only NAME,...]
"""
import argparse
import math
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../tests/boot'))
from console import Console, Died, Failed, Timeout  # noqa: E402

PROMPT = r'root@guest:~#'
SOURCE = r'''
for i in 1 2 3 4 5 6 7 8; do echo "int f$i(int n){int a[64],s=0;for(int i=0;i<64;i++)a[i]=i*n;for(int k=0;k<n;k++)
for(int i=1;i<64;i++){a[i]^=a[i-1]+k;s+=a[i]%%(k+1);}return s;}"; done > /tmp/t.c'''
READ = 'dd if=/dev/{} of=/dev/null bs={} count={} iflag=direct 2>&1 | tail -1'
# name, what the shell in the guest does; the time of each is taken from its echo to the end
WORK = [
    ('compile', 'for i in 1 2 3 4; do gcc -O2 -c /tmp/t.c -o /tmp/t.o; done'),
    ('openssl sha256', 'dd if=/dev/zero bs=1M count=96 2>/dev/null | openssl dgst -sha256'),
    ('openssl aes', 'dd if=/dev/zero bs=1M count=96 2>/dev/null | openssl enc -aes-128-cbc -K 00 -iv 00 2>/dev/null | tail -c 16 | md5sum'),
    ('python', 'python3 -c "x=0\nfor i in range(1500000): x=(x*31+i)%1000003\nprint(x)"'),
    ('sort', 'seq 1 300000 | sort -R --random-source=/dev/zero | sort -n | md5sum'),
    ('forks', 'i=0; while [ $i -lt 400 ]; do /bin/true; i=$((i+1)); done'),
    ('disk read', 'echo 3 >/proc/sys/vm/drop_caches; ' + READ.format('vda', '64k', 4000)),
    ('disk read 4k', READ.format('vda', '4k', 8000)),
    ('disk write', 'dd if=/dev/zero of=/w bs=1M count=128 conv=fsync 2>&1 | tail -1; rm /w'),
]
PC_WORK = WORK + [
    ('IDE read', READ.format('sda', '64k', 2000)),
    ('IDE read 4k', READ.format('sda', '4k', 4000)),
    ('NVMe read', READ.format('nvme0n1', '64k', 2000)),
    ('NVMe read 4k', READ.format('nvme0n1', '4k', 4000)),
    ('NVMe write', 'dd if=/dev/zero of=/dev/nvme0n1 bs=1M count=128 oflag=direct 2>&1 | tail -1'),
]
CPU_BOUND = {'compile', 'openssl sha256', 'openssl aes', 'python', 'sort', 'forks'}


class Meter:
    """Wall and processor seconds since the last mark."""

    def __init__(self, console):
        self.c = console
        self.mark()

    def mark(self):
        self.wall, self.cpu = time.monotonic(), self.c.cpu_seconds() or 0
        return self

    def read(self):
        return (self.c.cpu_seconds() or 0) - self.cpu, time.monotonic() - self.wall


ARM = {
    'program': 'qemu-system-aarch64',
    'installer': ['-M', 'virt', '-cpu', 'cortex-a53', '-kernel', '{guests}/di/arm64/linux', '-initrd', '{guests}/di/arm64/initrd.gz',
                  '-append', 'console=ttyAMA0'],
    'system': ['-M', 'virt', '-cpu', 'cortex-a72', '-drive', 'if=virtio,format=raw,file={disk}/root.img', '-kernel', '{disk}/vmlinuz',
               '-initrd', '{disk}/initrd.img', '-append', 'root=/dev/vda rw console=ttyAMA0'],
    'work': WORK,
}
PC = {
    'program': 'qemu-system-x86_64',
    'installer': ['-M', 'pc', '-kernel', '{guests}/di/amd64/linux', '-initrd', '{guests}/di/amd64/initrd.gz', '-append', 'console=ttyS0'],
    'system': ['-M', 'pc', '-drive', 'if=virtio,format=raw,file={disk}/disk.img', '-hda', '{scratch}', '-drive',
               'if=none,id=n,format=raw,file={scratch}', '-device', 'nvme,drive=n,serial=1', '-boot', 'c'],
    'work': PC_WORK,
}
PC['system'] += ['-kernel', '{disk}/vmlinuz', '-initrd', '{disk}/initrd.img', '-append', 'root=LABEL=guestroot rw console=ttyS0']
GUESTS = {'aarch64': ARM, 'x86_64': PC}


def command(folder, what, args):
    guest = GUESTS[args.guest]
    return [os.path.join(folder, guest['program']), '-accel', 'tcg', '-m', '1024', '-nographic', '-no-reboot',
            *(x.format(guests=args.guests, disk=args.disk, scratch=args.scratch) for x in guest[what])]


def installer(folder, args):
    with Console([*command(folder, 'installer', args), '-nic', 'user']) as c:
        m = Meter(c)
        c.expect('Select a language|Choose language', 400, screen=True)
        return {'boot to installer menu': m.read()}


def iperf(c, port):
    """Bytes a second from the host to the guest through user networking, as (seconds for 64 MiB) both ways of measuring."""
    c.send('iperf3 -s -1 -p 5201 >/dev/null 2>&1 & sleep 1; echo READY-$((1+1))\n')
    c.expect('READY-2', 60)
    m = Meter(c)
    r = subprocess.run(['iperf3', '-c', '127.0.0.1', '-p', str(port), '-n', '64M'], capture_output=True, timeout=300)
    if r.returncode:
        raise Failed(f'iperf3: {r.stdout.decode()}{r.stderr.decode()}')
    got = m.read()
    c.expect(PROMPT, 30)
    return got


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def system(folder, args):
    rows = {}
    port = free_port()
    line = [*command(folder, 'system', args), '-snapshot', '-nic', f'user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{port}-:5201']
    with Console(line) as c:
        m = Meter(c)
        c.expect('guest login:', 600)
        rows['boot to login'] = m.read()
        c.send('root\n')
        c.expect('Password:', 60)
        c.send('root\n')
        c.expect(PROMPT, 120)
        c.send('dhclient -1 $(ls /sys/class/net | grep -v lo) >/dev/null 2>&1; dmesg -n 1; stty -echo; echo SET-$((2+2))\n')
        c.expect('SET-4', 120)
        c.send(SOURCE.replace('%%', '%') + '; echo SET-$((2+3))\n')
        c.expect('SET-5', 120)
        for i, (name, work) in enumerate(GUESTS[args.guest]['work']):
            if args.only and name not in args.only and 'system' not in args.only:
                continue
            m.mark()
            c.send(f'{work}; echo DONE-$(({i}+100))-$?\n')
            c.expect(f'DONE-{i + 100}-0', 400)
            rows[name] = m.read()
        if not args.only or 'network' in args.only:
            rows['network'] = iperf(c, port)
        c.send('poweroff\n')
        c.wait_exit(120)
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--guest', default='aarch64', choices=GUESTS)
    p.add_argument('--bin', default='build')
    p.add_argument('--reference', default='/usr/bin')
    p.add_argument('--guests', required=True)
    p.add_argument('--disk', required=True)
    p.add_argument('--runs', type=int, default=3)
    p.add_argument('--only', default='', type=lambda s: [x for x in s.split(',') if x])
    args = p.parse_args()
    with tempfile.NamedTemporaryFile() as scratch:
        for _ in range(256):
            scratch.write(os.urandom(1 << 20))
        args.scratch = scratch.name
        compare(args)


def compare(args):
    seen = {'emu': {}, 'reference': {}}
    model = next((l.split(':')[1].strip() for l in open('/proc/cpuinfo') if 'model name' in l), '?')
    print(f'# {time.strftime("%Y-%m-%d")}, {model}, Linux {platform.release()}, median of {args.runs}')
    for _ in range(args.runs):
        for who, folder in (('reference', args.reference), ('emu', args.bin)):
            for work in (installer, system):
                if args.only and work is installer and 'installer' not in args.only:
                    continue
                try:
                    for name, got in work(folder, args).items():
                        seen[who].setdefault(name, []).append(got)
                except (Died, Failed, Timeout, subprocess.TimeoutExpired) as e:
                    print(f'{who}, {work.__name__}: {e}', flush=True)
    print(f'{"":24} {"reference":>17} {"emu":>17}   times faster')
    print(f'{"":24} {"cpu":>8} {"wall":>8} {"cpu":>8} {"wall":>8} {"cpu":>8} {"wall":>8}')
    faster = []
    for name, runs in seen['reference'].items():
        if name not in seen['emu']:
            continue
        r, e = ([statistics.median(x[k] for x in s) for k in (0, 1)] for s in (runs, seen['emu'][name]))
        print(f'{name:24} {r[0]:8.2f} {r[1]:8.2f} {e[0]:8.2f} {e[1]:8.2f} {r[0] / max(e[0], .01):8.2f} {r[1] / max(e[1], .01):8.2f}')
        if name in CPU_BOUND:
            faster.append(r[0] / max(e[0], .01))
    if faster:
        print(f'CPU workloads, geometric mean: {math.exp(sum(map(math.log, faster)) / len(faster)):.2f}')


if __name__ == '__main__':
    main()
