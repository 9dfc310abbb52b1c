# SPDX-License-Identifier: GPL-2.0-or-later
# Floating point, scalar data processing (DDI 0487, C7.2), all arrangements.

# fmov s
# in:  v1.4s=0x477fe000,0x41978d1c,0xd5823008,0x3f3da906
# out: v0.4s=0x477fe000,0,0,0
    fmov    s0, s1

# fmov d
# in:  v1.2d=0x8000000000000000,0x43e0000000000000
# out: v0.2d=0x8000000000000000,0
    fmov    d0, d1

# fmov h
# in:  v1.8h=0x4900,0x3729,0x3737,0xfc00,0xc1da,0x479e,0x4900,0x7e00
# out: v0.8h=0x4900,0,0,0,0,0,0,0
    fmov    h0, h1

# fmov, reserved
# out: sigill pc=code+0
    .inst 0x1ea04020

# fabs s rounding up
# in:  v1.4s=0x835b9618,1,0x3f9879a4,0xbf133f7c fpcr=0x400000
# out: v0.4s=0x035b9618,0,0,0
    fabs    s0, s1

# fabs d
# in:  v1.2d=0x4020e15f4cbb2a34,0xc01490da6973581d
# out: v0.2d=0x4020e15f4cbb2a34,0
    fabs    d0, d1

# fabs h
# in:  v1.8h=0x376c,0x49c9,0x7c00,1,0xcaf7,0x3e00,0,1
# out: v0.8h=0x376c,0,0,0,0,0,0,0
    fabs    h0, h1

# fabs, reserved
# out: sigill pc=code+0
    .inst 0x1ea0c020

# fneg s
# in:  v1.4s=0x477fe000,0xc11c4dae,0x4209162a,0x477fe000
# out: v0.4s=0xc77fe000,0,0,0
    fneg    s0, s1

# fneg d
# in:  v1.2d=0x7ff0000000000000,0x4019f56fd05f7fd2
# out: v0.2d=0xfff0000000000000,0
    fneg    d0, d1

# fneg h towards zero
# in:  v1.8h=0xc5d7,0x361b,0x7c00,0xb997,0xc100,0x3c5f,0x43db,0xbd45 fpcr=0xc00000
# out: v0.8h=0x45d7,0,0,0,0,0,0,0
    fneg    h0, h1

# fneg, reserved
# out: sigill pc=code+0
    .inst 0x1ea14020

# fsqrt s sets IXC with default NaNs
# in:  v1.4s=0x27aba675,0x3f000000,0xbf0faa1e,0x3eaaaaab fpcr=0x2000000
# out: v0.4s=0x33943a19,0,0,0 fpsr=0x10
    fsqrt   s0, s1

# fsqrt d sets IXC
# in:  v1.2d=0x3fd5555555555555,0xbfdea63ae7a4867c
# out: v0.2d=0x3fe279a74590331c,0 fpsr=0x10
    fsqrt   d0, d1

# fsqrt h rounding up
# in:  v1.8h=0x3c00,0xc3ec,0x8000,0x3555,0xfbff,0x4165,0x3f06,0xc3d2 fpcr=0x400000
# out: v0.8h=0x3c00,0,0,0,0,0,0,0
    fsqrt   h0, h1

# fsqrt, reserved
# out: sigill pc=code+0
    .inst 0x1ea1c020

# frintn s
# in:  v1.4s=0xbeaaf848,0xbe8f8aa9,0x41cf1f9d,0xc25e38e6
# out: v0.4s=0x80000000,0,0,0
    frintn  s0, s1

# frintn d with default NaNs
# in:  v1.2d=0x3ff0000000000000,0xc04ff6919506303a fpcr=0x2000000
# out: v0.2d=0x3ff0000000000000,0
    frintn  d0, d1

# frintn h
# in:  v1.8h=0x8000,0xca1d,0xc100,0x3e00,0x7c01,0xe63b,0x44e6,0x4b5d
# out: v0.8h=0x8000,0,0,0,0,0,0,0
    frintn  h0, h1

# frintn, reserved
# out: sigill pc=code+0
    .inst 0x1ea44020

# frintp s
# in:  v1.4s=0,0x80000000,0x00800000,0x65a96d69
# out: v0.4s=0,0,0,0
    frintp  s0, s1

# frintp d
# in:  v1.2d=0xbffecc691b8f9c00,0
# out: v0.2d=0xbff0000000000000,0
    frintp  d0, d1

# frintp h
# in:  v1.8h=0x3c00,0x3701,0x153d,0x39d6,0x3800,0x7c00,0x8000,0xbe7c
# out: v0.8h=0x3c00,0,0,0,0,0,0,0
    frintp  h0, h1

