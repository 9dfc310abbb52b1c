/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual-8086 mode: what IOPL guards, with and without VME (VIF, VIP, the interrupt redirection bitmap), operands of 16 and 32 bits;
 * virtual interrupts of protected mode; the I/O permission bitmap (SDM 3B, chapter 20; SDM 1, 19.5; SDM 2, CLI, STI, PUSHF, POPF,
 * IRET, INT).  See pm.h for what is printed; then EFLAGS that were left and the two words below the stack, 7FFCh to 7FFFh.
 */
#include "pm.h"
GATE16TSS = 0x80
MAP = TSS + 0x88

.macro set_up /* a TSS with both bitmaps, the latter for ports 0 to FFh */
    movw $0xa8, GDT + TR1
    movb $0x89, GDT + TR1 + 5
    mov $TR1, %eax
    ltr %ax
    movw $MAP - TSS, TSS + 102
    mov $-1, %eax
    mov $TSS + 104, %edi
    mov $8, %ecx
    rep stosl
    movb $0xfe, TSS + 104 + 10 /* INT 50h is the task's, no other one is */
    movb $0xff, MAP + 32
    mov $0x7ff0, %edi
    xor %eax, %eax
    mov $8, %ecx
    rep stosl
    movl $0xf0000000 + jumped, 0x50 * 4
    movl $0xf0000000 + jumped, 0x51 * 4
    mov %eax, %cr4
.endm
    descriptors
    .quad 0x000081003200002b /* 80 */
    end_descriptors

.macro v86 text, flags, vme, code
    case "\text"
    movl $ABS(7f), RESUME
    mov $\vme, %eax
    mov %eax, %cr4
    push $0
    push $0
    push $0
    push $0
    push $0x700
    push $0x1000
    push $\flags
    push $0xf000
    push $1f
    iret
    .code16
1:  \code
    ud2
    .code32
7:  call show_flags
    done
.endm
.macro sensitive text, code
    v86 "\text, IOPL 3", 0x23202, 0, "\code"
    v86 "\text, IOPL 2", 0x22202, 0, "\code"
    v86 "\text, VME, IOPL 3", 0xa3002, 1, "\code"
    v86 "\text, VME", 0x20202, 1, "\code"
    v86 "\text, VME, VIF", 0xa0202, 1, "\code"
    v86 "\text, VME, VIP", 0x120202, 1, "\code"
.endm
    sensitive "cli", "8: cli"
    sensitive "sti", "8: sti"
    sensitive "pushf", "8: pushfw"
    sensitive "pushfd", "8: pushfl"
    sensitive "popf, IF", "pushw $0x7ed7; 8: popfw"
    sensitive "popf", "pushw $0x0002; 8: popfw"
    sensitive "popf, TF", "pushw $0x0102; 8: popfw; nop"
    sensitive "popfd", "pushl $0x3f7ed7; 8: popfl"
    sensitive "iret, IF", "pushw $0x0293; pushw %cs; pushw $3f; 8: iretw; nop; 3:"
    sensitive "iret", "pushw $0x0093; pushw %cs; pushw $3f; 8: iretw; nop; 3:"
    sensitive "iret, TF", "pushw $0x0102; pushw %cs; pushw $3f; 8: iretw; nop; 3: nop; nop"
    sensitive "iretd", "pushl $0x3c4ad7; pushl $0xf000; pushl $3f; 8: iretl; nop; 3:"
    sensitive "int 50h, the task's", "8: int $0x50"
    sensitive "int 51h", "8: int $0x51"
    sensitive "int3", "8: int3"
    sensitive "into", "movb $0x7f, %al; incb %al; 8: into"
    v86 "NT, the task's INT 50h", 0x27202, 1, "8: int $0x50"
    v86 "VIF and VIP at the start", 0x1a0202, 1, "8: nop"
    v86 "VIF and VIP at the start, no VME", 0x1a0202, 0, "8: nop"
    v86 "VIF and VIP at the start, IOPL 3", 0x1a3202, 1, "8: nop"
    v86 "int1 by its short form", 0x20202, 0, "8: .byte 0xf1"
    v86 "hlt", 0x23202, 0, "8: hlt"
    v86 "mov cr0", 0x23202, 0, "8: mov %cr0, %eax"
    v86 "lar", 0x23202, 0, "8: lar %ax, %ax"
    v86 "ltr", 0x23202, 0, "8: ltr %ax"
    v86 "far return within the task", 0x20202, 0, "pushw %cs; pushw $3f; 8: lretw; nop; 3: movw $0, %ss:0xffc"
    v86 "beyond the stack's end", 0x20202, 0, "movw $1, %sp; 8: pushw %ax"
    v86 "beyond a segment's end", 0x20202, 0, "movw $0xffff, %bx; 8: movw (%bx), %ax"

    say "redirection\n"
    case "VME, the map begins beyond the limit"
    movw $0xffff, TSS + 102
    call v86_int50
    done
    case "VME, the map is below the TSS's start"
    movw $0x1f, TSS + 102
    call v86_int50
    done
    case "VME, the map ends before the vector"
    movw $0x70, GDT + TR1
    movb $0x89, GDT + TR1 + 5
    mov $TR1, %eax
    ltr %ax
    call v86_int50
    done
    case "VME, a TSS of 16 bits"
    movw $DS0, 0x3204
    movw $0x6e00, 0x3202
    mov $GATE16TSS, %eax
    ltr %ax
    call v86_int50
    done

    say "virtual interrupts of protected mode\n"
    .macro pvi text, flags, cr4, code
    case "\text"
    movl $ABS(7f), RESUME
    mov $\cr4, %eax
    mov %eax, %cr4
    push $DS3
    push $STACK3
    push $\flags
    push $CS3
    push $ABS(1f)
    iret
