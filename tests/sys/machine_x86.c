/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest PC that runs a test of the system level: RAM, 64 KiB of ROM below 1 MiB and below 4 GiB, and some ports.
 *
 * usage: machine_x86 [--cpu MODEL[,FEATURES]] [--engine interp|jit] [--hot-after N] [--log int,mmu,cpu,in_asm] FILE
 * FILE is 64 KiB of firmware.  Port E9h prints a byte; F4h ends, with the status that the reference's isa-debug-exit gives
 * (twice the byte and one); EAh raises INTR with the vector written, until it is acknowledged; B2h is an SMI.
 */
#include "base/loop.h"
#include "bus/machine.h"
#include "cpu/vcpu.h"
#include "guest/x86/system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RAM_SIZE = 16 << 20, ROM_SIZE = 64 << 10 };

struct rig {
    struct machine *m;
    struct cpu *cpu;
    struct mem low, high, rom, rom_low, ports, apm;
    int vector, status;
};

static void put(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rig *r = opaque;

    (void)a;
    if (off == 0) {
        putchar((int)v & 0xff);
    } else if (off == 1) {
        r->vector = (int)v & 0xff;
        x86_set_intr(r->cpu, true);
    } else if (off == 0xf4 - 0xe9) {
        r->status = (int)(v << 1 | 1) & 0xff;
        machine_ask(r->m, ASK_SHUTDOWN, "guest-shutdown");
    }
}

static uint64_t get(void *opaque, paddr off, struct access a)
{
    (void)opaque;
    (void)a;
    return off == 0 ? 0xe9 : 0xff;
}

static void ask_smm(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rig *r = opaque;

    (void)off;
    (void)v;
    (void)a;
    x86_smi(r->cpu);
}

static const struct mmio_ops apm_ops = {.read = get, .write = ask_smm, .min = 1, .max = 1};
static const struct mmio_ops port_ops = {.read = get, .write = put, .min = 1, .max = 1};

static int ack(void *opaque)
{
    struct rig *r = opaque;

    x86_set_intr(r->cpu, false);
    return r->vector;
}

static const struct x86_intc_ops intc = {.ack = ack};

static int usage(const char *why)
{
    fprintf(stderr, "machine_x86: %s\n", why);
    return 2;
}

static bool load(struct ram *ram, const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, ram->host, ROM_SIZE);

    if (fd >= 0)
        close(fd);
    return n == ROM_SIZE;
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

/* A triple fault ends with status 4. */
static void shutdown(void *opaque)
{
    struct rig *r = opaque;

    r->status = 4;
    machine_ask(r->m, ASK_SHUTDOWN, "guest-shutdown");
}

static int run(struct rig *r, struct loop *loop)
{
    const char *why = "";

    machine_lock(r->m);
    machine_reset(r->m);
    machine_set_state(r->m, RUN_RUNNING);
    machine_unlock(r->m);
    for (bool done = false; !done;) {
        loop_once(loop, 20 * 1000 * 1000);
        machine_lock(r->m);
        done = machine_take_asks(r->m, &why) & ASK_SHUTDOWN;
        if (!done && machine_state(r->m) != RUN_RUNNING) {
            r->status = 3;
            done = true;
        }
        if (done)
            machine_set_state(r->m, RUN_SHUTDOWN);
        machine_unlock(r->m);
    }
    return r->status;
}

static void build(struct rig *r, struct engine *engine, const struct x86_conf *c, struct ram *ram, struct ram *rom)
{
    struct err e = {0};

    machine_lock(r->m);
    mem_init_ram(&r->low, "low", ram, 0, 0xa0000);
    mem_init_ram(&r->high, "high", ram, 1 << 20, RAM_SIZE - (1 << 20));
    mem_init_ram(&r->rom, "rom", rom, 0, ROM_SIZE);
    mem_init_alias(&r->rom_low, "rom-low", &r->rom, 0, ROM_SIZE);
    mem_init_mmio(&r->ports, "ports", 16, &port_ops, r);
    mem_add(machine_mem(r->m), 0, &r->low, 0);
    mem_add(machine_mem(r->m), 1 << 20, &r->high, 0);
    mem_add(machine_mem(r->m), 0xffff0000, &r->rom, 0);
    mem_add(machine_mem(r->m), 0xf0000, &r->rom_low, 0);
    mem_add(machine_io_mem(r->m), 0xe9, &r->ports, 0);
    mem_init_mmio(&r->apm, "apm", 1, &apm_ops, r);
    mem_add(machine_io_mem(r->m), 0xb2, &r->apm, 0);
    r->cpu = x86_cpu_new(r->m, engine, c, 0, &e);
    x86_set_intc(r->cpu, &intc, r);
    x86_on_shutdown(r->cpu, shutdown, r);
    machine_unlock(r->m);
}

int main(int argc, char **argv)
{
    static const struct dev_type *const no_types[] = {NULL};
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct engine_log log = {.fd = 2};
    const char *file = NULL, *cpu = "max", *features;
    struct x86_conf c;
    struct err e = {0};
    static struct rig r;
    struct loop *loop = loop_new();
    struct ram *ram, *rom;
    int status;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (argv[i][0] != '-')
            file = argv[i];
        else if (strcmp(argv[i++], "--cpu") == 0)
            cpu = value;
        else if (strcmp(argv[i - 1], "--engine") == 0)
            conf.kind = strcmp(value, "jit") == 0 ? ENGINE_JIT : ENGINE_INTERP;
        else if (strcmp(argv[i - 1], "--hot-after") == 0)
            conf.hot_after = (unsigned)atoi(value);
        else if (strcmp(argv[i - 1], "--log") == 0)
            log.items = log_items(value);
        else
            return usage("unknown option");
    }
    features = strchr(cpu, ',');
    if (x86_conf_parse(&c, strndup(cpu, strcspn(cpu, ",")), features ? features + 1 : NULL, "max", false, NULL, NULL, &e) < 0)
        return usage(e.msg);
    if (log.items)
        conf.log = &log;
    r.m = machine_new(no_types, loop);
    loop_around(loop, enter, leave, r.m);
    ram = ram_new(r.m, "ram", RAM_SIZE, &e);
    rom = ram_new(r.m, "rom", ROM_SIZE, &e);
    if (!file || !ram || !rom || !load(rom, file))
        return usage("want a file of 64 KiB");
    rom->rom = true;
    build(&r, engine_new(&guest_x86_system, &conf), &c, ram, rom);
    status = run(&r, loop);
    fflush(stdout);
    vcpu_free_all(r.m);
    machine_free(r.m);
    loop_free(loop);
    return status;
}
