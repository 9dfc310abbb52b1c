# SPDX-License-Identifier: GPL-2.0-or-later
# Advanced SIMD, conversions and roundings (DDI 0487, C7.2), all arrangements.

# fcvtn 4h sets OFC UFC IXC with default NaNs
# in:  v1.4s=0x007fffff,0x40490fdb,0xcb9a1c38,0x3e8b0bbf fpcr=0x2000000
# out: v0.8h=0,0x4248,0xfc00,0x3458,0,0,0,0 fpsr=0x1c
    fcvtn   v0.4h, v1.4s

# fcvtn 2s sets OFC IXC
# in:  v1.2d=0xc0528d19374211e3,0x7fefffffffffffff
# out: v0.4s=0xc29468ca,0x7f800000,0,0 fpsr=0x14
    fcvtn   v0.2s, v1.2d

# fcvtn2 8h sets OFC IXC
# in:  v0.8h=0xb60a,0x0400,0x3e00,0x03ff,0xb8e8,0xc140,0x3e00,0x460d
# in:  v1.4s=0xbea3d5f5,0xc27e6e62,0xc0d05660,0xe0ddfd7e
# out: v0.8h=0xb60a,0x0400,0x3e00,0x03ff,0xb51f,0xd3f3,0xc683,0xfc00 fpsr=0x14
    fcvtn2  v0.8h, v1.4s

# fcvtn2 4s sets IXC
# in:  v0.4s=0x7f800001,0x4f000000,0xbf904fcf,0x40490fdb v1.2d=0xbfdd97c09c97ec1b,0x3fd5555555555555
# out: v0.4s=0x7f800001,0x4f000000,0xbeecbe05,0x3eaaaaab fpsr=0x10
    fcvtn2  v0.4s, v1.2d

# fcvtl 4s
# in:  v1.8h=0x3fc8,0xb8fa,0x4595,0xc967,0xb813,0x4703,0xc8c2,0x7c01
# out: v0.4s=0x3ff90000,0xbf1f4000,0x40b2a000,0xc12ce000
    fcvtl   v0.4s, v1.4h

# fcvtl 2d
# in:  v1.4s=0xc2012880,0xc0c90404,0x370f186b,0x477fe000
# out: v0.2d=0xc040251000000000,0xc019208080000000
    fcvtl   v0.2d, v1.2s

# fcvtl2 4s sets IOC
# in:  v1.8h=0xc4ad,0xb849,0x3e36,0x3800,0x7c01,0x3c00,0xbcab,0xc710
# out: v0.4s=0x7fc02000,0x3f800000,0xbf956000,0xc0e20000 fpsr=0x1
    fcvtl2  v0.4s, v1.8h

# fcvtl2 2d
# in:  v1.4s=0xc2ead356,0xc2e9dc3f,0x7f7fffff,0x3eaaaaab
# out: v0.2d=0x47efffffe0000000,0x3fd5555560000000
    fcvtl2  v0.2d, v1.4s

# fcvtxn 2s sets UFC IXC
# in:  v1.2d=1,0xbff6863d26f13335
# out: v0.4s=1,0xbfb431e9,0,0 fpsr=0x18
    fcvtxn  v0.2s, v1.2d

# fcvtxn2 4s sets IXC
# in:  v0.4s=0x41eff36a,0x40490fdb,0x7f7fffff,0xbf800000 v1.2d=0x3ffb94014871e110,0xbfe13098f9965da4
# out: v0.4s=0x41eff36a,0x40490fdb,0x3fdca00b,0xbf0984c7 fpsr=0x10
    fcvtxn2 v0.4s, v1.2d

# frintn 2s
# in:  v1.4s=0x7fc00000,0x40490fdb,0xc1552acc,0xc0e5122f
# out: v0.4s=0x7fc00000,0x40400000,0,0
    frintn  v0.2s, v1.2s

# frintn 4s
# in:  v1.4s=0x41236ddf,1,0x7fc00000,0xc2dfe600
# out: v0.4s=0x41200000,0,0x7fc00000,0xc2e00000
    frintn  v0.4s, v1.4s

# frintn 2d rounding up
# in:  v1.2d=0x0010000000000000,0xc04b7edc4d05c227 fpcr=0x400000
# out: v0.2d=0,0xc04b800000000000
    frintn  v0.2d, v1.2d

# frintn, reserved
# out: sigill pc=code+0
    .inst 0x0e618820

# frintn 4h
# in:  v1.8h=0,0x4b27,0xa523,0x03ff,0xc16c,0xbac3,0x7bff,0
# out: v0.8h=0,0x4b00,0x8000,0,0,0,0,0
    frintn  v0.4h, v1.4h

# frintn 8h sets IOC
# in:  v1.8h=0x3e00,0xc761,0x03ff,0xbe78,0x39d9,0x3912,0x7c01,0xbcb8
# out: v0.8h=0x4000,0xc700,0,0xc000,0x3c00,0x3c00,0x7e01,0xbc00 fpsr=0x1
    frintn  v0.8h, v1.8h

# frinta 2s
# in:  v1.4s=0x416f8efa,0xbf1042c3,0x7f7fffff,0x00800000
# out: v0.4s=0x41700000,0xbf800000,0,0
    frinta  v0.2s, v1.2s

# frinta 4s
# in:  v1.4s=0x3f000000,0x3eaaaaab,0x2b4520d1,0xc10e9b0c
# out: v0.4s=0x3f800000,0,0,0xc1100000
    frinta  v0.4s, v1.4s

# frinta 2d
# in:  v1.2d=0xb1523ff7c767c0bb,0x3ff04e42ef1f9079
# out: v0.2d=0x8000000000000000,0x3ff0000000000000
    frinta  v0.2d, v1.2d

