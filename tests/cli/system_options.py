#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of machines: what is refused, with which words and which status; lists; files; signals.
The texts are those of the reference, version 7.2, but for nearest words and lines that it prints twice."""
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import LONG, until  # noqa: E402

BIN = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
SYSTEM = os.path.join(BIN, 'qemu-system-aarch64')
NONE = '-M none -display none -nodefaults -S'


def run(args, **kw):
    return subprocess.run([SYSTEM, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **kw)


def verdict(name, ok, detail=''):
    if not ok:
        print(detail)
    print('pass' if ok else 'fail', f'system_options, {name}')


# name, arguments, the whole of what stderr says behind "qemu-system-aarch64: "; status 1
REFUSED = [
    ('an unknown option', ['-foot'], "-foot: invalid option; did you mean '-boot'?"),
    ('an option without its argument', ['-machine'], '-machine: requires an argument'),
    ('no machine', [], 'No machine specified, and there is no default; use -machine help to list supported machines'),
    ('an unknown machine', ['-M', 'nine'], "unsupported machine type 'nine'; did you mean 'none'?"),
    ('an unknown property of the machine', ['-M', 'none,kernal=1'],
     "Property 'none-machine.kernal' not found; did you mean 'kernel'?"),
    ('too many CPUs', ['-M', 'none', '-smp', '2'],
     "Invalid SMP CPUs 2. The max CPUs supported by machine 'none' is 1"),
    ('a topology that does not fit', ['-M', 'none', '-smp', 'cpus=4,sockets=3'],
     'Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (3) * clusters (1) * '
     'cores (1) * threads (1) != maxcpus (4)'),
    ('an unknown key of -smp', ['-M', 'none', '-smp', 'socket=3'],
     "-smp socket=3: Invalid parameter 'socket'; did you mean 'sockets'?"),
    ('a size that is none', ['-M', 'none', '-m', 'much'],
     "-m much: Parameter 'size' expects a non-negative number below 2^64, perhaps with one of the suffixes k, M, G, T"),
    ('maxmem below size', ['-M', 'none', '-m', '512,maxmem=256M'],
     'invalid value of maxmem: maximum memory size (0x10000000) must be at least the initial memory size (0x20000000)'),
    ('an unknown accelerator', ['-M', 'none', '-accel', 'tgc'],
     "-accel tgc: invalid accelerator tgc; did you mean 'tcg'?"),
    ('kvm alone', ['-M', 'none', '-enable-kvm'],
     "-enable-kvm: accelerator kvm is not supported yet; without it, or with '-accel tcg', guests are translated"),
    ('kvm as the only accelerator', ['-M', 'none', '-accel', 'kvm'],
     "-accel kvm: accelerator kvm is not supported yet; without it, or with '-accel tcg', guests are translated"),
    ('kvm as the only accelerator of a machine', ['-M', 'none,accel=kvm'],
     "accelerator kvm is not supported yet; without it, or with '-accel tcg', guests are translated"),
    ('an unknown property of the accelerator', ['-M', 'none', '-accel', 'tcg,tbsize=1'],
     "-accel tcg,tbsize=1: Property 'tcg-accel.tbsize' not found; did you mean 'tb-size'?"),
    ('a wrong value of the accelerator', ['-M', 'none', '-accel', 'tcg,thread=foo'],
     "-accel tcg,thread=foo: Invalid 'thread' setting foo: single or multi"),
    ('a drive without its file', ['-M', 'none', '-drive', 'file=/nix,if=none'],
     "-drive file=/nix,if=none: Could not open '/nix': No such file or directory"),
    ('a missing hard disk', ['-M', 'none', '-hda', '/nix'],
     "-hda /nix: Could not open '/nix': No such file or directory"),
    ('an unknown network card', ['-M', 'virt', '-nic', 'user,model=e1001'],
     "Unsupported NIC model: e1001; did you mean 'e1000'?"),
    ('an unknown bus of a drive', ['-M', 'none', '-drive', 'if=foo'], "-drive if=foo: unsupported bus type 'foo'"),
    ('two drives of one name', [*NONE.split(), '-drive', 'if=none,id=a', '-drive', 'if=none,id=a'],
     "-drive if=none,id=a: Duplicate ID 'a' for drive"),
    ('a node without name', ['-M', 'none', '-blockdev', 'driver=null-co'],
     "-blockdev driver=null-co: 'node-name' must be specified for the root node"),
    ('an unknown device', [*NONE.split(), '-device', 'virtio-rgn-pci'],
     "-device virtio-rgn-pci: 'virtio-rgn-pci' is not a valid device model name; did you mean 'virtio-rng-pci'?"),
    ('a device without its bus', [*NONE.split(), '-device', 'virtio-rng-pci'],
     "-device virtio-rng-pci: No 'PCI' bus found for device 'virtio-rng-pci'"),
    ('a device on a bus that is not there', [*NONE.split(), '-device', '{"driver": "virtio-rng-pci", "bus": "nix"}'],
     '-device {"driver": "virtio-rng-pci", "bus": "nix"}: Bus \'nix\' not found'),
    ('a device of boards', [*NONE.split(), '-device', 'pl011'],
     "-device pl011: Parameter 'driver' expects a pluggable device type"),
    ('a character device without id', ['-M', 'none', '-chardev', 'stdio'], '-chardev stdio: chardev: no id specified'),
    ('a monitor on nothing', [*NONE.split(), '-mon', 'chardev=x'], '-mon chardev=x: chardev "x" not found'),
    ('an object of unknown type', ['-M', 'none', '-object', 'rng-randon,id=a'],
     "-object rng-randon,id=a: Parameter 'qom-type' does not accept value 'rng-randon'; did you mean 'rng-random'?"),
    ('an object without id', ['-M', 'none', '-object', 'rng-random'],
     "-object rng-random: Parameter 'id' is missing"),
    ('a memory back end without size', ['-M', 'none', '-object', 'memory-backend-ram,id=a'],
     "-object memory-backend-ram,id=a: can't create backend with size 0"),
    ('a short UUID', ['-M', 'none', '-uuid', '12'], '-uuid 12: failed to parse UUID string: wrong format'),
    ('a date that is none', ['-M', 'none', '-rtc', 'base=foo'],
     "-rtc base=foo: invalid datetime format; valid formats: utc, localtime, '2006-06-17T16:01:21' or '2006-06-17'"),
    ('an unknown boot device', [*NONE.split(), '-boot', 'order=xyz'], "Invalid boot device 'x'"),
    ('an unknown action', ['-M', 'none', '-action', 'panic=stop'],
     "-action panic=stop: Parameter 'panic' does not accept value 'stop'"),
    ('a global without value', ['-M', 'none', '-global', 'foo'],
     '-global foo: want driver.property=value'),
    ('a kernel that is none', ['-M', 'virt', '-display', 'none', '-kernel', '/etc/passwd'],
     "could not load kernel '/etc/passwd': it is text, no kernel"),
    ('an empty kernel', ['-M', 'virt', '-display', 'none', '-kernel', '/dev/null'], "kernel: could not load '/dev/null': it is not a regular file"),
    ('an unknown log item', ['-M', 'none', '-d', 'in_as'], "-d in_as: unknown log item; did you mean 'in_asm'?"),
    ('a configuration file that is not there', ['-readconfig', '/nix'],
     "-readconfig /nix: Could not open '/nix': No such file or directory"),
    ('-append without kernel', ['-M', 'none', '-append', 'x'], '-append only allowed with -kernel option'),
    ('a printer without a port', ['-M', 'none', '-parallel', 'vc'], '-parallel: this machine has no parallel port'),
    ('a debug console without a bus', ['-M', 'none', '-debugcon', 'null'],
     "-debugcon: No 'ISA' bus found for device 'isa-debugcon'"),
    ('a screen on the terminal', ['-M', 'none', '-curses'], '-curses: not supported yet'),
    ('an option of later', ['-M', 'none', '-icount', 'shift=1'], '-icount: not supported yet'),
    ('a display', ['-M', 'none', '-display', 'gtk'], "-display gtk: not supported yet, want 'none' or 'vnc=...'"),
    ('a video card', ['-M', 'none', '-display', 'none', '-vga', 'qxl'], "-vga qxl: not supported, use 'std', 'cirrus', 'virtio' or 'none'"),
    ('almost a video card', ['-M', 'none', '-display', 'none', '-vga', 'vitrio'], "unknown vga type: vitrio; did you mean 'virtio'?"),
    ('an option of -net user', ['-M', 'virt', '-net', 'nic', '-net', 'user,foo=1'], "-net user,foo=1: Invalid parameter 'foo'"),
    ('a kind of -net', ['-M', 'virt', '-net', 'brige'], "-net brige: Parameter 'type' does not accept value 'brige'; did you mean 'bridge'?"),
    ('a back end of a card', ['-M', 'virt', '-net', 'nic,netdev=nobody'], "-net nic,netdev=nobody: netdev 'nobody' not found"),
    ('a monitor on the terminal that is left', ['-M', 'none', '-display', 'none', '-monitor', 'stdio', '-daemonize'],
     '-monitor stdio: cannot use stdio with -daemonize'),
    ('no video card', ['-M', 'none', '-display', 'none', '-vga', 'foo'], 'unknown vga type: foo'),
    ('-nographic in the background', ['-M', 'none', '-nographic', '-daemonize'],
     '-nographic cannot be used with -daemonize'),
    ('a user that is not there', ['-M', 'none', '-runas', '1:2x'], '-runas 1:2x: User "1:2x" doesn\'t exist (and is not <uid>:<gid>)'),
    ('a root folder that is not there', ['-M', 'none', '-display', 'none', '-chroot', '/nix'], '-chroot /nix: No such file or directory'),
]


def refused():
    for name, args, want in REFUSED:
        r = run(args)
        got = r.stderr.removeprefix('qemu-system-aarch64: ').rstrip('\n')
        verdict(f'{name} is refused', (r.returncode, got, r.stdout) == (1, want, ''),
                f'status {r.returncode}\ngot  {got}\nwant {want}\n{r.stdout}')


def pc_timer():
    """-no-hpet is what -machine hpet=off is, and its table goes; a machine that has none says so."""
    pc = os.path.join(BIN, 'qemu-system-x86_64')
    seen = []
    for args in ('-M pc', '-M pc -no-hpet', '-M q35,hpet=off', '-M q35 -no-hpet'):
        r = subprocess.run([pc, *args.split(), '-display', 'none', '-nodefaults', '-S', '-monitor', 'stdio'], input='info mtree\nquit\n',
                           capture_output=True, text=True, timeout=60)
        seen.append((r.returncode, r.stderr, 'fed00000' in r.stdout))
    verdict('-no-hpet', seen == [(0, '', True)] + [(0, '', False)] * 3, str(seen))
    r = subprocess.run([pc, '-M', 'microvm', '-no-hpet', '-display', 'none'], capture_output=True, text=True, timeout=60)
    verdict('-no-hpet for a machine without', r.returncode == 1 and "Property 'microvm-machine.hpet' not found" in r.stderr, r.stderr)


def fallbacks():
    """Of several accelerators the first that is there."""
    for args in ('-accel kvm -accel tcg', '-M none,accel=kvm:tcg', '-accel kvm:tcg', '-enable-kvm -accel tcg,thread=single'):
        r = subprocess.run([SYSTEM, '-M', 'none', *args.split(), '-nodefaults', '-display', 'none', '-S', '-monitor', 'stdio'], input='quit\n',
                           capture_output=True, text=True, timeout=60)
        verdict(f'{args}: the second one', r.returncode == 0 and
                r.stderr == 'qemu-system-aarch64: warning: accelerator kvm is not supported yet, falling back\n', r.stderr)


# arguments, a line that must be on stdout
LISTED = [
    ('-machine help', r'none +empty machine'),
    ('-M ?', r'Supported machines are:'),
    ('-cpu help', r'  cortex-a53'),
    ('-accel help', r'tcg'),
    ('-device help', r'name "virtio-rng-pci", bus PCI.*'),
    ('-device virtio-rng-pci,help', r'  max-bytes=<\w+> .*'),
    ('-object help', r'  memory-backend-memfd'),
    ('-nic user,model=help', r'e1000'),
    ('-net nic,model=help', r'virtio'),
    ('-nic model=help', r'e1000'),
    ('-object rng-random,help', r'  filename=<str> .*'),
    ('-chardev help', r'  stdio'),
    ('-display help', r'none'),
    ('-rtc help', r'  clock=<str>'),
    ('-d help', r'in_asm .*'),
    ('-trace help', r'pl011_\w+'),
    ('-version', r'QEMU emulator version 7\.2\.22.*'),
    ('--version', r'QEMU emulator version 7\.2\.22.*'),
    ('-L help', r'/usr/share/seabios'),
    ('-L /nix -L help', r'/nix'),
    ('-drive format=help', r'Supported formats: .*\bqcow2 .*\braw .*'),
    ('-help', r'-snapshot'),
]


def listed():
    for args, line in LISTED:
        r = run(args.split())
        verdict(f'{args} lists', r.returncode == 0 and re.search(f'^{line}$', r.stdout, re.M) and not r.stderr,
                f'status {r.returncode}\n{r.stdout[:2000]}{r.stderr}')


# What the reference has and we do not.
NOT_HERE = {'isapc', 'x-remote'}


def machines():
    """PCs and their versions, in the reference's words and order."""
    ours = subprocess.run([f'{BIN}/qemu-system-x86_64', '-machine', 'help'], capture_output=True, text=True, timeout=60)
    there = shutil.which('qemu-system-x86_64')
    theirs = subprocess.run([there, '-machine', 'help'], capture_output=True, text=True, timeout=60) if there else None
    lines = ours.stdout.splitlines()
    verdict('-machine help has the newest PCs first', ours.returncode == 0 and not ours.stderr and lines[2:4] == [
        'pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-7.2)',
        'pc-i440fx-7.2        Standard PC (i440FX + PIIX, 1996) (default)'] and lines[-1].startswith('none '), ours.stdout)
    if not there:
        print('no reference\nskip system_options, -machine help is that of the reference')
        return
    want = [x for x in theirs.stdout.splitlines() if x.split()[0] not in NOT_HERE]
    verdict('-machine help is that of the reference', lines == want, '\n'.join(difflib.unified_diff(want, lines, lineterm='')))
    r = subprocess.run([f'{BIN}/qemu-system-x86_64', '-M', 'pc-i440fx-1.7', '-S', '-display', 'none', '-monitor', 'stdio'], input='quit\n',
                       capture_output=True, text=True, timeout=60)
    verdict('a machine that is too old says so, and runs', r.returncode == 0 and
            "warning: Machine type 'pc-i440fx-1.7' is deprecated: old and unattended - use a newer version instead\n" in r.stderr, r.stderr)


