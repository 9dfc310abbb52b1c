/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Call gates of long mode and far returns between 64-bit and compatibility code, with each fault's error code (SDM 2, CALL, JMP, RET;
 * SDM 3A, 5.8.3.1).  A line: what was raised last, its error code, CS:IP ("=" for label 8, "!" behind `jumped`, else the distance from
 * label 8), SS:SP.  Handlers of gates print CS, SS:SP and four quadwords of the stack.
 */
#include "sys.h"
RESUME = 0x3c00
MARK = 0x3c08
POINTER = 0x3c10 /* offset and selector, for indirect calls */
CS32 = 0x08
DS0 = 0x10
CS0 = 0x18
CS3_32 = 0x20 + 3
DS3 = 0x28 + 3
CS3 = 0x30 + 3
TR1 = 0x38
CONFORMING = 0x48
CS0_NP = 0x50
CS1 = 0x58 + 1
CS_LD = 0x60
DS1 = 0x68 + 1
GATE = 0x70 + 3
LAST = 0x80 + 3 /* only its lower half is in the table */

    head
    begin
    to_protected
    flat_gdt 0x7ff, quad
    .quad 0x00af9b000000ffff /* 18 */
    .quad 0x00cffb000000ffff /* 20 */
    .quad 0x00cff3000000ffff /* 28 */
    .quad 0x00affb000000ffff /* 30 */
    .quad 0x0000890030000067, 0 /* 38 */
    .quad 0x00af9f000000ffff /* 48: conforming */
    .quad 0x00af1b000000ffff /* 50: not present */
    .quad 0x00afbb000000ffff /* 58: DPL 1 */
    .quad 0x00ef9b000000ffff /* 60: L and D */
    .quad 0x00cfb3000000ffff /* 68 */
    .quad 0, 0               /* 70: a call gate */
    .quad 0x0000ec0000180000 /* 80: half a call gate */
gdt_end:

    .code32
in32:
    segments32
    one_gib
    to_long 0x80000000, 0x100
    .code64
printers64
hex16:
    xchg %al, %ah
    call hex8
    xchg %al, %ah
    jmp hex8
colon:
    push %rax
    mov $':', %al
    out %al, $0xe9
    pop %rax
    ret

restore:
    pop %rbp
    mov $DS0, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $0x7000, %esp
    cld
    copy_gdt
    mov $ABS(gdtr2), %eax
    lgdt (%rax)
    gates64 IDT, 0x8f
    orb $0x60, IDT + 0x40 * 16 + 5
    mov $ABS(idtr), %eax
    lidt (%rax)
    mov $TSS, %edi
    xor %eax, %eax
    mov $26, %ecx
    rep stosl
    movl $0x6f00, TSS + 4
    movl $0x6b00, TSS + 12
    mov $TR1, %eax
    ltr %ax
    movl $0x5eed, POINTER
    jmp *%rbp

.macro case text
    say "\text: "
    movl $ABS(9f), RESUME
    movl $ABS(8f), MARK
.endm
.macro done
9:  call restore
.endm
/* To privilege 3, of 64 or 32 bits: label 1 follows. */
.macro user cs=CS3
    pushq $DS3
    pushq $0x8000
    pushq $0x3002
    pushq $\cs
    mov $ABS(1f), %eax
    push %rax
    iretq
    .if \cs == CS3_32
    .code32
    .endif
1:  mov $DS3, %eax
    mov %eax, %ds
    mov %eax, %es
.endm
.macro gate attr, cs, to, high=0, type=0
    mov $\to, %eax
    mov %ax, GDT + 0x70
    movw $\cs, GDT + 0x72
    mov %eax, GDT + 0x74
    movw $\attr << 8, GDT + 0x74
    movl $\high, GDT + 0x78
    movl $\type, GDT + 0x7c
    movw $GATE, POINTER + 4
.endm

    stubs66
common: /* vector, error, RIP, CS, RFLAGS, RSP, SS */
    mov $DS0, %eax
    mov %eax, %ds
    mov (%rsp), %al
    call hex8
    call space
    mov 8(%rsp), %eax
    call hex16
    call space
    mov 24(%rsp), %eax
    call hex16
    call colon
    mov 16(%rsp), %ecx
    mov $'=', %al
    cmp MARK, %ecx
    je 1f
    mov $'!', %al
    cmp $ABS(jumped) + 2, %ecx
    je 1f
    mov %ecx, %eax
    sub MARK, %eax
    call hex8
    jmp 2f
1:  out %al, $0xe9
2:  call space
    mov 48(%rsp), %eax
    call hex16
    call colon
    mov 40(%rsp), %eax
    call hex16
    call newline
    mov RESUME, %eax
    jmp *%rax

in64:
    mov $0x7000, %esp
    call restore
    say "calls\n"
    .macro calls text, cs, to, attr=0xec
    case "\text"
    gate \attr, \cs, \to
    user
8:  lcall *POINTER
    int $0x40
    done
    .endm
    .macro calls32 text, cs, to, attr=0xec
    case "\text"
    gate \attr, \cs, \to
    user CS3_32