# frinta, reserved
# out: sigill pc=code+0
    .inst 0x2e618820

# frinta 4h
# in:  v1.8h=0x407e,0x3555,0xf6e8,0x34a7,0xfbff,0xb477,0x7c00,0xb4d7
# out: v0.8h=0x4000,0,0xf6e8,0,0,0,0,0
    frinta  v0.4h, v1.4h

# frinta 8h
# in:  v1.8h=0x3ee0,0x3ef0,0xbc00,0x3914,0x3c00,0x03ff,0xc4b7,0xc830
# out: v0.8h=0x4000,0x4000,0xbc00,0x3c00,0x3c00,0,0xc500,0xc800
    frinta  v0.8h, v1.8h

# frintp 2s flushing
# in:  v1.4s=0x28cbce82,0x4f000000,0x21165037,0x629da1bb fpcr=0x1000000
# out: v0.4s=0x3f800000,0x4f000000,0,0
    frintp  v0.2s, v1.2s

# frintp 4s
# in:  v1.4s=0xbf8b4f13,0,0x3f6c5357,0xc0fa9879
# out: v0.4s=0xbf800000,0,0x3f800000,0xc0e00000
    frintp  v0.4s, v1.4s

# frintp 2d
# in:  v1.2d=0xc034e9dba6fc2793,0x68d330d620c80157
# out: v0.2d=0xc034000000000000,0x68d330d620c80157
    frintp  v0.2d, v1.2d

# frintp, reserved
# out: sigill pc=code+0
    .inst 0x0ee18820

# frintp 4h
# in:  v1.8h=0x4900,0xb89d,0x45d6,0x3afb,0xb64c,0xb5b4,1,0x4244
# out: v0.8h=0x4900,0x8000,0x4600,0x3c00,0,0,0,0
    frintp  v0.4h, v1.4h

# frintp 8h
# in:  v1.8h=0x35eb,0x4d93,0x3a5b,0x3555,0x3c00,0x49f0,0xc100,0xc2dd
# out: v0.8h=0x3c00,0x4dc0,0x3c00,0x3c00,0x3c00,0x4a00,0xc000,0xc200
    frintp  v0.8h, v1.8h

# frintm 2s
# in:  v1.4s=0x3f31f49b,0xff800000,0x3f000000,0x56b32981
# out: v0.4s=0,0xff800000,0,0
    frintm  v0.2s, v1.2s

# frintm 4s
# in:  v1.4s=0xc28f1676,0x7fc00000,0x3eded8f1,0x3ec82fe1
# out: v0.4s=0xc2900000,0x7fc00000,0,0
    frintm  v0.4s, v1.4s

# frintm 2d
# in:  v1.2d=0x7ff0000000000000,0xc0379a36298897ac
# out: v0.2d=0x7ff0000000000000,0xc038000000000000
    frintm  v0.2d, v1.2d

# frintm, reserved
# out: sigill pc=code+0
    .inst 0x0e619820

# frintm 4h
# in:  v1.8h=0x37cf,0x47fe,0x7e00,0x7e00,0x4a39,0x7c01,0xc47d,0xbfca
# out: v0.8h=0,0x4700,0x7e00,0x7e00,0,0,0,0
    frintm  v0.4h, v1.4h

# frintm 8h
# in:  v1.8h=0xc91d,0xd94c,0x487e,0x4644,0x4437,0x4900,0x4686,0x03ff
# out: v0.8h=0xc980,0xd950,0x4800,0x4600,0x4400,0x4900,0x4600,0
    frintm  v0.8h, v1.8h

# frintx 2s sets IXC with default NaNs
# in:  v1.4s=0x420cff1c,0x7fc00000,0x7f7fffff,0xdcd7042e fpcr=0x2000000
# out: v0.4s=0x420c0000,0x7fc00000,0,0 fpsr=0x10
    frintx  v0.2s, v1.2s

# frintx 4s sets IOC IXC
# in:  v1.4s=0xbf96d44e,0xeb2a27a8,0x7fc00000,0x7f800001
# out: v0.4s=0xbf800000,0xeb2a27a8,0x7fc00000,0x7fc00001 fpsr=0x11
    frintx  v0.4s, v1.4s

# frintx 2d sets IXC rounding up
# in:  v1.2d=0x402b4edd49db1f72,0xe189a04df34671e3 fpcr=0x400000
# out: v0.2d=0x402c000000000000,0xe189a04df34671e3 fpsr=0x10
    frintx  v0.2d, v1.2d

# frintx, reserved
# out: sigill pc=code+0
    .inst 0x2e619820

# frintx 4h sets IXC
# in:  v1.8h=0xbf2c,0x7bff,0xe560,0x4085,0x3555,0x4900,0xb8b8,0x4adb
# out: v0.8h=0xc000,0x7bff,0xe560,0x4000,0,0,0,0 fpsr=0x10
    frintx  v0.4h, v1.4h

# frintx 8h sets IXC
# in:  v1.8h=0x4900,0xc127,0x4900,0x7c00,0x3f1d,0x4ac8,0xbc00,0x3ca0
# out: v0.8h=0x4900,0xc200,0x4900,0x7c00,0x4000,0x4b00,0xbc00,0x3c00 fpsr=0x10
    frintx  v0.8h, v1.8h

# frintz 2s
# in:  v1.4s=1,0x00800000,0x4112395b,0x4f000000
# out: v0.4s=0,0,0,0
    frintz  v0.2s, v1.2s

# frintz 4s
# in:  v1.4s=0x3eaaaaab,0xc2f93ce6,0x4f000000,0x42ee2db1
# out: v0.4s=0,0xc2f80000,0x4f000000,0x42ee0000
    frintz  v0.4s, v1.4s