def config(work):
    """What -writeconfig wrote, -readconfig reads: the same is written again."""
    args = [*NONE.split(), '-drive', 'if=none,id=d0,file=null-co://', '-drive', 'if=none,id=d1',
            '-set', 'drive.d1.media=cdrom', '-name', 'a,debug-threads=on', '-rtc', 'clock=vm']
    one, two = os.path.join(work, 'one'), os.path.join(work, 'two')
    r = run([*args, '-writeconfig', one, '-pidfile', '/nix/x'])
    r2 = run(['-readconfig', one, '-S', '-nodefaults', '-writeconfig', two, '-pidfile', '/nix/x'])
    texts = [open(f).read() if os.path.exists(f) else '' for f in (one, two)]
    verdict('what is written as configuration is read',
            texts[0] == texts[1] and '[drive "d1"]' in texts[0] and 'media = "cdrom"' in texts[0],
            f'{r.stderr}{r2.stderr}{texts[0]}\n---\n{texts[1]}')
    with open(one, 'w') as f:
        f.write('[drive "a"]\n  if = none\n')
    r = run(['-readconfig', one])
    verdict('a bad line is named', f'{one}:2: parse error' in r.stderr, r.stderr)


def wait_for(path):
    return until(lambda: os.path.exists(path) and open(path).read().strip())


