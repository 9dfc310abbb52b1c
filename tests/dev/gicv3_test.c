/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "arm-gicv3": distributor and redistributors by their registers, CPU interfaces by their system registers. */
#include "dev/intc/gic.h"
#include "tests/dev/rig.h"

enum { REDIST = 0x12000000, CPUS = 20 };
enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ISPENDR = 0x200,
    GICD_ISACTIVER = 0x300,
    GICD_IPRIORITYR = 0x400,
    GICD_ICFGR = 0xc00,
    GICD_IROUTER = 0x6000,
    GICR_TYPER = 0x8,
    GICR_WAKER = 0x14,
    GICR_IGROUPR0 = 0x10080,
    GICR_ISENABLER0 = 0x10100,
    GICR_ISPENDR0 = 0x10200,
    GICR_IPRIORITYR = 0x10400,
};
#define ENC(op1, crn, crm, op2) ICC_ENCODING(3, op1, crn, crm, op2)
enum {
    PMR = ENC(0, 4, 6, 0),
    IAR0 = ENC(0, 12, 8, 0),
    AP1R0 = ENC(0, 12, 9, 0),
    DIR = ENC(0, 12, 11, 1),
    RPR = ENC(0, 12, 11, 3),
    SGI1R = ENC(0, 12, 11, 5),
    IAR1 = ENC(0, 12, 12, 0),
    EOIR1 = ENC(0, 12, 12, 1),
    HPPIR1 = ENC(0, 12, 12, 2),
    BPR1 = ENC(0, 12, 12, 3),
    CTLR = ENC(0, 12, 12, 4),
    SRE = ENC(0, 12, 12, 5),
    IGRPEN0 = ENC(0, 12, 12, 6),
    IGRPEN1 = ENC(0, 12, 12, 7),
    HCR = ENC(4, 12, 11, 0),
    VTR = ENC(4, 12, 11, 1),
    MISR = ENC(4, 12, 11, 2),
    ELRSR = ENC(4, 12, 11, 5),
    VMCR = ENC(4, 12, 11, 7),
    LR0 = ENC(4, 12, 12, 0),
};

static bool out[CPUS][GIC_OUTPUTS];

static void note(void *opaque, int n, bool level)
{
    (void)opaque;
    out[n / GIC_OUTPUTS][n % GIC_OUTPUTS] = level;
}

static void wire(struct rig *r)
{
    memset(out, 0, sizeof(out));
    machine_lock(r->m);
    mem_add(machine_mem(r->m), REDIST, gic_regs(r->dev, GIC_REDIST, 0), 0);
    mem_add(machine_mem(r->m), REDIST + 0x1000000, gic_regs(r->dev, GIC_REDIST, 1), 0);
    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned o = 0; o < GIC_OUTPUTS; o++)
            irq_connect(gic_output(r->dev, c, o),
                        (struct irq_in){.set = note, .n = (int)(c * GIC_OUTPUTS + o)});
    }
    machine_unlock(r->m);
}

/* CPU @cpu's frames: 16 in the first region. */
static paddr frame(unsigned cpu)
{
    return cpu < 16 ? REDIST + cpu * 0x20000 : REDIST + 0x1000000 + (cpu - 16) * 0x20000;
}

static uint64_t get_at(struct rig *r, unsigned cpu, uint32_t reg, unsigned how)
{
    uint64_t v = 0;

    CHECK_EQ(gicv3_icc_read(gicv3_icc(r->dev, cpu), reg, how, &v), ICC_OK);
    return v;
}

static void put_at(struct rig *r, unsigned cpu, uint32_t reg, unsigned how, uint64_t v)
{
    CHECK_EQ(gicv3_icc_write(gicv3_icc(r->dev, cpu), reg, how, v), ICC_OK);
}

static uint64_t get(struct rig *r, unsigned cpu, uint32_t reg)
{
    return get_at(r, cpu, reg, 2);
}

static void put(struct rig *r, unsigned cpu, uint32_t reg, uint64_t v)
{
    put_at(r, cpu, reg, 2, v);
}

/* As kernels leave it: all of Group 1. */
static struct rig *started(void)
{
    struct rig *r = rig_new("arm-gicv3", "num-cpu=20,num-irq=96,redist-region-0=16");

