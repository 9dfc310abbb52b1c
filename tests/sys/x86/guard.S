/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guards supervisors: SMEP, SMAP with STAC, CLAC and implicit accesses, UMIP, protection keys; and five-level paging (SDM 3A, 4.5, 4.6,
 * 4.7; SDM 2 of the instructions).  Each line of an exception: vector, error code, privilege that was left, CR2 of page faults.
 */
#include "sys.h"
#define RESUME 0x3800
#define RESUME_SP 0x3808
#define SAVED_BX 0x3810
#define PML5   0xf000
#define UPAGE  0x50000 /* user, with key 0; everything else up to 1 MiB is the supervisor's */
#define UCODE  0x51000
#define USTACK 0x52000
#define KEYED  0x53000 /* user, key 5 */
#define KEYED_RO 0x54000 /* user, key 5, read only */
#define SKEYED 0x55000 /* supervisor, key 5 */
#define UTABLE 0x56000 /* user: a GDT may be here */

    head
    begin
    to_protected
    flat_gdt 0xfff, quad
    .quad 0x00af9b000000ffff /* 18: 64-bit */
    .quad 0x00cf93000000ffff /* 20 */
    .quad 0x00cff3000000ffff /* 28 */
    .quad 0x00affb000000ffff /* 30: 64-bit, user */
    .quad 0x0000890030000067 /* 38: TSS */
    .quad 0
    .quad 0x00cff2000000ffff /* 48: not accessed yet */
    .quad 0x000082056000004f /* 50: LDT, in a user page */
    .quad 0
gdt_end:

    .code32
in32:
    segments32
    copy_gdt
    mov $PML5, %edi
    mov $0x400, %ecx
    xor %eax, %eax
    rep stosl
    paging64 3
    movl $PML4 + 7, PML5
    movl $PML4 + 7, PML5 + 0x100 * 8 /* the upper half of 57 bits: the same */
    movl $UPAGE + 7, PT + 0x50 * 8
    movl $UCODE + 7, PT + 0x51 * 8
    movl $USTACK + 7, PT + 0x52 * 8
    movl $KEYED + 7, PT + 0x53 * 8
    movl $5 << 27, PT + 0x53 * 8 + 4
    movl $KEYED_RO + 5, PT + 0x54 * 8
    movl $5 << 27, PT + 0x54 * 8 + 4
    movl $5 << 27, PT + 0x55 * 8 + 4
    movl $UTABLE + 7, PT + 0x56 * 8
    movb $0xc3, UPAGE + 0x100           /* ret */
    to_long 0x80010000, 0x900

    .code64
    printers64

/* Goes on behind @code, which raises something or does not: then "ok". */
.macro try code:vararg
    try_all "\code"
.endm
/* The same at privilege 3: @code is copied to where it may run. */
.macro user code:vararg
    user_all "\code"
.endm
/* Several instructions, in quotation marks. */
.macro try_all code
    movl $ABS(771f), RESUME
    mov %rsp, RESUME_SP
    \code
    mov $ABS(fine), %eax
    call *%rax
771:
.endm
.macro user_all code
    jmp 774f
772: \code
    int $0x40
773:
774: movl $ABS(775f), RESUME
    mov %rsp, RESUME_SP
    mov $ABS(772b), %esi
    mov $773b - 772b, %ecx
    call down
775:
.endm
.macro cr4_on bit
    mov %cr4, %rax
    bts $\bit, %rax
    mov %rax, %cr4
.endm
.macro cr4_off bit
    mov %cr4, %rax
    btr $\bit, %rax
    mov %rax, %cr4
.endm

fine:
    say "ok\n"
    ret
down:
    stac
    mov $UCODE, %edi
    rep movsb
    clac
    pushq $0x2b
    pushq $USTACK + 0xff0
    pushq $0x202
    pushq $0x33
    pushq $UCODE
    iretq

in64:
    mov $0x7000, %esp
    mov $ABS(gdtr2), %eax
    lgdt (%rax)
    gates64 IDT, 0x8e
    orb $0x60, IDT + 0x40 * 16 + 5
    mov $ABS(idtr), %eax
    lidt (%rax)
    movq $0x6f00, TSS + 4
    movb $1, IDT + 12 * 16 + 4 /* #SS on a stack that is good */
    movq $0x6a00, TSS + 36
    mov $0x38, %ax
    ltr %ax
    cr4_on 21 /* for STAC in down() */

    say "smep:\n"
    mov $UPAGE + 0x100, %ebx
    stac
    try call *%rbx
    cr4_on 20
    try call *%rbx
    cr4_off 20
    try call *%rbx
    clac

    say "smap:\n"
    try mov UPAGE, %rax
    try movq $1, UPAGE
    try lock incq UPAGE
    stac
    try mov UPAGE, %rax
    try movq $1, UPAGE
    clac
    try mov UPAGE, %rax
    user mov UPAGE, %rax
    user stac
    user clac
    pushf                   /* EFLAGS.AC by POPF is as good */
    orl $0x40000, (%rsp)
    popf
    try mov UPAGE, %rax
    pushf
    andl $~0x40000, (%rsp)
    popf
    try mov UPAGE, %rax
    mov $UPAGE, %edi
    mov $4, %ecx
    try rep stosb
    try fxsave UPAGE
    /* a descriptor table in a user page: implicit, STAC does not help */
    stac
    mov $ABS(gdt), %esi
    mov $UTABLE, %edi
    mov $0x50 / 4, %ecx
    rep movsl
    mov $0x50, %eax
    lldt %ax
    mov $0x24, %ebx
    try mov %ebx, %fs
    cr4_off 21
    try mov %ebx, %fs
    cr4_on 21
    clac
    mov $0x48, %ebx
    user_all "mov $0x4b, %ebx; mov %ebx, %fs" /* a user's load is a supervisor access, too, and sets the accessed bit */
    mov GDT + 0x48, %rax
    call hex64
    call newline

    say "umip:\n"
    user sgdt -16(%rsp)
    user sidt -16(%rsp)
    user sldt %eax
    user str %eax
    user smsw %eax
    cr4_on 11
    user sgdt -16(%rsp)
    user sidt -16(%rsp)
    user sldt %eax
    user str %eax
    user smsw %eax
    user sldt -16(%rsp)
    user smsw -16(%rsp)
    try smsw %eax
    try sgdt -16(%rsp)
    cr4_off 11

    cr4_off 21
    say "keys:\n"
    try_all "xor %ecx, %ecx; rdpkru"
    cr4_on 22
    try_all "xor %ecx, %ecx; rdpkru"
    try_all "mov $1, %ecx; rdpkru"
    try_all "xor %ecx, %ecx; xor %eax, %eax; mov $1, %edx; wrpkru"
    xor %ecx, %ecx
    rdpkru
    call hex64
    mov %rdx, %rax
    call hex64
    call newline
    .macro key bits
    xor %ecx, %ecx
    xor %edx, %edx
    mov $\bits << 10, %eax
    wrpkru
    .endm
    key 0
    try mov KEYED, %rax
    try movq $1, KEYED
    try movq $1, KEYED_RO
    key 1 /* no access */
    try mov KEYED, %rax
    try movq $1, KEYED
    try mov UPAGE, %rax
    try mov SKEYED, %rax
    try movq $1, SKEYED
    try movq $1, KEYED_RO
    user mov KEYED, %rax
    user movq $1, KEYED
    user_all "xor %ecx, %ecx; rdpkru"
    key 2 /* no writes */
    try mov KEYED, %rax
    try movq $1, KEYED
    mov %cr0, %rax
    and $~0x10000, %rax
    mov %rax, %cr0
    try movq $1, KEYED /* without WP supervisors may */
    user movq $1, KEYED
    mov %cr0, %rax
    or $0x10000, %rax
    mov %rax, %cr0
    try movq $1, KEYED
    key 0
    movb $0xc3, KEYED
    key 3
    mov $KEYED, %ebx
    try call *%rbx /* fetches do not mind */
    user_all "mov $0x53000, %ebx; xor %ecx, %ecx; xor %edx, %edx; xor %eax, %eax; wrpkru; mov (%rbx), %rax"
    try mov KEYED, %rax
    cr4_off 22
    try mov KEYED, %rax

    say "57 bits:\n"
    cr4_on 22
    movabs $0x00ff000000000000, %rbx
    try mov (%rbx), %rax
    mov %cr4, %rax
    bts $12, %rax
    try mov %rax, %cr4 /* not in long mode */
    cli
    mov $ABS(out), %eax
    jmp *%rax
out:
    mov $ABS(far32), %eax
    ljmp *(%rax)
far32: .long ABS(compat)
    .word 8
    .code32
compat:
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    mov %cr4, %eax
    or $1 << 12, %eax
    mov %eax, %cr4
    mov $PML5, %eax
    mov %eax, %cr3
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmp $0x18, $ABS(five)
    .code64
five:
    try mov UCODE + 8, %rbp
    movabs $0xff00000000057000, %rbx /* index 100h of the fifth level */
    movq $0x5566, 0x57000
    try mov (%rbx), %rbp
    mov %rbp, %rax
    call hex64
    call newline
    movabs $0x00ff000000000000, %rbx /* canonical now, and not there */
    try mov (%rbx), %rbp
    movabs $0x0100000000000000, %rbx
    try mov (%rbx), %rbp
    movabs $0xfeffffffffffffff, %rbx
    try mov (%rbx), %rbp
#ifndef REFERENCE
    movabs $0x0200000000000000, %rsp
    movl $ABS(1f), RESUME
    movq $0x7000, RESUME_SP
    push %rax                       /* #SS, as all addresses by RSP and RBP */
1:  movabs $0x0100000000000000, %rbp
    try mov 8(%rbp), %rax
    try mov %fs:8(%rbp), %rax
    try leave
#endif
    movabs $0x0100000000000000, %rbx
    try jmp *%rbx
    mov $0xc0000082, %ecx /* LSTAR */
    xor %eax, %eax
    mov $0x00ff0000, %edx
    try wrmsr
    mov $0x01000000, %edx
    try wrmsr
    orb $0x80, PML5 + 8 /* a page at the fifth level: reserved */
    orb $1, PML5 + 8
    movabs $0x0001000000000000, %rbx
    try mov (%rbx), %rbp
    mov %cr4, %rax
    btr $12, %rax
    try mov %rax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    call hex64
    call newline
    mov PML5, %rax
    call hex64
    call newline
    finish

    stubs66
/* INT 40h is how code at privilege 3 says that nothing was raised. */
common:
    cmpl $0x40, (%rsp)
    jne 1f
    mov $ABS(fine), %eax
    call *%rax
    jmp 2f
1:  mov (%rsp), %al
    call hex8
    call space
    mov 8(%rsp), %rax
    call hex64
    call space
    mov 24(%rsp), %eax
    and $3, %eax
    call hex8
    cmpl $14, (%rsp)
    jne 3f
    call space
    mov %cr2, %rax
    call hex64
3:  call newline
2:  mov RESUME_SP, %rsp
    jmp *RESUME
