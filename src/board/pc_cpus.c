/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's CPUs and their pins: INTR, A20, SMI#, FERR# and IGNNE# (IBM PC/AT Technical Reference; Intel 82371SB data sheet 2.3). */
#include "board/pc.h"

#include "dev/acpi/cpu_hotplug.h"
#include "dev/intc/apic.h"
#include "dev/intc/i8259.h"
#include "dev/intc/ioapic.h"
#include "dev/pc/ich9.h"
#include "guest/x86/system.h"

#include <errno.h>
#include <stdio.h>
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

static int prepare(struct pc *p, struct err *e)
{
    bool only32 = strcmp(p->c->arch, "i386") == 0;

    p->engine = engine_new(&guest_x86_system, &p->c->engine);
    p->cpus = calloc(p->c->max_cpus, sizeof(*p->cpus));
    p->slots = calloc(p->c->max_cpus, sizeof(*p->slots));
    p->cpu = calloc(1, sizeof(*p->cpu));
    if (!p->engine || !p->cpus || !p->slots || !p->cpu)
        return err_set(e, -ENOMEM, "out of memory for %u CPUs", p->c->max_cpus);
    if (x86_conf_parse(p->cpu, p->c->cpu, p->c->cpu_features, only32 ? "qemu32" : "qemu64", only32, NULL, NULL, e) < 0)
        return e->code;
    p->cpu->threads = p->c->threads;
    p->cpu->cores = p->c->cores;
    p->cpu->dies = p->c->dies;
    return 0;
}

bool pc_has_cpu(const struct pc *p, unsigned i)
{
    return p->slots[i].present;
}

unsigned pc_count_cpus(const struct pc *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->c->max_cpus; i++)
        n += pc_has_cpu(p, i);
    return n;
}

/* --- Pins ----------------------------------------------------------------------------------- */

static void set_a20(void *opaque, int n, bool level)
{
    x86_set_a20(opaque, level);
}

/* To the CPU whose write it is, or to the first: firmware counts on it that the others, which may not have found their memory for
 * SMM yet, are left alone, until it asks for all of them. */
static void set_smi(void *opaque, int n, bool level)
{
    struct pc *p = opaque;
    struct cpu *to = p->cpus[0];

    for (unsigned i = 1; i < p->c->max_cpus; i++)
        if (p->cpus[i] && p->cpus[i] == cpu_self)
            to = cpu_self;
    for (unsigned i = 0; level && p->q35 && ich9_smi_to_all(p->isa_dev) && i < p->c->cpus; i++)
        if (p->cpus[i] != to)
            x86_smi(p->cpus[i]);
    if (level)
        x86_smi(to);
}

static uint64_t ferr_read(void *opaque, paddr off, struct access a)
{
    return UINT64_MAX;
}

/* Any write takes the coprocessor's interrupt back. */
static void ferr_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pc *p = opaque;

    for (unsigned i = 0; i < p->c->max_cpus; i++)
        if (p->cpus[i])
            x86_set_ignne(p->cpus[i]);
}

static const struct mmio_ops ferr_ops = {ferr_read, ferr_write, 1, 1};

/* --- Interrupts ----------------------------------------------------------------------------- */

static int pic_ack(void *opaque)
{
    struct pc *p = opaque;

    return i8259_intr(p->pic) ? i8259_ack(p->pic) : -1;
}

/* Without local APICs the PIC asks the first CPU itself. */
static int pic_ack_alone(void *opaque)
{
    struct pc *p = opaque;
    int vector;

    machine_lock(p->m);
    vector = pic_ack(p);
    machine_unlock(p->m);
    return vector;
}

static void intr(void *cpu, bool level)
{
    x86_set_intr(cpu, level);
}

static void nmi(void *cpu)
{
    x86_nmi(cpu);
}

static void smi(void *cpu)
{
    x86_smi(cpu);
}

static void init(void *cpu)
{
    x86_init(cpu);
}

static void sipi(void *cpu, uint8_t vector)
{
    x86_sipi(cpu, vector);
}

