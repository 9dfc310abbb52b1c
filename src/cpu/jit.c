/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translating engine: its run loop, and what brings a CPU out of translated code. */
#include "cpu/jit.h"

#include "base/err.h"
#include "cpu/fpmode.h"
#include "cpu/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

enum {
    CODE_SIZE = 96 << 20,  /* unless engine_conf says otherwise; touched as used */
    META_SIZE = 160 << 20,
    HOT_AFTER = 1000,      /* runs of a block before its region is formed; of programs, which are shorter: */
    HOT_AFTER_USER = 6000,
    EARLY = 2 << 20,       /* of each: short programs stay in small pages */
    MAX_HALVINGS = 5,      /* down to 3 MiB of code */
};

const struct host_layout jit_layout = {
    .bias = CPU_BIAS,
    .scratch = offsetof(struct cpu, scratch),
    .entry_points = offsetof(struct cpu, entry_points),
    .helpers = offsetof(struct cpu, helpers),
    .jc = offsetof(struct cpu, jc),
    .landing = offsetof(struct cpu, landing),
    .land = { offsetof(struct cpu, land[0]), offsetof(struct cpu, land[1]),
              offsetof(struct cpu, land[2]) },
    .stop = offsetof(struct cpu, stop),
    .detail = offsetof(struct cpu, detail),
    .pc = offsetof(struct cpu, pc),
    .attention = offsetof(struct cpu, attention),
    .fp = offsetof(struct cpu, fp),
    .frame = offsetof(struct cpu, frame),
    .shadow = offsetof(struct cpu, shadow),
    .shadow_base = offsetof(struct cpu, shadow_base),
    .c_stack = offsetof(struct cpu, c_stack),
    .v = {
        .scratch = offsetof(struct cpu, v_scratch), .target = offsetof(struct cpu, v_target), .poll = offsetof(struct cpu, v_poll), .self = offsetof(struct cpu, v_self), .jc = offsetof(struct cpu, v_jc),
        .calls = offsetof(struct cpu, v_calls), .in_code = offsetof(struct cpu, in_code), .forget = offsetof(struct cpu, forget_returns),
        .service = offsetof(struct cpu, v_service),
        .shadow = offsetof(struct cpu, v_shadow), .shadow_base = offsetof(struct cpu, v_shadow_base),
    },
};

/* Out-of-line evaluation: operands and result are in cpu->scratch. */
static void evaluate(struct cpu *cpu, const struct ir_how *how)
{
    union ir_u *u = (union ir_u *)(void *)cpu->scratch, r;

    ir_info[how->op].eval(&r, u, how, &cpu->fp);
    u[3] = r;
}

static void *reserve(size_t size, int prot)
{
    void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        fatal("no memory for translations (%zu bytes)", size);
    return p;
}

static void late_is_huge(uint8_t *start, size_t size)
{
    if (size > EARLY)
        madvise(start + EARLY, size - EARLY, MADV_HUGEPAGE);
}

/* The guest's registers; with exact flags, none of them may be left out anywhere. */
static const struct ir_slot *slots_of(const struct engine *e)
{
    struct ir_slot *s;

    if (!e->conf.exact_flags)
        return e->isa->slots;
    s = malloc(e->isa->n_slots * sizeof(*s));
    if (!s)
        fatal("out of memory");
    for (uint32_t i = 0; i < e->isa->n_slots; i++) {
        s[i] = e->isa->slots[i];
        s[i].idle = false;
    }
    return s;
}

/*
 * How many times the caches are halved: the guest, too, has to live within RLIMIT_AS (as under
 * build tools that set it), so they take no more than a quarter of it.
 */
static unsigned halvings(size_t total)
{
    struct rlimit limit;
    unsigned n = 0;

    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        while (n < MAX_HALVINGS && total >> n > limit.rlim_cur / 4)
            n++;
    return n;
}

static struct jit *jit_new(struct engine *e)
{
    struct jit *j = calloc(1, sizeof(*j));
    unsigned small = e->conf.cache_size ? 0 : halvings(CODE_SIZE + META_SIZE);

