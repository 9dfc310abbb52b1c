#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The human monitor: commands and what they answer, on an empty machine; completion; a monitor shared with a serial port."""
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import LONG, until  # noqa: E402

BIN = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
SYSTEM = os.path.join(BIN, 'qemu-system-aarch64')
PROMPT = '(qemu) '


class Monitor:
    def __init__(self, *args, system=SYSTEM, machine='none'):
        self.p = subprocess.Popen([system, '-M', machine, '-nodefaults', '-display', 'none', *args],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ''

    def until(self, what, seconds=LONG):
        """What is said up to @what, which is taken, too."""
        end = time.monotonic() + seconds
        while what not in self.text:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.p.stdout], [], [], left)[0]:
                raise TimeoutError(f'{what!r} does not come: {self.text!r}')
            data = os.read(self.p.stdout.fileno(), 65536)
            if not data:
                raise EOFError(self.text)
            self.text += data.decode(errors='replace')
        got, _, self.text = self.text.partition(what)
        return got

    def send(self, text):
        self.p.stdin.write(text.encode())
        self.p.stdin.flush()

    def ask(self, command):
        """The answer to a command, without what was typed."""
        self.send(command + '\r')
        return self.until(PROMPT).replace('\r\n', '\n').partition('\n')[2]

    def end(self):
        self.send('quit\r')
        self.p.stdout.read()
        return self.p.wait(LONG)


def verdict(name, ok, detail=''):
    if not ok:
        print(detail)
    print('pass' if ok else 'fail', f'system_monitor, {name}')


