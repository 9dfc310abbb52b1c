/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time stamp counter and what is written to it, the adjustment that goes with it, and performance counters, which keep what is
 * written and do nothing (SDM 3B, 17.17.3; 3B, chapter 19).  A case prints one word for what is right.
 * skip reference: RDMSR of 10h reads 0 there
 */
#include "pm.h"
ADJUST = 0x3b
TSC = 0x10

.macro set_up
.endm
    descriptors
    end_descriptors

/* EDX:EAX is between 0 and a quarter of 2^32, which takes a second to pass. */
.macro soon
    test %edx, %edx
    jne 6f
    cmp $0x40000000, %eax
    jae 6f
    say "right\n"
    jmp 5f
6:  say "WRONG "
    xchg %eax, %edx
    call hex32
    mov %edx, %eax
    call hex32
    call newline
5:
.endm
.macro write msr, high, low
    mov $\msr, %ecx
    mov $\high, %edx
    mov $\low, %eax
    wrmsr
.endm
.macro less high, low
    sub $\low, %eax
    sbb $\high, %edx
.endm

    case "the counter begins anew"
    write TSC, 0, 0
    rdtsc
    soon
    done
    case "all 64 bits are written"
    write TSC, 0xfedcba98, 0x10000000
    rdtsc
    less 0xfedcba98, 0x10000000
    soon
    done
    case "RDMSR sees what RDTSC sees"
    write TSC, 0x12345678, 0x10000000
    mov $TSC, %ecx
    rdmsr
    less 0x12345678, 0x10000000
    soon
    done
    case "the adjustment follows a write of the counter"
    write ADJUST, 0, 0
    rdtsc
    mov %eax, %esi
    mov %edx, %edi
    add $0x100, %edx
    mov $TSC, %ecx
    wrmsr
    mov $ADJUST, %ecx
    rdmsr
    mov $0x100, %ebx
    sub %edx, %ebx /* less by what passed from RDTSC to WRMSR */
    neg %eax
    adc $0, %edx
    mov $0x100, %ebx
    sub %edx, %ebx
    mov %ebx, %edx
    soon
    done
    case "the counter follows a write of the adjustment"
    write TSC, 0, 0
    mov $ADJUST, %ecx
    rdmsr
    add $0x77, %edx
    wrmsr
    rdtsc
    less 0x77, 0
    soon
    done
    case "the adjustment reads as written"
    write ADJUST, 0xffffff00, 0x12345678
    mov $ADJUST, %ecx
    rdmsr
    less 0xffffff00, 0x12345678
    soon
    done
    case "and back"
    write ADJUST, 0, 0
    mov $ADJUST, %ecx
    rdmsr
    soon
    done
    case "CR4.TSD"
    mov $4, %eax
    mov %eax, %cr4
    user
8:  rdtsc
    done
    case "CR4.TSD, privilege 0"
    rdtsc
    say "right\n"
    done
    xor %eax, %eax
    mov %eax, %cr4

    .macro keeps text, msr, high, low
    case "\text"
    write \msr, \high, \low
    xor %eax, %eax
    xor %edx, %edx
    rdmsr
    less \high, \low
    or %edx, %eax
    xor %edx, %edx
    test %eax, %eax
    setne %dl
    soon
    done
    .endm
    keeps "IA32_PERFEVTSEL0", 0x186, 0, 0x004300c0
    keeps "IA32_PERFEVTSEL3", 0x189, 0, 0x0043003c
    keeps "IA32_PMC0", 0xc1, 0, 0x1234
    keeps "IA32_FIXED_CTR0", 0x309, 0, 0x4321
    keeps "IA32_FIXED_CTR_CTRL", 0x38d, 0, 0x333
    keeps "IA32_PERF_GLOBAL_CTRL", 0x38f, 7, 0xf
    case "IA32_PERF_GLOBAL_OVF_CTRL"
    write 0x390, 7, 0xf
    xor %eax, %eax
    xor %edx, %edx
    soon
    done
    case "RDPMC"
    write 0xc1, 0, 0x1234
    xor %ecx, %ecx
    rdpmc
    less 0, 0x1234
    soon
    done
    case "RDPMC at privilege 3"
    user
    xor %ecx, %ecx
8:  rdpmc
    done
    case "RDPMC at privilege 3, CR4.PCE"
    mov $0x100, %eax
    mov %eax, %cr4
    user
    xor %ecx, %ecx
    rdpmc
8:  int $0x40
    done
    finish