    if (!j)
        fatal("out of memory");
    j->e = e;
    j->tcache = e->conf.log || e->conf.max_insns || e->machine ? NULL : e->tcache;
    j->cache_size = e->conf.cache_size ? e->conf.cache_size : (size_t)CODE_SIZE >> small;
    j->cap_counters = j->cap_regions = (uint32_t)(j->cache_size / 64);
    j->cache = reserve(j->cache_size + j->cap_counters * sizeof(int32_t),
                       PROT_READ | PROT_WRITE | PROT_EXEC);
    late_is_huge(j->cache, j->cache_size);
    j->counters = (int32_t *)(void *)(j->cache + j->cache_size);
    j->meta_size = (size_t)META_SIZE >> small;
    j->meta = reserve(j->meta_size, PROT_READ | PROT_WRITE);
    late_is_huge(j->meta, j->meta_size);
    j->by_addr = reserve(j->cap_regions * sizeof(*j->by_addr), PROT_READ | PROT_WRITE);
    j->hash = reserve(sizeof(*j->hash) << JIT_HASH_BITS, PROT_READ | PROT_WRITE);
    j->pages = reserve(sizeof(*j->pages) << JIT_PAGE_BITS, PROT_READ | PROT_WRITE);
    j->slots = slots_of(e);
    form_init(&j->own, j);
    j->code_start = j->code_used = host_stubs(j->own.host, j->cache, (uint32_t)j->cache_size, j->ep);
    j->ep[HOST_EP_EVAL] = (void *)evaluate;
    j->ep[HOST_EP_ACCESS_C] = (void *)jit_access;
    return j;
}

static void set_full(struct jit *j, bool full)
{
    __atomic_store_n(&j->full, full, __ATOMIC_SEQ_CST);
}

/* True when no other CPU is in translated code, so that it may be thrown away. */
static bool alone_locked(const struct jit *j, const struct cpu *self)
{
    bool alone = true;

    for (struct cpu *c = j->e->cpus; c; c = c->next) {
        if (c == self)
            continue;
        /* One that is in a system call (HOST_EP_V_SYSCALL) and will come back to the middle of code does not, or we see it inside. */
        if (!j->e->machine)
            __atomic_store_n(&c->forget_returns, true, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&c->in_code, __ATOMIC_SEQ_CST) == CPU_IN_CODE) {
            cpu_kick(c);
            alone = false;
        }
    }
    return alone;
}

/* False: the cache is full, and others are still inside. */
static bool make_room_locked(struct jit *j, const struct cpu *self)
{
    if (!j->full)
        return true;
    if (!alone_locked(j, self))
        return false;
    jit_reset_cache(j);
    set_full(j, false);
    return true;
}

enum found { FOUND, NO_CODE, NO_ROOM, NOT_YET };

/* The translation of cpu->pc; a machine's page of code is cpu->here. */
static struct region *find_here(const struct jit *j, const struct cpu *cpu)
{
    return region_find(j, cpu->pc, engine_at(cpu, cpu->pc), engine_beyond(cpu), engine_mode(cpu));
}

static enum found translate_locked(struct jit *j, struct cpu *cpu)
{
    const uint8_t *code;
    uint32_t mode = cpu->mode;
    size_t avail;

    if (cpu->memory && !cpu->memory->protect(cpu, cpu->here))
        return NOT_YET;
    if (cpu->memory && cpu->there && !cpu->memory->protect(cpu, cpu->there))
        return NOT_YET;
    avail = engine_fetch(j->e, cpu->pc, &code, &mode);
    if (!avail)
        return NO_CODE;
    if (tcache_load_locked(j, cpu->pc, cpu->mode))
        return FOUND;
    if (!j->full && form_cold_locked(j, cpu->pc, engine_mode(cpu), mode, code, avail))
        return FOUND;
    set_full(j, true);
    return NO_ROOM;
}

/* Sees to it that there is a translation of cpu->pc. */
static enum found translate(struct jit *j, struct cpu *cpu)
{
    struct engine *e = j->e;
    enum found f = NO_ROOM;