HINT = 'Try "help %s" for more information\n'
TRAY = '    Removable device: not locked, tray closed\n'
ANSWERS = [
    ('info version', '7.2.22Emu 0.1\n'),
    ('info status', 'VM status: running\n'),
    ('stop', ''),
    ('info status', 'VM status: paused\n'),
    ('c', ''),
    ('info status', 'VM status: running\n'),
    ('info name', 'monty\n'),
    ('info uuid', '00112233-4455-6677-8899-aabbccddeeff\n'),
    ('info balloon', 'Error: No balloon device has been activated\n'),
    ('balloon 64', 'Error: No balloon device has been activated\n'),
    ('info block', 'c0: [not inserted]\n' + TRAY + '\nd1: null-co:// (raw)\n' + TRAY + '    Cache mode:       writeback\n\n'),
    ('change c0 null-co:// raw', ''),
    ('info block c0', 'c0: null-co:// (raw, read-only)\n' + TRAY + '    Cache mode:       writeback\n\n'),
    ('eject c0', ''),
    ('info block c0', 'c0: [not inserted]\n' + TRAY.replace('closed', 'open') + '\n'),
    ('chardev-add null,id=n1', ''),
    ('chardev-add null,id=n1', "Error: Duplicate ID 'n1' for chardev\n"),
    ('chardev-add null', 'Error: chardev: no id specified\n'),
    ('chardev-add', 'chardev-add: string expected\n' + HINT % 'chardev-add'),
    ('chardev-remove n1', ''),
    ('chardev-remove n1', "Error: Chardev 'n1' not found\n"),
    ('chardev-remove compat_monitor0', "Error: Chardev 'compat_monitor0' is busy\n"),
    ('help nonsense', "unknown command: 'nonsense'\n"),
    ('help info nonsense', "unknown command: 'info nonsense'\n"),
    ('eject d1', "Error: Device 'd1' is not removable\n"),
    ('drive_del d1', ''),
    ('drive_del d1', "Error: Device 'd1' not found\n"),
    ('drive_del', 'drive_del: block device name expected\n' + HINT % 'drive_del'),
    ('eject nix', "Error: Device 'nix' not found\n"),
    ('device_del nix', "Error: Device 'nix' not found\n"),
    ('announce_self', ''),
    ('announce_self nix', "Error: Device 'nix' not found\n"),
    ('device_add nix', "Error: 'nix' is not a valid device model name\n"),
    ('device_add virtio-rng-pci', "Error: No 'PCI' bus found for device 'virtio-rng-pci'\n"),
    ('ringbuf_write rb hello', ''),
    ('ringbuf_read rb 100', 'hello\n'),
    ('chardev-send-break rb', ''),
    ('chardev-send-break nix', "Error: Device 'nix' not found\n"),
    ('info mtree -f', 'FlatView #0\n AS "memory", root: system\n Root memory region: system\n\n'
                      'FlatView #1\n AS "I/O", root: io\n Root memory region: io\n\n'),
    ('print 1+2*3', '0x7\n'),
    ('print /d -1', '-1\n'),
    ('p (1 << 2', "')' expected\n" + HINT % 'print'),
    ('p (0x10|0x01) & ~1', '0x10\n'),
    ('p 1/0', 'division by zero\n' + HINT % 'print'),
    ("p /c 'a'", "'a'\n"),
    ('p', 'unexpected end of expression\n' + HINT % 'print'),
    ('xp /2xb 0', '0000000000000000: 0x00 0x00\n'),
    ('xp/q 0', "invalid format 'q': x d u o c i, and b h w g for 1 2 4 8 bytes\n" + HINT % 'xp'),
    ('x 0', 'Error: this machine has no CPU\n'),
    ('info mem', 'Error: this machine has no CPU\n'),
    ('log guest_errors,int', ''),
    ('log none', ''),
    ('log exce', "Error: -d exce: unknown log item; did you mean 'exec'?\n"),
    ('log nochain', 'Error: nochain can only be chosen at the start (-d nochain)\n'),
    ('logfile', 'logfile: filename expected\n' + HINT % 'logfile'),
    ('logfile /nix/x', 'Error: logfile /nix/x: Could not open: No such file or directory\n'),
    ('info trace-events pl011_send', 'pl011_send : state 0\n'),
    ('trace-event pl011_se* on', ''),
    ('info trace-events pl011_send', 'pl011_send : state 1\n'),
    ('trace-event pl011_send off', ''),
    ('info trace-events pl011_send', 'pl011_send : state 0\n'),
    ('trace-event nix on', 'unknown event "nix"\n'),
    ('trace-event pl011_send', "Expected 'on' or 'off'\n" + HINT % 'trace-event'),
    ('cpu 1', 'invalid CPU index\n'),
    ('xyzzy', "unknown command: 'xyzzy'\n"),
    ('quti', "unknown command: 'quti'; did you mean 'quit'?\n"),
    ('info versoin', "unknown command: 'info versoin'; did you mean 'version'?\n"),
    ('help cont', 'cont|c  -- resume emulation\n'),
    ('stop now', "unexpected argument 'now'\n" + HINT % 'stop'),
    ('screendump', 'screendump: filename expected\n' + HINT % 'screendump'),
    ('screendump /nonexist/x', 'Error: There is no console to take a screendump from\n'),
    ('screendump /tmp/x nix', "Error: Device 'nix' not found\n"),
    ('screendump /tmp/x -f gif', "Error: invalid parameter value 'gif' for 'format': want ppm or png\n"),
    ('info mice', 'No mouse devices connected\n'),
    ('mouse_set 7', "Mouse at index '7' not found\n"),
    ('mouse_move 5 -5', ''),
    ('mouse_move 5', 'mouse_move: string expected\n' + HINT % 'mouse_move'),
    ('mouse_button 1', ''),
    ('sendkey ctrl-alt-f1 20', ''),
    ('sendkey foo', 'invalid parameter: foo\n'),
    ('sendkey a-', 'invalid parameter: \n'),
    ('sendkey', 'sendkey: string expected\n' + HINT % 'sendkey'),
    ('object_add rng-random,id=r', ''),
    ('object_add rng-random,id=r', "Error: Duplicate ID 'r' for rng\n"),
    ('drive_add 0 if=none,id=new', 'OK\n'),
    ('system_reset', ''),
    ('system_wakeup', 'Error: Unable to wake up: guest is not in suspended state\n'),
    ('', ''),
    ('\x10', "Error: Unable to wake up: guest is not in suspended state\n"),
]


def answers():
    m = Monitor('-monitor', 'stdio', '-name', 'monty', '-uuid', '00112233-4455-6677-8899-aabbccddeeff',
                '-drive', 'if=none,id=c0,media=cdrom', '-drive', 'if=none,id=d1,file=null-co://,format=raw',
                '-chardev', 'ringbuf,id=rb')
    hello = m.until(PROMPT)
    verdict('it greets', hello == "QEMU 7.2.22 monitor - type 'help' for more information\r\n", repr(hello))
    for command, want in ANSWERS:
        got = m.ask(command)
        verdict(f'{command!r} answers', got == want, f'got  {got!r}\nwant {want!r}')
    m.send('info stat\t')
    got = m.until('info status ')
    verdict('words are completed', got == '', repr(got))
    m.send('\025system_\t')
    got = m.until(PROMPT)
    verdict('or listed', 'system_reset' in got and 'system_powerdown' in got, repr(got))
    m.send('\025')
    verdict('quit ends with status 0', m.end() == 0)