# frintz 2d
# in:  v1.2d=0x3fe0d1f739f6fc96,0xc0067b65cec95611
# out: v0.2d=0,0xc000000000000000
    frintz  v0.2d, v1.2d

# frintz, reserved
# out: sigill pc=code+0
    .inst 0x0ee19820

# frintz 4h towards zero
# in:  v1.8h=0x3800,0x7bff,0xb7d1,0,0x403d,0x4738,0x7c00,0xc100 fpcr=0xc00000
# out: v0.8h=0,0x7bff,0x8000,0,0,0,0,0
    frintz  v0.4h, v1.4h

# frintz 8h
# in:  v1.8h=0x7bff,0x395b,0xbc56,0x43ac,0x47b4,0x8000,0x7bff,0x7e00
# out: v0.8h=0x7bff,0,0xbc00,0x4200,0x4700,0x8000,0x7bff,0x7e00
    frintz  v0.8h, v1.8h

# frinti 2s flushing
# in:  v1.4s=0,0x42c80000,0x007fffff,0x4147b6b6 fpcr=0x1000000
# out: v0.4s=0,0x42c80000,0,0
    frinti  v0.2s, v1.2s

# frinti 4s
# in:  v1.4s=0xc0efc9bd,0x3eaaaaab,0x80000000,0x40490fdb
# out: v0.4s=0xc0e00000,0,0x80000000,0x40400000
    frinti  v0.4s, v1.4s

# frinti 2d sets IOC
# in:  v1.2d=0x3fe0000000000000,0x7ff0000000000001
# out: v0.2d=0,0x7ff8000000000001 fpsr=0x1
    frinti  v0.2d, v1.2d

# frinti, reserved
# out: sigill pc=code+0
    .inst 0x2ee19820

# frinti 4h towards zero
# in:  v1.8h=0x3555,0x7e00,0xc45a,0,0xbf79,0xa202,0x0400,0x03ff fpcr=0xc00000
# out: v0.8h=0,0x7e00,0xc400,0,0,0,0,0
    frinti  v0.4h, v1.4h

# frinti 8h flushing
# in:  v1.8h=0xb81a,0xba05,0xb8b3,0x3b72,0xa69a,0xbc00,0xc75c,0x4411 fpcr=0x1000000
# out: v0.8h=0xbc00,0xbc00,0xbc00,0x3c00,0x8000,0xbc00,0xc700,0x4400
    frinti  v0.8h, v1.8h

# frint32z 2s sets IOC with default NaNs
# in:  v1.4s=0x7f800001,0x7f7fffff,0xbf06e141,0xbf9a93c8 fpcr=0x2000000
# out: v0.4s=0xcf000000,0xcf000000,0,0 fpsr=0x1
    frint32z v0.2s, v1.2s

# frint32z 4s sets IOC IXC
# in:  v1.4s=0xff800000,0xc2eb096e,0x42c80000,0xc0200000
# out: v0.4s=0xcf000000,0xc2ea0000,0x42c80000,0xc0000000 fpsr=0x11
    frint32z v0.4s, v1.4s

# frint32z 2d sets IXC
# in:  v1.2d=0x0010000000000000,0xbfea0e904f1bb59d
# out: v0.2d=0,0x8000000000000000 fpsr=0x10
    frint32z v0.2d, v1.2d

# frint32z, reserved
# out: sigill pc=code+0
    .inst 0x0e61e820

# frint32x 2s sets IXC
# in:  v1.4s=0xc1551782,0xbef4e8f5,0x3212a5a6,0x3fd4f8d3
# out: v0.4s=0xc1500000,0x80000000,0,0 fpsr=0x10
    frint32x v0.2s, v1.2s

# frint32x 4s sets IXC
# in:  v1.4s=0xc2d3e448,0xc1bc16bf,0x3f800000,0x40e20140
# out: v0.4s=0xc2d40000,0xc1c00000,0x3f800000,0x40e00000 fpsr=0x10
    frint32x v0.4s, v1.4s

# frint32x 2d sets IXC
# in:  v1.2d=0xc03c298f82b2dbda,0x41dfffffffc00000
# out: v0.2d=0xc03c000000000000,0x41dfffffffc00000 fpsr=0x10
    frint32x v0.2d, v1.2d

# frint32x, reserved
# out: sigill pc=code+0
    .inst 0x2e61e820

# frint64z 2s sets IXC
# in:  v1.4s=0xbf8c30d8,0x42c80000,0xc2d77fe4,0
# out: v0.4s=0xbf800000,0x42c80000,0,0 fpsr=0x10
    frint64z v0.2s, v1.2s

# frint64z 4s sets IOC IXC towards zero
# in:  v1.4s=0x41a196d4,0x3ed91088,0xbe8b1818,0x7fc00000 fpcr=0xc00000
# out: v0.4s=0x41a00000,0,0x80000000,0xdf000000 fpsr=0x11
    frint64z v0.4s, v1.4s

# frint64z 2d sets IXC
# in:  v1.2d=0xbfeac6bb4701989b,0xbfe8a69ddf18455e
# out: v0.2d=0x8000000000000000,0x8000000000000000 fpsr=0x10
    frint64z v0.2d, v1.2d

# frint64z, reserved
# out: sigill pc=code+0
    .inst 0x0e61f820

# frint64x 2s sets IOC IXC
# in:  v1.4s=0x7f800000,0x401585d5,0x4f000000,0x7fc00000
# out: v0.4s=0xdf000000,0x40000000,0,0 fpsr=0x11
    frint64x v0.2s, v1.2s

