/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AArch64 address translation: stage 1 of the EL1&0, EL2 and EL2&0 regimes, and stage 2 (Arm ARM DDI 0487, D8; pseudocode
 * AArch64.S1Translate, AArch64.S2Translate).
 *
 * Tables are in the byte order of SCTLR_ELx.EE.  Addresses are of up to 48 bits, and of 52 where the core has FEAT_LVA, FEAT_LPA (64K granules) and
 * FEAT_LPA2 (the others, where TCR.DS asks for it).  Not there: nested virtualization, security states.
 */
#include "guest/aarch64/system_log.h"
#include "guest/aarch64/system_priv.h"

#include <errno.h>
#include <stdio.h>

/* Fault status codes; the level is added. */
enum {
    FSC_SIZE = 0x00,
    FSC_TRANSLATION = 0x04,
    FSC_ACCESS = 0x08,
    FSC_PERMISSION = 0x0c,
    FSC_EXTERNAL = 0x10,
    FSC_EXTERNAL_WALK = 0x14,
    FSC_ALIGN = 0x21,
    FSC_DEBUG = 0x22,
};

enum { ATTR_DEVICE = 0x00, ATTR_NORMAL = 0xff };

/* Descriptor bits. */
enum { D_VALID = 1, D_TABLE = 2, D_AP1 = 1 << 6, D_AP2 = 1 << 7, D_AF = 1 << 10, D_NG = 1 << 11 };
#define D_GP     (1ull << 50)
#define D_DBM    (1ull << 51)
#define D_PXN    (1ull << 53)
#define D_UXN    (1ull << 54)
#define D_PXNT   (1ull << 59)
#define D_UXNT   (1ull << 60)
#define D_APT1   (1ull << 61) /* no EL0 access below */
#define D_APT2   (1ull << 62) /* no writes below */
#define D_OUTPUT 0x0000fffffffff000ull
#define PA_FIELD 0x000ffffffffff000ull

/* One translation on its way. */
struct walk {
    struct cpu *cpu;
    struct a64_sys *s;
    uint64_t va;
    enum mmu_access access;
    bool debug, stage1_only;
    /* The regime */
    unsigned el;
    bool user, pan, two, stage2;
    struct a64_fault fault;
    /* The result of stage 1 */
    uint8_t attr, sh, prot;
    bool global, guarded, dc;
    uint64_t pa, size;
};

/* How to walk one set of tables. */
struct tables {
    uint64_t base;
    unsigned page_bits, input_bits, output_bits;
    int level; /* the first one: -1 to 3 */
    bool ha, hd;
    bool ds;   /* FEAT_LPA2: with pages of 4K or 16K, descriptors hold 52 bits */
    bool lpa;  /* the same with 64K */
    bool big; /* the descriptors' bytes are in reverse */
};

/* A leaf. */
struct leaf {
    uint64_t desc, at; /* at: its own address, physical */
    uint64_t pa, size;
    uint64_t table;    /* D_PXNT, D_UXNT, D_APT1, D_APT2 of the tables above */
    int level;
};

static bool fail(struct walk *w, unsigned fsc)
{
    w->fault.fsc = fsc;
    return false;
}

static bool fail2(struct walk *w, unsigned fsc, uint64_t ipa, bool s1ptw)
{
    w->fault.stage2 = true;
    w->fault.s1ptw = s1ptw;
    w->fault.hpfar = ipa >> 12 << 4;
    return fail(w, fsc);
}

/* A fault of one of the codes that have levels. */
static unsigned at_level(unsigned fsc, int level)
{
    if (level >= 0)
        return fsc + (unsigned)level;
    return fsc == FSC_SIZE ? 0x29 : fsc == FSC_TRANSLATION ? 0x2b : FSC_EXTERNAL_WALK - 1;
}

/* --- Tables --- */

/* Counts the changes of address spaces: what CPUs know of them is older then [atomic]. */
static uint32_t changes;

void a64_space_changed(void *opaque)
{
    __atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
}