# frintp, reserved
# out: sigill pc=code+0
    .inst 0x1ea4c020

# frintm s
# in:  v1.4s=0x42c80000,0x41c50983,0x3ee55468,0x7f800000
# out: v0.4s=0x42c80000,0,0,0
    frintm  s0, s1

# frintm d
# in:  v1.2d=0x3ff0000000000000,0x3fe0000000000000
# out: v0.2d=0x3ff0000000000000,0
    frintm  d0, d1

# frintm h
# in:  v1.8h=0x1d57,0xbd1d,1,1,0xfc00,0xbbef,0x03ff,0xc6a3
# out: v0.8h=0,0,0,0,0,0,0,0
    frintm  h0, h1

# frintm, reserved
# out: sigill pc=code+0
    .inst 0x1ea54020

# frintz s
# in:  v1.4s=1,0x4172beee,0x3f64b898,0x3ff1f9b4
# out: v0.4s=0,0,0,0
    frintz  s0, s1

# frintz d
# in:  v1.2d=0xc04170972dc4ef35,0x4027048c05c41578
# out: v0.2d=0xc041000000000000,0
    frintz  d0, d1

# frintz h towards zero
# in:  v1.8h=0x3800,0x03ff,0x4300,0x46c4,0x7c01,0xcae6,0xc880,0xfbff fpcr=0xc00000
# out: v0.8h=0,0,0,0,0,0,0,0
    frintz  h0, h1

# frintz, reserved
# out: sigill pc=code+0
    .inst 0x1ea5c020

# frinta s rounding up
# in:  v1.4s=0xbeaaae84,0x477fe000,0x39f08de5,0x7fc00000 fpcr=0x400000
# out: v0.4s=0x80000000,0,0,0
    frinta  s0, s1

# frinta d
# in:  v1.2d=0x403e5f5f3a520d4f,0x3ff0000000000000
# out: v0.2d=0x403e000000000000,0
    frinta  d0, d1

# frinta h
# in:  v1.8h=0,0x03ff,0xbc00,0xfbff,0xaed7,0x4b56,1,0x7c00
# out: v0.8h=0,0,0,0,0,0,0,0
    frinta  h0, h1

# frinta, reserved
# out: sigill pc=code+0
    .inst 0x1ea64020

# frintx s sets IXC rounding down
# in:  v1.4s=0x400c1b78,0x6ca98f89,0x42c80000,0x7fc00000 fpcr=0x800000
# out: v0.4s=0x40000000,0,0,0 fpsr=0x10
    frintx  s0, s1

# frintx d sets IXC
# in:  v1.2d=0x400921fb54442d18,0x7ff8000000000000
# out: v0.2d=0x4008000000000000,0 fpsr=0x10
    frintx  d0, d1

# frintx h
# in:  v1.8h=0x8000,0xc100,0,1,0xc7b7,0x3879,0xbc00,0xfbff
# out: v0.8h=0x8000,0,0,0,0,0,0,0
    frintx  h0, h1

# frintx, reserved
# out: sigill pc=code+0
    .inst 0x1ea74020

# frinti s
# in:  v1.4s=0xc2211542,0x3ee9618c,0,0x3f000000
# out: v0.4s=0xc2200000,0,0,0
    frinti  s0, s1

# frinti d towards zero
# in:  v1.2d=0xe2ba266d0844cdb9,0xc04fc5766d013580 fpcr=0xc00000
# out: v0.2d=0xe2ba266d0844cdb9,0
    frinti  d0, d1

# frinti h rounding up
# in:  v1.8h=0x0400,0x449a,0x362c,0xbc00,0xc0c3,0x4968,0xb7e1,0x42c9 fpcr=0x400000
# out: v0.8h=0x3c00,0,0,0,0,0,0,0
    frinti  h0, h1

# frinti, reserved
# out: sigill pc=code+0
    .inst 0x1ea7c020

# frint32z s sets IXC
# in:  v1.4s=0x3ef1bba5,0x477fe000,0xb2efca56,0x007fffff
# out: v0.4s=0,0,0,0 fpsr=0x10
    frint32z s0, s1

# frint32z d sets IXC
# in:  v1.2d=0xc004000000000000,0xc0216fd0edd76f1f
# out: v0.2d=0xc000000000000000,0 fpsr=0x10
    frint32z d0, d1

# frint32z, reserved
# out: sigill pc=code+0
    .inst 0x1ea84020

# frint32x s sets IXC
# in:  v1.4s=0x3eab0b57,1,0x4f000000,0xc2c8bbbf
# out: v0.4s=0,0,0,0 fpsr=0x10
    frint32x s0, s1

