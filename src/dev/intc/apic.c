/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APICs, xAPIC and x2APIC: registers, priorities, messages (Intel SDM 3A, chapter 11).  Contract: apic.h. */
#include "dev/intc/apic_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct apics *apics(struct dev *d)
{
    return (struct apics *)d;
}

/* --- Vectors --- */

static bool bit(const uint32_t *r, unsigned v)
{
    return r[v / 32] >> (v % 32) & 1;
}

static void set_bit(uint32_t *r, unsigned v, bool on)
{
    r[v / 32] = (r[v / 32] & ~(1u << v % 32)) | (uint32_t)on << v % 32;
}

static int highest(const uint32_t *r)
{
    for (int i = 7; i >= 0; i--)
        if (r[i])
            return 32 * i + 31 - __builtin_clz(r[i]);
    return -1;
}

static uint32_t ppr(const struct apic *a)
{
    int v = highest(a->isr);

    return v < 0 || (a->tpr >> 4) >= (uint32_t)v >> 4 ? a->tpr : (uint32_t)v & 0xf0;
}

/* The vector that may be taken now, -1: none. */
static int ready(const struct apic *a)
{
    int v = highest(a->irr);

    return v >= 0 && (a->svr & SVR_ON) && (a->base & BASE_ON) && (uint32_t)v >> 4 > ppr(a) >> 4 ? v : -1;
}

/* The i8259 reaches this CPU: by LINT0 as ExtINT, or by its pin when there is no APIC. */
static bool takes_pic(const struct apic *a)
{
    if (!a->all->pic)
        return false;
    if (!(a->base & BASE_ON))
        return a->index == 0;
    return !(a->lvt[LVT_LINT0] & L_MASK) && (a->lvt[LVT_LINT0] >> 8 & 7) == MODE_EXTINT;
}

static void update(struct apic *a)
{
    bool level = ready(a) >= 0 || takes_pic(a);

    if (level == a->intr)
        return;
    a->intr = level;
    a->cpu.intr(a->cpu.cpu, level);
}

static void raise_error(struct apic *a, uint32_t what);

/* @vector is asked for. */
void apic_pend(struct apic *a, uint8_t vector, bool level)
{
    if (vector < 16) {
        raise_error(a, ESR_RECEIVE_ILLEGAL);
        return;
    }
    set_bit(a->irr, vector, true);
    set_bit(a->tmr, vector, level);
    update(a);
}

static void raise_error(struct apic *a, uint32_t what)
{
    a->esr_new |= what;
    if (!(a->lvt[LVT_ERROR] & L_MASK) && (a->lvt[LVT_ERROR] & L_VECTOR) >= 16)
        apic_pend(a, (uint8_t)a->lvt[LVT_ERROR], false);
}

/* --- Reset --- */

static void reset_registers(struct apic *a)
{
    bool x2 = a->base & BASE_X2;

    timer_cancel(&a->timer);
    memset(a->isr, 0, sizeof(a->isr) + sizeof(a->tmr) + sizeof(a->irr));
    a->icr = a->deadline = 0;
    a->tpr = a->esr = a->esr_new = a->initial = a->divide = 0;
    a->ldr = x2 ? (a->id >> 4) << 16 | 1u << (a->id & 15) : 0;
    a->dfr = 0xffffffff;
    a->svr = 0xff;
    for (unsigned i = 0; i < N_LVT; i++)
        a->lvt[i] = L_MASK;
}

static void reset(struct dev *d)
{
    struct apics *s = apics(d);

    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->n; i++) {
        struct apic *a = &s->a[i];

        if (!a->there)
            continue;
        a->base = (uint64_t)BASE_ADDRESS << 12 | BASE_ON | (a->index ? 0 : BASE_BSP);
        reset_registers(a);
        if (!a->index) /* firmware that knows nothing of APICs gets its interrupts from the i8259 all the same */
            a->lvt[LVT_LINT0] = MODE_EXTINT << 8;
        update(a);
    }
    pthread_mutex_unlock(&s->lock);
}

/* --- Messages --- */

