#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What options of PCs do, as a monitor and the host see it.  (tests/machine/pc_told.py: as firmware sees it.)"""
import os
import re
import subprocess
import tempfile

EMU = os.path.join(os.path.abspath(os.environ.get('EMU_BIN', 'build')), 'qemu-system-x86_64')
PLAIN = ['-display', 'none', '-nodefaults', '-S', '-monitor', 'stdio']
MIB = 1 << 20


def verdict(name, ok, detail=''):
    if not ok:
        print(detail)
    print('pass' if ok else 'fail', f'pc_options, {name}', flush=True)


def asked(options, commands):
    """What the monitor says, and what is on stderr."""
    p = subprocess.run([EMU, *options.split(), *PLAIN], input='\n'.join([*commands, 'quit', '']), capture_output=True, text=True, timeout=60)
    return p.stdout, p.stderr


# What it is about, options, a command of the monitor, what its answer has.
SEEN = [
    ('CPUs of several dies', '-smp dies=2,cores=2', 'info cpus', r'CPU #3:'),
    ('where they are', '-smp 1,sockets=1,dies=2,cores=2,maxcpus=4', 'info hotpluggable-cpus', r'die-id: "1"\s+socket-id: "0"|socket-id: "0"\s+die-id: "1"'),
    ('the place of a card', '-net nic,model=e1000,addr=7 -net user', 'info pci', r'device   7, function 0:\s+Ethernet controller: PCI device 8086:100e'),
    ('the vectors of a card', '-net nic,model=virtio,vectors=3 -net user', 'info qtree', r'vectors = 3 '),
    ('no vectors for a card that has none', '-net nic,model=pcnet,vectors=3 -net user', 'info qtree', r'dev: pcnet'),
    ('the address of a card', '-net nic,model=rtl8139,macaddr=52:54:00:11:22:33,name=n1 -net user', 'info network', r'n1: .*macaddr=52:54:00:11:22:33'),
    ('what becomes of lost ticks', '', 'info qtree', r'lost_tick_policy = "discard"'),
    ('lost ticks follow', '-rtc driftfix=slew', 'info qtree', r'lost_tick_policy = "slew"'),
    ('lost ticks follow, by its property', '-global mc146818rtc.lost_tick_policy=slew', 'info qtree', r'lost_tick_policy = "slew"'),
    ('lost ticks do not follow, whatever -rtc says', '-rtc driftfix=slew -global mc146818rtc.lost_tick_policy=discard', 'info qtree',
     r'lost_tick_policy = "discard"'),
    ('who has the interrupt controller', '-M q35,kernel-irqchip=split', 'info status', 'paused'),
]

REFUSED = [
    ('-rtc driftfix=x', "-rtc driftfix=x: Parameter 'driftfix' does not accept value 'x'"),
    ('-global mc146818rtc.lost_tick_policy=delay', "Parameter 'lost_tick_policy' does not accept value 'delay'"),
    ('-smp clusters=2,cores=2', "clusters not supported by this machine's CPU topology"),
    ('-smp 2,sockets=3', 'sockets (3) * dies (1) * cores (0) * threads (1) != maxcpus (2)'),
    ('-M pc,vmport=x', "Parameter 'vmport' does not accept value 'x'"),
    ('-M pc,mem-merge=x', "Parameter 'mem-merge' expects 'on' or 'off'"),
    ('-M pc,kernel-irqchip=x', "Parameter 'kernel-irqchip' does not accept value 'x'"),
    ('-overcommit foo=on', "-overcommit foo=on: Invalid parameter 'foo'"),
    ('-overcommit mem-lock=x', "-overcommit: Parameter 'mem-lock' expects 'on' or 'off'"),
    ('-net nic,model=e1000,addr=zz', "Property 'e1000.addr' doesn't take value 'zz'"),
    ('-net nic,model=virtio,vectors=x', "Parameter 'vectors' expects a number"),
    ('-mem-path /nowhere/at/all', "-mem-path: can't open backing store /nowhere/at/all for guest RAM: No such file or directory"),
]


def of_process(options, look):
    """look(number of the process), while its machine waits."""
    p = subprocess.Popen([EMU, *options, *PLAIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = p.stdout.readline()
        return look(p.pid) if line.startswith('QEMU') else line
    finally:
        p.communicate('quit\n', timeout=60)


def status(pid, key):
    """A line of /proc/PID/status, in MiB."""
    return int(re.search(rf'^{key}:\s+(\d+) kB', open(f'/proc/{pid}/status').read(), re.M)[1]) >> 10


def memory():
    with tempfile.TemporaryDirectory() as folder:
        path = f'{folder}/ram'
        maps = of_process(['-m', '64', '-mem-path', path], lambda pid: open(f'/proc/{pid}/maps').read())
        verdict('-mem-path FILE', path in maps and os.path.getsize(path) == 64 * MIB, maps[:500])
        maps = of_process(['-m', '64', '-mem-path', folder], lambda pid: open(f'/proc/{pid}/maps').read())
        verdict('-mem-path FOLDER', re.search(rf'{folder}/\S+ \(deleted\)', maps) and os.listdir(folder) == ['ram'], maps[:500])
    resident = [of_process(['-m', '256', *more], lambda pid: status(pid, 'VmRSS')) for more in ([], ['-mem-prealloc'])]
    verdict('-mem-prealloc', resident[0] < 200 and resident[1] >= 256, str(resident))
    if os.geteuid() != 0:
        print('needs to be root: memory to lock\nskip pc_options, -overcommit mem-lock=on')
        return
    locked = [of_process(['-m', '64', '-overcommit', f'mem-lock={x}'], lambda pid: status(pid, 'VmLck')) for x in ('off', 'on')]
    verdict('-overcommit mem-lock=on', locked[0] == 0 and locked[1] >= 64, str(locked))


def main():
    for name, options, command, want in SEEN:
        out, err = asked(options, [command])
        verdict(name, re.search(want, out), out + err)
    out, err = asked('-global kvm-pit.lost_tick_policy=delay', ['info status'])
    verdict("KVM's timer is not ours", 'paused' in out and err.count('\n') == 1 and "kvm-pit.lost_tick_policy=delay: that is KVM's own" in err, out + err)
    for options, want in REFUSED:
        p = subprocess.run([EMU, *options.split(), '-display', 'none', '-S'], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        verdict(f'refused: {options}', p.returncode == 1 and p.stderr.count('\n') == 1 and want in p.stderr, f'status {p.returncode}\n{p.stderr}')
    memory()


main()