# frint32x d sets IXC
# in:  v1.2d=0x402a5a7f52e9f494,0xbfe8528e7bda9199
# out: v0.2d=0x402a000000000000,0 fpsr=0x10
    frint32x d0, d1

# frint32x, reserved
# out: sigill pc=code+0
    .inst 0x1ea8c020

# frint64z s sets IXC
# in:  v1.4s=0xc0200000,0xbf800000,0xbff05e98,0x80000000
# out: v0.4s=0xc0000000,0,0,0 fpsr=0x10
    frint64z s0, s1

# frint64z d sets IXC
# in:  v1.2d=0x000fffffffffffff,0x41dfffffffc00000
# out: v0.2d=0,0 fpsr=0x10
    frint64z d0, d1

# frint64z, reserved
# out: sigill pc=code+0
    .inst 0x1ea94020

# frint64x s sets IXC
# in:  v1.4s=0x3fd1047f,0x3eaaaaab,0xa11fa966,0xc1255b72
# out: v0.4s=0x40000000,0,0,0 fpsr=0x10
    frint64x s0, s1

# frint64x d sets IXC with default NaNs
# in:  v1.2d=0xc014588414699e69,0x4000b81121c91a9e fpcr=0x2000000
# out: v0.2d=0xc014000000000000,0 fpsr=0x10
    frint64x d0, d1

# frint64x, reserved
# out: sigill pc=code+0
    .inst 0x1ea9c020

# fmul s sets IXC
# in:  v1.4s=0xc2eb4b9d,0x415cd3f2,0x421badc5,0xba338621
# in:  v2.4s=0x42c80000,0xbf800000,0x42c80000,0x3eaaaaab
# out: v0.4s=0xc637d313,0,0,0 fpsr=0x10
    fmul    s0, s1, s2

# fmul d sets IXC
# in:  v1.2d=0x400921fb54442d18,0x000fffffffffffff v2.2d=0xbfd84b11c185f25d,0xc03b7d771fa6ad39
# out: v0.2d=0xbff31472164c4dcb,0 fpsr=0x10
    fmul    d0, d1, d2

# fmul h
# in:  v1.8h=0xba1e,0x4143,0xc786,0x03ff,0x7e00,0xfbff,0x7e00,0xbc87
# in:  v2.8h=0x0400,1,0xbf4c,0x40e9,0x03ff,0x1cb1,0x8000,0x7bff
# out: v0.8h=0x830f,0,0,0,0,0,0,0
    fmul    h0, h1, h2

# fmul, reserved
# out: sigill pc=code+0
    .inst 0x1ea20820

# fdiv s sets IXC
# in:  v1.4s=0xc2b6a817,0xc1b55b58,0x40280a35,0x48a9320a
# in:  v2.4s=0xc1e3a2fe,0xa03afb9a,0xbefcd54e,0x416955b3
# out: v0.4s=0x404d6a5a,0,0,0 fpsr=0x10
    fdiv    s0, s1, s2

# fdiv d sets IXC
# in:  v1.2d=0xc020e7f5a35fc847,0x539b439e9d91f9b1 v2.2d=0x60fc7bd19d517fca,0xc8de4de62eb74315
# out: v0.2d=0x9f12fe3ff1e0baed,0 fpsr=0x10
    fdiv    d0, d1, d2

# fdiv h flushing
# in:  v1.8h=0x0400,0x48de,0x378b,0x46db,0x4900,0x4958,0x3747,0x8000
# in:  v2.8h=0x3c00,0x3d45,0xbb45,0x39d5,0xbbbb,0x44dd,0x5cb6,0x0400 fpcr=0x1000000
# out: v0.8h=0x0400,0,0,0,0,0,0,0
    fdiv    h0, h1, h2

# fdiv, reserved
# out: sigill pc=code+0
    .inst 0x1ea21820

# fadd s sets IXC with default NaNs
# in:  v1.4s=0x7f7fffff,0xc1d0baff,0xd1d0a478,0x3eaaaaab
# in:  v2.4s=0x4183dcee,0x3eaaaaab,0xc29c0774,0x7f7fffff fpcr=0x2000000
# out: v0.4s=0x7f7fffff,0,0,0 fpsr=0x10
    fadd    s0, s1, s2

# fadd d towards zero
# in:  v1.2d=0xc012b778df1e3c2c,0xbfe27bf2660f3ed5 v2.2d=0x402c463993c14428,0xbff0000000000000
# in:  fpcr=0xc00000
# out: v0.2d=0x4022ea7d24322612,0
    fadd    d0, d1, d2

