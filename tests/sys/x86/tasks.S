/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task switches to TSSs of 16 and 32 bits: by JMP, CALL, INT, exceptions and IRET, directly and by task gates; what becomes of both
 * tasks, and each fault with its error code (SDM 3A, chapter 8; SDM 2, CALL, IRET, INT).  See pm.h for what is printed; after `state`
 * there are types of the three TSSs, links of two, CR0.TS, and of the first TSS EIP as distance from label 8, EFLAGS, EBX, ESP, CS, SS,
 * DS, FS as saved.
 */
#include "pm.h"
T16 = 0x80
T32 = 0x88
GATE16 = (0x90 + 3)  /* task gates */
GATE32 = (0x98 + 3)
GATE16_0 = 0x90
CS3_F = (0xa0 + 3)   /* base F0000h, so that 16 bits of IP are enough */
CS0_F = 0xa8
LDT = 0xb0
CONF3_F = (0xb8 + 3) /* conforming, DPL 3 */
CS3_F_NP = (0xc0 + 3)
LDT_NP = 0xc8
DS3_16 = (0xd0 + 3)
BEYOND = 0x200
TSS16 = 0x3200
TSS32 = 0x3400

.macro set_up
    mov $TSS16, %edi
    movw $0x6e00, 2(%edi)
    movw $DS0, 4(%edi)
    movw $jumped, 14(%edi)
    movw $2, 16(%edi)
    movl $0x22221111, 18(%edi) /* AX CX */
    movl $0x44443333, 22(%edi)
    movl $0x66668000, 26(%edi) /* SP BP */
    movl $0x88887777, 30(%edi)
    movl $(CS3_F << 16) + DS3, 34(%edi)
    movl $(DS3 << 16) + DS3_16, 38(%edi)
    movw $0, 42(%edi)
    mov $TSS32, %edi
    movl $0x6d00, 4(%edi)
    movl $DS0, 8(%edi)
    movl $ABS(jumped), 32(%edi)
    movl $2, 36(%edi)
    movl $0x33337777, 52(%edi) /* EBX */
    movl $0x8000, 56(%edi)
    movl $0x66668888, 60(%edi)
    movl $DS3, 72(%edi)
    movl $CS3, 76(%edi)
    movl $DS3, 80(%edi)
    movl $DS3, 84(%edi)
    movl $DS3, 88(%edi)
    movl $DS3, 92(%edi)
    movl $0, 96(%edi)
    movl $0x680000, 100(%edi)
    movw $0, TSS16
    movw $0, TSS32
.endm
    descriptors
    .quad 0x000081003200002b /* 80 */
    .quad 0x0000890034000067 /* 88 */
    .quad 0x0000e50000800000 /* 90 */
    .quad 0x0000e50000880000 /* 98 */
    .quad 0x0040fb0f0000ffff /* a0 */
    .quad 0x00409b0f0000ffff /* a8 */
    .quad 0x00008200100000ff /* b0: the GDT once more */
    .quad 0x0040ff0f0000ffff /* b8 */
    .quad 0x00407b0f0000ffff /* c0 */
    .quad 0x00000200100000ff /* c8 */
    .quad 0x0000f3000000ffff /* d0: data of 16 bits */
    end_descriptors

.macro state
    movl $ABS(7f), RESUME
.endm
.macro shown
7:  call show_tasks
    done
.endm

    say "switches\n"
    .macro switch text, how, to, user=
    case "\text"
    state
    mov $DS1, %eax
    mov %eax, %fs
    \user
8:  \how $\to, $0
    shown
    .endm
    switch "jump, 16 bits", ljmp, T16
    switch "call, 16 bits", lcall, T16
    switch "jump, 32 bits", ljmp, T32
    switch "call, 32 bits", lcall, T32
    switch "gate, jump, 16 bits", ljmp, GATE16_0
    switch "gate, call, 16 bits", lcall, GATE16, user
    switch "gate, call, 32 bits", lcall, GATE32, user
    case "registers of 16 bits"
    state