1:  \code
    ud2
7:  call show_flags
    done
    .endm
    .macro each_pvi text, code
    pvi "\text, IOPL 0", 0x202, 0, "\code"
    pvi "\text, PVI", 0x202, 2, "\code"
    pvi "\text, PVI, VIF", 0x80202, 2, "\code"
    pvi "\text, PVI, VIP", 0x100202, 2, "\code"
    pvi "\text, PVI, IOPL 3", 0x3002, 2, "\code"
    .endm
    each_pvi "cli", "8: cli"
    each_pvi "sti", "8: sti"
    each_pvi "pushf", "8: pushfw"
    each_pvi "popf", "pushw $0x0202; 8: popfw"
    each_pvi "popf, no IF", "pushw $0x0002; 8: popfw"
    each_pvi "popfd", "pushl $0x180202; 8: popfl"
    pvi "VIF and VIP at the start", 0x180202, 2, "8: nop"
    pvi "VIF and VIP at the start, no PVI", 0x180202, 0, "8: nop"
    pvi "VIF and VIP at the start, IOPL 3", 0x183202, 2, "8: nop"
    case "cli at privilege 1, PVI"
    movl $ABS(7f), RESUME
    mov $2, %eax
    mov %eax, %cr4
    push $DS1
    push $STACK1
    push $0x202
    push $CS1
    push $ABS(8f)
    iret
8:  cli
7:  call show_flags
    done

    say "I/O\n"
    .macro io text, code
    case "\text"
    mov $MAP + 0x10, %edi
    movb $0xfe, (%edi)          /* port 80h is allowed, 81h to 87h are not */
    movb $0x7f, 1(%edi)         /* 8Fh is */
    movb $0xfe, 2(%edi)         /* 90h is */
    user
    \code
    ud2
    done
    .endm
    io "80h", "8: inb $0x80, %al"
    io "81h", "8: inb $0x81, %al"
    io "80h, word", "8: inw $0x80, %ax"
    io "8Fh, word, over bytes of the map", "8: inw $0x8f, %ax"
    io "8Fh, dword", "8: inl $0x8f, %eax"
    io "out", "8: outb %al, $0x81"
    io "ins", "mov $0x81, %dx; mov $0x8000, %edi; 8: insb"
    io "outs", "mov $0x81, %dx; mov $0x8000, %esi; 8: outsb"
    io "FFh", "8: inb $0xff, %al"
    io "FFh, word: the map's last byte", "8: inw $0xff, %ax"
    io "100h: beyond it", "mov $0x100, %dx; 8: inb %dx, %al"
    io "FFFFh", "mov $0xffff, %dx; 8: inb %dx, %al"
    case "without the last byte"
    movw $0xa7, GDT + TR1
    movb $0x89, GDT + TR1 + 5
    mov $TR1, %eax
    ltr %ax
    user
8:  inb $0xff, %al
    done
    case "the byte before the last one"
    movw $0xa7, GDT + TR1
    movb $0x89, GDT + TR1 + 5
    mov $TR1, %eax
    ltr %ax
    user
8:  inb $0xf7, %al
    ud2
    done
    case "no map"
    movw $0xa9, TSS + 102
    user
8:  inb $0x80, %al
    done
    case "the map in the TSS itself"
    movw $0, TSS + 102
    user
8:  inb $0x80, %al
    ud2
    done
    case "a TSS of 16 bits has none"
    movw $DS0, 0x3204
    movw $0x6e00, 0x3202
    mov $GATE16TSS, %eax
    ltr %ax
    user
8:  inb $0x80, %al
    done
    case "IOPL 3 needs none"
    movb $0xff, MAP + 0x10
    pushl $0x3002
    popf
    user
8:  inb $0x80, %al
    ud2
    done
    v86 "virtual-8086, allowed", 0x20202, 0, "8: inb $0x80, %al"
    v86 "virtual-8086, IOPL 3, not in the map", 0x23202, 0, "movw $0x100, %dx; 8: inb %dx, %al"
    finish

v86_int50:
    mov $1, %eax
    mov %eax, %cr4
    movl $ABS(1f), MARK
    push $0
    push $0
    push $0
    push $0
    push $0x700
    push $0x1000
    push $0x20202
    push $0xf000
    push $1f
    iret
    .code16
1:  int $0x50
    .code32

show_flags:
    call space
    mov FLAGS, %eax
    call hex32
    mov $0x7ffc, %esi
1:  call space
    mov (%esi), %ax
    call hex16
    add $2, %esi
    cmp $0x8000, %esi
    jb 1b
    call newline
    ret
