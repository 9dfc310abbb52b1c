# SPDX-License-Identifier: GPL-2.0-or-later
# Counting and reversing (DDI 0487, C6.2 CLZ, CLS, RBIT, REV, REV16, REV32).

# clz of zero is the width
# in:  x1=0 x2=1 x3=0xffffffff00000000
# out: x10=64 x11=32 x12=63 x13=31 x14=32
    clz     x10, x1
    clz     w11, w1
    clz     x12, x2
    clz     w13, w2
    clz     w14, w3

# cls does not count the sign
# in:  x1=0 x2=0xffffffffffffffff x3=0xc000000000000000 x4=0x40000000
# out: x10=63 x11=63 x12=1 x13=0 x14=31 x15=32
    cls     x10, x1
    cls     x11, x2
    cls     x12, x3
    cls     w13, w4
    cls     w14, w2
    cls     x15, x4

# rbit
# in:  x1=0x8000000000000002
# out: x10=0x4000000000000001 x11=0x40000000
    rbit    x10, x1
    rbit    w11, w1

# rev in all widths
# in:  x1=0x0123456789abcdef
# out: x10=0xefcdab8967452301 x11=0xefcdab89 x12=0x67452301efcdab89 x13=0x23016745ab89efcd x14=0xab89efcd
    rev     x10, x1
    rev     w11, w1
    rev32   x12, x1
    rev16   x13, x1
    rev16   w14, w1
