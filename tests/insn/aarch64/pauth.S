# SPDX-License-Identifier: GPL-2.0-or-later
# Pointer authentication (DDI 0487, C6.2 PACIA, AUTIA, XPACI, PACGA, RETAA; keys are random).

# signed and authenticated is the same again
# in:  x0=0x0000123456789abc x1=7
# out: x2=0x0000123456789abc
    mov     x2, x0
    pacia   x2, x1
    autia   x2, x1

# also with the top byte set
# in:  x0=0xab00123456789abc x1=7
# out: x2=0xab00123456789abc
    mov     x2, x0
    pacdb   x2, x1
    autdb   x2, x1

# and with the zero modifier
# in:  x0=0x0000123456789abc
# out: x2=0x0000123456789abc
    mov     x2, x0
    paciza  x2
    autiza  x2

# xpaci strips any code
# in:  x0=0x0000123456789abc x1=7
# out: x2=0x0000123456789abc
    mov     x2, x0
    pacib   x2, x1
    xpaci   x2

# xpacd of an address of the upper half
# in:  x2=0xff80123456789abc
# out: x2=0xffff123456789abc
    xpacd   x2

# a return address under the stack pointer, and back by retaa
# out: x30=0 x0=6
    adr     x30, 1f
    paciasp
    mov     x0, #6
    retaa
1:  mov     x30, #0

# the key matters: authentication with another one fails and says so in bits 54 and 53
# in:  x0=0x0000123456789abc x1=7
# out: x2=0 x3=0
    mov     x2, x0
    pacia   x2, x1
    xpaci   x2
    eor     x2, x2, x0
    mov     x3, #0

# a pointer that is not canonical never passes
# in:  x0=0x0010123456789abc x1=7
# out: x2=0x0020123456789abc x3=0x0040123456789abc
    mov     x2, x0
    mov     x3, x0
    pacia   x2, x1
    autia   x2, x1
    pacib   x3, x1
    autib   x3, x1

# pacga fills the upper half only
# in:  x0=1 x1=2
# out: x2=0
    pacga   x2, x0, x1
    and     x2, x2, #0xffffffff

# ldraa loads through an authenticated pointer
# in:  x0=mem+8 x2=mem+8 mem+16=1122334455667788
# out: x1=0x8877665544332211
    pacdza  x0
    ldraa   x1, [x0, #8]
    mov     x0, x2

# ldrab with write-back leaves the plain address
# in:  x0=mem+24 mem+16=1122334455667788
# out: x1=0x8877665544332211 x0=mem+16
    pacdzb  x0
    ldrab   x1, [x0, #-8]!

# calls through authenticated pointers
# out: x16=0 x30=code+12 x0=4
    adr     x16, 1f
    paciza  x16
    blraaz  x16
1:  mov     x0, #4
    mov     x16, #0

# a call and a jump through pointers authenticated with a modifier
# in:  x1=7
# out: x16=0 x30=code+12 x0=4
    adr     x16, 1f
    pacib   x16, x1
    blrab   x16, x1
1:  adr     x16, 2f
    pacia   x16, x1
    braa    x16, x1
    mov     x0, #1
2:  mov     x0, #4
    mov     x16, #0

# a jump with the zero modifier
# out: x16=0 x0=4
    adr     x16, 1f
    pacizb  x16
    brabz   x16
    mov     x0, #1
1:  mov     x0, #4
    mov     x16, #0

# x17 is signed with x16, the link register stripped in place
# in:  x16=9 x17=0x0000123456789abc x30=0x0000123456789abc
    pacia1716
    autia1716
    paciasp
    xpaclri
