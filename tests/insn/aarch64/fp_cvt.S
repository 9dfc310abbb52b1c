# SPDX-License-Identifier: GPL-2.0-or-later
# Floating point, scalar conversions and moves (DDI 0487, C7.2), all arrangements.

# fcvt d
# in:  v1.4s=0xc169531e,0x16f88ae2,0x4f000000,0x4287baaf
# out: v0.2d=0xc02d2a63c0000000,0
    fcvt    d0, s1

# fcvt h
# in:  v1.4s=0x477fe000,0x42dd0b76,0xbf800000,0xbf384d11
# out: v0.8h=0x7bff,0,0,0,0,0,0,0
    fcvt    h0, s1

# fcvt s
# in:  v1.2d=0x7ff8000000000000,0xc03e2cfa21c44ca6
# out: v0.4s=0x7fc00000,0,0,0
    fcvt    s0, d1

# fcvt h sets IXC
# in:  v1.2d=0xbfe584e6457bc8f1,0x3fe0000000000000
# out: v0.8h=0xb961,0,0,0,0,0,0,0 fpsr=0x10
    fcvt    h0, d1

# fcvt s
# in:  v1.8h=0x51bd,1,0x03ff,0xc56c,0x7c01,0x4bfe,0x3a6a,0x25f7
# out: v0.4s=0x4237a000,0,0,0
    fcvt    s0, h1

# fcvt d
# in:  v1.8h=0x3555,1,0x7c00,0xfbff,0x3bbe,0x3806,0x3c00,0x4abf
# out: v0.2d=0x3fd5540000000000,0
    fcvt    d0, h1

# fcvtns w
# in:  v1.4s=0x3f800000,0xbf931636,0x7fc00000,0xb0d45248
# out: x0=0x1
    fcvtns  w0, s1

# fcvtns x sets IOC with default NaNs
# in:  v1.4s=0x6e9c84d2,0x408c84e2,0xbe859e0f,0x42c80000 fpcr=0x2000000
# out: x0=0x7fffffffffffffff fpsr=0x1
    fcvtns  x0, s1

# fcvtns x sets IOC
# in:  v1.2d=0x7ff0000000000001,0x400921fb54442d18
# out: x0=0x0 fpsr=0x1
    fcvtns  x0, d1

# fcvtns w rounding up
# in:  v1.8h=0,0xc905,0x03ff,0x2e13,0xc994,0x3492,0x43b8,0x2a13 fpcr=0x400000
# out: x0=0x0
    fcvtns  w0, h1

# fcvtns x sets IXC with default NaNs
# in:  v1.8h=0x0400,0xb936,0x880f,0x45f3,0x39cf,0x7c01,0x4900,0x478d fpcr=0x2000000
# out: x0=0x0 fpsr=0x10
    fcvtns  x0, h1

# fcvtns, reserved
# out: sigill pc=code+0
    .inst 0x1ea00020

# fcvtnu w sets IOC
# in:  v1.4s=0x7f800000,0x4158d4d2,0x6fb3e6ea,0x3f000000
# out: x0=0xffffffff fpsr=0x1
    fcvtnu  w0, s1

# fcvtnu x sets IOC
# in:  v1.4s=0xbf6e089e,0x42c80000,0x7fc00000,0x3ec36871
# out: x0=0x0 fpsr=0x1
    fcvtnu  x0, s1

# fcvtnu x sets IXC
# in:  v1.2d=0x0010000000000000,0xc023f942c45fa1cb
# out: x0=0x0 fpsr=0x10
    fcvtnu  x0, d1

# fcvtnu w sets IXC
# in:  v1.8h=0x3800,0x3800,0x6be4,0x348f,0xbbbc,0xb852,0x3e00,0xbd7f
# out: x0=0x0 fpsr=0x10
    fcvtnu  w0, h1

