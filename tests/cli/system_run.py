#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How a machine runs, stops, is reset and ends: a guest of a few instructions on the virt board, which prints a letter and
asks the firmware (PSCI, Arm DEN 0022) for the power, a reset, or nothing."""
import os
import select
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
PROMPT = '(qemu) '
SYSTEM_OFF, SYSTEM_RESET = 0x84000008, 0x84000009

GUEST = """
    ldr     x1, =0x09000000     // PL011
    mov     w0, #'A'
    str     w0, [x1]
    ldr     x0, =%d
    cbz     x0, 1f
    hvc     #0
1:  wfi
    b       1b
    .ltorg
"""


def build(work, name, call):
    source, elf, image = (os.path.join(work, f'{name}.{x}') for x in ('S', 'elf', 'bin'))
    with open(source, 'w') as f:
        f.write('.text\n' + GUEST % call)
    subprocess.run(['aarch64-linux-gnu-gcc', '-nostdlib', '-static', '-Wl,--build-id=none,-Ttext=0x40080000,-e,0x40080000',
                    '-o', elf, source], check=True)
    subprocess.run(['aarch64-linux-gnu-objcopy', '-O', 'binary', '-j', '.text', elf, image], check=True)
    return image


class Machine:
    """With its monitor on standard input and output; the serial port goes to a file."""

    def __init__(self, work, image, *args):
        self.serial = os.path.join(work, 'serial')
        open(self.serial, 'w').close()
        self.p = subprocess.Popen(
            [SYSTEM, '-M', 'virt', '-m', '64', '-nic', 'none', '-display', 'none', '-monitor', 'stdio', '-serial',
             f'file:{self.serial}', '-kernel', image, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ''

    def until(self, what, seconds=LONG):
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

    def ask(self, command):
        self.p.stdin.write(f'{command}\r'.encode())
        self.p.stdin.flush()
        return self.until(PROMPT).replace('\r\n', '\n').partition('\n')[2]

    def printed(self):
        return open(self.serial).read()

    def prints(self, n):
        """Waits until the guest has printed n letters."""
        return until(lambda: len(self.printed()) >= n)

    def state(self, want):
        return until(lambda: self.ask('info status') == f'VM status: {want}\n')

    def status(self):
        return self.p.wait(LONG)

    def cpu_seconds(self):
        return sum(map(int, open(f'/proc/{self.p.pid}/stat').read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')

    def end(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGKILL)
        self.p.stdout.close()
        self.p.wait()


def verdict(name, ok, detail=''):
    if not ok:
        print(detail)
    print('pass' if ok else 'fail', f'system_run, {name}')


def power(work, off, reset):
    m = Machine(work, off)
    verdict('a guest that powers off ends with status 0', m.status() == 0 and m.printed() == 'A', m.printed())
    m.end()
    for option in ('-no-reboot', '-action=reboot=shutdown'):
        m = Machine(work, reset, *option.split('=', 1))
        verdict(f'with {option} so does one that resets', m.status() == 0 and m.printed() == 'A', m.printed())
        m.end()
    m = Machine(work, reset)
    verdict('else it begins again', m.prints(5), m.printed())
    m.end()


def no_shutdown(work, off):
    m = Machine(work, off, '-no-shutdown')
    m.until(PROMPT)
    ok = m.state('paused (shutdown)')
    verdict('-no-shutdown keeps the machine', ok and m.printed() == 'A')
    got = m.ask('cont')
    verdict('which wants a reset before it goes on', got == 'Error: Resetting the Virtual Machine is required\n', got)
    m.ask('system_reset')
    ok = m.state('paused')
    m.ask('cont')
    verdict('and then does', ok and m.prints(2), m.printed())
    m.end()


def stopped(work, idle):
    m = Machine(work, idle, '-S')
    m.until(PROMPT)
    time.sleep(0.3)
    verdict('-S: nothing runs', m.printed() == '' and m.ask('info status') == 'VM status: paused (prelaunch)\n')
    got = m.ask('p $pc')
    m.ask('cont')
    verdict('until cont', m.prints(1) and m.ask('info status') == 'VM status: running\n', got)
    m.ask('stop')
    pc = m.ask('p $pc'), m.ask('p $pc')
    verdict('stop stops it', pc[0] == pc[1] and m.ask('info status') == 'VM status: paused\n', str(pc))
    text = m.ask('x /i $pc')
    verdict('where it can be looked at', 'wfi' in text or ' b ' in text or 'hint' in text or '0x' in text, text)
    m.ask('system_reset')
    m.ask('cont')
    verdict('and begun anew', m.prints(2), m.printed())
    for i in range(20):
        m.ask('system_reset')
        if not m.prints(3 + i):
            break
    verdict('twenty times', m.printed() == 'A' * 22, m.printed())
    m.ask('stop')
    for _ in range(50):
        m.ask('cont')
        m.ask('stop')
    m.p.stdin.write(b'quit\r')
    m.p.stdin.flush()
    verdict('a machine that stands can be left', m.status() == 0)
    m.end()


def idle_time(work, idle):
    """A guest that waits costs nearly nothing."""
    m = Machine(work, idle)
    m.prints(1)
    for _ in range(10):  # on a busy machine it has not done yet what it does before it waits
        before, since = m.cpu_seconds(), time.monotonic()
        time.sleep(2)
        used = (m.cpu_seconds() - before) / (time.monotonic() - since)
        if used < 0.03:
            break
    verdict('a guest that waits uses less than 3 % of a processor', used < 0.03, f'{used * 100:.1f} %')
    m.end()


def main():
    if not shutil.which('aarch64-linux-gnu-gcc'):
        print('needs aarch64-linux-gnu-gcc\nskip system_run, runs')
        return
    with tempfile.TemporaryDirectory() as work:
        off, reset, idle = (build(work, n, c) for n, c in
                            (('off', SYSTEM_OFF), ('reset', SYSTEM_RESET), ('idle', 0)))
        power(work, off, reset)
        no_shutdown(work, off)
        stopped(work, idle)
        idle_time(work, idle)


if __name__ == '__main__':
    sys.exit(main())
