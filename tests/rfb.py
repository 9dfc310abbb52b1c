# SPDX-License-Identifier: GPL-2.0-or-later
"""A VNC viewer for tests (RFC 6143): raw pixels, kept in .pixels; keys, also with codes; inside TLS, too (VeNCrypt)."""
import ctypes
import ctypes.util
import select
import socket
import struct
import time

from wait import LONG


class Refused(Exception):
    pass


class Viewer:
    """A viewer that asks for raw pixels, resizing and QEMU's extended keys.  @tls: an ssl.SSLContext.
    @between runs after it was told the size, before it says what it takes.  Unless @resizes it knows only that size."""
    def __init__(self, path, password=None, shared=True, tls=None, version=b'RFB 003.008\n', between=None, resizes=True):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(LONG)
        self.s.connect(path)
        self.version = self.take(12)
        self.s.sendall(version)
        types = self.take(self.take(1)[0])
        if tls:
            self.vencrypt(types, tls)
        elif password is None:
            assert 1 in types, types
            self.s.sendall(b'\1')
        else:
            assert list(types) == [2], types
            self.s.sendall(b'\2')
        if password is not None:
            challenge = ctypes.create_string_buffer(self.take(16), 16)
            lib = ctypes.CDLL(ctypes.util.find_library('vncserver'))
            lib.rfbEncryptBytes(challenge, ctypes.create_string_buffer(password.encode().ljust(8, b'\0')[:8], 9))
            self.s.sendall(challenge.raw)
        if (version[10:11] == b'8' or password is not None) and struct.unpack('>I', self.take(4))[0]:
            raise Refused
        self.s.sendall(bytes([shared]))
        self.w, self.h = struct.unpack('>HH', self.take(4))
        self.take(16)
        self.name = self.take(struct.unpack('>I', self.take(4))[0]).decode()
        if between:
            between()
        self.s.sendall(struct.pack('>BxxxBBBBHHHBBBxxx', 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        kinds = [0, *([-223] if resizes else []), -258, -257]
        self.s.sendall(struct.pack(f'>BxH{len(kinds)}i', 2, len(kinds), *kinds))
        self.pixels = bytearray(self.w * self.h * 4)
        self.told = set()
        self.frames = 0

    def vencrypt(self, types, tls):
        """Security type 19: version 0.2, one subtype, TLS."""
        assert list(types) == [19], types
        self.s.sendall(b'\x13')
        assert self.take(2) == b'\0\2'
        self.s.sendall(b'\0\2')
        assert self.take(1) == b'\0'
        self.subtype = struct.unpack('>I', self.take(4 * self.take(1)[0]))[0]
        self.s.sendall(struct.pack('>I', self.subtype))
        assert self.take(1) == b'\1'
        self.s = tls.wrap_socket(self.s, server_hostname='localhost')

    def take(self, n):
        data = b''
        while len(data) < n:
            more = self.s.recv(n - len(data))
            if not more:
                raise Refused
            data += more
        return data

    def ask(self, whole=True, size=None):
        self.s.sendall(struct.pack('>BBHHHH', 3, not whole, 0, 0, *(size or (self.w, self.h))))

    def rect(self):
        x, y, w, h, kind = struct.unpack('>HHHHi', self.take(12))
        if kind == -223:
            self.w, self.h, self.pixels = w, h, bytearray(w * h * 4)
        elif kind == 0:
            assert x + w <= self.w and y + h <= self.h, (x, y, w, h)
            self.frames += 1
            for row in range(y, y + h):
                at = (row * self.w + x) * 4
                self.pixels[at:at + 4 * w] = self.take(4 * w)
        else:
            self.told.add((kind, x))

    def update(self):
        """One message of the server's."""
        kind = self.take(1)[0]
        assert kind == 0, kind
        for _ in range(struct.unpack('>xH', self.take(3))[0]):
            self.rect()

    def whole(self, size=None):
        before = self.frames
        self.ask(size=size)
        while self.frames == before:
            self.update()

    def wait(self, good, seconds=LONG):
        end = time.monotonic() + seconds
        while not good():
            if time.monotonic() > end:
                return False
            self.ask(whole=False)
            if select.select([self.s], [], [], 0.5)[0]:
                self.update()
        return True

    def key(self, sym, down, code=None):
        if code is None:
            self.s.sendall(struct.pack('>BBxxI', 4, down, sym))
        else:
            self.s.sendall(struct.pack('>BBHII', 255, 0, down, sym, code))

    def tap(self, *syms):
        for sym in syms:
            self.key(sym, 1)
        for sym in reversed(syms):
            self.key(sym, 0)
        while select.select([self.s], [], [], 0)[0]:  # who does not listen is not listened to
            self.update()

    def close(self):
        self.s.close()


FONT = '/usr/share/seabios/vgabios-stdvga.bin'


def font():
    """Characters by their pictures of 8x16, of the VGA's BIOS; inverse ones, too."""
    rom = open(FONT, 'rb').read()
    at = rom.index(bytes.fromhex('000010386cc6c6fec6c6c6c600000000')) - 65 * 16
    pictures = {chr(c): rom[at + 16 * c:at + 16 * c + 16] for c in range(32, 127)}
    return {p: c for c, p in pictures.items()} | {bytes(255 - b for b in p): c for c, p in pictures.items()}


class Picture:
    """What screendump wrote: size, and pixels as red, green, blue; for read_text as a viewer has them."""
    def __init__(self, w, h, rgb):
        self.w, self.h, self.pixels = w, h, bytearray(w * h * 4)
        self.pixels[0::4], self.pixels[1::4], self.pixels[2::4] = rgb[2::3], rgb[1::3], rgb[0::3]


def bits(row, x):
    return int(row[x:x + 8], 2)


def read_text(v, glyphs, width=8):
    """What is written on a screen of text, cells @width wide, whatever has blue in it being ink."""
    ink = bytes([48] + [49] * 255)
    dots = v.pixels[0::4].translate(ink)
    lines = []
    for y in range(0, v.h - 15, 16):
        rows = [dots[(y + r) * v.w:(y + r + 1) * v.w] for r in range(16)]
        line = ''.join(glyphs.get(bytes(bits(row, x) for row in rows), '~') for x in range(0, v.w - width + 1, width))
        lines.append(line.rstrip())
    return '\n'.join(lines)
