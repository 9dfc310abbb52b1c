# SPDX-License-Identifier: GPL-2.0-or-later
# Structure loads and stores that fault change no register (Arm would permit partly loaded ones);
# the stack pointer as base (DDI 0487, C7.2).

# the second of four registers is not readable
# in:  x1=mem+4080
# out: sigsegv pc=code+0 fault=mem+4096
# skip: reference loads in part, as Arm permits
    ld1     {v0.16b-v3.16b}, [x1], #64

# nothing is written when the last structure is not readable
# in:  x1=mem+4072
# out: sigsegv pc=code+0 fault=mem+4096
# skip: reference loads in part, as Arm permits
    ld3     {v0.8h-v2.8h}, [x1], #48

# the second lane of two is not readable
# in:  x1=mem+4092
# out: sigsegv pc=code+0 fault=mem+4096
# skip: reference loads in part, as Arm permits
    ld2     {v0.s, v1.s}[1], [x1], #8

# all registers of a replicating load or none
# in:  x1=mem+4088
# out: sigsegv pc=code+0 fault=mem+4096
# skip: reference loads in part, as Arm permits
    ld4r    {v0.2d-v3.2d}, [x1], #32

# a lane at the end of a page does not touch the next
# in:  x1=mem+4092 v4.4s=1,2,3,4
# out: x1=mem+4096
    st1     {v4.s}[0], [x1], #4

# no write-back after a fault
# in:  x1=mem+4096 x2=16
# out: sigsegv pc=code+0 fault=mem+4096
    st4     {v0.8b-v3.8b}, [x1], x2

# the stack pointer as base
# in:  sp=mem+64 mem+64=00112233445566778899aabbccddeeff
# out: sp=mem+80 v0=0xffeeddccbbaa99887766554433221100
    ld1     {v0.16b}, [sp], #16

# a register list wraps around
# in:  x1=mem mem=000102030405060708090a0b0c0d0e0f
# out: v31.8b=0,2,4,6,8,10,12,14 v0.8b=1,3,5,7,9,11,13,15
    ld2     {v31.8b, v0.8b}, [x1]