8:  ljmp $T16, $0
7:  mov %ebx, %eax /* upper halves are not defined */
    call hex16
    mov %ebp, %eax
    call hex16
    mov %esi, %eax
    call hex16
    mov %edi, %eax
    call hex16
    call newline
    done
    case "16 to 32: what is saved"
    movw $CS0_F, TSS16 + 36
    movw $1f, TSS16 + 14
    movw $DS0_16, TSS16 + 38
    movw $DS0, TSS16 + 34
    state
8:  ljmp $T16, $0
1:  mov $0xabcd1234, %ebx
    lcall $T32, $0
2:
7:  call show_tasks
    mov TSS16 + 14, %eax
    sub $2b, %eax
    call hex32
    mov TSS16 + 24, %eax
    call hex32
    mov TSS16 + 34, %eax
    call hex32
    mov TSS16 + 38, %eax
    call hex32
    call newline
    done
    .macro to_and_fro text, mov, ip, cs, ss, es, tss, sel
    case "\text"
    movw $CS0_F, \tss + \cs
    \mov $1f, \tss + \ip
    movw $DS0_16, \tss + \ss
    movw $DS0, \tss + \es
    state
    mov $DS1, %eax
    mov %eax, %gs
    mov $0xdb1, %ebx
    std
    lcall $\sel, $0
8:  int $0x40
1:  iret
    mov $0x900d, %ebx
    iret
7:  pushf
    pop %eax
    call hex32
    call space
    mov %gs, %eax
    call hex16
    call space
    call show_tasks
    mov \tss + \ip, %eax
    sub $1b, %ax
    call hex16
    mov \tss + \ip + 2, %eax
    call hex16
    call newline
    done
    .endm
    to_and_fro "call and return, 16 bits", movw, 14, 36, 38, 34, TSS16, T16
    to_and_fro "call and return, 32 bits", movl, 32, 76, 80, 72, TSS32, T32
    case "called twice: on where it was"
    movw $CS0_F, TSS16 + 36
    movw $1f, TSS16 + 14
    movw $DS0_16, TSS16 + 38
    movw $DS0, TSS16 + 34
    lcall $T16, $0
    lcall $T16, $0
8:  int $0x40
1:  iret
    int $0x40
    done
    case "INT, 16 bits"
    state
    movl $0x00800000, IDT + 0x41 * 8
    movl $0x0000e500, IDT + 0x41 * 8 + 4
    user
    int $0x41
8:  int $0x40
    shown
    .macro by_error text, mov, sel, cs, ip, ss, es, tss
    case "\text"
    state
    movl $\sel << 16, IDT + 13 * 8
    movl $0x00008500, IDT + 13 * 8 + 4
    movw $CS0_F, \tss + \cs
    \mov $1f, \tss + \ip
    movw $DS0_16, \tss + \ss
    movw $DS0, \tss + \es
    user
8:  ljmp $DS0, $0
1:  movzwl %sp, %eax
    mov %ss:(%eax), %ebx
    int $0x40
7:  mov %ebx, %eax
    call hex16
    call space
    call show_tasks
    done
    .endm
    by_error "an exception's error code, 16 bits", movw, T16, 36, 14, 38, 34, TSS16
    by_error "an exception's error code, 32 bits", movl, T32, 76, 32, 80, 72, TSS32
    case "a segment of an LDT"
    movw $LDT, TSS16 + 42
    movw $DS3 + 4, TSS16 + 40
    movl $ABS(7f), RESUME
8:  ljmp $T16, $0
7:  sldt %eax
    call hex16
    call newline
    done
    case "virtual-8086"
    movl $0x20002, TSS32 + 36
    movl $0x53, TSS32 + 32
    movw $0x40, TSS32 + 76
    movw $0x1234, TSS32 + 84
    movw $0x40cd, 0x453 /* INT 40h, for which IOPL is too low */
    movl $0x53, MARK
    ljmp $T32, $0
    done
    case "trap bit"
    state
    movb $1, TSS32 + 100
