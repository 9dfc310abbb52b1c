/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gdb sends to a machine: each line of the input is the payload of a packet, one that begins with 0xff is sent as it is.
 * The machine has two CPUs that turn in a loop, and is stopped again after whatever lets it go on.
 */
#include "base/loop.h"
#include "cpu/vcpu.h"
#include "guest/aarch64/system.h"
#include "mon/gdb.h"
#include "ui/chr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAM = 0x40000000, RAM_SIZE = 1 << 20, N_CPUS = 2, LINE_MAX_BYTES = 20000 };

int fuzz_one(const uint8_t *data, size_t len);

static struct box {
    struct machine *m;
    struct loop *loop;
    struct mem ram_mem;
    struct ram *ram;
} box;

static void enter(void *opaque)
{
    machine_lock(opaque);
}

static void leave(void *opaque)
{
    machine_unlock(opaque);
}

static void make_cpus(struct machine *m)
{
    static const struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct engine *engine = engine_new(&guest_aarch64_system, &conf);
    struct a64_reset start = {.pc = RAM};
    struct a64_conf c = {0};
    struct err e = {0};

    if (a64_conf_parse(&c, "cortex-a57", NULL, "cortex-a57", &e) < 0)
        abort();
    for (unsigned i = 0; i < N_CPUS; i++) {
        struct cpu *cpu = a64_cpu_new(m, engine, &c, i, &e);

        if (!cpu)
            abort();
        a64_set_reset_state(cpu, &start);
    }
}

static void make(void)
{
    static const struct dev_type *const no_types[] = {NULL};
    struct err e = {0};

    box.loop = loop_new();
    box.m = machine_new(no_types, box.loop);
    loop_around(box.loop, enter, leave, box.m);
    machine_lock(box.m);
    box.ram = ram_new(box.m, "ram", RAM_SIZE, &e);
    if (!box.ram)
        abort();
    mem_init_ram(&box.ram_mem, "ram", box.ram, 0, RAM_SIZE);
    mem_add(machine_mem(box.m), RAM, &box.ram_mem, 0);
    make_cpus(box.m);
    machine_unlock(box.m);
}

/* The same for every input. */
static void start_again(void)
{
    memset(box.ram->host, 0, RAM_SIZE);
    memcpy(box.ram->host, "\x00\x00\x00\x14", 4); /* b . */
    machine_reset(box.m);
}

static void send(struct chr *c, const void *buf, size_t len)
{
    machine_lock(box.m);
    chr_memory_input(c, buf, len);
    machine_unlock(box.m);
    loop_once(box.loop, 0);
}

static void line(struct chr *c, const uint8_t *data, size_t len)
{
    static char frame[LINE_MAX_BYTES + 8];
    uint8_t sum = 0;

    if (len > LINE_MAX_BYTES)
        len = LINE_MAX_BYTES;
    if (len && data[0] == 0xff) {
        send(c, data + 1, len - 1);
        return;
    }
    frame[0] = '$';
    memcpy(frame + 1, data, len);
    for (size_t i = 0; i < len; i++)
        sum += data[i];
    snprintf(frame + 1 + len, 4, "#%02x", sum);
    send(c, frame, len + 4);
    if (machine_state(box.m) == RUN_RUNNING)
        send(c, "\3", 1);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct gdbserver *g;
    struct chr *c;

    if (!box.m)
        make();
    machine_lock(box.m);
    start_again();
    c = chr_memory();
    g = gdbserver_on(box.m, c, NULL, ERR_IGNORE);
    if (!g)
        abort();
    machine_unlock(box.m);
    while (len) {
        const uint8_t *end = memchr(data, '\n', len);
        size_t n = end ? (size_t)(end - data) : len;

        line(c, data, n);
        data += n + (end != NULL);
        len -= n + (end != NULL);
    }
    machine_lock(box.m);
    machine_set_state(box.m, RUN_RUNNING);
    machine_set_state(box.m, RUN_PAUSED); /* a report is on its way when the server ends */
    gdbserver_free(g, 0);
    machine_unlock(box.m);
    loop_once(box.loop, 0);
    chr_close(c);
    return 0;
}
