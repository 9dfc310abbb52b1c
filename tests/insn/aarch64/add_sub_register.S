# SPDX-License-Identifier: GPL-2.0-or-later
# Add and subtract of registers (DDI 0487, C6.2 ADD, ADDS, SUB, SUBS, shifted and extended register).

# the operand is shifted left before it is added
# in:  x1=1 x2=0x8000000000000001
# out: x0=9
    add     x0, x1, x2, lsl #3

# an arithmetic shift of 32 bits looks at bit 31
# in:  x1=0 x2=0x80000000
# out: x0=0xffffffff
    add     w0, w1, w2, asr #31

# a logical shift of 32 bits ignores the upper half
# in:  x1=0 x2=0xffffffff80000000
# out: x0=1
    add     w0, w1, w2, lsr #31

# subs: equal numbers set zero and carry
# in:  x1=0x123456789 x2=0x123456789
# out: x0=0 nzcv=nZCv
    subs    x0, x1, x2

# subs: the least number less one overflows
# in:  x1=0x8000000000000000 x2=1
# out: x0=0x7fffffffffffffff nzcv=nzCV
    subs    x0, x1, x2

# subs of 32 bits: borrow
# in:  x1=0x100000000 x2=0xffffffff
# out: x0=1 nzcv=nzcv
    subs    w0, w1, w2

# adds of 32 bits: carry and overflow together
# in:  x1=0x80000000 x2=0x80000000
# out: x0=0 nzcv=nZCV
    adds    w0, w1, w2

# cmn with the shifted zero register
# in:  x1=0xffffffffffffffff
# out: nzcv=Nzcv
    cmn     x1, xzr, lsl #63

# negs of zero sets carry
# in:  x1=0
# out: x0=0 nzcv=nZCv
    negs    x0, x1

# neg of the least number is itself and overflows
# in:  x1=0x8000000000000000
# out: x0=0x8000000000000000 nzcv=NzcV
    negs    x0, x1

# uxtb takes a byte and shifts it
# in:  x1=0x100 x2=0xfff
# out: x0=0x10f0
    add     x0, x1, w2, uxtb #4

# sxtb extends to the whole width
# in:  x1=0 x2=0x80
# out: x0=0xfffffffffffffc00
    add     x0, x1, w2, sxtb #3

# sxth of 32 bits clears the upper half
# in:  x1=0 x2=0x8000
# out: x0=0xffff8000
    add     w0, w1, w2, sxth

# sxtw and uxtw differ in the sign
# in:  x1=0 x2=0xffffffff x3=0
# out: x0=0xfffffffffffffffc x4=0x3fffffffc
    add     x0, x1, w2, sxtw #2
    add     x4, x3, w2, uxtw #2

# the extended form has the stack pointer for 31
# in:  x2=16
# out: sp=mem+2112
    add     sp, sp, x2, lsl #2

# subs extended compares the stack pointer
# in:  x2=0
# out: nzcv=nzCv
    cmp     sp, w2, uxtw

# an extended operand shifted by more than 4 is undefined
# out: sigill pc=code
    .inst   0x8b221400

# ror is reserved for add
# out: sigill pc=code
    .inst   0x8bc20020

# a 32-bit shift of 32 is reserved
# out: sigill pc=code
    .inst   0x0b028020

# adds extended sets the flags of the sum
# in:  x1=0xffffffffffffff80 x2=0x180
# out: x0=0 nzcv=nZCv
    adds    x0, x1, w2, uxtb

# sub extended writes the stack pointer and no flags
# in:  x2=0xfffffffffffffff0
# out: sp=mem+2112
    sub     sp, sp, w2, sxtb #2
