/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "arm-gicv3-its": commands, tables in guest memory, messages, LPIs. */
#include "base/bytes.h"
#include "dev/intc/gic.h"
#include "tests/dev/rig.h"

enum { REDIST = 0x12000000, CPUS = 2 };
enum {
    GITS_CTLR = 0x0,
    GITS_TYPER = 0x8,
    GITS_CBASER = 0x80,
    GITS_CWRITER = 0x88,
    GITS_CREADR = 0x90,
    GITS_BASER = 0x100,
    GITS_TRANSLATER = 0x10040,
    GICR_CTLR = 0x0,
    GICR_PROPBASER = 0x70,
    GICR_PENDBASER = 0x78,
};
/* Where the guest's tables are. */
enum {
    QUEUE = RIG_RAM,
    DEVICES = RIG_RAM + 0x10000,
    DEVICES2 = RIG_RAM + 0x20000,
    COLLECTIONS = RIG_RAM + 0x30000,
    ITT = RIG_RAM + 0x40000,
    PROP = RIG_RAM + 0x50000,
    PEND = RIG_RAM + 0x60000, /* 64 KiB for each CPU */
};
enum {
    MOVI = 0x01,
    INT = 0x03,
    CLEAR = 0x04,
    SYNC = 0x05,
    MAPD = 0x08,
    MAPC = 0x09,
    MAPTI = 0x0a,
    MAPI = 0x0b,
    INV = 0x0c,
    INVALL = 0x0d,
    MOVALL = 0x0e,
    DISCARD = 0x0f,
};
enum {
    PMR = ICC_ENCODING(3, 0, 4, 6, 0),
    IAR1 = ICC_ENCODING(3, 0, 12, 12, 0),
    EOIR1 = ICC_ENCODING(3, 0, 12, 12, 1),
    IGRPEN1 = ICC_ENCODING(3, 0, 12, 12, 7)
};
#define VALID (UINT64_C(1) << 63)

static bool irq[CPUS];

static void note(void *opaque, int n, bool level)
{
    (void)opaque;
    irq[n] = level;
}

static struct dev *gic(struct rig *r)
{
    return dev_find(r->m, "gic");
}

static void make_gic(struct rig *r)
{
    struct err e = {0};
    struct dev *d;

    memset(irq, 0, sizeof(irq));
    machine_lock(r->m);
    d = dev_add(r->m, "arm-gicv3", "gic", "num-cpu=2,has-lpi=on", &e);
    if (!CHECK(d))
        exit(TEST_FAILED);
    mem_add(machine_mem(r->m), REDIST, gic_regs(d, GIC_REDIST, 0), 0);
    mem_add(machine_mem(r->m), RIG_DEV + 0x100000, gic_regs(d, GIC_DIST, 0), 0);
    for (unsigned c = 0; c < CPUS; c++)
        irq_connect(gic_output(d, c, GIC_IRQ), (struct irq_in){.set = note, .n = (int)c});
    machine_unlock(r->m);
}

static uint64_t iar(struct rig *r, unsigned cpu)
{
    uint64_t v = 0;

    CHECK_EQ(gicv3_icc_read(gicv3_icc(gic(r), cpu), IAR1, 1, &v), ICC_OK);
    return v;
}

static void put(struct rig *r, unsigned cpu, uint32_t reg, uint64_t v)
{
    CHECK_EQ(gicv3_icc_write(gicv3_icc(gic(r), cpu), reg, 1, v), ICC_OK);
}

/* The next command of the queue; where GITS_CWRITER is then. */
static uint64_t write_command(struct rig *r, uint64_t dw0, uint64_t dw1, uint64_t dw2, uint64_t dw3)
{
    uint64_t at = rig_read64(r, GITS_CWRITER) % 0x1000;

    rig_store(r, QUEUE + at, dw0, 8);
    rig_store(r, QUEUE + at + 8, dw1, 8);
    rig_store(r, QUEUE + at + 16, dw2, 8);
    rig_store(r, QUEUE + at + 24, dw3, 8);
    at = (at + 32) % 0x1000;
    rig_write64(r, GITS_CWRITER, at);
    return at;
}

static void command(struct rig *r, uint64_t dw0, uint64_t dw1, uint64_t dw2, uint64_t dw3)
{
    uint64_t at = write_command(r, dw0, dw1, dw2, dw3);

    CHECK_EQ(rig_read64(r, GITS_CREADR), at);
}

static void mapti(struct rig *r, uint64_t device, uint64_t event, uint64_t intid, uint64_t coll)
{
    command(r, MAPTI | device << 32, event | intid << 32, coll, 0);
}

static void message(struct rig *r, unsigned rid, uint32_t event)
{
    CHECK(space_store(machine_space(r->m), RIG_DEV + GITS_TRANSLATER, event,
                      (struct access){.who = BUS_PCI(rid), .size = 4}));
}

