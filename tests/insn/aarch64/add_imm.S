# SPDX-License-Identifier: GPL-2.0-or-later
# Add and subtract with a 12-bit immediate (DDI 0487, C6.2 ADD, ADDS, SUB, SUBS (immediate)).

# add wraps at 2^64 and leaves the flags alone
# in:  x1=0xffffffffffffffff nzcv=NzCv
# out: x0=0xfff nzcv=NzCv
    add     x0, x1, #0x1000

# add of 32 bits clears the upper half
# in:  x1=0x1ffffffff
# out: x0=0
    add     w0, w1, #1

# adds sets carry and zero
# in:  x1=0xffffffffffffffff
# out: x0=0 nzcv=nZCv
    adds    x0, x1, #1

# adds sets overflow and negative
# in:  x1=0x7fffffffffffffff
# out: x0=0x8000000000000000 nzcv=NzcV
    adds    x0, x1, #1

# subs sets carry when there is no borrow
# in:  x1=5
# out: x0=0 nzcv=nZCv
    subs    x0, x1, #5

# cmp of 32 bits with borrow
# in:  x1=0xffffffff00000000
# out: nzcv=Nzcv
    cmp     w1, #1

# register 31 is the stack pointer
# in:  sp=mem+2048
# out: sp=mem+2032 x0=mem+2036
    sub     sp, sp, #16
    add     x0, sp, #4