    if (cpu->memory && !cpu->memory->code(cpu))
        return NO_CODE;
    pthread_mutex_lock(&e->lock);
    j->cpu = cpu;
    if (make_room_locked(j, cpu) && find_here(j, cpu)) {
        f = FOUND;
    } else {
        engine_begin_read(e);
        f = translate_locked(j, cpu);
        engine_end_read(e);
    }
    pthread_mutex_unlock(&e->lock);
    return f;
}

/* (cc1 spent a third of its time in making 14,690 regions that ran a little over a thousand times.) */
int32_t jit_put_off(uint32_t n_hot, uint32_t hot_after)
{
    uint64_t more = n_hot > 1000 ? (uint64_t)(n_hot - 1000) * hot_after / 1000 : 0;

    if (hot_after == 1)
        return 0;
    if (more > 8ull * hot_after)
        more = 8ull * hot_after;
    return more > INT32_MAX ? INT32_MAX : (int32_t)more;
}

/* True: @r is to go on as it is for some time. */
static bool put_off_locked(const struct jit *j, struct region *r)
{
    int32_t more = jit_put_off(j->n_hot, j->e->conf.hot_after);

    if (r->waited || !r->counter || !more)
        return false;
    r->waited = true;
    *r->counter = more;
    return true;
}

static void promote(struct jit *j, struct cpu *cpu)
{
    struct region *old;

    if (cpu->memory && (!cpu->memory->code(cpu) || cpu->there))
        return;
    pthread_mutex_lock(&j->e->lock);
    j->cpu = cpu;
    old = find_here(j, cpu);
    if (old && !old->hot && !put_off_locked(j, old)) {
        if (old->counter)
            *old->counter = INT32_MAX; /* once is enough, whether it works or not */
        engine_begin_read(j->e);
        if (!j->full && (behind_take_locked(j, cpu->pc, engine_mode(cpu)) || form_hot_locked(j, cpu->pc, engine_mode(cpu))))
            j->n_hot++;
        engine_end_read(j->e);
    }
    pthread_mutex_unlock(&j->e->lock);
}

#define LEFT_HOT (1ull << 63)

/* Counts as inside from here on; a machine's CPU has done what others asked for and knows its page. */
static bool go_inside(struct cpu *cpu)
{
    if (cpu->memory) {
        cpu_go_inside(cpu, CPU_IN_CODE);
        return cpu->memory->code(cpu);
    }
    __atomic_store_n(&cpu->in_code, CPU_IN_CODE, __ATOMIC_SEQ_CST); /* who kills code sees us inside, or we see that it is to be forgotten */
    if (__atomic_load_n(&cpu->forget_returns, __ATOMIC_RELAXED) || __atomic_load_n(&cpu->shadow, __ATOMIC_RELAXED) > cpu->shadow_base) {
        __atomic_store_n(&cpu->forget_returns, false, __ATOMIC_RELAXED);
        __atomic_store_n(&cpu->shadow, cpu->shadow_base, __ATOMIC_RELAXED); /* as jit_reset_cache may */
        __atomic_store_n(&cpu->v_shadow, cpu->v_shadow_base, __ATOMIC_RELAXED);
    }
    return true;
}

/* The translation of cpu->pc, if there is one.  From then on the CPU counts as inside: what it has
 * found stays until leave(). */
static struct region *look_up(struct jit *j, struct cpu *cpu)
{
    struct region *r;

    if (go_inside(cpu) && !__atomic_load_n(&j->full, __ATOMIC_SEQ_CST)) {
        if (cpu->memory)
            modes_enter(cpu);
        r = find_here(j, cpu);
        if (r && !__atomic_load_n(&r->dead, __ATOMIC_SEQ_CST))
            return r;
    }
    cpu_come_out(cpu);
    return NULL;
}

/* In a machine, the page that the thunk is on may not be the one that @r is on any more, nor @r's second one. */
static bool same_page(const struct jit *j, const struct region *r, uint64_t data)
{
    const struct region *from = j->e->machine ? region_at(j, (const uint8_t *)(uintptr_t)data) : r;

    return from && r->beyond == ENGINE_NOWHERE && !((from->at ^ r->at) & ~4095ull) && from->mode == r->mode;
}

