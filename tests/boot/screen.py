#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Screens of real guests: UEFI's shell on ramfb, Debian's installer on VGA and bochs-display, as screendump has them, and as a viewer
who watched from the beginning does; PCs to which a viewer types: SeaBIOS, GRUB, Linux, Debian's login, its graphical installer.
usage: screen.py [--long] [NAME...]   EMU_BIN has the programs, GUESTS what tools/mk-guests.sh made; --long: those that `make check`
has no time for, without it the others"""
import os
import re
import resource
import select
import struct
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from rfb import FONT, Picture, Viewer, font, read_text  # noqa: E402
from wait import LONG, listening, until  # noqa: E402

BIN = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
VIRT = [f'{BIN}/qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a57', '-m', '512', '-nodefaults']
PC = [f'{BIN}/qemu-system-x86_64', '-M', 'pc', '-m', '64', '-net', 'none', '-vga', 'std', '-serial', 'none']
GUESTS = os.path.abspath(os.environ.get('GUESTS', 'build/guests'))
DI = ['-kernel', f'{GUESTS}/di/arm64/linux', '-initrd', f'{GUESTS}/di/arm64/initrd.gz', '-append', 'console=tty0']
GRUB_CD, DEBIAN, I386 = f'{GUESTS}/iso/grub-x86.iso', f'{GUESTS}/disk-pc/disk.img', f'{GUESTS}/linux/i386'
GTK = f'{GUESTS}/di/amd64-gtk'
AMD64 = f'{GUESTS}/linux/amd64'
RETURN = 0xff0d
FIRMWARE = ['-bios', f'{GUESTS}/fw/QEMU_EFI-aarch64.fd']


class Machine:
    def __init__(self, folder, args, vnc=''):
        self.sock, self.ppm = f'{folder}/vnc', f'{folder}/screen.ppm'
        self.p = subprocess.Popen([*args, '-monitor', 'stdio', '-vnc', f'unix:{self.sock}{vnc}'], cwd=folder,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.prompt()

    def prompt(self):
        text = b''
        while b'(qemu) ' not in text:
            if not select.select([self.p.stdout], [], [], LONG)[0]:
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
    for _ in range(100):
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
    for c in text:
        v.tap(*([0xffe1] if c in UPPER else []), ord(c))
        time.sleep(.05)  # nobody types faster, and a keyboard remembers 16 bytes only


class Typist:
    """A PC, and a viewer who reads its text screen and types."""
    def __init__(self, folder, args, glyphs, more=('-S',), vnc=''):
        self.m, self.glyphs = Machine(folder, [*args, *more], vnc), glyphs
        until(lambda: listening(self.m.sock))  # the reference's monitor is there first
        self.v = Viewer(self.m.sock)
        self.bad = False
        self.m.say('cont')  # what comes first is seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.m.p.kill()
        self.m.p.wait()

    def text(self):
        return read_text(self.v, self.glyphs, 9 if self.v.w == 720 else 8)

    def sees(self, what, seconds=LONG):
        """Pressing nothing: the whole screen when something waits for pictures."""
        self.v.whole()
        return self.v.wait(lambda: what in self.text(), seconds)

    def types(self, text, behind):
        """Each key when the last one is seen: keyboards remember few, and a busy guest reads slowly."""
        for i, c in enumerate(text):
            types(self.v, c)
            if not self.v.wait(lambda: (behind + text[:i + 1]).rstrip() in self.text(), 60):
                break

    def rests(self, seconds, limit):
        """Waits until the text has been the same for a while, but for the cursor."""
        last, since, end = '', 0, time.monotonic() + limit
        while time.monotonic() < end:
            self.v.wait(lambda: False, 1)
            text = re.sub('[~_ ]+', ' ', self.text()).strip()
            if text != last:
                last, since = text, time.monotonic()
            elif time.monotonic() - since > seconds:
                break

    def verdict(self, name, good):
        if not good:
            self.bad = True
            print(self.text().strip())
        print('pass' if good else 'fail', f'screen, {name}', flush=True)
        return good


def pc(folder):
    """A boot sector that prints what is typed."""
    open(f'{folder}/disk', 'wb').write(ECHO + bytes(1 << 20))
    with Typist(folder, [*PC, '-drive', f'file={folder}/disk,format=raw'], font()) as t:
        t.verdict('a PC starts from its disk', t.sees('Ready>'))
        t.types('Hello, World! 7*6=42 {"a|b"}', 'Ready>')
        want = 'Ready>Hello, World! 7*6=42 {"a|b"}'
        good = t.sees(want)
        t.m.say('sendkey shift-z')
        t.m.say('sendkey 0x06')
        t.verdict('what a viewer types to a PC appears', good and t.sees(want + 'Z5'))
        t.verdict('a PC: a viewer has seen every change', same(t.m, t.v))


def grub(folder):
    """GRUB's menu from a CD, its command line, and the 64-bit Linux that is started there."""
    with Typist(folder, [*PC, '-m', '512', '-cdrom', GRUB_CD, '-boot', 'd'], font()) as t:
        t.verdict("a viewer sees SeaBIOS's first lines", t.sees('SeaBIOS (version'))
        if not t.verdict("a viewer sees GRUB's menu", t.sees('Linux shell')):
            return
        t.v.tap(ord('c'))
        t.verdict("GRUB's command line", t.sees('grub> '))
        t.types('echo "A+b" $grub_platform {%6}', 'grub> ')
        t.verdict('what is typed to GRUB appears', t.sees('grub> echo "A+b" $grub_platform {%6}'))
        t.v.tap(RETURN)
        t.verdict('and is answered', t.sees('\nA+b pc {%6}'))
        for line in 'linux /boot/vmlinuz console=tty0 guest=sh', 'initrd /boot/initrd.gz', 'boot':
            t.types(line, 'grub> ')
            t.v.tap(RETURN)
            t.v.wait(lambda: t.text().rstrip().endswith('grub>') or line == 'boot', 60)
        shell(t, 'Linux that was started in it')


