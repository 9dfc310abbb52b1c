/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Call gates of 32 and 16 bits, and far returns: privilege, stacks, parameters, and each fault with its error code (SDM 2, CALL, JMP, RET,
 * IRET; 3A, 5.8).  See pm.h for what is printed.
 */
#include "pm.h"
GATE = 0x80
GATE3 = (0x80 + 3)
GATE16 = (0x88 + 3)
SMALL0 = 0x90       /* data, limit 6fffh, bytes */
SMALL1 = (0xb8 + 1)
DS1_RO = (0xc0 + 1)
DS1_NP = (0xc8 + 1)
TSS16 = 0xa0
CONFORMING3 = 0xa8  /* DPL 3 */
CS1_CONF = (0xb0 + 1)
BEYOND = 0x200

.macro set_up
.endm
    descriptors
    .quad 0, 0                /* 80, 88: gates */
    .quad 0x0040930000006fff  /* 90 */
    .quad 0x0000f20100000fff  /* 98: data, DPL 3 */
    .quad 0x000081003000002b  /* a0: TSS of 16 bits */
    .quad 0x00cfff000000ffff  /* a8: conforming, DPL 3 */
    .quad 0x00cfbf000000ffff  /* b0: conforming, DPL 1 */
    .quad 0x0040b30000006fff  /* b8 */
    .quad 0x00cfb1000000ffff  /* c0 */
    .quad 0x00cf33000000ffff  /* c8 */
    end_descriptors

    say "call gates\n"
    case "32 bits, 3 to 0, two parameters"
    gate GATE, 0xec, CS0, ABS(to32), 2
    user
    push $0x11111111
    push $0x22222222
    lcall $GATE3, $0x12345678
8:  int $0x40
    done
    case "the selector's RPL is not the gate's business when 0"
    gate GATE, 0xec, CS0, ABS(to32), 2
    user
    push $0x11111111
    push $0x22222222
    lcall $GATE, $0
8:  int $0x40
    done
    case "16 bits, 3 to 0, three parameters"
    gate 0x88, 0xe4, CS0_16, to16, 3
    call in_low
    user
    pushl $0x11112222
    pushl $0x33334444
    ljmp $CS3, $0x500
    done
    case "16 bits: there is no upper half of the offset"
    gate 0x88, 0xe4, CS0_16, to16, 3
    movw $0xffff, GDT + 0x88 + 6
    call in_low
    user
    ljmp $CS3, $0x500
    done
    case "31 parameters"
    gate GATE, 0xec, CS0, ABS(to32_31), 31
    user
    mov $31, %ecx
1:  push %ecx
    loop 1b
    lcall $GATE3, $0
8:  int $0x40
    done
    case "3 to 1"
    gate GATE, 0xec, CS1, ABS(to1), 1
    movl $0x3202, %eax
    push %eax
    popf
    user
    push $0x77777777
    lcall $GATE3, $0
8:  int $0x40
    done
    case "to conforming code: no more privilege, the same stack"
    gate GATE, 0xec, CONFORMING, ABS(jumped), 2
    user
    push $0x11111111
    lcall $GATE3, $0
8:  int $0x40
    done
    case "0 to 0"
    gate GATE, 0x8c, CS0, ABS(to32same), 5
    lcall $GATE, $0
8:  int $0x40
    done
    case "0 to 0, 16 bits"
    gate 0x88, 0xe4, CS0_16, to16same, 5
    call in_low
    ljmp $CS0, $0x500
    done
    case "jump, 0 to 0"
    gate GATE, 0x8c, CS0, ABS(jumped), 5
    ljmp $GATE, $0
    done
    case "jump, 3 to 3"
    gate GATE, 0xec, CS3, ABS(jumped)
    user
    ljmp $GATE3, $0
    done
    case "jump, 3 to conforming"
    gate GATE, 0xec, CONFORMING, ABS(jumped)
    user
    ljmp $GATE3, $0
    done
    case "jump, 3 to 0"
    gate GATE, 0xec, CS0, ABS(jumped)
    user
8:  ljmp $GATE3, $0
    done

    .macro refused text, attr, cs, to
    case "\text"
    gate GATE, \attr, \cs, \to, 2
    user
8:  lcall $GATE3, $0
    int $0x40
    done
    .endm
    refused "DPL below CPL", 0x8c, CS0, ABS(to32)
    refused "DPL below CPL and not present", 0x0c, CS0, ABS(to32)
    refused "not present", 0x6c, CS0, ABS(to32)
    refused "null code", 0xec, 0, ABS(to32)
    refused "null code with RPL", 0xec, 3, ABS(to32)
    refused "code beyond the table", 0xec, BEYOND, ABS(to32)
    refused "code in no LDT", 0xec, 0xc, ABS(to32)
    refused "data", 0xec, DS0, ABS(to32)
    refused "a TSS", 0xec, TR1, ABS(to32)
    refused "code not present", 0xec, CS0_NP, ABS(to32)
    refused "offset beyond the limit", 0xec, CS3_SMALL, 0x100
    refused "a code selector with RPL 3", 0xec, 0x0b, ABS(to32)
    refused "16 bits, not present", 0x64, CS0, ABS(to32)
    case "the selector's RPL above DPL"
    gate GATE, 0xac, CS0, ABS(to32)