    wire(r);
    rig_write32(r, GICD_CTLR, 2);
    rig_write32(r, GICD_IGROUPR + 4, ~0u);
    rig_write32(r, GICD_IGROUPR + 8, ~0u);
    for (unsigned c = 0; c < CPUS; c++) {
        rig_store(r, frame(c) + GICR_WAKER, 0, 4);
        rig_store(r, frame(c) + GICR_IGROUPR0, ~0u, 4);
        rig_store(r, frame(c) + GICR_ISENABLER0, 0xffff, 4);
        put(r, c, PMR, 0xf0);
        put(r, c, IGRPEN1, 1);
    }
    return r;
}

static void input(struct irq_in in, bool level)
{
    in.set(in.opaque, in.n, level);
}

static void spi_on(struct rig *r, unsigned intid, uint8_t prio, unsigned cpu)
{
    rig_write8(r, GICD_IPRIORITYR + intid, prio);
    rig_write64(r, GICD_IROUTER + 8 * intid, gic_affinity(cpu));
    rig_write32(r, GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

TEST(gicv3, says_what_it_is)
{
    struct rig *r = started();

    CHECK_EQ(rig_read32(r, GICD_TYPER), 2 | 9 << 19 | 3 << 24);
    CHECK_EQ(rig_read32(r, GICD_CTLR), 0x52);
    CHECK_EQ(rig_read32(r, 0xffe8) >> 4 & 15, 3);
    CHECK_EQ(rig_load(r, frame(3) + GICR_TYPER, 8), (uint64_t)3 << 32 | 3 << 8);
    CHECK_EQ(rig_load(r, frame(15) + GICR_TYPER, 8), (uint64_t)15 << 32 | 15 << 8 | 16);
    CHECK_EQ(rig_load(r, frame(16) + GICR_TYPER, 8), (uint64_t)0x100 << 32 | 16 << 8);
    CHECK_EQ(rig_load(r, frame(19) + GICR_TYPER + 4, 4), 0x103);
    CHECK_EQ(rig_load(r, frame(19) + GICR_TYPER, 4), 19 << 8 | 16);
    CHECK_EQ(rig_load(r, frame(0) + 0xffe8, 4) >> 4 & 15, 3);
    CHECK_EQ(get(r, 0, SRE), 7);
    CHECK_EQ(get(r, 0, CTLR), 4 << 8 | 1 << 15);
    CHECK_EQ(rig_read32(r, GICD_ISENABLER), 0); /* private ones are the redistributors' */
    rig_free(r);
    CHECK_STR(rig_refused("arm-gicv3", "num-cpu=513"), "num-cpu=513: want 1 to 512");
    CHECK_STR(rig_refused("arm-gicv3", "num-irq=100"),
              "num-irq=100: want a multiple of 32 from 64 to 992");
}

TEST(gicv3, a_level_interrupt_goes_where_it_is_routed)
{
    struct rig *r = started();

    spi_on(r, 40, 0x80, 17);
    input(gic_spi(r->dev, 8), true);
    CHECK(!out[0][GIC_IRQ] && out[17][GIC_IRQ] && !out[17][GIC_FIQ]);
    CHECK_EQ(get(r, 0, IAR1), 1023);
    CHECK_EQ(get(r, 17, IAR0), 1023);
    CHECK_EQ(get(r, 17, IAR1), 40);
    CHECK(!out[17][GIC_IRQ]);
    CHECK_EQ(get(r, 17, RPR), 0x80);
    CHECK_EQ(get(r, 17, AP1R0), 1u << 16);
    put(r, 17, EOIR1, 40);
    CHECK(out[17][GIC_IRQ]);
    rig_write64(r, GICD_IROUTER + 8 * 40, gic_affinity(1));
    CHECK(!out[17][GIC_IRQ] && out[1][GIC_IRQ]);
    rig_write32(r, GICD_IROUTER + 8 * 40, 0x200); /* a cluster that is not there */
    CHECK(!out[1][GIC_IRQ]);
    rig_write32(r, GICD_IROUTER + 8 * 40, 2);
    CHECK(out[2][GIC_IRQ]);
    input(gic_spi(r->dev, 8), false);
    CHECK(!out[2][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv3, an_edge_is_kept_until_it_is_acknowledged)
{
    struct rig *r = started();

    spi_on(r, 41, 0x80, 0);
    rig_write32(r, GICD_ICFGR + 8, 2u << 18);
    input(gic_spi(r->dev, 9), true);
    input(gic_spi(r->dev, 9), false);
    CHECK_EQ(get(r, 0, IAR1), 41);
    CHECK_EQ(rig_read32(r, GICD_ISPENDR + 4), 0);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 1u << 9);
    input(gic_spi(r->dev, 9), true);
    CHECK(!out[0][GIC_IRQ]);
    put(r, 0, EOIR1, 41);
    CHECK_EQ(get(r, 0, IAR1), 41);
    rig_free(r);
}

TEST(gicv3, sgis_go_to_lists_within_a_cluster_or_to_all_others)
{
    struct rig *r = started();

    put(r, 3, SGI1R, 7u << 24 | 1 << 16 | 0x000a); /* cluster 1: CPUs 17 and 19 */
    CHECK(!out[16][GIC_IRQ] && out[17][GIC_IRQ] && !out[18][GIC_IRQ] && out[19][GIC_IRQ]);
    CHECK_EQ(get(r, 17, IAR1), 7);
    put(r, 17, EOIR1, 7);
    CHECK(!out[17][GIC_IRQ]);
    put(r, 3, SGI1R, UINT64_C(1) << 40 | 8u << 24);
    for (unsigned c = 0; c < CPUS; c++)
        CHECK_EQ(out[c][GIC_IRQ], c != 3);
    CHECK_EQ(get(r, 19, IAR1), 7); /* the same priority: the lower number first */
    put(r, 19, EOIR1, 7);
    CHECK_EQ(get(r, 19, IAR1), 8);
    put(r, 3, SGI1R, UINT64_C(1) << 32 | 1u << 24 | 8); /* Aff2 1: nobody */
    CHECK(!out[3][GIC_IRQ]);
    rig_store(r, frame(3) + GICR_IGROUPR0, 0, 4);
    put(r, 3, SGI1R, 1u << 24 | 8); /* of Group 0 there: not by this register */
    CHECK_EQ(rig_load(r, frame(3) + GICR_ISPENDR0, 4), 0);
    rig_free(r);
}

TEST(gicv3, better_priorities_preempt_and_the_mask_holds_back)
{
    struct rig *r = started();

    spi_on(r, 40, 0x88, 0);
    spi_on(r, 41, 0x80, 0);
    spi_on(r, 42, 0x40, 0);
    put(r, 0, BPR1, 4); /* bits 7:4 decide */
    input(gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 0, IAR1), 40);
    input(gic_spi(r->dev, 9), true);
    CHECK(!out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, HPPIR1), 41);
    input(gic_spi(r->dev, 10), true);
    CHECK(out[0][GIC_IRQ]);
    put(r, 0, PMR, 0x40);
    CHECK(!out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, IAR1), 1023);
    put(r, 0, PMR, 0xff);
    CHECK_EQ(get(r, 0, PMR), 0xf8); /* five bits */
    CHECK_EQ(get(r, 0, IAR1), 42);
    CHECK_EQ(get(r, 0, RPR), 0x40);
    put(r, 0, EOIR1, 42);
    CHECK_EQ(get(r, 0, RPR), 0x80);
    put(r, 0, BPR1, 0);
    CHECK_EQ(get(r, 0, BPR1), 3); /* the least there is */
    rig_free(r);
}

