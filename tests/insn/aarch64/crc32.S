# SPDX-License-Identifier: GPL-2.0-or-later
# Checksums (DDI 0487, C6.2 CRC32, CRC32C): no inversion; "123456789" gives cbf43926 and e3069283.

# CRC-32 of the check string
# in:  x1=0x3837363534333231 x2=0x39
# out: x0=0xcbf43926
    mov     w0, #-1
    crc32x  w0, w0, x1
    crc32b  w0, w0, w2
    mvn     w0, w0

# CRC-32C of the check string, in other pieces
# in:  x1=0x34333231 x2=0x3635 x3=0x3837 x4=0xffffff39
# out: x0=0xe3069283
    mov     w0, #-1
    crc32cw w0, w0, w1
    crc32ch w0, w0, w2
    crc32ch w0, w0, w3
    crc32cb w0, w0, w4
    mvn     w0, w0

# a doubleword needs the 64-bit form
# out: sigill pc=code
    .inst   0x1ac24c20
