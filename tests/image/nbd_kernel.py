#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu-nbd -c and -d with a kernel's nbd driver.  Kernels of build hosts rarely have it, so Debian's is booted in our own
qemu-system-x86_64: our qemu-nbd runs inside, and file systems are made, filled, and looked at through /dev/nbdX.

The kernel is $GUESTS/linux/amd64/{vmlinuz,initrd.gz} (a ramdisk with busybox) and its modules below $GUESTS/.unpack."""

import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

import suite

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
GUESTS = os.environ.get('GUESTS', 'build/guests')
MODULES = ['drivers/block/nbd.ko', 'lib/crc16.ko', 'crypto/crc32c_generic.ko', 'fs/mbcache.ko', 'fs/jbd2/jbd2.ko', 'fs/ext4/ext4.ko']
PROGRAMS = {'/t/emu-storage': f'{OURS}/emu-storage', '/t/mke2fs': 'mke2fs', '/t/e2fsck': 'e2fsck'}

INIT = r'''#!/bin/busybox sh
export PATH=/t:/bin:/sbin:/usr/bin:/usr/sbin
/bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /usr/bin /usr/sbin /mnt /var/lock /etc
/bin/busybox --install -s
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev 2>/dev/null
: > /etc/mtab
for m in /t/m/*.ko; do insmod $m $(case $m in *nbd*) echo nbds_max=4;; esac) || echo "insmod $m failed"; done
cd /tmp
ok() { # NAME COMMAND...
    name=$1; shift
    if out=$("$@" 2>&1); then echo "CASE pass $name"; else echo "$out" | tail -5; echo "CASE fail $name"; fi
}
no() { # NAME TEXT COMMAND...: fails, and says TEXT
    name=$1 text=$2; shift 2
    if out=$("$@" 2>&1) || ! echo "$out" | grep -q "$text"; then echo "$out" | tail -5; echo "CASE fail $name"; else echo "CASE pass $name"; fi
}
same() { [ "$2" = "$3" ] && echo "CASE pass $1" || { echo "got $2, want $3"; echo "CASE fail $1"; }; }
gone() { for i in $(seq 100); do [ -e /sys/block/$1/pid ] || return 0; sleep 0.1; done; return 1; }
size() { cat /sys/block/$1/size; }

# What a file system does.
qemu-img create -q -f qcow2 a.qcow2 64M
ok 'connects' qemu-nbd -c /dev/nbd0 a.qcow2
same 'the size is the disk'"'"'s' $(size nbd0) 131072
ok 'mke2fs' /t/mke2fs -q -F -t ext4 /dev/nbd0
ok 'mount' mount -t ext4 /dev/nbd0 /mnt
mkdir /mnt/d; n=0
while [ $n -lt 40 ]; do n=$((n+1)); seq 1 $((n * 97)) > /mnt/d/$n; done
dd if=/dev/urandom of=/mnt/big bs=1M count=20 2>/dev/null; sync
want=$(cd /mnt; sha256sum big d/* | sha256sum)
ok 'umount' umount /mnt
ok 'disconnects' qemu-nbd -d /dev/nbd0
ok 'the server ends' gone nbd0
ok 'the image is sound' qemu-img check -q a.qcow2
same 'the disk holds a file system' $(qemu-img map --output=json a.qcow2 | grep -c '"data": true' | sed 's/[1-9].*/some/') some
qemu-img convert -O raw a.qcow2 a.raw
ok 'e2fsck of the image' /t/e2fsck -fn a.raw

# Again, only to read; the raw copy beside it, at once.
ok 'connects, read-only' qemu-nbd -r -c /dev/nbd0 a.qcow2
ok 'a second device' qemu-nbd -f raw -c /dev/nbd1 a.raw
same 'it is read-only' $(cat /sys/block/nbd0/ro) 1
no 'it cannot be written' . dd if=/dev/zero of=/dev/nbd0 bs=4k count=1 conv=fsync
ok 'mount, read-only' mount -t ext4 -o ro,noload /dev/nbd0 /mnt
same 'what was written is there' "$(cd /mnt; sha256sum big d/* | sha256sum)" "$want"
umount /mnt
ok 'both hold the same' cmp /dev/nbd0 /dev/nbd1
ok 'e2fsck through the kernel' /t/e2fsck -fn /dev/nbd1
ok 'direct writes' dd if=/dev/urandom of=/dev/nbd1 bs=64k count=64 oflag=direct
ok 'and reads' dd if=/dev/nbd1 of=w bs=64k count=64 iflag=direct
ok 'flush' dd if=w of=/dev/nbd1 bs=4096 count=1024 conv=fsync
sync
ok 'disconnects both' sh -c 'qemu-nbd -d /dev/nbd0; qemu-nbd -d /dev/nbd1'
gone nbd0; gone nbd1
ok 'the file has what was written' sh -c 'dd if=a.raw bs=64k count=64 2>/dev/null | cmp - w'

# Discards give space back.
qemu-img create -q -f qcow2 -o cluster_size=64k t.qcow2 16M
ok 'connects for discards' qemu-nbd --discard=unmap -c /dev/nbd2 t.qcow2
dd if=/dev/urandom of=/dev/nbd2 bs=1M 2>/dev/null; sync
ok 'blkdiscard' blkdiscard /dev/nbd2
qemu-nbd -d /dev/nbd2; gone nbd2
same 'nothing is left' $(qemu-img map --output=json t.qcow2 | grep -c '"data": true') 0

# Partitions are there when the prompt comes back.
{ dd if=/dev/zero bs=446 count=1; printf '\200\0\0\0\203\0\0\0\0\010\0\0\0\020\0\0'; dd if=/dev/zero bs=48 count=1; printf '\125\252'; } > mbr 2>/dev/null
qemu-img create -q -f raw p.raw 8M; dd if=mbr of=p.raw conv=notrunc 2>/dev/null
ok 'connects a disk with a partition' qemu-nbd -f raw -c /dev/nbd1 p.raw
same 'the partition is there' "$(cat /sys/block/nbd1/nbd1p1/size)" 4096
ok 'SIGTERM ends it' kill $(cat /sys/block/nbd1/pid)
ok 'and the device' gone nbd1

# Words.
no 'no such device' 'No such file or directory' qemu-nbd -c /dev/nbd99 a.qcow2
no 'no such image' 'No such file or directory' qemu-nbd -c /dev/nbd0 nosuch.qcow2
qemu-nbd -c /dev/nbd0 a.qcow2
no 'a device in use' busy qemu-nbd -f raw -c /dev/nbd0 a.raw
same 'it goes on' $(size nbd0) 131072
ok 'reads on' dd if=/dev/nbd0 of=/dev/null bs=1M
ok 'disconnects at the end' qemu-nbd -d /dev/nbd0
gone nbd0
# The server is killed: the device ends, the image is sound.
qemu-nbd -c /dev/nbd3 a.qcow2
kill -9 $(cat /sys/block/nbd3/pid)
ok 'a killed server'"'"'s device ends' gone nbd3
ok 'and can be used again' qemu-nbd -c /dev/nbd3 a.qcow2
qemu-nbd -d /dev/nbd3
gone nbd3
ok 'the image is sound at the end' qemu-img check -q a.qcow2
same 'the kernel has no complaints' "$(dmesg | grep -c 'disconnect failed')" 0
echo 'CASE end'
poweroff -f
'''


def cpio(files):
    """The "newc" form of initramfs: name -> (mode, bytes)."""
    out = []
    for i, (name, (mode, data)) in enumerate([*files.items(), ('TRAILER!!!', (0, b''))]):
        head = ('070701' + '%08x' * 13) % (i + 1 if mode else 0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        piece = head.encode() + name.encode() + b'\0'
        piece += bytes(-len(piece) % 4) + data
        out.append(piece + bytes(-len(piece) % 4))
    return b''.join(out)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def ramdisk(tree):
    files = {'init': (0o100755, INIT.encode()), 't': (0o40755, b''), 't/m': (0o40755, b'')}
    libraries = set()
    for name, program in PROGRAMS.items():
        path = shutil.which(program, path=os.environ['PATH'] + ':/usr/sbin:/sbin')
        files[name[1:]] = (0o100755, read(path))
        libraries |= set(re.findall(r'(?:=> )?(/\S+) \(0x', subprocess.run(['ldd', path], capture_output=True, text=True, check=True).stdout))
    for tool in ('qemu-img', 'qemu-nbd', 'qemu-io'):
        files[f't/{tool}'] = (0o120777, b'emu-storage')
    for library in sorted(libraries):
        parts = library.strip('/').split('/')[:-1]
        for i in range(len(parts)):
            files['/'.join(parts[:i + 1])] = (0o40755, b'')
        files[library.strip('/')] = (0o100755, read(library))
    for i, module in enumerate(MODULES):
        files[f't/m/{i}-{os.path.basename(module)}'] = (0o100644, read(f'{tree}/kernel/{module}'))
    return gzip.compress(cpio(files), 1)


def main():
    linux = f'{GUESTS}/linux/amd64'
    trees = [p[:-len('/kernel/drivers/block/nbd.ko')] for depth in ('*', '*/*') for usr in ('', 'usr/')
             for p in glob.glob(f'{GUESTS}/.unpack/{depth}/{usr}lib/modules/*-amd64/kernel/drivers/block/nbd.ko')]
    if not trees or not os.path.exists(f'{linux}/vmlinuz') or not os.path.exists(f'{linux}/initrd.gz'):
        print(f'needs an amd64 kernel with nbd.ko in {GUESTS} (tools/mk-guests.sh)\nskip nbd_kernel, runs')
        return
    with tempfile.TemporaryDirectory(prefix='emu-image-') as folder:
        with open(f'{folder}/initrd', 'wb') as f:
            f.write(read(f'{linux}/initrd.gz'))
            f.write(bytes(-f.tell() % 4) + ramdisk(trees[0]))
        program = os.environ.get('NBD_KERNEL_MACHINE', f'{OURS}/qemu-system-x86_64')
        r = subprocess.run([program, '-M', 'q35', '-cpu', 'max', '-m', '768', '-nographic', '-nic', 'none', '-no-reboot', '-kernel', f'{linux}/vmlinuz',
                            '-initrd', f'{folder}/initrd', '-append', 'console=ttyS0 rdinit=/init quiet panic=-1'],
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=800)
    text = r.stdout.decode(errors='replace').replace('\r', '')
    seen = re.findall(r'^CASE (pass|fail|end) ?(.*)$', text, re.M)
    for verdict, name in seen:
        if verdict != 'end':
            print(f'{verdict} nbd_kernel, {name}')
    if not seen or seen[-1][0] != 'end' or any(v == 'fail' for v, _ in seen):
        print(text[-6000:], r.stderr.decode(errors='replace')[-1000:])
    if not seen or seen[-1][0] != 'end':
        print('fail nbd_kernel, runs')


if __name__ == '__main__':
    try:
        main()
    except (suite.Failed, subprocess.SubprocessError, OSError) as e:
        print(f'{type(e).__name__}: {str(e)[:3000]}\nfail nbd_kernel, runs')
        sys.exit(0)
