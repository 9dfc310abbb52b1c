/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of verbatim code that are encoded again, with other registers: which, and how (verbatim.c).  Source: SDM 2, chapter 2. */
#include "host/x86_64/verbatim.h"

#include <string.h>

struct x64_mem xv_cpu(uint32_t off)
{
    return (struct x64_mem){.base = NOREG, .index = NOREG, .gs = true, .disp = (int32_t)off};
}

struct x64_mem xv_gpr(const struct x64 *x, unsigned g)
{
    return xv_cpu(x->lay->g.gpr + 8 * g);
}

struct x64_mem xv_scratch(const struct x64 *x, unsigned n)
{
    return xv_cpu(x->lay->v.scratch + 8 * n);
}

static bool is_moved(unsigned g)
{
    return g < 16 && HOST_VERBATIM_MOVED >> g & 1;
}

/* --- Fields --- */

static unsigned field_reg(const struct verbatim_op *o)
{
    return (o->modrm >> 3 & 7) | (o->rex & 4) << 1;
}

unsigned xv_field_rm(const struct verbatim_op *o)
{
    return (o->modrm & 7) | (o->rex & 1) << 3;
}

unsigned xv_field_low(const struct verbatim_op *o)
{
    return (o->opcode & 7) | (o->rex & 1) << 3;
}

static const uint8_t *vex_last(const struct verbatim_op *o)
{
    return o->code + o->front + (o->code[o->front] == 0xc5 ? 1 : 2);
}

static unsigned field_vvvv(const struct verbatim_op *o)
{
    return ~(unsigned)(*vex_last(o) >> 3) & 15;
}

/* --- Registers --- */

/* A register for the time of this instruction: r11, then some that it does not use, put away. */
static unsigned take_temp(struct x64 *x, struct xv_rewrite *w)
{
    static const uint8_t others[] = {R15, R14, R13, R12, R9, R8, RBX};
    unsigned t = R11;

    if (w->n_temps == XV_TEMPS) {
        w->failed = true;
        return R11;
    }
    if (w->n_temps) {
        unsigned i = 0;

        while (w->busy >> others[i] & 1)
            i++; /* no instruction names so many */
        t = others[i];
        x64_store(&x->a, 8, xv_scratch(x, w->n_temps), t);
    }
    w->temp[w->n_temps++] = (uint8_t)t;
    w->busy |= 1u << t;
    return t;
}

void xv_put_back(struct x64 *x, struct xv_rewrite *w)
{
    for (unsigned i = 0; i < w->n_held; i++)
        if (w->held[i].use & VERBATIM_OUT)
            x64_store(&x->a, 8, xv_gpr(x, w->held[i].guest), w->held[i].host);
    for (unsigned i = w->n_temps; i-- > 1;)
        x64_load(&x->a, 8, w->temp[i], xv_scratch(x, i));
}

/* Where the guest's register @g is for @use. */
static unsigned host_of(struct x64 *x, struct xv_rewrite *w, unsigned g, unsigned use)
{
    unsigned t;

    if (g == RSP)
        return XV_SP;
    if (!is_moved(g))
        return g;
    for (unsigned i = 0; i < w->n_held; i++)
        if (w->held[i].guest == g) {
            if (use & VERBATIM_IN && !(w->held[i].use & VERBATIM_IN))
                x64_load(&x->a, 8, w->held[i].host, xv_gpr(x, g));
            w->held[i].use |= (uint8_t)use;
            return w->held[i].host;
        }
    t = take_temp(x, w);
    if (w->failed)
        return t;
    w->held[w->n_held].guest = (uint8_t)g;
    w->held[w->n_held].host = (uint8_t)t;
    w->held[w->n_held++].use = (uint8_t)use;
    if (use & VERBATIM_IN)
        x64_load(&x->a, 8, t, xv_gpr(x, g));
    return t;
}

static void set_busy(struct xv_rewrite *w)
{
    const struct verbatim_op *o = w->o;

    w->busy = 1u << RSP | 1u << R10 | 1u << R11;
    if (o->mem && o->base != VERBATIM_NO_REG)
        w->busy |= 1u << o->base;
    if (o->mem && o->index != VERBATIM_NO_REG)
        w->busy |= 1u << (o->index & 15);
    if (o->modrm_there)
        w->busy |= 1u << field_reg(o) | 1u << xv_field_rm(o);
    if (o->vex)
        w->busy |= 1u << field_vvvv(o);
    if (o->low)
        w->busy |= 1u << xv_field_low(o);
    w->busy |= 1u << RBX; /* CMPXCHG16B, XLAT: named nowhere */
}

void xv_set_address(struct x64 *x, struct xv_rewrite *w)
{
    const struct verbatim_op *o = w->o;
    struct x64_mem m = {.base = NOREG, .index = NOREG, .scale = o->scale, .disp = o->disp};
    unsigned t;

    set_busy(w);
    if (o->rip) {
        m.disp = 0;
        if ((int64_t)o->address == (int32_t)o->address) {
            m.disp = (int32_t)o->address;
        } else {
            m.base = (uint8_t)take_temp(x, w);
            x64_mov_ri(&x->a, m.base, o->address);
        }
    }
    if (o->base != VERBATIM_NO_REG)
        m.base = (uint8_t)host_of(x, w, o->base, VERBATIM_IN);
    if (o->index != VERBATIM_NO_REG)
        m.index = (uint8_t)(o->vsib ? o->index : host_of(x, w, o->index, VERBATIM_IN));
    if (o->seg) {
        t = take_temp(x, w);
        x64_load(&x->a, 8, t, xv_cpu(o->seg == VERBATIM_FS ? x->lay->g.fs_base : x->lay->g.gs_base));
        if (m.base == NOREG) {
            m.base = (uint8_t)t;
        } else if (m.index == NOREG) {
            m.index = m.base;
            m.scale = 0;
            m.base = (uint8_t)t;
        } else {
            x64_lea(&x->a, 8, t, (struct x64_mem){.base = (uint8_t)t, .index = m.base});
            m.base = (uint8_t)t;
        }
    }
    w->m = m;
}

