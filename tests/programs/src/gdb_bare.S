/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the gdb server of machines is tested with (tests/cli/gdb_system.py): CPU 0 calls, stores, starts CPU 1 by PSCI; then
 * CPU 0 counts for ever, and CPU 1, too.  X0 is the address of the device tree and not looked at. */
    .globl  _start
_start:
    ldr     x9, =stack_top
    mov     sp, x9
    adr     x9, vectors
    msr     vbar_el1, x9
    mov     x0, #21
    bl      twice
    ldr     x1, =stored
    str     x0, [x1]
    ldr     x0, [x1]
    brk     #3                  /* the vector comes back behind it */
after_brk:
    ldr     x0, =0xc4000003     /* CPU_ON */
    mov     x1, #1
    ldr     x2, =second
    mov     x3, #5
    hvc     #0
count:
    ldr     x1, =counters
0:  ldr     x2, [x1]
    add     x2, x2, #1
    str     x2, [x1]
    b       0b

    .globl  second
second:
    ldr     x1, =counters
0:  ldr     x2, [x1, #8]
    add     x2, x2, #1
second_store:
    str     x2, [x1, #8]
    b       0b

    .globl  twice
twice:
    lsl     x0, x0, #1
    ret

    .balign 2048
vectors:
    .space  0x200
    mrs     x9, elr_el1
    add     x9, x9, #4
    msr     elr_el1, x9
    eret
    .balign 2048

    .data
    .balign 8
    .globl  stored, counters
stored:
    .quad   0
counters:
    .quad   0, 0
    .bss
    .space  4096
stack_top:
