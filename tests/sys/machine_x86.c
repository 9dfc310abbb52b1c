/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest PC that runs a test of the system level: two CPUs, of which the second waits for its start, RAM, 64 KiB of ROM below 1 MiB and below 4 GiB, and some ports.
 *
 * usage: machine_x86 [--cpu MODEL[,FEATURES]] [--engine interp|jit] [--hot-after N] [--reload on] [--log int,mmu,cpu,in_asm] FILE
 * With --reload, after each line that is printed the machine's state is saved, and the test goes on in a new machine that has loaded it.
 * FILE is 64 KiB of firmware.  Port E9h prints a byte; F4h ends, with the status that the reference's isa-debug-exit gives
 * (twice the byte and one); EAh raises INTR with the vector written, until it is acknowledged; B2h is an SMI; F0h is as in PCs.
 */
#include "base/loop.h"
#include "bus/machine.h"
#include "cpu/vcpu.h"
#include "guest/x86/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RAM_SIZE = 16 << 20, ROM_SIZE = 64 << 10 };

struct rig {
    struct machine *m;
    struct loop *loop;
    struct ram *ram, *rom_ram;
    const struct engine_conf *conf;
    const struct x86_conf *cpu_conf;
    bool reloads;
    struct cpu *cpu, *second;
    struct mem low, high, rom, rom_low, ports, apm, f0, apic;
    int vector, status;
};

static void put(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rig *r = opaque;

    (void)a;
    if (off == 0) {
        putchar((int)v & 0xff);
        if (r->reloads && (char)v == '\n')
            machine_ask(r->m, ASK_STOP, "reload");
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

/* FERR# is interrupt 75h, as firmware has it. */
static void ferr(void *opaque, int n, bool level)
{
    struct rig *r = opaque;

    (void)n;
    if (level) {
        r->vector = 0x75;
        x86_set_intr(r->cpu, true);
    }
}

static void ignore_errors(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rig *r = opaque;

    (void)off;
    (void)v;
    (void)a;
    x86_set_ignne(r->cpu);
}

static const struct mmio_ops f0_ops = {.read = get, .write = ignore_errors, .min = 1, .max = 1};

/* Of a local APIC there is the interrupt command: INIT and start-up messages are the second CPU's. */
static void command(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rig *r = opaque;

    (void)a;
    if (off == 0x300 && (v >> 8 & 7) == 5)
        x86_init(r->second);
    else if (off == 0x300 && (v >> 8 & 7) == 6)
        x86_sipi(r->second, (uint8_t)v);
}

static const struct mmio_ops apic_ops = {.read = get, .write = command, .min = 4, .max = 4};

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
    mem_init_mmio(&r->f0, "f0", 1, &f0_ops, r);
    mem_add(machine_io_mem(r->m), 0xf0, &r->f0, 0);
    irq_connect(x86_ferr_line(r->cpu), (struct irq_in){ferr, r, 0});
    x86_set_intc(r->cpu, &intc, r);
    x86_on_shutdown(r->cpu, shutdown, r);
    r->second = x86_cpu_new(r->m, engine, c, 1, &e);
    mem_init_mmio(&r->apic, "apic", 0x400, &apic_ops, r);
    mem_add(machine_mem(r->m), 0xfee00000, &r->apic, 0);
    machine_unlock(r->m);
}

/* Until the guest is done: false; or has printed a line. */
static bool run(struct rig *r)
{
    const char *why = "";
    unsigned asks = 0;

    machine_lock(r->m);
    machine_set_state(r->m, RUN_RUNNING);
    machine_unlock(r->m);
    while (!asks) {
        loop_once(r->loop, 20 * 1000 * 1000);
        machine_lock(r->m);
        asks = machine_take_asks(r->m, &why) & (ASK_SHUTDOWN | ASK_STOP);
        if (!asks && machine_state(r->m) != RUN_RUNNING) {
            r->status = 3;
            asks = ASK_SHUTDOWN;
        }
        if (asks)
            machine_set_state(r->m, asks & ASK_SHUTDOWN ? RUN_SHUTDOWN : RUN_PAUSED);
        if (asks) /* on its way to a stop it may have come to its end */
            asks |= machine_take_asks(r->m, &why) & ASK_SHUTDOWN;
        machine_unlock(r->m);
    }
    return !(asks & ASK_SHUTDOWN);
}

static bool make(struct rig *r, struct err *e)
{
    static const struct dev_type *const no_types[] = {NULL};

    r->loop = loop_new();
    r->m = machine_new(no_types, r->loop);
    loop_around(r->loop, enter, leave, r->m);
    r->ram = ram_new(r->m, "ram", RAM_SIZE, e);
    r->rom_ram = ram_new(r->m, "rom", ROM_SIZE, e);
    if (!r->ram || !r->rom_ram)
        return false;
    r->rom_ram->rom = true;
    build(r, engine_new(&guest_x86_system, r->conf), r->cpu_conf, r->ram, r->rom_ram);
    machine_lock(r->m);
    machine_reset(r->m);
    machine_unlock(r->m);
    return true;
}

static void unmake(struct rig *r)
{
    vcpu_free_all(r->m);
    machine_free(r->m);
    loop_free(r->loop);
}

/* Saved, gone, made anew, loaded; memory is carried over.  What was saved is what a second saving gives. */
static bool reload(struct rig *r, struct err *e)
{
    static uint8_t memory[RAM_SIZE], rom[ROM_SIZE];
    uint8_t *buf, *again;
    size_t len, again_len;
    bool ok;

    machine_lock(r->m);
    ok = machine_save(r->m, &buf, &len, e) == 0;
    machine_unlock(r->m);
    memcpy(memory, r->ram->host, RAM_SIZE);
    memcpy(rom, r->rom_ram->host, ROM_SIZE);
    unmake(r);
    if (!ok || !make(r, e))
        return false;
    memcpy(r->ram->host, memory, RAM_SIZE);
    memcpy(r->rom_ram->host, rom, ROM_SIZE);
    machine_lock(r->m);
    ok = machine_load(r->m, buf, len, e) == 0 && machine_save(r->m, &again, &again_len, e) == 0;
    machine_unlock(r->m);
    if (ok && (again_len != len || memcmp(buf, again, len) != 0)) {
        err_set(e, -EIO, "saved again, the state is another one");
        ok = false;
    }
    free(buf);
    if (ok)
        free(again);
    return ok;
}

int main(int argc, char **argv)
{
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct engine_log log = {.fd = 2};
    const char *file = NULL, *cpu = "max", *features;
    struct x86_conf c;
    struct err e = {0};
    static struct rig r;

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
        else if (strcmp(argv[i - 1], "--reload") == 0)
            r.reloads = strcmp(value, "on") == 0;
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
    r.conf = &conf;
    r.cpu_conf = &c;
    if (!make(&r, &e) || !file || !load(r.rom_ram, file))
        return usage("want a file of 64 KiB");
    while (run(&r))
        if (!reload(&r, &e))
            return usage(e.msg);
    fflush(stdout);
    unmake(&r);
    return r.status;
}