TEST(gicv3, end_and_deactivation_are_apart_with_EOImode)
{
    struct rig *r = started();

    put(r, 0, CTLR, 2);
    spi_on(r, 40, 0x80, 0);
    input(gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 0, IAR1), 40);
    put(r, 0, EOIR1, 40);
    CHECK_EQ(get(r, 0, RPR), 0xff);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 1u << 8);
    put(r, 0, DIR, 40);
    CHECK(out[0][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv3, group_0_is_FIQ)
{
    struct rig *r = started();

    rig_write32(r, GICD_CTLR, 3);
    put(r, 0, IGRPEN0, 1);
    rig_write32(r, GICD_IGROUPR + 4, ~(1u << 8));
    spi_on(r, 40, 0x80, 0);
    input(gic_spi(r->dev, 8), true);
    CHECK(out[0][GIC_FIQ] && !out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, IAR1), 1023);
    CHECK_EQ(get(r, 0, IAR0), 40);
    CHECK(!out[0][GIC_FIQ]);
    rig_free(r);
}

TEST(gicv3, a_ppi_is_one_cpus_own)
{
    struct rig *r = started();

    rig_store(r, frame(18) + GICR_ISENABLER0, 1u << 27, 4);
    rig_store(r, frame(18) + GICR_IPRIORITYR + 27, 0xa5, 1);
    CHECK_EQ(rig_load(r, frame(18) + GICR_IPRIORITYR + 24, 4), 0xa0u << 24);
    input(gic_ppi(r->dev, 18, 27), true);
    CHECK(!out[17][GIC_IRQ] && out[18][GIC_IRQ]);
    CHECK_EQ(get(r, 18, IAR1), 27);
    input(gic_ppi(r->dev, 18, 27), false);
    put(r, 18, EOIR1, 27);
    CHECK_EQ(get(r, 18, IAR1), 1023);
    rig_free(r);
}

