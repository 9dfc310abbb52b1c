# SPDX-License-Identifier: GPL-2.0-or-later
# Conditions (DDI 0487, C6.2 CSEL, CSINC, CSINV, CSNEG, CCMP, CCMN; C1.2.4).

# signed conditions after 1 - 2
# in:  x1=1 x2=2
# out: nzcv=Nzcv x10=1 x11=0 x12=1 x13=0
    cmp     x1, x2
    cset    x10, lt
    cset    x11, ge
    cset    x12, le
    cset    x13, gt

# signed conditions see the overflow
# in:  x1=0x7fffffffffffffff x2=0xffffffffffffffff
# out: nzcv=NzcV x10=0 x11=1 x12=0 x13=1
    cmp     x1, x2
    cset    x10, lt
    cset    x11, ge
    cset    x12, le
    cset    x13, gt

# unsigned conditions after 1 - 2
# in:  x1=1 x2=2
# out: nzcv=Nzcv x10=1 x11=0 x12=0 x13=1
    cmp     x1, x2
    cset    x10, lo
    cset    x11, hs
    cset    x12, hi
    cset    x13, ls

# equal: ls and hs hold, hi and lo do not
# in:  w1=7 x2=7
# out: nzcv=nZCv x10=0 x11=1 x12=0 x13=1
    cmp     w1, w2
    cset    w10, lo
    cset    w11, hs
    cset    w12, hi
    cset    w13, ls

# mi, pl, vs, vc
# in:  nzcv=NzcV
# out: nzcv=NzcV x10=1 x11=0 x12=1 x13=0
    cset    x10, mi
    cset    x11, pl
    cset    x12, vs
    cset    x13, vc

# flags loaded from nowhere: gt needs Z clear
# in:  nzcv=nZcv
# out: nzcv=nZcv x10=0 x11=1 x12=1
    cset    x10, gt
    cset    x11, le
    cset    x12, ge

# al and nv both hold
# in:  x1=1 x2=2
# out: x10=1 x11=1
    csel    x10, x1, x2, al
    csel    x11, x1, x2, nv

# csinc, csinv, csneg take the second operand when the condition fails
# in:  x1=1 x2=0xffffffff nzcv=nzcv
# out: x10=0x100000000 x11=0xffffffff00000000 x12=0xffffffff00000001 x13=0 x14=1
    csinc   x10, x1, x2, eq
    csinv   x11, x1, x2, eq
    csneg   x12, x1, x2, eq
    csinc   w13, w1, w2, eq
    csinc   w14, w1, w2, ne

# csetm of 32 bits clears the upper half
# in:  nzcv=nZcv
# out: x10=0xffffffff x11=0xffffffffffffffff
    csetm   w10, eq
    csetm   x11, eq

# cinc with the same register twice
# in:  x1=0xffffffffffffffff nzcv=nZcv
# out: x10=0 x11=0xffffffffffffffff
    cinc    x10, x1, eq
    cinc    x11, x1, ne

# ccmp compares when the condition holds
# in:  x1=5 x2=5 nzcv=nZcv
# out: nzcv=nZCv
    ccmp    x1, x2, #15, eq

# ccmp loads its constant when it does not
# in:  x1=5 x2=5 nzcv=nzcv
# out: nzcv=NzcV
    ccmp    x1, x2, #9, eq

# ccmp immediate is unsigned
# in:  x1=31 nzcv=nzcv
# out: nzcv=nZCv
    ccmp    w1, #31, #0, al

# ccmn adds
# in:  x1=0xffffffffffffffff nzcv=nzCv
# out: nzcv=nZCv
    ccmn    x1, #1, #0, hs

# a chain as compilers write it
# in:  x1=3 x2=4 x3=9
# out: x10=1 nzcv=nzCv
    cmp     x1, #3
    ccmp    x2, #4, #0, eq
    ccmp    x3, #8, #2, eq
    cset    x10, hi

# ccmn of registers adds when the condition holds
# in:  x1=0x8000000000000000 x2=0x8000000000000000 nzcv=nZcv
# out: nzcv=nZCV
    ccmn    x1, x2, #0, eq

# and takes the given flags when it does not
# in:  x1=1 x2=2 nzcv=nzcv
# out: nzcv=NzcV
    ccmn    w1, w2, #9, eq