def signals(work):
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        pid = os.path.join(work, 'pid')
        p = subprocess.Popen([SYSTEM, *NONE.split(), '-pidfile', pid], stderr=subprocess.PIPE, text=True)
        written = wait_for(pid)
        p.send_signal(sig)
        err = p.communicate(timeout=LONG)[1]
        want = f'qemu-system-aarch64: terminating on signal {int(sig)} from pid {os.getpid()} '
        verdict(f'{sig.name} ends the machine with status 0',
                p.returncode == 0 and written == str(p.pid) and err.startswith(want) and not os.path.exists(pid),
                f'status {p.returncode}, pid file {written!r} of {p.pid}\n{err}')


def daemon(work):
    pid = os.path.join(work, 'pid')
    r = run([*NONE.split(), '-daemonize', '-pidfile', pid])
    number = wait_for(pid)
    verdict('-daemonize returns when the machine is there', r.returncode == 0 and number, r.stderr)
    if number:
        r2 = run([*NONE.split(), '-pidfile', pid])
        verdict('a pid file is had once', r2.returncode == 1 and 'Cannot lock' in r2.stderr, r2.stderr)
        os.kill(int(number), signal.SIGTERM)
        verdict('and ends by a signal', until(lambda: not os.path.exists(pid)))
    r = run([*NONE.split(), '-daemonize', '-drive', 'if=none,file=/nix'])
    verdict('-daemonize fails when the machine does', r.returncode == 1 and '/nix' in r.stderr, r.stderr)