8:  lcall $GATE, $0x5eed
    int $0x40
    .code64
    done
    .endm
    calls "3 to 0", CS0, ABS(to64)
    calls32 "3 to 0, from 32 bits", CS0, ABS(to64)
    calls "3 to 1", CS1, ABS(to64)
    calls "to conforming", CONFORMING, ABS(to64)
    calls32 "to conforming, from 32 bits", CONFORMING, ABS(to64)
    calls "3 to 3", CS3, ABS(to64)
    case "0 to 0"
    gate 0x8c, CS0, ABS(to64)
    movw $0x70, POINTER + 4
8:  lcall *POINTER
    int $0x40
    done
    case "jump, 3 to 3"
    gate 0xec, CS3, ABS(jumped)
    user
8:  ljmp *POINTER
    done
    case "jump, 3 to 0"
    gate 0xec, CS0, ABS(jumped)
    user
8:  ljmp *POINTER
    done
    calls "DPL below CPL", CS0, 0, 0x8c
    calls "not present", CS0, 0, 0x6c
    calls "null", 0, 0
    calls "beyond the table", 0x200, 0
    calls "data", DS0, 0
    calls "32-bit code", CS32, 0
    calls "code with L and D", CS_LD, 0
    calls "code not present", CS0_NP, 0
    calls "a gate of 16 bits", CS0, ABS(to64), 0xe4
    calls "a task gate", CS0, ABS(to64), 0xe5
    case "an offset that is not canonical"
    gate 0xec, CS0, ABS(to64), 0x8000
    user
8:  lcall *POINTER
    done
    case "the upper half has a type"
    gate 0xec, CS0, ABS(to64), 0, 0x100
    user
8:  lcall *POINTER
    done
    case "the upper half is beyond the table"
    movw $LAST, POINTER + 4
    user
8:  lcall *POINTER
    done
    case "a TSS"
    movw $TR1, POINTER + 4
8:  ljmp *POINTER
    done
    case "the stack is not canonical"
    gate 0xec, CS1, ABS(to64)
    movl $0x8000, TSS + 16
    user
8:  lcall *POINTER
    done
    case "the TSS has no stack"
    gate 0xec, CS1, ABS(to64)
    movw $18, GDT + TR1
    movb $0x89, GDT + TR1 + 5
    mov $TR1, %eax
    ltr %ax
    user
8:  lcall *POINTER
    done

    say "returns\n"
    .macro returns text, how, cs, ss, ip
    case "\text"
    pushq $\ss
    pushq $0x8000
    pushq $\cs
    mov $ABS(jumped), %eax
    .ifnb \ip
    mov $\ip, %rax
    .endif
    push %rax
8:  \how
    done
    .endm
    returns "to 3", lretq, CS3, DS3
    returns "to 3, 32 bits", lretq, CS3_32, DS3
    returns "to 1", lretq, CS1, DS1
    returns "to 1, null stack", lretq, CS1, 1
    returns "to 1, null stack of another RPL", lretq, CS1, 2
    returns "to 3, null stack", lretq, CS3, 3
    returns "to 3, 32 bits, null stack", lretq, CS3_32, 0
    returns "to 0", lretq, CS0, DS0
    returns "L and D", lretq, CS_LD, DS0
    returns "not canonical", lretq, CS3, DS3, 0x800000000000
    returns "beyond the limit", lretq, CS3_32, DS3, 0x100000000
    returns "not present", lretq, CS0_NP, DS0
    returns "null", lretq, 0, DS0
    returns "DPL is not RPL", lretq, CS0 + 3, DS0
    returns "stack of DPL 0", lretq, CS3, DS0 + 3
    case "operands of 32 bits"
    movl $ABS(jumped), 0x6f00
    movl $CS3, 0x6f04
    movl $0x8000, 0x6f08
    movl $DS3, 0x6f0c
    mov $0x6f00, %esp
8:  lretl
    done
    case "3 to 0"
    user
    pushq $CS0
    pushq $0
8:  lretq
    done
    say "iret\n"
    .macro ireturns text, cs, ss, ip
    case "\text"
    pushq $\ss
    pushq $0x8000
    pushq $0x3002
    pushq $\cs
    mov $ABS(jumped), %eax
    .ifnb \ip
    mov $\ip, %rax
    .endif
    push %rax
8:  iretq
    done
    .endm
    ireturns "to 3", CS3, DS3
    ireturns "to 3, 32 bits", CS3_32, DS3
    ireturns "to 0, null stack", CS0, 0
    ireturns "to 1, null stack", CS1, 1
    ireturns "to 1, null stack of another RPL", CS1, 0
    ireturns "to 3, null stack", CS3, 3
    ireturns "to 0 of 32 bits, null stack", CS32, 0
    ireturns "not canonical", CS3, DS3, 0x800000000000
    ireturns "L and D", CS_LD, DS0
    case "NT"
    pushq $0x4002
    popf
8:  iretq
    done
    finish

jumped:
    int $0x40

to64:
    mov %cs, %eax
    call hex16
    call space
    mov %ss, %eax
    call hex16
    call colon
    mov %esp, %eax
    call hex16
    xor %esi, %esi
1:  call space
    mov (%rsp, %rsi, 8), %rax
    sub MARK, %eax
    test %esi, %esi
    je 2f
    add MARK, %eax
2:  call hex16
    inc %esi
    cmp $4, %esi
    jb 1b
    call newline
    lretq