# fadd h sets IXC
# in:  v1.8h=0x3555,0xfbff,0xfc00,0xb7d9,0x08ee,0x3563,0xcbad,0x7c01
# in:  v2.8h=0x433d,0x7bff,0x48a9,1,0x7bff,0xbe7f,0xc78b,0xfc00
# out: v0.8h=0x43e8,0,0,0,0,0,0,0 fpsr=0x10
    fadd    h0, h1, h2

# fadd, reserved
# out: sigill pc=code+0
    .inst 0x1ea22820

# fsub s
# in:  v1.4s=0xff800000,0xc29858f6,0x40c11f28,0x3fb53fc6
# in:  v2.4s=0x00800000,0x7f7fffff,0xbef82f92,0x41056ab9
# out: v0.4s=0xff800000,0,0,0
    fsub    s0, s1, s2

# fsub d
# in:  v1.2d=0x3fdc90d6478e3444,0xbfe0576b7a4f0292 v2.2d=0x7ff0000000000000,0x41dfffffffc00000
# out: v0.2d=0xfff0000000000000,0
    fsub    d0, d1, d2

# fsub h sets IXC
# in:  v1.8h=0x3800,0xfbff,0x3a4e,0x3800,0x7c00,0xbb09,0x408a,0x3e00
# in:  v2.8h=1,0x5aaa,0xc8b6,0x4900,0xc798,0xd940,0x4533,0xbcd6
# out: v0.8h=0x3800,0,0,0,0,0,0,0 fpsr=0x10
    fsub    h0, h1, h2

# fsub, reserved
# out: sigill pc=code+0
    .inst 0x1ea23820

# fmax s
# in:  v1.4s=0xa6b5aab5,0x441454c1,0x3f97d937,0xc13d477a
# in:  v2.4s=0x413742f1,0x7f800001,0x4269badd,0x80000000
# out: v0.4s=0x413742f1,0,0,0
    fmax    s0, s1, s2

# fmax d
# in:  v1.2d=0x3ff0000000000000,0x0010000000000000 v2.2d=0x400921fb54442d18,0xc023e834377ef29b
# out: v0.2d=0x400921fb54442d18,0
    fmax    d0, d1, d2

# fmax h
# in:  v1.8h=0xb90c,0x470e,0x3800,0x7c00,0x36f1,0x3605,0x7c00,0x3800
# in:  v2.8h=0x3c00,0x966f,0xc794,0xc100,0x3cad,0x7c00,0xc345,0x7e00
# out: v0.8h=0x3c00,0,0,0,0,0,0,0
    fmax    h0, h1, h2

# fmax, reserved
# out: sigill pc=code+0
    .inst 0x1ea24820

# fmin s towards zero
# in:  v1.4s=0x00800000,0x667962b1,0x3ff3cf6e,0xc29b4ba8
# in:  v2.4s=0x3eaaaaab,0x6d9d03b5,0x2e62b3fb,0x00800000 fpcr=0xc00000
# out: v0.4s=0x00800000,0,0,0
    fmin    s0, s1, s2

# fmin d sets IOC with default NaNs
# in:  v1.2d=0xd99c4a4a420539c1,1 v2.2d=0x7ff0000000000001,0xc043fa5962012f01 fpcr=0x2000000
# out: v0.2d=0x7ff8000000000000,0 fpsr=0x1
    fmin    d0, d1, d2

# fmin h
# in:  v1.8h=0xc274,0,0xc741,0xb9df,0x486a,0xb1ac,0x4020,0x3bb9
# in:  v2.8h=0x3800,0xfb49,0x3e00,0x91ec,0xc8f9,0,0xb7b2,0xc100
# out: v0.8h=0xc274,0,0,0,0,0,0,0
    fmin    h0, h1, h2

# fmin, reserved
# out: sigill pc=code+0
    .inst 0x1ea25820

# fmaxnm s rounding up
# in:  v1.4s=0x3f000000,0xd33c4bb6,0x4c3aa8dd,0x41d0735e
# in:  v2.4s=0xc19fdf1e,0x3f910e74,0xdf9c3f35,0xc0200000 fpcr=0x400000
# out: v0.4s=0x3f000000,0,0,0
    fmaxnm  s0, s1, s2

# fmaxnm d sets IOC
# in:  v1.2d=0xc0106183ce2ad50d,0xc004000000000000 v2.2d=0x7ff0000000000001,0x3fec4cd64f2c43a7
# out: v0.2d=0x7ff8000000000001,0 fpsr=0x1
    fmaxnm  d0, d1, d2