# Code, and what the reference makes of it; code for x86 is looked at as the CPU begins, with 16 bits.
CODE = (('aarch64', ('virt', '-cpu', 'cortex-a57'), '1f2003d5 00000014 c0000058 0084a14e', """\
0x44000000:  d503201f  nop      @
0x44000004:  14000000  b        #0x44000004
0x44000008:  580000c0  ldr      x0, #0x44000020
0x4400000c:  4ea18400  add      v0.4s, v0.4s, v1.4s
"""), ('x86_64', ('pc', '-m', '2G'), 'b81122 67662e8b842411223344 f3a4 ea5be000f0', """\
0x44000000:  b8 11 22                 movw     $0x2211, %ax
0x44000003:  67 66 2e 8b 84 24 11 22  movl     %cs:0x44332211(%esp), %eax
0x4400000b:  33 44
0x4400000d:  f3 a4                    rep movsb (%si), %es:(%di)
0x4400000f:  ea 5b e0 00 f0           ljmpw    $0xf000:$0xe05b
"""))


def assembly(work):
    for arch, machine, code, want in CODE:
        program = os.path.join(BIN, f'qemu-system-{arch}')
        if 'libcapstone' not in subprocess.run(['ldd', program], capture_output=True, text=True).stdout:
            print(f'skip system_monitor, x/i of {arch}: built without libcapstone')
            continue
        open(f'{work}/code', 'wb').write(bytes.fromhex(code))
        m = Monitor('-S', '-monitor', 'stdio', '-device', f'loader,file={work}/code,addr=0x44000000,force-raw=on', *machine[1:],
                    system=program, machine=machine[0])
        m.until(PROMPT)
        got = m.ask('x/4i 0x44000000')
        verdict(f'x/i of {arch}', got == want.replace('@', ''), f'got  {got}want {want}')
        m.end()


def shared():
    m = Monitor('-chardev', 'stdio,id=s,mux=on', '-mon', 's', '-mon', 's')
    m.until(PROMPT)
    m.send('\x01c')
    got = m.until(PROMPT)
    verdict('Ctrl-A c brings the other front end to the terminal', 'QEMU 7.2.22 monitor' in got, repr(got))
    got = m.ask('info chardev')
    verdict('which knows what it is on', re.search(r'^s: filename=mux$', got, re.M), repr(got))
    m.send('\x01x')
    verdict('Ctrl-A x ends with status 0', m.p.wait(20) == 0)


def saved(work):
    path = os.path.join(work, 'mem')
    m = Monitor('-monitor', 'stdio')
    m.until(PROMPT)
    got = m.ask(f'pmemsave 0 5000 "{path}"')
    verdict('memory is saved to a file', got == '' and os.path.getsize(path) == 5000, got)
    got = m.ask('pmemsave 0 10 "/nix/x"')
    verdict('or not', got == "Error: Could not open '/nix/x': No such file or directory\n", repr(got))
    m.end()


def logged(work):
    """A CPU without firmware takes one exception after the other; the log follows it while it runs."""
    paths = [os.path.join(work, n) for n in ('log1', 'log2', 'log3')]
    m = Monitor('-monitor', 'stdio', '-M', 'virt', '-m', '16', '-cpu', 'cortex-a53', '-nic', 'user,model=virtio')
    m.until(PROMPT)
    got = m.ask('info network')
    verdict('-nic user,model=virtio is virtio-net-pci', 'model=virtio-net-pci' in got, repr(got))
    for path in paths[:2]:
        m.ask(f'logfile {path}')
        m.ask('log int')
        until(lambda: os.path.getsize(path) > 200)
    m.ask('log none')
    m.ask(f'logfile {paths[2]}')
    time.sleep(.2)
    sizes = [os.path.getsize(p) for p in paths]
    verdict('log and logfile take effect at once', min(sizes[:2]) > 200 and sizes[2] < 1000, sizes)
    got = m.ask('info mem')
    verdict('info mem knows when there are no tables', got == 'PG disabled\n', repr(got))
    m.end()


