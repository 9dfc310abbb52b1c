/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine around one device (tests/dev/rig.h). */
#include "tests/dev/rig.h"

#include <json-c/json.h>
#include <unistd.h>

#include "block/drive.h"
#include "block/env.h"
#include "bus/machine_priv.h"
#include "dev/devices.h"

static void must(bool ok, const char *what, const struct err *e)
{
    if (ok)
        return;
    printf("rig: %s: %s\n", what, e->msg);
    exit(TEST_FAILED);
}

static void irq_set_of(void *opaque, int n, bool level)
{
    struct rig *r = opaque;

    r->irq[n].rose += level && !r->irq[n].level;
    r->irq[n].level = level;
}

static void make_machine(struct rig *r)
{
    struct err e = {0};

    r->m = machine_new(dev_types(), NULL);
    r->ram = ram_new(r->m, "rig.ram", RIG_RAM_SIZE, &e);
    must(r->ram, "memory", &e);
    mem_init_ram(&r->ram_mem, "rig.ram", r->ram, 0, RIG_RAM_SIZE);
    mem_add(machine_mem(r->m), RIG_RAM, &r->ram_mem, 0);
    if (r->before)
        r->before(r);
}

static bool plug(struct rig *r, struct err *e)
{
    machine_lock(r->m);
    r->dev = dev_add(r->m, r->type, "dut", r->props, e);
    if (r->dev) {
        for (unsigned i = 0; i < 8; i++)
            irq_connect(&r->dev->irq[i],
                        (struct irq_in){.set = irq_set_of, .opaque = r, .n = (int)i});
        if (!r->dev->parent && r->dev->mmio.name)
            mem_add(machine_mem(r->m), RIG_DEV, &r->dev->mmio, 0);
        machine_reset(r->m);
    }
    machine_unlock(r->m);
    return r->dev;
}

struct rig *rig_machine(void)
{
    struct rig *r = calloc(1, sizeof(*r));

    if (!r)
        exit(TEST_FAILED);
    make_machine(r);
    return r;
}

void rig_plug(struct rig *r, const char *type, const char *props)
{
    struct err e = {0};

    r->type = strdup(type);
    r->props = props ? strdup(props) : NULL;
    must(plug(r, &e), type, &e);
}

struct rig *rig_with(const char *type, const char *props, void (*before)(struct rig *r))
{
    struct rig *r = calloc(1, sizeof(*r));

    if (!r)
        exit(TEST_FAILED);
    r->before = before;
    make_machine(r);
    rig_plug(r, type, props);
    return r;
}

struct rig *rig_new(const char *type, const char *props)
{
    return rig_with(type, props, NULL);
}

const char *rig_refused(const char *type, const char *props)
{
    static struct err e;
    struct rig *r = rig_machine();

    e = (struct err){0};
    r->type = strdup(type);
    r->props = props ? strdup(props) : NULL;
    must(!plug(r, &e), "is not refused", &e);
    rig_free(r);
    return e.msg;
}

void rig_free(struct rig *r)
{
    machine_free(r->m);
    free(r->type);
    free(r->props);
    free(r);
}

/* Accesses ------------------------------------------------------------------------------------------ */

static struct access by_cpu(unsigned size)
{
    return (struct access){.who = BUS_CPU(0), .size = (uint8_t)size};
}

uint64_t rig_load(struct rig *r, paddr addr, unsigned size)
{
    uint64_t v = 0;

    if (!space_load(machine_space(r->m), addr, &v, by_cpu(size)))
        CHECK(!"something answers a load");
    return v;
}

void rig_store(struct rig *r, paddr addr, uint64_t v, unsigned size)
{
    if (!space_store(machine_space(r->m), addr, v, by_cpu(size)))
        CHECK(!"something answers a store");
}

uint8_t rig_read8(struct rig *r, paddr off)
{
    return (uint8_t)rig_load(r, RIG_DEV + off, 1);
}

uint16_t rig_read16(struct rig *r, paddr off)
{
    return (uint16_t)rig_load(r, RIG_DEV + off, 2);
}

uint32_t rig_read32(struct rig *r, paddr off)
{
    return (uint32_t)rig_load(r, RIG_DEV + off, 4);
}

uint64_t rig_read64(struct rig *r, paddr off)
{
    return rig_load(r, RIG_DEV + off, 8);
}

void rig_write8(struct rig *r, paddr off, uint8_t v)
{
    rig_store(r, RIG_DEV + off, v, 1);
}

void rig_write16(struct rig *r, paddr off, uint16_t v)
{
    rig_store(r, RIG_DEV + off, v, 2);
}

void rig_write32(struct rig *r, paddr off, uint32_t v)
{
    rig_store(r, RIG_DEV + off, v, 4);
}

void rig_write64(struct rig *r, paddr off, uint64_t v)
{
    rig_store(r, RIG_DEV + off, v, 8);
}

bool rig_irq(const struct rig *r, unsigned n)
{
    return r->irq[n].level;
}

unsigned rig_irq_rose(struct rig *r, unsigned n)
{
    unsigned rose = r->irq[n].rose;

    r->irq[n].rose = 0;
    return rose;
}