def shell(t, name):
    if not t.verdict(f'{name}: a shell on the VGA', t.sees('/ # ', 240)):
        return
    t.types('echo $((6*7)) "<Tty:$(tty)>"', '/ # ')
    t.verdict(f'{name}: what is typed appears', t.sees('/ # echo $((6*7)) "<Tty:$(tty)>"'))
    t.v.tap(RETURN)
    t.verdict(f'{name}: and is answered', t.sees('\n42 <Tty:/dev/tty'))
    t.verdict(f'{name}: a viewer has seen every change', same(t.m, t.v))


def linux(folder):
    """A 32-bit kernel's text console."""
    args = [f'{BIN}/qemu-system-i386', '-M', 'pc', '-m', '256', '-net', 'none', '-serial', 'none', '-kernel', f'{I386}/vmlinuz',
            '-initrd', f'{I386}/initrd.gz', '-append', 'console=tty0 guest=sh']
    with Typist(folder, args, font()) as t:
        shell(t, 'i386 Linux')


UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()_+{}|:"<>?~'


def burst(v, text):
    """As fast as the connection takes it."""
    for c in text:
        v.tap(*([0xffe1] if c in UPPER else []), RETURN if c == '\n' else ord(c))


def spinners(n):
    """Processes that do nothing but keep processors busy, for ten minutes each at most."""
    return [subprocess.Popen([sys.executable, '-c', 'while True: pass'],
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (600, 600))) for _ in range(n)]


def keys(folder, lines=1000, at_once=20):
    """Lines come faster than Linux reads them, while others want its processor and the host's.  Without key-delay-ms=0 viewers' keys are held
    back.  Commands to the keyboard between keys are tests/dev/i8042_test.c's: Linux itself drops a key between saying that it waits for an
    answer and sending what is to be answered (ps2_handle_ack)."""
    out = f'{folder}/out'
    args = [f'{BIN}/qemu-system-x86_64', '-M', 'q35', '-m', '512', '-net', 'none', '-serial', f'file:{out}', '-kernel', f'{AMD64}/vmlinuz',
            '-initrd', f'{AMD64}/initrd.gz', '-append', 'console=tty0 guest=sh']
    with Typist(folder, args, font(), vnc=',key-delay-ms=0') as t:
        if not t.verdict('amd64 Linux: a shell on the VGA', t.sees('/ # ', 400)):
            return
        for line in 'yes >/dev/null &', 'cat >/dev/ttyS0':
            types(t.v, line)
            t.v.wait(lambda: False, 1)
            t.v.tap(RETURN)
        busy = spinners(os.cpu_count())
        try:
            sent = got = ''
            for first in range(0, lines, at_once):
                text = ''.join(f'{i} Line "{i * 7919 % 10007:x}" <Of: {i * i}>\n' for i in range(first, first + at_once))
                burst(t.v, text)
                sent += text
                until(lambda: len(open(out).read().replace('\r', '')) >= len(sent), 60)
                got = open(out).read().replace('\r', '')
                if got != sent:
                    break
        finally:
            for p in busy:
                p.kill()
                p.wait()
        if got != sent:
            at = len(os.path.commonprefix([got, sent]))
            t.v.whole()
            print(f'after {at} of {len(sent)} characters {got[at:at + 40]!r} came, want {sent[at:at + 40]!r}')
        t.verdict(f'{lines} lines in bursts: every key arrives, in order', got == sent and bool(sent))


def unfiltered(kind, row, above):
    """One row of a PNG of 3 bytes a pixel (PNG specification, 9.2)."""
    for i in range(len(row)):
        a, b, c = (row[i - 3], above[i], above[i - 3]) if i >= 3 else (0, above[i], 0)
        paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
    return row