def announced(work):
    """Two cards, of which one is asked to announce itself; five reverse ARP requests come."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(os.path.join(work, 'peer'))
    s.settimeout(LONG)
    with open(os.path.join(work, 'blob'), 'wb') as f:
        f.write(bytes(16))
    m = Monitor('-monitor', 'stdio', '-M', 'virt', '-m', '16', '-S', '-device',
                f'loader,file={work}/blob,addr=0x40200000,force-raw=on', '-netdev',
                f'dgram,id=n0,local.type=unix,local.path={work}/own,remote.type=unix,remote.path={work}/peer',
                '-device', 'virtio-net-pci,netdev=n0,mac=52:54:00:aa:bb:cc,romfile=')
    m.until(PROMPT)
    got = m.ask('announce_self n0')
    try:
        frames = [s.recv(100) for _ in range(5)]
    except TimeoutError:
        frames = []
    mac = bytes.fromhex('525400aabbcc')
    verdict('announce_self sends five reverse ARP requests',
            got == '' and frames == [frames[0]] * 5 and frames[0][6:14] == mac + b'\x80\x35' and len(frames[0]) == 60,
            (got, frames))
    got = m.ask('info roms')
    verdict('info roms says what is in memory', 'addr=0000000040200000 size=0x000010 mem=ram name="blob"\n' in got, repr(got))
    m.end()


def pc(work):
    """A PC's instructions have many lengths, and its registers names that gdb does not know."""
    bios = os.path.join(work, 'bios.bin')
    code = bytes.fromhex('66c706341278563412 ea5be000f0')
    with open(bios, 'wb') as f:
        f.write(bytes(0xfff0) + code + bytes(16 - len(code)))
    m = Monitor('-S', '-vga', 'none', '-bios', bios, '-monitor', 'stdio', system=os.path.join(BIN, 'qemu-system-x86_64'),
                machine='pc')
    m.until(PROMPT)
    for command, want in (('x /2i $pc', '0xfffffff0:  66 c7 06 34 12 78 56 34  movl     $0x12345678, 0x1234\n0xfffffff8:  12\n'
                           '0xfffffff9:  ea 5b e0 00 f0           ljmpw    $0xf000:$0xe05b\n'), ('p $pc', '0xfffffff0\n'), ('p $eip', '0xfff0\n'), ('p $cs.base', '0xffff0000\n'),
                          ('p $eax', '0\n')):
        got = m.ask(command)
        verdict(f'{command} of a PC', got == want, f'got {got!r}')
    m.end()


PAGING = bytes.fromhex(
    '66c7060010 83000000'     # page directory at 0x1000: the first 4 MiB where they are
    '66c7060410 e7004000'     # the next ones: used, written, of programs
    '66b800100000 0f22d8'     # CR3
    '66b810000000 0f22e0'     # CR4.PSE
    '66b801000080 0f22c0'     # CR0.PG
    'b0fe e621 ebfe')         # of the PIC only the timer; on the spot


def pc_tables(work):
    """What the monitor says of a PC's tables and interrupt controllers, once its firmware has set some up."""
    bios = os.path.join(work, 'tables.bin')
    with open(bios, 'wb') as f:
        f.write(PAGING + bytes(0xfff0 - len(PAGING)) + bytes.fromhex('ea000000f0') + bytes(11))
    m = Monitor('-bios', bios, '-vga', 'none', '-monitor', 'stdio', system=os.path.join(BIN, 'qemu-system-x86_64'), machine='pc')
    m.until(PROMPT)
    until(lambda: 'imr=fe' in m.ask('info pic'))
    pic = m.ask('info pic')
    verdict('info pic of a PC', re.fullmatch(
        r'ioapic0: ver=0x20 id=0x00 sel=0x00\n(  pin \d+ +0x0000000000010000 dest=0 vec=0   active-hi edge  masked fixed  physical\n){24}'
        r'  IRR      \(none\)\n  Remote IRR \(none\)\npic1: irr=00 imr=ff isr=00 hprio=0 irq_base=00 rr_sel=0 elcr=00 fnm=0\n'
        r'pic0: irr=[0-9a-f]{2} imr=fe isr=00 hprio=0 irq_base=00 rr_sel=0 elcr=00 fnm=0\n', pic), repr(pic))
    for command, want in (('info tlb', '0000000000000000: 0000000000000000 --P-A---W\n0000000000400000: 0000000000400000 --PDA--UW\n'),
                          ('info mem', '0000000000000000-0000000000400000 0000000000400000 -rw\n'
                           '0000000000400000-0000000000800000 0000000000400000 urw\n')):
        got = m.ask(command)
        verdict(f'{command} of a PC', got == want, repr(got))
    got = m.ask('info irq')
    verdict('info irq of a PC', got.startswith('IRQ statistics for ioapic:\n') and '\nIRQ statistics for isa-i8259:\n' in got, repr(got))
    m.end()


