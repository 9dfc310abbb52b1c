/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory for helpers: copy.h. */
#include "guest/x86/copy.h"

#include "cpu/engine.h"

#include <string.h>

/* As the interpreter does it (cpu/interp_mem.c). */
static bool reach(struct cpu *cpu, uint64_t addr, bool write, unsigned log2, union ir_u *v)
{
    const struct cpu_memory *m = cpu->memory;
    int r;

    if (m)
        return write ? m->store(cpu, addr, log2, m->regime(cpu, log2), v) : m->load(cpu, addr, log2, m->regime(cpu, log2), v);
    r = write ? guest_write(cpu, addr, v, 1u << log2) : guest_read(cpu, v, addr, 1u << log2);
    if (r == 0)
        return true;
    cpu->stop = CPU_STOP_FAULT;
    cpu->fault_write = write;
    cpu->fault_addr -= cpu->engine->conf.guest_base;
    if (cpu->fault_code == SI_KERNEL) { /* not canonical: the host does not say where */
        cpu->fault_addr = addr;
        cpu->fault_code = SEGV_MAPERR;
    }
    return false;
}

static unsigned piece(uint64_t addr, size_t len)
{
    unsigned log2 = 3;

    while (1u << log2 > len || (log2 && addr & ((1u << log2) - 1)))
        log2--;
    return log2;
}

bool x86_copy_in(struct cpu *cpu, void *to, uint64_t addr, size_t len)
{
    for (uint8_t *p = to; len;) {
        unsigned log2 = piece(addr, len), n = 1u << log2;
        union ir_u v = {.d = {0, 0}};

        if (!reach(cpu, addr, false, log2, &v))
            return false;
        memcpy(p, &v, n);
        p += n;
        addr += n;
        len -= n;
    }
    return true;
}

bool x86_copy_out(struct cpu *cpu, uint64_t addr, const void *from, size_t len)
{
    if (addr % X86_PAGE + len > X86_PAGE && !cpu_writable(cpu, addr, len))
        return false;
    for (const uint8_t *p = from; len;) {
        unsigned log2 = piece(addr, len), n = 1u << log2;
        union ir_u v = {.d = {0, 0}};

        memcpy(&v, p, n);
        if (!reach(cpu, addr, true, log2, &v))
            return false;
        p += n;
        addr += n;
        len -= n;
    }
    return true;
}
