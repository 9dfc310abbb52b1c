# SPDX-License-Identifier: GPL-2.0-or-later
# Flags as numbers (DDI 0487, C6.2 MRS, MSR NZCV, CFINV, RMIF, SETF8, SETF16, AXFLAG, XAFLAG).

# mrs packs them
# in:  nzcv=NzCV
# out: x0=0xb0000000
    mrs     x0, nzcv

# msr ignores the other bits
# in:  x0=0xffffffff4fffffff
# out: nzcv=nZcv
    msr     nzcv, x0

# cfinv
# in:  nzcv=NzcV
# out: nzcv=NzCV
    cfinv

# rmif takes only the flags of its mask
# in:  x0=0xb00 nzcv=nzcv
# out: nzcv=NzCv
    rmif    x0, #8, #10

# setf8: bit 7 is N, overflow when bit 8 differs, carry stays
# in:  x0=0x80 nzcv=nzCv
# out: nzcv=NzCV
    setf8   w0

# setf8 of zero
# in:  x0=0xffffff00 nzcv=nzcv
# out: nzcv=nZcV
    setf8   w0

# setf16
# in:  x0=0x18000 nzcv=nzcv
# out: nzcv=Nzcv
    setf16  w0

# axflag of unordered
# in:  nzcv=nzCV
# out: nzcv=nZcv
    axflag

# xaflag of equal
# in:  nzcv=nZCv
# out: nzcv=nZCv
    xaflag

# xaflag of less than
# in:  nzcv=nzcv
# out: nzcv=Nzcv
    xaflag

# a reserved subs in the next block leaves the flags of before
# in:  x1=1 x2=1
# out: sigill nzcv=nZCv pc=code+8
    cmp     x1, x2
    b       1f
1:  .inst   0xebc6b7d4

# a reserved bics, too
# in:  x1=1 x2=2
# out: sigill nzcv=Nzcv pc=code+8
    cmp     x1, x2
    b       1f
1:  .inst   0x6a65cb80