/* LPIs 8192 .. 8447 with priority 0xa0, enabled; collections 0 and 1 are CPUs 0 and 1, device 8 has 32 events. */
static struct rig *started(bool indirect)
{
    struct rig *r = rig_with("arm-gicv3-its", "parent-gicv3=gic", make_gic);

    memset(r->ram->host + 0x50000, 0xa1, 256);
    rig_store(r, RIG_DEV + 0x100000, 2, 4);
    for (unsigned c = 0; c < CPUS; c++) {
        rig_store(r, REDIST + c * 0x20000 + GICR_PROPBASER, PROP | 15, 8);
        rig_store(r, REDIST + c * 0x20000 + GICR_PENDBASER, PEND + c * 0x10000, 8);
        rig_store(r, REDIST + c * 0x20000 + GICR_CTLR, 1, 4);
        put(r, c, PMR, 0xf0);
        put(r, c, IGRPEN1, 1);
    }
    if (indirect) {
        rig_store(r, DEVICES, VALID | DEVICES2, 8);
        rig_write64(r, GITS_BASER, VALID | UINT64_C(1) << 62 | DEVICES);
    } else {
        rig_write64(r, GITS_BASER, VALID | DEVICES);
    }
    rig_write64(r, GITS_BASER + 8, VALID | COLLECTIONS);
    rig_write64(r, GITS_CBASER, VALID | QUEUE);
    rig_write32(r, GITS_CTLR, 1);
    command(r, MAPC, 0, VALID | 0 << 16 | 0, 0);
    command(r, MAPC, 0, VALID | 1 << 16 | 1, 0);
    command(r, MAPD | UINT64_C(8) << 32, 4, VALID | ITT, 0);
    command(r, SYNC, 0, 0, 0);
    return r;
}

TEST(its, says_what_it_is)
{
    struct rig *r = rig_with("arm-gicv3-its", "parent-gicv3=gic", make_gic);
    uint64_t typer = rig_read64(r, GITS_TYPER);

    CHECK_EQ(typer & 0x1f71, 0x0f71 & 0x1f71); /* physical LPIs, entries of 8 bytes, 16 bits */
    CHECK_EQ(typer >> 13 & 31, 15);            /* of DeviceID, too */
    CHECK_EQ(rig_read64(r, GITS_BASER) >> 48, 0x107);
    CHECK_EQ(rig_read64(r, GITS_BASER + 8) >> 48, 0x407);
    CHECK_EQ(rig_read64(r, GITS_BASER + 16), 0);
    CHECK_EQ(rig_load(r, REDIST + 8, 4) & 1, 1);
    CHECK_EQ(rig_load(r, RIG_DEV + 0x100004, 4) >> 17 & 0x7d, 0x3d); /* LPIS, 16 bits of INTID */
    rig_free(r);
    CHECK_STR(rig_refused("arm-gicv3-its", "parent-gicv3=foo"),
              "parent-gicv3=foo: want the id of an arm-gicv3");
}

static void messages(bool indirect)
{
    struct rig *r = started(indirect);

    mapti(r, 8, 3, 8200, 1);
    message(r, 8, 3);
    CHECK(!irq[0] && irq[1]);
    CHECK_EQ(iar(r, 1), 8200);
    CHECK(!irq[1]);
    put(r, 1, EOIR1, 8200);
    message(r, 8, 3); /* now by what is remembered */
    CHECK_EQ(iar(r, 1), 8200);
    put(r, 1, EOIR1, 8200);
    message(r, 8, 4);   /* not mapped */
    message(r, 8, 32);  /* out of range */
    message(r, 9, 3);   /* another device */
    message(r, 700, 3); /* beyond the table's end, or of another page of it */
    CHECK(!irq[0] && !irq[1]);
    rig_free(r);
}

TEST(its, a_message_of_a_device_becomes_its_lpi)
{
    messages(false);
}

TEST(its, a_table_of_two_levels_is_followed)
{
    messages(true);
}

TEST(its, commands_move_set_clear_and_discard)
{
    struct rig *r = started(false);

    mapti(r, 8, 0, 8192, 0);
    command(r, MAPI | UINT64_C(8) << 32, 1, 0, 0); /* 1 is no LPI: refused */
    command(r, INT | UINT64_C(8) << 32, 0, 0, 0);
    CHECK(irq[0]);
    command(r, CLEAR | UINT64_C(8) << 32, 0, 0, 0);
    CHECK(!irq[0]);
    message(r, 8, 0);
    command(r, MOVI | UINT64_C(8) << 32, 0, 1, 0); /* pending: it comes along */
    CHECK(!irq[0] && irq[1]);
    command(r, MOVALL, 0, 1 << 16, 0 << 16);
    CHECK(irq[0] && !irq[1]);
    command(r, MOVALL, 0, 0 << 16, 1 << 16);
    command(r, DISCARD | UINT64_C(8) << 32, 0, 0, 0);
    CHECK(!irq[0] && !irq[1]);
    message(r, 8, 0);
    CHECK(!irq[0] && !irq[1]);
    command(r, MAPD | UINT64_C(8) << 32, 0, 0, 0);
    mapti(r, 8, 0, 8192, 0);
    message(r, 8, 0);
    CHECK(!irq[0]);
    rig_free(r);
}