/* The thunk at @data wants to lead to @r; it was met in @epoch. */
static void link_left(struct jit *j, struct region *r, uint64_t data, uint32_t epoch)
{
    pthread_mutex_lock(&j->e->lock);
    if (epoch == j->epoch && same_page(j, r, data))
        region_link_locked(j, r, (uint8_t *)(uintptr_t)data);
    pthread_mutex_unlock(&j->e->lock);
}

struct jit *jit_of(struct engine *e)
{
    struct jit *j = __atomic_load_n(&e->jit, __ATOMIC_ACQUIRE);

    if (j)
        return j;
    pthread_mutex_lock(&e->lock);
    if (!e->jit) {
        if (!e->conf.hot_after)
            e->conf.hot_after = e->machine ? HOT_AFTER : HOT_AFTER_USER;
        __atomic_store_n(&e->jit, jit_new(e), __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&e->lock);
    return e->jit;
}

/* Something other than translated code brings the CPU on; CPU_STOP_NONE: look again. */
static enum cpu_stop without_code(struct jit *j, struct cpu *cpu)
{
    switch (translate(j, cpu)) {
    case FOUND:
        return CPU_STOP_NONE;
    case NO_CODE:
        return CPU_STOP_FETCH_FAULT;
    case NOT_YET:
        return interp_run(cpu, 1);
    default:
        return interp_run(cpu, 16); /* until the cache can be emptied */
    }
}

/* What a look at a region's own code sees: it dies when that changes. */
struct own_code {
    const struct engine *e;
    const struct region *r;
};

static const uint8_t *own_code_at(void *opaque, uint64_t pc, size_t *avail)
{
    const struct own_code *o = opaque;
    const uint8_t *code;
    uint32_t mode = 0;

    for (unsigned i = 0; i < o->r->n_blocks; i++) {
        const struct span *s = &o->r->spans[i];

        if (pc < s->start || pc >= s->end)
            continue;
        *avail = engine_fetch(o->e, pc, &code, &mode);
        if (*avail > s->end - pc)
            *avail = s->end - pc;
        return *avail ? code : NULL;
    }
    return NULL;
}

/* May branches come to @r that leave idle slots out?  Asked of what indirect branches lead to, a program's. */
static bool writes_idle(struct jit *j, const struct cpu *cpu, struct region *r)
{
    struct engine *e = j->e;
    struct own_code o = {e, r};
    uint32_t mode = cpu->mode;
    const uint8_t *code;
    uint8_t known = __atomic_load_n(&r->writes_idle, __ATOMIC_RELAXED);

    if (known != REGION_IDLE_UNKNOWN)
        return known == REGION_IDLE_WRITES;
    known = REGION_IDLE_READS;
    engine_begin_read(e);
    if (engine_fetch(e, r->pc, &code, &mode) && e->isa->idle_dead(mode, r->pc, own_code_at, &o))
        known = REGION_IDLE_WRITES;
    engine_end_read(e);
    __atomic_store_n(&r->writes_idle, known, __ATOMIC_RELAXED);
    return known == REGION_IDLE_WRITES;
}

/* Why translated code was left last: for a branch to cpu->pc that it does not know, lifted or verbatim code's, or for something else. */
enum missed { MISSED_NOTHING, MISSED_LIFTED, MISSED_VERBATIM };

static enum missed what_missed(const struct cpu *cpu, uint64_t left)
{
    if (cpu->stop || cpu->odd)
        return MISSED_NOTHING;
    if (left == HOST_LEFT_VERBATIM)
        return MISSED_VERBATIM;
    return left ? MISSED_NOTHING : MISSED_LIFTED;
}

static void fill_caches(struct jit *j, struct cpu *cpu, struct region *r, enum missed missed)
{
    if (missed == MISSED_VERBATIM && region_let_in(j, r))
        jc_fill_verbatim(cpu, r->pc, r->indirect, &r->dead);
    if (missed != MISSED_LIFTED)
        return;
    jc_fill(cpu, r->pc, cpu->landing, r->code, &r->dead);
    if (jc_light(cpu) && !j->e->n_breakpoints && !j->e->conf.exact_flags && writes_idle(j, cpu, r))
        jc_fill(cpu, r->pc, HOST_LAND_LIGHT, r->code, &r->dead);
}

static enum cpu_stop run(struct jit *j, struct cpu *cpu)
{
    enum cpu_stop stop = CPU_STOP_NONE;
    uint64_t left = 0; /* a link wanted by the code left last, in @epoch, for cpu->pc */
    uint32_t epoch = 0;
    enum missed missed = MISSED_NOTHING;

    while (!stop) {
        uint64_t pc = cpu->pc;
        struct region *r;

        if (__atomic_load_n(&cpu->attention, __ATOMIC_RELAXED))
            return CPU_STOP_ATTENTION;
        if (j->e->n_breakpoints && engine_has_breakpoint(j->e, pc))
            return CPU_STOP_DEBUG;
        if (!land(cpu))
            return CPU_STOP_BTI;
        r = look_up(j, cpu);
        if (!r) {
            stop = without_code(j, cpu);
            if (cpu->pc != pc) {
                left = 0;
                missed = MISSED_NOTHING;
            }
            continue;
        }
        if (left && !j->e->conf.no_links)
            link_left(j, r, left, epoch);
        else if (!j->e->conf.no_links)
            fill_caches(j, cpu, r, missed);
        cpu->landing = 0;
        log_entry(cpu, r);
        left = host_enter(j->own.host)(cpu, r->code);
        epoch = j->epoch; /* constant while we count as inside */
        cpu_come_out(cpu);
        stop = cpu->stop;
        missed = what_missed(cpu, left);
        if (missed)
            left = 0;
        if (!stop && cpu->odd) { /* one instruction that translated code cannot do */
            cpu->odd = false;
            stop = interp_one(cpu);
            left = 0;
        } else if (!stop && left & LEFT_HOT) {
            promote(j, cpu);
            left = 0;
        }
    }
    return stop;
}

enum { SHADOW_SIZE = 64 << 10, GUARD = 4096 };

/* The stack of translated code: a guard page, room for some thousand calls, the end mark. */
void jit_make_shadow(struct cpu *cpu, void **map, uint64_t *base)
{
    uint8_t *p = reserve(GUARD + SHADOW_SIZE, PROT_READ | PROT_WRITE);

    uint64_t *top = (uint64_t *)(void *)(p + GUARD + SHADOW_SIZE - HOST_SHADOW_TOP);

    mprotect(p, GUARD, PROT_NONE);
    for (unsigned i = 0; i < HOST_SHADOW_TOP / 8; i += 2) {
        top[i] = (uint64_t)(uintptr_t)cpu->entry_points[HOST_EP_END];
        top[i + 1] = ~0ull;
    }
    *map = p;
    *base = (uint64_t)(uintptr_t)top;
}

/* The same for verbatim code. */
static void make_verbatim(struct cpu *cpu)
{
    uint64_t *top;

    jit_make_shadow(cpu, &cpu->v_shadow_map, &cpu->v_shadow_base);
    top = (uint64_t *)(uintptr_t)cpu->v_shadow_base;
    for (unsigned i = 0; i < HOST_SHADOW_TOP / 8; i++)
        top[i] = (uint64_t)(uintptr_t)cpu->entry_points[HOST_EP_V_RETURN];
    cpu->v_shadow = cpu->v_shadow_base;
    cpu->v_self = (uint8_t *)cpu + CPU_BIAS;
    cpu->v_service = cpu->engine->quick;
    cpu->v_calls = cpu->engine->calls;
}

/* Verbatim code finds the CPU through its thread's GS segment. */
static void point_gs(struct cpu *cpu)
{
    static __thread struct cpu *is;

    if (is != cpu)
        syscall(SYS_arch_prctl, ARCH_SET_GS, cpu);
    is = cpu;
}

void jit_fini_cpu(struct cpu *cpu)
{
    if (cpu->v_shadow_map)
        munmap(cpu->v_shadow_map, GUARD + SHADOW_SIZE);
    if (cpu->shadow_map && !cpu->at_work)
        munmap(cpu->shadow_map, GUARD + SHADOW_SIZE);
    for (unsigned i = 0; i < CPU_MODES && cpu->at_work; i++)
        if (cpu->modes[i].shadow_map)
            munmap(cpu->modes[i].shadow_map, GUARD + SHADOW_SIZE);
}

enum cpu_stop jit_run(struct cpu *cpu)
{
    struct jit *j;
    enum cpu_stop stop;

