#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian for PCs (tools/mk-disk-pc.sh) on a qcow2 overlay, behind each disk controller: firmware, GRUB and Linux start from it,
systemd comes to its login on the serial port, what is written is there after a reboot, and the power button (system_powerdown) ends it
with clean file systems.

usage: debian_pc.py [--long] [NAME...]     EMU_BIN has the programs, GUESTS/disk-pc what mk-disk-pc.sh made; patterns of names: only
                                           those; --long: those that take part in make check-pcs only
"""
import fnmatch
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from console import Console, Died, Failed, Timeout  # noqa: E402
from debian import FAIL, PROMPT, Guest  # noqa: E402

EMU_BIN = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
DISK = os.path.join(os.path.abspath(os.environ.get('GUESTS', 'build/guests')), 'disk-pc')
OVMF = '/usr/share/OVMF'
PART = 1 << 20  # where the root's partition begins

# Name, what is typed before and for the image, the name of Linux's driver, how the disk is called there, CPUs.
DRIVE = '-drive if=none,id=d0,file={image} '
CASES = {
    'hda': ('-hda {image}', 'ata_piix', 'sda', 1),
    'ahci': ('-M q35 -hda {image}', 'ahci', 'sda', 2),
    'nvme': ('-M q35 ' + DRIVE + '-device nvme,drive=d0,serial=emu', 'nvme', 'nvme0n1', 4),
    'virtio': ('-drive if=virtio,file={image}', 'virtio_blk', 'vda', 2),
    'virtio-blk-pci': ('-M q35 ' + DRIVE + '-device virtio-blk-pci,drive=d0', 'virtio_blk', 'vda', 4),
    'virtio-scsi': (DRIVE + '-device virtio-scsi-pci -device scsi-hd,drive=d0', 'virtio_scsi', 'sda', 2),
    'megasas': ('-M q35 ' + DRIVE + '-device megasas -device scsi-hd,drive=d0', 'megaraid_sas', 'sda', 2),
    'lsi': (DRIVE + '-device lsi53c895a -device scsi-hd,drive=d0', 'sym53c8xx', 'sda', 2),
    'ovmf': ('-M q35 -drive if=pflash,format=raw,readonly=on,file=' + OVMF + '/OVMF_CODE_4M.fd '
             '-drive if=pflash,format=raw,file={vars} -drive if=virtio,file={image}', 'virtio_blk', 'vda', 2),
    'versioned': ('-M pc-i440fx-7.2 -hda {image}', 'ata_piix', 'sda', 1),
    'versioned-q35': ('-M pc-q35-7.2 -hda {image}', 'ahci', 'sda', 2),
}
SHORT = ('nvme',)  # enough for every day; the others' drivers run in the short guests of x86.json

# The driver that is bound to the device, or to one of those that it hangs from.
DRIVER = ('d=$(readlink -f /sys/block/{disk}/device); r=; while [ "$d" != / ]; do [ -e $d/driver ] && '
          'r="$r $(basename $(readlink $d/driver))"; d=$(dirname $d); done; echo "drivers:$r "')


def log_in(c):
    c.expect('guest login:', 600)
    c.send('root\n')
    c.expect('Password:', 60)
    c.send('root\n')
    c.expect(PROMPT, 180)
    g = Guest(c)
    g.run('stty -echo; dmesg -n 1')
    return g


def boot(name, folder):
    options, driver, disk, cpus = CASES[name]
    image, variables = f'{folder}/disk.qcow2', f'{folder}/vars.fd'
    subprocess.run([f'{EMU_BIN}/qemu-img', 'create', '-q', '-f', 'qcow2', '-b', f'{DISK}/disk.img', '-F', 'raw', image], check=True)
    if '{vars}' in options:
        subprocess.run(['cp', f'{OVMF}/OVMF_VARS_4M.fd', variables], check=True)
    line = [f'{EMU_BIN}/qemu-system-x86_64', *options.format(image=image, vars=variables).split(), '-smp', str(cpus), '-m', '1024',
            '-display', 'none', '-serial', 'stdio', '-nic', 'none']
    with Console(line, monitor=True, fail=[FAIL]) as c:
        try:
            work(c, driver, disk, cpus)
        except (Died, Failed, Timeout):
            print('\n'.join('    ' + text for text in c.text[-2500:].splitlines()))
            raise
    check(image, folder)


def work(c, driver, disk, cpus):
    g = log_in(c)
    g.run('nproc', rf'\b{cpus}\b')
    g.run(DRIVER.format(disk=disk), rf'drivers:.* {driver} ')
    g.run('findmnt -no SOURCE /', rf'/dev/{disk}p?1')
    g.run('systemctl is-system-running --wait', 'running')
    g.run('dd if=/dev/urandom of=/big bs=1M count=24 2>/dev/null; md5sum /big > /big.md5; sync')
    c.send('reboot\n')
    g = log_in(c)
    g.run('md5sum -c /big.md5', 'OK')
    c.hmp('system_powerdown')
    c.expect('reboot: Power down', 180)
    if c.wait_exit(60):
        raise Failed(f'status {c.proc.returncode}')


def check(image, folder):
    """Image and root file system are clean."""
    subprocess.run([f'{EMU_BIN}/qemu-img', 'check', '-q', image], check=True)
    subprocess.run([f'{EMU_BIN}/qemu-img', 'convert', '-O', 'raw', image, f'{folder}/disk.raw'], check=True)
    r = subprocess.run(['/sbin/e2fsck', '-fn', f'{folder}/disk.raw?offset={PART}'], capture_output=True, text=True)
    if r.returncode:
        raise Failed(f'e2fsck: status {r.returncode}\n{r.stdout}')


def chosen(args):
    names = [a for a in args if a != '--long']
    if names:
        return [n for n in CASES if any(fnmatch.fnmatch(n, p) for p in names)]
    return [n for n in CASES if (n in SHORT) != ('--long' in args)]


def main():
    bad = 0
    for name in chosen(sys.argv[1:]):
        if not os.path.exists(f'{DISK}/.complete'):
            print(f'no disk: tools/mk-disk-pc.sh makes it\nskip boot, debian-pc {name}')
            continue
        with tempfile.TemporaryDirectory(prefix='emu-debian-') as folder:
            try:
                boot(name, folder)
                print(f'pass boot, debian-pc {name}', flush=True)
            except (Died, Failed, Timeout, subprocess.SubprocessError, OSError) as e:
                print(f'{type(e).__name__}: {e}\nfail boot, debian-pc {name}', flush=True)
                bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main())