/* Tables lie in a few stretches of RAM: the last one is remembered from its start, or a round address in it, to its end. */
static bool find_ram(struct a64_sys *s, uint64_t pa)
{
    static const uint64_t starts[] = {~(0x40000000ull - 1), ~(0x200000ull - 1), ~7ull};
    uint32_t now = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
    struct mem_hit hit;

    for (unsigned i = 0; i < 3; i++) {
        uint64_t start = pa & starts[i];

        if (space_find(s->space, start, &hit) && hit.host && hit.len >= pa - start + 8) {
            s->tables.start = start;
            s->tables.len = hit.len - 7;
            s->tables.host = hit.host;
            s->tables.changes = now;
            return true;
        }
    }
    return false;
}

static uint64_t *table_at(struct a64_sys *s, uint64_t pa)
{
    if ((pa - s->tables.start >= s->tables.len || s->tables.changes != __atomic_load_n(&changes, __ATOMIC_ACQUIRE)) &&
        !find_ram(s, pa))
        return NULL;
    return (uint64_t *)(s->tables.host + (pa - s->tables.start));
}

static uint64_t *host_at(const struct walk *w, uint64_t pa, struct mem_hit *hit)
{
    return mmu_ram(w->cpu, pa, hit) && hit->len >= 8 ? (uint64_t *)hit->host : NULL;
}

static uint64_t ordered(const struct tables *t, uint64_t desc)
{
    return t->big ? __builtin_bswap64(desc) : desc;
}

static bool read_desc(const struct walk *w, const struct tables *t, uint64_t pa, uint64_t *v)
{
    uint64_t *p = table_at(w->s, pa);
    bool there = true;

    if (p)
        *v = __atomic_load_n(p, __ATOMIC_RELAXED);
    else
        there = space_load(w->s->space, pa, v, (struct access){.who = BUS_CPU(w->s->index), .size = 8, .debug = w->debug});
    *v = ordered(t, *v);
    return there;
}

/* Hardware update of the access flag and the dirty state; false: the descriptor has changed meanwhile. */
static bool update_desc(const struct walk *w, const struct tables *t, uint64_t pa, uint64_t *old, uint64_t new)
{
    struct mem_hit hit;
    uint64_t *p = host_at(w, pa, &hit), was = ordered(t, *old);

    if (*old == new || w->debug || !p || !hit.writable)
        return true;
    if (!__atomic_compare_exchange_n(p, &was, ordered(t, new), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        *old = ordered(t, was);
        return false;
    }
    *old = new;
    ram_written(w->s->m, hit.ram, hit.ram_off, 8);
    return true;
}

static unsigned pa_bits(unsigned field, const struct a64_core *core)
{
    static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52, 48};
    unsigned n = bits[field & 7], max = a64_core_pa_bits(core);

    return n < max ? n : max;
}

/* The size of output addresses: @field, PS or IPS, as far as the descriptors go. */
static void set_output(const struct walk *w, struct tables *t, unsigned field)
{
    unsigned bits = pa_bits(field, w->s->core);

    t->lpa = t->page_bits == 16 && a64_core_lpa(w->s->core);
    t->output_bits = bits > 48 && !t->ds && !t->lpa ? 48 : bits;
}

static uint64_t output(const struct tables *t, uint64_t d)
{
    if (t->lpa)
        return (d & D_OUTPUT & ~0xffffull) | a64_bits(d, 12, 4) << 48;
    return t->ds ? (d & (D_OUTPUT | 3ull << 48)) | a64_bits(d, 8, 2) << 50 : d & D_OUTPUT;
}

/* Where the tables start: aligned to the first one, whose size is given in bits.  False: out of range. */
static bool set_base(struct tables *t, uint64_t ttbr, unsigned size_bits)
{
    bool wide = t->ds || (t->lpa && t->output_bits == 52);

    if (wide && size_bits < 6)
        size_bits = 6;
    t->base = (ttbr & 0x0000fffffffffffeull & (wide ? ~0x3full : ~0ull)) | (wide ? a64_bits(ttbr, 2, 4) << 48 : 0);
    t->base &= ~0ull << size_bits;
    return !(t->base >> t->output_bits);
}

