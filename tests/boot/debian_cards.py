#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian for PCs (tools/mk-disk-pc.sh): on each network card a file of the host's by HTTP through user networking, and a balloon that
takes memory and gives it back.

usage: debian_cards.py     EMU_BIN has the programs, GUESTS/disk-pc what mk-disk-pc.sh made
"""
import functools
import hashlib
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..')]
from console import Console, Died, Failed, Timeout  # noqa: E402
from debian import FAIL, Quiet  # noqa: E402
from debian_pc import DISK, EMU_BIN, log_in  # noqa: E402
from wait import until  # noqa: E402

CARDS = {'e1000': 'e1000', 'rtl8139': '8139cp', 'virtio-net-pci': 'virtio_net'}  # and Linux's drivers
MB = 1 << 20

UP = ('d=$(for i in /sys/class/net/*; do [ "$(basename $(readlink $i/device/driver))" = {driver} ] && basename $i; done); '
      'ip link set $d up; dhclient -1 $d; ip -4 address show $d')
FETCH = (r'exec 3<>/dev/tcp/10.0.{net}.2/{port}; printf "GET /file HTTP/1.0\r\n\r\n" >&3; cat <&3 | tail -c {size} | md5sum; '
         'exec 3<&-')


def serve(folder):
    os.mkdir(f'{folder}/www')
    data = os.urandom(16 * MB)
    with open(f'{folder}/www/file', 'wb') as f:
        f.write(data)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=f'{folder}/www'))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, data


def memory(g):
    """MiB that the guest says it has."""
    g.run('grep MemTotal /proc/meminfo', r'MemTotal: +\d+ kB')
    return int(re.findall(r'MemTotal: +(\d+) kB', g.c.text)[-1]) >> 10


def balloon(g, size):
    """The guest has what it is left, within what its kernel needs for itself."""
    g.c.hmp(f'balloon {size}')
    until(lambda: f'actual={size}\r' in g.c.hmp('info balloon'))
    told, has = g.c.hmp('info balloon'), memory(g)
    if f'actual={size}\r' not in told or not size - 100 < has < size:
        raise Failed(f'balloon {size}: {told!r}, {has} MiB')
    print(f'pass boot, a balloon leaves Debian {size} MiB', flush=True)


def work(c, port, data):
    g = log_in(c)
    for net, (card, driver) in enumerate(CARDS.items(), 3):
        g.run(UP.format(driver=driver), rf'inet 10\.0\.{net}\.15')
        g.run(FETCH.format(net=net, port=port, size=len(data)), hashlib.md5(data).hexdigest())
        print(f'pass boot, Debian fetches a file by HTTP on {card}', flush=True)
    for size in 512, 1024, 300, 1024:
        balloon(g, size)
    c.hmp('system_powerdown')
    c.expect('reboot: Power down', 180)
    if c.wait_exit(60):
        raise Failed(f'status {c.proc.returncode}')


def boot(folder):
    port, data = serve(folder)
    image = f'{folder}/disk.qcow2'
    subprocess.run([f'{EMU_BIN}/qemu-img', 'create', '-q', '-f', 'qcow2', '-b', f'{DISK}/disk.img', '-F', 'raw', image], check=True)
    cards = [word for net, card in enumerate(CARDS, 3)
             for word in ('-netdev', f'user,id=n{net},net=10.0.{net}.0/24', '-device', f'{card},netdev=n{net}')]
    line = [f'{EMU_BIN}/qemu-system-x86_64', '-hda', image, '-m', '1024', '-smp', '2', '-display', 'none', '-serial', 'stdio', *cards,
            '-device', 'virtio-balloon-pci']
    with Console(line, monitor=True, fail=[FAIL]) as c:
        try:
            work(c, port, data)
        except (Died, Failed, Timeout):
            print('\n'.join('    ' + text for text in c.text[-2500:].splitlines()))
            raise


def main():
    if not os.path.exists(f'{DISK}/.complete'):
        print('no disk: tools/mk-disk-pc.sh makes it\nskip boot, debian-pc cards')
        return 0
    with tempfile.TemporaryDirectory(prefix='emu-cards-') as folder:
        try:
            boot(folder)
            print('pass boot, debian-pc cards', flush=True)
            return 0
        except (Died, Failed, Timeout, subprocess.SubprocessError, OSError) as e:
            print(f'{type(e).__name__}: {e}\nfail boot, debian-pc cards', flush=True)
            return 1


if __name__ == '__main__':
    sys.exit(main())
