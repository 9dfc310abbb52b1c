#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb looks at a Linux kernel on four CPUs: where they are, system registers, a breakpoint in its interrupt vector, steps, a
watchpoint; the kernel runs on afterwards.  EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made."""
import os
import re
import select
import shutil
import subprocess
import tempfile
import time

EMU = os.path.join(os.environ.get('EMU_BIN', 'build'), 'qemu-system-aarch64')
LINUX = os.path.join(os.environ.get('GUESTS', 'build/guests'), 'linux/arm64')
NAME = 'gdb in a kernel'


def wait_for(p, text, seconds):
    got, end = b'', time.monotonic() + seconds
    while text not in got and time.monotonic() < end:
        if select.select([p.stdout], [], [], 1)[0]:
            more = os.read(p.stdout.fileno(), 65536)
            if not more:
                break
            got += more
    return text in got, got[-1500:].decode(errors='replace')


def look(path, want, *commands):
    args = ['gdb-multiarch', '-q', '-nx', '-batch', '-ex', 'set pagination off', '-ex', 'set confirm off',
            '-ex', 'set architecture aarch64', '-ex', f'target remote {path}']
    for c in commands:
        args += ['-ex', c]
    try:
        p = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, timeout=100)
        text = (p.stdout + p.stderr).decode(errors='replace')
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b'').decode(errors='replace') + '\ngdb does not end'
    at = 0
    for pattern in want:
        m = re.compile(pattern, re.M).search(text, at)
        if not m:
            return f'want {pattern!r} in:\n{text[-3000:]}'
        at = m.end()
    return None


def check(p, folder):
    ready, text = wait_for(p, b'/ # ', 180)
    if not ready:
        return 'the guest does not come up:\n' + text
    wrong = look(f'{folder}/gdb',
                 [r'4 +Thread 4 \(CPU#3', r'vbar 0xffff', r'sctlr 0x[0-9a-f]*d$', r'hit (Temporary b|B)reakpoint 1',
                  r'at 0x280$', r'from 0xffff', r'stepped 12$', r'PL011 11 10', r'VM status: paused'],
                 'info threads', 'printf "vbar 0x%lx\\n", $VBAR_EL1', 'printf "sctlr 0x%lx\\n", $SCTLR_EL1',
                 'tbreak *($VBAR_EL1 + 0x280)', 'continue', 'printf "at 0x%lx\\n", $pc - $VBAR_EL1',
                 'printf "from 0x%lx\\n", $ELR_EL1', 'set $before = $pc', 'stepi 3',
                 'printf "stepped %ld\\n", $pc - $before', 'maintenance packet Qqemu.PhyMemMode:1',
                 'printf "PL011 %x %x\\n", *(unsigned *)0x09000fe0, *(unsigned *)0x09000fe4',
                 'maintenance packet Qqemu.PhyMemMode:0', 'monitor info status')
    if wrong:
        return wrong
    p.stdin.write(b'echo goes $((20 + 3)) on\n')
    p.stdin.flush()
    on, text = wait_for(p, b'goes 23 on', 60)
    return None if on else 'the guest does not run on:\n' + text


def main():
    missing = [n for n in ('gdb-multiarch',) if not shutil.which(n)] + \
              [f for f in (f'{LINUX}/vmlinuz', f'{LINUX}/initrd.gz') if not os.path.exists(f)]
    if missing:
        print(f'no {missing[0]}: tools/mk-guests.sh makes guests\nskip boot, {NAME}')
        return
    with tempfile.TemporaryDirectory() as folder:
        p = subprocess.Popen(
            [EMU, '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-smp', '4', '-m', '512', '-nographic', '-nic', 'none',
             '-kernel', f'{LINUX}/vmlinuz', '-initrd', f'{LINUX}/initrd.gz', '-append', 'console=ttyAMA0 guest=sh',
             '-gdb', f'unix:{folder}/gdb,server=on,wait=off'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            wrong = check(p, folder)
        finally:
            p.kill()
            p.wait()
    if wrong:
        print(wrong)
    print('fail' if wrong else 'pass', f'boot, {NAME}')


main()