/* TxSZ beyond what the tables can do: a fault where the core knows the extremes (FEAT_LVA, FEAT_TTST), else as the nearest. */
static bool set_input(const struct walk *w, struct tables *t, unsigned tsz, unsigned min)
{
    const struct a64_core *core = w->s->core;
    unsigned max = a64_core_small_tables(core) ? (t->page_bits == 16 ? 47 : 48) : 39;

    t->input_bits = 64 - (tsz < min ? min : tsz > max ? max : tsz);
    return (tsz >= min || !a64_core_lva(core)) && (tsz <= max || !a64_core_small_tables(core));
}

static bool stage2(struct walk *w, uint64_t ipa, enum mmu_access access, bool s1ptw, struct leaf *leaf, uint8_t *prot);

/* The address of a stage 1 descriptor is an intermediate one when there is stage 2. */
static bool table_pa(struct walk *w, uint64_t *at)
{
    struct leaf leaf;
    uint8_t prot;

    if (!w->stage2)
        return true;
    if (!stage2(w, *at, MMU_READ, true, &leaf, &prot))
        return false;
    *at = leaf.pa;
    return true;
}

/* Blocks: with 4K pages levels 1 and 2, else level 2; one level more where outputs may be of 52 bits. */
static bool block_allowed(const struct tables *t, int level)
{
    return level == 2 || (level == 1 && (t->page_bits == 12 || t->ds || t->lpa)) || (level == 0 && t->page_bits == 12 && t->ds);
}

/* From the tables' start to a leaf.  @s2: these are stage 2's, of @ipa = @in for the reason @s1ptw. */
static bool descend(struct walk *w, const struct tables *t, uint64_t in, bool s2, bool s1ptw, struct leaf *leaf)
{
    unsigned stride = t->page_bits - 3;
    uint64_t base = t->base;

    leaf->table = 0;
    for (int level = t->level;; level++) {
        unsigned shift = t->page_bits + (unsigned)(3 - level) * stride;
        uint64_t mask = level == t->level ? ~0ull >> (64 - (t->input_bits - shift)) : (1ull << stride) - 1;
        uint64_t at = base + (in >> shift & mask) * 8, d;

        leaf->level = level;
        if (!s2 && !table_pa(w, &at))
            return false;
        if (!read_desc(w, t, at, &d)) {
            w->fault.ea = false;
            return s2 ? fail2(w, at_level(FSC_EXTERNAL_WALK, level), in, s1ptw) : fail(w, at_level(FSC_EXTERNAL_WALK, level));
        }
        if (!(d & D_VALID) || (level == 3 && !(d & D_TABLE)) ||
            (level < 3 && !(d & D_TABLE) && !block_allowed(t, level)))
            return s2 ? fail2(w, at_level(FSC_TRANSLATION, level), in, s1ptw) : fail(w, at_level(FSC_TRANSLATION, level));
        if (output(t, d) >> t->output_bits)
            return s2 ? fail2(w, at_level(FSC_SIZE, level), in, s1ptw) : fail(w, at_level(FSC_SIZE, level));
        if (level == 3 || !(d & D_TABLE)) {
            leaf->desc = d;
            leaf->at = at;
            leaf->size = 1ull << shift;
            leaf->pa = (output(t, d) & ~(leaf->size - 1)) | (in & (leaf->size - 1));
            return true;
        }
        base = output(t, d) & ~((1ull << t->page_bits) - 1);
        leaf->table |= d & (D_PXNT | D_UXNT | D_APT1 | D_APT2);
    }
}

/* Access flag, dirty state: sets what hardware may set.  @write_denied: the bit that must change for a write, as D_AP2. */
static bool settle(struct walk *w, const struct tables *t, struct leaf *l, bool write, uint64_t set, uint64_t clear,
                   bool *again)
{
    uint64_t d = l->desc;

    *again = false;
    if (w->debug)
        return true;
    if (!(d & D_AF) && !t->ha)
        return false;
    d |= D_AF;
    if (write && t->hd && (d & D_DBM))
        d = (d | set) & ~clear;
    *again = !update_desc(w, t, l->at, &l->desc, d);
    if (!*again)
        l->desc = d;
    return true;
}

