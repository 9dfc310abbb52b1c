/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gdb reads, writes and watches: registers and memory of a CPU, breakpoints of all. */
#include "mon/gdb_priv.h"

#include <stdlib.h>
#include <string.h>

static struct cpu *cpu_of(const struct gdbserver *g)
{
    return vcpu_cpu(g->cpu);
}

/* --- registers ---------------------------------------------------------------------------------*/

static const struct guest_gdb *regs(const struct gdbserver *g)
{
    return cpu_of(g)->isa->gdb;
}

void gdbserver_read_all(struct gdbserver *g)
{
    for (unsigned n = 0; n < regs(g)->n_core; n++) {
        uint8_t v[GUEST_GDB_REG] = {0};

        regs(g)->read(cpu_of(g), n, v);
        gdb_put_hex(&g->reply, v, regs(g)->size(cpu_of(g), n));
    }
}

void gdbserver_write_all(struct gdbserver *g, const char *s)
{
    for (unsigned n = 0; n < regs(g)->n_core; n++) {
        size_t size = regs(g)->size(cpu_of(g), n);
        uint8_t v[GUEST_GDB_REG];

        if (gdb_get_hex(s, v, size) < size)
            break;
        regs(g)->write(cpu_of(g), n, v);
        s += 2 * size;
    }
    gdb_put(&g->reply, "OK");
}

void gdbserver_read_one(struct gdbserver *g, const char *s)
{
    unsigned long n = strtoul(s, NULL, 16);
    uint8_t v[GUEST_GDB_REG];

    if (n < regs(g)->n_regs(cpu_of(g)) && regs(g)->read(cpu_of(g), (unsigned)n, v))
        gdb_put_hex(&g->reply, v, regs(g)->size(cpu_of(g), (unsigned)n));
    else
        gdb_put(&g->reply, "E14");
}

void gdbserver_write_one(struct gdbserver *g, const char *s)
{
    char *end;
    unsigned long n = strtoul(s, &end, 16);
    bool there = n < regs(g)->n_regs(cpu_of(g)) && *end == '=';
    size_t size = there ? regs(g)->size(cpu_of(g), (unsigned)n) : 0;
    uint8_t v[GUEST_GDB_REG];

    if (there && gdb_get_hex(end + 1, v, size) == size && regs(g)->write(cpu_of(g), (unsigned)n, v))
        gdb_put(&g->reply, "OK");
    else
        gdb_put(&g->reply, "E14");
}

/* --- memory ------------------------------------------------------------------------------------*/

/* As far as it goes: from a page that is not mapped on, nothing. */
static size_t read_bytes(struct gdbserver *g, uint64_t addr, uint8_t *buf, size_t len)
{
    struct access a = {.who = BUS_CPU(vcpu_index(g->cpu)), .debug = true};

    if (!g->phys)
        return mmu_read(cpu_of(g), addr, buf, len);
    return space_read(machine_space(g->m), addr, buf, len, a) == 0 ? len : 0;
}

static size_t write_bytes(struct gdbserver *g, uint64_t addr, const uint8_t *buf, size_t len)
{
    struct access a = {.who = BUS_CPU(vcpu_index(g->cpu)), .debug = true};

    if (!g->phys)
        return mmu_write(cpu_of(g), addr, buf, len);
    return space_write(machine_space(g->m), addr, buf, len, a) == 0 ? len : 0;
}

void gdbserver_read_memory(struct gdbserver *g, const char *s)
{
    static uint8_t buf[GDB_PACKET / 2];
    char *end;
    uint64_t addr = strtoull(s, &end, 16), len = *end == ',' ? strtoull(end + 1, NULL, 16) : 0;
    size_t n;

    if (len > sizeof(buf))
        len = sizeof(buf);
    n = read_bytes(g, addr, buf, len);
    if (n == 0 && len)
        gdb_put(&g->reply, "E14");
    else
        gdb_put_hex(&g->reply, buf, n);
}