TEST(its, configuration_is_read_again_when_software_says_so)
{
    struct rig *r = started(false);

    mapti(r, 8, 0, 8192, 0);
    mapti(r, 8, 1, 8193, 0);
    r->ram->host[0x50000] = 0xa0; /* 8192: off */
    message(r, 8, 0);
    CHECK(!irq[0]);
    r->ram->host[0x50000] = 0x81;
    CHECK(!irq[0]);
    command(r, INV | UINT64_C(8) << 32, 0, 0, 0);
    CHECK(irq[0]);
    message(r, 8, 1);
    CHECK_EQ(iar(r, 0), 8192); /* the better one */
    put(r, 0, EOIR1, 8192);
    r->ram->host[0x50001] = 0;
    command(r, INVALL, 0, 0, 0);
    CHECK(!irq[0]);
    rig_free(r);
}

TEST(its, pending_bits_lie_in_guest_memory_while_lpis_are_off)
{
    struct rig *r = started(false);

    mapti(r, 8, 3, 8203, 0);
    message(r, 8, 3);
    rig_store(r, REDIST + GICR_CTLR, 0, 4);
    CHECK(!irq[0]);
    CHECK_EQ(rig_load(r, PEND + 8200 / 8, 8), 8);
    rig_store(r, PEND + 8208 / 8, 1, 8);
    rig_store(r, REDIST + GICR_CTLR, 1, 4);
    CHECK(irq[0]);
    CHECK_EQ(iar(r, 0), 8203);
    put(r, 0, EOIR1, 8203);
    CHECK_EQ(iar(r, 0), 8208);
    rig_free(r);
}

TEST(its, state_is_saved_with_lpis_pending)
{
    struct rig *r = started(false);

    mapti(r, 8, 3, 8203, 0);
    mapti(r, 8, 4, 8204, 1);
    message(r, 8, 3);
    rig_save_load(r);
    CHECK(irq[0] && !irq[1]);
    CHECK_EQ(iar(r, 0), 8203);
    message(r, 8, 4);
    CHECK_EQ(iar(r, 1), 8204);
    CHECK_EQ(rig_read64(r, GITS_CREADR), rig_read64(r, GITS_CWRITER));
    rig_free(r);
}

TEST(its, tables_that_are_no_memory_do_no_harm)
{
    struct rig *r = started(false);

    rig_write32(r, GITS_CTLR, 0);
    rig_write64(r, GITS_BASER, VALID | (RIG_DEV + 0x10000)); /* its own doorbell */
    rig_write64(r, GITS_CBASER, VALID | QUEUE);
    rig_write64(r, GITS_CWRITER, 0);
    rig_write32(r, GITS_CTLR, 1);
    command(r, MAPD | UINT64_C(8) << 32, 4, VALID | ITT, 0);
    message(r, 8, 0);
    rig_write32(r, GITS_CTLR, 0);
    rig_write64(r, GITS_CBASER, VALID | 0x80000000);
    rig_write32(r, GITS_CTLR, 1);
    rig_write64(r, GITS_CWRITER, 32);
    CHECK_EQ(rig_read64(r, GITS_CREADR), 1); /* stalled */
    CHECK(!irq[0]);
    rig_free(r);
}

TEST(its, hostile_state_is_refused_or_harmless)
{
    struct rig *r = started(false);
    uint8_t *buf;
    size_t len;

    mapti(r, 8, 3, 8203, 0);
    message(r, 8, 3);
    machine_lock(r->m);
    CHECK_EQ(machine_save(r->m, &buf, &len, ERR_IGNORE), 0);
    machine_unlock(r->m);
    for (size_t at = 0; at < len; at += at < 2048 || len - at < 400 ? 1 : 997) {
        buf[at] ^= 0xff;
        if (rig_load_bytes(r, buf, len, ERR_IGNORE) == 0) {
            message(r, 8, 3);
            iar(r, 0);
            write_command(r, MOVALL, 0, 0, 1 << 16);
        }
        buf[at] ^= 0xff;
    }
    free(buf);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(its, says_what_it_is),
    CASE(its, a_message_of_a_device_becomes_its_lpi),
    CASE(its, a_table_of_two_levels_is_followed),
    CASE(its, commands_move_set_clear_and_discard),
    CASE(its, configuration_is_read_again_when_software_says_so),
    CASE(its, pending_bits_lie_in_guest_memory_while_lpis_are_off),
    CASE(its, state_is_saved_with_lpis_pending),
    CASE(its, tables_that_are_no_memory_do_no_harm),
    CASE_SLOW(its, hostile_state_is_refused_or_harmless, 60),
};
TEST_MAIN(tests)