/* --- Stage 2 --- */

/* The first level by VTCR_EL2.SL0 and SL2; false: there is none. */
static bool stage2_level(struct tables *t, unsigned sl0, bool sl2)
{
    if (t->page_bits == 12)
        t->level = t->ds && sl2 ? -1 : sl0 == 3 ? 3 : 2 - (int)sl0;
    else
        t->level = 3 - (int)sl0;
    return !(t->ds && sl2 && sl0) && (t->level != 0 || t->page_bits == 12 || t->ds);
}

/* For @ipa, with the reason that stage2() has; false: a fault. */
static bool stage2_tables(struct walk *w, struct tables *t, uint64_t ipa, bool s1ptw)
{
    uint64_t vtcr = w->s->vtcr;
    unsigned tg = a64_bits(vtcr, 14, 2), sl0 = a64_bits(vtcr, 6, 2), tsz = a64_bits(vtcr, 0, 6), stride, bits;

    t->page_bits = tg == 1 ? 16 : tg == 2 && a64_core_16k(w->s->core) ? 14 : 12;
    stride = t->page_bits - 3;
    t->ds = (vtcr >> 32 & 1) && w->s->conf.lpa2 && t->page_bits < 16;
    set_output(w, t, (unsigned)a64_bits(vtcr, 16, 3));
    if (!set_input(w, t, tsz, t->ds || t->lpa ? 12 : 16) || !stage2_level(t, sl0, vtcr >> 33 & 1))
        return fail2(w, FSC_TRANSLATION, ipa, s1ptw);
    bits = t->page_bits + (unsigned)(3 - t->level) * stride; /* resolved below the first lookup; up to 16 tables side by side */
    if (t->input_bits <= bits || t->input_bits > bits + stride + 4)
        return fail2(w, FSC_TRANSLATION, ipa, s1ptw);
    if (!set_base(t, w->s->vttbr, t->input_bits - bits + 3))
        return fail2(w, FSC_SIZE, ipa, s1ptw);
    t->ha = (vtcr >> 21 & 1) && a64_core_af(w->s->core);
    t->hd = (vtcr >> 22 & 1) && t->ha && a64_core_dbm(w->s->core);
    t->big = w->s->sctlr[2] & SCTLR_EE;
    return true;
}

static uint8_t stage2_prot(const struct walk *w, uint64_t d)
{
    unsigned xn = a64_bits(d, 53, 2);
    bool x;

    if (!a64_core_xnx(w->s->core))
        x = !(xn & 2);
    else
        x = xn == 0 || (w->user ? xn == 1 : xn == 3);
    return (d & D_AP1 ? MMU_R : 0) | (d & D_AP2 ? MMU_W : 0) | (x ? MMU_X : 0);
}

static bool stage2(struct walk *w, uint64_t ipa, enum mmu_access access, bool s1ptw, struct leaf *l, uint8_t *prot)
{
    static const uint8_t need[] = {[MMU_READ] = MMU_R, [MMU_WRITE] = MMU_W, [MMU_FETCH] = MMU_X};
    struct tables t;
    bool again;

    if (!stage2_tables(w, &t, ipa, s1ptw))
        return false;
    if (ipa >> t.input_bits)
        return fail2(w, FSC_TRANSLATION, ipa, s1ptw);
    do {
        if (!descend(w, &t, ipa, true, s1ptw, l))
            return false;
        if (!settle(w, &t, l, access == MMU_WRITE, D_AP2, 0, &again))
            return fail2(w, at_level(FSC_ACCESS, l->level), ipa, s1ptw);
    } while (again);
    *prot = stage2_prot(w, l->desc);
    if (!w->debug && (!(*prot & need[access]) || (s1ptw && (w->s->hcr & 4) && !(l->desc & 0x30)))) /* HCR.PTW: device */
        return fail2(w, at_level(FSC_PERMISSION, l->level), ipa, s1ptw);
    return true;
}

/* --- Stage 1 --- */

static bool tbi(const struct walk *w, uint64_t va, bool fetch)
{
    uint64_t tcr = w->s->tcr[w->el];
    bool high = va >> 55 & 1;

    if (!w->two)
        return (tcr >> 20 & 1) && !(fetch && (tcr >> 29 & 1));
    return (tcr >> (high ? 38 : 37) & 1) && !(fetch && (tcr >> (high ? 52 : 51) & 1));
}

/* The flat map while translation is off. */
static bool stage1_off(struct walk *w)
{
    uint64_t va = w->va;

    if (tbi(w, va, w->access == MMU_FETCH))
        va &= ~(0xffull << 56);
    if (va >> a64_core_pa_bits(w->s->core))
        return fail(w, FSC_SIZE);
    w->pa = va;
    w->size = 4096;
    w->prot = MMU_R | MMU_W | MMU_X;
    w->attr = w->dc || w->access == MMU_FETCH ? ATTR_NORMAL : ATTR_DEVICE;
    w->sh = 2;
    w->global = true;
    return true;
}

static unsigned granule(const struct walk *w, unsigned tg, bool high)
{
    static const uint8_t low_bits[] = {12, 16, 14, 12}, high_bits[] = {12, 14, 12, 16};
    unsigned bits = high ? high_bits[tg] : low_bits[tg];

    return bits == 14 && !a64_core_16k(w->s->core) ? 12 : bits;
}

/* The tables for w->va; false: a fault. */
static bool stage1_tables(struct walk *w, struct tables *t, bool *hpd)
{
    const struct a64_sys *s = w->s;
    uint64_t tcr = s->tcr[w->el], ttbr, va = w->va;
    bool high = w->two && (va >> 55 & 1), afs = w->two;
    unsigned stride, below;

    t->page_bits = granule(w, (unsigned)a64_bits(tcr, high ? 30 : 14, 2), high);
    t->ds = a64_ds(s, w->el) && t->page_bits < 16;
    set_output(w, t, (unsigned)a64_bits(tcr, w->two ? 32 : 16, 3));
    if (!set_input(w, t, (unsigned)a64_bits(tcr, high ? 16 : 0, 6), t->ds || (t->page_bits == 16 && a64_core_lva(s->core)) ? 12 : 16))
        return fail(w, FSC_TRANSLATION);
    t->ha = (tcr >> (afs ? 39 : 21) & 1) && a64_core_af(s->core);
    t->hd = (tcr >> (afs ? 40 : 22) & 1) && t->ha && a64_core_dbm(s->core);
    t->big = s->sctlr[w->el] & SCTLR_EE;
    *hpd = (tcr >> (!w->two ? 24 : high ? 42 : 41) & 1) && a64_core_hpd(s->core);
    if (tbi(w, va, w->access == MMU_FETCH))
        va = w->two ? (uint64_t)((int64_t)(va << 8) >> 8) : va & ~(0xffull << 56);
    if (high ? ~va >> t->input_bits : va >> t->input_bits)
        return fail(w, FSC_TRANSLATION);
    if (w->two && (tcr >> (high ? 23 : 7) & 1)) /* EPD */
        return fail(w, FSC_TRANSLATION);
    if (w->two && w->user && a64_core_e0pd(s->core) && (tcr >> (high ? 56 : 55) & 1))
        return fail(w, FSC_TRANSLATION);
    stride = t->page_bits - 3;
    t->level = 4 - (int)((t->input_bits - t->page_bits + stride - 1) / stride);
    below = t->page_bits + (unsigned)(3 - t->level) * stride;
    ttbr = (high ? s->ttbr1 : s->ttbr0)[w->el];
    return set_base(t, ttbr, t->input_bits - below + 3) || fail(w, FSC_SIZE);
}

