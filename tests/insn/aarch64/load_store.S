# SPDX-License-Identifier: GPL-2.0-or-later
# Loads and stores, and the state they leave when they fault (DDI 0487, C6.2 and D1.4).

# ldrsw extends the sign, post-index writes the base back
# in:  x1=mem+8 mem+8=00000080
# out: x0=0xffffffff80000000 x1=mem+12
    ldrsw   x0, [x1], #4

# stp of 64 bits, pre-index
# in:  x1=mem x2=0x1122334455667788 x3=1
# out: x1=mem+16 mem+16=8877665544332211 mem+24=0100000000000000
    stp     x2, x3, [x1, #16]!

# a load that faults changes nothing and says where
# in:  x1=mem-8
# out: sigsegv pc=code fault=mem-8
    ldr     x0, [x1], #4

# what came before the fault is seen, what comes after is not
# in:  x0=1 x1=mem-8 x2=5 x3=5
# out: sigsegv pc=code+8 fault=mem-8 x0=6 nzcv=nZCv
    add     x0, x0, x2
    cmp     x2, x3
    str     x0, [x1]
    add     x0, x0, x2