static int64_t tsc_when(void *cpu, uint64_t tsc)
{
    return x86_tsc_when(cpu, tsc);
}

static void end_of_interrupt(void *opaque, uint8_t vector)
{
    struct pc *p = opaque;

    ioapic_eoi(p->ioapic, vector);
    if (p->ioapic2)
        ioapic_eoi(p->ioapic2, vector);
}

static int add_apics(struct pc *p, struct err *e)
{
    char props[32];

    snprintf(props, sizeof(props), "max-cpus=%u", p->c->max_cpus);
    if (!(p->apic = dev_add(p->m, "apic", NULL, props, e)))
        return e->code;
    mem_add(machine_mem(p->m), PC_APIC, &p->apic->mmio, 0x1000);
    if (p->ioapic)
        apic_set_eoi(p->apic, end_of_interrupt, p);
    if (p->pic) {
        irq_connect(&p->pic->irq[0], apic_pic_in(p->apic));
        apic_set_pic(p->apic, pic_ack, p);
    }
    return 0;
}

static void add_local_apic(struct pc *p, unsigned i)
{
    static const struct x86_intc_ops ops = {.ack = apic_ack, .tpr_read = apic_tpr_read, .tpr_write = apic_tpr_write, .base_read = apic_base_read,
                                            .base_write = apic_base_write, .msr_read = apic_msr_read, .msr_write = apic_msr_write,
                                            .tsc_written = apic_tsc_written};
    struct apic_cpu pins = {intr, nmi, smi, init, sipi, tsc_when, p->cpus[i]};

    x86_set_intc(p->cpus[i], &ops, apic_add(p->apic, i, pc_apic_id(p, i), &pins));
}

/* One that has been there before has only been switched off. */
int pc_start_cpu(struct pc *p, unsigned i, struct err *e)
{
    bool again = p->cpus[i];

    if (!again && !(p->cpus[i] = x86_cpu_new(p->m, p->engine, p->cpu, i, e)))
        return e->code;
    if (p->apic)
        add_local_apic(p, i);
    p->slots[i].present = true;
    if (again) {
        x86_init(p->cpus[i]);
        return 0;
    }
    if (p->smm)
        x86_set_smm_space(p->cpus[i], p->smm_space);
    irq_connect(x86_ferr_line(p->cpus[i]), isa_irq(p->isa, IRQ_FERR));
    return 0;
}

/* CPUs older than the Pentium have no local APIC. */
static int start_cpus(struct pc *p, struct err *e)
{
    static const struct x86_intc_ops alone = {.ack = pic_ack_alone};

    if (x86_has(&p->cpu->features, X86_FEAT_APIC) && add_apics(p, e) < 0)
        return e->code;
    for (unsigned i = 0; i < p->c->cpus; i++)
        if (pc_start_cpu(p, i, e) < 0)
            return e->code;
    if (!p->apic && p->pic) {
        irq_connect(&p->pic->irq[0], x86_intr_in(p->cpus[0]));
        x86_set_intc(p->cpus[0], &alone, p);
    }
    return 0;
}

/* The button of old: by the local APICs, where there are any. */
static void press_nmi(void *opaque)
{
    struct pc *p = opaque;

    if (p->apic)
        apic_nmi(p->apic);
    else
        x86_nmi(p->cpus[0]);
}

int pc_add_cpus(struct pc *p, struct err *e)
{
    if (prepare(p, e) < 0 || start_cpus(p, e) < 0)
        return e->code;
    if (!p->p->bare) /* without a keyboard controller there is no gate */
        irq_connect(&p->a20.out, (struct irq_in){.set = set_a20, .opaque = p->m});
    if (p->smi)
        irq_connect(p->smi, (struct irq_in){.set = set_smi, .opaque = p});
    machine_on_nmi(p->m, press_nmi, p);
    mem_init_mmio(&p->ferr, "ioportF0", 1, &ferr_ops, p);
    mem_add(machine_io_mem(p->m), PORT_FERR, &p->ferr, 0);
    return 0;
}
