/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four CPUs hand four tokens round by SGIs (interrupts 1 to 4), ROUNDS times, while the virtual timer interrupts each every
 * 200 us; between interrupts they sleep in WFI.  A lost interrupt stops a token; one too many shows in the counts.
 * -DGIC=2 or 3; run by interrupts.py.
 */
#define CPUS   4
#define TOKENS 4
#define GICD   0x08000000
#define GICC   0x08010000
#define GICR   0x080a0000
#define UART   0x09000000

/* x20: this CPU's number, x21: its counts: of interrupt n at 8 * n, timer ticks at 0.  x9 to x17: the handler's. */
    .globl  _start
_start:
    mov     x20, #0
    bl      distributor
    mov     x19, #1
0:  ldr     x0, =0xc4000003     /* CPU_ON */
    mov     x1, x19
    adr     x2, secondary
    mov     x3, x19
    hvc     #0
    cbnz    x0, bad_start
    add     x19, x19, #1
    cmp     x19, #CPUS
    b.ne    0b
    bl      prepare
    /* all are there: the tokens start on their way */
0:  ldr     x0, =ready
    ldr     x1, [x0]
    cmp     x1, #CPUS
    b.ne    0b
    msr     daifset, #2         /* send's registers are the handler's, too */
    mov     x19, #1
0:  mov     x10, #1
    mov     x11, x19
    bl      send
    add     x19, x19, #1
    cmp     x19, #TOKENS
    b.ls    0b
    msr     daifclr, #2
sleep:
    wfi
    ldr     x0, =done
    ldr     x1, [x0]
    cbz     x1, sleep
    cbnz    x20, off
    b       check

secondary:
    mov     x20, x0
    bl      prepare
    b       sleep

off:
    msr     daifset, #2
    ldr     x0, =0x84000002     /* CPU_OFF */
    hvc     #0
    b       .

/* --- the interrupt controller ------------------------------------------------------------------*/

distributor:
    ldr     x9, =GICD
#if GIC == 2
    mov     w10, #1
#else
    mov     w10, #0x12          /* ARE, Group 1 */
#endif
    str     w10, [x9]
    ret

/* This CPU's part, its timer, its vectors; counts it in. */
prepare:
    adr     x9, vectors
    msr     vbar_el1, x9
    ldr     x21, =counts
    add     x21, x21, x20, lsl #6