# frint64x 4s sets IXC flushing
# in:  v1.4s=0x477fe000,0x3f800000,0xada34298,0x80000000 fpcr=0x1000000
# out: v0.4s=0x477fe000,0x3f800000,0x80000000,0x80000000 fpsr=0x10
    frint64x v0.4s, v1.4s

# frint64x 2d sets IOC IXC
# in:  v1.2d=0xbff58657d81db46a,0x7ff8000000000000
# out: v0.2d=0xbff0000000000000,0xc3e0000000000000 fpsr=0x11
    frint64x v0.2d, v1.2d

# frint64x, reserved
# out: sigill pc=code+0
    .inst 0x2e61f820

# fcvtns 2s sets IXC
# in:  v1.4s=0x80000000,0x3f2fb136,1,0x4e452fd3
# out: v0.4s=0,1,0,0 fpsr=0x10
    fcvtns  v0.2s, v1.2s

# fcvtns 4s sets IXC
# in:  v1.4s=0x42adafe4,0x426ce490,0x3f2c8b24,0xbf800000
# out: v0.4s=0x00000057,0x0000003b,1,0xffffffff fpsr=0x10
    fcvtns  v0.4s, v1.4s

# fcvtns 2d sets IXC
# in:  v1.2d=0x1383fa9d832ab3c9,1
# out: v0.2d=0,0 fpsr=0x10
    fcvtns  v0.2d, v1.2d

# fcvtns, reserved
# out: sigill pc=code+0
    .inst 0x0e61a820

# fcvtns 4h sets IOC IXC flushing
# in:  v1.8h=0x4013,0x7c01,0xbc00,0x7c01,0x391f,0x7c00,0x3a61,0x0400 fpcr=0x1000000
# out: v0.8h=2,0,0xffff,0,0,0,0,0 fpsr=0x11
    fcvtns  v0.4h, v1.4h

# fcvtns 8h sets IOC IXC
# in:  v1.8h=0x44e0,0x3f60,0xb896,0x0400,0x7e00,0x3bb2,0x4900,0x3d9e
# out: v0.8h=5,2,0xffff,0,0,1,0x000a,1 fpsr=0x11
    fcvtns  v0.8h, v1.8h

# fcvtnu 2s sets IOC IXC
# in:  v1.4s=0xbea1007a,0x7fc00000,0xc19b61aa,0xff800000
# out: v0.4s=0,0,0,0 fpsr=0x11
    fcvtnu  v0.2s, v1.2s

# fcvtnu 4s sets IOC IXC
# in:  v1.4s=0xbee37adb,0xc2b677c3,0x3ee5118a,0xbef9c45f
# out: v0.4s=0,0,0,0 fpsr=0x11
    fcvtnu  v0.4s, v1.4s

# fcvtnu 2d sets IOC with default NaNs
# in:  v1.2d=0xfff0000000000000,0xc01585f7a4c4d725 fpcr=0x2000000
# out: v0.2d=0,0 fpsr=0x1
    fcvtnu  v0.2d, v1.2d

# fcvtnu, reserved
# out: sigill pc=code+0
    .inst 0x2e61a820

# fcvtnu 4h sets IOC IXC rounding down
# in:  v1.8h=0xca78,0xd0ed,0x3dcc,0x03ff,0xb7cc,0xc3b3,0x4937,0x3eca fpcr=0x800000
# out: v0.8h=0,0,1,0,0,0,0,0 fpsr=0x11
    fcvtnu  v0.4h, v1.4h

# fcvtnu 8h sets IOC IXC
# in:  v1.8h=0xc509,0xc28e,0x4900,0x43fc,0xba47,0x409d,0x44f5,0x3d50
# out: v0.8h=0,0,0x000a,4,0,2,5,1 fpsr=0x11
    fcvtnu  v0.8h, v1.8h

# fcvtms 2s sets IXC
# in:  v1.4s=0x40b0b9a3,0x3f5a0923,0x8c2df56a,0x420ea3bf
# out: v0.4s=5,0,0,0 fpsr=0x10
    fcvtms  v0.2s, v1.2s

# fcvtms 4s sets IXC
# in:  v1.4s=0x3f000000,1,0x3f000000,0x477fe000
# out: v0.4s=0,0,0,0x0000ffe0 fpsr=0x10
    fcvtms  v0.4s, v1.4s

# fcvtms 2d sets IXC
# in:  v1.2d=0xa4522c881c0937ed,0xbff0000000000000
# out: v0.2d=0xffffffffffffffff,0xffffffffffffffff fpsr=0x10
    fcvtms  v0.2d, v1.2d

# fcvtms, reserved
# out: sigill pc=code+0
    .inst 0x0e61b820

# fcvtms 4h sets IXC
# in:  v1.8h=0x3be1,0xc836,0x3c7a,0x3c00,0x3fc5,0xb4e1,0x493d,0xbc00
# out: v0.8h=0,0xfff7,1,1,0,0,0,0 fpsr=0x10
    fcvtms  v0.4h, v1.4h

# fcvtms 8h sets IOC IXC
# in:  v1.8h=0x41f2,0xc0f7,0x7c01,0xbf01,0x5693,0x7c00,0xfbff,0xc8be
# out: v0.8h=2,0xfffd,0,0xfffe,0x0069,0x7fff,0x8000,0xfff6 fpsr=0x11
    fcvtms  v0.8h, v1.8h

# fcvtmu 2s sets IOC IXC
# in:  v1.4s=0xc2e3e21a,0x3f9ffb7f,0x42d720a2,0xff800000
# out: v0.4s=0,1,0,0 fpsr=0x11
    fcvtmu  v0.2s, v1.2s

# fcvtmu 4s sets IOC IXC
# in:  v1.4s=0xbf241473,0x80000000,0xc0d9f68c,0x3ed9401b
# out: v0.4s=0,0,0,0 fpsr=0x11
    fcvtmu  v0.4s, v1.4s

