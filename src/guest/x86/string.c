/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repeated string instructions (SDM 1, 7.3.9.2; SDM 2, REP): MOVS and STOS of programs by the host's own, else in pieces that
 * lie in one page where they go forward, else element by element.  A fault leaves registers as after the element before it.
 * Each helper gives 1 when it is to be called again: it does not stay away for long.
 */
#include "guest/x86/string.h"

#include "cpu/engine.h"
#include "cpu/mmu.h"
#include "guest/x86/lift.h"

#include <string.h>

enum { PAGE = 4096, BUDGET = 1 << 18, FEW = 4096 /* elements one by one */ };

struct string {
    struct cpu *cpu;
    struct x86_state *s;
    unsigned size, addr, seg;
    bool repne, forward;
    uint64_t n; /* elements left */
};

static uint64_t mask_of(unsigned bytes)
{
    return ~0ull >> (64 - 8 * bytes);
}

static void set_reg(const struct string *t, unsigned reg, uint64_t v)
{
    uint64_t *r = &t->s->r[reg];

    if (t->addr == 2)
        *r = (*r & ~0xffffull) | (v & 0xffff);
    else
        *r = v & mask_of(t->addr);
}

static struct string begin(struct cpu *cpu, uint64_t how)
{
    struct x86_state *s = x86(cpu);
    struct string t = {.cpu = cpu, .s = s, .size = how & 255, .addr = how >> 8 & 255, .seg = how >> 16 & 255,
                       .repne = how >> 24 & 1, .forward = s->df == 1};

    t.n = s->r[X86_CX] & mask_of(t.addr);
    if (t.addr == 4) /* processors do that even when nothing is repeated, or the first access faults */
        s->r[X86_CX] = t.n;
    return t;
}

static uint64_t offset(const struct string *t, unsigned reg)
{
    return t->s->r[reg] & mask_of(t->addr);
}

/* Do limits matter? */
static bool limited(const struct string *t, unsigned seg)
{
    uint32_t mode = t->cpu->mode;

    return mode & X86_MODE_SYSTEM && x86_code(mode) != X86_CODE64 && !(seg < X86_FS && mode & X86_MODE_FLAT) &&
           !x86_big_real(mode, t->addr);
}

static uint64_t room(const struct string *t, unsigned seg, bool write)
{
    return (write ? t->s->room_w : t->s->room_r)[seg];
}

/* Of the element that is next; what the segment does not have room for as x86_linear says it, so that the access raises it. */
static uint64_t linear(const struct string *t, unsigned seg, unsigned reg, bool write)
{
    uint64_t off = offset(t, reg), la = off + t->s->base[seg];
    uint32_t mode = t->cpu->mode;

    if (seg < X86_FS && (mode & X86_MODE_FLAT))
        return off;
    if (x86_code(mode) == X86_CODE64)
        return la;
    la = (uint32_t)la;
    if (!limited(t, seg) || off + t->size <= room(t, seg, write))
        return la;
    return la | X86_BAD_LINEAR | (uint64_t)seg << X86_BAD_SEG | (uint64_t)(t->size - 1) << X86_BAD_SIZE | (write ? X86_BAD_WRITE : 0);
}

static uint64_t source(const struct string *t)
{
    return linear(t, t->seg, X86_SI, false);
}

static uint64_t dest(const struct string *t, bool write)
{
    return linear(t, X86_ES, X86_DI, write);
}

/* @n elements are done. */
static void step(struct string *t, unsigned reg, uint64_t n)
{
    set_reg(t, reg, t->s->r[reg] + n * t->size * t->s->df);
}

static void count(struct string *t, uint64_t n)
{
    t->n -= n;
    set_reg(t, X86_CX, t->n);
}