TEST(gicv3, state_is_saved_in_the_middle_of_an_interrupt)
{
    struct rig *r = started();

    spi_on(r, 40, 0x80, 17);
    spi_on(r, 41, 0x40, 17);
    input(gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 17, IAR1), 40);
    input(gic_spi(r->dev, 9), true);
    put(r, 0, SGI1R, 3u << 24 | 4);
    rig_save_load(r);
    wire(r);
    CHECK(out[17][GIC_IRQ] && out[2][GIC_IRQ] && !out[3][GIC_IRQ]);
    CHECK_EQ(get(r, 17, RPR), 0x80);
    CHECK_EQ(get(r, 17, IAR1), 41);
    CHECK_EQ(get(r, 2, IAR1), 3);
    put(r, 17, EOIR1, 41);
    put(r, 17, EOIR1, 40);
    CHECK(out[17][GIC_IRQ]);
    rig_reset(r);
    CHECK(!out[17][GIC_IRQ]);
    CHECK_EQ(rig_read32(r, GICD_ISPENDR + 4), 3u << 8); /* the lines are still up */
    rig_free(r);
}

/* --- virtual interface -------------------------------------------------------------------------*/

enum { GUEST = 1 | ICC_VIRT_IRQ | ICC_VIRT_FIQ };

static uint64_t lr(int phys, uint64_t prio, uint32_t intid)
{
    return UINT64_C(1) << 62 | UINT64_C(1) << 60 | prio << 48 | intid |
           (phys >= 0 ? UINT64_C(1) << 61 | (uint64_t)phys << 32 : 0);
}

TEST(gicv3, list_registers_interrupt_the_guest)
{
    struct rig *r = started();

    put_at(r, 0, PMR, GUEST, 0xf8);
    put_at(r, 0, IGRPEN1, GUEST, 1);
    CHECK_EQ(get(r, 0, VMCR) >> 24, 0xf8);
    CHECK_EQ(get(r, 0, PMR), 0xf0); /* the host's own is another */
    put(r, 0, HCR, 1);
    put(r, 0, LR0, lr(-1, 0x80, 27));
    put(r, 0, LR0 + 1, lr(-1, 0x40, 33));
    CHECK(out[0][GIC_VIRQ] && !out[0][GIC_IRQ]);
    CHECK_EQ(get_at(r, 0, HPPIR1, GUEST), 33);
    CHECK_EQ(get_at(r, 0, IAR1, GUEST), 33);
    CHECK(!out[0][GIC_VIRQ]);
    CHECK_EQ(get_at(r, 0, RPR, GUEST), 0x40);
    CHECK_EQ(get(r, 0, LR0 + 1) >> 62, 2);
    CHECK_EQ(get(r, 0, ELRSR), 12);
    put_at(r, 0, EOIR1, GUEST, 33);
    CHECK_EQ(get_at(r, 0, IAR1, GUEST), 27);
    rig_save_load(r);
    wire(r);
    put_at(r, 0, EOIR1, GUEST, 27);
    CHECK_EQ(get(r, 0, ELRSR), 15);
    CHECK_EQ(get(r, 0, VTR), 0x90380003);
    rig_free(r);
}

TEST(gicv3, the_end_of_a_guests_interrupt_is_that_of_the_physical_one)
{
    struct rig *r = started();

    put(r, 0, CTLR, 2);
    spi_on(r, 40, 0x80, 0);
    input(gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 0, IAR1), 40);
    put(r, 0, EOIR1, 40);
    put(r, 0, VMCR, 0xf0u << 24 | 2);
    put(r, 0, HCR, 1);
    put(r, 0, LR0, lr(40, 0x80, 50));
    CHECK_EQ(get_at(r, 0, IAR1, GUEST), 50);
    input(gic_spi(r->dev, 8), false);
    put_at(r, 0, EOIR1, GUEST, 50);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 0);
    rig_store(r, frame(0) + GICR_ISENABLER0, 1u << 25, 4);
    put(r, 0, HCR, 1 | 8); /* none pending: maintenance */
    CHECK_EQ(get(r, 0, MISR), 8);
    CHECK(out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, IAR1), 25);
    rig_free(r);
}

TEST(gicv3, accesses_are_refused_or_trapped_as_the_hypervisor_says)
{
    struct rig *r = started();
    void *icc = gicv3_icc(r->dev, 0);
    uint64_t v;

    CHECK_EQ(gicv3_icc_read(icc, HCR, 1, &v), ICC_UNDEFINED);
    CHECK_EQ(gicv3_icc_read(icc, LR0 + 4, 2, &v), ICC_UNDEFINED); /* four are there */
    CHECK_EQ(gicv3_icc_read(icc, SGI1R, 2, &v), ICC_UNDEFINED);
    CHECK_EQ(gicv3_icc_write(icc, IAR1, 2, 0), ICC_UNDEFINED);
    CHECK_EQ(gicv3_icc_write(icc, SGI1R, GUEST, 1), ICC_TRAP_EL2);
    CHECK_EQ(gicv3_icc_read(icc, IAR1, 1, &v), ICC_OK);
    put(r, 0, HCR, 1 << 12);
    CHECK_EQ(gicv3_icc_read(icc, IAR1, 1, &v), ICC_TRAP_EL2);
    CHECK_EQ(gicv3_icc_read(icc, IAR0, 1, &v), ICC_OK);
    CHECK_EQ(gicv3_icc_read(icc, PMR, 1, &v), ICC_OK);
    put(r, 0, HCR, 1 << 10);
    CHECK_EQ(gicv3_icc_read(icc, PMR, 1, &v), ICC_TRAP_EL2);
    CHECK_EQ(gicv3_icc_write(icc, DIR, 1, 0), ICC_TRAP_EL2);
    rig_free(r);
}

TEST(gicv3, hostile_state_is_refused_or_harmless)
{
    struct rig *r = rig_new("arm-gicv3", "num-cpu=2,num-irq=64");

    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(gicv3, says_what_it_is),
    CASE(gicv3, a_level_interrupt_goes_where_it_is_routed),
    CASE(gicv3, an_edge_is_kept_until_it_is_acknowledged),
    CASE(gicv3, sgis_go_to_lists_within_a_cluster_or_to_all_others),
    CASE(gicv3, better_priorities_preempt_and_the_mask_holds_back),
    CASE(gicv3, end_and_deactivation_are_apart_with_EOImode),
    CASE(gicv3, group_0_is_FIQ),
    CASE(gicv3, a_ppi_is_one_cpus_own),
    CASE(gicv3, state_is_saved_in_the_middle_of_an_interrupt),
    CASE(gicv3, list_registers_interrupt_the_guest),
    CASE(gicv3, the_end_of_a_guests_interrupt_is_that_of_the_physical_one),
    CASE(gicv3, accesses_are_refused_or_trapped_as_the_hypervisor_says),
    CASE_SLOW(gicv3, hostile_state_is_refused_or_harmless, 60),
};
TEST_MAIN(tests)
