# SPDX-License-Identifier: GPL-2.0-or-later
# Common short sequences (DDI 0487, C6.2 ABS, CNT, CTZ, SMAX, SMIN, UMAX, UMIN; FEAT_CSSC), and the
# branch that is consistent (BC.cond, FEAT_HBC).  Assemblers of today do not know them.

# smax and umax of an immediate: -3 as signed, 253 as unsigned
# in:  x1=0xfffffffffffffff0
# out: x0=0xfffffffffffffffd x2=0xfffffffffffffff0
# skip: reference it does not have FEAT_CSSC
    .inst   0x91c3f420  // smax x0, x1, #-3
    .inst   0x91c7f422  // umax x2, x1, #253

# smin and umin of an immediate, 32 bits
# in:  x1=0xffffffff00000007
# out: x0=0xfffffffd x2=7 x3=5
# skip: reference it does not have FEAT_CSSC
    .inst   0x11cbf420  // smin w0, w1, #-3
    .inst   0x11cff422  // umin w2, w1, #253
    .inst   0x11cc1423  // umin w3, w1, #5

# maxima and minima of registers
# in:  x1=0x8000000000000000 x2=1
# out: x3=1 x4=0x8000000000000000 x5=0x8000000000000000 x6=1
# skip: reference it does not have FEAT_CSSC
    .inst   0x9ac26023  // smax x3, x1, x2
    .inst   0x9ac26424  // umax x4, x1, x2
    .inst   0x9ac26825  // smin x5, x1, x2
    .inst   0x9ac26c26  // umin x6, x1, x2

# maxima and minima of words ignore the upper halves
# in:  x1=0xf000000000000005 x2=0x80000004
# out: x3=5 x4=0x80000004 x5=0x80000004 x6=5
# skip: reference it does not have FEAT_CSSC
    .inst   0x1ac26023  // smax w3, w1, w2
    .inst   0x1ac26424  // umax w4, w1, w2
    .inst   0x1ac26825  // smin w5, w1, w2
    .inst   0x1ac26c26  // umin w6, w1, w2

# trailing zeros and ones; the width when there is none
# in:  x1=0xff00000000 x2=0
# out: x3=32 x4=32 x5=64 x6=8 x7=0
# skip: reference it does not have FEAT_CSSC
    .inst   0xdac01823  // ctz x3, x1
    .inst   0x5ac01824  // ctz w4, w1
    .inst   0xdac01845  // ctz x5, x2
    .inst   0xdac01c26  // cnt x6, x1
    .inst   0x5ac01c27  // cnt w7, w1

# absolute values wrap
# in:  x1=0x8000000000000000 x2=0xfffffffffffffffb x3=0xffffffff80000001
# out: x4=0x8000000000000000 x5=5 x6=0x7fffffff
# skip: reference it does not have FEAT_CSSC
    .inst   0xdac02024  // abs x4, x1
    .inst   0xdac02045  // abs x5, x2
    .inst   0x5ac02066  // abs w6, w3

# bc.cond goes where b.cond goes
# in:  x0=0 nzcv=nZcv
# out: x0=2
# skip: reference it does not have FEAT_HBC
    .inst   0x54000050  // bc.eq .+8
    add     x0, x0, #1
    .inst   0x54000051  // bc.ne .+8
    add     x0, x0, #2
