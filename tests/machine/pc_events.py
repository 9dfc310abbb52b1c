#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a PC's ends, resets, panics and watchdogs lead to with -action, -watchdog-action, -no-reboot and -no-shutdown: the
machine's state or the exit status, and what the guest printed (pc_events.S).  And what its clock shows with -rtc.  Each case says what must
be seen; where the reference is installed, it must be seen there."""
import calendar
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
EMU = os.path.join(os.environ.get('EMU_BIN', 'build'), 'qemu-system-x86_64')
REFERENCE = shutil.which('qemu-system-x86_64')
STATE = re.compile('VM status: (.*?)\r?\n')


class Machine:
    """It stands until it is told to go on."""

    def __init__(self, program, rom, options, folder, tz='UTC'):
        self.out, self.said = f'{folder}/printed', f'{folder}/said'
        os.makedirs(folder)
        self.p = subprocess.Popen([program, '-M', 'pc', '-nodefaults', '-m', '16', '-display', 'none', '-bios', rom, '-S', '-debugcon',
                                   f'file:{self.out}', '-monitor', 'stdio', *options.split()], stdin=subprocess.PIPE,
                                  stdout=open(self.said, 'wb'), stderr=subprocess.PIPE, text=True, env=dict(os.environ, TZ=tz))
        self.asked = 0

    def tell(self, command):
        try:
            self.p.stdin.write(command + '\r')
            self.p.stdin.flush()
        except OSError:
            pass  # it has ended

    def state(self):
        """What "info status" says, or how the machine has ended."""
        self.asked += 1
        self.tell('info status')
        until(lambda: len(states := STATE.findall(open(self.said, errors='replace').read())) >= self.asked or self.p.poll() is not None)
        if self.p.poll() is not None:
            return f'status {self.p.returncode}'
        return STATE.findall(open(self.said, errors='replace').read())[-1]

    def printed(self):
        return open(self.out, 'rb').read() if os.path.exists(self.out) else b''

    def seen(self):
        state = self.state()
        return self.printed().decode('latin1'), state

    def end(self):
        """And what it complained of."""
        if self.p.poll() is None:
            self.p.kill()
        complaints = self.p.stderr.read()
        self.p.wait()
        return complaints


BEGUN, ENDED, KEPT = ('AB', 'running'), ('A', 'status 0'), ('A', 'paused (shutdown)')
PANICKED = ('A', 'paused (guest-panicked)')
ESB, IB700 = ('I6300ESB', '-device i6300esb,addr=5 '), ('IB700', '-device ib700 ')
PVPANIC = '-device pvpanic '

AGAIN = [('', BEGUN), ('-no-reboot', ENDED), ('-action reboot=reset', BEGUN), ('-action reboot=shutdown', ENDED), ('-no-shutdown', BEGUN),
         ('-no-reboot -no-shutdown', KEPT), ('-action reboot=shutdown,shutdown=pause', KEPT), ('-no-reboot -action reboot=reset', BEGUN),
         ('-action reboot=reset -no-reboot', ENDED)]
WAITS, DOZES = ('A', 'running'), ('A', 'paused (watchdog)')

# What the guest does, options, what is seen.
CASES = [
    *((how, options, want) for how in ('RESET_KEYBOARD', 'RESET_PORT', 'TRIPLE_FAULT') for options, want in AGAIN),
    *(('POWEROFF', options, want) for options, want in (
        ('', ENDED), ('-no-reboot', ENDED), ('-no-shutdown', KEPT), ('-action shutdown=pause', KEPT), ('-action shutdown=poweroff', ENDED),
        ('-no-shutdown -action shutdown=poweroff', ENDED), ('-action shutdown=poweroff -no-shutdown', KEPT))),
    *(('PANIC', PVPANIC + options, want) for options, want in (
        ('', ENDED), ('-no-reboot', ENDED), ('-no-shutdown', PANICKED), ('-action panic=shutdown', ENDED), ('-action panic=pause', PANICKED),
        ('-action panic=exit-failure', ('A', 'status 1')), ('-action panic=none', WAITS), ('-no-shutdown -action panic=shutdown', PANICKED),
        ('-action panic=exit-failure,shutdown=pause', KEPT))),
    ('CRASH_LOADED', PVPANIC, WAITS),
    *((how, device + options, want) for how, device in (ESB, IB700) for options, want in (
        *AGAIN, ('-watchdog-action reset', BEGUN), ('-watchdog-action shutdown', WAITS), ('-watchdog-action poweroff', ENDED),
        ('-watchdog-action pause', DOZES), ('-watchdog-action debug', WAITS), ('-watchdog-action none', WAITS),
        ('-watchdog-action inject-nmi', WAITS),  # which no local APIC lets pass: its LINT1 is masked
        ('-action watchdog=poweroff', ENDED), ('-action watchdog=pause', DOZES), ('-watchdog-action poweroff -no-shutdown', ENDED),
        ('-watchdog-action none -action watchdog=pause', DOZES), ('-action watchdog=pause -watchdog-action none', WAITS))),
]
DATE = 1150560081  # 2006-06-17T16:01:21

# Options, the time zone, what the clock shows: seconds since 1970, or since now with 0; does it go on while the machine stands?
CLOCKS = [
    ('', 'UTC', 0, True),
    ('-rtc base=utc', 'Asia/Kolkata', 0, True),
    ('-rtc base=localtime', 'IST-5:30', 19800, True),
    ('-rtc base=localtime', 'XST4:00', -14400, True),
    ('-rtc base=2006-06-17T16:01:21', 'IST-5:30', DATE, True),
    ('-rtc base=2006-06-17', 'UTC', DATE - 57681, True),
    ('-rtc clock=host', 'UTC', 0, True),
    ('-rtc clock=rt', 'UTC', 0, True),
    ('-rtc clock=vm', 'UTC', 0, False),
    ('-rtc base=2006-06-17T16:01:21,clock=vm', 'UTC', DATE, False),
    ('-rtc base=2006-06-17T16:01:21,clock=rt', 'UTC', DATE, True),
    ('-rtc base=2006-06-17T16:01:21,driftfix=slew', 'UTC', DATE, True),
    ('-rtc base=2006-06-17T16:01:21,driftfix=none', 'UTC', DATE, True),
]
STANDS = 4  # seconds


def build(folder, what):
    path = f'{folder}/{what}'
    subprocess.run(['as', '--32', f'--defsym={what}=1', '-o', f'{path}.o', f'{HERE}/pc_events.S'], check=True)
    subprocess.run(['ld', '-m', 'elf_i386', '-Ttext=0', '--oformat=binary', '-o', path, f'{path}.o'], check=True)
    return path


def steady(m, want, seconds):
    """What is seen, once it is what is wanted and for some time; or at the end of all patience."""
    until(lambda: m.seen() == want, 20)
    time.sleep(seconds)
    return m.seen()


def event(program, rom, options, want, folder):
    """Nothing, or what is wrong.  A watchdog that leads to nothing visible is given some time to go wrong, and others less."""
    m = Machine(program, rom, options, folder)
    m.tell('cont')
    got = steady(m, want, 0.3 if want == WAITS else 0.05)
    said = m.end()
    if 'debug' in options and 'watchdog: timer fired\n' not in said:
        return f'it does not say that it fired: {said!r}'
    return '' if got == want else f'{got}, want {want}: {said}'


def digits(b):
    return (b >> 4) * 10 + (b & 15)


def clock(program, rom, options, tz, since, goes_on, folder):
    begun = time.time()
    m = Machine(program, rom, options, folder, tz)
    m.state()
    ready = time.time()
    time.sleep(STANDS)
    before = time.time()
    m.tell('cont')
    until(lambda: len(m.printed()) >= 6, 20)
    after, shown = time.time(), [digits(b) for b in m.printed()[:6]]
    until(lambda: len(m.printed()) >= 9, 20)
    ticks = [digits(b) for b in m.printed()[5:9]]
    said = m.end()
    if len(shown) < 6:
        return f'it shows {shown}: {said}'
    at = calendar.timegm((2000 + shown[0], *shown[1:], 0, 0, 0))
    # How long it has been counting, at least and at most; a second is not yet over, another has just begun.
    base = since if since == DATE or since == DATE - 57681 else begun + since
    least, most = (before - ready, after - begun) if goes_on else (0, after - before + ready - begun)
    if not base + least - 2 <= at <= base + most + 1:
        return f'it shows {at - base:.1f} s since its beginning, want {least:.1f} to {most:.1f}'
    return '' if all((b - a) % 60 == 1 for a, b in zip(ticks, ticks[1:])) else f'it counts {ticks}'


def run(case):
    """(name, what is wrong) of a case, ours and the reference's."""
    name, test, *args, folder = case
    for program in filter(None, (EMU, REFERENCE)):
        wrong = test(program, *args, f'{folder}/{os.path.basename(os.path.dirname(program))}')
        if wrong:
            return name, f'{"reference" if program == REFERENCE else "ours"}: {wrong}'
    return name, ''


def main():
    for tool in 'as', 'ld':
        if not shutil.which(tool):
            print(f'needs {tool}\nskip pc_events')
            return
    with tempfile.TemporaryDirectory() as folder:
        roms = {what: build(folder, what) for what in ('CLOCK', *(c[0] for c in CASES))}
        cases = [(f'{how} {options}'.strip(), event, roms[how], options, want) for how, options, want in CASES]
        cases += [(f'CLOCK {options} in {args[0]}', clock, roms['CLOCK'], options, *args) for options, *args in CLOCKS]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:  # most of the time they wait
            for name, wrong in pool.map(run, ((*c, f'{folder}/{i}') for i, c in enumerate(cases))):
                if wrong:
                    print(wrong)
                print('fail' if wrong else 'pass', f'pc_events, {name}', flush=True)


if __name__ == '__main__':
    main()
