/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is intercepted in an SVM guest, and virtual interrupts (AMD64 APM volume 2, 15.9 to 15.14, 15.21). */
#include "guest/x86/decode.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/system_priv.h"

bool x86_guest(const struct x86_sys *s)
{
    return s->svm.guest && !s->smm;
}

bool x86_catches(const struct x86_sys *s, unsigned code)
{
    return x86_guest(s) && s->svm.intercept[code / 32] >> (code % 32) & 1;
}

/* The offset in CS of what follows the instruction at pc. */
uint64_t x86_next_rip(struct cpu *cpu)
{
    uint8_t b[X86_MAX_LEN];
    size_t n = mmu_read(cpu, cpu->pc, b, sizeof(b));

    return x86_ip_of(x86s(cpu), cpu->pc + x86_length(cpu->mode, cpu->pc, b, n));
}

static bool leave_guest(struct cpu *cpu, unsigned code, uint64_t info1, uint64_t info2)
{
    x86_vmexit(cpu, code, info1, info2);
    x86_leave(cpu, cpu->pc);
    return true;
}

bool x86_intercept(struct cpu *cpu, unsigned code, uint64_t info1, uint64_t info2)
{
    return x86_catches(x86s(cpu), code) && leave_guest(cpu, code, info1, info2);
}

/* --- Ports and registers by number: bitmaps in memory --- */

static uint64_t map_bits(const struct x86_sys *s, uint64_t pa)
{
    uint64_t v = ~0ull;

    space_load(s->space, pa, &v, (struct access){.who = BUS_CPU(s->index), .size = 1});
    return v & 0xff;
}

bool x86_intercept_io(struct cpu *cpu, uint16_t port, unsigned size, uint32_t info)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t at, bits;

    if (!x86_catches(s, EXIT_IOIO))
        return false;
    at = s->svm.iopm + port / 8;
    bits = map_bits(s, at) | map_bits(s, at + 1) << 8;
    if (!(bits >> (port % 8) & ((1u << size) - 1)))
        return false;
    return leave_guest(cpu, EXIT_IOIO, info | size << 4 | (uint64_t)port << 16, x86_next_rip(cpu));
}

/* Two bits for each register of three ranges: reads, writes (15.11). */
static bool msr_is_free(const struct x86_sys *s, uint32_t msr, bool write)
{
    uint64_t at = s->svm.msrpm;
    uint32_t n = msr & 0x1fff;

    if (msr == n)
        at += 0;
    else if (msr - n == 0xc0000000)
        at += 0x800;
    else if (msr - n == 0xc0010000)
        at += 0x1000;
    else
        return false;
    return !(map_bits(s, at + n / 4) >> (2 * (n % 4) + write) & 1);
}

bool x86_intercept_msr(struct cpu *cpu, uint32_t msr, bool write)
{
    struct x86_sys *s = x86s(cpu);

    return x86_catches(s, EXIT_MSR) && !msr_is_free(s, msr, write) && leave_guest(cpu, EXIT_MSR, write, 0);
}

/* --- Control registers --- */

static uint64_t by_register(int reg)
{
    return reg < 0 ? 0 : 1ull << 63 | (unsigned)reg;
}

bool x86_intercept_cr(struct cpu *cpu, unsigned n, bool write, int reg)
{
    return x86_intercept(cpu, (write ? EXIT_CR_WRITE : EXIT_CR_READ) + n, by_register(reg), 0);
}

bool x86_intercept_cr0(struct cpu *cpu, uint64_t new, int reg)
{
    struct x86_sys *s = x86s(cpu);

    if (x86_intercept_cr(cpu, 0, true, reg))
        return true;
    return (s->cr0 ^ new) & ~(uint64_t)(CR0_TS | CR0_MP) && x86_intercept(cpu, EXIT_CR0_SEL_WRITE, by_register(reg), 0);
}

bool x86_intercept_task(struct cpu *cpu, uint16_t sel, uint64_t flags)
{
    uint64_t rf = x86s(cpu)->u.eflags & X86_FL_RF ? 1ull << 48 : 0;

    return x86_intercept(cpu, EXIT_TASK_SWITCH, sel, flags | rf);
}

/* --- Interrupts --- */

bool x86_if(const struct x86_sys *s)
{
    return (x86_guest(s) && s->svm.vint & VINT_MASKING ? s->svm.host.rflags : s->u.eflags) & X86_FL_IF;
}

bool x86_virtual_interrupt(const struct x86_sys *s)
{
    uint64_t v = s->svm.vint;

    if (!x86_guest(s) || !(v & VINT_IRQ) || !(s->u.eflags & X86_FL_IF) || (v & VINT_GIF_ON && !(v & VINT_GIF)))
        return false;
    return v & VINT_IGN_TPR || (v >> 16 & 15) > (v & 15);
}
