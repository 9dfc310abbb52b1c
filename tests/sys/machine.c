/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest machine that runs a test of the system level: RAM, and a register that prints what is written.
 *
 * usage: machine [--cpu MODEL[,FEATURES]] [--el2] [--smp N] [--engine interp|jit] [--hot-after N] [--log int,mmu,cpu] FILE
 * FILE is raw code for 0x40080000; registers that matter are where the board `virt` has them, so that it runs there, too.  The
 * machine ends with PSCI SYSTEM_OFF, status 0; status 3: a CPU cannot go on.  --line TIMER=VECTOR: what boards wire
 * is wired here: each timer's output, and the PMU's, to the CPU's IRQ.
 */
#include "base/loop.h"
#include "bus/machine.h"
#include "cpu/vcpu.h"
#include "guest/aarch64/system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RAM = 0x40000000, RAM_SIZE = 64 << 20, LOAD = 0x80000, UART = 0x09000000, IRQS = 0x09100000, MAX_CPUS = 8 };

struct rig {
    struct machine *m;
    struct cpu *cpu[MAX_CPUS];
    unsigned n;
    struct irq_or ors[MAX_CPUS];
    struct mem ram, uart, irqs;
    unsigned asked;
};

static void put(void *opaque, paddr off, uint64_t v, struct access a)
{
    if (off == 0)
        putchar((int)v & 0xff);
}

static uint64_t none(void *opaque, paddr off, struct access a)
{
    return 0;
}

static const struct mmio_ops uart_ops = {.read = none, .write = put, .min = 1, .max = 4};

/* A write sets inputs of CPU off / 8: bits 1 << enum a64_irq. */
static void put_irqs(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rig *r = opaque;

    for (unsigned i = A64_FIQ; i <= A64_VSERROR && off / 8 < r->n; i++)
        a64_set_irq(r->cpu[off / 8], (enum a64_irq)i, v >> i & 1);
    if (off / 8 < r->n)
        irq_or_in(&r->ors[off / 8], 31).set(irq_or_in(&r->ors[off / 8], 31).opaque, 31, v & 1);
}

static const struct mmio_ops irq_ops = {.read = none, .write = put_irqs, .min = 4, .max = 8};

static int usage(const char *why)
{
    fprintf(stderr, "machine: %s\n", why);
    return 2;
}

static int load(struct ram *ram, const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, ram->host + LOAD, RAM_SIZE - LOAD);

    if (fd >= 0)
        close(fd);
    return n > 0 ? 0 : -1;
}

static void wire(struct rig *r, unsigned i)
{
    struct irq_or *o = &r->ors[i];

    irq_connect(&o->out, a64_irq_in(r->cpu[i], A64_IRQ));
    for (int t = 0; t < A64_NUM_TIMERS; t++)
        irq_connect(a64_timer_line(r->cpu[i], (enum a64_timer)t), irq_or_in(o, t));
    irq_connect(a64_pmu_line(r->cpu[i]), irq_or_in(o, A64_NUM_TIMERS));
}

static unsigned log_items(const char *names)
{
    return (strstr(names, "int") ? ENGINE_LOG_STOP : 0) | (strstr(names, "mmu") ? ENGINE_LOG_MMU : 0) |
           (strstr(names, "cpu") ? ENGINE_LOG_CPU | ENGINE_LOG_EXEC : 0) | (strstr(names, "in_asm") ? ENGINE_LOG_CODE : 0);
}

static void enter(void *opaque)
{
    machine_lock(opaque);
}

static void leave(void *opaque)
{
    machine_unlock(opaque);
}

static int run(struct rig *r, struct loop *loop)
{
    const char *why = "";
    unsigned asks = 0;

    machine_lock(r->m);
    machine_reset(r->m);
    machine_set_state(r->m, RUN_RUNNING);
    machine_unlock(r->m);
    while (!(asks & ASK_SHUTDOWN)) {
        loop_once(loop, 20 * 1000 * 1000);
        machine_lock(r->m);
        asks = machine_take_asks(r->m, &why);
        if (asks & ASK_RESET)
            machine_reset(r->m);
        if (machine_state(r->m) != RUN_RUNNING) {
            machine_unlock(r->m);
            fprintf(stderr, "machine: a CPU cannot go on\n");
            return 3;
        }
        machine_unlock(r->m);
    }
    machine_lock(r->m);
    machine_set_state(r->m, RUN_SHUTDOWN);
    machine_unlock(r->m);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct dev_type *const no_types[] = {NULL};
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct engine_log log = {.fd = 2};
    const char *file = NULL, *cpu = "max";
    struct a64_conf c = {0};
    struct err e = {0};
    static struct rig r;
    struct loop *loop = loop_new();
    struct engine *engine;
    struct ram *ram;
    char *features;
    int status;

    r.n = 1;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--el2") == 0)
            c.el2 = true;
        else if (argv[i][0] != '-')
            file = argv[i];
        else if (strcmp(argv[i++], "--cpu") == 0)
            cpu = value;
        else if (strcmp(argv[i - 1], "--smp") == 0)
            r.n = (unsigned)atoi(value);
        else if (strcmp(argv[i - 1], "--engine") == 0)
            conf.kind = strcmp(value, "jit") == 0 ? ENGINE_JIT : ENGINE_INTERP;
        else if (strcmp(argv[i - 1], "--hot-after") == 0)
            conf.hot_after = (unsigned)atoi(value);
        else if (strcmp(argv[i - 1], "--log") == 0)
            log.items = log_items(value);
        else
            return usage("unknown option");
    }
    if (!file || !r.n || r.n > MAX_CPUS)
        return usage("want a file, and 1 to 8 CPUs");
    features = strchr(strdup(cpu), ',');
    c.psci = c.el2 ? A64_PSCI_SMC : A64_PSCI_HVC;
    if (a64_conf_parse(&c, strndup(cpu, strcspn(cpu, ",")), features ? features + 1 : NULL, "max", &e) < 0)
        return usage(e.msg);
    if (log.items)
        conf.log = &log;
    r.m = machine_new(no_types, loop);
    loop_around(loop, enter, leave, r.m);
    ram = ram_new(r.m, "ram", RAM_SIZE, &e);
    if (!ram || load(ram, file) < 0)
        return usage("cannot read the file");
    machine_lock(r.m);
    mem_init_ram(&r.ram, "ram", ram, 0, RAM_SIZE);
    mem_init_mmio(&r.uart, "uart", 0x1000, &uart_ops, NULL);
    mem_init_mmio(&r.irqs, "irqs", 0x1000, &irq_ops, &r);
    mem_add(machine_mem(r.m), RAM, &r.ram, 0);
    mem_add(machine_mem(r.m), UART, &r.uart, 0);
    mem_add(machine_mem(r.m), IRQS, &r.irqs, 0);
    engine = engine_new(&guest_aarch64_system, &conf);
    for (unsigned i = 0; i < r.n; i++) {
        c.mpidr = i;
        r.cpu[i] = a64_cpu_new(r.m, engine, &c, i, &e);
        a64_set_reset_state(r.cpu[i], &(struct a64_reset){.pc = RAM + LOAD});
        wire(&r, i);
    }
    machine_unlock(r.m);
    status = run(&r, loop);
    fflush(stdout);
    vcpu_free_all(r.m);
    machine_free(r.m);
    loop_free(loop);
    return status;
}
