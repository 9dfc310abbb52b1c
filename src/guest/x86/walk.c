/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging: 32-bit, PAE, 4 and 5 levels (SDM 3A, chapter 4).
 *
 * In an SVM guest with nested paging, what the guest's tables say, and where they are, are addresses that the host's tables translate
 * once more (APM 2, 15.25).
 *
 * Accessed and dirty bits are set in the guest's memory by compare and swap, as other CPUs may change the entries.
 */
#include "guest/x86/system_priv.h"

#include "guest/x86/lift.h"

#include <errno.h>
#include <stdio.h>

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 32, PTE_D = 64, PTE_PS = 128, PTE_G = 256 };
#define PTE_NX (1ull << 63)
#define NPF_FINAL (1ull << 32)
#define NPF_TABLE (1ull << 33)
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16, PF_PK = 32 };

struct walk {
    struct cpu *cpu;
    struct x86_sys *s;
    uint64_t va, cr0, cr3, cr4, efer;
    enum mmu_access access;
    bool user, smap, debug;
    bool inner; /* addresses are guest-physical: what is found is translated again */
    bool outer; /* that second translation; user accesses all of them */
    bool table; /* ... of the place of an entry, not of what was asked for */
    /* found */
    uint64_t rights; /* PTE_W, PTE_U: all levels allow it; PTE_NX: one forbids */
    unsigned key;
    uint64_t pa, size;
    bool global;
    uint64_t entry; /* the leaf */
    unsigned shift; /* of the last entry read: it stands for 1 << shift bytes */
};

static bool is_long(const struct walk *w)
{
    return w->efer & EFER_LMA;
}

/* --- Faults --- */

static int fault(const struct walk *w, unsigned vector, uint32_t error)
{
    struct x86_sys *s = w->s;

    if (w->debug)
        return -EFAULT;
    s->fault_vector = (uint8_t)vector;
    s->fault_error = error;
    s->fault_cr2 = w->va;
    return -EFAULT;
}

static bool fetch_counts(const struct walk *w)
{
    return ((w->cr4 & CR4_SMEP) && !w->outer) || ((w->efer & EFER_NXE) && (w->cr4 & CR4_PAE));
}

static int page_fault(const struct walk *w, uint32_t error)
{
    if (w->access == MMU_WRITE)
        error |= PF_W;
    if (w->user)
        error |= PF_U;
    if (w->access == MMU_FETCH && fetch_counts(w))
        error |= PF_I;
    if (!w->outer)
        return fault(w, X86_EXC_PF, error);
    if (!w->debug)
        w->s->svm.npf = error | (w->table ? NPF_TABLE : NPF_FINAL);
    return fault(w, X86_NESTED_FAULT, 0);
}

/* --- Entries in memory --- */

static int translate_again(const struct walk *inner, uint64_t at, enum mmu_access access, bool table, struct walk *w);

/* Entries of a guest with nested paging are looked up, and may be written (15.25.6). */
static int place(const struct walk *w, uint64_t *pa)
{
    struct walk outer;
    int r;

    if (!w->inner)
        return 0;
    if ((r = translate_again(w, *pa, MMU_WRITE, true, &outer)) == 0)
        *pa = outer.pa;
    return r;
}

static void *entry_at(const struct walk *w, uint64_t pa, struct mem_hit *hit)
{
    return mmu_ram(w->cpu, pa, hit) ? hit->host : NULL;
}

static uint64_t read_entry(const struct walk *w, uint64_t pa, unsigned size)
{
    struct mem_hit hit;
    void *p = entry_at(w, pa, &hit);
    uint64_t v = ~0ull;

    if (p)
        return size == 8 ? __atomic_load_n((uint64_t *)p, __ATOMIC_RELAXED) : __atomic_load_n((uint32_t *)p, __ATOMIC_RELAXED);
    space_load(w->s->space, pa, &v, (struct access){.who = BUS_CPU(w->s->index), .size = (uint8_t)size, .debug = w->debug});
    return size == 8 ? v : (uint32_t)v;
}