def arm_controllers():
    for version, name in (('2', 'arm-gic'), ('3', 'arm-gicv3')):
        m = Monitor('-smp', '2', '-S', '-serial', 'null', '-monitor', 'stdio', machine=f'virt,gic-version={version}')
        m.until(PROMPT)
        got = m.ask('info pic')
        verdict(f'info pic of a GICv{version}', re.match(rf'{name}: ctlr=00000000 cpus=2 irqs=288\ncpu0: .*\n(.*\n)*cpu1: ', got), repr(got))
        got = m.ask('info irq')
        verdict(f'info irq of a GICv{version}', got == f'IRQ statistics for {name}:\n', repr(got))
        m.end()


NETWORK = r'''hub 0
 \\ hub0port2: #net000: index=0,type=user,net=10\.0\.2\.0,restrict=off
 \\ hub0port1: e1000\.0: index=0,type=nic,model=e1000,macaddr=52:54:00:12:34:57
 \\ hub0port0: virtio-net-pci\.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56
c: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:58
 \\ n: index=0,type=user,net=10\.0\.2\.0,restrict=off
filters:
  - f: type=filter-dump,file=/dev/null,.*
'''
BLOCK = '''a: null-co:// (raw)
    Removable device: not locked, tray closed
    Cache mode:       writeback, ignore flushes
    I/O throttling:   bps=1000 bps_rd=0 bps_wr=0 bps_max=0 bps_rd_max=0 bps_wr_max=0 iops=5 iops_rd=0 iops_wr=0 \
iops_max=7 iops_rd_max=0 iops_wr_max=0 iops_size=0 group=a

b: null-co:// (raw)
    Removable device: not locked, tray closed
    Cache mode:       writeback
    Detect zeroes:    unmap

cd: [not inserted]
    Attached to:      /machine/peripheral-anon/device[1]
    Removable device: not locked, tray closed

'''


def listings():
    """Tables as people's scripts read them: CPUs with their threads, hubs and cards, disks."""
    m = Monitor('-smp', '2', '-S', '-monitor', 'stdio', '-net', 'nic', '-net', 'nic,model=e1000', '-net', 'user', '-netdev', 'user,id=n',
                '-device', 'virtio-net-pci,netdev=n,id=c', '-object', 'filter-dump,id=f,netdev=n,file=/dev/null',
                '-drive', 'if=none,id=a,file=null-co://,format=raw,bps=1000,iops=5,iops_max=7,cache=unsafe',
                '-drive', 'if=none,id=b,file=null-co://,format=raw,discard=unmap,detect-zeroes=unmap',
                '-device', 'virtio-scsi-pci', '-drive', 'if=none,id=cd,media=cdrom', '-device', 'scsi-cd,drive=cd', machine='virt')
    m.until(PROMPT)
    got = m.ask('info network')
    verdict('info network has hubs, cards and filters', re.fullmatch(NETWORK, got), got)
    got = m.ask('info block')
    verdict('info block has limits, zeroes and trays', got == BLOCK, got)
    m.ask('change cd null-co:// raw')
    m.ask('eject cd')
    got = m.ask('info block cd')
    verdict('an ejected medium leaves its tray open', 'tray open' in got, got)
    got = m.ask('info cpus')
    tids = re.fullmatch(r'\* CPU #0: thread_id=(\d+)\n  CPU #1: thread_id=(\d+) .*\n', got)
    verdict('info cpus names threads of ours', tids and all(os.path.exists(f'/proc/{m.p.pid}/task/{t}') for t in tids.groups()) and
            tids[1] != tids[2], got)
    got = m.ask("xp /4cb 0x40000000") + m.ask("print /c 39")
    verdict('characters are printed as in C', got == "0000000040000000: '\\xd0' '\\r' '\\xfe' '\\xed'\n'\\''\n", got)
    m.end()


