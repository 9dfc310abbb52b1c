/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC that is built, not running, for its tests. */
#ifndef TESTS_UNIT_BOARD_PC_BUILT_H
#define TESTS_UNIT_BOARD_PC_BUILT_H

#include "base/bytes.h"
#include "board/board.h"
#include "cpu/vcpu.h"
#include "dev/devices.h"
#include "dev/firmware/fw_cfg.h"
#include "schema/keyval.h"
#include "tests/test.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* What tests may ask for beside build()'s arguments. */
static struct {
    unsigned cpus, max_cpus, slots;
    uint64_t max_ram;
    const char *acpi_tables; /* -acpitable, as JSON */
    const char *kernel, *initrd, *append;
    const struct conf_numa *numa;
    const char *devices[8]; /* -device, each "type", or "type,props" */
} asked;

struct built {
    struct machine *m;
    struct conf c;
    struct dev *fw_cfg;
};

static inline bool is_fw_cfg(void *opaque, struct dev *d)
{
    if (strcmp(d->type->name, "fw_cfg_io") == 0)
        *(struct dev **)opaque = d;
    return true;
}

/* A file that ends with this process. */
static inline void file_of(char path[32], const void *data, size_t len)
{
    int fd = memfd_create("test", 0);

    CHECK(write(fd, data, len) == (ssize_t)len);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
}

/* Firmware of 128 KiB that begins with "low!" and has 0x5a everywhere else. */
static inline const char *firmware(void)
{
    static char path[32];
    uint8_t rom[128 * KiB];

    if (!path[0]) {
        memset(rom, 0x5a, sizeof(rom));
        memcpy(rom, "low!", 4);
        file_of(path, rom, sizeof(rom));
    }
    return path;
}

static inline int add_asked(struct machine *m, struct err *e)
{
    for (unsigned i = 0; i < 8 && asked.devices[i]; i++) {
        const char *comma = strchr(asked.devices[i], ',');
        char type[64];

        snprintf(type, sizeof(type), "%.*s", (int)strcspn(asked.devices[i], ","), asked.devices[i]);
        if (!dev_add(m, type, NULL, comma ? comma + 1 : NULL, e))
            return e->code;
    }
    return 0;
}

static inline const char *build(struct built *b, const char *name, const char *props, uint64_t ram, const char *order,
                         const char *once)
{
    static struct err e;
    struct json_object *o = keyval_parse(props, NULL, ERR_IGNORE);
    int r;

    *b = (struct built){.m = machine_new(dev_types(), NULL)};
    e = (struct err){0};
    b->c = (struct conf){.board = board_find("x86_64", name, &e),
                         .arch = "x86_64",
                         .cpus = asked.cpus ? asked.cpus : 1,
                         .max_cpus = asked.max_cpus ? asked.max_cpus : 1,
                         .sockets = 1,
                         .dies = 1,
                         .clusters = 1,
                         .cores = asked.max_cpus ? asked.max_cpus : 1,
                         .threads = 1,
                         .bios = (char *)firmware(),
                         .boot_order = (char *)order,
                         .boot_once = (char *)once,
                         .acpi_tables = asked.acpi_tables ? json_parse(asked.acpi_tables, ERR_IGNORE) : NULL,
                         .kernel = (char *)asked.kernel,
                         .initrd = (char *)asked.initrd,
                         .append = (char *)asked.append,
                         .splash_ms = -1,
                         .reboot_ms = -1,
                         .ram = ram,
                         .ram_slots = asked.slots,
                         .max_ram = asked.max_ram ? asked.max_ram : ram};
    if (asked.numa)
        b->c.numa = *asked.numa;
    if (!b->c.board)
        return e.msg;
    b->c.board_props = calloc(1, b->c.board->props_size);
    r = fields_take(b->c.board->props, o, b->c.board_props, &e);
    json_object_put(o);
    machine_lock(b->m);
    if (r == 0)
        r = b->c.board->build(b->m, &b->c, &e);
    if (r == 0)
        r = add_asked(b->m, &e);
    if (r == 0)
        r = machine_ready(b->m, &e);
    if (r == 0)
        machine_reset(b->m);
    machine_unlock(b->m);
    machine_each_dev(b->m, is_fw_cfg, &b->fw_cfg);
    return r < 0 ? e.msg : NULL;
}

static inline void end(struct built *b)
{
    vcpu_free_all(b->m);
    machine_free(b->m);
    json_object_put(b->c.acpi_tables);
    if (b->c.board_props)
        fields_free(b->c.board->props, b->c.board_props);
    free(b->c.board_props);
}

static inline uint64_t mem(struct built *b, uint64_t at, unsigned size)
{
    uint64_t v = 0;

    return space_load(machine_space(b->m), at, &v, (struct access){.size = size}) ? v : UINT64_MAX;
}

static inline void set_mem(struct built *b, uint64_t at, uint64_t v, unsigned size)
{
    space_store(machine_space(b->m), at, v, (struct access){.size = size});
}

static inline uint32_t in(struct built *b, uint16_t port, unsigned size)
{
    uint64_t v = 0;

    return space_load(machine_io_space(b->m), port, &v, (struct access){.size = size}) ? v : UINT32_MAX;
}

static inline void out(struct built *b, uint16_t port, uint32_t v, unsigned size)
{
    space_store(machine_io_space(b->m), port, v, (struct access){.size = size});
}

static inline uint32_t cfg(struct built *b, unsigned slot, unsigned fn, unsigned off)
{
    out(b, 0xcf8, 0x80000000 | slot << 11 | fn << 8 | off, 4);
    return in(b, 0xcfc, 4);
}

static inline void set_cfg(struct built *b, unsigned slot, unsigned fn, unsigned off, uint32_t v)
{
    out(b, 0xcf8, 0x80000000 | slot << 11 | fn << 8 | off, 4);
    out(b, 0xcfc, v, 4);
}

static inline uint8_t cmos(struct built *b, uint8_t reg)
{
    out(b, 0x70, reg, 1);
    return in(b, 0x71, 1);
}

#endif