8:  lcall $GATE3, $0
    done
    case "0 to 3"
    gate GATE, 0xec, CS3, ABS(to32)
8:  lcall $GATE, $0
    done
    case "0 to conforming of DPL 3"
    gate GATE, 0xec, CONFORMING3, ABS(to32)
8:  lcall $GATE, $0
    done
    case "3 to conforming of DPL 1"
    gate GATE, 0xec, CS1_CONF, ABS(jumped)
    user
    lcall $GATE3, $0
    done

    say "its inner stack\n"
    .macro stack1 text, ss, esp=STACK1
    case "\text"
    gate GATE, 0xec, CS1, ABS(jumped), 2
    movl $\ss, TSS + 16
    movl $\esp, TSS + 12
    user
    push $0x11111111
    push $0x22222222
8:  lcall $GATE3, $0
    done
    .endm
    stack1 "good", DS1
    stack1 "null", 0
    stack1 "null with RPL 1", 1
    stack1 "beyond the table", BEYOND + 1
    stack1 "of no LDT", 5
    stack1 "RPL 2", DS1 + 1
    stack1 "DPL 3", 0x30 + 1
    stack1 "DPL 0", DS0 + 1
    stack1 "code", CS1
    stack1 "read only", DS1_RO
    stack1 "not present", DS1_NP
    stack1 "no room", SMALL1, 0x7010
    stack1 "room for a part of the parameters", SMALL1, 12
    stack1 "room for the parameters only", SMALL1, 16
    stack1 "room for all", SMALL1, 24
    case "the TSS has no stack"
    gate GATE, 0xec, CS1, ABS(jumped), 2
    movw $16, GDT + TR1
    movb $0x89, GDT + TR1 + 5
    mov $TR1, %eax
    ltr %ax
    user
8:  lcall $GATE3, $0
    done
    case "a TSS of 16 bits"
    gate GATE, 0xec, CS0, ABS(to32), 2
    movw $0x6e00, TSS + 2
    movw $DS0, TSS + 4
    mov $TSS16, %eax
    ltr %ax
    user
    push $0x11111111
    push $0x22222222
    lcall $GATE3, $0
8:  int $0x40
    done
    case "outer stack without the parameters"
    gate GATE, 0xec, CS0, ABS(to32), 2
    user
    mov $0x9b, %eax
    mov %eax, %ss
    mov $0xffc, %esp
8:  lcall $GATE3, $0
    done
    case "a stack of 16 bits"
    gate GATE, 0xec, CS0, ABS(to32), 2
    movl $DS0_16, TSS + 8
    movl $0x6f00, TSS + 4
    user
    push $0x11111111
    push $0x22222222
    lcall $GATE3, $0
8:  int $0x40
    done

    say "direct\n"
    .macro direct text, how, sel, to, user=
    case "\text"
    \user
8:  \how $\sel, $\to
    done
    .endm
    direct "jump to null", ljmp, 2, 0
    direct "jump beyond the table", ljmp, BEYOND, 0
    direct "jump to data", ljmp, DS0, 0
    direct "jump beyond the limit", ljmp, CS3_SMALL, 0x100, user
    direct "jump, more privilege", ljmp, CS0, 0, user
    direct "jump, less privilege", ljmp, CS3, 0
    direct "jump, RPL above CPL", ljmp, CS0 + 1, 0
    direct "jump, conforming of more privilege", ljmp, CONFORMING, ABS(jumped), user
    direct "jump, conforming of less privilege", ljmp, CONFORMING3, 0
    direct "jump, not present", ljmp, CS0_NP, 0
    direct "jump to an LDT's gate type 0", ljmp, GATE, 0
    direct "call, more privilege", lcall, CS0, 0, user
    direct "call, not present", lcall, CS0_NP, 0
    direct "call, RPL below CPL", lcall, 0x28, ABS(jumped), user
    direct "call to conforming", lcall, CONFORMING, ABS(jumped), user

    say "far returns\n"
    .macro return text, cs, ip, esp=STACK3, ss=DS3, how="lret"
    case "\text"
    pushl $\ss
    pushl $\esp
    pushl $\cs
    pushl $\ip
