/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments of programs: what Linux lets their selectors name (asm/segment.h, set_thread_area(2), modify_ldt(2)), loaded as
 * SDM 3A 5.5 and 3.4.5 have it.
 */
#include "guest/x86/x86.h"

enum { RPL = 3, TI = 4, ATTR_S = 1 << 12, ATTR_CODE = 1 << 11, ATTR_RW = 1 << 9, ATTR_P = 1 << 15, ATTR_G = 1 << 23 };
enum { DPL_SHIFT = 13 };
#define FLAT_DATA 0x00cff3000000ffffull /* base 0, limit 4 GiB, writable, level 3 */
#define FLAT_CODE32 0x00cffb000000ffffull
#define FLAT_CODE64 0x00affb000000ffffull

/* The descriptor that @selector names; 0: none. */
static uint64_t descriptor(const struct x86_state *s, uint16_t selector)
{
    unsigned n = selector >> 3;

    if (selector & TI)
        return n < s->n_ldt ? s->ldt[n] : 0;
    if (n - X86_GDT_TLS < 3)
        return s->tls[n - X86_GDT_TLS];
    switch (selector | RPL) {
    case X86_USER_DS: return FLAT_DATA;
    case X86_USER32_CS: return FLAT_CODE32;
    case X86_USER_CS: return FLAT_CODE64;
    default: return 0;
    }
}

static void fill(struct x86_state *s, unsigned seg, uint16_t selector, uint64_t d)
{
    uint32_t attr = (uint32_t)(d >> 32) & 0xf0ff00, limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));

    s->seg[seg].selector = selector;
    s->seg[seg].attr = attr;
    s->seg[seg].limit = attr & ATTR_G ? limit << 12 | 0xfff : limit;
    s->base[seg] = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000);
}

/* Nobody needs to look at the bases and limits of these; a null selector is found by its limit of 0. */
static bool flat(const struct x86_state *s)
{
    for (unsigned seg = X86_ES; seg <= X86_DS; seg++)
        if (s->base[seg] || s->seg[seg].limit != ~0u)
            return false;
    return true;
}

int x86_program_load(struct cpu *cpu, unsigned seg, uint16_t selector)
{
    struct x86_state *s = x86(cpu);
    bool code64 = x86_code(cpu->mode) == X86_CODE64;
    uint64_t d = descriptor(s, selector);
    uint32_t attr = (uint32_t)(d >> 32);
    unsigned dpl = attr >> DPL_SHIFT & 3;

    if (!(selector & ~RPL)) { /* a null selector; in the stack segment only below user level */
        if (seg == X86_SS)
            return X86_EXC_GP;
        s->seg[seg] = (struct x86_segment){.selector = selector};
        s->base[seg] = 0;
        if (!code64 && seg == X86_DS)
            cpu_set_mode(cpu, cpu->mode & ~(uint32_t)X86_MODE_FLAT);
        return 0;
    }
    if (!d || !(attr & ATTR_S))
        return X86_EXC_GP;
    if (seg == X86_SS ? (attr & ATTR_CODE) || !(attr & ATTR_RW) || dpl != 3 || (selector & RPL) != 3
                      : (attr & ATTR_CODE) && !(attr & ATTR_RW))
        return X86_EXC_GP;
    if (seg != X86_SS && dpl < 3 && (attr & (ATTR_CODE | 1 << 10)) != (ATTR_CODE | 1 << 10))
        return X86_EXC_GP;
    if (!(attr & ATTR_P))
        return seg == X86_SS ? X86_EXC_SS : X86_EXC_NP;
    fill(s, seg, selector, d);
    if (code64 && seg != X86_FS && seg != X86_GS)
        s->base[seg] = 0;
    if (!code64)
        cpu_set_mode(cpu, (cpu->mode & ~(uint32_t)X86_MODE_FLAT) | (flat(s) ? X86_MODE_FLAT : 0));
    return 0;
}

void x86_program(struct cpu *cpu, unsigned code, unsigned features)
{
    struct x86_state *s = x86(cpu);
    uint32_t mode = X86_MODE_FLAT | X86_MODE_PE | 3u << X86_MODE_CPL | code | X86_MODE_STACK32 | X86_MODE_PG;

    s->eflags = X86_FL_ONE | X86_FL_IF;
    s->features = features;
    s->xcr0 = 7;
    if (code == X86_CODE64)
        mode |= X86_MODE_LMA;
    for (unsigned seg = X86_ES; seg <= X86_DS; seg++)
        fill(s, seg, X86_USER_DS, FLAT_DATA);
    if (code == X86_CODE64) {
        fill(s, X86_CS, X86_USER_CS, FLAT_CODE64);
        s->seg[X86_ES] = s->seg[X86_DS] = (struct x86_segment){0};
    } else {
        fill(s, X86_CS, X86_USER32_CS, FLAT_CODE32);
    }
    cpu_set_mode(cpu, mode | features << X86_MODE_FEATURES);
}
