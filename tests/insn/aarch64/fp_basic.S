# SPDX-License-Identifier: GPL-2.0-or-later
# Scalar floating point and its cumulative flags (DDI 0487, A1.5 and C7.2).

# fadd
# in:  d1=1.5 d2=2.25
# out: d0=3.75
    fadd    d0, d1, d2

# fdiv by zero sets DZC
# in:  s1=1.0 s2=0.0
# out: s0=inf fpsr=2
    fdiv    s0, s1, s2

# fadd of a signalling NaN makes it quiet and sets IOC
# in:  d1=0x7ff0000000000001 d2=1.0
# out: d0=0x7ff8000000000001 fpsr=1
    fadd    d0, d1, d2

# the first operand's NaN wins
# in:  d1=0x7ff8000000000001 d2=0x7ff8000000000002
# out: d0=0x7ff8000000000001
    fmul    d0, d1, d2

# an inexact result sets IXC
# in:  d1=1.0 d2=3.0
# out: d0=0x3fd5555555555555 fpsr=0x10
    fdiv    d0, d1, d2

# rounding up
# in:  d1=1.0 d2=3.0 fpcr=0x400000
# out: d0=0x3fd5555555555556 fpsr=0x10
    fdiv    d0, d1, d2

# lanes
# in:  v1.4s=1.0,2.0,3.0,-4.0 v2.4s=1.0,0.5,2.0,0.25
# out: v0.4s=2.0,2.5,5.0,-3.75
    fadd    v0.4s, v1.4s, v2.4s

# half precision rounds
# in:  h1=1.0 h2=0x3555
# out: h0=0x3d55 fpsr=0x10
    fadd    h0, h1, h2