/* How many elements lie between register @reg's address @at and the end of its page or segment, or where the register wraps around. */
static uint64_t in_page(const struct string *t, unsigned reg, uint64_t at, bool write)
{
    uint64_t bytes = PAGE - (at & (PAGE - 1)), off = offset(t, reg), left = mask_of(t->addr) - off;
    unsigned seg = reg == X86_SI ? t->seg : X86_ES;

    if (left < bytes - 1)
        bytes = left + 1;
    if (limited(t, seg) && off + bytes > room(t, seg, write))
        bytes = off < room(t, seg, write) ? room(t, seg, write) - off : 0;
    return bytes / t->size;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* --- Pieces --- */

/* As REP MOVSB does: forward, whatever overlaps. */
static void copy_forward(void *dst, const void *src, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

static bool copy_piece(struct cpu *cpu, uint64_t dst, uint64_t src, size_t n)
{
    void *to;
    const void *from;

    if (!cpu->memory)
        return guest_write(cpu, dst, guest_ptr(cpu, src), n) == 0;
    to = mmu_host(cpu, dst, true);
    from = mmu_host(cpu, src, false);
    if (!to || !from)
        return false;
    copy_forward(to, from, n);
    return true;
}

static bool read_piece(struct cpu *cpu, void *dst, uint64_t src, size_t n)
{
    const void *from;

    if (!cpu->memory)
        return guest_read(cpu, dst, src, n) == 0;
    from = mmu_host(cpu, src, false);
    if (from)
        memcpy(dst, from, n);
    return from;
}

static bool write_piece(struct cpu *cpu, uint64_t dst, const void *src, size_t n)
{
    void *to;

    if (!cpu->memory)
        return guest_write(cpu, dst, src, n) == 0;
    to = mmu_host(cpu, dst, true);
    if (to)
        memcpy(to, src, n);
    return to;
}

/* --- Element by element --- */

static unsigned memop(const struct string *t)
{
    return (unsigned)__builtin_ctz(t->size);
}

static bool get(const struct string *t, uint64_t at, uint64_t *v)
{
    union ir_u u;

    if (!cpu_load(t->cpu, at, memop(t), &u))
        return false;
    *v = u.d[0] & mask_of(t->size);
    return true;
}

static bool put(const struct string *t, uint64_t at, uint64_t v)
{
    union ir_u u = {.d = {v, 0}};

    return cpu_store(t->cpu, at, memop(t), &u);
}

/* The element that the debugger or the guest asked for, or as many as do not take long. */
static unsigned budget(const struct string *t, unsigned usual)
{
    return t->cpu->single_step || t->cpu->guest_step ? 1 : usual;
}

/* --- MOVS, STOS, LODS --- */

/* Can the host's instruction do it: a program's memory, and no offset that wraps around?  It stops before the element that
 * faults, which is then done by itself. */
static bool is_plain(const struct string *t, unsigned bytes)
{
    return !t->cpu->memory && t->forward && t->addr == 8 && bytes > 1;
}

/* As Intel's processors begin these two: pointers of 32 bits lose their upper halves, whatever follows. */
static void cut_pointers(const struct string *t, bool with_source)
{
    if (t->addr != 4)
        return;
    if (with_source)
        set_reg(t, X86_SI, t->s->r[X86_SI]);
    set_reg(t, X86_DI, t->s->r[X86_DI]);
}

/* A copy of bytes does what a copy of elements does, unless an element overlaps what it was copied from. */
static uint64_t movable(const struct string *t)
{
    uint64_t src = source(t), dst = dest(t, true), n, ahead = dst - src;

    if (!t->forward)
        return 0;
    n = least(least(in_page(t, X86_SI, src, false), in_page(t, X86_DI, dst, true)), t->n);
    if (ahead && ahead < n * t->size && (ahead < t->size || n * t->size <= 16)) /* short ones are one host access */
        return 0;
    return n;
}

/* Elements copied in one go, 0: the next one must be done by itself. */
static uint64_t move_some(struct string *t, unsigned bytes)
{
    uint64_t n;

    if (is_plain(t, bytes))
        return guest_move_elements(t->cpu, dest(t, true), source(t), least(t->n, bytes / t->size), memop(t));
    n = bytes == 1 ? 0 : movable(t);
    return n > 1 && copy_piece(t->cpu, dest(t, true), source(t), n * t->size) ? n : 0;
}

uint64_t x86_help_movs(struct cpu *cpu, uint64_t how, uint64_t b, uint64_t c)
{
    struct string t = begin(cpu, how);
    unsigned few = budget(&t, FEW), bytes = budget(&t, BUDGET);

    cut_pointers(&t, true);
    while (t.n && few && bytes > 0) {
        uint64_t n = move_some(&t, bytes), v;

        if (!n) {
            if (!get(&t, source(&t), &v) || !put(&t, dest(&t, true), v))
                return 0;
            n = 1;
            few--;
        }
        bytes -= least(bytes, n * t.size);
        step(&t, X86_SI, n);
        step(&t, X86_DI, n);
        count(&t, n);
    }
    return t.n != 0;
}

static void fill(uint8_t *buf, size_t n, uint64_t v, unsigned size)
{
    if (size == 1)
        memset(buf, (int)v, n);
    else
        for (size_t i = 0; i + size <= n; i += size)
            memcpy(buf + i, &v, size);
}

uint64_t x86_help_stos(struct cpu *cpu, uint64_t how, uint64_t b, uint64_t c)
{
    struct string t = begin(cpu, how);
    unsigned few = budget(&t, FEW), bytes = budget(&t, BUDGET);
    uint64_t v = t.s->r[X86_AX], filled = 0;
    uint8_t buf[PAGE];

    cut_pointers(&t, false);
    if (is_plain(&t, bytes)) {
        uint64_t n = guest_fill_elements(cpu, dest(&t, true), v, least(t.n, BUDGET / t.size), memop(&t));

        bytes -= least(bytes, n * t.size);
        step(&t, X86_DI, n);
        count(&t, n);
    }
    while (t.n && few && bytes > 0) {
        uint64_t n = t.forward && bytes > 1 ? least(in_page(&t, X86_DI, dest(&t, true), true), t.n) : 0;

        if (n * t.size > filled) {
            filled = n * t.size;
            fill(buf, filled, v, t.size);
        }
        if (n < 2 || !write_piece(cpu, dest(&t, true), buf, n * t.size)) {
            if (!put(&t, dest(&t, true), v))
                return 0;
            n = 1;
            few--;
        }
        bytes -= least(bytes, n * t.size);
        step(&t, X86_DI, n);
        count(&t, n);
    }
    return t.n != 0;
}

uint64_t x86_help_lods(struct cpu *cpu, uint64_t how, uint64_t b, uint64_t c)
{
    struct string t = begin(cpu, how);

    for (unsigned few = budget(&t, FEW); t.n && few; few--) {
        uint64_t v, *ax = &t.s->r[X86_AX];

        if (!get(&t, source(&t), &v))
            return 0;
        *ax = t.size == 4 ? v : (*ax & ~mask_of(t.size)) | v;
        step(&t, X86_SI, 1);
        count(&t, 1);
    }
    return t.n != 0;
}

/* --- CMPS, SCAS --- */

/* The flags of a - b. */
static void set_flags(const struct string *t, uint64_t a, uint64_t b)
{
    struct x86_state *s = t->s;
    uint64_t r = (a - b) & mask_of(t->size), top = 1ull << (8 * t->size - 1);

    s->zf = !r;
    s->sf = !!(r & top);
    s->cf = a < b;
    s->of = !!((a ^ b) & (a ^ r) & top);
    s->pf = (uint32_t)r;
    s->af = (uint32_t)(a ^ b);
}

static uint64_t pick(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, p, size);
    return v;
}

/* One round: elements of @src (NULL: rAX) compared with those of @dst.  The number compared; *@end: the last one ends it. */
static uint64_t compare_piece(struct string *t, const uint8_t *src, const uint8_t *dst, uint64_t n, bool *end)
{
    uint64_t ax = t->s->r[X86_AX] & mask_of(t->size);

    for (uint64_t i = 0; i < n; i++) {
        uint64_t a = src ? pick(src + i * t->size, t->size) : ax, b = pick(dst + i * t->size, t->size);

        if ((a == b) == t->repne || i == n - 1) {
            set_flags(t, a, b);
            *end = (a == b) == t->repne;
            return i + 1;
        }
    }
    return 0;
}

/* Both operands of up to @n elements; the number, 0: a fault. */
static uint64_t read_both(struct string *t, bool with_source, uint64_t n, uint8_t *src, uint8_t *dst)
{
    uint64_t v;

    if (n >= 2 && read_piece(t->cpu, dst, dest(t, false), n * t->size) &&
        (!with_source || read_piece(t->cpu, src, source(t), n * t->size)))
        return n;
    if (with_source) {
        if (!get(t, source(t), &v))
            return 0;
        memcpy(src, &v, 8);
    }
    if (!get(t, dest(t, false), &v))
        return 0;
    memcpy(dst, &v, 8);
    return 1;
}

/* A fault finds the flags as they were before the instruction. */
static uint64_t compare(struct cpu *cpu, uint64_t how, bool with_source)
{
    struct string t = begin(cpu, how);
    uint32_t before = x86_get_eflags(cpu);
    uint8_t src[512], dst[512];
    bool end = false;

    for (unsigned few = budget(&t, FEW); t.n && few && !end; few--) {
        uint64_t n = t.forward && few > 1 ? least(least(in_page(&t, X86_DI, dest(&t, false), false), sizeof(dst) / t.size), t.n) : 1;

        if (with_source && n > 1)
            n = least(n, in_page(&t, X86_SI, source(&t), false));
        n = read_both(&t, with_source, n, src, dst);
        if (!n) {
            x86_set_eflags(cpu, before);
            return 0;
        }
        n = compare_piece(&t, with_source ? src : NULL, dst, n, &end);
        if (with_source)
            step(&t, X86_SI, n);
        step(&t, X86_DI, n);
        count(&t, n);
    }
    if (t.n && !end && !cpu->guest_step) /* it goes on, and may still fault */
        x86_set_eflags(cpu, before);
    return t.n && !end;
}

uint64_t x86_help_cmps(struct cpu *cpu, uint64_t how, uint64_t b, uint64_t c)
{
    return compare(cpu, how, true);
}

uint64_t x86_help_scas(struct cpu *cpu, uint64_t how, uint64_t b, uint64_t c)
{
    return compare(cpu, how, false);
}