# fcvtnu x sets IXC
# in:  v1.8h=0x3555,0x3c00,0x3aa0,0xbcce,0x4422,0x1250,0x8000,0xbeb8
# out: x0=0x0 fpsr=0x10
    fcvtnu  x0, h1

# fcvtnu, reserved
# out: sigill pc=code+0
    .inst 0x1ea10020

# fcvtps w sets IXC
# in:  v1.4s=0xc211941a,0x428751ac,0x3f800000,0xc13df6bf
# out: x0=0xffffffdc fpsr=0x10
    fcvtps  w0, s1

# fcvtps x sets IXC
# in:  v1.4s=0xca7065df,0x3f800000,0x3f000000,0x413c1912
# out: x0=0xffffffffffc3e689 fpsr=0x10
    fcvtps  x0, s1

# fcvtps x sets IXC
# in:  v1.2d=0x401d22e11bc18b7c,0x404e4d7222069013
# out: x0=0x8 fpsr=0x10
    fcvtps  x0, d1

# fcvtps w sets IOC
# in:  v1.8h=0x7e00,0x03ff,0xb89e,0x48aa,0xb7f3,0x4335,0xbac0,0x03ff
# out: x0=0x0 fpsr=0x1
    fcvtps  w0, h1

# fcvtps x sets IXC
# in:  v1.8h=0xd6b4,0x4900,0x3c00,0x3430,0x38c7,0x48f6,0,0x3555
# out: x0=0xffffffffffffff95 fpsr=0x10
    fcvtps  x0, h1

# fcvtps, reserved
# out: sigill pc=code+0
    .inst 0x1ea80020

# fcvtpu w sets IOC
# in:  v1.4s=0x681bb4c7,0x7fc00000,0xbf800000,0xc1dd0847
# out: x0=0xffffffff fpsr=0x1
    fcvtpu  w0, s1

# fcvtpu x sets IOC
# in:  v1.4s=0xff800000,0x41d8f6e2,0xc0e4fb8a,0xc2f833c4
# out: x0=0x0 fpsr=0x1
    fcvtpu  x0, s1

# fcvtpu x
# in:  v1.2d=0x41dfffffffc00000,0x404d1ffdafac2a7a
# out: x0=0x7fffffff
    fcvtpu  x0, d1

# fcvtpu w sets IXC
# in:  v1.8h=0x03ff,0x7a22,0x34ff,0x3e00,0x37c9,0xfbff,0xbb73,0x7c00
# out: x0=0x1 fpsr=0x10
    fcvtpu  w0, h1

# fcvtpu x sets IXC
# in:  v1.8h=0x44a5,0xbf10,0x3a55,0x3800,0x03ff,0xc95c,0xbfd7,0x3e00
# out: x0=0x5 fpsr=0x10
    fcvtpu  x0, h1

# fcvtpu, reserved
# out: sigill pc=code+0
    .inst 0x1ea90020

# fcvtms w sets IXC
# in:  v1.4s=0x3f000000,0x477fe000,0x7f800000,0x7f800001
# out: x0=0x0 fpsr=0x10
    fcvtms  w0, s1

# fcvtms x sets IXC with default NaNs
# in:  v1.4s=0x41215451,0x3ec7f5e8,0x3f800000,0xc23d5065 fpcr=0x2000000
# out: x0=0xa fpsr=0x10
    fcvtms  x0, s1

# fcvtms x sets IXC
# in:  v1.2d=0x401295a27bc27fb3,0
# out: x0=0x4 fpsr=0x10
    fcvtms  x0, d1

# fcvtms w sets IXC rounding down
# in:  v1.8h=0xb5f2,0xc5c9,0x7e00,0x0400,0xbc00,0x8000,0x7c00,0x3555 fpcr=0x800000
# out: x0=0xffffffff fpsr=0x10
    fcvtms  w0, h1