# fcvtmu 2d
# in:  v1.2d=0x8000000000000000,0x3ff0000000000000
# out: v0.2d=0,1
    fcvtmu  v0.2d, v1.2d

# fcvtmu, reserved
# out: sigill pc=code+0
    .inst 0x2e61b820

# fcvtmu 4h sets IOC
# in:  v1.8h=0x7c00,0xb478,0xc85e,0xf77e,0xcbcb,0xb55f,0xbfb4,0x0400
# out: v0.8h=0xffff,0,0,0,0,0,0,0 fpsr=0x1
    fcvtmu  v0.4h, v1.4h

# fcvtmu 8h sets IOC IXC flushing
# in:  v1.8h=0x7c01,0x359f,0xb709,0x4033,0xc75d,0x4693,0xca6f,0x7e00 fpcr=0x1000000
# out: v0.8h=0,0,0,2,0,6,0,0 fpsr=0x11
    fcvtmu  v0.8h, v1.8h

# fcvtas 2s sets IXC
# in:  v1.4s=1,0x1cf76b84,1,0x007fffff
# out: v0.4s=0,0,0,0 fpsr=0x10
    fcvtas  v0.2s, v1.2s

# fcvtas 4s sets IXC
# in:  v1.4s=0xc123298e,0xbfff47f1,0x007fffff,0x40eedd51
# out: v0.4s=0xfffffff6,0xfffffffe,0,7 fpsr=0x10
    fcvtas  v0.4s, v1.4s

# fcvtas 2d sets IXC
# in:  v1.2d=0x40424bf70177a23e,0x3ff0000000000000
# out: v0.2d=0x0000000000000025,1 fpsr=0x10
    fcvtas  v0.2d, v1.2d

# fcvtas, reserved
# out: sigill pc=code+0
    .inst 0x0e61c820

# fcvtas 4h sets IXC
# in:  v1.8h=0x6dac,0x3ad7,0xc100,0x3da4,0x42ff,0xb896,0xce56,0xc100
# out: v0.8h=0x16b0,1,0xfffd,1,0,0,0,0 fpsr=0x10
    fcvtas  v0.4h, v1.4h

# fcvtas 8h sets IXC
# in:  v1.8h=0xb677,0x35bc,0x4900,0xca57,0xcaaa,0x458f,0x1516,0x405f
# out: v0.8h=0,0,0x000a,0xfff3,0xfff3,6,0,2 fpsr=0x10
    fcvtas  v0.8h, v1.8h

# fcvtau 2s sets IOC
# in:  v1.4s=0xbf64dc54,0xe8f7ff19,0x406e301b,0x6f5e1500
# out: v0.4s=0,0,0,0 fpsr=0x1
    fcvtau  v0.2s, v1.2s

# fcvtau 4s sets IOC
# in:  v1.4s=0xc1b80593,0x7fc00000,0x80000000,0xff800000
# out: v0.4s=0,0,0,0 fpsr=0x1
    fcvtau  v0.4s, v1.4s

# fcvtau 2d sets IOC IXC
# in:  v1.2d=0xc03ebef853cf991e,0x4050d024a9472135
# out: v0.2d=0,0x0000000000000043 fpsr=0x11
    fcvtau  v0.2d, v1.2d

# fcvtau, reserved
# out: sigill pc=code+0
    .inst 0x2e61c820

# fcvtau 4h sets IOC IXC flushing
# in:  v1.8h=0x4900,0xc012,0x44ee,0x43bc,0x8000,0xfbff,0x03ff,0x43d7 fpcr=0x1000000
# out: v0.8h=0x000a,0,5,4,0,0,0,0 fpsr=0x11
    fcvtau  v0.4h, v1.4h

# fcvtau 8h sets IOC IXC
# in:  v1.8h=0x487a,0x4be3,0x3800,0x211b,0xc1bc,0xca30,0x4937,0xc100
# out: v0.8h=9,0x0010,1,0,0,0,0x000a,0 fpsr=0x11
    fcvtau  v0.8h, v1.8h

# fcvtps 2s sets IOC IXC
# in:  v1.4s=0x40816893,0x7f800001,0x40490fdb,0x3eaaaaab
# out: v0.4s=5,0,0,0 fpsr=0x11
    fcvtps  v0.2s, v1.2s

# fcvtps 4s sets IOC IXC
# in:  v1.4s=0x40490fdb,0x5aacca46,0xc0200000,0xbf5a5008
# out: v0.4s=4,0x7fffffff,0xfffffffe,0 fpsr=0x11
    fcvtps  v0.4s, v1.4s

# fcvtps 2d sets IOC IXC
# in:  v1.2d=0xc004000000000000,0xfff0000000000000
# out: v0.2d=0xfffffffffffffffe,0x8000000000000000 fpsr=0x11
    fcvtps  v0.2d, v1.2d

# fcvtps, reserved
# out: sigill pc=code+0
    .inst 0x0ee1a820

# fcvtps 4h sets IOC IXC
# in:  v1.8h=0xc100,0x49f3,0x8000,0x7c01,0x3555,0xfc00,1,0x4924
# out: v0.8h=0xfffe,0x000c,0,0,0,0,0,0 fpsr=0x11
    fcvtps  v0.4h, v1.4h

# fcvtps 8h sets IXC
# in:  v1.8h=0x419c,0xbb47,0xc501,0xc9ab,0x3e00,0x3b1d,0x3b9d,0xb936
# out: v0.8h=3,0,0xfffb,0xfff5,2,1,1,0 fpsr=0x10
    fcvtps  v0.8h, v1.8h