def rights(work):
    """-runas and -chroot: every thread is that user's, in that folder, before the guest runs."""
    if os.geteuid() != 0:
        print('only root may change the user\nskip system_options, -runas and -chroot')
        return
    p = subprocess.Popen([SYSTEM, '-M', 'virt', '-cpu', 'cortex-a53', '-smp', '2', '-display', 'none', '-nodefaults', '-S', '-chroot', work, '-runas', '65534:65533'],
                         stderr=subprocess.PIPE)

    def state():
        threads = [open(f'/proc/{p.pid}/task/{t}/status').read() for t in os.listdir(f'/proc/{p.pid}/task')]
        return len(threads) > 2 and all('Uid:\t' + '65534\t' * 3 in t and 'Gid:\t' + '65533\t' * 3 in t and 'Groups:\t65533' in t for t in threads)

    verdict('-runas and -chroot', until(state) and os.readlink(f'/proc/{p.pid}/root') == work)
    p.kill()
    p.wait()


def drives(work):
    image = os.path.join(work, 'a.img')
    with open(image, 'wb') as f:
        f.truncate(1 << 20)
    r = run([*NONE.split(), '-drive', f'if=none,file={image},format=raw', '-snapshot', '-blockdev',
             '{"driver": "file", "filename": "%s", "node-name": "n", "read-only": true}' % image,
             '-pidfile', '/nix/x'])
    verdict('images are opened, also with -snapshot', 'PID file' in r.stderr, r.stderr)
    r = run([*NONE.split(), '-drive', f'if=none,file={image},format=raw,bps=1000000,throttling.iops-total=10',
             '-drive', 'if=none,file=null-co://,format=raw,group=g,iops_rd=5', '-pidfile', '/nix/x'])
    verdict('drives have limits', 'PID file' in r.stderr, r.stderr)
    r = run([*NONE.split(), '-drive', f'if=none,file={image},format=raw,bps=5,bps_rd=1'])
    verdict('that do not contradict each other', 'total values and read/write values' in r.stderr, r.stderr)
    r = run([*NONE.split(), '-drive', f'file={image},format=raw,if=sd', '-pidfile', '/nix/x'])
    verdict('a drive that no device takes is refused', 'does not support if=sd,bus=0,unit=0' in r.stderr, r.stderr)


def main():
    with tempfile.TemporaryDirectory() as work:
        refused()
        listed()
        machines()
        pc_timer()
        config(work)
        signals(work)
        daemon(work)
        rights(work)
        drives(work)


if __name__ == '__main__':
    sys.exit(main())