# fcvtms x sets IXC
# in:  v1.8h=0x3e00,0x3c00,0x2bd8,0x03ff,0x7c01,0x03ff,0x8000,0xc674
# out: x0=0x1 fpsr=0x10
    fcvtms  x0, h1

# fcvtms, reserved
# out: sigill pc=code+0
    .inst 0x1eb00020

# fcvtmu w
# in:  v1.4s=0x80000000,0xc11b61eb,0x3eaaaaab,0x00800000
# out: x0=0x0
    fcvtmu  w0, s1

# fcvtmu x sets IXC
# in:  v1.4s=0x3fc96026,0x3ed29c7a,1,0x3eb04d70
# out: x0=0x1 fpsr=0x10
    fcvtmu  x0, s1

# fcvtmu x sets IOC
# in:  v1.2d=0xc03697170ee6f273,0xc05a377c8fb6a3a1
# out: x0=0x0 fpsr=0x1
    fcvtmu  x0, d1

# fcvtmu w sets IOC
# in:  v1.8h=0xc100,0x9c59,0x515c,0xc0ec,0x4639,0,0xc0a4,0x8000
# out: x0=0x0 fpsr=0x1
    fcvtmu  w0, h1

# fcvtmu x sets IOC towards zero
# in:  v1.8h=0x7e00,0x3800,0x3cbf,0x4900,0x3b7b,0xbc00,0x344a,0x4900 fpcr=0xc00000
# out: x0=0x0 fpsr=0x1
    fcvtmu  x0, h1

# fcvtmu, reserved
# out: sigill pc=code+0
    .inst 0x1eb10020

# fcvtzs w sets IXC
# in:  v1.4s=0x41fd110e,0xc147b5de,0x7f7fffff,0x80000000
# out: x0=0x1f fpsr=0x10
    fcvtzs  w0, s1

# fcvtzs x sets IXC
# in:  v1.4s=0xc2705d76,0xbf800000,0x4296c7a6,0x4189af63
# out: x0=0xffffffffffffffc4 fpsr=0x10
    fcvtzs  x0, s1

# fcvtzs x sets IXC
# in:  v1.2d=0xc03532804f3cfa0a,0x4004f5f62341fd69
# out: x0=0xffffffffffffffeb fpsr=0x10
    fcvtzs  x0, d1

# fcvtzs w
# in:  v1.8h=0xbc00,0xbdfc,0x4900,0x43cf,0x3c00,0xfc00,0x7e00,0
# out: x0=0xffffffff
    fcvtzs  w0, h1

# fcvtzs x
# in:  v1.8h=0x8000,0x8000,0,0x3f7f,0x36fc,0x4a0a,0xc18c,0xbb1c
# out: x0=0x0
    fcvtzs  x0, h1

# fcvtzs, reserved
# out: sigill pc=code+0
    .inst 0x1eb80020

# fcvtzu w sets IOC
# in:  v1.4s=0xc26a13e1,0x477fe000,0x3ff83ed2,0x40cae02d
# out: x0=0x0 fpsr=0x1
    fcvtzu  w0, s1

# fcvtzu x sets IXC
# in:  v1.4s=0x42930f44,1,0xbf800000,0
# out: x0=0x49 fpsr=0x10
    fcvtzu  x0, s1

# fcvtzu x sets IOC
# in:  v1.2d=0xbff0000000000000,0x3fdc3f59fa29ba27
# out: x0=0x0 fpsr=0x1
    fcvtzu  x0, d1

# fcvtzu w sets IXC
# in:  v1.8h=0x3a2c,0x03ff,0x3c00,0xbbcc,0xfbff,0x3800,0x3e00,0x3f9f
# out: x0=0x0 fpsr=0x10
    fcvtzu  w0, h1

# fcvtzu x sets IOC
# in:  v1.8h=0x7e00,0xb669,0xc472,0x2468,0xa412,0xfc00,0x3fef,0x4231
# out: x0=0x0 fpsr=0x1
    fcvtzu  x0, h1

