#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian (tools/mk-disk.sh) on a qcow2 overlay, with 1, 2 and 4 CPUs: systemd to its login, apt-get update from a repository
on the host through user networking, a compilation, power-off; its file system is clean afterwards.

usage: debian.py [CPUS...]     EMU_BIN has the programs, DISK what mk-disk.sh made; STRESS=SECONDS: stress-ng for that long, too
"""
import functools
import gzip
import hashlib
import http.server
import os
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from console import Console, Died, Failed, Timeout  # noqa: E402

EMU_BIN = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
DISK = os.path.abspath(os.environ.get('DISK', 'build/guests/disk'))
STRESS = int(os.environ.get('STRESS', '0'))
PROMPT = r'root@guest:~#'
FAIL = r'Kernel panic|Oops:|BUG:|rcu.*stall|soft lockup|EXT4-fs error'


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def make_repository(folder):
    """A flat one, with one package that says it comes from the host."""
    tree = f'{folder}/tree'
    os.makedirs(f'{tree}/DEBIAN')
    os.makedirs(f'{tree}/usr/share/emu')
    with open(f'{tree}/DEBIAN/control', 'w') as f:
        f.write('Package: from-host\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n'
                'Description: a file of the host\n')
    with open(f'{tree}/usr/share/emu/hello', 'w') as f:
        f.write('hello from the host\n')
    repo = f'{folder}/repo'
    os.makedirs(repo)
    subprocess.run(['dpkg-deb', '--root-owner-group', '-b', tree, f'{repo}/from-host.deb'], check=True, stdout=subprocess.DEVNULL)
    data = open(f'{repo}/from-host.deb', 'rb').read()
    control = open(f'{tree}/DEBIAN/control').read()
    text = (control + f'Filename: ./from-host.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n').encode()
    open(f'{repo}/Packages', 'wb').write(text)
    with gzip.open(f'{repo}/Packages.gz', 'wb') as f:
        f.write(text)
    return repo


class Guest:
    def __init__(self, console):
        self.c, self.n = console, 0

    def run(self, command, expect='', timeout=180):
        """The command ends with status 0, and prints what matches."""
        self.n += 1
        self.c.send(f'{command}; echo END-$(({self.n}+1000))-$?\n')
        if expect:
            self.c.expect(expect, timeout)
        self.c.expect(f'END-{self.n + 1000}-0', timeout)


def work(g, port):
    g.run('stty -echo; dmesg -n 1; dhclient -1 $(ls /sys/class/net | grep -v lo) >/dev/null 2>&1; ip -4 addr', r'inet 10\.0\.2\.15')
    g.run(f'echo "deb [trusted=yes] http://10.0.2.2:{port} ./" > /etc/apt/sources.list; rm -f /etc/apt/sources.list.d/*; '
          'apt-get update && apt-get -y install from-host && cat /usr/share/emu/hello', 'hello from the host', 300)
    g.run(r'printf "#include <stdio.h>\nint main(void){printf(\"%%d\\\\n\",6*7*1000+1);}\n" >/tmp/a.c; '
          'gcc -O2 /tmp/a.c -o /tmp/a && /tmp/a', '42001', 300)
    g.run('dd if=/dev/urandom of=/big bs=1M count=32 2>/dev/null; sync; md5sum /big > /big.md5; echo 3 >/proc/sys/vm/drop_caches; '
          'md5sum -c /big.md5', 'OK')
    for kind in ('cpu', 'vm', 'atomic', 'futex', 'signal', 'timer') if STRESS else ():
        g.run(f'stress-ng --verify --{kind} 2 -t {STRESS} {"--vm-bytes 128M" if kind == "vm" else ""} 2>&1', 'successful run', STRESS + 300)


def boot(cpus, folder):
    image = f'{folder}/disk.qcow2'
    subprocess.run([f'{EMU_BIN}/qemu-img', 'create', '-q', '-f', 'qcow2', '-b', f'{DISK}/root.img', '-F', 'raw', image], check=True)
    serve = functools.partial(Quiet, directory=make_repository(folder))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line = [f'{EMU_BIN}/qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a72', '-smp', cpus, '-m', '1024', '-nographic', '-no-reboot',
            '-nic', 'user,model=virtio-net-pci', '-drive', f'if=virtio,file={image}', '-kernel', f'{DISK}/vmlinuz',
            '-initrd', f'{DISK}/initrd.img', '-append', 'root=/dev/vda rw console=ttyAMA0']
    try:
        with Console(line, fail=[FAIL]) as c:
            c.expect('guest login:', 600)
            c.send('root\n')
            c.expect('Password:', 60)
            c.send('root\n')
            c.expect(PROMPT, 180)
            g = Guest(c)
            g.run('nproc', rf'\b{cpus}\b')
            work(g, server.server_address[1])
            c.send('poweroff\n')
            c.wait_exit(180)
    finally:
        server.shutdown()
    subprocess.run([f'{EMU_BIN}/qemu-img', 'check', '-q', image], check=True)
    subprocess.run([f'{EMU_BIN}/qemu-img', 'convert', '-O', 'raw', image, f'{folder}/disk.raw'], check=True)
    r = subprocess.run(['/sbin/e2fsck', '-fn', f'{folder}/disk.raw'], capture_output=True, text=True)
    if r.returncode:
        raise Failed(f'e2fsck: status {r.returncode}\n{r.stdout}')


def main():
    if not os.path.exists(f'{DISK}/.complete'):
        print('no disk: tools/mk-disk.sh makes it\nskip boot, debian')
        return 0
    bad = 0
    for cpus in sys.argv[1:] or ['1', '2', '4']:
        with tempfile.TemporaryDirectory(prefix='emu-debian-') as folder:
            try:
                boot(cpus, folder)
                print(f'pass boot, debian with {cpus} CPUs', flush=True)
            except (Died, Failed, Timeout, subprocess.SubprocessError, OSError) as e:
                print(f'{type(e).__name__}: {e}\nfail boot, debian with {cpus} CPUs', flush=True)
                bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main())
