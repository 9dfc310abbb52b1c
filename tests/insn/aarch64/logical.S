# SPDX-License-Identifier: GPL-2.0-or-later
# Logical instructions (DDI 0487, C6.2 AND, ANDS, BIC, EON, EOR, ORN, ORR; J1 DecodeBitMasks).

# a repeated pattern as immediate
# in:  x1=0xffffffffffffffff
# out: x0=0xaaaaaaaaaaaaaaaa
    and     x0, x1, #0xaaaaaaaaaaaaaaaa

# a run of ones that wraps round
# out: x0=0xfffffffffffffffe
    orr     x0, xzr, #0xfffffffffffffffe

# 32 bits
# in:  x1=0xffffffffffffffff
# out: x0=0x0f0f0f0f
    eor     w0, w1, #0xf0f0f0f0

# ands clears carry and overflow
# in:  x1=0x8000000000000000 nzcv=nZCV
# out: x0=0x8000000000000000 nzcv=Nzcv
    ands    x0, x1, #0xff00000000000000

# tst of 32 bits looks at bit 31
# in:  x1=0x80000000
# out: nzcv=Nzcv
    tst     w1, w1

# orr immediate writes the stack pointer, ands does not
# in:  x1=mem nzcv=NzCV
# out: sp=mem+16 nzcv=nzcv
    orr     sp, x1, #16
    ands    xzr, x1, #0x10000

# rotated register
# in:  x1=0 x2=0xf
# out: x0=0xf000000000000000
    orr     x0, x1, x2, ror #4

# rotated 32-bit register
# in:  x1=0 x2=0xfffffffff0000001
# out: x0=0x1f000000
    orr     w0, w1, w2, ror #4

# bics with itself is zero
# in:  x1=0x1234 nzcv=NzCV
# out: x0=0 nzcv=nZcv
    bics    x0, x1, x1

# mvn of 32 bits clears the upper half
# in:  x1=0
# out: x0=0xffffffff
    mvn     w0, w1

# eon and bic
# in:  x1=0xff00 x2=0x0ff0
# out: x0=0xffffffffffff0f0f x3=0xf000
    eon     x0, x1, x2
    bic     x3, x1, x2

# 64-bit elements are undefined in the 32-bit form
# out: sigill pc=code
    .inst   0x12400020

# an element of all ones is undefined
# out: sigill pc=code
    .inst   0x9240fc20
