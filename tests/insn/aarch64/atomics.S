# SPDX-License-Identifier: GPL-2.0-or-later
# Atomic memory operations (DDI 0487, C6.2 CAS, CASP, SWP, LDADD and friends; FEAT_LSE).

# cas stores when memory is as expected
# in:  x0=mem x1=0x1111 x2=0x2222 mem=1111000000000000
# out: x1=0x1111 mem=2222000000000000
    cas     x1, x2, [x0]

# cas gives what it found otherwise
# in:  x0=mem x1=0x1112 x2=0x2222 mem=1111000000000000
# out: x1=0x1111
    cas     x1, x2, [x0]

# casb compares a byte only
# in:  x0=mem x1=0xffffff11 x2=0xffffff22 mem=1133
# out: x1=0x11 mem=2233
    casb    w1, w2, [x0]

# cash gives zero-extended halfwords
# in:  x0=mem x1=0 x2=1 mem=ffffffff
# out: x1=0xffff
    casah   w1, w2, [x0]

# casp of doublewords
# in:  x0=mem x2=1 x3=2 x4=3 x5=4 mem=01000000000000000200000000000000
# out: mem=03000000000000000400000000000000
    caspal  x2, x3, x4, x5, [x0]

# casp that fails gives both
# in:  x0=mem x2=1 x3=3 x4=3 x5=4 mem=01000000000000000200000000000000
# out: x3=2
    casp    x2, x3, x4, x5, [x0]

# casp of words
# in:  x0=mem x2=0xff00000001 x3=2 x4=3 x5=4 mem=0100000002000000
# out: x2=1 mem=0300000004000000
    casp    w2, w3, w4, w5, [x0]

# casp wants even registers
# out: sigill pc=code
    .inst   0x48217c82

# swp
# in:  x0=mem x1=0x55 mem=aabbccddeeff0011
# out: x2=0xddccbbaa mem=55000000
    swpal   w1, w2, [x0]

# ldadd wraps within the byte
# in:  x0=mem x1=2 mem=ff00
# out: x2=0xff mem=0100
    ldaddb  w1, w2, [x0]

# ldclr, ldset, ldeor
# in:  x0=mem x1=0x0f x3=0xf0 x5=0xff mem=ff00000000000000
# out: x2=0xff x4=0xf0 x6=0xf0 mem=0f00000000000000
    ldclr   x1, x2, [x0]
    ldset   x3, x4, [x0]
    ldeor   x5, x6, [x0]

# signed and unsigned maximum of bytes
# in:  x0=mem x1=0x7f x2=0x80 mem=80ff
# out: x3=0x80 x4=0x7f mem=80ff
    ldsmaxb w1, w3, [x0]
    ldumaxb w2, w4, [x0]

# signed and unsigned minimum of halfwords
# in:  x0=mem x1=1 x2=0xfffe mem=ffff
# out: x3=0xffff x4=0xffff mem=feff
    ldsminh w1, w3, [x0]
    lduminh w2, w4, [x0]

# st forms give nothing
# in:  x0=mem x1=3 mem=0500000000000000
# out: mem=0800000000000000
    stadd   x1, [x0]

# a fault leaves everything as it was
# in:  x0=8 x1=1
# out: sigsegv pc=code fault=8
    ldaddal x1, x2, [x0]