# fcvtpu 2s sets IOC IXC towards zero
# in:  v1.4s=0x3ee6179a,0xc27f9ff6,0xc0c19f3a,0x3e86b1aa fpcr=0xc00000
# out: v0.4s=1,0,0,0 fpsr=0x11
    fcvtpu  v0.2s, v1.2s

# fcvtpu 4s sets IOC IXC flushing
# in:  v1.4s=0x4297b0a3,0x7fc00000,0x3fb881d7,0x7ee6a95e fpcr=0x1000000
# out: v0.4s=0x0000004c,0,2,0xffffffff fpsr=0x11
    fcvtpu  v0.4s, v1.4s

# fcvtpu 2d sets IOC IXC
# in:  v1.2d=0x000fffffffffffff,0xc0195d35768fa796
# out: v0.2d=1,0 fpsr=0x11
    fcvtpu  v0.2d, v1.2d

# fcvtpu, reserved
# out: sigill pc=code+0
    .inst 0x2ee1a820

# fcvtpu 4h sets IOC IXC towards zero
# in:  v1.8h=0xc93f,0xc033,0x03ff,0x7e00,0xbef4,0xe6dc,0xb64c,0x3555 fpcr=0xc00000
# out: v0.8h=0,0,1,0,0,0,0,0 fpsr=0x11
    fcvtpu  v0.4h, v1.4h

# fcvtpu 8h sets IOC IXC
# in:  v1.8h=0xbc00,0x3c00,0x0400,1,0x3555,0x2216,0xfc00,0x2de4
# out: v0.8h=0,1,1,1,1,1,0,1 fpsr=0x11
    fcvtpu  v0.8h, v1.8h

# fcvtzs 2s sets IOC IXC
# in:  v1.4s=0x6fabcfca,0xbf848dd1,0xbfefcbcb,0x4f000000
# out: v0.4s=0x7fffffff,0xffffffff,0,0 fpsr=0x11
    fcvtzs  v0.2s, v1.2s

# fcvtzs 4s sets IXC
# in:  v1.4s=0xc2370e78,0xc0200000,0x40490fdb,0xc177e573
# out: v0.4s=0xffffffd3,0xfffffffe,3,0xfffffff1 fpsr=0x10
    fcvtzs  v0.4s, v1.4s

# fcvtzs 2d sets IXC
# in:  v1.2d=0xc01282bc7d5c8472,0x3fd5555555555555
# out: v0.2d=0xfffffffffffffffc,0 fpsr=0x10
    fcvtzs  v0.2d, v1.2d

# fcvtzs, reserved
# out: sigill pc=code+0
    .inst 0x0ee1b820

# fcvtzs 4h sets IXC
# in:  v1.8h=0xbc00,0x4b9b,0x496e,0x8000,0x7c01,0xcb7b,0x7e00,0x4900
# out: v0.8h=0xffff,0x000f,0x000a,0,0,0,0,0 fpsr=0x10
    fcvtzs  v0.4h, v1.4h

# fcvtzs 8h sets IOC IXC
# in:  v1.8h=0x7bff,0x03ff,0xc6e6,0x2d3a,0x7c01,0x4aad,0xd635,0xb718
# out: v0.8h=0x7fff,0,0xfffa,0,0,0x000d,0xff9d,0 fpsr=0x11
    fcvtzs  v0.8h, v1.8h

# fcvtzu 2s sets IXC
# in:  v1.4s=0x406a8c37,0x3ed597ff,0x7fc00000,0x413f6565
# out: v0.4s=3,0,0,0 fpsr=0x10
    fcvtzu  v0.2s, v1.2s

# fcvtzu 4s sets IXC flushing
# in:  v1.4s=0x4f000000,0xbebea0e9,0xbe980d18,0 fpcr=0x1000000
# out: v0.4s=0x80000000,0,0,0 fpsr=0x10
    fcvtzu  v0.4s, v1.4s

# fcvtzu 2d sets IOC
# in:  v1.2d=0x8000000000000000,0xbff0000000000000
# out: v0.2d=0,0 fpsr=0x1
    fcvtzu  v0.2d, v1.2d

# fcvtzu, reserved
# out: sigill pc=code+0
    .inst 0x2ee1b820

# fcvtzu 4h sets IOC IXC
# in:  v1.8h=0x467d,0x355c,0x480d,0xc7d9,1,0xbf18,0xc666,0xc100
# out: v0.8h=6,0,8,0,0,0,0,0 fpsr=0x11
    fcvtzu  v0.4h, v1.4h

# fcvtzu 8h sets IOC IXC
# in:  v1.8h=0x7bff,0xfc00,1,0xe161,0x0d27,0xb705,0xfc00,0xe394
# out: v0.8h=0xffe0,0,0,0,0,0,0,0 fpsr=0x11
    fcvtzu  v0.8h, v1.8h

# scvtf 2s sets IXC
# in:  v1.4s=0xffffffff,0x7fffffff,3,0
# out: v0.4s=0xbf800000,0x4f000000,0,0 fpsr=0x10
    scvtf   v0.2s, v1.2s

# scvtf 4s sets IXC
# in:  v1.4s=0xffffffff,0x7fffffff,0x7fffffff,0x7580be06
# out: v0.4s=0xbf800000,0x4f000000,0x4f000000,0x4eeb017c fpsr=0x10
    scvtf   v0.4s, v1.4s

# scvtf 2d sets IXC
# in:  v1.2d=0x69af93d3c13779f2,0xa99020a0a2acfc4c
# out: v0.2d=0x43da6be4f4f04dde,0xc3d59bf7d7d754c1 fpsr=0x10
    scvtf   v0.2d, v1.2d

# scvtf, reserved
# out: sigill pc=code+0
    .inst 0x0e61d820

