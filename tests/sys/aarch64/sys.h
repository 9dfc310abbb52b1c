/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the system level are written with (README.md): the start, exception vectors that say what came, checks.
 *
 * x18..x28 are the framework's.  Behind catch(LABEL) the next exception goes on at LABEL at the level that took it, with
 * x20 = the vector's offset, x21 = CurrentEL, x22 = ESR, x23 = ELR, x24 = SPSR, x25 = FAR, x26 = HPFAR (at EL2).
 */
#define UART   0x09000000
#define IRQS   0x09100000
#define RAM    0x40000000
#define TABLES 0x40800000   /* free for translation tables */
#define DATA   0x40a00000   /* free */

#define catch(label)        adr x28, label
#define title(text)                                                                                \
    .pushsection .rodata; 88: .asciz text; .popsection;                                            \
    ldr x0, =88b; ldr x1, =current_title; str x0, [x1]
#define check(reg, value)   _check reg, value, __LINE__
#define never()             _never __LINE__

    /* Any register but x9, x10, x11, lr */
    .macro _check reg, value:vararg
    _check3 \reg, \value
    .endm
    .macro _check3 reg, value, line
    mov     x10, \reg
    ldr     x9, =\value
    cmp     x10, x9
    b.eq    88f
    mov     x11, #\line
    bl      fail
88:
    .endm

    .macro _never line
    mov     x10, #0
    mov     x9, #1
    mov     x11, #\line
    bl      fail
    .endm

    .macro finish
    b       all_done
    .endm

    /* To EL0 at LABEL with PSTATE bits */
    .macro to_el0 label, bits=0
    ldr     x9, =\bits
    msr     spsr_el1, x9
    adr     x9, \label
    msr     elr_el1, x9
    eret
    .endm

    /* Timers and PMU reach the CPU: here by a wire, on the reference through a GICv2 */
    .macro irq_setup
#ifdef REFERENCE
    ldr     x9, =0x08000000
    mov     w10, #1
    str     w10, [x9]
    mov     w10, #0xffffffff
    str     w10, [x9, #0x100]
    ldr     x9, =0x08010000
    mov     w10, #0xf0
    str     w10, [x9, #4]
    mov     w10, #1
    str     w10, [x9]
#endif
    .endm

    /* An interrupt whose source is silent again has been dealt with */
    .macro irq_done
#ifdef REFERENCE
    ldr     x9, =0x08010000
    ldr     w10, [x9, #12]
    str     w10, [x9, #16]
    dsb     sy
#endif
    .endm

    .macro vector n
    .balign 128
    mov     x20, #(\n * 128)
    b       caught
    .endm

    .section .text.start, "ax"
    .globl _start
_start:
    ldr     x9, =stack_top
    mov     sp, x9
    ldr     x9, =vectors
    mrs     x21, CurrentEL
    cmp     x21, #8
    b.ne    1f
    msr     vbar_el2, x9
1:  msr     vbar_el1, x9
    ldr     x28, =unexpected
    mov     x0, #(3 << 20)
    msr     cpacr_el1, x0
    isb
    b       main

    .balign 2048
vectors:
    vector 0
    vector 1
    vector 2
    vector 3
    vector 4
    vector 5
    vector 6
    vector 7
    vector 8
    vector 9
    vector 10
    vector 11
    vector 12
    vector 13
    vector 14
    vector 15

    .balign 128
caught:
    mov     x18, x28
    ldr     x28, =unexpected
    mrs     x21, CurrentEL
    cmp     x21, #8
    b.eq    1f
    mrs     x22, esr_el1
    mrs     x23, elr_el1
    mrs     x24, spsr_el1
    mrs     x25, far_el1
    br      x18
1:  mrs     x22, esr_el2
    mrs     x23, elr_el2
    mrs     x24, spsr_el2
    mrs     x25, far_el2
    mrs     x26, hpfar_el2
    br      x18

    .text
unexpected:
    mov     x10, x20
    bl      say_title
    ldr     x0, =text_unexpected
    bl      puts
    mov     x0, x22
    bl      puthex
    mov     x0, x23
    bl      puthex
    mov     x0, x25
    bl      puthex
    b       power_off

/* x10 found, x9 wanted, x11 line */
fail:
    mov     x27, x30
    mov     x19, x10
    mov     x18, x9
    bl      say_title
    ldr     x0, =text_line
    bl      puts
    mov     x0, x11
    bl      puthex
    ldr     x0, =text_found
    bl      puts
    mov     x0, x19
    bl      puthex
    ldr     x0, =text_wanted
    bl      puts
    mov     x0, x18
    bl      puthex
    mov     w0, #'\n'
    ldr     x9, =UART
    str     w0, [x9]
    ldr     x9, =failures
    ldr     x10, [x9]
    add     x10, x10, #1
    str     x10, [x9]
    br      x27

say_title:
    ldr     x0, =current_title
    ldr     x0, [x0]
puts:
    ldr     x9, =UART
1:  ldrb    w10, [x0], #1
    cbz     w10, 2f
    str     w10, [x9]
    b       1b
2:  ret

puthex:
    ldr     x9, =UART
    mov     w10, #' '
    str     w10, [x9]
    mov     x12, #60
1:  lsr     x10, x0, x12
    and     x10, x10, #15
    cmp     x10, #10
    add     x13, x10, #'0'
    add     x10, x10, #('a' - 10)
    csel    x10, x10, x13, hs
    str     w10, [x9]
    subs    x12, x12, #4
    b.pl    1b
    ret

all_done:
    ldr     x0, =failures
    ldr     x0, [x0]
    cbnz    x0, power_off
    ldr     x0, =text_done
    bl      puts
power_off:
    ldr     x0, =0x84000008
    mrs     x9, CurrentEL
    cmp     x9, #8
    b.eq    1f
    hvc     #0
1:  smc     #0
    b       1b

    .section .rodata
text_unexpected:
    .asciz  ": unexpected exception, ESR ELR FAR"
text_line:
    .asciz  ": line"
text_found:
    .asciz  " found"
text_wanted:
    .asciz  " wanted"
text_done:
    .asciz  "all as stated\n"
    .data
    .balign 8
failures:
    .quad   0
current_title:
    .quad   0
    .bss
    .balign 4096
    .space  4096
stack_top:
    .text