/* False: the entry is not @old any more. */
static bool swap_entry(void *p, uint64_t old, uint64_t new, unsigned size)
{
    uint32_t old32 = (uint32_t)old;

    if (size == 8)
        return __atomic_compare_exchange_n((uint64_t *)p, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    return __atomic_compare_exchange_n((uint32_t *)p, &old32, (uint32_t)new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static bool set_bits(const struct walk *w, uint64_t pa, uint64_t old, uint64_t bits, unsigned size)
{
    struct mem_hit hit;
    void *p;

    if (w->debug || (old & bits) == bits)
        return true;
    if (place(w, &pa) < 0)
        return false;
    p = entry_at(w, pa, &hit);
    if (!p || !hit.writable)
        return true;
    if (!swap_entry(p, old, old | bits, size))
        return false;
    ram_written(w->s->m, hit.ram, hit.ram_off, size);
    return true;
}

/* --- Rights --- */

/* The protection key's word on user pages: bit 0 no access, bit 1 no write. */
static bool key_forbids(const struct walk *w, bool write)
{
    uint32_t bits;

    if (!(w->cr4 & CR4_PKE) || !is_long(w) || !(w->rights & PTE_U))
        return false;
    bits = w->s->u.pkru >> (2 * w->key) & 3;
    return (bits & 1) || ((bits & 2) && write && (w->user || (w->cr0 & CR0_WP)));
}

static bool may(const struct walk *w, enum mmu_access access)
{
    bool upage = w->rights & PTE_U;

    if (w->user && !upage)
        return false;
    if (access == MMU_FETCH)
        return !(w->rights & PTE_NX) && !(!w->user && upage && (w->cr4 & CR4_SMEP));
    if (w->smap && upage)
        return false;
    return access == MMU_READ || (w->rights & PTE_W) || (!w->user && !(w->cr0 & CR0_WP));
}

static uint8_t prot_of(const struct walk *w)
{
    uint8_t p = 0;

    if (may(w, MMU_READ) && !key_forbids(w, false))
        p |= MMU_R;
    if (may(w, MMU_WRITE) && !key_forbids(w, true))
        p |= MMU_W;
    return may(w, MMU_FETCH) ? p | MMU_X : p;
}

/* --- Levels --- */

static bool nx_on(const struct walk *w)
{
    return w->efer & EFER_NXE;
}

/* Bits that must be 0 in an 8-byte entry. */
static uint64_t reserved(const struct walk *w, unsigned level, bool large)
{
    uint64_t r = ~w->s->pa_mask & 0x000ffffffffff000ull;

    if (!nx_on(w))
        r |= PTE_NX;
    if (!is_long(w))
        r |= 0x7ff0000000000000ull;
    if (large)
        r |= ((1ull << (12 + 9 * (level - 1))) - 1) & 0x1fffff000ull & ~0x1000ull; /* but PAT */
    return r;
}

static bool may_be_large(const struct walk *w, unsigned level)
{
    return level == 2 || (level == 3 && is_long(w) && x86_feat(w->s, X86_FEAT_PDPE1GB));
}

/* After the leaf is known: rights, accessed and dirty.  1: the entry has changed, walk again. */
static int leaf(struct walk *w, uint64_t at, uint64_t e, unsigned size)
{
    bool locked = w->access != MMU_FETCH && key_forbids(w, w->access == MMU_WRITE);

    if (!w->debug && (locked || !may(w, w->access)))
        return page_fault(w, PF_P | (locked ? PF_PK : 0)); /* whatever else forbids it (SDM 3A, 4.7) */
    if (!set_bits(w, at, e, PTE_A | (w->access == MMU_WRITE ? PTE_D : 0), size))
        return 1;
    w->global = (e & PTE_G) && (w->cr4 & CR4_PGE) && !(w->efer & EFER_SVME); /* not across guests */
    if (!(e & PTE_D) && w->access != MMU_WRITE)
        w->rights |= PTE_D; /* here: not dirty yet, a write has to come back */
    return 0;
}

/* From the table at @table, of @level, down; 8-byte entries. */
static int walk8(struct walk *w, uint64_t table, unsigned level)
{
    for (;; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        uint64_t at = table + (w->va >> shift & 511) * 8, e, to = at;
        bool large;

        if (place(w, &to) < 0)
            return -EFAULT;
        w->entry = e = read_entry(w, to, 8);
        w->shift = shift;
        large = level > 1 && (e & PTE_PS);
        if (!(e & PTE_P))
            return page_fault(w, 0);
        if ((e & reserved(w, level, large)) || (large && !may_be_large(w, level)))
            return page_fault(w, PF_P | PF_RSVD);
        w->rights &= (e & (PTE_W | PTE_U)) | ~(uint64_t)(PTE_W | PTE_U);
        w->rights |= e & PTE_NX;
        if (level == 1 || large) {
            w->key = e >> 59 & 15;
            w->size = 1ull << shift;
            w->pa = (e & w->s->pa_mask & ~(w->size - 1)) | (w->va & (w->size - 1));
            return leaf(w, at, e, 8);
        }
        if (!set_bits(w, at, e, PTE_A, 8))
            return 1;
        table = e & w->s->pa_mask & 0x000ffffffffff000ull;
    }
}

static int walk_pae(struct walk *w)
{
    uint64_t e = w->s->pdpte[w->va >> 30 & 3], at = (w->cr3 & 0xffffffe0) + 8 * (w->va >> 30 & 3);

    w->shift = 30;
    if (w->inner || w->outer) { /* not kept, but read as other entries are */
        if (place(w, &at) < 0)
            return -EFAULT;
        e = read_entry(w, at, 8);
    }
    if (!(e & PTE_P))
        return page_fault(w, 0);
    return walk8(w, e & w->s->pa_mask & 0x000ffffffffff000ull, 2);
}

/* A 4 MiB page: bits 20..13 are the address's bits 39..32 (PSE-36). */
static int large4(struct walk *w, uint64_t at, uint64_t e)
{
    if ((e & 1 << 21) || ((e >> 13 & 0xff) << 32 & ~w->s->pa_mask))
        return page_fault(w, PF_P | PF_RSVD);
    w->size = 4 << 20;
    w->pa = (e & 0xffc00000) | (e >> 13 & 0xff) << 32 | (w->va & 0x3fffff);
    return leaf(w, at, e, 4);
}

static int walk4(struct walk *w)
{
    uint64_t at = (w->cr3 & 0xfffff000) + (w->va >> 22 & 1023) * 4, to = at, e;

    if (place(w, &to) < 0)
        return -EFAULT;
    w->entry = e = read_entry(w, to, 4);
    w->shift = 22;
    if (!(e & PTE_P))
        return page_fault(w, 0);
    w->rights &= e;
    if ((e & PTE_PS) && (w->cr4 & CR4_PSE))
        return large4(w, at, e);
    if (!set_bits(w, at, e, PTE_A, 4))
        return 1;
    to = at = (e & 0xfffff000) + (w->va >> 12 & 1023) * 4;
    if (place(w, &to) < 0)
        return -EFAULT;
    w->entry = e = read_entry(w, to, 4);
    w->shift = 12;
    if (!(e & PTE_P))
        return page_fault(w, 0);
    w->rights &= e;
    w->size = 4096;
    w->pa = (e & 0xfffff000) | (w->va & 4095);
    return leaf(w, at, e, 4);
}

static int walk_once(struct walk *w)
{
    const struct x86_sys *s = w->s;

    w->rights = PTE_W | PTE_U;
    w->key = 0;
    if (is_long(w))
        return walk8(w, w->cr3 & s->pa_mask & 0x000ffffffffff000ull, w->cr4 & CR4_LA57 ? 5 : 4);
    return w->cr4 & CR4_PAE ? walk_pae(w) : walk4(w);
}

static int walk_all(struct walk *w)
{
    int r;

    for (unsigned tries = 0; (r = walk_once(w)) == 1 && tries < 1000; tries++)
        ;
    return r;
}

/* --- Nested paging --- */

/* The host's tables, as user accesses; a host without paging leaves addresses as they are. */
static int translate_again(const struct walk *inner, uint64_t at, enum mmu_access access, bool table, struct walk *w)
{
    const struct x86_svm *g = &inner->s->svm;

    *w = (struct walk){.cpu = inner->cpu, .s = inner->s, .va = at, .cr0 = g->host.cr0, .cr3 = g->ncr3, .cr4 = g->host.cr4,
                       .efer = g->host.efer, .access = access, .user = true, .debug = inner->debug, .outer = true, .table = table};
    w->cr4 &= ~(uint64_t)(CR4_SMEP | CR4_SMAP | CR4_PKE);
    if (!(w->cr0 & CR0_PG)) {
        w->rights = PTE_W | PTE_U;
        w->pa = at;
        w->size = 4096;
        return 0;
    }
    return walk_all(w);
}

/* The guest's translation is done: the page is what both allow. */
static int finish(struct walk *w, uint8_t *prot)
{
    struct walk o;
    int r;

    *prot = MMU_R | MMU_W | MMU_X;
    if (!w->inner)
        return 0;
    if ((r = translate_again(w, w->pa, w->access, false, &o)) < 0)
        return r;
    *prot = prot_of(&o);
    if (o.rights & PTE_D)
        *prot &= (uint8_t)~MMU_W;
    w->pa = o.pa;
    if (o.size < w->size)
        w->size = o.size;
    return 0;
}

/* --- Addresses --- */

bool x86_canonical(const struct x86_sys *s, uint64_t va)
{
    unsigned n = s->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(va << n) >> n) == va;
}

/* An access that translated code found outside its segment: segments that expand down are looked at here; everything else is a fault. */
static int bad_linear(struct walk *w, uint64_t *linear)
{
    unsigned seg = w->va >> X86_BAD_SEG & 7, size = (w->va >> X86_BAD_SIZE & 63) + 1;
    const struct x86_segment *g = &w->s->u.seg[seg < X86_NUM_SEGS ? seg : 0];
    uint32_t la = (uint32_t)w->va, off = la - (uint32_t)w->s->u.base[seg < X86_NUM_SEGS ? seg : 0];
    uint64_t top = g->attr & SEG_DB ? 0xffffffff : 0xffff;

    *linear = la;
    if ((g->attr & SEG_P) && !(g->attr & SEG_CODE) && (g->attr & SEG_CE) && (!(w->va & X86_BAD_WRITE) || (g->attr & SEG_RW)) &&
        off > g->limit && (uint64_t)off + size - 1 <= top)
        return 0;
    return fault(w, seg == X86_SS ? X86_EXC_SS : X86_EXC_GP, 0);
}

static void no_paging(struct walk *w)
{
    w->rights = PTE_W | PTE_U;
    w->pa = (uint32_t)w->va;
    w->size = 4096;
    w->global = false;
}

static uint64_t a20(const struct x86_sys *s, uint64_t pa)
{
    return s->a20 || s->smm ? pa : pa & ~(1ull << 20);
}

/* Data breakpoints: hits are remembered until the instruction is done (exception.c). */
static bool breakpoint_near(struct walk *w)
{
    bool near = false;

    for (unsigned i = 0; i < 4; i++) {
        unsigned rw = w->s->dr7 >> (16 + 4 * i) & 3, on = w->s->dr7 >> (2 * i) & 3;

        if (on && (rw & 1) && w->access != MMU_FETCH && !((w->va ^ w->s->dr[i]) & ~4095ull))
            near = true;
    }
    return near;
}

static void note_breakpoints(struct walk *w)
{
    static const uint8_t lens[] = {1, 2, 8, 4};

    for (unsigned i = 0; i < 4 && !w->debug; i++) {
        unsigned rw = w->s->dr7 >> (16 + 4 * i) & 3, len = lens[w->s->dr7 >> (18 + 4 * i) & 3];
        uint64_t at = w->s->dr[i] & ~(uint64_t)(len - 1);

        /* The size of the access is not known here: an access that begins up to seven bytes before is taken to reach it
         * only when it is aligned with it. */
        if ((w->s->dr7 >> (2 * i) & 3) && (rw == 3 || (rw == 1 && w->access == MMU_WRITE)) && w->va - at < len)
            w->s->db_hit |= 1u << i;
    }
}

static int translate(struct walk *w)
{
    if (!(w->cr0 & CR0_PG)) {
        no_paging(w);
        return 0;
    }
    if (is_long(w) && !x86_canonical(w->s, w->va))
        return fault(w, X86_EXC_GP, 0);
    if (!is_long(w))
        w->va = (uint32_t)w->va;
    return walk_all(w);
}

/* Under the tables in force. */
static struct walk now(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    return (struct walk){.cpu = cpu, .s = s, .cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer,
                         .inner = x86_guest(s) && s->svm.np};
}

int x86_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool debug, struct mmu_page *page)
{
    struct x86_sys *s = x86s(cpu);
    struct walk w = now(cpu);
    bool odd = x86_is_bad_linear(va);
    uint8_t prot;
    int r;

    w.va = va;
    w.access = access;
    w.user = regime == R_USER;
    w.smap = regime == R_KERNEL_SMAP;
    w.debug = debug;
    if ((odd && (r = bad_linear(&w, &w.va)) < 0) || (r = translate(&w)) < 0 || (r = finish(&w, &prot)) < 0)
        return r;
    *page = (struct mmu_page){.pa = a20(s, w.pa), .size = odd || !s->a20 ? 4096 : w.size, .prot = prot_of(&w) & prot, .global = w.global,
                              .once = odd, .secure = s->smm};
    if (w.rights & PTE_D)
        page->prot &= (uint8_t)~MMU_W;
    if (s->dr7 & 0xff && breakpoint_near(&w)) {
        page->once = true;
        note_breakpoints(&w);
    }
    return 0;
}

/* What monitors print of a leaf: its bits from the top. */
static void entry_text(const struct walk *w, char text[10])
{
    static const struct {
        uint64_t bit;
        char name;
    } bits[] = {{PTE_NX, 'X'}, {PTE_G, 'G'}, {PTE_PS, 'P'}, {PTE_D, 'D'}, {PTE_A, 'A'}, {16, 'C'}, {8, 'T'}, {PTE_U, 'U'}, {PTE_W, 'W'}};

    for (unsigned i = 0; i < 9; i++)
        text[i] = w->entry & bits[i].bit && (bits[i].bit != PTE_PS || w->size > 4096) ? bits[i].name : '-';
    text[9] = '\0';
}

void x86_pages(struct cpu *cpu, guest_page_fn *fn, void *opaque)
{
    enum { STEPS = 1 << 22 }; /* tables may lead to themselves: an end, all the same */
    struct walk w = now(cpu);
    uint64_t end = !is_long(&w) ? 1ull << 32 : 0, va = 0, size;
    char text[10], prot[4];

    w.debug = true;
    for (unsigned steps = 0; (w.cr0 & CR0_PG) && steps < STEPS; steps++) {
        uint64_t to;

        w.va = va;
        if (walk_once(&w) == 0) {
            size = w.size;
            to = w.pa & ~(size - 1);
            snprintf(prot, sizeof(prot), "%cr%c", w.rights & PTE_U ? 'u' : '-', w.rights & PTE_W ? 'w' : '-');
            entry_text(&w, text);
            if (!fn(opaque, va, to, size, prot, text))
                return;
        } else {
            size = 1ull << w.shift;
        }
        va = (va & ~(size - 1)) + size;
        if (va == end)
            return;
        if (is_long(&w) && !x86_canonical(w.s, va))
            va = ~0ull << (w.cr4 & CR4_LA57 ? 56 : 47);
    }
}

/* Nothing answers: reads give ones, writes are lost.  Where nothing can be fetched, all ones are, which is no instruction.
 * Misaligned: the alignment check. */
bool x86_bad_access(struct cpu *cpu, uint64_t va, uint64_t pa, enum mmu_access access, unsigned regime, bool misaligned)
{
    struct x86_sys *s = x86s(cpu);

    (void)pa;
    (void)regime;
    if (!misaligned && access != MMU_FETCH)
        return false;
    s->fault_vector = misaligned ? X86_EXC_AC : X86_EXC_UD;
    s->fault_error = 0;
    s->fault_cr2 = va;
    return true;
}

unsigned x86_regime(uint32_t mode, bool unpriv)
{
    if (unpriv || x86_cpl(mode) == 3)
        return R_USER;
    return mode & X86_MODE_SMAP ? R_KERNEL_SMAP : R_KERNEL;
}

unsigned x86_fetch_regime(uint32_t mode)
{
    return x86_cpl(mode) == 3 ? R_USER : R_KERNEL;
}

/* The same ASID may come back with other modes, for which pages were not looked up: these are part of the name. */
static uint64_t modes_of(const struct x86_sys *s)
{
    uint64_t m = (s->cr0 >> 31 & 1) | (s->cr0 >> 15 & 2) | (s->efer >> 8 & 4) | (s->efer >> 8 & 8) | (uint64_t)s->svm.np << 4;

    return m << 32 | (s->cr4 & (CR4_PSE | CR4_PAE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_LA57)) << 40;
}

void x86_set_context(struct cpu *cpu)
{
    const struct x86_sys *s = x86s(cpu);
    uint64_t context = s->cr4 & CR4_PCIDE ? s->cr3 & 0xfff : 0;

    if (x86_guest(s))
        context |= (uint64_t)s->svm.asid << 12 | modes_of(s);
    mmu_set_context(cpu, R_ALL, context);
}

void x86_flush(struct cpu *cpu, bool globals)
{
    mmu_flush(cpu, R_ALL, 0, 0, globals);
    x86_set_context(cpu);
}

bool x86_load_pdptes(struct cpu *cpu, uint64_t cr3)
{
    struct x86_sys *s = x86s(cpu);
    struct walk w = now(cpu);
    uint64_t e[4], bad = 0x1e6 | (~s->pa_mask & ~0xfffull);

    for (unsigned i = 0; i < 4; i++) {
        uint64_t at = (cr3 & 0xffffffe0) + 8 * i;

        if (place(&w, &at) < 0) {
            cpu->stop = CPU_STOP_FAULT;
            return false;
        }
        e[i] = read_entry(&w, at, 8);
        if ((e[i] & PTE_P) && (e[i] & bad))
            return x86_gp(cpu, 0);
    }
    for (unsigned i = 0; i < 4; i++)
        s->pdpte[i] = e[i];
    return true;
}
