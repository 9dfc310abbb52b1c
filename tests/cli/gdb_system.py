#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The gdb server of machines: by gdb itself, and packet by packet where gdb would not ask."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import LONG, listening, until  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EMU = os.path.join(os.path.dirname(os.environ.get('EMU', f'{TOP}/build/qemu-aarch64')), 'qemu-system-aarch64')
NEEDS = ('aarch64-linux-gnu-gcc', 'gdb-multiarch')


def verdict(name, problem):
    if problem:
        print(problem)
    print('fail' if problem else 'pass', f'gdb_system, {name}', flush=True)


class Machine:
    """The bare program, stopped before its first instruction unless @args says otherwise."""
    def __init__(self, folder, *args):
        self.path = f'{folder}/socket'
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            [EMU, '-M', 'virt', '-cpu', 'cortex-a57', '-smp', '2', '-m', '64', '-display', 'none', '-serial', 'none',
             '-kernel', f'{folder}/bare', '-gdb', f'unix:{self.path},server=on,wait=off',
             *([] if '-monitor' in args else ['-monitor', 'none']), *(args or ['-S'])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until(lambda: listening(self.path) or self.process.poll() is not None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.output = self.process.communicate()[0].decode(errors='replace')[-1000:]

    def ended(self):
        try:
            return self.process.wait(timeout=LONG) == 0
        except subprocess.TimeoutExpired:
            return False


class Wire:
    """The protocol without gdb."""
    def __init__(self, machine):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(LONG)
        self.s.connect(machine.path)
        self.buf = b''

    def packet(self):
        while not (m := re.search(rb'\$([^#]*)#..', self.buf)):
            more = self.s.recv(65536)
            if not more:
                raise EOFError
            self.buf += more
        self.buf = self.buf[m.end():]
        self.s.send(b'+')
        return m[1].decode('latin-1')

    def send(self, text):
        data = text.encode('latin-1')
        self.s.send(b'$%s#%02x' % (data, sum(data) & 255))

    def ask(self, text):
        self.send(text)
        return self.packet()


def gdb(folder, machine, want, *commands):
    """What gdb prints has the lines @want, as patterns, in order."""
    args = ['gdb-multiarch', '-q', '-nx', '-batch', '-ex', 'set pagination off', '-ex', 'set confirm off',
            '-ex', f'target remote {machine.path}']
    for c in commands:
        args += ['-ex', c]
    try:
        out = subprocess.run(args + [f'{folder}/bare'], stdin=subprocess.DEVNULL, capture_output=True, timeout=LONG)
        text = (out.stdout + out.stderr).decode(errors='replace')
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b'').decode(errors='replace') + '\ngdb does not end'
    at = 0
    for pattern in want:
        m = re.compile(pattern, re.M).search(text, at)
        if not m:
            return f'want {pattern!r} in:\n{text[-3000:]}'
        at = m.end()
    return None


def number(hexes):
    return int.from_bytes(bytes.fromhex(hexes), 'little')


def test_breakpoints(folder):
    with Machine(folder) as m:
        return gdb(folder, m, ['_start', r'Breakpoint 1, twice', r'#1 .* _start', r'= 21', r'= 42', r'Breakpoint 2, count'],
                   'break twice', 'continue', 'bt', 'p $x0', 'stepi', 'p $x0', 'break count', 'continue')


def test_watchpoints(folder):
    with Machine(folder) as m:
        return gdb(folder, m, [r'atchpoint 1: ', r'Old value = 0\s+New value = 42', r'after|brk|ldr', r'read watchpoint 2',
                               r'Value = 42'],
                   'watch *(long*)&stored', 'continue', 'x/i $pc', 'delete', 'rwatch *(long*)&stored', 'continue')


def test_registers(folder):
    with Machine(folder) as m:
        return gdb(folder, m, [r'0x3c5', r'sctlr 0x', r'= 0x1234', r'= 5678', r'= 77', r'mpidr 0x80000000',
                               r'mpidr 0x80000001'],
                   'p/x $cpsr', 'printf "sctlr 0x%lx\\n", $SCTLR_EL1', 'set $x5 = 0x1234', 'p/x $x5',
                   'set *(long*)&stored = 5678', 'p *(long*)&stored', 'set $v3.d.u[0] = 77',
                   'p $v3.d.u[0]', 'printf "mpidr 0x%lx\\n", $MPIDR_EL1', 'thread 2', 'printf "mpidr 0x%lx\\n", $MPIDR_EL1')


def test_addresses(folder):
    """52 bits with all granules: of -cpu max, from virt-7.0 on."""
    for board, cpu, value in (('virt', 'max', '32310200126'), ('virt', 'max,lpa2=off', '22200100126'), ('virt-6.2', 'max', '22200100126')):
        with Machine(folder, '-S', '-M', board, '-cpu', cpu) as m:
            wrong = gdb(folder, m, [f'mmfr0 0x{value}'], 'printf "mmfr0 0x%lx\\n", $ID_AA64MMFR0_EL1')
            if wrong:
                return wrong


def test_threads(folder):
    with Machine(folder) as m:
        return gdb(folder, m, [r'Thread 2 .*\[off\]', r'Thread 2 hit Breakpoint 1, second', r'\* 2 .*\[running\]',
                               r'= 5$', r'only 2: [1-9]\d*, 0'],
                   'info threads', 'break second', 'continue', 'info threads', 'p $x0', 'delete', 'set scheduler-locking on',
                   'set $before = *(long*)&counters', 'stepi 300',
                   'printf "only 2: %ld, %ld\\n", ((long*)&counters)[1], *(long*)&counters - $before')


def test_exceptions(folder):
    """A step over BRK, which the guest handles itself, ends at its vector."""
    with Machine(folder) as m:
        return gdb(folder, m, [r'after_brk-4|brk', r'0x200|vectors\+512', r'after_brk'],
                   'tbreak *(after_brk - 4)', 'continue', 'x/i $pc', 'stepi', 'p $pc', 'stepi 4', 'p $pc')


def test_interrupt(folder):
    with Machine(folder, '-name', 'x') as m:
        w = Wire(m)
        if not w.ask('?').startswith('T02'):
            return 'a connection does not stop the machine'
        address = number_of(folder, 'counters')
        first = number(w.ask(f'm{address:x},8'))
        for _ in range(100):  # a busy machine may not have run the guest yet
            w.send('vCont;c')
            time.sleep(0.1)
            w.s.send(b'\3')
            stop = w.packet()
            if not stop.startswith('T02'):
                return f'stopped by {stop}'
            if (second := number(w.ask(f'm{address:x},8'))) > first:
                break
        third = number(w.ask(f'm{address:x},8'))
        if not second > first or second != third:
            return f'counted {first}, {second}, {third}'
        for _ in range(100):
            if w.ask('D') != 'OK':
                return 'does not detach'
            w.s.close()
            time.sleep(0.1)
            w = Wire(m)
            if (fourth := number(w.ask(f'm{address:x},8'))) > third:
                break
        return None if fourth > third else f'stands after detaching: {third}, {fourth}'


def test_packets(folder):
    with Machine(folder) as m:
        w = Wire(m)
        want = {
            'qSupported:multiprocess+;xmlRegisters=i386': r'PacketSize=4000;.*qXfer:features:read\+',
            'vCont?': 'vCont;c;C;s;S', 'qC': 'QC01', 'qfThreadInfo': 'm01,02$', 'qsThreadInfo': 'l$',
            'qAttached': '1$', 'qqemu.sstepbits': 'ENABLE=1,NOIRQ=2,NOTIMER=4$', 'qqemu.sstep': '0x7$',
            'Qqemu.sstep=1': 'OK', 'T02': 'OK', 'T03': 'E22', 'Hg2': 'OK', 'Hg9': 'E22', 'p20': '0' * 16, 'pffff': 'E',
            'qqemu.PhyMemMode': '0$', 'Qqemu.PhyMemMode:1': 'OK', 'm40080000,4': '[0-9a-f]{8}$', 'm8000000000000,4': 'E14',
            'Qqemu.PhyMemMode:0': 'OK', 'M40100000,2:abcd': 'OK', 'm40100000,2': 'abcd$', 'X40100000,1:}\x03': 'OK',
            'm40100000,1 ': '23$', 'Z0,40100000,4': 'OK', 'z0,40100000,4': 'OK', 'Z9,0,0': '$', 'vUnknown': '$',
            'vCont;x': 'E22', 'qXfer:features:read:target.xml:0,40': r'm<\?xml', 'qXfer:features:read:other.xml:0,40': 'E00',
            'm,': '.*', 'Z': '.*', 'H': '.*', 'P': 'E', 'qRcmd,zz': '.*', 'qXfer:features:read:': '.*', 'G': 'OK',
        }
        wrong = [f'{ask}: {got}' for ask, pattern in want.items() if ask != 'qRcmd,zz' and not re.match(pattern, got := w.ask(ask))]
        w.s.send(b'$m40100000,1#00')   # damaged
        while (got := w.s.recv(1)) == b'+':  # of earlier packets
            pass
        if got != b'-':
            wrong.append(f'a damaged packet is answered by {got}')
        return '\n'.join(wrong)


def test_signed_pointers(folder):
    """The feature by which gdb 14 and later take the code off return addresses."""
    with Machine(folder, '-S', '-cpu', 'max') as m:
        w = Wire(m)
        text = ''
        while not text.endswith('</target>') and len(text) < 1 << 16:
            text += w.ask(f'qXfer:features:read:target.xml:{len(text):x},1000')[1:]
        seen = []
        for mask in ('pauth_dmask', 'pauth_cmask', 'pauth_dmask_high', 'pauth_cmask_high'):
            reg = re.search(rf'aarch64.pauth_v2">.*<reg name="{mask}" bitsize="64" regnum="(\d+)"', text)
            seen.append(w.ask(f'p{int(reg[1]):x}') if reg else mask)
        if seen != ['0000000000007f00'] * 2 + ['0000000000007fff'] * 2:
            return f'masks {seen} in {text[-600:]}'
        if w.ask(f'P{int(reg[1]):x}=0000000000000000') == 'OK':
            return 'a mask is written'
    with Machine(folder) as m:
        if 'pauth' in ''.join(Wire(m).ask(f'qXfer:features:read:target.xml:{at:x},3000') for at in (0, 0x3000)):
            return 'a CPU without signed pointers has masks'


def test_monitor(folder):
    with Machine(folder) as m:
        return gdb(folder, m, [r'VM status: paused', r'CPU #1', r"unknown command: 'nonsense'"],
                   'monitor info status', 'monitor info cpus', 'monitor nonsense')


def test_gdbserver(folder):
    """The monitor moves the server elsewhere; that it listens there is seen by connecting."""
    with Machine(folder, '-S', '-monitor', f'unix:{folder}/monitor,server=on,wait=off') as m:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f'{folder}/monitor')
            s.send(f'gdbserver unix:{folder}/moved,server=on,wait=off\n'.encode())
            until(lambda: listening(f'{folder}/moved'))
            m.path = f'{folder}/moved'
            if not Wire(m).ask('?').startswith('T02'):
                return 'no answer'
            s.send(b'gdbserver none\ngdbserver nonsense:1\n')
            s.settimeout(LONG)
            text = ''
            while 'Disabled gdbserver' not in text or "'nonsense" not in text:
                if not (more := s.recv(65536)):
                    return text
                text += more.decode()
        return None


