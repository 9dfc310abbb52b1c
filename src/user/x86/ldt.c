/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that programs make: modify_ldt(2), set_thread_area(2) (struct user_desc of asm/ldt.h; SDM 3A 3.4.5). */
#include "user/x86/ldt.h"

#include <asm/ldt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* --- Between struct user_desc and descriptors --- */

static bool is_empty(const struct user_desc *d)
{
    return d->base_addr == 0 && d->limit == 0 && !d->seg_32bit && d->contents == 0 && d->read_exec_only &&
           !d->limit_in_pages && d->seg_not_present && !d->useable;
}

static bool is_zero(const struct user_desc *d)
{
    return d->base_addr == 0 && d->limit == 0 && !d->seg_32bit && d->contents == 0 && !d->read_exec_only &&
           !d->limit_in_pages && !d->seg_not_present && !d->useable;
}

static uint64_t descriptor(const struct user_desc *d)
{
    uint64_t type = (d->read_exec_only ? 0 : 2) | (uint64_t)d->contents << 2 | 1 /* accessed */;
    uint64_t attr = type | 1 << 4 | 3 << 5 | (d->seg_not_present ? 0 : 1 << 7);
    uint64_t high = (d->limit >> 16 & 15) | (d->useable ? 1 << 4 : 0) | (d->seg_32bit ? 1 << 6 : 0) |
                    (d->limit_in_pages ? 1 << 7 : 0);

    return (d->limit & 0xffff) | (uint64_t)(d->base_addr & 0xffffff) << 16 | attr << 40 | high << 48 |
           (uint64_t)(d->base_addr >> 24) << 56;
}

static void describe(struct user_desc *u, unsigned n, uint64_t d)
{
    memset(u, 0, sizeof(*u));
    u->entry_number = n;
    u->base_addr = (uint32_t)((d >> 16 & 0xffffff) | (d >> 56) << 24);
    u->limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));
    u->seg_32bit = d >> 54 & 1;
    u->contents = d >> 42 & 3;
    u->read_exec_only = !(d >> 41 & 1);
    u->limit_in_pages = d >> 55 & 1;
    u->seg_not_present = !(d >> 47 & 1);
    u->useable = d >> 52 & 1;
}

/* --- Thread-local storage: three entries of each thread's GDT --- */

static int read_desc(struct cpu *cpu, uint64_t addr, struct user_desc *d)
{
    return guest_read(cpu, d, addr, 16);
}

/* Segment registers that hold the entry see what is in it now (the kernel loads them when it switches). */
static void reload(struct cpu *cpu, unsigned n)
{
    for (unsigned seg = X86_ES; seg < X86_NUM_SEGS; seg++) {
        uint16_t selector = x86(cpu)->seg[seg].selector;

        if (seg != X86_CS && selector >> 3 == n && !(selector & 4) && x86_program_load(cpu, seg, selector) != 0)
            x86_program_load(cpu, seg, 0);
    }
}

int x86_set_tls_entry(struct cpu *cpu, uint64_t addr, bool choose)
{
    struct x86_state *s = x86(cpu);
    struct user_desc d;
    unsigned n;

    if (read_desc(cpu, addr, &d) < 0)
        return -EFAULT;
    n = d.entry_number;
    if (n == ~0u && choose) {
        for (n = X86_GDT_TLS; n < X86_GDT_TLS + 3 && s->tls[n - X86_GDT_TLS]; n++)
            ;
        if (n == X86_GDT_TLS + 3)
            return -ESRCH;
        if (guest_write(cpu, addr, &n, 4) < 0)
            return -EFAULT;
    }
    if (n < X86_GDT_TLS || n >= X86_GDT_TLS + 3)
        return -EINVAL;
    if (!is_empty(&d) && !is_zero(&d) && (!d.seg_32bit || d.contents > 1 || d.seg_not_present))
        return -EINVAL;
    s->tls[n - X86_GDT_TLS] = is_empty(&d) || is_zero(&d) ? 0 : descriptor(&d);
    reload(cpu, n);
    return 0;
}

long sys_set_thread_area(struct task *t, const uint64_t *a)
{
    return x86_set_tls_entry(t->cpu, a[0], true);
}

long sys_get_thread_area(struct task *t, const uint64_t *a)
{
    struct user_desc d;
    uint32_t n;

    if (guest_read(t->cpu, &n, a[0], 4) < 0)
        return -EFAULT;
    if (n < X86_GDT_TLS || n >= X86_GDT_TLS + 3)
        return -EINVAL;
    describe(&d, n, x86(t->cpu)->tls[n - X86_GDT_TLS]);
    return guest_write(t->cpu, a[0], &d, 16);
}

/* --- The LDT: one for all threads, of full size from its first use on, so that it never moves --- */

static uint64_t *ldt; /* [entries atomic] */

static uint64_t *the_ldt(void)
{
    uint64_t *p = __atomic_load_n(&ldt, __ATOMIC_ACQUIRE), *none = NULL;

    if (p || !(p = calloc(LDT_ENTRIES, LDT_ENTRY_SIZE)))
        return p;
    if (__atomic_compare_exchange_n(&ldt, &none, p, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return p;
    free(p);
    return none;
}

static void use_ldt(void *opaque, struct task *t)
{
    x86(t->cpu)->ldt = opaque;
    __atomic_store_n(&x86(t->cpu)->n_ldt, LDT_ENTRIES, __ATOMIC_RELEASE);
}

static long write_ldt(struct task *t, uint64_t addr, uint64_t len, bool old)
{
    struct user_desc d;
    uint64_t *table, v;

    if (len != 16)
        return -EINVAL;
    if (read_desc(t->cpu, addr, &d) < 0)
        return -EFAULT;
    if (d.entry_number >= LDT_ENTRIES || (d.contents == 3 && (old || !d.seg_not_present)))
        return -EINVAL;
    if (!(table = the_ldt()))
        return -ENOMEM;
    if (old)
        d.useable = 0;
    v = (d.base_addr == 0 && d.limit == 0 && (old || is_empty(&d))) ? 0 : descriptor(&d);
    __atomic_store_n(&table[d.entry_number], v, __ATOMIC_RELEASE);
    task_each(t->proc, use_ldt, table);
    return 0;
}

static long read_ldt(struct task *t, uint64_t addr, uint64_t len)
{
    uint64_t *table = __atomic_load_n(&ldt, __ATOMIC_ACQUIRE);

    if (!table)
        return 0;
    if (len > LDT_ENTRIES * LDT_ENTRY_SIZE)
        len = LDT_ENTRIES * LDT_ENTRY_SIZE;
    return guest_write(t->cpu, addr, table, len) < 0 ? -EFAULT : (long)len;
}

long sys_modify_ldt(struct task *t, const uint64_t *a)
{
    switch ((int)a[0]) {
    case 0: return read_ldt(t, a[1], a[2]);
    case 1: return write_ldt(t, a[1], a[2], true);
    case 0x11: return write_ldt(t, a[1], a[2], false);
    case 2: return 0; /* the default one, which is empty */
    default: return -ENOSYS;
    }
}