# fmaxnm h
# in:  v1.8h=0x3800,0x46a8,0,0x42b4,0xb5ef,0xcae7,0x3b08,0x46de
# in:  v2.8h=1,0x4be0,0x7c00,0x3555,0xc9e2,0x4b18,0x7e00,0x3b99
# out: v0.8h=0x3800,0,0,0,0,0,0,0
    fmaxnm  h0, h1, h2

# fmaxnm, reserved
# out: sigill pc=code+0
    .inst 0x1ea26820

# fminnm s
# in:  v1.4s=0xaa835777,0x7f7fffff,0x415263d5,0x7f800001
# in:  v2.4s=0x41063e57,0x3f800000,0xc2f05ddf,0x7f800001
# out: v0.4s=0xaa835777,0,0,0
    fminnm  s0, s1, s2

# fminnm d
# in:  v1.2d=0x43e0000000000000,0x7ff0000000000000 v2.2d=0x400921fb54442d18,0x302027055f0a96be
# out: v0.2d=0x400921fb54442d18,0
    fminnm  d0, d1, d2

# fminnm h
# in:  v1.8h=0x4868,1,0x4603,0xcabd,0x8000,0x39c3,0xb4e0,0xc768
# in:  v2.8h=0x3c8c,0x341f,0x0400,0x0400,0xbe31,0x7bff,0x3800,0xb8f4
# out: v0.8h=0x3c8c,0,0,0,0,0,0,0
    fminnm  h0, h1, h2

# fminnm, reserved
# out: sigill pc=code+0
    .inst 0x1ea27820

# fnmul s towards zero
# in:  v1.4s=0x7f800000,0x7f800001,0x42c80000,0x42c80000
# in:  v2.4s=0x40f91b1c,0xc0200000,0x477fe000,0xc2bbd1be fpcr=0xc00000
# out: v0.4s=0xff800000,0,0,0
    fnmul   s0, s1, s2

# fnmul d sets IXC
# in:  v1.2d=0xc0434c4a544dff39,0x2421bdb4d8e4f663 v2.2d=0x3fd5555555555555,0x8000000000000000
# out: v0.2d=0x4029bb0dc5bd544c,0 fpsr=0x10
    fnmul   d0, d1, d2

# fnmul h rounding up
# in:  v1.8h=0xbc00,0xc445,1,0x4787,0x3426,0x3c00,0x3cf9,0x7e00
# in:  v2.8h=0xc2a9,0x3c00,0xca34,0x3800,0xbc00,0x8000,0x3c9b,0xbc00 fpcr=0x400000
# out: v0.8h=0xc2a9,0,0,0,0,0,0,0
    fnmul   h0, h1, h2

# fnmul, reserved
# out: sigill pc=code+0
    .inst 0x1ea28820

# fmadd s
# in:  v1.4s=0x7f7fffff,0xe7770ffe,0x42c80000,0x42c80000 v2.4s=0xf5a0d9cd,0,0x42e0f4fd,1
# in:  v3.4s=0xff800000,0x3ffc4b4f,0xbe9d8540,0x477fe000
# out: v0.4s=0xff800000,0,0,0
    fmadd   s0, s1, s2, s3

# fmadd d
# in:  v1.2d=0x7ff0000000000000,0x3ff0000000000000 v2.2d=0xc005e3ead5cb8dc1,0x3fd5555555555555
# in:  v3.2d=0xc004000000000000,0x51ee52ded719c081
# out: v0.2d=0xfff0000000000000,0
    fmadd   d0, d1, d2, d3

# fmadd h sets IXC
# in:  v1.8h=0x38cc,0x3c00,0xc4f7,0x3e00,0xc50c,0x7c01,0x16fa,0x3ba3
# in:  v2.8h=0x361c,0x3555,1,0xfc00,0,0x4900,0xc5cb,1
# in:  v3.8h=0x8000,0x3555,0x0400,0xb9ed,0x03ff,0x3e00,0x1422,0x3ced
# out: v0.8h=0x3354,0,0,0,0,0,0,0 fpsr=0x10
    fmadd   h0, h1, h2, h3

# fmadd, reserved
# out: sigill pc=code+0
    .inst 0x1f820c20

# fmsub s
# in:  v1.4s=0x4197947e,0xc1cf6556,0x00800000,0x3eda7c65 v2.4s=0,0x4208c6fa,0xff800000,0x3f000000
# in:  v3.4s=0xc1d8ef55,0x3f99f445,0x3eaaaaab,0x7f800001
# out: v0.4s=0xc1d8ef55,0,0,0
    fmsub   s0, s1, s2, s3

# fmsub d
# in:  v1.2d=0xfff0000000000000,0x3fd7b72d67a1ee72 v2.2d=0x40491bf0bc90df10,0x404278d87b106f1d
# in:  v3.2d=0x3ffc5bf9b17f5710,0x41dfffffffc00000
# out: v0.2d=0x7ff0000000000000,0
    fmsub   d0, d1, d2, d3