/* The permissions of a leaf, without those that the dirty state may still give. */
static uint8_t stage1_prot(const struct walk *w, uint64_t d)
{
    uint64_t sctlr = w->s->sctlr[w->el];
    bool ap1 = d & D_AP1, ro = d & D_AP2, r = true, wr = !ro, x;

    if (!w->two) {
        x = !(d & D_UXN);
    } else if (w->user) {
        r = ap1;
        wr = ap1 && !ro;
        x = !(d & D_UXN);
    } else {
        bool epan = (sctlr & SCTLR_EPAN) && a64_core_epan(w->s->core) && !(d & D_UXN);

        x = !(d & D_PXN) && !(ap1 && !ro);
        if (w->pan && (ap1 || epan))
            r = wr = false;
    }
    if ((sctlr & SCTLR_WXN) && wr)
        x = false;
    return (r ? MMU_R : 0) | (wr ? MMU_W : 0) | (x ? MMU_X : 0);
}

/* What the tables above take away, as if the leaf said so. */
static uint64_t restricted(const struct walk *w, const struct leaf *l, bool hpd)
{
    uint64_t d = l->desc;

    if (hpd)
        return d;
    if (l->table & D_APT2)
        d |= D_AP2;
    if ((l->table & D_APT1) && w->two)
        d &= ~(uint64_t)D_AP1;
    if (l->table & D_UXNT)
        d |= D_UXN;
    if ((l->table & D_PXNT) && w->two)
        d |= D_PXN;
    return d;
}

/* With 52 bits the descriptor's field is part of the address, and TCR says the shareability of all. */
static uint8_t leaf_sh(const struct walk *w, const struct tables *t, uint64_t d)
{
    bool high = w->two && (w->va >> 55 & 1);

    return (uint8_t)(t->ds ? a64_bits(w->s->tcr[w->el], high ? 28 : 12, 2) : a64_bits(d, 8, 2));
}

static bool stage1_on(struct walk *w)
{
    static const uint8_t need[] = {[MMU_READ] = MMU_R, [MMU_WRITE] = MMU_W, [MMU_FETCH] = MMU_X};
    struct tables t;
    struct leaf l;
    uint64_t d, clean;
    bool hpd, again, dirty;

    if (!stage1_tables(w, &t, &hpd))
        return false;
    do {
        if (!descend(w, &t, w->va, false, false, &l))
            return false;
        d = restricted(w, &l, hpd);
        /* A page with DBM is writable but for its AP[2]: would a write be allowed without that? */
        clean = d & ~(l.table & D_APT2 && !hpd ? 0ull : (uint64_t)D_AP2);
        dirty = w->access == MMU_WRITE && (stage1_prot(w, clean) & MMU_W);
        if (!settle(w, &t, &l, dirty, 0, D_AP2, &again))
            return fail(w, at_level(FSC_ACCESS, l.level));
    } while (again);
    w->prot = stage1_prot(w, restricted(w, &l, hpd));
    if (!w->debug && !(w->prot & need[w->access]))
        return fail(w, at_level(FSC_PERMISSION, l.level));
    w->pa = l.pa;
    w->size = l.size;
    w->attr = (uint8_t)(w->s->mair[w->el] >> 8 * a64_bits(l.desc, 2, 3));
    w->sh = w->attr & 0xf0 ? leaf_sh(w, &t, l.desc) : 2;
    w->global = !(l.desc & D_NG) || !w->two;
    w->guarded = l.desc & D_GP;
    return true;
}

/* --- Both --- */

static void set_regime(struct walk *w, unsigned regime)
{
    uint64_t hcr = hcr_of(w->s);

    w->el = regime <= R_EL10_1_PAN ? 1 : 2;
    w->user = regime == R_EL10_0 || regime == R_EL20_0;
    w->pan = regime == R_EL10_1_PAN || regime == R_EL2_PAN;
    w->two = w->el == 1 || (hcr & HCR_E2H);
    w->dc = w->el == 1 && (hcr & HCR_DC);
    w->stage2 = w->el == 1 && (hcr & (HCR_VM | HCR_DC));
}

