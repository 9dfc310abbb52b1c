# SPDX-License-Identifier: GPL-2.0-or-later
# Bit fields and extraction (DDI 0487, C6.2 SBFM, BFM, UBFM, EXTR and their aliases).

# ubfx, sbfx
# in:  x1=0x123456789abcdef0
# out: x0=0xbcd x2=0xfffffffffffffbcd
    ubfx    x0, x1, #12, #12
    sbfx    x2, x1, #12, #12

# ubfiz, sbfiz
# in:  x1=0x8f
# out: x0=0xf00 x2=0xffffffffffffff00
    ubfiz   x0, x1, #8, #4
    sbfiz   x2, x1, #8, #4

# lsl, lsr, asr by constants
# in:  x1=0x8000000000000001
# out: x0=0x8000000000000000 x2=1 x3=0xffffffffffffffff
    lsl     x0, x1, #63
    lsr     x2, x1, #63
    asr     x3, x1, #63

# the same of 32 bits
# in:  x1=0xffffffff80000001
# out: x0=0x80000000 x2=1 x3=0xffffffff
    lsl     w0, w1, #31
    lsr     w2, w1, #31
    asr     w3, w1, #31

# extensions
# in:  x1=0xfedcba9876543f80
# out: x0=0xffffffffffffff80 x2=0x3f80 x3=0x76543f80 x4=0x80 x5=0xffffff80
    sxtb    x0, w1
    sxth    x2, w1
    sxtw    x3, w1
    uxtb    w4, w1
    sxtb    w5, w1

# bfi puts a field in, bfxil takes one to the bottom
# in:  x0=0xffffffffffffffff x1=0 x2=0xffffffffffffffff x3=0xab00
# out: x0=0xffffffffff00ffff x2=0xffffffffffffffab
    bfi     x0, x1, #16, #8
    bfxil   x2, x3, #8, #8

# bfi over the whole register
# in:  x0=1 x1=0x1234567890abcdef
# out: x0=0x1234567890abcdef
    bfxil   x0, x1, #0, #64

# bfi of 32 bits clears the upper half
# in:  x0=0xffffffffffffffff x1=0
# out: x0=0x0fffffff
    bfi     w0, w1, #28, #4

# bfc
# in:  x0=0xffffffffffffffff
# out: x0=0xff0
    bfc     x0, #12, #52
    bfc     x0, #0, #4

# extr takes the low bits from the second register
# in:  x1=0x1122334455667788 x2=0x99aabbccddeeff00
# out: x0=0x778899aabbccddee x3=0x88000000 x4=0x99aabbccddeeff00
    extr    x0, x1, x2, #16
    extr    w3, w1, wzr, #8
    extr    x4, x1, x2, #0

# ror by a constant
# in:  x1=0x123456789abcdef1
# out: x0=0x1123456789abcdef x2=0x19abcdef
    ror     x0, x1, #4
    ror     w2, w1, #4

# N must be sf
# out: sigill pc=code
    .inst   0x53400020

# positions of 32-bit forms have five bits
# out: sigill pc=code
    .inst   0x13807c20 + (32 << 10)