# fcvtzu, reserved
# out: sigill pc=code+0
    .inst 0x1eb90020

# fcvtas w sets IXC
# in:  v1.4s=0xbf4e8d1c,0xbfcbf669,0x3fd1d46f,0x3f0e418c
# out: x0=0xffffffff fpsr=0x10
    fcvtas  w0, s1

# fcvtas x sets IXC
# in:  v1.4s=0x40490fdb,0x3eaaaaab,0xc2eb2dc7,0x42ca96fc
# out: x0=0x3 fpsr=0x10
    fcvtas  x0, s1

# fcvtas x sets IXC
# in:  v1.2d=0x3fe5282d56974398,0x7ff0000000000001
# out: x0=0x1 fpsr=0x10
    fcvtas  x0, d1

# fcvtas w sets IXC
# in:  v1.8h=0x47b5,1,0xc9ac,0x7e00,0x3a0a,0x7c00,0x4be2,0x7e00
# out: x0=0x8 fpsr=0x10
    fcvtas  w0, h1

# fcvtas x sets IXC with default NaNs
# in:  v1.8h=0x0400,0x7c00,0x4bf6,0x7c01,0xb732,0x0400,0xfc00,0xfbff fpcr=0x2000000
# out: x0=0x0 fpsr=0x10
    fcvtas  x0, h1

# fcvtas, reserved
# out: sigill pc=code+0
    .inst 0x1ea40020

# scvtf s sets IXC
# in:  x1=0xf8ba19ff
# out: v0.4s=0xcce8bcc0,0,0,0 fpsr=0x10
    scvtf   s0, w1

# scvtf s sets IXC
# in:  x1=0xcceeaa8b22a2dab0
# out: v0.4s=0xde4c4556,0,0,0 fpsr=0x10
    scvtf   s0, x1

# scvtf d sets IXC with default NaNs
# in:  x1=0x7fffffffffffffff fpcr=0x2000000
# out: v0.2d=0x43e0000000000000,0 fpsr=0x10
    scvtf   d0, x1

# scvtf h sets OFC IXC
# in:  x1=0x80000000
# out: v0.8h=0xfc00,0,0,0,0,0,0,0 fpsr=0x14
    scvtf   h0, w1

# scvtf h sets OFC IXC
# in:  x1=0xbf49044cdb157e48
# out: v0.8h=0xfc00,0,0,0,0,0,0,0 fpsr=0x14
    scvtf   h0, x1

# scvtf, reserved
# out: sigill pc=code+0
    .inst 0x1ea20020

# scvtf s
# in:  x1=0x80000000
# out: v0.4s=0xc0800000,0,0,0
    scvtf   s0, w1, #29

# scvtf s sets IXC
# in:  x1=0x7fffffffffffffff
# out: v0.4s=0x50800000,0,0,0 fpsr=0x10
    scvtf   s0, x1, #29

# scvtf d
# in:  x1=0x1
# out: v0.2d=0x3fb0000000000000,0
    scvtf   d0, x1, #4

# scvtf h sets OFC IXC with default NaNs
# in:  x1=0x80000000 fpcr=0x2000000
# out: v0.8h=0xfc00,0,0,0,0,0,0,0 fpsr=0x14
    scvtf   h0, w1, #4

# scvtf h sets OFC IXC
# in:  x1=0x7ffffffffffffffe
# out: v0.8h=0x7c00,0,0,0,0,0,0,0 fpsr=0x14
    scvtf   h0, x1, #4

# scvtf, reserved
# out: sigill pc=code+0
    .inst 0x1e82f020

# fcvtzs w
# in:  v1.4s=0xc0200000,0xbf800000,0x0db88ae7,0x00800000
# out: x0=0xb0000000
    fcvtzs  w0, s1, #29