void xv_set_fields(struct x64 *x, struct xv_rewrite *w)
{
    const struct verbatim_op *o = w->o;

    set_busy(w);
    w->reg = (uint8_t)(o->modrm_there ? field_reg(o) : 0);
    w->rm = (uint8_t)(o->modrm_there && !o->mem ? xv_field_rm(o) : 0);
    w->vvvv = (uint8_t)(o->vex ? field_vvvv(o) : 0);
    w->low = (uint8_t)(o->low ? xv_field_low(o) : 0);
    if (o->mem)
        xv_set_address(x, w);
    if (o->reg)
        w->reg = (uint8_t)host_of(x, w, w->reg, o->reg);
    if (o->rm && !o->mem)
        w->rm = (uint8_t)host_of(x, w, w->rm, o->rm);
    if (o->vvvv)
        w->vvvv = (uint8_t)host_of(x, w, w->vvvv, o->vvvv);
    if (o->low)
        w->low = (uint8_t)host_of(x, w, w->low, o->low);
}

/* --- Encoding --- */

static uint8_t *put_prefixes(uint8_t *p, const struct verbatim_op *o)
{
    for (unsigned i = 0; i < o->front; i++)
        if (o->code[i] != 0x64 && o->code[i] != 0x65)
            *p++ = o->code[i];
    return p;
}

static unsigned rex_of(const struct xv_rewrite *w)
{
    const struct verbatim_op *o = w->o;
    unsigned b = o->mem ? (w->m.base == NOREG ? 0 : w->m.base) : o->low ? w->low : w->rm;
    unsigned index = o->mem && w->m.index != NOREG ? w->m.index : 0;

    return (o->rex & 0x48u) | (w->reg & 8) >> 1 | (index & 8) >> 2 | b >> 3;
}

static uint8_t *put_opcode(uint8_t *p, const struct xv_rewrite *w)
{
    const struct verbatim_op *o = w->o;
    unsigned rex = rex_of(w);

    if (o->vex) {
        unsigned last = *vex_last(o);

        *p++ = 0xc4;
        *p++ = (uint8_t)((~rex & 7) << 5 | o->map);
        *p++ = (uint8_t)((o->code[o->front] == 0xc5 ? 0 : last & 0x80) | (~(unsigned)w->vvvv & 15) << 3 | (last & 7));
        *p++ = o->opcode;
        return p;
    }
    if (rex || (o->byte && !o->high && (w->reg >= 4 || w->rm >= 4 || w->low >= 4)))
        *p++ = (uint8_t)(0x40 | (rex & 15));
    if (o->map)
        *p++ = 0x0f;
    if (o->map > 1)
        *p++ = o->map == 2 ? 0x38 : 0x3a;
    *p++ = (uint8_t)(o->low ? (o->opcode & ~7u) | (w->low & 7) : o->opcode);
    return p;
}

static uint8_t *put_modrm(uint8_t *p, const struct xv_rewrite *w)
{
    const struct x64_mem *m = &w->m;
    unsigned r = (w->reg & 7u) << 3, mod;

    if (!w->o->mem) {
        *p++ = (uint8_t)(0xc0 | r | (w->rm & 7));
        return p;
    }
    if (m->base == NOREG) {
        *p++ = (uint8_t)(r | 4);
        *p++ = (uint8_t)(m->scale << 6 | (m->index == NOREG ? 4 : m->index & 7) << 3 | 5);
        memcpy(p, &m->disp, 4);
        return p + 4;
    }
    mod = m->disp == (int8_t)m->disp ? 1 : 2;
    if (!m->disp && (m->base & 7) != RBP)
        mod = 0;
    if (m->index != NOREG || (m->base & 7) == RSP) {
        *p++ = (uint8_t)(mod << 6 | r | 4);
        *p++ = (uint8_t)(m->scale << 6 | (m->index == NOREG ? 4 : m->index & 7) << 3 | (m->base & 7));
    } else {
        *p++ = (uint8_t)(mod << 6 | r | (m->base & 7));
    }
    if (mod == 1)
        *p++ = (uint8_t)m->disp;
    if (mod == 2) {
        memcpy(p, &m->disp, 4);
        p += 4;
    }
    return p;
}

unsigned xv_encode(const struct xv_rewrite *w, uint8_t *code)
{
    const struct verbatim_op *o = w->o;
    uint8_t *p = put_prefixes(code, o);

    p = put_opcode(p, w);
    if (o->modrm_there)
        p = put_modrm(p, w);
    memcpy(p, o->code + o->len - o->tail, o->tail);
    return (unsigned)(p - code) + o->tail;
}

bool xv_needs_rex(const struct xv_rewrite *w)
{
    return rex_of(w);
}
