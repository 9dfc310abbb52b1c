/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine: what all CPUs of a process share.  Contract: cpu.h. */
#include "cpu/engine.h"

#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Which lines of guest code may have translations: a filter, addresses LINES apart share a bit. */
enum { LINE_SHIFT = 6, LINES = 1 << 22 };

struct engine *engine_new(const struct guest_isa *isa, const struct engine_conf *conf)
{
    struct engine *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->isa = isa;
    e->conf = *conf;
    e->pid = getpid();
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->modes_lock, NULL);
    pthread_mutex_init(&e->alone_lock, NULL);
    e->lines = calloc(LINES / 8, 1); /* pages of it are touched as used */
    if (!e->lines) {
        free(e);
        return NULL;
    }
    /* Translated code reaches guest memory through GS then.  New threads and processes inherit it. */
    if (conf->guest_base)
        syscall(SYS_arch_prctl, ARCH_SET_GS, conf->guest_base);
    return e;
}

void engine_set_fetch(struct engine *e, size_t (*fetch)(void *opaque, uint64_t pc, uint32_t *mode),
                      void (*hold)(void *opaque, bool on), void *opaque)
{
    e->fetch = fetch;
    e->hold = hold;
    e->fetch_opaque = opaque;
}

/* The instruction at cpu->pc, whose bytes are in two pages, as one piece. */
static size_t join(struct cpu *cpu, size_t n, const uint8_t **code, uint32_t mode)
{
    memcpy(cpu->joined, *code, n);
    memcpy(cpu->joined + n, cpu->there->host, sizeof(cpu->joined) - n);
    *code = cpu->joined;
    return cpu->isa->length(mode, cpu->pc, cpu->joined, sizeof(cpu->joined));
}

size_t engine_fetch(const struct engine *e, uint64_t pc, const uint8_t **code, uint32_t *mode)
{
    if (e->machine) {
        struct cpu *cpu = cpu_self;
        const struct code_page *p = cpu->here;
        size_t n = 4096 - (pc & 4095);

        *code = p->host + (pc & 4095);
        *mode |= p->mode;
        if (cpu->there && pc == cpu->pc)
            return join(cpu, n, code, *mode);
        return (pc ^ p->va) & ~4095ull ? 0 : n;
    }
    *code = (const uint8_t *)(uintptr_t)(pc + e->conf.guest_base);
    return e->fetch ? e->fetch(e->fetch_opaque, pc, mode) : SIZE_MAX;
}

void engine_begin_read(struct engine *e)
{
    __atomic_add_fetch(&e->readers, 1, __ATOMIC_SEQ_CST);
    if (e->hold)
        e->hold(e->fetch_opaque, true);
}

void engine_end_read(struct engine *e)
{
    if (e->hold)
        e->hold(e->fetch_opaque, false);
    __atomic_sub_fetch(&e->readers, 1, __ATOMIC_SEQ_CST);
}

void engine_mark(struct engine *e, uint64_t start, uint64_t end)
{
    uint64_t last = (end > start ? end - 1 : start) >> LINE_SHIFT;

    for (uint64_t n = start >> LINE_SHIFT; n <= last; n++) {
        uint8_t *byte = &e->lines[n % LINES / 8];

        if (!(__atomic_load_n(byte, __ATOMIC_RELAXED) >> n % 8 & 1))
            __atomic_or_fetch(byte, 1 << n % 8, __ATOMIC_RELAXED);
    }
}

bool engine_marked(const struct engine *e, uint64_t start, uint64_t len)
{
    uint64_t last = (start + len - 1) >> LINE_SHIFT;

    if (len >= (uint64_t)LINES << LINE_SHIFT)
        return true;
    for (uint64_t n = start >> LINE_SHIFT; n <= last; n++) {
        uint8_t byte = __atomic_load_n(&e->lines[n % LINES / 8], __ATOMIC_RELAXED);

        if (!byte)
            n |= 7;
        else if (byte >> n % 8 & 1)
            return true;
    }
    return false;
}