# scvtf 4h
# in:  v1.8h=3,0xffff,0,0xfffe,0x8000,0xfffd,0,0xf853
# out: v0.8h=0x4200,0xbc00,0,0xc000,0,0,0,0
    scvtf   v0.4h, v1.4h

# scvtf 8h sets IXC
# in:  v1.8h=0xd02d,1,0x7fff,0x9144,0x8000,0,0xad1d,0xffff
# out: v0.8h=0xf1fa,0x3c00,0x7800,0xf6ec,0xf800,0,0xf52e,0xbc00 fpsr=0x10
    scvtf   v0.8h, v1.8h

# ucvtf 2s rounding up
# in:  v1.4s=0,0,0x90a7f3c3,0xa09c3a6d fpcr=0x400000
# out: v0.4s=0,0,0,0
    ucvtf   v0.2s, v1.2s

# ucvtf 4s sets IXC
# in:  v1.4s=0xc003382c,1,0xfffffffe,0x80000000
# out: v0.4s=0x4f400338,0x3f800000,0x4f800000,0x4f000000 fpsr=0x10
    ucvtf   v0.4s, v1.4s

# ucvtf 2d sets IXC
# in:  v1.2d=0,0xffffffffffffffff
# out: v0.2d=0,0x43f0000000000000 fpsr=0x10
    ucvtf   v0.2d, v1.2d

# ucvtf, reserved
# out: sigill pc=code+0
    .inst 0x2e61d820

# ucvtf 4h sets IXC
# in:  v1.8h=0,0x8000,0xd76d,0x7ffe,0x0010,0x0010,0x5b4e,0x4f42
# out: v0.8h=0,0x7800,0x7abb,0x7800,0,0,0,0 fpsr=0x10
    ucvtf   v0.4h, v1.4h

# ucvtf 8h sets OFC IXC
# in:  v1.8h=0x7fff,0x8016,0x2645,0x3ea9,0xffff,0,0x8000,0x22f0
# out: v0.8h=0x7800,0x7801,0x70c9,0x73d5,0x7c00,0,0x7800,0x705e fpsr=0x14
    ucvtf   v0.8h, v1.8h

# fcvtxn s sets IXC
# in:  v1.2d=0x3ff91e493de53d12,0x400921fb54442d18
# out: v0.4s=0x3fc8f249,0,0,0 fpsr=0x10
    fcvtxn  s0, d1

# fcvtns s sets IXC
# in:  v1.4s=0xbf11d560,0x40b693b6,0x80000000,0xc0200000
# out: v0.4s=0xffffffff,0,0,0 fpsr=0x10
    fcvtns  s0, s1

# fcvtns d flushing
# in:  v1.2d=0,0x403b467f954df4a3 fpcr=0x1000000
# out: v0.2d=0,0
    fcvtns  d0, d1

# fcvtns h sets IXC rounding down
# in:  v1.8h=0xc8af,0xbe51,0x3e00,0x8000,0x7e00,0x4154,0xb3ab,0 fpcr=0x800000
# out: v0.8h=0xfff7,0,0,0,0,0,0,0 fpsr=0x10
    fcvtns  h0, h1

# fcvtnu s sets IOC
# in:  v1.4s=0x7f800000,0xbed14a7a,0x3f5f6a07,0xbfd38c89
# out: v0.4s=0xffffffff,0,0,0 fpsr=0x1
    fcvtnu  s0, s1

# fcvtnu d sets IOC rounding up
# in:  v1.2d=0xbffd167908f96b23,0xc0512031b4b75928 fpcr=0x400000
# out: v0.2d=0,0 fpsr=0x1
    fcvtnu  d0, d1

# fcvtnu h sets IOC
# in:  v1.8h=0xbb3e,1,0x8000,0xba35,0x32c3,0x7bff,0x03ff,0xc058
# out: v0.8h=0,0,0,0,0,0,0,0 fpsr=0x1
    fcvtnu  h0, h1

# fcvtms s sets IXC flushing
# in:  v1.4s=0x4255dd4c,0x40de5f3c,0x007fffff,0x00800000 fpcr=0x1000000
# out: v0.4s=0x00000035,0,0,0 fpsr=0x10
    fcvtms  s0, s1

# fcvtms d towards zero
# in:  v1.2d=0xbff0000000000000,0x400921fb54442d18 fpcr=0xc00000
# out: v0.2d=0xffffffffffffffff,0
    fcvtms  d0, d1

# fcvtms h sets IXC
# in:  v1.8h=0xc100,0x3800,0x3800,0x2223,0x435a,0x3750,0xcb18,0x4900
# out: v0.8h=0xfffd,0,0,0,0,0,0,0 fpsr=0x10
    fcvtms  h0, h1

# fcvtmu s sets IOC
# in:  v1.4s=0x7fc00000,0xff800000,0x42c80000,0x7f7fffff
# out: v0.4s=0,0,0,0 fpsr=0x1
    fcvtmu  s0, s1

# fcvtmu d sets IXC
# in:  v1.2d=0x0010000000000000,0xc022d0e644c75b9d
# out: v0.2d=0,0 fpsr=0x10
    fcvtmu  d0, d1

# fcvtmu h sets IOC
# in:  v1.8h=0xc3c6,0x7c01,0xbc00,0x47ab,0xbbbc,0xbc00,0x7bff,0x7c00
# out: v0.8h=0,0,0,0,0,0,0,0 fpsr=0x1
    fcvtmu  h0, h1

# fcvtas s sets IXC
# in:  v1.4s=0xbfa74dfd,0x8ff6a20f,0x419f4d7f,0x3f4b1cb6
# out: v0.4s=0xffffffff,0,0,0 fpsr=0x10
    fcvtas  s0, s1