void gdbserver_write_memory(struct gdbserver *g, const char *s, bool binary)
{
    static uint8_t buf[GDB_PACKET];
    char *end;
    uint64_t addr = strtoull(s, &end, 16), len = *end == ',' ? strtoull(end + 1, &end, 16) : 0;
    size_t have;

    if (*end != ':' || len > sizeof(buf)) {
        gdb_put(&g->reply, "E22");
        return;
    }
    end++;
    have = (size_t)(g->in.buf + g->in.n - end);
    if (!binary)
        have = gdb_get_hex(end, buf, len);
    else
        memcpy(buf, end, have < len ? have : len);
    gdb_put(&g->reply, have >= len && write_bytes(g, addr, buf, len) == len ? "OK" : "E14");
}

/* --- breakpoints and watchpoints ---------------------------------------------------------------*/

static bool code_breakpoint(struct gdbserver *g, uint64_t addr, bool on)
{
    unsigned i = 0;

    while (i < g->n_breakpoints && g->breakpoints[i] != addr)
        i++;
    if (on == (i < g->n_breakpoints))
        return true;
    if (on && g->n_breakpoints == GDB_BREAKPOINTS)
        return false;
    if (on)
        g->breakpoints[g->n_breakpoints++] = addr;
    else
        g->breakpoints[i] = g->breakpoints[--g->n_breakpoints];
    engine_set_breakpoint(cpu_of(g)->engine, addr, on);
    return true;
}

static bool watch_everywhere(struct gdbserver *g, const struct gdb_watch *w, bool on)
{
    struct vcpu *v;
    bool ok = true;

    for (unsigned i = 0; (v = vcpu_at(g->m, i)); i++) {
        if (on)
            ok &= mmu_watch(vcpu_cpu(v), w->addr, w->len, w->prot) == 0;
        else
            mmu_unwatch(vcpu_cpu(v), w->addr, w->len, w->prot);
    }
    return ok;
}

static bool watchpoint(struct gdbserver *g, struct gdb_watch w, bool on)
{
    unsigned i = 0;

    while (i < g->n_watches && memcmp(&g->watches[i], &w, sizeof(w)) != 0)
        i++;
    if (on == (i < g->n_watches))
        return true;
    if (!on) {
        g->watches[i] = g->watches[--g->n_watches];
        return watch_everywhere(g, &w, false);
    }
    if (g->n_watches == GDB_WATCHES || w.len == 0 || w.len > UINT32_MAX)
        return false;
    if (!watch_everywhere(g, &w, true)) {
        watch_everywhere(g, &w, false);
        return false;
    }
    g->watches[g->n_watches++] = w;
    return true;
}

/* "type,addr,kind": 0 and 1 code, 2 writes, 3 reads, 4 both. */
void gdbserver_breakpoint(struct gdbserver *g, const char *s, bool on)
{
    static const unsigned prot[] = {0, 0, MMU_W, MMU_R, MMU_R | MMU_W};
    unsigned type = (unsigned)(s[0] - '0');
    struct gdb_watch w;
    bool ok;
    char *end;

    if (type > 4 || s[1] != ',')
        return;
    memset(&w, 0, sizeof(w));
    w.addr = strtoull(s + 2, &end, 16);
    w.len = *end == ',' ? strtoull(end + 1, NULL, 16) : 0;
    w.prot = prot[type];
    ok = type < 2 ? code_breakpoint(g, w.addr, on) : watchpoint(g, w, on);
    gdb_put(&g->reply, ok ? "OK" : "E28");
}

void gdbserver_forget(struct gdbserver *g)
{
    while (g->n_breakpoints)
        code_breakpoint(g, g->breakpoints[0], false);
    while (g->n_watches)
        watchpoint(g, g->watches[0], false);
}

const struct gdb_watch *gdbserver_watch_at(const struct gdbserver *g, uint64_t addr)
{
    for (unsigned i = 0; i < g->n_watches; i++) {
        const struct gdb_watch *w = &g->watches[i];

        /* a wide access may begin before what is watched */
        if (addr < w->addr + w->len && w->addr < addr + 64)
            return w;
    }
    return NULL;
}