void rig_step(struct rig *r, int64_t ns)
{
    clock_step(r->m, ns);
}

void rig_late(struct rig *r, int64_t ns)
{
    pthread_mutex_lock(&r->m->time);
    r->m->virt += ns;
    pthread_mutex_unlock(&r->m->time);
}

void rig_reset(struct rig *r)
{
    machine_lock(r->m);
    machine_reset(r->m);
    machine_unlock(r->m);
}

/* Saved state --------------------------------------------------------------------------------------- */

/* Memories in the order of birth, which is the same each time. */
struct copies {
    uint8_t *bytes[8];
    unsigned n;
};

static bool copy_out(void *opaque, struct ram *ram)
{
    struct copies *c = opaque;

    if (c->n == 8 || !(c->bytes[c->n] = malloc(ram->size)))
        exit(TEST_FAILED);
    memcpy(c->bytes[c->n++], ram->host, ram->size);
    return true;
}

static bool copy_in(void *opaque, struct ram *ram)
{
    struct copies *c = opaque;

    memcpy(ram->host, c->bytes[c->n], ram->size);
    free(c->bytes[c->n++]);
    return true;
}

static void anew(struct rig *r)
{
    struct copies c = {.n = 0};
    struct err e = {0};

    ram_each(r->m, copy_out, &c);
    machine_free(r->m);
    make_machine(r);
    must(plug(r, &e), "the device made anew", &e);
    c.n = 0;
    ram_each(r->m, copy_in, &c);
}

int rig_load_bytes(struct rig *r, const uint8_t *buf, size_t len, struct err *e)
{
    int ret;

    anew(r);
    machine_lock(r->m);
    ret = machine_load(r->m, buf, len, e);
    machine_unlock(r->m);
    return ret;
}

static uint8_t *save(struct rig *r, size_t *len)
{
    struct err e = {0};
    uint8_t *buf = NULL;

    machine_lock(r->m);
    must(machine_save(r->m, &buf, len, &e) == 0, "saving", &e);
    machine_unlock(r->m);
    return buf;
}

void rig_run(struct rig *r, bool on)
{
    machine_lock(r->m);
    machine_set_state(r->m, on ? RUN_RUNNING : RUN_PAUSED);
    machine_unlock(r->m);
}

bool rig_await_stop(struct rig *r)
{
    unsigned asks = 0;
    const char *why;

    for (unsigned i = 0; i < 60000 && !(asks & ASK_STOP); i++) {
        usleep(1000);
        asks = machine_take_asks(r->m, &why);
    }
    rig_run(r, false);
    return asks & ASK_STOP;
}

struct blk *rig_full_disk(uint64_t size, bool always)
{
    char tree[256], path[] = "/tmp/emu-rig-XXXXXX";
    int fd = mkstemp(path);
    struct err e = {0};
    struct blk *b;

    must(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "a file", &e);
    close(fd);
    snprintf(tree, sizeof(tree),
             "{\"driver\": \"blkdebug\", \"inject-error\": [{\"event\": \"write_aio\", \"errno\": 28, \"once\": %s}], "
             "\"image\": {\"driver\": \"file\", \"filename\": \"%s\"}}",
             always ? "false" : "true", path);
    b = blk_open(blk_env_new(NULL, NULL), NULL, json_tokener_parse(tree), BLK_RDWR, &e);
    must(b != NULL, "a full disk", &e);
    unlink(path);
    return b;
}

/* The lines are not set anew by loading: who is behind them has saved them. */
void rig_save_load(struct rig *r)
{
    struct irq_state lines[8];
    struct err e = {0};
    size_t len, again_len;
    uint8_t *buf = save(r, &len), *again;

    memcpy(lines, r->irq, sizeof(lines));
    must(rig_load_bytes(r, buf, len, &e) == 0, "loading what was saved", &e);
    memcpy(r->irq, lines, sizeof(lines));
    again = save(r, &again_len);
    if (CHECK_EQ(again_len, len))
        CHECK_MEM(again, buf, len);
    free(again);
    free(buf);
}

static void poke(struct rig *r)
{
    if (r->dev->parent || !r->dev->mmio.name)
        return;
    for (paddr off = 0; off < r->dev->mmio.size && off < 256; off += 4) {
        rig_write32(r, off, (uint32_t)rig_read32(r, off));
        rig_write32(r, off, 0xffffffffu);
    }
    rig_step(r, 1000000);
}

void rig_hostile(struct rig *r)
{
    static const uint8_t flips[] = {0xff, 0x01, 0x80};
    size_t len;
    uint8_t *buf = save(r, &len);
    size_t step = 1 + len / 600; /* long ones: not every byte */

    for (size_t cut = 0; cut < len; cut += step)
        CHECK(rig_load_bytes(r, buf, cut, ERR_IGNORE) < 0);
    for (size_t at = 0; at < len; at += at < 100 ? 1 : step) {
        for (unsigned i = 0; i < sizeof(flips); i++) {
            buf[at] ^= flips[i];
            if (rig_load_bytes(r, buf, len, ERR_IGNORE) == 0)
                poke(r);
            buf[at] ^= flips[i];
        }
    }
    free(buf);
}
