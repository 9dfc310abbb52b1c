# SPDX-License-Identifier: GPL-2.0-or-later
# Move wide and addresses (DDI 0487, C6.2 MOVZ, MOVN, MOVK, ADR, ADRP).

# movz, movk: four parts
# out: x0=0x123456789abcdef0
    movz    x0, #0xdef0
    movk    x0, #0x9abc, lsl #16
    movk    x0, #0x5678, lsl #32
    movk    x0, #0x1234, lsl #48

# movk of 32 bits clears the upper half
# in:  x0=0xffffffffffffffff
# out: x0=0x1234ffff
    movk    w0, #0x1234, lsl #16

# movn
# out: x0=0xffffffff0000ffff x1=0xffff
    movn    x0, #0xffff, lsl #16
    movn    w1, #0xffff, lsl #16

# a 32-bit move has no third part
# out: sigill pc=code
    .inst   0x52c00020

# adr is relative to itself
# out: x0=code+4 x1=code+4
    adr     x0, . + 4
    adr     x1, .

# adrp clears the low bits and goes back
# out: x0=0x1000 x1=0x2000 x2=0
    .inst   0xf0ffffe0              // adrp x0, one page back
    .inst   0xb0000001              // adrp x1, one page ahead
    adr     x2, . - 8
    and     x2, x2, #0xfffffffffffff000
    sub     x1, x1, x0
    sub     x0, x2, x0
    mov     x2, #0