#if GIC == 2
    ldr     x9, =GICD
    ldr     w10, =0x0800001e    /* SGIs 1 to 4, PPI 27 */
    str     w10, [x9, #0x100]
    ldr     x9, =GICC
    mov     w10, #0xf0
    str     w10, [x9, #4]
    mov     w10, #1
    str     w10, [x9]
#else
    ldr     x9, =GICR
    add     x9, x9, x20, lsl #17
    str     wzr, [x9, #0x14]
0:  ldr     w10, [x9, #0x14]
    tbnz    w10, #2, 0b
    add     x9, x9, #0x10000
    mov     w10, #-1
    str     w10, [x9, #0x80]
    ldr     w10, =0x0800001e
    str     w10, [x9, #0x100]
    mov     x10, #7
    msr     s3_0_c12_c12_5, x10 /* ICC_SRE_EL1 */
    isb
    mov     x10, #0xf0
    msr     s3_0_c4_c6_0, x10   /* ICC_PMR_EL1 */
    mov     x10, #1
    msr     s3_0_c12_c12_7, x10 /* ICC_IGRPEN1_EL1 */
    isb
#endif
    mrs     x10, cntfrq_el0
    mov     x11, #5000
    udiv    x22, x10, x11
    msr     cntv_tval_el0, x22
    mov     x10, #1
    msr     cntv_ctl_el0, x10
    ldr     x9, =ready
0:  ldaxr   x10, [x9]
    add     x10, x10, #1
    stlxr   w11, x10, [x9]
    cbnz    w11, 0b
    msr     daifclr, #2
    ret

/* Interrupt x11 to CPU x10. */
send:
    dsb     ish
#if GIC == 2
    mov     w12, #0x10000
    lsl     w12, w12, w10
    orr     w12, w12, w11
    ldr     x9, =GICD + 0xf00
    str     w12, [x9]
#else
    mov     x12, #1
    lsl     x12, x12, x10
    orr     x12, x12, x11, lsl #24
    msr     s3_0_c12_c11_5, x12 /* ICC_SGI1R_EL1 */
    isb
#endif
    ret

irq:
    mov     x17, x30
#if GIC == 2
    ldr     x9, =GICC
    ldr     w13, [x9, #0xc]
    and     w11, w13, #0x3ff
#else
    mrs     x13, s3_0_c12_c12_0 /* ICC_IAR1_EL1 */
    mov     x11, x13
#endif
    cmp     x11, #27
    b.eq    tick
    cmp     x11, #TOKENS
    b.hi    ended               /* spurious: the line fell while it was on its way */
    ldr     x14, [x21, x11, lsl #3]
    add     x14, x14, #1
    str     x14, [x21, x11, lsl #3]
    cbnz    x20, pass
    ldr     x15, =ROUNDS
    cmp     x14, x15
    b.eq    arrived
pass:
    add     x10, x20, #1
    and     x10, x10, #CPUS - 1
    bl      send
    b       ended
tick:
    ldr     x14, [x21]
    add     x14, x14, #1
    str     x14, [x21]
    msr     cntv_tval_el0, x22
    b       ended
/* The token is back for the last time; the last of all ends the test: CPUs wake by their timers and see it. */
arrived:
    ldr     x9, =home
    ldr     x10, [x9]
    add     x10, x10, #1
    str     x10, [x9]
    cmp     x10, #TOKENS
    b.ne    ended
    ldr     x9, =done
    str     x10, [x9]
ended:
#if GIC == 2
    ldr     x9, =GICC
    str     w13, [x9, #0x10]
#else
    msr     s3_0_c12_c12_1, x13 /* ICC_EOIR1_EL1 */
#endif
    mov     x30, x17
    eret

/* --- the end -----------------------------------------------------------------------------------*/

check:
    msr     daifset, #2
    ldr     x0, =counts
    mov     x1, #CPUS
0:  ldr     x3, [x0]            /* each had ticks of its timer */
    cbz     x3, bad_ticks
    mov     x2, #TOKENS
1:  ldr     x3, [x0, x2, lsl #3]
    ldr     x4, =ROUNDS
    cmp     x3, x4
    b.ne    bad_count
    subs    x2, x2, #1
    b.ne    1b
    add     x0, x0, #64
    subs    x1, x1, #1
    b.ne    0b
    adr     x0, good
print:
    ldr     x9, =UART
0:  ldrb    w1, [x0], #1
    cbz     w1, 1f
    str     w1, [x9]
    b       0b
1:  ldr     x0, =0x84000008     /* SYSTEM_OFF */
    hvc     #0
    b       .
bad_start:
    adr     x0, start_text
    b       print
bad_ticks:
    adr     x0, ticks_text
    b       print
bad_count:
    adr     x0, count_text
    b       print

    .balign 2048
vectors:
    .rept   5
    b       stray
    .balign 128
    .endr
    b       irq
    .balign 128
    .rept   10
    b       stray
    .balign 128
    .endr
stray:
    adr     x0, stray_text
    b       print

good:       .asciz  "all as stated\n"
start_text: .asciz  "a CPU does not start\n"
ticks_text: .asciz  "a CPU had no tick\n"
count_text: .asciz  "an interrupt came more or less often\n"
stray_text: .asciz  "an exception that is no interrupt\n"

    .data
    .balign 64
counts: .space  CPUS * 64
ready:  .quad   0
done:   .quad   0
home:   .quad   0
