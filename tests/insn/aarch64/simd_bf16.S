# SPDX-License-Identifier: GPL-2.0-or-later
# BFloat16 (FEAT_BF16; DDI 0487, C7.2 BFCVT to BFMMLA).

# bfcvt, half way goes to the even neighbour
# in:  v1.4s=0x3f818000,0x7f800001,0x7f800001,0x7f800001
# out: v0.8h=0x3f82,0,0,0,0,0,0,0 fpsr=0x10
    bfcvt   h0, s1

# bfcvt of a signalling NaN keeps its sign and leading payload
# in:  v1.4s=0xff8a0001,0,0,0
# out: v0.8h=0xffca,0,0,0,0,0,0,0 fpsr=1
    bfcvt   h0, s1

# bfcvt of a quiet NaN with default NaNs
# in:  v1.4s=0xffca0001,0,0,0 fpcr=0x2000000
# out: v0.8h=0x7fc0,0,0,0,0,0,0,0
    bfcvt   h0, s1

# bfcvt overflows to infinity
# in:  v1.4s=0x7f7fffff,0,0,0
# out: v0.8h=0x7f80,0,0,0,0,0,0,0 fpsr=0x14
    bfcvt   h0, s1

# bfcvt towards zero does not
# in:  v1.4s=0x7f7fffff,0,0,0 fpcr=0xc00000
# out: v0.8h=0x7f7f,0,0,0,0,0,0,0 fpsr=0x10
    bfcvt   h0, s1

# bfcvt, denormal
# in:  v1.4s=0x80018000,0,0,0
# out: v0.8h=0x8002,0,0,0,0,0,0,0 fpsr=0x18
    bfcvt   h0, s1

# bfcvt, denormal flushed
# in:  v1.4s=0x80018000,0,0,0 fpcr=0x1000000
# out: v0.8h=0x8000,0,0,0,0,0,0,0 fpsr=0x80
    bfcvt   h0, s1

# bfcvtn
# in:  v1.4s=0x3f800000,0xc0490fdb,0x7f800000,0x80000000
# out: v0.8h=0x3f80,0xc049,0x7f80,0x8000,0,0,0,0 fpsr=0x10
    bfcvtn  v0.4h, v1.4s

# bfcvtn2
# in:  v0.8h=1,2,3,4,5,6,7,8 v1.4s=0x3f800000,0xc0490fdb,0x7f800000,0x80000000
# out: v0.8h=1,2,3,4,0x3f80,0xc049,0x7f80,0x8000 fpsr=0x10
    bfcvtn2 v0.8h, v1.4s

# bfdot rounds to odd, whatever FPCR says, and raises nothing
# in:  v0.4s=0x3f800000,0xbf800000,0x3f800000,0x3f800000 fpcr=0xc00000
# in:  v1.8h=0x3980,0,0x3980,0,0,0x3980,0xb980,0
# in:  v2.8h=0x3900,0,0x3900,0,0,0x3900,0x3900,0
# out: v0.4s=0x3f800001,0xbf7fffff,0x3f800001,0x3f7fffff
    bfdot   v0.4s, v1.8h, v2.8h

# bfdot, the products are added before the sum
# in:  v0.4s=0x3f800000,0,0,0 v1.8h=0x7f00,0x7f00,0,0,0,0,0,0 v2.8h=0x3f80,0xbf80,0,0,0,0,0,0
# out: v0.4s=0x3f800000,0,0,0
    bfdot   v0.2s, v1.4h, v2.4h

# bfdot, denormals of operands, products and the sum are zero
# in:  v0.4s=0x007fffff,0x807fffff,0,0x3f800000
# in:  v1.8h=0,0,0x8001,0,0x0080,0,0x007f,0
# in:  v2.8h=0,0,0x3f80,0,0x3f00,0,0x7f00,0
# out: v0.4s=0,0,0,0x3f800000
    bfdot   v0.4s, v1.8h, v2.8h

# bfdot overflows to infinity; every NaN is the default one
# in:  v0.4s=0,0xffffffff,0x7f800000,0
# in:  v1.8h=0xff00,0,0,0,0xff80,0,0x7f80,0
# in:  v2.8h=0x4000,0,0,0,0x3f80,0,0,0
# out: v0.4s=0xff800000,0x7fc00000,0x7fc00000,0x7fc00000
    bfdot   v0.4s, v1.8h, v2.8h

# bfdot by element
# in:  v0.4s=0,0,1,1 v1.8h=0x3f80,0x4000,0x4040,0x4080,0,0,0,0 v2.8h=0,0,0,0,0x3f80,0x4000,0,0
# out: v0.4s=0x40a00000,0x41300000,0,0
    bfdot   v0.2s, v1.4h, v2.2h[2]

# bfmmla
# in:  v0.4s=0x3f800000,0,0,0
# in:  v1.8h=0x3f80,0x4000,0x4040,0x4080,0x3f80,0,0,0
# in:  v2.8h=0x3f80,0x3f80,0x3f80,0x3f80,0x4000,0,0,0x4000
# out: v0.4s=0x41300000,0x41200000,0x3f800000,0x40000000
    bfmmla  v0.4s, v1.8h, v2.8h

# bfmlalb is fused, and rounds as FPCR says
# in:  v0.4s=0x3f800000,0x3f800000,0,0 fpcr=0x400000
# in:  v1.8h=0x3980,0x7fff,0xb980,0x7fff,0,0x7fff,0,0x7fff
# in:  v2.8h=0x3900,0x7fff,0x3900,0x7fff,0,0x7fff,0,0x7fff
# out: v0.4s=0x3f800001,0x3f800000,0,0 fpsr=0x10
    bfmlalb v0.4s, v1.8h, v2.8h

# bfmlalt takes odd elements, and denormals as they are
# in:  v0.4s=0,0,0,0x3f800000
# in:  v1.8h=0x7fff,1,0x7fff,0x4000,0x7fff,0,0x7fff,0x3f80
# in:  v2.8h=0x7fff,0x3f80,0x7fff,0x4040,0x7fff,0,0x7fff,0xffa0
# out: v0.4s=0x00010000,0x40c00000,0,0xffe00000 fpsr=1
    bfmlalt v0.4s, v1.8h, v2.8h

# bfmlalb by element, index 5
# in:  v0.4s=0,0x3f800000,0,0 v1.8h=0x3f80,0,0x4000,0,0x4040,0,0x4080,0 v15.8h=0,0,0,0,0,0x4000,0,0
# out: v0.4s=0x40000000,0x40a00000,0x40c00000,0x41000000
    bfmlalb v0.4s, v1.8h, v15.h[5]