# fcvtas d sets IXC
# in:  v1.2d=0xc030317cdb165db3,0x4051ceb05f9e5726
# out: v0.2d=0xfffffffffffffff0,0 fpsr=0x10
    fcvtas  d0, d1

# fcvtas h sets IXC
# in:  v1.8h=0x496f,0x3b45,0xc952,0x3aa5,0x7bff,0xfbff,0x7e00,0x7c01
# out: v0.8h=0x000b,0,0,0,0,0,0,0 fpsr=0x10
    fcvtas  h0, h1

# fcvtau s
# in:  v1.4s=0x42c80000,1,0x40d09430,0xc1d82712
# out: v0.4s=0x00000064,0,0,0
    fcvtau  s0, s1

# fcvtau d sets IOC
# in:  v1.2d=0xfff0000000000000,0x43e0000000000000
# out: v0.2d=0,0 fpsr=0x1
    fcvtau  d0, d1

# fcvtau h with default NaNs
# in:  v1.8h=0,0x4b1d,0x38b1,0x3c00,0x4a32,0x3787,0xa9cb,0xb970 fpcr=0x2000000
# out: v0.8h=0,0,0,0,0,0,0,0
    fcvtau  h0, h1

# fcvtps s
# in:  v1.4s=0,0x7f800000,0xff800000,0xc069fb80
# out: v0.4s=0,0,0,0
    fcvtps  s0, s1

# fcvtps d sets IOC towards zero
# in:  v1.2d=0xfa343e85f4266844,0x5653a6183c3f65b4 fpcr=0xc00000
# out: v0.2d=0x8000000000000000,0 fpsr=0x1
    fcvtps  d0, d1

# fcvtps h sets IOC
# in:  v1.8h=0x7e00,0x3bef,0xbbd1,0x4900,0x47ba,0x3e00,0x03ff,0xbfc6
# out: v0.8h=0,0,0,0,0,0,0,0 fpsr=0x1
    fcvtps  h0, h1

# fcvtpu s sets IOC
# in:  v1.4s=0xc29abcac,0x40490fdb,0x3eaaaaab,0x42c80000
# out: v0.4s=0,0,0,0 fpsr=0x1
    fcvtpu  s0, s1

# fcvtpu d sets IXC
# in:  v1.2d=0x405f4eef312beeb6,0x404292ac8b9557dc
# out: v0.2d=0x000000000000007e,0 fpsr=0x10
    fcvtpu  d0, d1

# fcvtpu h sets IOC
# in:  v1.8h=0xbdbf,0x3800,0xb6d5,0xc3d5,0xb4d5,0x03ff,0xc100,0xc2fb
# out: v0.8h=0,0,0,0,0,0,0,0 fpsr=0x1
    fcvtpu  h0, h1

# fcvtzs s sets IXC
# in:  v1.4s=0x3f31193f,0x7f800000,0xc055fba2,0xc1808b5a
# out: v0.4s=0,0,0,0 fpsr=0x10
    fcvtzs  s0, s1

# fcvtzs d sets IXC rounding up
# in:  v1.2d=0xbfd55d276edaad81,0xc01661e7990240d4 fpcr=0x400000
# out: v0.2d=0,0 fpsr=0x10
    fcvtzs  d0, d1

# fcvtzs h sets IXC
# in:  v1.8h=0x4585,0xb9d3,0xe437,0x7e00,0x0400,0xbebb,0x3800,0xc685
# out: v0.8h=5,0,0,0,0,0,0,0 fpsr=0x10
    fcvtzs  h0, h1

# fcvtzu s sets IXC
# in:  v1.4s=0xbf0de6b1,0x4f000000,0x7f800001,0xf77a448c
# out: v0.4s=0,0,0,0 fpsr=0x10
    fcvtzu  s0, s1

# fcvtzu d sets IOC rounding down
# in:  v1.2d=0xc041eed502806553,0xc05cc75be18b208a fpcr=0x800000
# out: v0.2d=0,0 fpsr=0x1
    fcvtzu  d0, d1

# fcvtzu h
# in:  v1.8h=0x4900,0x4900,0xe7ac,0xfc00,0x3c4d,0xb46f,0xbbbe,0x3ad3
# out: v0.8h=0x000a,0,0,0,0,0,0,0
    fcvtzu  h0, h1

# scvtf s
# in:  v1.4s=0x0000001f,0x7fffffff,0x7df097f2,0xe54a242c
# out: v0.4s=0x41f80000,0,0,0
    scvtf   s0, s1

# scvtf d
# in:  v1.2d=1,0x7fffffffffffffff
# out: v0.2d=0x3ff0000000000000,0
    scvtf   d0, d1

# scvtf h rounding down
# in:  v1.8h=0xfffe,2,0x8000,0xffff,0xe7e3,0,0x0010,3 fpcr=0x800000
# out: v0.8h=0xc000,0,0,0,0,0,0,0
    scvtf   h0, h1

# ucvtf s sets IXC rounding down
# in:  v1.4s=0x7fffffff,0,0x7ffffffe,1 fpcr=0x800000
# out: v0.4s=0x4effffff,0,0,0 fpsr=0x10
    ucvtf   s0, s1

# ucvtf d sets IXC
# in:  v1.2d=0x2e91c7bdc56af768,0xfffffffffffffffa
# out: v0.2d=0x43c748e3dee2b57c,0 fpsr=0x10
    ucvtf   d0, d1

# ucvtf h sets IXC
# in:  v1.8h=0xe826,0x460b,0x23de,0,0xfffe,0x7fff,0x260d,1
# out: v0.8h=0x7b41,0,0,0,0,0,0,0 fpsr=0x10
    ucvtf   h0, h1
