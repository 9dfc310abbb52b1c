/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot regions made behind the program's back: blocks are chosen and lifted where the need is met, under the
 * lock; optimising and compiling, which take most of the time, are done by a thread of its own while the
 * program runs on in what it has.  One region at a time: who comes while one is being made makes his own.
 *
 * It needs a processor that nobody else uses, and is worth a thread only in programs that run for some time.
 * (Not in machines: their CPUs come and go on all processors.)
 */
#include "cpu/jit.h"
#include "cpu/log.h"

#include "ir/pass.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum {
    ENOUGH_HOT = 24,     /* regions made before a thread is started */
    CODE_ROOM = 1 << 20, /* bytes of code of one region, at most */
    STACK_SIZE = 1 << 20,
};

struct behind {
    struct former f; /* the lifter's until WANTED, then the thread's until IDLE */
    pthread_t thread;
    pthread_cond_t wake, rest;            /* with the engine's lock */
    enum { IDLE, WANTED, WORKING } state; /* [engine lock], as all below */
    bool running, end;
    bool stale;     /* code that it is made of has changed */
    uint32_t epoch; /* of the cache, when it was begun */
    struct made made;
    struct span spans[JIT_MAX_BLOCKS];
    uint8_t *buf;        /* CODE_ROOM */
    unsigned processors, all; /* that we may use; that there are */
};

static bool overlap(const struct span *s, unsigned n, uint64_t start, uint64_t len)
{
    for (unsigned i = 0; i < n; i++)
        if (s[i].end > start && (s[i].start < start || s[i].start - start < len))
            return true;
    return false;
}

void behind_invalidate_locked(struct jit *j, uint64_t start, uint64_t len)
{
    struct behind *b = j->behind;

    if (b && b->state != IDLE &&
        (overlap(b->spans, b->made.n_spans, start, len) ||
         overlap(b->f.seen, b->f.n_seen, start, len)))
        b->stale = true;
}

/* The block that was to be replaced counts on, from @more. */
static void try_again(struct jit *j, const struct made *m, int32_t more)
{
    struct region *old = region_find(j, m->pc, m->at, m->beyond, m->mode);

    if (old && !old->hot && old->counter)
        *old->counter = more;
}

static void finish_locked(struct behind *b, int err)
{
    struct jit *j = b->f.j;
    struct made *m = &b->made;

    if (b->epoch != j->epoch)
        return;
    if (err == -E2BIG) { /* smaller ones are tried where blocks can be chosen */
        struct region *old = region_find(j, m->pc, m->at, m->beyond, m->mode);

        if (old)
            old->alone = true;
        try_again(j, m, 1);
        return;
    }
    if (err || b->stale || j->full || m->job.len > j->cache_size - j->code_used) {
        try_again(j, m, (int32_t)j->e->conf.hot_after);
        return;
    }
    memcpy(j->cache + j->code_used, b->buf, m->job.len);
    m->job.buf = j->cache + j->code_used;
    if (!region_keep_locked(&b->f, m))
        __atomic_store_n(&j->full, true, __ATOMIC_SEQ_CST);
}