# fmsub h sets IXC
# in:  v1.8h=0xc83b,0x7c01,0x03ff,0x3fbe,0x3bdd,0xfbff,0xbe9f,0x3730
# in:  v2.8h=0xb7ed,0xc774,0x3e00,0x8000,0x3555,0x4248,0x3c00,0x4558
# in:  v3.8h=0xb4db,0x3e00,0x7bff,0xb4ce,0x03ff,0x8000,0x3800,0x0400
# out: v0.8h=0xc47f,0,0,0,0,0,0,0 fpsr=0x10
    fmsub   h0, h1, h2, h3

# fmsub, reserved
# out: sigill pc=code+0
    .inst 0x1f828c20

# fnmadd s sets IXC
# in:  v1.4s=0xc05406f2,0x3f800000,0,0xc2802a49 v2.4s=0xbf5e13ce,0xc2a5e4c0,0x64a56702,0x40490fdb
# in:  v3.4s=0xc210a3fb,0xc0459ed8,0x41586c6a,0x01655700
# out: v0.4s=0x42052514,0,0,0 fpsr=0x10
    fnmadd  s0, s1, s2, s3

# fnmadd d sets IXC
# in:  v1.2d=0xc00bf707fd49be8e,0x1474cd49c7db45f6 v2.2d=0x401bb03d4e98e9c1,0x78e823fd937862a4
# in:  v3.2d=0x7fefffffffffffff,0xc020335672969cf5
# out: v0.2d=0xffefffffffffffff,0 fpsr=0x10
    fnmadd  d0, d1, d2, d3

# fnmadd h
# in:  v1.8h=0,0xfbff,0x8000,0x4be6,0xc5eb,0,0xb564,0xc069
# in:  v2.8h=1,0xc3cc,0x6a2f,0xb43a,0x4363,0xfc00,0x3ce3,0x51a6
# in:  v3.8h=1,0x345c,0x7e00,0x7bff,0x8000,0x03ff,0x3555,0x3b26
# out: v0.8h=0x8001,0,0,0,0,0,0,0
    fnmadd  h0, h1, h2, h3

# fnmadd, reserved
# out: sigill pc=code+0
    .inst 0x1fa20c20

# fnmsub s sets IOC towards zero
# in:  v1.4s=0xbfad3fc2,0xbfbe90b0,0xc04fce0a,0x3f561653 v2.4s=0x00800000,0x411b8342,0xc1fc4a57,1
# in:  v3.4s=0x7f800001,0x423ebfeb,0xc1f42d93,0xff800000 fpcr=0xc00000
# out: v0.4s=0xffc00001,0,0,0 fpsr=0x1
    fnmsub  s0, s1, s2, s3

# fnmsub d
# in:  v1.2d=0x3ff49627edf7b2cd,0x41dfffffffc00000 v2.2d=0xbfe73fb9d09e1f61,0x3fd5555555555555
# in:  v3.2d=0xfff0000000000000,0xc004000000000000
# out: v0.2d=0x7ff0000000000000,0
    fnmsub  d0, d1, d2, d3

# fnmsub h sets IXC rounding up
# in:  v1.8h=0x435d,0x7e00,0xc28f,0x7c01,0x8000,0x3555,0x4bed,0x7c00
# in:  v2.8h=0x385f,0xb9b6,0x3e00,0x4900,0x4402,0x4827,0x40be,0x3555
# in:  v3.8h=0x654d,0x3914,0x3f2e,0xbc00,0xbc00,0xac47,0,0xfbff fpcr=0x400000
# out: v0.8h=0xe54a,0,0,0,0,0,0,0 fpsr=0x10
    fnmsub  h0, h1, h2, h3

# fnmsub, reserved
# out: sigill pc=code+0
    .inst 0x1fa28c20

# fcmp s with default NaNs
# in:  v1.4s=0x3e80b2be,0xbf0527a1,0x404dbd92,0xc2c792e6
# in:  v2.4s=0x3f617430,0x40a32a8a,0x2d4c4865,0xc06fdef0 fpcr=0x2000000
# out: nzcv=Nzcv
    fcmp    s1, s2

# fcmp d
# in:  v1.2d=0x4017dd88cbd0a955,0x402f3932a0b4e694 v2.2d=0x3fe5d150c4217914,0x3ff42277dbf65c20
# out: nzcv=nzCv
    fcmp    d1, d2