# fcvtzs x sets IXC
# in:  v1.4s=1,0x42e2fd0b,0x42c80000,0xcf90c36a
# out: x0=0x0 fpsr=0x10
    fcvtzs  x0, s1, #29

# fcvtzs x sets IOC
# in:  v1.2d=0x7ff0000000000000,0x404974ccde5dceb8
# out: x0=0x7fffffffffffffff fpsr=0x1
    fcvtzs  x0, d1, #4

# fcvtzs w sets IXC
# in:  v1.8h=0x38d8,0xa526,0xc931,0x34f4,0x3ab4,0xda6e,0x3800,0xc4a4
# out: x0=0x9 fpsr=0x10
    fcvtzs  w0, h1, #4

# fcvtzs x flushing
# in:  v1.8h=0xc100,1,0xc100,0x3555,0x0400,0x4163,0xc100,0xb486 fpcr=0x1000000
# out: x0=0xffffffffffffffd8
    fcvtzs  x0, h1, #4

# fcvtzs, reserved
# out: sigill pc=code+0
    .inst 0x1e98f020

# fcvtau w
# in:  v1.4s=0x3f800000,0xc25bef73,1,0x17080595
# out: x0=0x1
    fcvtau  w0, s1

# fcvtau x sets IOC
# in:  v1.4s=0xc123ee20,0x3eaaaaab,0xc0200000,0
# out: x0=0x0 fpsr=0x1
    fcvtau  x0, s1

# fcvtau x sets IXC
# in:  v1.2d=0x400921fb54442d18,0xc004000000000000
# out: x0=0x3 fpsr=0x10
    fcvtau  x0, d1

# fcvtau w sets IOC
# in:  v1.8h=0xca10,0xb6f4,0xbc00,0x4900,0x76c3,0x3800,0x7e00,1
# out: x0=0x0 fpsr=0x1
    fcvtau  w0, h1

# fcvtau x sets IXC
# in:  v1.8h=0x46f0,0x3cc7,0xbc9f,0xbc01,0xbc43,0x7bff,0,1
# out: x0=0x7 fpsr=0x10
    fcvtau  x0, h1

# fcvtau, reserved
# out: sigill pc=code+0
    .inst 0x1ea50020

# ucvtf s rounding down
# in:  x1=0x80000000 fpcr=0x800000
# out: v0.4s=0x4f000000,0,0,0
    ucvtf   s0, w1

# ucvtf s sets IXC towards zero
# in:  x1=0x7fffffffffffffff fpcr=0xc00000
# out: v0.4s=0x5effffff,0,0,0 fpsr=0x10
    ucvtf   s0, x1

# ucvtf d rounding down
# in:  x1=0x2 fpcr=0x800000
# out: v0.2d=0x4000000000000000,0
    ucvtf   d0, x1

# ucvtf h sets OFC IXC with default NaNs
# in:  x1=0x7ffffffe fpcr=0x2000000
# out: v0.8h=0x7c00,0,0,0,0,0,0,0 fpsr=0x14
    ucvtf   h0, w1

# ucvtf h sets OFC IXC
# in:  x1=0x7ffffffffffffffe
# out: v0.8h=0x7c00,0,0,0,0,0,0,0 fpsr=0x14
    ucvtf   h0, x1

# ucvtf, reserved
# out: sigill pc=code+0
    .inst 0x1ea30020

# ucvtf s sets IXC
# in:  x1=0x88767838
# out: v0.4s=0x40887678,0,0,0 fpsr=0x10
    ucvtf   s0, w1, #29

# ucvtf s sets IXC rounding up
# in:  x1=0xfffffffffffffffa fpcr=0x400000
# out: v0.4s=0x51000000,0,0,0 fpsr=0x10
    ucvtf   s0, x1, #29

# ucvtf d sets IXC
# in:  x1=0xb711381e5b91e419
# out: v0.2d=0x43a6e22703cb723d,0 fpsr=0x10
    ucvtf   d0, x1, #4

