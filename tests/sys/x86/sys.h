/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the x86 system level are written with (gas, AT&T).  The start is 16-bit real mode at label "start", CS = F000,
 * DS = SS = 0, SP = 7000h; memory from 0 to 9FFFFh is free.  Tests print with `say` and `hex`: the same on every engine and the
 * reference, which is what run.py compares; `finish` ends.
 */
/* Labels are offsets in segment F000; this is the linear address. */
#define ABS(x) ((x) + 0xf0000)

.macro say16 text
    jmp 772f
771: .asciz "\text"
772:
    push %si
    mov $771b, %si
773: mov %cs:(%si), %al
    test %al, %al
    je 774f
    out %al, $0xe9
    inc %si
    jmp 773b
774: pop %si
.endm

/* 32- and 64-bit code. */
.macro say text
    jmp 772f
771: .asciz "\text"
772:
    mov $ABS(771b), %esi
773: mov (%esi), %al
    test %al, %al
    je 774f
    out %al, $0xe9
    inc %esi
    jmp 773b
774:
.endm

.macro finish
    mov $0x10, %al
    out %al, $0xf4
775: hlt
    jmp 775b
.endm

.macro head
    .section .reset, "ax"
    .code16
    ljmp $0xf000, $start
    .text
    .code16
.endm

.macro begin
start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %sp
.endm
