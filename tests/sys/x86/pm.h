/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests that are tables of cases in 32-bit protected mode: `case "what"` ... `done`.  What a case raises is printed as one line
 *
 *     VECTOR ERROR CS:IP SS:SP TR
 *
 * where IP is "=" for label 8 of the case, "!" for what has come to `jumped`, ">" when it
 * has not done its instruction, else its distance from label 8, and SS:SP are those that were left.  Then everything is as
 * before: descriptors, IDT, TSS, registers, privilege 0; and the next case begins.  A file has its own descriptors from 80h on, in
 * `descriptors` ... `end_descriptors`, and its own words to set up in `set_up`.
 */
#include "sys.h"
RESUME = 0x3c00
MARK = 0x3c04
FLAGS = 0x3c08 /* EFLAGS that were left */
STACK0 = 0x6f00 /* of the TSS; the stack at the start of a case is at 7000h */
STACK1 = 0x6b00
STACK3 = 0x8000

/* Selectors. */
CS0 = 0x08
DS0 = 0x10
CS1 = (0x18 + 1)
DS1 = (0x20 + 1)
CS3 = (0x28 + 3)
DS3 = (0x30 + 3)
TR1 = 0x38
CONFORMING = 0x40 /* DPL 0 */
CS0_NP = 0x48
DS0_NP = 0x50
DS0_RO = 0x58
CS0_16 = 0x60     /* base F0000h */
DS0_16 = 0x68     /* base 0 */
CS3_SMALL = (0x70 + 3) /* limit FFh */
DS3_NP = (0x78 + 3)

.macro case text
    say "\text: "
    movl $ABS(9f), RESUME
    movl $ABS(8f), MARK
.endm
.macro done
9:  call restore
.endm

/* On at privilege 3, or 1, with the stack and all data segments of it; EFLAGS stay. */
.macro user
    push $DS3
    push $STACK3
    pushf
    push $CS3
    push $ABS(1f)
    iret
1:  mov $DS3, %eax
    mov %eax, %ds
    mov %eax, %es
.endm

/* Descriptor @sel is a gate of type and DPL @attr (8Ch: 32-bit, E0h: DPL 3) to @to in @cs, with @count parameters. */
.macro gate sel, attr, cs, to, count=0
    mov $\to, %eax
    mov %ax, GDT + \sel
    movw $\cs, GDT + \sel + 2
    mov %eax, GDT + \sel + 4
    movw $(\attr << 8) + \count, GDT + \sel + 4
.endm

.macro descriptors
    head
    begin
    to_protected
    flat_gdt
    .quad 0x00cfbb000000ffff /* 18: DPL 1 */
    .quad 0x00cfb3000000ffff /* 20 */
    .quad 0x00cffb000000ffff /* 28: DPL 3 */
    .quad 0x00cff3000000ffff /* 30 */
    .quad 0x0000890030000067 /* 38: TSS */
    .quad 0x00cf9f000000ffff /* 40: conforming */
    .quad 0x00cf1b000000ffff /* 48: not present */
    .quad 0x00cf13000000ffff /* 50 */
    .quad 0x00cf91000000ffff /* 58: read only */
    .quad 0x00009b0f0000ffff /* 60: 16 bits */
    .quad 0x000093000000ffff /* 68 */
    .quad 0x0040fb00000000ff /* 70: 100h bytes */
    .quad 0x00cf73000000ffff /* 78: not present, DPL 3 */
.endm

.macro end_descriptors
gdt_end:
    .code32
    printers32

/* Everything as at the start.  From privilege 0, whatever task, stack and segments. */
restore:
    pop %ebp
    mov $DS0, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $0x7000, %esp
    push $2
    popf
    cld
    clts
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    lldt %ax
    copy_gdt
    lgdt ABS(gdtr2)
    gates32 IDT, 0x8f
    orb $0x60, IDT + 0x40 * 8 + 5
    lidt ABS(idtr)
    mov $TSS, %edi
    mov $0x100, %ecx
    xor %eax, %eax
    rep stosl
    movl $STACK0, TSS + 4
    movl $DS0, TSS + 8
    movl $STACK1, TSS + 12
    movl $DS1, TSS + 16
    movw $0x68, TSS + 102
    mov $TR1, %eax
    ltr %ax
    set_up
    mov $0x5eed0000, %eax
    mov %eax, %ebx
    mov %eax, %ecx
    mov %eax, %edx
    mov %eax, %esi
    mov %eax, %edi
    push %ebp
    mov %eax, %ebp
    ret

    stubs66

common: /* vector, error, EIP, CS, EFLAGS, ESP, SS; of stacks of 16 bits the upper half of ESP may be anything */
    movzwl %sp, %esp
    mov $DS0, %eax
    mov %eax, %ds
    mov %eax, %es
    mov (%esp), %al
    call hex8
    call space
    mov 4(%esp), %eax
    call hex32
    call space
    mov 12(%esp), %eax
    call hex16
    call colon
    mov 16(%esp), %eax
    mov %eax, FLAGS
    mov 8(%esp), %eax
    sub MARK, %ax
    jne 1f
    mov $'=', %al
    out %al, $0xe9
    jmp 2f
1:  mov 8(%esp), %ecx
    cmp $jumped + 2, %cx
    mov $'!', %al
    je 3f
    cmp $jumped, %cx
    mov $'>', %al
    jne 1f
3:  out %al, $0xe9
    jmp 2f
1:  mov 8(%esp), %eax
    sub MARK, %eax
    call hex8
2:  call space
    lea 20(%esp), %edx
    mov %ss, %ecx
    testl $0x20000, 16(%esp)
    jne 1f
    testl $3, 12(%esp)
    je 2f
1:  mov 20(%esp), %edx
    mov 24(%esp), %ecx
2:  mov %ecx, %eax
    call hex16
    call colon
    mov %edx, %eax
    call hex16
    call space
    str %eax
    call hex16
    call newline
    jmp *RESUME

jumped: /* where all may jump to */
    int $0x40

/* Where gates lead, for 32-bit code: CS, SS:ESP, ECX words of the stack; "=" is the address of label 8. */
show_stack:
    pop %ebp
    mov $DS0, %eax
    mov %cs, %edx
    test $3, %dl
    je 1f
    mov $DS3, %eax
1:  mov %eax, %ds
    mov %edx, %eax
    call hex16
    call space
    mov %ss, %eax
    call hex16
    call colon
    mov %esp, %eax
    call hex32
    xor %esi, %esi
1:  call space
    mov (%esp, %esi, 4), %eax
    cmp MARK, %eax
    jne 2f
    mov $'=', %al
    out %al, $0xe9
    jmp 3f
2:  call hex32
3:  inc %esi
    loop 1b
    call newline
    jmp *%ebp

in32:
    mov $DS0, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov $0x7000, %esp
    call restore
.endm
