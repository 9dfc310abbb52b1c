/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode: the state at entry and as it is saved (SDM 3C, 32.4 and 32.5; APM 2, 10.2.3), what RSM takes back, moving
 * SMBASE, SMI in protected, long and virtual-8086 mode.  Port B2h asks for one; on the reference's pc that wants bit 25 of
 * register 58h of the power management function (82371AB data sheet, device activity B).
 *
 * cpu: max
 */
#include "sys.h"
#ifdef FORM32
#define RAX_AT  0xffd0
#define FLAGS_AT 0xfff4
#define CR0_AT  0xfffc
#define CR3_AT  0xfff8
#define TR_AT   0xffc4
#define BASE_AT 0xfef8
#else
#define RAX_AT  0xfff8
#define FLAGS_AT 0xff70
#define CR0_AT  0xff58
#define CR3_AT  0xff50
#define TR_AT   0xfe90
#define BASE_AT 0xff00
#endif
#define REVISION_AT 0xfefc

/* It is taken at once, or soon. */
.macro smi
    mov $0x77, %al
    out %al, $0xb2
    mov $1000, %ecx
776: loop 776b
.endm

    head
    begin
    mov $0x80000b58, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    or $0x2000000, %eax
    out %eax, %dx
    to_protected
    flat_gdt
    .quad 0x00af9b000000ffff /* 18: 64-bit */
    .quad 0x0000890030002067 /* 20: TSS, all ports allowed */
    .quad 0x0040930050000fff /* 28: small */
    .quad 0
    .quad 0
gdt_end:

    .code32
    printers32
word:
    call hex32
    jmp space

in32:
    segments32
    copy_gdt
    lgdt ABS(gdtr2)
    mov $IDT, %edi
    movl $0x00080000 + (undefined), IDT + 6 * 8
    movl $0x000f8e00, IDT + 6 * 8 + 4
    movl $0x00080000 + (protection), IDT + 13 * 8
    movl $0x000f8e00, IDT + 13 * 8 + 4
    lidt ABS(idtr)
    movl $0x6f00, TSS + 4
    movl $0x10, TSS + 8
    movw $0x68, TSS + 102
    mov $0x20, %ax
    ltr %ax
    mov $ABS(handler), %esi
    mov $0x38000, %edi
    mov $handler_end - handler, %ecx
    rep movsb
    mov $ABS(handler), %esi
    mov $0x58000, %edi
    mov $handler_end - handler, %ecx
    rep movsb

    say "outside: "
    rsm
    ud2
undefined:
    say "undefined\n"
    mov $0x7000, %esp

    say "protected:\n"
    mov $0x28, %ax
    mov %ax, %fs
    mov $0xc0000080, %ecx       /* EFER.NXE is not lost */
    xor %edx, %edx
    mov $0x800, %eax
    wrmsr
    mov $0x12340000, %eax
    stc
    smi
    setc %bl
    call word /* what the handler left in EAX */
    movzbl %bl, %eax
    call word
    mov $0xc0000080, %ecx
    rdmsr
    call word
    mov %fs:4, %eax
    mov %cr0, %eax
    and $0x7fffffff, %eax
    call word
    str %eax
    call word
    lsl %eax, %eax
    call newline
    say "again, moved to 50000:\n"
    movl $0x50000, 0x600
    smi
    movl $0, 0x600
    call newline
    smi
    call newline

    say "virtual-8086:\n"
    push $0
    push $0
    push $0
    push $0
    push $0
    push $0x6000
    push $0x23002
    push $0xf000
    push $in_v86
    iret
protection: /* HLT of that mode */
    mov $0x10, %ax
    mov %ax, %ds
    mov 12(%esp), %eax
    call word /* flags it had */
    mov 8(%esp), %eax
    call word /* CS */
    call newline
    mov $0x7000, %esp
    mov %esp, %ebp
#ifdef FORM32
    finish
#else
    say "long:\n"
    mov $0x10, %ax
    mov %ax, %es
    mov $PML4, %edi
    mov $0x3000 / 4, %ecx
    xor %eax, %eax
    rep stosl
    movl $PDPT + 3, PML4
    movl $PD + 3, PDPT
    movl $0x83, PD
    to_long 0x80000000, 0x100
    .code64
in64:
    movabs $0x123456789abcdef0, %r15
    movabs $0x1122334400000000, %rax
    smi
    mov %rax, %rbx
    mov $0xc0000080, %ecx
    rdmsr
    mov %eax, %esi
    mov %rbx, %rax
    shr $32, %rax
    ljmp *back(%rip)
back: .long ABS(in32_again)
    .word 8
    .code32
in32_again:
    call word
    mov %esi, %eax
    call word
    call newline
    finish
#endif

    .code16
in_v86:
    smi
    hlt

/* At offset 8000h of SMBASE.  Flat data segments; prints what it finds. */
handler:
    jmp go
digits:
    mov $8, %cx
1:  rol $4, %eax
    push %ax
    and $15, %al
    cmp $10, %al
    jb 2f
    add $7, %al
2:  add $'0', %al
    out %al, $0xe9
    pop %ax
    loop 1b
    push %ax
    mov $' ', %al
    out %al, $0xe9
    pop %ax
    ret
go: mov $0x7800, %esp
    mov %cs, %eax
    call digits
    shl $4, %eax
    mov %eax, %ebx
    mov %cr0, %eax
    and $0x9fffffff, %eax
    call digits
    mov %cr4, %eax
    call digits
    pushfl
    pop %eax
    call digits
    mov %ds, %eax
    call digits
    mov %dr7, %eax
    call digits
    mov REVISION_AT(%ebx), %eax
    call digits
    mov BASE_AT(%ebx), %eax
    call digits
    mov $10, %al
    out %al, $0xe9
    mov CR0_AT(%ebx), %eax
    and $0x9fffffff, %eax
    call digits
    mov CR3_AT(%ebx), %eax
    call digits
    mov FLAGS_AT(%ebx), %eax
    call digits
    mov RAX_AT(%ebx), %eax
    call digits
    mov TR_AT(%ebx), %ax
    movzwl %ax, %eax
    call digits
    mov $10, %al
    out %al, $0xe9
    incl RAX_AT(%ebx)
    mov 0x600, %eax
    test %eax, %eax
    je 5f
    mov %eax, BASE_AT(%ebx)
5:  rsm
handler_end:
