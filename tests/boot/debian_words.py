#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The best known command, word for word, starts a whole Debian (tools/mk-disk-pc.sh) from a qcow2 image with a backing file: login on
the VGA screen with keys of a viewer, the network, reboot, power-off; Ctrl-Alt-Delete and the power button from the monitor.

usage: debian_words.py [NAME...]     EMU_BIN has the programs, GUESTS/disk-pc what mk-disk-pc.sh made; TIMES=1: CPU seconds to the
                             prompt, too
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import BIN, DEBIAN, FONT, RETURN, Typist, font, types  # noqa: E402

WORDS = 'qemu-system-x86_64 -hda disk.qcow2 -m 2048 -smp 4 -net nic -net user'
PROMPT = 'root@guest:~#'
KERNEL = str.maketrans(dict.fromkeys('0fmvwxMTW', '~'))  # of these Linux has pictures of its own


def enter(t, line):
    """The whole line when the last one's prompt is there: bash and the line discipline keep what comes early."""
    types(t.v, line)
    good = t.v.wait(lambda: line.translate(KERNEL) in t.text(), 60)
    t.v.tap(RETURN)
    return good


def cpu_seconds(t):
    fields = open(f'/proc/{t.m.p.pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def log_in(t):
    t.rests(10, 200)  # udev's drivers print behind the prompt, and change the console
    t.v.tap(RETURN)
    t.types('root', 'guest login: ')
    t.v.tap(RETURN)
    if not t.sees('Pass'):
        return False
    types(t.v, 'root')
    t.v.tap(RETURN)
    return t.sees(PROMPT, 200)


def restarts(t, name):
    """SeaBIOS again, and the same system."""
    return t.verdict(name + ': the firmware starts again', t.sees('SeaBIOS (version', 240)) and \
        t.verdict(name + ': and Debian', t.sees('guest login:', 500))


def ends(t, name):
    try:
        return t.verdict(f'{name}: the process ends with status {t.m.p.wait(240)}', t.m.p.returncode == 0)
    except subprocess.TimeoutExpired:
        return t.verdict(name + ': the process ends', False)


def by_typing(t, name):
    if not t.verdict(name + ': somebody logs in', log_in(t)):
        return
    enter(t, 'clear; dhclient -1; echo CPUS=$(nproc); ip a')
    if not t.verdict(name + ': four CPUs and the address of user networking', t.sees('CPUS=4', 120) and t.sees('inet 10.0.2.15/24'.translate(KERNEL), 60)):
        return
    enter(t, 'clear; reboot')
    if restarts(t, name + ', reboot') and log_in(t):
        enter(t, 'poweroff')
    ends(t, name + ', poweroff')


def by_monitor(t, name):
    t.rests(10, 200)
    t.m.say('sendkey ctrl-alt-delete')
    if restarts(t, name + ', Ctrl-Alt-Delete'):
        t.rests(10, 200)
        t.m.say('system_powerdown')
    ends(t, name + ', system_powerdown')


# Name, words more, what is done once the prompt is there.
TESTS = (('plain', '', by_typing), ('monitor', '', by_monitor), ('Nehalem', '-cpu Nehalem', by_typing), ('q35', '-M q35', by_typing))


def boot(name, more, work):
    with tempfile.TemporaryDirectory(prefix='emu-words-') as folder:
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', DEBIAN, '-F', 'raw', f'{folder}/disk.qcow2'],
                       executable=f'{BIN}/qemu-img', check=True)
        program, *words = WORDS.split() + more.split()
        with Typist(folder, [f'{BIN}/{program}', *words], font(), more=()) as t:
            good = t.sees('guest login:', 500)
            t.verdict(f'the known words, {name}: login on the screen', good)
            if 'TIMES' in os.environ:
                print(f'{name}: {cpu_seconds(t):.1f} CPU seconds', flush=True)
            if good:
                work(t, f'the known words, {name}')
            return t.bad


def main():
    bad = False
    gone = [f for f in (FONT, DEBIAN) if not os.path.exists(f)]
    for name, more, work in TESTS:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        if gone:
            print(f'{gone[0]} is not there (tools/mk-disk-pc.sh)\nskip screen, the known words, {name}', flush=True)
            continue
        bad |= boot(name, more, work)
    return bad


if __name__ == '__main__':
    sys.exit(main())
