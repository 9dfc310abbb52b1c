# SPDX-License-Identifier: GPL-2.0-or-later
# Arithmetic with carry (DDI 0487, C6.2 ADC, ADCS, SBC, SBCS).

# adcs carries out even when the operand plus carry wraps to zero
# in:  x1=5 x2=0xffffffffffffffff nzcv=nzCv
# out: x0=5 nzcv=nzCv
    adcs    x0, x1, x2

# adcs of all ones and one
# in:  x1=0xffffffffffffffff x2=0 nzcv=nzCv
# out: x0=0 nzcv=nZCv
    adcs    x0, x1, x2

# adcs overflows by its carry alone
# in:  x1=0x7fffffff x2=0 nzcv=nzCv
# out: x0=0x80000000 nzcv=NzcV
    adcs    w0, w1, w2

# sbcs without carry subtracts one more
# in:  x1=5 x2=4 nzcv=nzcv
# out: x0=0 nzcv=nZCv
    sbcs    x0, x1, x2

# sbcs of equal numbers with borrow
# in:  x1=4 x2=4 nzcv=nzcv
# out: x0=0xffffffffffffffff nzcv=Nzcv
    sbcs    x0, x1, x2

# ngc of zero with carry is zero, flags stay
# in:  x1=0 nzcv=NzCV
# out: x0=0 nzcv=NzCV
    ngc     x0, x1

# a 128-bit sum
# in:  x1=0xffffffffffffffff x2=1 x3=1 x4=2
# out: x0=0 x5=4 nzcv=nZCv
    adds    x0, x1, x3
    adc     x5, x2, x4