def test_kill(folder):
    with Machine(folder) as m:
        w = Wire(m)
        w.send('k')
        return None if m.ended() else 'runs on'


def test_bad(folder):
    p = subprocess.run([EMU, '-M', 'virt', '-display', 'none', '-gdb', 'tcp::99999'], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=30)
    text = p.stderr.decode()
    return None if p.returncode == 1 and '99999' in text and text.count('\n') == 1 else f'{p.returncode}: {text}'


def number_of(folder, symbol):
    out = subprocess.run(['aarch64-linux-gnu-nm', f'{folder}/bare'], capture_output=True, check=True).stdout.decode()
    return int(re.search(rf'^(\S+) \S {symbol}$', out, re.M)[1], 16)


def main():
    missing = [n for n in NEEDS if not shutil.which(n)] + ([] if os.path.exists(EMU) else [EMU])
    if missing:
        print(f'needs {missing[0]}\nskip gdb_system, runs')
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['aarch64-linux-gnu-gcc', '-g', '-nostdlib', '-static', '-Wl,-Ttext=0x40080000',
                        '-Wl,--build-id=none,--no-warn-rwx-segments', '-o', f'{folder}/bare',
                        f'{TOP}/tests/programs/src/gdb_bare.S'], check=True)
        for name, test in (('breakpoints, steps, a backtrace', test_breakpoints), ('watchpoints', test_watchpoints),
                           ('registers of CPUs and of the system', test_registers), ('sizes of addresses', test_addresses), ('CPUs are threads', test_threads),
                           ('a step into an exception', test_exceptions),
                           ('interrupting and detaching', test_interrupt), ('packets', test_packets),
                           ('commands of the monitor', test_monitor), ('masks of signed pointers', test_signed_pointers), ('the monitor moves it', test_gdbserver), ('killing', test_kill), ('nowhere to listen', test_bad)):
            if len(sys.argv) > 1 and sys.argv[1] not in test.__name__:
                continue
            try:
                verdict(name, test(folder))
            except (OSError, EOFError) as e:
                verdict(name, repr(e))


main()
