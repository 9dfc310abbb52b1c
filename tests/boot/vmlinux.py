#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The ELF kernel inside a bzImage packed with xz (Linux, Documentation/x86/boot.rst: payload_offset, payload_length).
usage: vmlinux.py VMLINUZ VMLINUX"""
import lzma
import struct
import sys

data = open(sys.argv[1], 'rb').read()
setup = ((data[0x1f1] or 4) + 1) * 512
at, length = struct.unpack_from('<II', data, 0x248)
packed = data[setup + at:setup + at + length]
open(sys.argv[2], 'wb').write(lzma.LZMADecompressor().decompress(packed))
