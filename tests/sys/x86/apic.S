/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timer of the local APIC with a CPU: deadlines of the time stamp counter, one shot, periodic (SDM 3A, 11.5.4).  The i8259 is left as
 * reset leaves it: the PIT's output is high, but nothing may come of that, nor hide the APIC's own interrupts.
 * cpu: max,+tsc-deadline
 * skip interp: the small machine has no local APIC
 * skip cold: the small machine has no local APIC
 * skip hot: the small machine has no local APIC
 * skip reload: the small machine has no local APIC
 * skip reference: it has no deadlines
 */
#include "pm.h"
DEADLINE = 0x6e0
TSC = 0x10
ADJUST = 0x3b
APIC = 0xfee00000

.macro set_up
.endm
    descriptors
    end_descriptors

.macro armed mode
    movl $0x1ff, APIC + 0xf0
    movl $\mode + 0x40, APIC + 0x320
    movb $0x8e, IDT + 0x40 * 8 + 5 /* an interrupt gate */
.endm
.macro ended
    movl $0, APIC + 0xb0
    movl $0x10000, APIC + 0x320
.endm
.macro right_if cc
    j\cc 6f
    say "WRONG\n"
    jmp 5f
6:  say "right\n"
5:
.endm
/* On at label 2 when it comes. */
.macro until_it_comes
    movl $ABS(2f), RESUME
    sti
1:  hlt
    jmp 1b
2:
.endm
.macro write_deadline high, low
    mov $DEADLINE, %ecx
    mov $\high, %edx
    mov $\low, %eax
    wrmsr
.endm

    case "a deadline that is past"
    armed 0x40000
    write_deadline 0, 1
8:  sti
    hlt
1:  jmp 1b
    done
    ended
    case "it reads 0 then"
    mov $DEADLINE, %ecx
    rdmsr
    or %edx, %eax
    right_if e
    done
    case "a deadline to come: not before it"
    armed 0x40000
    rdtsc
    add $0x200000, %eax
    adc $0, %edx
    mov %eax, %esi
    mov %edx, %edi
    mov $DEADLINE, %ecx
    wrmsr
8:  until_it_comes
    rdtsc
    sub %esi, %eax
    sbb %edi, %edx
    right_if nc
    done
    ended
    /* A deadline that would take a minute, and the counter is set to less than a millisecond before it. */
    .macro in_a_minute
    rdtsc
    mov %eax, %esi
    mov %edx, %edi
    add $16, %edx
    mov $DEADLINE, %ecx
    wrmsr
    .endm
    .macro reached
    rdtsc
    sub %esi, %eax
    sbb %edi, %edx
    sub $16, %edx
    right_if e
    .endm
    case "a deadline to come: the counter goes there"
    armed 0x40000
    in_a_minute
    rdtsc
    add $16, %edx
    mov $TSC, %ecx
    wrmsr
8:  until_it_comes
    reached
    done
    ended
    case "a deadline to come: the adjustment brings the counter there"
    armed 0x40000
    in_a_minute
    mov $ADJUST, %ecx
    rdmsr
    add $16, %edx
    wrmsr
8:  until_it_comes
    reached
    done
    ended
    case "a deadline to come: the counter goes back"
    armed 0x40000
    rdtsc
    mov %eax, %esi
    mov %edx, %edi
    add $0x1000000, %eax
    adc $0, %edx
    mov $DEADLINE, %ecx
    wrmsr
    mov %esi, %eax
    mov %edi, %edx
    sub $0x4000000, %eax
    sbb $0, %edx
    mov $TSC, %ecx
    wrmsr
8:  until_it_comes
    rdtsc
    sub %esi, %eax
    sbb %edi, %edx
    sub $0x1000000, %eax
    sbb $0, %edx
    right_if nc
    done
    ended
    case "another mode: writes are ignored"
    armed 0
    write_deadline 1, 1
    mov $DEADLINE, %ecx
    rdmsr
    or %edx, %eax
    right_if e
    done
    ended
    case "one shot"
    armed 0
    movl $0xb, APIC + 0x3e0
    movl $100000, APIC + 0x380
8:  until_it_comes
    cmpl $0, APIC + 0x390
    right_if e
    done
    ended
    case "periodic"
    armed 0x20000
    movl $0xb, APIC + 0x3e0
    movl $100000, APIC + 0x380
8:  until_it_comes
    movl $0, APIC + 0xb0
    say "again: "
    until_it_comes
    done
    ended
    finish