static bool translate(struct walk *w, struct mmu_page *page)
{
    bool on = (w->s->sctlr[w->el] & SCTLR_M) && !w->dc && !(w->el == 1 && (hcr_of(w->s) & HCR_TGE));
    bool device;
    struct leaf l;
    uint8_t prot;

    if (on ? !stage1_on(w) : !stage1_off(w))
        return false;
    device = !(w->attr & 0xf0);
    *page = (struct mmu_page){.pa = w->pa, .size = w->size, .prot = w->prot, .device = device, .global = w->global,
                              .guarded = w->guarded};
    if (!w->stage2 || w->stage1_only)
        return true;
    if (!stage2(w, w->pa, w->access, false, &l, &prot))
        return false;
    page->pa = l.pa;
    page->size = l.size < w->size ? l.size : w->size;
    page->prot &= prot;
    page->device |= !(l.desc & 0x30);
    return true;
}

int a64_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool debug, struct mmu_page *page)
{
    struct walk w = {.cpu = cpu, .s = a64s(cpu), .va = va, .access = access, .debug = debug};
    bool ok;

    set_regime(&w, regime);
    ok = translate(&w, page);
    if (!debug)
        a64_log_walk(cpu, va, access, regime, ok ? page : NULL, w.fault.fsc);
    if (ok && access != MMU_FETCH && (cpu->mode & A64_MODE_BREAK) && !debug && a64_watch_page(w.s, va)) {
        page->once = true;
        if (a64_watched(w.s, va, access)) {
            ok = false;
            w.fault = (struct a64_fault){.fsc = FSC_DEBUG, .debug = true};
        }
    }
    if (ok)
        return 0;
    if (!debug) {
        w.fault.far = va;
        w.fault.write = access == MMU_WRITE;
        w.s->fault = w.fault;
    }
    return -EFAULT;
}

bool a64_bad_access(struct cpu *cpu, uint64_t va, uint64_t pa, enum mmu_access access, unsigned regime,
                    bool misaligned)
{
    a64s(cpu)->fault = (struct a64_fault){.far = va, .fsc = misaligned ? FSC_ALIGN : FSC_EXTERNAL,
                                          .write = access == MMU_WRITE};
    return true;
}

/* --- What is mapped --- */

static void put_prot(char *to, uint8_t prot)
{
    to[0] = prot & MMU_R ? 'r' : '-';
    to[1] = prot & MMU_W ? 'w' : '-';
    to[2] = prot & MMU_X ? 'x' : '-';
}

/* The page or block at w->va, or how much there is not mapped; *@more: go on. */
static uint64_t survey_one(struct walk *w, const struct tables *t, bool hpd, guest_page_fn *fn, void *opaque, bool *more)
{
    char prot[] = "--- ---", attrs[64]; /* of the level, and of EL0 */
    struct leaf l;

    if (!descend(w, t, w->va, false, false, &l)) {
        int level = w->fault.stage2 ? 3 : w->fault.fsc & 0x20 ? -1 : (int)(w->fault.fsc & 3);

        return 1ull << (t->page_bits + (unsigned)(3 - level) * (t->page_bits - 3));
    }
    w->user = false;
    put_prot(prot, stage1_prot(w, restricted(w, &l, hpd)));
    if (w->two) {
        w->user = true;
        put_prot(prot + 4, stage1_prot(w, restricted(w, &l, hpd)));
        w->user = false;
    }
    snprintf(attrs, sizeof(attrs), "%s attr=%02x sh=%u%s%s%s%s", prot, (unsigned)(w->s->mair[w->el] >> 8 * a64_bits(l.desc, 2, 3) & 0xff),
             (unsigned)leaf_sh(w, t, l.desc), l.desc & D_AF ? " AF" : "", l.desc & D_NG ? " nG" : "", l.desc & D_DBM ? " DBM" : "",
             l.desc & D_GP ? " GP" : "");
    *more = fn(opaque, w->va & ~(l.size - 1), l.pa & ~(l.size - 1), l.size, prot, attrs);
    return l.size;
}