8:  ljmp $T32, $0
7:  mov %dr6, %eax
    call hex32
    call space
    xor %eax, %eax
    mov %eax, %dr6
    call show_tasks
    done
    case "local breakpoints end"
    state
    mov $0x7ff, %eax
    mov %eax, %dr7
8:  ljmp $T16, $0
7:  mov %dr7, %eax
    call hex32
    xor %eax, %eax
    mov %eax, %dr7
    call newline
    done

    say "refused\n"
    .macro refused text, how, sel, prepare="", user=""
    case "\text"
    \prepare
    \user
8:  \how $\sel, $0
    int $0x40
    done
    .endm
    .macro interrupted text, prepare=""
    case "\text"
    movl $0x00800000, IDT + 0x41 * 8
    movl $0x0000e500, IDT + 0x41 * 8 + 4
    \prepare
    user
8:  int $0x41
    int $0x40
    done
    .endm
    .macro excepted text, prepare=""
    case "\text"
    movl $0x00800000, IDT + 6 * 8
    movl $0x00008500, IDT + 6 * 8 + 4
    \prepare
    user
8:  ud2
    int $0x40
    done
    .endm
    refused "busy, jump", ljmp, T16, "movb $0x83, GDT + T16 + 5"
    refused "busy, call", lcall, T16, "movb $0x83, GDT + T16 + 5"
    refused "busy, 32 bits", lcall, T32, "movb $0x8b, GDT + T32 + 5"
    refused "itself", ljmp, TR1
    refused "not present", lcall, T16, "movb $1, GDT + T16 + 5"
    refused "busy and not present", lcall, T16, "movb $3, GDT + T16 + 5"
    refused "privilege", ljmp, T16, "", user
    refused "RPL", ljmp, T16 + 1
    refused "of DPL 3, at privilege 3", ljmp, T16 + 3, "movb $0xe1, GDT + T16 + 5", user
    refused "limit 2Ah", ljmp, T16, "movb $0x2a, GDT + T16"
    refused "limit 66h", ljmp, T32, "movb $0x66, GDT + T32"
    refused "limit 2Bh and 32 bits", lcall, T16, "movb $0x89, GDT + T16 + 5"
    refused "gate, privilege", ljmp, GATE16, "movb $0x85, GDT + 0x95", user
    refused "gate, not present", ljmp, GATE16, "movb $0x65, GDT + 0x95", user
    refused "gate to null", lcall, GATE16, "movw $0, GDT + 0x92"
    refused "gate to null with RPL", lcall, GATE16, "movw $3, GDT + 0x92"
    refused "gate to an LDT's", lcall, GATE16, "movw $0x84, GDT + 0x92"
    refused "gate beyond the table", lcall, GATE16, "movw $BEYOND, GDT + 0x92"
    refused "gate to data", lcall, GATE16, "movw $DS0, GDT + 0x92"
    refused "gate to a gate", lcall, GATE16, "movw $0x98, GDT + 0x92"
    refused "gate to a busy TSS", lcall, GATE16, "movb $0x83, GDT + T16 + 5"
    refused "gate to a TSS not present", lcall, GATE16, "movb $1, GDT + T16 + 5"
    refused "gate to a short TSS", lcall, GATE16, "movb $0x2a, GDT + T16", user
    interrupted "INT, busy", "movb $0x83, GDT + T16 + 5"
    interrupted "INT, not present", "movb $1, GDT + T16 + 5"
    interrupted "INT, limit", "movb $0x2a, GDT + T16"
    interrupted "INT, the gate's privilege", "movb $0x85, IDT + 0x41 * 8 + 5"
    interrupted "INT, the gate is not present", "movb $0x65, IDT + 0x41 * 8 + 5"
    interrupted "INT, the gate is null", "movw $0, IDT + 0x41 * 8 + 2"
    excepted "exception, busy", "movb $0x83, GDT + T16 + 5"
    excepted "exception, not present", "movb $1, GDT + T16 + 5"
    excepted "exception, limit", "movb $0x2a, GDT + T16"
    excepted "exception, the gate is not present", "movb $5, IDT + 6 * 8 + 5"
    excepted "exception, the gate is null", "movw $0, IDT + 6 * 8 + 2"

    say "in the new task\n"
    .macro field text, value, at, how=refused
    refused "\text", lcall, T16, "movw $\value, TSS16 + \at"
    .endm
    field "LDT beyond the table", BEYOND, 42
    field "LDT in the LDT", LDT + 4, 42
    field "LDT of another type", T32, 42
    field "LDT not present", LDT_NP, 42
    field "CS null", 3, 36
    field "CS beyond the table", BEYOND + 3, 36
    field "CS of an LDT that is not there", 0xa7, 36
    field "CS of data", DS3, 36
    field "CS with DPL 0 and RPL 3", CS0_F + 3, 36
    field "CS conforming with DPL 3 and RPL 3", CONF3_F, 36
    field "CS not present", CS3_F_NP, 36
    field "IP beyond the limit", CS3_SMALL, 36
    field "SS null", 3, 38
    field "SS beyond the table", BEYOND + 3, 38
    field "SS with RPL 0", 0x30, 38
    field "SS with DPL 0", DS0 + 3, 38
    field "SS of code", CS3_F, 38
    field "SS not present", DS3_NP, 38
    field "DS null", 0, 40
    field "DS beyond the table", BEYOND + 3, 40
    field "DS with DPL 0", DS0, 40
    field "DS of conforming code", CONFORMING, 40
    field "DS a TSS", T16, 40
    field "DS not present", DS3_NP, 40
    field "ES with DPL 0", DS0, 34
    field "ES not present", DS3_NP, 34
    refused "FS beyond the table", lcall, T32, "movw $BEYOND + 3, TSS32 + 88"
    refused "GS not present", lcall, T32, "movw $DS3_NP, TSS32 + 92"
    interrupted "INT, LDT", "movw $BEYOND, TSS16 + 42"
    interrupted "INT, DS not present", "movw $DS3_NP, TSS16 + 40"
    excepted "exception, LDT", "movw $BEYOND, TSS16 + 42"
    excepted "exception, CS", "movw $BEYOND + 3, TSS16 + 36"
    excepted "exception, SS not present", "movw $DS3_NP, TSS16 + 38"

    say "returns with NT\n"
    .macro nested text, link, prepare="", user=""
    case "\text"
    \prepare
    movw $\link, TSS
    \user
    pushl $0x4002
    popf
