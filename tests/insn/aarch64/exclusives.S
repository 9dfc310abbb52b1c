# SPDX-License-Identifier: GPL-2.0-or-later
# Exclusives and acquire/release (DDI 0487, C6.2 LDXR, STXR, LDXP, STXP, CLREX, LDAR, STLR, LDAPR).

# a pair of exclusives stores
# in:  x0=mem x2=0x77 mem=1100000000000000
# out: x1=0x11 x3=0 mem=7700000000000000
    ldxr    x1, [x0]
    stxr    w3, x2, [x0]

# a store-exclusive alone fails
# in:  x0=mem x2=0x77
# out: x3=1
    clrex
    stxr    w3, x2, [x0]

# a second store-exclusive fails
# in:  x0=mem x2=0x77 mem=11
# out: x1=0x11 x3=0 x4=1 mem=77
    ldaxrb  w1, [x0]
    stlxrb  w3, w2, [x0]
    stlxrb  w4, w1, [x0]

# another address fails
# in:  x0=mem x2=0x77 x5=mem+16 mem=1100000000000000
# out: x1=0x11 x3=1
    ldxr    x1, [x0]
    stxr    w3, x2, [x5]

# a change of the value in between fails
# in:  x0=mem x2=0x77 mem=11000000
# out: x1=0x11 x3=1 mem=77000000
    ldxr    w1, [x0]
    str     w2, [x0]
    stxr    w3, w1, [x0]

# halfwords
# in:  x0=mem x2=0xffff1234 mem=feff0000
# out: x1=0xfffe x3=0 mem=34120000
    ldxrh   w1, [x0]
    stxrh   w3, w2, [x0]

# pairs of doublewords
# in:  x0=mem x4=5 x5=6 mem=01000000000000000200000000000000
# out: x1=1 x2=2 x3=0 mem=05000000000000000600000000000000
    ldaxp   x1, x2, [x0]
    stlxp   w3, x4, x5, [x0]

# pairs of words
# in:  x0=mem x4=0xff00000005 x5=6 mem=01000000020000ff
# out: x1=1 x2=0xff000002 x3=0 mem=0500000006000000
    ldxp    w1, w2, [x0]
    stxp    w3, w4, w5, [x0]

# a compare-and-swap loop
# in:  x0=mem x9=0 mem=0000000000000000
# out: x9=100 x1=99 x2=100 x3=0 nzcv=nZCv mem=6400000000000000
1:  ldaxr   x1, [x0]
    add     x2, x1, #1
    stlxr   w3, x2, [x0]
    cbnz    w3, 1b
    add     x9, x9, #1
    cmp     x9, #100
    b.ne    1b

# acquire and release in all sizes
# in:  x0=mem x5=0x1122334455667788 x6=mem+8 mem=8899aabbccddeeff
# out: x1=0x88 x2=0x9988 x3=0xbbaa9988 x4=0xffeeddccbbaa9988 mem+8=8877665544332211
    ldarb   w1, [x0]
    ldarh   w2, [x0]
    ldapr   w3, [x0]
    ldar    x4, [x0]
    stlr    x5, [x6]
    strb    w1, [x6]

# unscaled acquire and release
# in:  x0=mem+16 x5=0x55 mem=000000000000008000000000000000
# out: x1=0x8000000000000000 x2=0xffffffff80000000 mem+8=55
    ldapur  x1, [x0, #-16]
    ldapursw x2, [x0, #-12]
    stlurb  w5, [x0, #-8]

# unscaled acquire of bytes and halfwords: the sign goes up to bit 31
# in:  x0=mem+16 mem+8=8081
# out: x1=0xffffff80 x2=0xffff8180
    ldapursb w1, [x0, #-8]
    ldapursh w2, [x0, #-8]

# limited ordering regions
# in:  x0=mem x5=0x1122334455667788 mem=8899aabb
# out: x1=0x9988 mem=8877665544332211
    ldlarh  w1, [x0]
    stllr   x5, [x0]
