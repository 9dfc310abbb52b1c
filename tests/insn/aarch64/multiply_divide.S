# SPDX-License-Identifier: GPL-2.0-or-later
# Multiplication and division (DDI 0487, C6.2 MADD, MSUB, SMADDL, UMADDL, SMULH, UMULH, SDIV, UDIV).

# madd and msub wrap
# in:  x1=0x8000000000000001 x2=2 x3=1
# out: x0=3 x4=0xffffffffffffffff
    madd    x0, x1, x2, x3
    msub    x4, x1, x2, x3

# 32-bit product
# in:  x1=0xffffffff00010000 x2=0x10000 x3=0x1ffffffff
# out: x0=0xffffffff
    madd    w0, w1, w2, w3

# long products take the low halves
# in:  x1=0x5ffffffff x2=0x6ffffffff x3=1
# out: x0=2 x4=0xfffffffe00000002 x5=0 x6=0x200000000
    smaddl  x0, w1, w2, x3
    umaddl  x4, w1, w2, x3
    smsubl  x5, w1, w2, x3
    umsubl  x6, w1, w2, x3

# high halves
# in:  x1=0xffffffffffffffff x2=0xffffffffffffffff
# out: x0=0 x3=0xfffffffffffffffe
    smulh   x0, x1, x2
    umulh   x3, x1, x2

# high half of the two least numbers
# in:  x1=0x8000000000000000 x2=0x8000000000000000
# out: x0=0x4000000000000000
    smulh   x0, x1, x2

# division by zero is zero
# in:  x1=5 x2=0
# out: x0=0 x3=0 x4=0 x5=0
    udiv    x0, x1, x2
    sdiv    x3, x1, x2
    udiv    w4, w1, w2
    sdiv    w5, w1, w2

# the least number by minus one is itself
# in:  x1=0x8000000000000000 x2=0xffffffffffffffff x3=0x80000000
# out: x0=0x8000000000000000 x4=0x80000000
    sdiv    x0, x1, x2
    sdiv    w4, w3, w2

# division goes towards zero
# in:  x1=-7 x2=2
# out: x0=0xfffffffffffffffd x3=0x7ffffffffffffffc x4=0xfffffffd
    sdiv    x0, x1, x2
    udiv    x3, x1, x2
    sdiv    w4, w1, w2
