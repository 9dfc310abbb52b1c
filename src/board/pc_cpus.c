/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's CPUs and their pins: INTR, A20, SMI#, FERR# and IGNNE# (IBM PC/AT Technical Reference; Intel 82371SB data sheet 2.3). */
#include "board/pc.h"

#include "dev/intc/i8259.h"
#include "guest/x86/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { IRQ_FERR = 13, PORT_FERR = 0xf0 };

uint32_t pc_apic_id(const struct pc *p, unsigned i)
{
    return x86_apic_id(p->cpu, i);
}

unsigned pc_apic_id_limit(const struct pc *p)
{
    return pc_apic_id(p, p->c->max_cpus - 1) + 1;
}

static int make_cpus(struct pc *p, struct err *e)
{
    struct engine *engine = engine_new(&guest_x86_system, &p->c->engine);
    bool only32 = strcmp(p->c->arch, "i386") == 0;

    p->cpus = calloc(p->c->cpus, sizeof(*p->cpus));
    p->cpu = calloc(1, sizeof(*p->cpu));
    if (!engine || !p->cpus || !p->cpu)
        return err_set(e, -ENOMEM, "out of memory for %u CPUs", p->c->cpus);
    if (x86_conf_parse(p->cpu, p->c->cpu, p->c->cpu_features, only32 ? "qemu32" : "qemu64", only32, NULL, NULL, e) < 0)
        return e->code;
    p->cpu->threads = p->c->threads;
    p->cpu->cores = p->c->cores;
    p->cpu->dies = p->c->dies;
    for (unsigned i = 0; i < p->c->cpus; i++)
        if (!(p->cpus[i] = x86_cpu_new(p->m, engine, p->cpu, i, e)))
            return e->code;
    return 0;
}

/* --- Pins ----------------------------------------------------------------------------------- */

static void set_a20(void *opaque, int n, bool level)
{
    x86_set_a20(opaque, level);
}

static void set_smi(void *opaque, int n, bool level)
{
    struct pc *p = opaque;

    for (unsigned i = 0; level && i < p->c->cpus; i++)
        x86_smi(p->cpus[i]);
}

static uint64_t ferr_read(void *opaque, paddr off, struct access a)
{
    return UINT64_MAX;
}

/* Any write takes the coprocessor's interrupt back. */
static void ferr_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pc *p = opaque;

    for (unsigned i = 0; i < p->c->cpus; i++)
        x86_set_ignne(p->cpus[i]);
}

static const struct mmio_ops ferr_ops = {ferr_read, ferr_write, 1, 1};

/* Without an APIC the PIC asks the first CPU itself. */
static int pic_ack(void *opaque)
{
    struct pc *p = opaque;
    int vector;

    machine_lock(p->m);
    vector = i8259_intr(p->pic) ? i8259_ack(p->pic) : -1;
    machine_unlock(p->m);
    return vector;
}

static const struct x86_intc_ops pic_ops = {.ack = pic_ack};

static void add_pic(struct pc *p)
{
    if (!p->pic)
        return;
    irq_connect(&p->pic->irq[0], x86_intr_in(p->cpus[0]));
    x86_set_intc(p->cpus[0], &pic_ops, p);
}

int pc_add_cpus(struct pc *p, struct err *e)
{
    if (make_cpus(p, e) < 0)
        return e->code;
    add_pic(p);
    if (!p->p->bare) /* without a keyboard controller there is no gate */
        irq_connect(&p->a20.out, (struct irq_in){.set = set_a20, .opaque = p->m});
    if (p->smi)
        irq_connect(p->smi, (struct irq_in){.set = set_smi, .opaque = p});
    mem_init_mmio(&p->ferr, "ioportF0", 1, &ferr_ops, p);
    mem_add(machine_io_mem(p->m), PORT_FERR, &p->ferr, 0);
    for (unsigned i = 0; i < p->c->cpus; i++) {
        if (p->smm)
            x86_set_smm_space(p->cpus[i], p->smm_space);
        irq_connect(x86_ferr_line(p->cpus[i]), isa_irq(p->isa, IRQ_FERR));
    }
    return 0;
}