    if (!__atomic_load_n(&cpu->engine->jit, __ATOMIC_ACQUIRE) && !host_usable()) {
        cpu->engine->conf.kind = ENGINE_INTERP;
        return interp_run(cpu, 0);
    }
    j = jit_of(cpu->engine);

    if (!cpu->entry_points[0])
        memcpy(cpu->entry_points, j->ep, sizeof(j->ep));
    if (!cpu->memory && !cpu->shadow_map) {
        jit_make_shadow(cpu, &cpu->shadow_map, &cpu->shadow_base);
        cpu->shadow = cpu->shadow_base;
        if (form_wants_verbatim(j))
            make_verbatim(cpu);
    }
    if (cpu->v_shadow_map)
        point_gs(cpu);
    fpmode_load(&cpu->fp);
    stop = run(j, cpu);
    fpmode_gather(&cpu->fp);
    return stop;
}

void jit_invalidate(struct engine *e, uint64_t start, uint64_t len)
{
    if (e->jit) {
        behind_invalidate_locked(e->jit, start, len);
        region_invalidate_locked(e->jit, start, len);
    }
}

void jit_alone(struct engine *e)
{
    if (e->jit)
        behind_end(e->jit);
    else
        e->conf.background = ENGINE_NEVER;
}

unsigned jit_threads(const struct engine *e)
{
    return e->jit ? behind_threads(e->jit) : 0;
}

void jit_before_fork(struct engine *e)
{
    if (e->jit)
        behind_rest_locked(e->jit);
}

void jit_after_fork(struct engine *e, bool child)
{
    /* The cache is private memory: the child has its own from now on.  The parent keeps on disk what
     * it has made, the child what it makes. */
    if (child && e->jit) {
        e->jit->n_saved = e->jit->n_regions;
        e->jit->new_bytes = 0;
        behind_forked_locked(e->jit);
    }
}

/* --- Faults in translated code --- */

static const struct host_fault *fault_at(const struct region *r, uint32_t at)
{
    uint32_t lo = 0, hi = r->n_faults;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (r->faults[mid].at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->n_faults && r->faults[lo].at == at ? &r->faults[lo] : NULL;
}

/* Where the out-of-line form of the FP instruction at @at is, or NULL. */
static const uint8_t *trap_at(const struct region *r, uint32_t at)
{
    for (uint32_t i = 0; i < r->n_traps; i++)
        if (r->traps[i].at == at)
            return r->code + r->traps[i].to;
    return NULL;
}

static const uint8_t order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15 };

/* Everything is in the host's registers: on to code that leaves with them. */
static void verbatim_fault(struct cpu *cpu, const struct region *r, const struct host_fault *f, ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;

    cpu->pc = r->pc + (f->desc & 0xffff);
    g[REG_R10] += ((int32_t)(f->desc << (26 - HOST_VERBATIM_STACK)) >> 26) * 8;
    for (unsigned i = 0; i < 2; i++) {
        unsigned spilled = f->desc >> (HOST_VERBATIM_SPILLED + 4 * i) & 15;

        if (spilled)
            g[order[spilled]] = (greg_t)cpu->v_scratch[i + 1];
    }
    g[REG_RIP] = (greg_t)cpu->engine->jit->ep[HOST_EP_V_FAULT];
}

void cpu_interrupt_call(struct cpu *cpu, void *ucontext)
{
    greg_t *rip = &((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP];

    if (*rip >= (greg_t)cpu->entry_points[HOST_EP_V_CALL_START] && *rip < (greg_t)cpu->entry_points[HOST_EP_V_CALL_END])
        *rip = (greg_t)cpu->entry_points[HOST_EP_V_CALL_AGAIN];
}

bool jit_fp_trap(struct cpu *cpu, void *ucontext)
{
    ucontext_t *uc = ucontext;
    greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];
    const struct region *r = cpu->engine->jit ? region_at(cpu->engine->jit, (uint8_t *)*rip) : NULL;
    const uint8_t *to = r ? trap_at(r, (uint32_t)((uint8_t *)*rip - r->code)) : NULL;
    const struct host_fault *f;

    if (!to && r && r->inner && (f = fault_at(r, (uint32_t)((uint8_t *)*rip - r->code)))) { /* a division */
        verbatim_fault(cpu, r, f, uc);
        cpu->odd = true;
        return true;
    }
    if (!to)
        return false;
    *rip = (greg_t)to;
    uc->uc_mcontext.fpregs->mxcsr = fpmode_trapped(&cpu->fp, uc->uc_mcontext.fpregs->mxcsr);
    return true;
}

bool jit_fault(struct cpu *cpu, siginfo_t *info, void *ucontext)
{
    struct jit *j = cpu->engine->jit;
    ucontext_t *uc = ucontext;
    greg_t *g = uc->uc_mcontext.gregs;
    uint8_t *rip = (uint8_t *)g[REG_RIP];
    const struct host_fault *f;
    struct region *r;
    uint64_t gpr[16];

    if (j && !rip && cpu->v_shadow_map && cpu->in_code) { /* an indirect branch through memory that was never written */
        jc_open_verbatim(cpu, (uint64_t)g[REG_R11]);
        g[REG_RIP] = (greg_t)j->ep[HOST_EP_V_MISS];
        return true;
    }
    if (!j || rip < j->cache || rip >= j->cache + j->cache_size)
        return false;
    if ((uintptr_t)info->si_addr - (uintptr_t)cpu->shadow_map < GUARD) {
        g[REG_RSP] = (greg_t)cpu->shadow_base; /* too many calls to remember: start anew */
        return true;
    }
    if (cpu->v_shadow_map && (uintptr_t)info->si_addr - (uintptr_t)cpu->v_shadow_map < GUARD) {
        g[REG_RSP] = (greg_t)cpu->v_shadow_base;
        return true;
    }
    if (!(r = region_at(j, rip)) ||
        !(f = fault_at(r, (uint32_t)(rip - r->code))))
        return false;
    if (r->inner) {
        verbatim_fault(cpu, r, f, uc);
        if (f->desc & HOST_VERBATIM_POLL) {
            if (!__atomic_load_n(&cpu->attention, __ATOMIC_ACQUIRE))
                __atomic_store_n(&cpu->v_poll, (uintptr_t)&cpu->v_poll, __ATOMIC_SEQ_CST);
            return true;
        }
    } else {
        for (unsigned i = 0; i < 16; i++)
            gpr[i] = (uint64_t)g[order[i]];
        cpu->pc = r->pc + host_recover(r->desc + f->desc, j->e->isa->slots, (uint8_t *)cpu, gpr,
                                       (const union ir_u *)(void *)uc->uc_mcontext.fpregs->_xmm, cpu->frame);
    }
    if (info->si_code == SI_KERNEL && cpu->isa->tag_bits) { /* not an address at all: a tagged pointer, most likely */
        cpu->odd = true;
        j->untag = true;
    } else {
        cpu->stop = CPU_STOP_FAULT;
        cpu->fault_addr = (uint64_t)(uintptr_t)info->si_addr - j->e->conf.guest_base;
        cpu->fault_write = g[REG_ERR] & 2;
        cpu->fault_signo = info->si_signo;
        cpu->fault_code = info->si_code;
    }
    if (!r->inner) {
        g[REG_RAX] = 0;
        g[REG_RIP] = (greg_t)j->ep[HOST_EP_LEAVE];
    }
    return true;
}