def cable():
    """One card and one back end of -net are joined without a hub, and are called one: its ports are numbered as they were said, the latest first."""
    user = '#net000: index=0,type=user,net=10.0.2.0,restrict=off\n'
    card = 'virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56\n'
    for first, second, args in ((card, user, 'nic user'), (user, card, 'user nic')):
        m = Monitor('-S', '-monitor', 'stdio', *sum((['-net', a] for a in args.split()), []), machine='virt')
        m.until(PROMPT)
        got = m.ask('info network')
        verdict(f'info network of -net {args}', got == f'hub 0\n \\ hub0port1: {second} \\ hub0port0: {first}', repr(got))
        m.end()
    m = Monitor('-S', '-monitor', 'stdio', *'-netdev hubport,id=p,hubid=0 -net nic -net user'.split(), machine='virt')
    m.until(PROMPT)
    got = m.ask('info network')
    want = f'hub 0\n \\ hub0port2: {user} \\ hub0port1: {card} \\ p\n'
    verdict('info network of -net with a port of -netdev', got == want, repr(got))
    m.end()
    for args, want in (('-net nic', 'hub 0 is not connected to host network'), ('-net user', 'hub 0 with no nics'), ('-net nic -net user', ''),
                       ('-netdev hubport,id=p,hubid=3 -device e1000,netdev=p', 'hub 3 is not connected to host network'),
                       ('-netdev hubport,id=p,hubid=3', 'hub port p has no peer')):
        m = Monitor('-S', '-monitor', 'stdio', *args.split(), machine='virt')
        got = '\n'.join(re.findall('warning: (.*)', m.until(PROMPT).replace('\r', '')))
        verdict(f'{args}: warned of {want or "nothing"}', got == want, repr(got))
        m.end()


OBJECTS = [
    ('object_add iothread,id=io1,poll-max-ns=5,poll-grow=2,poll-shrink=3,aio-max-batch=4,thread-pool-min=1,thread-pool-max=9', ''),
    ('object_add rng-builtin,id=io1', "Error: Duplicate ID 'io1' for iothread\n"),
    ('object_del io1', ''),
    ('object_del io1', "Error: object 'io1' not found\n"),
    ('object_add iothread,id=io1,poll-max-ns=abc', "Error: Parameter 'poll-max-ns' expects a number\n"),
    ('object_add iothread,id=io1,aio-max-batch=9223372036854775808', 'Error: aio-max-batch value must be in range [0, 9223372036854775807]\n'),
    ('object_add iothread,id=io1,thread-pool-max=0', 'Error: bad thread-pool-min/thread-pool-max values: want 0 <= 0, which is not 0\n'),
    ('object_add iothread,id=io1,thread-pool-min=70', 'Error: bad thread-pool-min/thread-pool-max values: want 70 <= 64, which is not 0\n'),
    ('object_add iothread,id=io1', ''),
    ('object_del io1', ''),
    ('object_del io0', "Error: object 'io0' is in use, can not be deleted\n"),
    ('object_del r0', "Error: object 'r0' is in use, can not be deleted\n"),
    ('object_del m0', "Error: object 'm0' is in use, can not be deleted\n"),
    ('object_del m1', ''),
    ('object_add memory-backend-ram,id=m1,size=2M', ''),
    ('object_del t0', "Error: object 't0' is in use, can not be deleted\n"),
    ('object_add secret,id=s0,data=abc', ''),
    ('object_del s0', ''),
    ('object_del f0', ''),
    ('object_del f0', "Error: object 'f0' not found\n"),
    ('object_add rng-random,id=r1,filename=/dev/urandom', ''),
    ('object_del r1', ''),
    ('object_del', 'object_del: string expected\n' + HINT % 'object_del'),
]