8:  \how
    done
    .endm
    return "to 3", CS3, ABS(jumped)
    return "to 1", CS1, ABS(jumped), STACK1, DS1
    return "to 0", CS0, ABS(jumped)
    return "to conforming, RPL 3", CONFORMING + 3, ABS(jumped)
    return "null", 0, 0
    return "null with RPL", 3, 0
    return "beyond the table", BEYOND, 0
    return "to data", DS0, 0
    return "DPL is not RPL", CS0 + 3, 0
    return "DPL 3, RPL 0", 0x28, 0
    return "conforming, DPL above RPL", CONFORMING3, 0
    return "not present", CS0_NP, 0
    return "offset beyond the limit", CS3_SMALL, 0x100
    return "stack null", CS3, ABS(jumped), STACK3, 0
    return "stack null with RPL", CS3, ABS(jumped), STACK3, 3
    return "stack beyond the table", CS3, ABS(jumped), STACK3, BEYOND + 3
    return "stack with RPL 0", CS3, ABS(jumped), STACK3, 0x30
    return "stack with DPL 0", CS3, ABS(jumped), STACK3, DS0 + 3
    return "stack of code", CS3, ABS(jumped), STACK3, CS3
    return "stack not present", CS3, ABS(jumped), STACK3, DS3_NP
    return "stack of 16 bits", CS3, ABS(jumped), 0x12348000, 0x9b
    case "3 to 0"
    user
    push $CS0
    push $0
8:  lret
    done
    case "parameters of both stacks"
    push $DS3
    push $STACK3
    push $0x11111111
    push $0x11111111
    push $CS3
    push $ABS(jumped)
8:  lret $8
    done
    case "16 bits"
    pushw $DS3
    pushw $0x8000
    pushw $CS3_SMALL
    pushw $0x40
    movw $0x40cd, 0x40 /* int $0x40 */
    movl $0x40, MARK
8:  lretw
    done
    case "without a stack's end"
    mov $SMALL0, %eax
    mov %eax, %ss
    mov $0x6ffc, %esp
8:  lret
    done
    case "without the outer stack's words"
    mov $SMALL0, %eax
    mov %eax, %ss
    mov $0x6ff8, %esp
    movl $ABS(jumped), (%esp)
    movl $CS3, 4(%esp)
8:  lret
    done
    case "data segments of more privilege"
    mov $CONFORMING, %eax
    mov %eax, %fs
    mov $DS3, %eax
    mov %eax, %gs
    mov $DS1, %eax
    mov %eax, %es
    push $DS3
    push $STACK3
    push $CS3
    push $ABS(2f)
8:  lret
2:  mov %ds, %esi
    mov %es, %ebx
    mov %fs, %edi
    mov %gs, %ebp
    movl $ABS(3f), %ss:RESUME
    int $0x40
3:  mov %esi, %eax
    call hex16
    call space
    mov %ebx, %eax
    call hex16
    call space
    mov %edi, %eax
    call hex16
    call space
    mov %ebp, %eax
    call hex16
    call newline
    done

    say "iret\n"
    .macro ireturn text, cs, ip, esp=STACK3, ss=DS3, flags=2
    case "\text"
    pushl $\ss
    pushl $\esp
    pushl $\flags
    pushl $\cs
    pushl $\ip
8:  iret
    done
    .endm
    ireturn "to 3", CS3, ABS(jumped)
    ireturn "to 0", CS0, ABS(jumped)
    ireturn "to conforming, RPL 1", CONFORMING + 1, ABS(jumped), STACK1, DS1
    ireturn "null", 3, 0
    ireturn "to data", DS0, 0
    ireturn "DPL is not RPL", CS0 + 3, 0
    ireturn "not present", CS0_NP, 0
    ireturn "offset beyond the limit", CS3_SMALL, 0x100
    ireturn "stack null", CS3, ABS(jumped), STACK3, 0
    ireturn "stack with RPL 0", CS3, ABS(jumped), STACK3, 0x30
    ireturn "stack with DPL 0", CS3, ABS(jumped), STACK3, DS0 + 3
    ireturn "stack not present", CS3, ABS(jumped), STACK3, DS3_NP
    case "3 to 0"
    user
    pushf
    push $CS0
    push $0
8:  iret
    done
    case "VM at privilege 3 does not count"
    user
    push $0x20002
    push $CS3
    push $ABS(jumped)
    iret
    done
    case "flags at privilege 3 without IOPL"
    movl $ABS(1f), MARK
    user
    push $0x3f7ed7
    push $CS3
    push $ABS(1f)
    iret
1:  pushf
    pop %ebx
    movl $ABS(2f), RESUME
    int $0x40
2:  mov %ebx, %eax
    call hex32
    call newline
    done
    finish

8:

/* A call of a 16-bit gate where a return's 16 bits reach: its label 8 is at 507h. */
in_low:
    movl $0x0000009a, 0x500
    movl $GATE16 << 16, 0x503
    movw $0x40cd, 0x507
    movl $0x507, MARK
    ret

/* Handlers of gates. */
to32:
    mov $6, %ecx
    call show_stack
    lret $8
to32_31:
    mov $35, %ecx
    call show_stack
    lret $124
to1:
    mov $5, %ecx
    call show_stack
    lret $4
to32same:
    mov $2, %ecx
    call show_stack
    lret
    .code16
to16:
    mov $DS0, %ax
    mov %ax, %ds
    calll show16
    lretw $6
to16same:
    calll show16
    lretw
show16:
    ljmpl $CS0, $ABS(1f)
    .code32
1:  pop %ebx
    mov $4, %ecx
    call show_stack
    push $CS0_16
    push %ebx
    lret
