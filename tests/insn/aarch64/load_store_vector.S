# SPDX-License-Identifier: GPL-2.0-or-later
# Loads and stores of one vector register (DDI 0487, C7.2 LDR, LDUR, STR, STUR, SIMD&FP).

# loads of all sizes clear what is above; scaled immediate
# in:  x9=mem mem+16=000102030405060708090a0b0c0d0e0f
# out: v0=0x01 v1=0x0302 v2=0x07060504 v3=0x0f0e0d0c0b0a0908 v4=0x0f0e0d0c0b0a09080706050403020100
    ldr     b0, [x9, #17]
    ldr     h1, [x9, #18]
    ldr     s2, [x9, #20]
    ldr     d3, [x9, #24]
    ldr     q4, [x9, #16]

# stores of all sizes write as much and no more
# in:  x9=mem v0=0x000102030405060708090a0b0c0d0e0f
# in:  mem=00000000000000000000000000000000000000000000000000000000000000000000000000000000
# out: mem=0f000f0e0f0e0d0c0f0e0d0c0b0a09080f0e0d0c0b0a09080706050403020100
    str     b0, [x9]
    str     h0, [x9, #2]
    str     s0, [x9, #4]
    str     d0, [x9, #8]
    str     q0, [x9, #16]

# unscaled offsets
# in:  x9=mem+16 v1=0x1122 mem=000102030405060708090a0b0c0d0e0f10
# out: v0=0x100f0e0d0c0b0a090807060504030201 mem+15=2211
    ldur    q0, [x9, #-15]
    stur    h1, [x9, #-1]

# pre-index and post-index
# in:  x9=mem x8=mem+64 v1=0x55667788 mem+16=1122334455667788
# out: d0=0x8877665544332211 x9=mem+16 x8=mem+60 mem+64=88776655
    ldr     d0, [x9, #16]!
    str     s1, [x8], #-4

# offset registers
# in:  x9=mem x1=1 x2=0x3fffffff0 mem+16=000102030405060708090a0b0c0d0e0f
# out: v0=0x0f0e0d0c0b0a09080706050403020100 v1=0x0100 x9=mem+32
    ldr     q0, [x9, x1, lsl #4]
    add     x9, x9, #32
    ldr     h1, [x9, w2, sxtw]

# stores with an offset register
# in:  x9=mem x1=2 v0=0x11223344
# out: mem+8=44332211 mem+2=44
    str     s0, [x9, x1, lsl #2]
    str     b0, [x9, x1]

# literals
# out: v0=0x11223344 v1=0x5566778811223344 v2=0x00000002000000015566778811223344
    ldr     s0, 1f
    ldr     d1, 1f
    ldr     q2, 1f
    b       2f
1:  .word   0x11223344, 0x55667788, 1, 2
2:

# a store that faults changes nothing
# in:  x9=mem-32
# out: sigsegv pc=code fault=mem-16
    str     q0, [x9, #16]!
