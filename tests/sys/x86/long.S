/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long mode: the way in, exceptions with their error codes, NX, SMEP, interrupt stacks, SYSCALL and SYSRET, canonical addresses. */
#include "sys.h"
#define GDT    0x1000
#define IDT    0x2000
#define TSS    0x3000
#define RESUME 0x3400
#define RESUME_SP 0x3408
#define PML4   0x10000
#define PDPT   0x11000
#define PD     0x12000
#define PT     0x13000

.macro try to
    movl $ABS(\to), RESUME
    mov %rsp, RESUME_SP
.endm

    head
    begin
    lgdtl %cs:gdtr
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $ABS(in32)
gdtr: .word 0x4f
    .long gdt + 0xf0000
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 08: 32-bit */
    .quad 0x00cf93000000ffff /* 10 */
    .quad 0x00af9b000000ffff /* 18: 64-bit */
    .quad 0x00cf93000000ffff /* 20 */
    .quad 0x00cffb000000ffff /* 28: SYSRET's 32-bit code */
    .quad 0x00cff3000000ffff /* 30: its stack */
    .quad 0x00affb000000ffff /* 38: its 64-bit code */
    .quad 0x0000890030000067 /* 40: TSS */
    .quad 0
idtr: .word 0xfff
    .quad IDT
gdtr2: .word 0x4f
    .quad GDT

    .code32
in32:
    segments32
    mov $ABS(gdt), %esi
    mov $GDT, %edi
    mov $0x50 / 4, %ecx
    rep movsl
    mov $PML4, %edi
    mov $0x1000, %ecx
    xor %eax, %eax
    rep stosl
    movl $PDPT + 7, PML4
    movl $PD + 7, PDPT
    movl $PT + 7, PD
    xor %ecx, %ecx
1:  mov %ecx, %eax
    shl $12, %eax
    or $7, %eax
    mov %eax, PT(, %ecx, 8)
    inc %ecx
    cmp $256, %ecx
    jb 1b
    movl $0x80000000, PT + 0x50 * 8 + 4 /* not to be executed */
    movl $0x51003, PT + 0x51 * 8        /* supervisor */
    movl $0, PT + 0x52 * 8              /* not there */
    movb $0xc3, 0x50000                 /* ret */
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $PML4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x901, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010000, %eax
    mov %eax, %cr0
    rdmsr
    mov %eax, %ebx
    ljmp $0x18, $ABS(in64)

    .code64
    printers64

in64:
    mov $0x7000, %esp
    mov %ebx, %eax
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

    .balign 16
stubs:
    .set n, 0
    .rept 66
    .balign 16
    .if (n == 8) || ((n >= 10) && (n <= 14)) || (n == 17)
    .else
    push $0
    .endif
    push $n
    jmp common
    .set n, n + 1
    .endr
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
