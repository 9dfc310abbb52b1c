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

# loads of all sizes, zeros above; scaled immediate
# in:  x9=mem mem=8182838485868788
# out: x0=0x82 x1=0x8483 x2=0x88878685 x3=0x8887868584838281
    ldrb    w0, [x9, #1]
    ldrh    w1, [x9, #2]
    ldr     w2, [x9, #4]
    ldr     x3, [x9]

# loads that extend the sign, to 32 and to 64 bits
# in:  x9=mem+32 mem+32=8182838485868788
# out: x0=0xffffff82 x1=0xffffffffffffff82 x2=0xffff8483 x3=0xffffffffffff8483 x4=0xffffffff88878685
    ldrsb   w0, [x9, #1]
    ldrsb   x1, [x9, #1]
    ldrsh   w2, [x9, #2]
    ldrsh   x3, [x9, #2]
    ldrsw   x4, [x9, #4]

# stores of all sizes write as much and no more
# in:  x9=mem x0=0x1122334455667788 mem=0000000000000000000000000000000000000000000000000000000000000000
# out: mem=880088770088776655000000000000008877665544332211
    strb    w0, [x9]
    strh    w0, [x9, #2]
    stur    w0, [x9, #5]
    str     x0, [x9, #16]

# unscaled offsets reach to both sides
# in:  x9=mem+8 x3=0x8081 mem=01020304050607080910
# out: x0=0x08 x1=0x0403 x2=0xffffffffffffff80 mem+9=8180
    sturh   w3, [x9, #1]
    ldurb   w0, [x9, #-1]
    ldurh   w1, [x9, #-6]
    ldursb  x2, [x9, #2]

# the unprivileged forms are the plain ones here
# in:  x9=mem+8 x3=0x8001 mem+8=0000000000000000
# out: x0=0x8001 x1=0xffffffffffff8001 mem+8=0180
    sttrh   w3, [x9]
    ldtrh   w0, [x9]
    ldtrsh  x1, [x9]

# the base is written back before the access with pre-index, after it with post-index
# in:  x9=mem x8=mem+32 mem+16=1122334455667788 mem+32=8899aabbccddeeff
# out: x0=0x8877665544332211 x9=mem+16 x1=0xffeeddccbbaa9988 x8=mem+48
    ldr     x0, [x9, #16]!
    ldr     x1, [x8], #16

# a store with pre-index
# in:  x9=mem+32 x0=0x1122334455667788
# out: x9=mem+16 mem+16=88776655
    str     w0, [x9, #-16]!

# the offset register, scaled or not, extended or not
# in:  x9=mem x1=2 x2=0xfffffffffffffffe x3=0xffffffff00000003 x4=0x1fffffffe
# in:  mem=00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef
# out: x10=0xbbaa9988 x11=0x5544 x12=0x33 x13=0xbbaa x14=0xddcc x15=0x66 x9=mem+8 x16=0x7766
    ldr     w10, [x9, x1, lsl #2]
    ldrh    w11, [x9, x1, lsl #1]
    ldrb    w12, [x9, w3, uxtw]
    add     x9, x9, #8
    ldrh    w13, [x9, x1, sxtx]
    ldrh    w14, [x9, x1, lsl #1]
    ldrb    w15, [x9, w4, sxtw]
    ldrh    w16, [x9, x2]

# literals
# out: x0=0x8877665580000001 x1=0x80000001 x2=0xffffffff80000001
    ldr     x0, 1f
    ldr     w1, 1f
    ldrsw   x2, 1f
    b       2f
1:  .word   0x80000001, 0x88776655
2:

# prefetches do nothing, wherever they point
# in:  x9=0x10
# out: x0=1
    prfm    pldl1keep, [x9]
    prfm    pldl2strm, [x9, #8]
    prfm    pstl1keep, [x9, x9]
    prfum   pldl1keep, [x9, #-1]
    prfm    plil1keep, 1f
    prfm    #31, [x9, w9, uxtw #3]
1:  mov     x0, #1

# a load into the zero register still faults
# in:  x9=mem-16
# out: sigsegv pc=code fault=mem-16
    ldr     xzr, [x9]

# loads across the end of the page fault
# in:  x9=mem+4092
# out: sigsegv pc=code fault=mem+4096
    ldr     x0, [x9]

# the stack pointer is a base like others
# in:  sp=mem+64 mem+64=1122334455667788
# out: x0=0x44332211 sp=mem+80
    ldr     w0, [sp], #16
