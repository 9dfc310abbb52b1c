/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long mode: the way in, exceptions with their error codes, NX, SMEP, interrupt stacks, SYSCALL and SYSRET, canonical addresses. */
#include "sys.h"
#define RESUME 0x3400
#define RESUME_SP 0x3408

.macro try to
    movl $ABS(\to), RESUME
    mov %rsp, RESUME_SP
.endm

    head
    begin
    to_protected
    flat_gdt 0xfff, quad
    .quad 0x00af9b000000ffff /* 18: 64-bit */
    .quad 0x00cf93000000ffff /* 20 */
    .quad 0x00cffb000000ffff /* 28: SYSRET's 32-bit code */
    .quad 0x00cff3000000ffff /* 30: its stack */
    .quad 0x00affb000000ffff /* 38: its 64-bit code */
    .quad 0x0000890030000067 /* 40: TSS */
    .quad 0
gdt_end:

    .code32
in32:
    segments32
    copy_gdt
    paging64 7
    movl $0x80000000, PT + 0x50 * 8 + 4 /* not to be executed */
    movl $0x51003, PT + 0x51 * 8        /* supervisor */
    movl $0, PT + 0x52 * 8              /* not there */
    movb $0xc3, 0x50000                 /* ret */
    to_long 0x80010000, 0x901

    .code64
    printers64

in64:
    mov $0x7000, %esp
    rdmsr
    call hex64 /* EFER */
    call newline
    mov $ABS(gdtr2), %eax
    lgdt (%rax)
    gates64 IDT, 0x8f
    movb $1, IDT + 3 * 16 + 4      /* INT3 on interrupt stack 1 */
    orb $0x60, IDT + 0x40 * 16 + 5
    mov $ABS(idtr), %eax
    lidt (%rax)
    movq $0x6f00, TSS + 4
    movq $0x6a00, TSS + 36
    mov $0x40, %ax
    ltr %ax

    try 1f
    movabs $0x8000000000000000, %rax
    mov (%rax), %rbx
1:  try 1f
    mov 0x52008, %rax
1:  try 1f
    movq $1, 0x52008
1:  try 1f
    mov $0x50000, %eax
    call *%rax
1:  try 1f
    int3
1:  try 1f
    mov $ABS(bad), %eax
    ljmp *(%rax)
bad: .long 0
    .word 0x20
1:  try 1f
    movabs $0x123400000000, %rax
    mov (%rax), %al
1:
    /* down by SYSRET, up by SYSCALL */
    mov $0xc0000081, %ecx
    xor %eax, %eax
    mov $0x00280018, %edx
    wrmsr
    inc %ecx
    mov $ABS(by_syscall), %eax
    xor %edx, %edx
    wrmsr
    add $2, %ecx
    mov $0x200, %eax
    wrmsr
    mov $ABS(user), %ecx
    mov $0x202, %r11d
    mov $0x6400, %esp
    sysretq
user:
    mov %cs, %eax
    mov %ss, %ebx
    syscall
    movl $ABS(1f), RESUME
    movq $0x7000, RESUME_SP
    mov 0x51008, %rax
1:  finish

by_syscall:
    mov %rcx, %r15
    mov $0x6e00, %esp
    call hex64
    mov %rbx, %rax
    call hex64
    mov %r11, %rax
    call hex64
    pushf
    pop %rax
    call hex64
    mov %cs, %eax
    call hex64
    call newline
    /* back by IRETQ: a user access that faults goes on at label 1 with privilege 0 */
    pushq $0x33
    pushq $0x6400
    pushq $0x202
    pushq $0x3b
    push %r15
    iretq

    stubs66
common:
    mov (%rsp), %al
    call hex8
    call space
    mov 8(%rsp), %rax
    call hex64
    call space
    mov 24(%rsp), %eax
    call hex8
    call space
    mov %rsp, %rax
    call hex64
    cmpl $14, (%rsp)
    jne 1f
    call space
    mov %cr2, %rax
    call hex64
1:  call newline
    mov RESUME_SP, %rsp
    jmp *RESUME
