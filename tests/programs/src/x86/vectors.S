/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For gdb: vector and x87 registers with known values at stop_here; returns 9 when gdb has changed XMM1's first word to 7. */
    .globl main, stop_here
    .text
main:
    vmovups values(%rip), %ymm3
    movups values(%rip), %xmm1
    fldpi
stop_here:
    nop
    fstp %st(0)
    movd %xmm1, %eax
    cmp $7, %eax
    mov $9, %eax
    je 1f
    mov $1, %eax
1:  vzeroupper
    ret
    .section .rodata
    .balign 32
values:
    .long 1, 2, 3, 4, 5, 6, 7, 8
    .section .note.GNU-stack, "", @progbits