void a64_pages(struct cpu *cpu, guest_page_fn *fn, void *opaque)
{
    enum { STEPS = 1 << 22 }; /* tables may lead to themselves: an end, all the same */
    struct walk w = {.cpu = cpu, .s = a64s(cpu), .debug = true};
    unsigned steps = 0;
    bool hpd, more = true;
    struct tables t;

    set_regime(&w, a64_fetch_regime(cpu->mode));
    w.user = false;
    for (unsigned high = 0; more && high <= w.two && (w.s->sctlr[w.el] & SCTLR_M); high++) {
        uint64_t va = high ? ~0ull : 0, size;

        w.va = va;
        if (!stage1_tables(&w, &t, &hpd))
            continue;
        for (va = high ? ~0ull << t.input_bits : 0; more && steps < STEPS; va += size, steps++) {
            w.va = va;
            size = survey_one(&w, &t, hpd, fn, opaque, &more);
            va &= ~(size - 1);
            if (va + size == 0 || (!high && (va + size) >> t.input_bits))
                break;
        }
    }
}

/* --- AT --- */

void a64_at(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool stage1_only)
{
    struct walk w = {.cpu = cpu, .s = a64s(cpu), .va = va, .access = access, .stage1_only = stage1_only};
    const struct a64_fault *f = &w.fault;
    struct mmu_page page;

    set_regime(&w, regime);
    if (translate(&w, &page))
        w.s->par = (page.pa & PA_FIELD) | (uint64_t)w.attr << 56 | 1 << 11 | 1 << 9 | (uint64_t)w.sh << 7;
    else
        w.s->par = 1 | (uint64_t)f->fsc << 1 | (uint64_t)f->s1ptw << 8 | (uint64_t)f->stage2 << 9 | 1 << 11;
}

/* --- Regimes of modes --- */

bool a64_ds(const struct a64_sys *s, unsigned el)
{
    return s->conf.lpa2 && (s->tcr[el] >> (el == 1 || (hcr_of(s) & HCR_E2H) ? 59 : 32) & 1);
}

bool a64_wide(const struct a64_sys *s)
{
    unsigned el = a64_target(s);
    uint64_t tcr = s->tcr[el];
    bool two = el == 1 || (hcr_of(s) & HCR_E2H);

    return a64_core_lva(s->core) && (a64_bits(tcr, 0, 6) < 16 || (two && a64_bits(tcr, 16, 6) < 16)) &&
           (a64_ds(s, el) || a64_bits(tcr, 14, 2) == 1 || (two && a64_bits(tcr, 30, 2) == 3));
}

unsigned a64_regime(uint32_t mode, bool unpriv)
{
    bool e2h = mode & A64_MODE_E2H;

    switch (unpriv ? 0 : a64_mode_el(mode)) {
    case 0:
        return e2h ? R_EL20_0 : R_EL10_0;
    case 1:
        return mode & A64_MODE_PAN ? R_EL10_1_PAN : R_EL10_1;
    default: /* PAN is for regimes that have an EL0 */
        return e2h && (mode & A64_MODE_PAN) ? R_EL2_PAN : R_EL2;
    }
}

unsigned a64_fetch_regime(uint32_t mode)
{
    return a64_regime(mode & ~(uint32_t)A64_MODE_PAN, false);
}

static uint64_t asid(const struct a64_sys *s, unsigned el)
{
    uint64_t tcr = s->tcr[el], ttbr = (tcr >> 22 & 1 ? s->ttbr1 : s->ttbr0)[el];

    return ttbr >> 48 & ((tcr >> 36 & 1) && a64_core_asid16(s->core) ? 0xffff : 0xff);
}

void a64_contexts(struct cpu *cpu)
{
    const struct a64_sys *s = a64s(cpu);
    uint64_t vmid = s->vttbr >> 48 & ((s->vtcr >> 19 & 1) && a64_core_vmid16(s->core) ? 0xffff : 0xff);

    mmu_set_context(cpu, R_EL10_ALL, vmid << 16 | asid(s, 1));
    mmu_set_context(cpu, R_EL2_ALL, hcr_of(s) & HCR_E2H ? asid(s, 2) : 0);
}
