#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Screens of real guests: UEFI's shell on ramfb, Debian's installer on VGA and bochs-display, as screendump has them, and as a viewer
who watched from the beginning does; a PC with SeaBIOS, to which a viewer types.     EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made"""
import os
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from rfb import FONT, Viewer, font, read_text  # noqa: E402

BIN = os.environ.get('EMU_BIN', 'build')
VIRT = [f'{BIN}/qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a57', '-m', '512', '-nodefaults']
PC = [f'{BIN}/qemu-system-x86_64', '-M', 'pc', '-m', '64', '-net', 'none', '-vga', 'std', '-serial', 'none']
GUESTS = os.environ.get('GUESTS', 'build/guests')
DI = ['-kernel', f'{GUESTS}/di/arm64/linux', '-initrd', f'{GUESTS}/di/arm64/initrd.gz', '-append', 'console=tty0']
FIRMWARE = ['-bios', f'{GUESTS}/fw/QEMU_EFI-aarch64.fd']


class Machine:
    def __init__(self, folder, args):
        self.sock, self.ppm = f'{folder}/vnc', f'{folder}/screen.ppm'
        self.p = subprocess.Popen([*args, '-monitor', 'stdio', '-vnc', f'unix:{self.sock}'],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.prompt()

    def prompt(self):
        text = b''
        while b'(qemu) ' not in text:
            if not select.select([self.p.stdout], [], [], 30)[0]:
                raise TimeoutError(text)
            data = os.read(self.p.stdout.fileno(), 4096)
            if not data:
                raise EOFError(text)
            text += data

    def say(self, command):
        self.p.stdin.write(command.encode() + b'\r')
        self.p.stdin.flush()
        self.prompt()

    def screen(self):
        """(width, height, pixels as red, green, blue)"""
        self.say(f'screendump {self.ppm}')
        data = open(self.ppm, 'rb').read()
        _, size, _, pixels = data.split(b'\n', 3)
        return (*map(int, size.split()), pixels)


def count(pixels, color):
    """About how many pixels have it: runs of two at least."""
    return pixels.count(color * 2)


def seen(v):
    out = bytearray(len(v.pixels) // 4 * 3)
    out[0::3], out[1::3], out[2::3] = v.pixels[2::4], v.pixels[1::4], v.pixels[0::4]
    return bytes(out)


def same(m, v):
    """What the viewer has is what is there; a blinking cursor may be between the two."""
    for _ in range(30):
        v.wait(lambda: False, 0.6)
        if m.screen()[2] == seen(v):
            return True
    return False


def watch(name, args, size, color, least, seconds=200):
    with tempfile.TemporaryDirectory() as folder:
        m = Machine(folder, [*VIRT, *args])
        try:
            v = Viewer(m.sock)
            v.whole()
            end = time.monotonic() + seconds
            good = False
            while not good and time.monotonic() < end:
                v.wait(lambda: False, 2)
                w, h, pixels = m.screen()
                good = (w, h) == size and count(pixels, color) >= least
            if not good:
                print(f'{w}x{h}, {count(pixels, color)} pixels of that colour')
            print('pass' if good else 'fail', f'screen, {name}', flush=True)
            print('pass' if same(m, v) else 'fail', f'screen, {name}: a viewer has seen every change', flush=True)
        finally:
            m.p.kill()
            m.p.wait()


# Prints "Ready>", then whatever is typed: int 10h, ah=0eh; int 16h, ah=0.
ECHO = (bytes.fromhex('be1e7cac84c07409b40ebb0700cd10ebf2b400cd16b40ebb0700cd10ebf3') + b'Ready>\0').ljust(510, b'\0') + b'\x55\xaa'


def types(v, text):
    upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()_+{}|:"<>?~'
    for c in text:
        v.tap(*([0xffe1] if c in upper else []), ord(c))


def pc():
    if not os.path.exists(FONT):
        print(f'{FONT} is not there\nskip screen, a PC')
        return
    glyphs = font()
    with tempfile.TemporaryDirectory() as folder:
        open(f'{folder}/disk', 'wb').write(ECHO + bytes(1 << 20))
        m = Machine(folder, [*PC, '-drive', f'file={folder}/disk,format=raw'])
        try:
            v = Viewer(m.sock)
            v.whole()
            ready = v.wait(lambda: 'Ready>' in read_text(v, glyphs, 9), 60)
            print('pass' if ready else 'fail', 'screen, a PC starts from its disk', flush=True)
            types(v, 'Hello, World! 7*6=42 {"a|b"}')
            want = 'Ready>Hello, World! 7*6=42 {"a|b"}'
            good = v.wait(lambda: want in read_text(v, glyphs, 9), 30)
            m.say('sendkey shift-z')
            m.say('sendkey 0x06')
            good &= v.wait(lambda: want + 'Z5' in read_text(v, glyphs, 9), 30)
            if not good:
                print(read_text(v, glyphs, 9).strip())
            print('pass' if good else 'fail', 'screen, what a viewer types to a PC appears', flush=True)
            print('pass' if same(m, v) else 'fail', 'screen, a PC: a viewer has seen every change', flush=True)
        finally:
            m.p.kill()
            m.p.wait()


def main():
    pc()
    for f in (DI[1], FIRMWARE[1]):
        if not os.path.exists(f):
            print(f'{f} is not there\nskip screen, runs')
            return
    watch('a UEFI shell on ramfb', [*FIRMWARE, '-device', 'ramfb'], (800, 600), b'\xff\xff\0', 20)
    for device in 'VGA', 'bochs-display':
        watch(f"Debian's installer on {device}", [*DI, '-device', device], (1280, 800), b'\xaa\0\0', 1000)


main()