def objects():
    m = Monitor('-S', '-monitor', 'stdio', '-m', '64', '-object', 'memory-backend-ram,id=m0,size=64M', '-object', 'memory-backend-memfd,id=m1,size=1M',
                '-object', 'iothread,id=io0,poll-max-ns=7', '-drive', 'if=none,id=d,file=null-co://,format=raw',
                '-object', 'throttle-group,id=t0,x-iops-total=5', '-blockdev', 'driver=null-co,node-name=z',
                '-blockdev', 'driver=throttle,node-name=y,throttle-group=t0,file=z', '-device', 'virtio-blk-pci,drive=d,iothread=io0', '-nic', 'user,id=n',
                '-object', 'filter-dump,id=f0,netdev=n,file=/dev/null',
                '-object', 'rng-builtin,id=r0', '-device', 'virtio-rng-pci,rng=r0', machine='virt,memory-backend=m0')
    m.until(PROMPT)
    for command, want in OBJECTS:
        got = m.ask(command)
        verdict(command, got == want, repr(got))
    got = m.ask('info iothreads')
    verdict('info iothreads has what is left', re.fullmatch(
        r'io0:\n  thread_id=\d+\n  poll-max-ns=7\n  poll-grow=0\n  poll-shrink=0\n  aio-max-batch=0\n', got), repr(got))
    got = m.ask('info memdev')
    verdict('info memdev has what is left', re.findall(': (m.)', got) == ['m0', 'm1'] and '2097152' in got and '1048576' not in got, got)
    m.end()
    p = subprocess.run([SYSTEM, '-object', 'iothread,help'], capture_output=True, text=True, timeout=LONG)
    verdict('-object iothread,help', re.findall(r'^  ([a-z-]+)=<num>', p.stdout, re.M) == [
        'aio-max-batch', 'poll-grow', 'poll-max-ns', 'poll-shrink', 'thread-pool-max', 'thread-pool-min'], p.stdout)


OWNED = '''virtio0: null-co:// (raw)
    Attached to:      /machine/peripheral-anon/device[0]/virtio-backend
    Cache mode:       writeback

x: null-co:// (raw)
    Attached to:      /machine/peripheral/vx/virtio-backend
    Cache mode:       writeback

y: null-co:// (raw)
    Attached to:      disk
    Cache mode:       writeback

k: json:{"driver": "null-co"} (null-co)
    Attached to:      /machine/peripheral-anon/device[1]/virtio-backend
    Cache mode:       writeback

'''


def owned():
    """Disks say whose they are; those that nobody has can go, and so can character devices."""
    null = 'file=null-co://,format=raw'
    m = Monitor('-S', '-monitor', 'stdio', '-drive', f'if=virtio,{null}', '-drive', f'if=none,id=x,{null}', '-drive', f'if=none,id=y,{null}',
                '-device', 'virtio-blk-pci,drive=x,id=vx', '-device', 'virtio-scsi-pci,id=s', '-device', 'scsi-hd,drive=y,id=disk',
                '-blockdev', 'driver=null-co,node-name=k', '-blockdev', 'driver=null-co,node-name=free', '-device', 'virtio-blk-pci,drive=k',
                '-chardev', 'null,id=c', '-device', 'virtio-serial-pci,id=vs', '-device', 'virtconsole,chardev=c,id=vc',
                '-device', 'pcie-root-port,id=rp,slot=1', machine='virt')
    m.until(PROMPT)
    got = m.ask('info block')
    verdict('info block says whose disks they are', got == OWNED, got)
    for command, want in (
            ('drive_del x', "Error: Device 'x' is in use: device_del its user first\n"), ('drive_del k', 'Error: Node k is in use\n'), ('drive_del free', ''),
            ('chardev-remove c', "Error: Chardev 'c' is busy\n"),
            (f'drive_add 0 if=none,id=hot,{null}', 'OK\n'), ('device_add virtio-blk-pci,drive=hot,id=h,bus=rp', ''),
            ('drive_del hot', "Error: Device 'hot' is in use: device_del its user first\n"),
            ('chardev-add ringbuf,id=rb', ''), ('device_add virtconsole,chardev=rb,id=vr', ''),
            ('chardev-remove rb', "Error: Chardev 'rb' is busy\n"), ('device_del vr', ''), ('chardev-remove rb', '')):
        got = m.ask(command)
        verdict(f'{command} of what {"is used" if want else "is free"}', got == want, repr(got))
    m.end()