# ucvtf h sets OFC IXC flushing
# in:  x1=0x80000000 fpcr=0x1000000
# out: v0.8h=0x7c00,0,0,0,0,0,0,0 fpsr=0x14
    ucvtf   h0, w1, #4

# ucvtf h sets OFC IXC
# in:  x1=0x7ffffffffffffffe
# out: v0.8h=0x7c00,0,0,0,0,0,0,0 fpsr=0x14
    ucvtf   h0, x1, #4

# ucvtf, reserved
# out: sigill pc=code+0
    .inst 0x1e83f020

# fcvtzu w sets IOC
# in:  v1.4s=0x42100d5e,0xbf800000,0x42ea8955,0x2bba594b
# out: x0=0xffffffff fpsr=0x1
    fcvtzu  w0, s1, #29

# fcvtzu x sets IOC
# in:  v1.4s=0x7f800001,0xbf6228c1,0x477fe000,0xc054f104
# out: x0=0x0 fpsr=0x1
    fcvtzu  x0, s1, #29

# fcvtzu x sets IXC
# in:  v1.2d=0x400921fb54442d18,0x8000000000000000
# out: x0=0x32 fpsr=0x10
    fcvtzu  x0, d1, #4

# fcvtzu w
# in:  v1.8h=0x3c00,0xc832,0x7c01,0xfc00,0xa378,0xb7f8,0x392b,0x3c00
# out: x0=0x10
    fcvtzu  w0, h1, #4

# fcvtzu x sets IOC
# in:  v1.8h=0xb9e8,0x3d38,0x3e00,0x4900,0xb9f7,0x7c01,0xb615,0xb7b3
# out: x0=0x0 fpsr=0x1
    fcvtzu  x0, h1, #4

# fcvtzu, reserved
# out: sigill pc=code+0
    .inst 0x1e99f020

# fmov w rounding up
# in:  v1.4s=0x007fffff,0x80000000,0x3f800000,0x4216b53a fpcr=0x400000
# out: x0=0x7fffff
    fmov    w0, s1

# fmov s
# in:  x1=0x0
# out: v0.4s=0,0,0,0
    fmov    s0, w1

# fmov x
# in:  v1.2d=0xbfee57e8c3599354,0x7ff0000000000001
# out: x0=0xbfee57e8c3599354
    fmov    x0, d1

# fmov d
# in:  x1=0x2
# out: v0.2d=2,0
    fmov    d0, x1

# fmov x towards zero
# in:  v1.2d=0xc3bb27135a68a409,0 fpcr=0xc00000
# out: x0=0x0
    fmov    x0, v1.d[1]

# fmov d
# in:  v0.2d=0xc043ec7a6f10e7b0,0xc004000000000000 x1=0xfffffffffffffffe
# out: v0.2d=0xc043ec7a6f10e7b0,0xfffffffffffffffe
    fmov    v0.d[1], x1

# fmov w rounding down
# in:  v1.8h=0xaf3a,0x3e00,0x3e00,0xbc00,0x3f01,0x3824,0xcab2,0xbc00 fpcr=0x800000
# out: x0=0xaf3a
    fmov    w0, h1

# fmov x
# in:  v1.8h=0xbb6d,0x3555,0x9a9b,0x4a9a,0x3afd,0xba69,0xc891,0x7c01
# out: x0=0xbb6d
    fmov    x0, h1

# fmov h
# in:  x1=0xe0d2e3aa
# out: v0.8h=0xe3aa,0,0,0,0,0,0,0
    fmov    h0, w1

# fmov h
# in:  x1=0x531613ed30e35019
# out: v0.8h=0x5019,0,0,0,0,0,0,0
    fmov    h0, x1

# fjcvtzs w sets IOC
# in:  v1.2d=0x7ff8000000000000,0x40205dea1ed51086
# out: x0=0x0 fpsr=0x1
    fjcvtzs w0, d1
