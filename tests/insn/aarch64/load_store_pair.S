# SPDX-License-Identifier: GPL-2.0-or-later
# Pairs of registers (DDI 0487, C6.2 LDP, STP, LDPSW, LDNP, STNP; C7.2 for the vector registers).

# 64-bit pairs, signed scaled offset
# in:  x9=mem+16 x2=0x1122334455667788 x3=2 mem=0011223344556677
# out: x0=0x7766554433221100 x1=0x1122334455667788 mem+8=88776655443322110200000000000000
    stp     x2, x3, [x9, #-8]
    ldp     x0, x1, [x9, #-16]

# 32-bit pairs clear the upper halves
# in:  x9=mem x2=0xffffffff11223344 x3=0xffffffff80000000
# out: x0=0x11223344 x1=0x80000000 mem=4433221100000080
    stp     w2, w3, [x9]
    ldp     w0, w1, [x9]

# ldp with pre-index and post-index
# in:  x9=mem x8=mem+48 mem+16=01000000000000000200000000000000 mem+48=0300000004000000
# out: x0=1 x1=2 x9=mem+16 x2=3 x3=4 x8=mem+40
    ldp     x0, x1, [x9, #16]!
    ldp     w2, w3, [x8], #-8

# stp with post-index
# in:  x9=mem+8 x2=1 x3=2
# out: x9=mem+24 mem+8=01000000000000000200000000000000
    stp     x2, x3, [x9], #16

# ldpsw extends both signs, in all modes
# in:  x9=mem mem=ffffffff00000080010000000200000003000000feffffff
# out: x0=0xffffffffffffffff x1=0xffffffff80000000 x2=1 x3=2 x4=3 x5=0xfffffffffffffffe x9=mem+24
    ldpsw   x0, x1, [x9]
    ldpsw   x2, x3, [x9, #8]!
    add     x9, x9, #8
    ldpsw   x4, x5, [x9], #8

# non-temporal pairs
# in:  x9=mem+32 x2=5 x3=6 mem=01000000000000000200000000000000
# out: x0=1 x1=2 x4=5 x5=6 mem+32=0500000006000000
    ldnp    x0, x1, [x9, #-32]
    stnp    w2, w3, [x9]
    ldnp    w4, w5, [x9]

# vector pairs of all sizes
# in:  x9=mem mem=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
# out: v0=0x03020100 v1=0x07060504 v2=0x0706050403020100 v3=0x0f0e0d0c0b0a0908
# out: v4=0x0f0e0d0c0b0a09080706050403020100 v5=0x1f1e1d1c1b1a19181716151413121110
    ldp     s0, s1, [x9]
    ldp     d2, d3, [x9]
    ldp     q4, q5, [x9]

# vector pairs are stored
# in:  x9=mem+64 v0=0x000102030405060708090a0b0c0d0e0f v1=0x101112131415161718191a1b1c1d1e1f
# out: mem+32=0f0e0d0c0b0a090807060504030201001f1e1d1c1b1a19181716151413121110
# out: mem+64=0f0e0d0c1f1e1d1c mem+80=0f0e0d0c0b0a09081f1e1d1c1b1a1918
    stp     q0, q1, [x9, #-32]
    stp     s0, s1, [x9]
    stp     d0, d1, [x9, #16]

# vector pairs with write-back
# in:  x9=mem x8=mem+64 v2=0x11223344 v3=0x55667788 mem+16=01000000000000000200000000000000
# out: d0=1 d1=2 x9=mem+16 x8=mem+72 mem+64=4433221188776655
    ldp     d0, d1, [x9, #16]!
    stp     s2, s3, [x8], #8

# non-temporal vector pairs
# in:  x9=mem v2=0x11223344 v3=0x55667788 mem=0100000000000000020000000000000003
# out: d0=1 d1=2 mem+16=44332211000000008877665500000000
    ldnp    d0, d1, [x9]
    stnp    d2, d3, [x9, #16]

# a pair that faults in its second half leaves both registers and the base
# in:  x9=mem+4088
# out: sigsegv pc=code fault=mem+4096
    ldp     x0, x1, [x9], #16