def png(path):
    data, at, packed = open(path, 'rb').read(), 8, b''
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        body, at = data[at + 8:at + 8 + size], at + 12 + size
        if kind == b'IHDR':
            w, h, depth, color = struct.unpack('>IIBB', body[:10])
            assert (depth, color) == (8, 2), (depth, color)
        packed += body if kind == b'IDAT' else b''
    raw, row, rows = zlib.decompress(packed), bytearray(3 * w), []
    for y in range(h):
        row = unfiltered(raw[y * (3 * w + 1)], bytearray(raw[y * (3 * w + 1) + 1:(y + 1) * (3 * w + 1)]), row)
        rows.append(row)
    return Picture(w, h, b''.join(rows))


def login(folder, name="Debian's login on the VGA screen", card=()):
    """Debian to its login prompt on the screen, which screendump writes, and a viewer logs in.
    The kernel has a font of its own, with another m, w and x."""
    with Typist(folder, [*PC, '-m', '1024', *card, '-snapshot', '-drive', f'file={DEBIAN},format=raw'], font()) as t:
        if not t.verdict(name, t.sees('guest login:', 500)):
            return
        dumped = Picture(*t.m.screen())
        t.verdict('screendump has it as PPM', 'guest login:' in read_text(dumped, t.glyphs, 9 if dumped.w == 720 else 8))
        t.m.say(f'screendump {folder}/screen.png -f png')
        dumped = png(f'{folder}/screen.png')
        t.verdict('and as PNG', 'guest login:' in read_text(dumped, t.glyphs, 9 if dumped.w == 720 else 8))
        t.rests(10, 200)    # udev's drivers print behind the prompt, and change the console
        t.v.tap(RETURN)     # a prompt with nothing behind
        t.types('root', 'guest login: ')
        t.verdict('the name appears', t.sees('guest login: root'))
        t.v.tap(RETURN)
        t.verdict('and the question for the password', t.sees('Pass'))
        types(t.v, 'root')
        t.v.tap(RETURN)
        t.verdict('and the viewer is in', t.sees('root@guest:', 120))


def gpu(folder):
    """SeaBIOS and GRUB on its VGA, Linux on its virtio-gpu."""
    login(folder, "Debian's login on virtio-vga", ['-vga', 'virtio'])


def gtk(folder):
    """Debian's graphical installer, X on Linux's own driver: its list of languages, the pointer that a mouse moves, the list behind."""
    def chosen(y):
        time.sleep(1)
        w, h, pixels = m.screen()
        line = pixels[3 * (y * w + 30):3 * (y * w + 630)]
        return (w, h) == (1280, 800) and len(set(line[0::3] + line[2::3])) < 9 and line[0] < 60 < 100 < line[1] and line[1] > line[2]

    def verdict(name, good):
        print('pass' if good else 'fail', f'screen, {name}', flush=True)

    m = Machine(folder, [*PC, '-m', '1024', '-kernel', f'{GTK}/linux', '-initrd', f'{GTK}/initrd.gz', '-append', 'vga=788'])
    try:
        v = Viewer(m.sock)
        verdict("Debian's graphical installer", until(lambda: chosen(446), 600))
        before = m.screen()[2]
        m.say('mouse_move 100 -100')
        verdict('the mouse moves its pointer', until(lambda: m.screen()[2] != before, LONG))
        v.tap(RETURN)
        verdict('the viewer goes on to the next list', until(lambda: chosen(564) and not chosen(446), 120))
    finally:
        m.p.kill()
        m.p.wait()


def arm(_):
    watch('a UEFI shell on ramfb', [*FIRMWARE, '-device', 'ramfb'], (800, 600), b'\xff\xff\0', 20)
    for device in 'VGA', 'bochs-display':
        watch(f"Debian's installer on {device}", [*DI, '-device', device], (1280, 800), b'\xaa\0\0', 1000)


# Name, what runs, the files it needs.
LONG_ONES = ('keys', 'gpu', 'gtk')
TESTS = (('pc', pc, [FONT]), ('grub', grub, [FONT, GRUB_CD]), ('linux', linux, [FONT, f'{I386}/vmlinuz', f'{I386}/initrd.gz']),
         ('keys', keys, [FONT, f'{AMD64}/vmlinuz', f'{AMD64}/initrd.gz']), ('login', login, [FONT, DEBIAN]), ('gpu', gpu, [FONT, DEBIAN]),
         ('gtk', gtk, [f'{GTK}/linux', f'{GTK}/initrd.gz']), ('arm', arm, [DI[1], FIRMWARE[1]]))


def main():
    names = [a for a in sys.argv[1:] if a != '--long']
    for name, run, files in TESTS:
        if name not in names if names else (name in LONG_ONES) != ('--long' in sys.argv):
            continue
        gone = [f for f in files if not os.path.exists(f)]
        if gone:
            print(f'{gone[0]} is not there (tools/mk-guests.sh, tools/mk-disk-pc.sh)\nskip screen, {name}', flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            run(folder)


if __name__ == '__main__':
    main()
