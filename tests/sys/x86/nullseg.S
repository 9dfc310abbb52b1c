/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segment registers that go out of reach when privilege is lost (SDM 2, IRET, RET: "RETURN-TO-OUTER-PRIVILEGE-LEVEL"), on a model of Intel's: FS and
 * GS that are null keep the bases that MSRs gave them.  A line: FS and its base, GS and its base, ES.
 * cpu: kvm64,+pdpe1gb
 */
#include "sys.h"
DS0 = 0x10
DS3 = 0x20 + 3
CS3 = 0x28 + 3
TR = 0x30
FS_BASE = 0xc0000100
GS_BASE = 0xc0000101

    head
    begin
    to_protected
    flat_gdt 0x7ff, quad
    .quad 0x00af9b000000ffff /* 18 */
    .quad 0x00cff3000000ffff /* 20 */
    .quad 0x00affb000000ffff /* 28 */
    .quad 0x0000890030000067, 0 /* 30 */
gdt_end:

    .code32
in32:
    segments32
    one_gib
    to_long 0x80000000, 0x100
    .code64
printers64

.macro msr number
    mov $\number, %ecx
    rdmsr
    shl $32, %rdx
    or %rdx, %rax
    call hex64
    call space
.endm
.macro write number, value
    mov $\number, %ecx
    mov $\value, %eax
    mov $0x7fff, %edx
    wrmsr
.endm
/* In privilege 3 with @es, @fs and @gs from privilege 0, and back. */
.macro down text, how, es, fs, gs
    say "\text: "
    mov $\es, %eax
    mov %eax, %es
    mov $\fs, %eax
    mov %eax, %fs
    mov $\gs, %eax
    mov %eax, %gs
    write FS_BASE, 0x1234000
    write GS_BASE, 0x5678000
    movl $ABS(9f), 0x3c00
    .ifc \how, iretq
    pushq $DS3
    pushq $0x8000
    pushq $0x3002
    pushq $CS3
    mov $ABS(1f), %eax
    push %rax
    iretq
    .else
    pushq $DS3
    pushq $0x8000
    pushq $CS3
    mov $ABS(1f), %eax
    push %rax
    lretq
    .endif
1:  int $0x40
9:
.endm

    stubs66
common: /* vector, error, RIP, CS, RFLAGS, RSP, SS */
    mov %fs, %eax
    call hex8
    call space
    msr FS_BASE
    mov %gs, %eax
    call hex8
    call space
    msr GS_BASE
    mov %es, %eax
    call hex8
    call newline
    mov $0x7000, %esp
    mov 0x3c00, %eax
    jmp *%rax

in64:
    mov $0x7000, %esp
    copy_gdt
    mov $ABS(gdtr2), %eax
    lgdt (%rax)
    gates64 IDT, 0x8e
    orb $0x60, IDT + 0x40 * 16 + 5
    mov $ABS(idtr), %eax
    lidt (%rax)
    mov $TSS, %edi
    xor %eax, %eax
    mov $26, %ecx
    rep stosl
    movl $0x6f00, TSS + 4
    mov $TR, %eax
    ltr %ax
    down "iret, null", iretq, 0, 0, 0
    down "iret, in reach", iretq, DS3, DS3, DS3
    down "iret, es out of reach", iretq, DS0, 0, DS3
    down "ret, null", lretq, 0, 0, 0
    down "ret, es out of reach", lretq, DS0, DS3, 0
    finish