# fcmp h
# in:  v1.8h=0xc0bd,0xfbff,0x3a0f,0x4b4b,0x7e00,0x3ecf,0x4111,0x4933
# in:  v2.8h=0xc100,0xfc00,0xb5bf,0x4b3c,0x421e,0xfc00,0x7e00,0xb412
# out: nzcv=nzCv
    fcmp    h1, h2

# fcmp, reserved
# out: sigill pc=code+0
    .inst 0x1ea22020

# fcmp s rounding down
# in:  v1.4s=0x42ff9ff0,0x3eebf659,0xff800000,0x9a5fca98 fpcr=0x800000
# out: nzcv=nzCv
    fcmp    s1, #0.0

# fcmp d
# in:  v1.2d=0x0010000000000000,0x404c1aaafa1fc50e
# out: nzcv=nzCv
    fcmp    d1, #0.0

# fcmp h
# in:  v1.8h=0x3bcf,0x4856,0x2fc8,0x3e00,0x03ff,0x4900,0x3d8c,0xc648
# out: nzcv=nzCv
    fcmp    h1, #0.0

# fcmp, reserved
# out: sigill pc=code+0
    .inst 0x1ea02028

# fcmpe s
# in:  v1.4s=0x3f5673b7,0x4f000000,1,0xc0dd9752 v2.4s=0x80000000,0x477fe000,0x3f000000,0x80000000
# out: nzcv=nzCv
    fcmpe   s1, s2

# fcmpe d sets IOC
# in:  v1.2d=0xc000a9e518a1b4de,0xbfddbca31663b7cd v2.2d=0x7ff0000000000001,0xbfdd7cb3c88d5ca0
# out: fpsr=0x1 nzcv=nzCV
    fcmpe   d1, d2

# fcmpe h
# in:  v1.8h=0x0400,0x4900,0xc2bf,0xc100,0x4e3e,0x3e00,0x43f7,0x3973
# in:  v2.8h=0x4900,0x44db,0x49e6,0xb737,0xfbff,0x3414,0xab45,0
# out: nzcv=Nzcv
    fcmpe   h1, h2

# fcmpe, reserved
# out: sigill pc=code+0
    .inst 0x1ea22030

# fcmpe s
# in:  v1.4s=0x3f000000,0xbef4a72f,0x40b2c725,0x80000000
# out: nzcv=nzCv
    fcmpe   s1, #0.0

# fcmpe d
# in:  v1.2d=1,0xc005336ddaf76366
# out: nzcv=nzCv
    fcmpe   d1, #0.0

# fcmpe h
# in:  v1.8h=0x3800,0x0400,0x7c00,0xc155,0,0x7e00,0xfbff,0xc36f
# out: nzcv=nzCv
    fcmpe   h1, #0.0

# fcmpe, reserved
# out: sigill pc=code+0
    .inst 0x1ea02038

# fccmp s
# in:  v1.4s=0x7f7fffff,0x3f6d787f,0,0xcd19a453 v2.4s=0xcfbdbb86,0x40490fdb,0x00800000,0xff800000
# in:  nzcv=Nzcv
# out: nzcv=nzCv
    fccmp   s1, s2, #3, ne

# fccmp s
# in:  v1.4s=0xff800000,0x4f000000,0x3f4358c6,0x42f0c168
# in:  v2.4s=0xc27e505b,0x3f181de2,0x41c40c58,0x41195680 nzcv=NZCV
# out: nzcv=NzCV
    fccmp   s1, s2, #11, ne

# fccmp d
# in:  v1.2d=0,0xc01eb04307c04ade v2.2d=0x3fd2db968158580f,0x7ff0000000000001 nzcv=NzcV
# out: nzcv=Nzcv
    fccmp   d1, d2, #11, ne

# fccmp h
# in:  v1.8h=0,0x7bff,0x48af,0x8000,0x3c00,0x7bff,0xfc00,0x49a2
# in:  v2.8h=0x4900,0xbc00,0xc84f,0x3555,0x7c00,0xc6f7,0x03ff,0x3555 nzcv=nZCv
# out: nzcv=nzCV
    fccmp   h1, h2, #3, ne

# fccmp h
# in:  v1.8h=0x496d,0xbe31,0xbc00,0x4633,0x7b74,0xc013,0xb5fd,0x356c
# in:  v2.8h=0xbf67,0x8e3c,0x4900,0x3800,0xc6bf,0,0xc974,0xb7bb nzcv=nzCV
# out: nzcv=nzCv
    fccmp   h1, h2, #11, ne

# fccmp, reserved
# out: sigill pc=code+0
    .inst 0x1ea21423