static void *work(void *opaque)
{
    struct behind *b = opaque;
    struct engine *e = b->f.j->e;
    int err;

    pthread_mutex_lock(&e->lock);
    while (!b->end) {
        if (b->state != WANTED) {
            pthread_cond_wait(&b->wake, &e->lock);
            continue;
        }
        b->state = WORKING;
        pthread_mutex_unlock(&e->lock);
        ir_optimise(b->f.ir, 1, e->conf.passes_off);
        err = region_compile(&b->f, &b->made, HOT, b->buf, CODE_ROOM);
        pthread_mutex_lock(&e->lock);
        finish_locked(b, err);
        b->state = IDLE;
        pthread_cond_broadcast(&b->rest);
    }
    b->running = false;
    pthread_cond_broadcast(&b->rest);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* Signals are the guest's threads'. */
static bool start_locked(struct behind *b)
{
    pthread_attr_t attr;
    sigset_t all, old;

    if (b->running || b->end)
        return b->running;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    b->running = pthread_create(&b->thread, &attr, work, b) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    b->end = !b->running;
    return b->running;
}

static struct behind *behind_new(struct jit *j)
{
    struct behind *b = calloc(1, sizeof(*b));
    cpu_set_t set;

    if (!b)
        return NULL;
    b->buf = mmap(NULL, CODE_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->buf == MAP_FAILED) {
        free(b);
        return NULL;
    }
    form_init(&b->f, j);
    pthread_cond_init(&b->wake, NULL);
    pthread_cond_init(&b->rest, NULL);
    b->processors = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
    b->all = (unsigned)get_nprocs();
    return b;
}

/* Are there processors that nobody keeps busy: no guest thread, and as far as the load of the last minute tells no other program? */
static bool room_locked(const struct jit *j, const struct behind *b)
{
    unsigned busy = 0;
    struct sysinfo info;

    for (const struct cpu *c = j->e->cpus; c; c = c->next)
        busy += c == cpu_self || __atomic_load_n(&c->in_code, __ATOMIC_RELAXED);
    return busy < b->processors && sysinfo(&info) == 0 &&
           info.loads[0] >> SI_LOAD_SHIFT < b->all;
}

static bool wanted(const struct jit *j)
{
    const struct engine_conf *c = &j->e->conf;

    if (j->e->machine || c->background == ENGINE_NEVER || c->log || c->hot_after == 1 ||
        j->e->n_breakpoints)
        return false;
    return c->background == ENGINE_ALWAYS || j->n_hot - j->hot_before_fork >= ENOUGH_HOT;
}

bool behind_take_locked(struct jit *j, uint64_t pc, uint32_t mode)
{
    const struct region *old =
        region_find(j, pc, j->e->machine ? engine_at(cpu_self, pc) : pc, ENGINE_NOWHERE, mode);
    struct behind *b;

    if (!wanted(j) || (old && old->alone) || getpid() != j->e->pid)
        return false;
    if (!j->behind && !(j->behind = behind_new(j)))
        return false;
    b = j->behind;
    if (b->state != IDLE || b->end ||
        (j->e->conf.background == ENGINE_AUTO && !room_locked(j, b)) || !start_locked(b))
        return false;
    b->f.ir->idle_dead_at = j->own.ir->idle_dead_at;
    if (!form_begin_hot_locked(&b->f, &b->made, b->spans, pc, mode, JIT_MAX_BLOCKS))
        return true; /* nothing would come of it here, either */
    region_place_locked(&b->f, &b->made);
    b->f.ir->idle_dead_at = NULL;                   /* guest code is not looked at any more */
    for (unsigned i = 0; i < b->made.n_placed; i++) /* changes are told from now on */
        engine_mark(j->e, b->f.placed[i].start, b->f.placed[i].end);
    b->stale = false;
    b->epoch = j->epoch;
    b->state = WANTED;
    pthread_cond_signal(&b->wake);
    return true;
}

void behind_rest_locked(struct jit *j)
{
    struct behind *b = j->behind;

    while (b && b->running && b->state != IDLE)
        pthread_cond_wait(&b->rest, &j->e->lock);
}

/* What the thread was at is in any state: the child begins anew, and leaves it where it is. */
void behind_forked_locked(struct jit *j)
{
    j->behind = NULL;
    j->hot_before_fork = j->n_hot;
}

void behind_end(struct jit *j)
{
    struct behind *b;
    bool join;

    pthread_mutex_lock(&j->e->lock);
    j->e->conf.background = ENGINE_NEVER;
    b = j->behind;
    join = b && b->running && !b->end; /* two threads of a program may come here at once; a thread can be joined only once */
    if (b)
        b->end = true;
    if (join)
        pthread_cond_signal(&b->wake);
    else
        while (b && b->running)
            pthread_cond_wait(&b->rest, &j->e->lock);
    pthread_mutex_unlock(&j->e->lock);
    if (join)
        pthread_join(b->thread, NULL);
}

unsigned behind_threads(const struct jit *j)
{
    return j->behind && j->behind->running;
}
