# SPDX-License-Identifier: GPL-2.0-or-later
# Shifts by registers (DDI 0487, C6.2 LSLV, LSRV, ASRV, RORV): the count is taken modulo the width.

# a count of 64 is 0
# in:  x1=0x8000000000000001 x2=64
# out: x10=0x8000000000000001 x11=0x8000000000000001 x12=0x8000000000000001 x13=0x8000000000000001
    lsl     x10, x1, x2
    lsr     x11, x1, x2
    asr     x12, x1, x2
    ror     x13, x1, x2

# a count of 33 is 1 for 32 bits
# in:  x1=0xffffffff80000001 x2=33
# out: x10=2 x11=0x40000000 x12=0xc0000000 x13=0xc0000000
    lsl     w10, w1, w2
    lsr     w11, w1, w2
    asr     w12, w1, w2
    ror     w13, w1, w2

# the rest of the count register does not matter
# in:  x1=0x8000000000000001 x2=0xffffffffffffff04
# out: x10=0x10 x11=0x0800000000000000 x12=0xf800000000000000 x13=0x1800000000000000
    lsl     x10, x1, x2
    lsr     x11, x1, x2
    asr     x12, x1, x2
    ror     x13, x1, x2