8:  iret
    done
    .endm
    nested "to a task that is not busy", T16
    nested "to one of 16 bits", T16, "movb $0x83, GDT + T16 + 5"
    nested "to one of 32 bits, at privilege 3", T32, "movb $0x8b, GDT + T32 + 5", user
    nested "not present", T32, "movb $0xb, GDT + T32 + 5"
    nested "limit", T16, "movw $0x2a, GDT + T16; movb $0x83, GDT + T16 + 5"
    nested "null", 0
    nested "null with RPL", 3
    nested "of an LDT", T16 + 4, "movb $0x83, GDT + T16 + 5"
    nested "beyond the table", BEYOND
    nested "to data", DS0
    finish

show_tasks:
    mov GDT + TR1 + 5, %al
    call hex8
    mov GDT + T16 + 5, %al
    call hex8
    mov GDT + T32 + 5, %al
    call hex8
    call space
    mov TSS16, %eax
    call hex16
    call space
    mov TSS32, %eax
    call hex16
    call space
    mov %cr0, %eax
    and $8, %al
    call hex8
    call space
    mov TSS + 32, %eax
    sub MARK, %eax
    call hex16
    call space
    mov TSS + 36, %eax
    call hex32
    call space
    mov TSS + 52, %eax
    call hex32
    call space
    mov TSS + 56, %eax
    call hex32
    call space
    mov TSS + 76, %eax
    call hex16
    call space
    mov TSS + 80, %eax
    call hex16
    call space
    mov TSS + 84, %eax
    call hex16
    call space
    mov TSS + 88, %eax
    call hex16
    call newline
    ret