/* Index of the first breakpoint at or after @pc. */
static uint32_t breakpoint_at(const struct engine *e, uint64_t pc)
{
    uint32_t lo = 0, hi = e->n_breakpoints;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (e->breakpoints[mid] < pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool engine_has_breakpoint(const struct engine *e, uint64_t pc)
{
    uint32_t i = breakpoint_at(e, pc);

    return i < e->n_breakpoints && e->breakpoints[i] == pc;
}

void engine_set_breakpoint(struct engine *e, uint64_t pc, bool on)
{
    uint32_t i;
    bool there;

    pthread_mutex_lock(&e->lock);
    i = breakpoint_at(e, pc);
    there = i < e->n_breakpoints && e->breakpoints[i] == pc;
    if (on && !there) {
        uint64_t *p = realloc(e->breakpoints, (e->n_breakpoints + 1) * sizeof(*p));

        if (p) {
            memmove(p + i + 1, p + i, (e->n_breakpoints - i) * sizeof(*p));
            p[i] = pc;
            e->breakpoints = p;
            e->n_breakpoints++;
        }
    } else if (!on && there) {
        e->n_breakpoints--;
        memmove(e->breakpoints + i, e->breakpoints + i + 1,
                (e->n_breakpoints - i) * sizeof(*e->breakpoints));
    }
    pthread_mutex_unlock(&e->lock);
    if (e->machine) /* wherever that is: in each address space somewhere else */
        engine_invalidate(e, 0, UINT64_MAX);
    else
        engine_invalidate(e, pc, 4);
}

void engine_set_code_changed(struct engine *e,
                             void (*changed)(void *opaque, uint64_t start, uint64_t len),
                             void *opaque)
{
    e->changed = changed;
    e->changed_opaque = opaque;
}

void engine_set_lift(struct engine *e, bool (*lift)(void *opaque, uint64_t addr, uint64_t len), void *opaque)
{
    e->lift = lift;
    e->lift_opaque = opaque;
}

void engine_set_service(struct engine *e, uint64_t start, uint64_t end,
                        bool (*serve)(struct cpu *cpu, unsigned number), engine_quick_service *quick)
{
    e->serve = serve;
    e->quick = quick;
    e->serve_start = start;
    e->serve_end = end;
}

void engine_set_quick_calls(struct engine *e, const struct engine_quick_calls *calls)
{
    e->calls = calls;
}

bool engine_serve(struct cpu *cpu, uint64_t pc, unsigned number)
{
    const struct engine *e = cpu->engine;

    return pc - e->serve_start < e->serve_end - e->serve_start && e->serve(cpu, number);
}

void engine_code_changed(struct engine *e, uint64_t start, uint64_t len)
{
    if (e->machine)
        cpu_self->memory->code_changed(cpu_self, start, len);
    else if (e->changed)
        e->changed(e->changed_opaque, start, len);
    else
        engine_invalidate(e, start, len);
}

void engine_invalidate(struct engine *e, uint64_t start, uint64_t len)
{
    if (!len)
        return;
    /* Whoever reads the old code from here on is seen as a reader or has marked it. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&e->readers, __ATOMIC_SEQ_CST) && !engine_marked(e, start, len))
        return;
    pthread_mutex_lock(&e->lock);
    __atomic_add_fetch(&e->generation, 1, __ATOMIC_SEQ_CST);
    interp_invalidate(e, start, len);
    jit_invalidate(e, start, len);
    pthread_mutex_unlock(&e->lock);
}

void engine_before_fork(struct engine *e, bool bare)
{
    pthread_mutex_lock(&e->lock);
    if (bare)
        jit_before_fork(e);
}

void engine_alone(struct engine *e)
{
    jit_alone(e);
}

unsigned engine_threads(const struct engine *e)
{
    return jit_threads(e);
}

void engine_after_fork(struct engine *e, bool child)
{
    if (child) {
        struct cpu *self = cpu_self;

        pthread_mutex_init(&e->lock, NULL);
        e->readers = 0;
        e->pid = getpid();
        if (self) { /* the other threads' CPUs are memory without a thread now */
            e->cpus = self;
            self->next = NULL;
            self->link = &e->cpus;
        }
        jit_after_fork(e, child);
    } else {
        pthread_mutex_unlock(&e->lock);
    }
}