def counted(work):
    """Firmware reads a boot sector, which halts: one request, whatever the disk is; what an ejected medium counted stays."""
    if not os.path.exists('/usr/share/seabios/bios-256k.bin'):
        print('no SeaBIOS\nskip system_monitor, info blockstats of a PC')
        return
    boot = os.path.join(work, 'boot')
    with open(boot, 'wb') as f:
        f.write(b'\xfa\xf4' + bytes(508) + b'\x55\xaa' + bytes(1 << 20))
    m = Monitor('-vga', 'none', '-monitor', 'stdio', '-drive', f'file={boot},format=raw,id=d,if=floppy', system=os.path.join(BIN, 'qemu-system-x86_64'),
                machine='pc')
    m.until(PROMPT)
    until(lambda: 'rd_operations=0' not in m.ask('info blockstats'))
    m.ask('stop')
    before = m.ask('info blockstats')
    m.ask('eject -f d')
    after = m.ask('info blockstats')
    cut = '([^=]* rd_bytes|d: rd_bytes)=([1-9].*)idle'
    verdict('what an ejected medium has counted stays', re.search(cut, before) and re.search(cut, after) and
            re.search(cut, before)[2] == re.search(cut, after)[2], before + after)
    m.end()
    for bus in ('ide', 'virtio'):
        m = Monitor('-vga', 'none', '-monitor', 'stdio', '-drive', f'file={boot},format=raw,id=d,if={bus}',
                    '-drive', 'if=none,id=e,media=cdrom,file=null-co://,format=raw', system=os.path.join(BIN, 'qemu-system-x86_64'), machine='pc')
        m.until(PROMPT)
        until(lambda: 'rd_bytes=0' not in m.ask('info blockstats').split('\n')[0])
        got = m.ask('info blockstats')
        verdict(f'info blockstats has what a PC read of {bus}', re.fullmatch(
            r'd: rd_bytes=512 wr_bytes=0 rd_operations=1 wr_operations=0 flush_operations=0 wr_total_time_ns=0 rd_total_time_ns=[1-9]\d* '
            r'flush_total_time_ns=0 rd_merged=0 wr_merged=0 idle_time_ns=[1-9]\d*\ne: rd_bytes=0 .* idle_time_ns=0\n', got), got)
        m.end()


def globals_checked():
    """What -global says is checked when the board says otherwise, too."""
    for text, why in (('pl011.chardev=xx', "Property 'pl011.chardev' can't find value 'xx'"),
                      ('virtio-blk-pci.drive=nix', None), # there is none of them
                      ('virtio-net-pci.netdev=nix', "Property 'virtio-net-pci.netdev' can't find value 'nix'"),
                      ('virtio-net-pci.vectors=few', "Parameter 'vectors' expects a number")):
        p = subprocess.run([SYSTEM, '-M', 'virt', '-display', 'none', '-S', '-global', text, '-serial', 'null', '-nic', 'user', '-monitor', 'stdio'],
                           input='quit\n', capture_output=True, text=True, timeout=LONG)
        want = f"qemu-system-aarch64: can't apply global {text}: {why}\n" if why else ''
        verdict(f'-global {text}', (p.returncode, p.stderr) == (bool(why), want), (p.returncode, p.stderr))


def first_lines(work):
    """What is warned of comes before the prompt; names of drives that nobody named; registers, three in a row."""
    open(f'{work}/cd', 'wb').write(bytes(2048))
    m = Monitor('-S', '-monitor', 'stdio', '-cdrom', f'{work}/cd', '-netdev', 'user,id=n', '-netdev', 'user,id=h', '-netdev',
                'hubport,hubid=1,netdev=h,id=p', '-nic', 'user', machine='virt')
    hello = m.until(PROMPT).replace('\r', '')
    warned = re.findall('warning: (.*)', hello)
    verdict('netdevs without a card are warned of', sorted(warned) == ['hub 1 with no nics', 'netdev n has no peer'] and hello.startswith('qemu-'), repr(hello))
    got = m.ask('info block')
    verdict("-cdrom's name on virt", got.startswith('virtio2: '), got)
    got = m.ask('info registers')
    x = ['=0{16} '.join(f'X{n:02}' for n in range(r, r + 3)) for r in range(2, 29, 3)]
    verdict('info registers has three in a row', re.fullmatch(
        r'\nCPU#0\n PC=\w{16} X00=0{16} X01=0{16}\n' + ''.join(r + '=0{16}\n' for r in x) +
        r'X29=0{16} X30=0{16}  SP=\w{16}\nPSTATE=\w{8} ---- EL1h    FPU disabled\n', got), repr(got))
    m.end()


def main():
    with tempfile.TemporaryDirectory() as work:
        answers()
        shared()
        saved(work)
        logged(work)
        assembly(work)
        announced(work)
        pc(work)
        pc_tables(work)
        arm_controllers()
        listings()
        cable()
        globals_checked()
        objects()
        owned()
        counted(work)
        first_lines(work)


if __name__ == '__main__':
    sys.exit(main())