# fccmpe s
# in:  v1.4s=0x4169a996,0x42c80000,0xc2f29ca9,0x3f800000
# in:  v2.4s=0xc0200000,0x007fffff,0x00800000,0xbff70d13 nzcv=NzCv
# out: nzcv=nzCv
    fccmpe  s1, s2, #3, ne

# fccmpe s
# in:  v1.4s=0x3f66a899,0x477fe000,0x3e8416ca,0x7f800000
# in:  v2.4s=0x41699743,0xc02602f4,0x403817ef,0x41c353aa nzcv=NzCv
# out: nzcv=Nzcv
    fccmpe  s1, s2, #11, ne

# fccmpe d
# in:  v1.2d=0xc004000000000000,0x43e0000000000000 v2.2d=0x3fe8ae1afce330e8,0x39aa55fe6762e02c
# in:  nzcv=NZcv
# out: nzcv=NzCV
    fccmpe  d1, d2, #11, ne

# fccmpe h
# in:  v1.8h=0x447a,0xfbff,0xfc00,0xc08f,0xb923,0xbfad,0xc555,0xc1ca
# in:  v2.8h=0x4ac6,0xc100,0xb53f,0x53b8,0xc0d2,0xc100,0xb723,0x7c00 nzcv=nZCV
# out: nzcv=nzCV
    fccmpe  h1, h2, #3, ne

# fccmpe h towards zero
# in:  v1.8h=0xc8c2,0xbc00,0x470a,0x4900,0xb9df,0xbc54,0xc541,0xc7b8
# in:  v2.8h=0xbb15,0xb8f3,0x3800,0x4900,0xbdd9,0x3555,0x8000,0 fpcr=0xc00000 nzcv=nzcV
# out: nzcv=Nzcv
    fccmpe  h1, h2, #11, ne

# fccmpe, reserved
# out: sigill pc=code+0
    .inst 0x1ea21433

# fcsel s
# in:  v1.4s=0x3f04ab9e,0xfedea808,0xff800000,0xbff60526
# in:  v2.4s=0xc0ca638d,0x4155c5f8,0x00800000,0x3f39e7a1 nzcv=NZCv
# out: v0.4s=0xc0ca638d,0,0,0
    fcsel   s0, s1, s2, ne

# fcsel d with default NaNs
# in:  v1.2d=0x400921fb54442d18,0x7ff0000000000000 v2.2d=0x7fefffffffffffff,0xc0379b89052378e3
# in:  fpcr=0x2000000 nzcv=nZcV
# out: v0.2d=0x7fefffffffffffff,0
    fcsel   d0, d1, d2, ne

# fcsel h
# in:  v1.8h=0x0400,0x0400,0x3c00,0xfc00,0x3e00,0x4900,0x4853,0xc2b1
# in:  v2.8h=0x4af9,0x03ff,0xb532,0x7c00,0x3f12,0x03ff,0x03ff,0x03ff nzcv=nzCV
# out: v0.8h=0x0400,0,0,0,0,0,0,0
    fcsel   h0, h1, h2, ne

# fcsel, reserved
# out: sigill pc=code+0
    .inst 0x1ea21c20

# fmov s
# out: v0.4s=0x3f800000,0,0,0
    fmov    s0, #1.00000000

# fmov s
# out: v0.4s=0xbe280000,0,0,0
    fmov    s0, #-0.16406250

# fmov d rounding down
# in:  fpcr=0x800000
# out: v0.2d=0xbfc5000000000000,0
    fmov    d0, #-0.16406250

# fmov h towards zero
# in:  fpcr=0xc00000
# out: v0.8h=0x3c00,0,0,0,0,0,0,0
    fmov    h0, #1.00000000

# fmov h
# out: v0.8h=0xb140,0,0,0,0,0,0,0
    fmov    h0, #-0.16406250

# fmov, reserved
# out: sigill pc=code+0
    .inst 0x1eae1000

# fdiv of a flushed denormal by zero is invalid
# in:  d1=0x8 d2=0 fpcr=0x1000000
# out: d0=0x7ff8000000000000 fpsr=0x81
    fdiv    d0, d1, d2

# fdiv by zero under FZ
# in:  s1=1.0 s2=0 fpcr=0x1000000
# out: s0=inf fpsr=2
    fdiv    s0, s1, s2

# fsqrt of a flushed negative denormal is -0
# in:  d1=0x8000000000000008 fpcr=0x1000000
# out: d0=-0.0 fpsr=0x80
    fsqrt   d0, d1

# fsqrt of four, one of them a negative denormal
# in:  v1.4s=1.0,4.0,0x80000001,9.0 fpcr=0x1000000
# out: v0.4s=1.0,2.0,-0.0,3.0 fpsr=0x80
    fsqrt   v0.4s, v1.4s