struct message {
    uint32_t dest;
    uint8_t vector, mode;
    bool logical, level, x2; /* x2: the destination has 32 bits */
};

static bool is_x2(const struct apic *a)
{
    return a->base & BASE_X2;
}

static bool logical_match(const struct apic *a, const struct message *m)
{
    if (is_x2(a)) {
        if (!m->x2 && m->dest == 0xff)
            return true;
        return m->dest == 0xffffffff || (m->dest >> 16 == a->ldr >> 16 && (m->dest & a->ldr & 0xffff));
    }
    if (m->dest == 0xff || m->dest == 0xffffffff)
        return true;
    if (a->dfr >> 28 == 15)
        return (a->ldr >> 24 & m->dest) != 0;
    return a->ldr >> 28 == (m->dest >> 4 & 15) && (a->ldr >> 24 & m->dest & 15);
}

static bool match(const struct apic *a, const struct message *m)
{
    if (!a->there || !(a->base & BASE_ON))
        return false;
    if (m->logical)
        return logical_match(a, m);
    return m->dest == a->id || m->dest == (m->x2 ? 0xffffffff : 0xff);
}

static void receive(struct apic *a, const struct message *m)
{
    switch (m->mode) {
    case MODE_FIXED:
    case MODE_LOWEST:
        if (a->svr & SVR_ON)
            apic_pend(a, m->vector, m->level);
        break;
    case MODE_SMI:
        a->cpu.smi(a->cpu.cpu);
        break;
    case MODE_NMI:
        a->cpu.nmi(a->cpu.cpu);
        break;
    case MODE_INIT:
        reset_registers(a);
        update(a);
        a->cpu.init(a->cpu.cpu);
        break;
    case MODE_SIPI:
        a->cpu.sipi(a->cpu.cpu, m->vector);
        break;
    default: /* ExtINT has its own wire */
        break;
    }
}

/* Of those addressed, the one that does the least; in turn among equals. */
static void lowest(struct apics *s, const struct message *m)
{
    struct apic *best = NULL;

    for (unsigned k = 1; k <= s->n; k++) {
        struct apic *a = &s->a[(s->turn + k) % s->n];

        if (match(a, m) && (a->svr & SVR_ON) && (!best || ppr(a) < ppr(best)))
            best = a;
    }
    if (!best)
        return;
    s->turn = best->index;
    receive(best, m);
}

static void send(struct apics *s, const struct message *m, const struct apic *but)
{
    if (m->mode == MODE_LOWEST) {
        lowest(s, m);
        return;
    }
    for (unsigned i = 0; i < s->n; i++)
        if (match(&s->a[i], m) && &s->a[i] != but)
            receive(&s->a[i], m);
}

static void message_locked(struct apics *s, uint64_t address, uint32_t data)
{
    struct message m = {.dest = (uint32_t)(address >> 12 & 0xff) | (uint32_t)(address >> 40 << 8), .vector = (uint8_t)data,
                        .mode = data >> 8 & 7, .logical = address >> 2 & 1, .level = data >> 15 & 1};

    if (address >> 40)
        m.x2 = true;
    send(s, &m, NULL);
}

void apic_message(struct dev *d, uint64_t address, uint32_t data)
{
    struct apics *s = apics(d);

    pthread_mutex_lock(&s->lock);
    message_locked(s, address, data);
    pthread_mutex_unlock(&s->lock);
}

static void command(struct apic *a)
{
    uint32_t low = (uint32_t)a->icr;
    struct message m = {.dest = is_x2(a) ? (uint32_t)(a->icr >> 32) : (uint32_t)(a->icr >> 56), .vector = (uint8_t)low, .mode = low >> 8 & 7,
                        .logical = low >> 11 & 1, .x2 = is_x2(a)};
    unsigned shorthand = low >> 18 & 3;

    if (m.mode == MODE_INIT && !(low >> 14 & 1) && (low >> 15 & 1))
        return; /* level de-assert: synchronises arbitration, which there is none of */
    if (m.mode <= MODE_LOWEST && m.vector < 16) {
        raise_error(a, ESR_SEND_ILLEGAL);
        return;
    }
    if (shorthand == 1) {
        receive(a, &m);
    } else if (shorthand) {
        m.logical = false;
        m.dest = 0xffffffff;
        m.x2 = true;
        send(a->all, &m, shorthand == 3 ? a : NULL);
    } else {
        send(a->all, &m, NULL);
    }
}

/* --- Registers --- */

static uint64_t read_register(struct apic *a, unsigned r)
{
    switch (r) {
    case R_ID: return is_x2(a) ? a->id : a->id << 24;
    case R_VERSION: return VERSION;
    case R_TPR: return a->tpr;
    case R_PPR: return ppr(a);
    case R_LDR: return a->ldr;
    case R_DFR: return a->dfr;
    case R_SVR: return a->svr;
    case R_ESR: return a->esr;
    case R_ICR: return is_x2(a) ? a->icr : (uint32_t)a->icr;
    case R_ICR2: return a->icr >> 32;
    case R_INITIAL: return a->initial;
    case R_CURRENT: return apic_count(a);
    case R_DIVIDE: return a->divide;
    }
    if (r >= R_LVT && r < R_LVT + N_LVT)
        return a->lvt[r - R_LVT];
    if (r >= R_ISR && r < R_ESR)
        return (r < R_TMR ? a->isr : r < R_IRR ? a->tmr : a->irr)[r & 7];
    return 0;
}

static void write_lvt(struct apic *a, unsigned n, uint32_t v)
{
    static const uint32_t masks[N_LVT] = {0x710ff, 0x117ff, 0x117ff, 0x1f7ff, 0x1f7ff, 0x110ff};
    uint32_t old = a->lvt[n];

    if (!(a->svr & SVR_ON))
        v |= L_MASK;
    a->lvt[n] = v & masks[n] & ~(1u << 12);
    if (n != LVT_TIMER)
        return;
    if ((old ^ v) & L_DEADLINE) /* to or from the deadline: disarmed */
        a->deadline = a->initial = 0;
    if ((old ^ v) & L_TMODE)
        apic_arm(a);
}

static void write_svr(struct apic *a, uint32_t v)
{
    a->svr = v & 0x1ff;
    for (unsigned i = 0; i < N_LVT && !(v & SVR_ON); i++)
        a->lvt[i] |= L_MASK;
}

/* The vector whose end must be told to I/O APICs; -1: none. */
static int end_of_interrupt(struct apic *a)
{
    int v = highest(a->isr);

    if (v < 0)
        return -1;
    set_bit(a->isr, (unsigned)v, false);
    return bit(a->tmr, (unsigned)v) ? v : -1;
}

/* False: no such register, or it cannot be written. */
static bool write_register(struct apic *a, unsigned r, uint64_t v, int *ended)
{
    uint32_t w = (uint32_t)v;

    if (r >= R_LVT && r < R_LVT + N_LVT) {
        write_lvt(a, r - R_LVT, w);
        return true;
    }
    switch (r) {
    case R_ID: return !is_x2(a); /* fixed */
    case R_TPR: a->tpr = w & 0xff; break;
    case R_EOI: *ended = end_of_interrupt(a); break;
    case R_LDR: a->ldr = is_x2(a) ? a->ldr : w & 0xff000000; break;
    case R_DFR: a->dfr = w | 0x0fffffff; break;
    case R_SVR: write_svr(a, w); break;
    case R_ESR:
        a->esr = a->esr_new;
        a->esr_new = 0;
        break;
    case R_ICR:
        a->icr = is_x2(a) ? v : (a->icr & ~0xffffffffull) | (w & ~(1u << 12));
        command(a);
        break;
    case R_ICR2: a->icr = (uint32_t)a->icr | (uint64_t)(w & 0xff000000) << 32; break;
    case R_INITIAL:
        if ((a->lvt[LVT_TIMER] & L_TMODE) == L_DEADLINE)
            break;
        a->initial = w;
        a->started = apic_now(a);
        apic_start(a);
        break;
    case R_DIVIDE:
        a->divide = w & 11;
        apic_arm(a);
        break;
    default: return false;
    }
    return true;
}

static void tell_eoi(struct apics *s, int vector)
{
    if (vector < 0 || !s->eoi)
        return;
    machine_lock(s->dev.m);
    s->eoi(s->eoi_opaque, (uint8_t)vector);
    machine_unlock(s->dev.m);
}

/* --- In memory --- */

static struct apic *of_cpu(struct apics *s, struct access a)
{
    return bus_is_cpu(a.who) && a.who < s->n && s->a[a.who].there ? &s->a[a.who] : NULL;
}

static uint64_t m_read(void *opaque, paddr off, struct access acc)
{
    struct apics *s = opaque;
    struct apic *a = of_cpu(s, acc);
    uint64_t v = 0;

    if (!a || off >= 0x1000)
        return 0xffffffff;
    pthread_mutex_lock(&s->lock);
    if ((a->base & BASE_ON) && !is_x2(a) && off % 16 == 0)
        v = read_register(a, (unsigned)off / 16);
    pthread_mutex_unlock(&s->lock);
    return v;
}

static void m_write(void *opaque, paddr off, uint64_t value, struct access acc)
{
    struct apics *s = opaque;
    struct apic *a = off < 0x1000 ? of_cpu(s, acc) : NULL;
    int ended = -1;

    pthread_mutex_lock(&s->lock);
    if (!a) {
        message_locked(s, 0xfee00000 + off, (uint32_t)value);
    } else if ((a->base & BASE_ON) && !is_x2(a) && off % 16 == 0) {
        if (!write_register(a, (unsigned)off / 16, value, &ended))
            raise_error(a, ESR_REGISTER);
        update(a);
    }
    pthread_mutex_unlock(&s->lock);
    tell_eoi(s, ended);
}

static const struct mmio_ops ops = {.read = m_read, .write = m_write, .min = 4, .max = 4, .messages = true};

/* --- The CPU's side --- */

int apic_ack(void *apic)
{
    struct apic *a = apic;
    struct apics *s = a->all;
    bool pic;
    int v;

    pthread_mutex_lock(&s->lock);
    v = ready(a);
    if (v >= 0) {
        set_bit(a->irr, (unsigned)v, false);
        set_bit(a->isr, (unsigned)v, true);
    }
    pic = v < 0 && takes_pic(a);
    update(a);
    pthread_mutex_unlock(&s->lock);
    if (!pic || !s->pic_ack)
        return v;
    machine_lock(s->dev.m);
    v = s->pic ? s->pic_ack(s->pic_opaque) : -1; /* lowers INT: pic_in comes back here */
    machine_unlock(s->dev.m);
    return v;
}

uint8_t apic_tpr_read(void *apic)
{
    return (uint8_t)(((struct apic *)apic)->tpr >> 4);
}

void apic_tpr_write(void *apic, uint8_t cr8)
{
    struct apic *a = apic;

    pthread_mutex_lock(&a->all->lock);
    a->tpr = (uint32_t)cr8 << 4;
    update(a);
    pthread_mutex_unlock(&a->all->lock);
}

uint64_t apic_base_read(void *apic)
{
    return ((struct apic *)apic)->base;
}

/* Transitions: off, xAPIC, x2APIC, off; from x2APIC only to off, from off only to xAPIC (SDM 3A, 11.12.5). */
bool apic_base_write(void *apic, uint64_t v)
{
    struct apic *a = apic;
    uint64_t mode = v & (BASE_ON | BASE_X2), old = a->base & (BASE_ON | BASE_X2);

    if ((v & 0x2ff) || mode == BASE_X2 || (old == (BASE_ON | BASE_X2) && mode == BASE_ON) || (!old && mode == (BASE_ON | BASE_X2)))
        return false;
    pthread_mutex_lock(&a->all->lock);
    a->base = (v & ~(uint64_t)BASE_BSP) | (a->base & BASE_BSP);
    if (!mode && old)
        reset_registers(a);
    if (is_x2(a))
        a->ldr = (a->id >> 4) << 16 | 1u << (a->id & 15);
    update(a);
    pthread_mutex_unlock(&a->all->lock);
    return true;
}

static bool readable(unsigned r)
{
    return r == R_ID || r == R_VERSION || r == R_TPR || r == R_PPR || r == R_LDR || r == R_SVR || (r >= R_ISR && r <= R_ESR) || r == R_ICR ||
           (r >= R_LVT && r < R_LVT + N_LVT) || r == R_INITIAL || r == R_CURRENT || r == R_DIVIDE;
}

bool apic_msr_read(void *apic, uint32_t msr, uint64_t *v)
{
    struct apic *a = apic;
    bool ok = msr == 0x6e0 || (is_x2(a) && readable(msr - 0x800));

    pthread_mutex_lock(&a->all->lock);
    if (ok)
        *v = msr == 0x6e0 ? a->deadline : read_register(a, msr - 0x800);
    pthread_mutex_unlock(&a->all->lock);
    return ok;
}

static bool writable(unsigned r, uint64_t v)
{
    if (r == R_LDR || r == R_DFR || r == R_ID || r == R_ICR2)
        return false;
    if (r == R_EOI || r == R_ESR)
        return v == 0;
    return r == R_ICR || !(v >> 32);
}

bool apic_msr_write(void *apic, uint32_t msr, uint64_t v)
{
    struct apic *a = apic;
    unsigned r = msr - 0x800;
    int ended = -1;
    bool ok = true;

    pthread_mutex_lock(&a->all->lock);
    if (msr == 0x6e0) {
        if ((a->lvt[LVT_TIMER] & L_TMODE) == L_DEADLINE) {
            a->deadline = v;
            apic_arm(a);
        }
    } else if (!is_x2(a) || !writable(r, v)) {
        ok = false;
    } else if (r == R_SELF) {
        receive(a, &(struct message){.vector = (uint8_t)v});
    } else {
        ok = write_register(a, r, v, &ended);
    }
    update(a);
    pthread_mutex_unlock(&a->all->lock);
    tell_eoi(a->all, ended);
    return ok;
}

/* --- Wires --- */

/* Other modes than ExtINT: an interrupt at the rising edge of @pin, LVT_LINT0 or LVT_LINT1. */
static void lint_edge(struct apic *a, unsigned pin)
{
    uint32_t lvt = a->lvt[pin];

    if ((lvt & L_MASK) || !(a->base & BASE_ON) || (lvt >> 8 & 7) == MODE_EXTINT)
        return;
    receive(a, &(struct message){.vector = (uint8_t)lvt, .mode = lvt >> 8 & 7, .level = lvt & L_LEVEL});
}

static void pic_in(void *opaque, int n, bool level)
{
    struct apics *s = opaque;

    (void)n;
    pthread_mutex_lock(&s->lock);
    s->pic = level;
    for (unsigned i = 0; i < s->n; i++) {
        if (!s->a[i].there)
            continue;
        if (level)
            lint_edge(&s->a[i], LVT_LINT0);
        update(&s->a[i]);
    }
    pthread_mutex_unlock(&s->lock);
}

void apic_nmi(struct dev *d)
{
    struct apics *s = apics(d);

    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->n; i++) {
        if (!s->a[i].there)
            continue;
        lint_edge(&s->a[i], LVT_LINT1);
        update(&s->a[i]);
    }
    pthread_mutex_unlock(&s->lock);
}

struct irq_in apic_pic_in(struct dev *d)
{
    return (struct irq_in){pic_in, apics(d), 0};
}

void apic_set_pic(struct dev *d, int (*ack)(void *opaque), void *opaque)
{
    apics(d)->pic_ack = ack;
    apics(d)->pic_opaque = opaque;
}

void apic_set_eoi(struct dev *d, void (*eoi)(void *opaque, uint8_t vector), void *opaque)
{
    apics(d)->eoi = eoi;
    apics(d)->eoi_opaque = opaque;
}

struct apic *apic_add(struct dev *d, unsigned index, uint32_t id, const struct apic_cpu *cpu)
{
    struct apics *s = apics(d);
    struct apic *a = &s->a[index];

    pthread_mutex_lock(&s->lock);
    a->cpu = *cpu;
    a->index = index;
    a->id = id;
    a->there = true;
    a->base = (uint64_t)BASE_ADDRESS << 12 | BASE_ON | (index ? 0 : BASE_BSP);
    reset_registers(a);
    if (!index)
        a->lvt[LVT_LINT0] = MODE_EXTINT << 8;
    pthread_mutex_unlock(&s->lock);
    return a;
}

void apic_remove(struct dev *d, unsigned index)
{
    struct apics *s = apics(d);

    pthread_mutex_lock(&s->lock);
    s->a[index].there = false;
    timer_cancel(&s->a[index].timer);
    pthread_mutex_unlock(&s->lock);
}

/* --- The device --- */

static int init(struct dev *d, struct err *e)
{
    struct apics *s = apics(d);

    if (s->max_cpus < 1 || s->max_cpus > MAX_CPUS)
        return err_set(e, -EINVAL, "max-cpus=%llu: want 1 to %d", (unsigned long long)s->max_cpus, MAX_CPUS);
    s->a = calloc(s->max_cpus, sizeof(*s->a));
    if (!s->a)
        return err_set(e, -ENOMEM, "out of memory");
    s->n = (uint32_t)s->max_cpus;
    pthread_mutex_init(&s->lock, NULL);
    for (unsigned i = 0; i < s->n; i++) {
        s->a[i].all = s;
        timer_init(&s->a[i].timer, d->m, CLK_VIRT, apic_fire, &s->a[i]);
    }
    mem_init_mmio(&d->mmio, "apic-msi", 1 << 20, &ops, s);
    return 0;
}

static void fini(struct dev *d)
{
    struct apics *s = apics(d);

    for (unsigned i = 0; i < s->n; i++)
        timer_cancel(&s->a[i].timer);
    pthread_mutex_destroy(&s->lock);
    free(s->a);
}

/* Fields are hostile; counts of the timer are what its period is computed from. */
static int loaded(struct dev *d, int version, struct err *e)
{
    struct apics *s = apics(d);

    (void)version;
    if (s->turn >= s->n)
        s->turn = 0;
    for (unsigned i = 0; i < s->n; i++) {
        struct apic *a = &s->a[i];

        if ((a->base & (BASE_ON | BASE_X2)) == BASE_X2)
            return err_set(e, -EILSEQ, "local APIC %u is in no mode there is", i);
        a->svr &= 0x1ff;
        a->tpr &= 0xff;
        a->divide &= 11;
        if (!a->there)
            continue;
        pthread_mutex_lock(&s->lock);
        if (a->started > apic_now(a))
            a->started = apic_now(a);
        apic_arm(a);
        a->intr = false;
        a->cpu.intr(a->cpu.cpu, false);
        update(a);
        pthread_mutex_unlock(&s->lock);
    }
    return 0;
}

#define U64(member) STATE(apic, member, S_U64, 1, NULL)
#define U32(member) STATE(apic, member, S_U32, 1, NULL)
static const struct state apic_state[] = {U64(base), U64(icr), U64(deadline), STATE(apic, started, S_U64, 1, NULL), U32(tpr), U32(ldr), U32(dfr),
                                          U32(svr), U32(esr), U32(esr_new), U32(initial), U32(divide), U32(isr), U32(tmr), U32(irr), U32(lvt),
                                          STATE_END};
static const struct state state[] = {STATE(apics, pic, S_BOOL, 1, NULL), STATE(apics, turn, S_U32, 1, NULL),
                                     STATE_STRUCTS_PTR(apics, a, n, MAX_CPUS, apic_state, 1, NULL), STATE_END};

static const struct field props[] = {FIELD(apics, max_cpus, F_U64, "max-cpus", "1", "CPUs there may be"), FIELD_END};

const struct dev_type dev_apic = {
    .name = "apic",
    .help = "Local APICs of x86 CPUs",
    .class = DEV_BOARD,
    .size = sizeof(struct apics),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
};
