/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "arm-gic": GICv2's distributor, CPU interfaces and virtual ones, through their registers. */
#include "dev/intc/gic.h"
#include "tests/dev/rig.h"

enum { CPU_IF = 0x11000000, HYP = 0x11010000, VCPU = 0x11020000 };
enum { CPUS = 3 };
enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_ICFGR = 0xc00,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
};
enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_AIAR = 0x20,
    GICC_AEOIR = 0x24,
    GICC_APR = 0xd0,
    GICC_DIR = 0x1000,
};
enum {
    GICH_HCR = 0,
    GICH_VTR = 4,
    GICH_VMCR = 8,
    GICH_MISR = 0x10,
    GICH_EISR = 0x20,
    GICH_ELRSR = 0x30,
    GICH_APR = 0xf0,
    GICH_LR = 0x100
};

static bool out[CPUS][GIC_OUTPUTS];

static void note(void *opaque, int n, bool level)
{
    (void)opaque;
    out[n / GIC_OUTPUTS][n % GIC_OUTPUTS] = level;
}

static void wire(struct rig *r, bool virt)
{
    memset(out, 0, sizeof(out));
    machine_lock(r->m);
    mem_add(machine_mem(r->m), CPU_IF, gic_regs(r->dev, GIC_CPU_IF, 0), 0);
    if (virt) {
        mem_add(machine_mem(r->m), HYP, gic_regs(r->dev, GIC_HYP, 0), 0);
        mem_add(machine_mem(r->m), VCPU, gic_regs(r->dev, GIC_VCPU, 0), 0);
    }
    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned o = 0; o < GIC_OUTPUTS; o++)
            irq_connect(gic_output(r->dev, c, o),
                        (struct irq_in){.set = note, .n = (int)(c * GIC_OUTPUTS + o)});
    }
    machine_unlock(r->m);
}

static uint32_t get(struct rig *r, unsigned cpu, paddr addr)
{
    uint64_t v = 0;

    CHECK(
        space_load(machine_space(r->m), addr, &v, (struct access){.who = BUS_CPU(cpu), .size = 4}));
    return (uint32_t)v;
}

static void put(struct rig *r, unsigned cpu, paddr addr, uint32_t v)
{
    CHECK(
        space_store(machine_space(r->m), addr, v, (struct access){.who = BUS_CPU(cpu), .size = 4}));
}

/* Everything on, as kernels do it: Group 0, by IRQ. */
static struct rig *started(void)
{
    struct rig *r = rig_new("arm-gic", "num-cpu=3,num-irq=96,has-virtualization-extensions=on");

    wire(r, true);
    rig_write32(r, GICD_CTLR, 1);
    for (unsigned c = 0; c < CPUS; c++) {
        put(r, c, CPU_IF + GICC_PMR, 0xf0);
        put(r, c, CPU_IF + GICC_CTLR, 1);
    }
    return r;
}

static void input(struct rig *r, struct irq_in in, bool level)
{
    (void)r;
    in.set(in.opaque, in.n, level);
}

static void spi_on(struct rig *r, unsigned intid, uint8_t prio, uint8_t cpus)
{
    rig_write8(r, GICD_IPRIORITYR + intid, prio);
    rig_write8(r, GICD_ITARGETSR + intid, cpus);
    rig_write32(r, GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

TEST(gicv2, says_what_it_is)
{
    struct rig *r = rig_new("arm-gic", "num-cpu=3,num-irq=96");

    CHECK_EQ(rig_read32(r, GICD_TYPER), 2 | 2 << 5);
    CHECK_EQ(rig_read32(r, 0xfe8) >> 4 & 15, 2);
    CHECK_EQ(rig_read32(r, GICD_ISENABLER), 0xffff);
    CHECK_EQ(rig_read32(r, GICD_ICFGR), 0xaaaaaaaa);
    CHECK(gic_regs(r->dev, GIC_HYP, 0) == NULL);
    rig_write32(r, GICD_ISENABLER + 12, ~0u); /* INTIDs 96 and up are not there */
    CHECK_EQ(rig_read32(r, GICD_ISENABLER + 12), 0);
    rig_free(r);
    CHECK_STR(rig_refused("arm-gic", "num-cpu=9"), "num-cpu=9: a GICv2 has 1 to 8");
}

TEST(gicv2, a_level_interrupt_is_there_while_its_line_is)
{
    struct rig *r = started();

    spi_on(r, 40, 0x80, 2);
    input(r, gic_spi(r->dev, 8), true);
    CHECK(!out[0][GIC_IRQ] && out[1][GIC_IRQ]);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_HPPIR), 40);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 1023);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_IAR), 40);
    CHECK(!out[1][GIC_IRQ]);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_RPR), 0x80);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_IAR), 1023);
    put(r, 1, CPU_IF + GICC_EOIR, 40);
    CHECK(out[1][GIC_IRQ]); /* again: the line is still up */
    input(r, gic_spi(r->dev, 8), false);
    CHECK(!out[1][GIC_IRQ]);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_RPR), 0xff);
    rig_free(r);
}

TEST(gicv2, an_edge_is_kept_until_it_is_acknowledged)
{
    struct rig *r = started();

    spi_on(r, 41, 0x80, 1);
    rig_write32(r, GICD_ICFGR + 8, 2u << 18);
    input(r, gic_spi(r->dev, 9), true);
    input(r, gic_spi(r->dev, 9), false);
    CHECK(out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 41);
    input(r, gic_spi(r->dev, 9), true); /* once more while it is active */
    CHECK(!out[0][GIC_IRQ]);
    CHECK_EQ(rig_read32(r, GICD_ISPENDR + 4), 1u << 9);
    put(r, 0, CPU_IF + GICC_EOIR, 41);
    CHECK(out[0][GIC_IRQ]);
    rig_write32(r, GICD_ICPENDR + 4, 1u << 9);
    CHECK(!out[0][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv2, sgis_name_their_senders_one_after_the_other)
{
    struct rig *r = started();

    put(r, 1, RIG_DEV + GICD_SGIR, 1u << 16 | 5); /* to CPU 0 */
    put(r, 2, RIG_DEV + GICD_SGIR, 1u << 24 | 5); /* to all others */
    put(r, 0, RIG_DEV + GICD_SGIR, 2u << 24 | 6); /* to itself */
    CHECK(out[0][GIC_IRQ] && out[1][GIC_IRQ] && !out[2][GIC_IRQ]);
    CHECK_EQ(get(r, 0, RIG_DEV + GICD_SPENDSGIR + 4), 6u << 8 | 1u << 16);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 1u << 10 | 5);
    put(r, 0, CPU_IF + GICC_EOIR, 1u << 10 | 5);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 2u << 10 | 5);
    put(r, 0, CPU_IF + GICC_EOIR, 2u << 10 | 5);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 6);
    put(r, 0, CPU_IF + GICC_EOIR, 6);
    CHECK(!out[0][GIC_IRQ]);
    put(r, 1, RIG_DEV + GICD_CPENDSGIR + 4, 4u << 8);
    CHECK(!out[1][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv2, better_priorities_preempt_by_group_priority)
{
    struct rig *r = started();

    spi_on(r, 40, 0x84, 1);
    spi_on(r, 41, 0x80, 1);
    spi_on(r, 42, 0x40, 1);
    put(r, 0, CPU_IF + GICC_BPR, 3); /* bits 7:4 decide */
    input(r, gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 40);
    input(r, gic_spi(r->dev, 9), true);
    CHECK(!out[0][GIC_IRQ]); /* better, in the same group of priorities */
    input(r, gic_spi(r->dev, 10), true);
    CHECK(out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 42);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_RPR), 0x40);
    put(r, 0, CPU_IF + GICC_EOIR, 42);
    input(r, gic_spi(r->dev, 10), false);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_RPR), 0x80);
    CHECK(!out[0][GIC_IRQ]);
    put(r, 0, CPU_IF + GICC_EOIR, 40);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 41); /* the better of both that are there */
    rig_free(r);
}

TEST(gicv2, the_mask_lets_better_priorities_through)
{
    struct rig *r = started();

    spi_on(r, 40, 0x80, 1);
    input(r, gic_spi(r->dev, 8), true);
    put(r, 0, CPU_IF + GICC_PMR, 0x80);
    CHECK(!out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 1023);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_HPPIR), 40);
    put(r, 0, CPU_IF + GICC_PMR, 0x81);
    CHECK(out[0][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv2, end_and_deactivation_are_apart_with_EOImode)
{
    struct rig *r = started();

    put(r, 0, CPU_IF + GICC_CTLR, 1 | 1 << 9);
    spi_on(r, 40, 0x80, 1);
    input(r, gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 40);
    put(r, 0, CPU_IF + GICC_EOIR, 40);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_RPR), 0xff);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 1u << 8);
    CHECK(!out[0][GIC_IRQ]);
    put(r, 0, CPU_IF + GICC_DIR, 40);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 0);
    CHECK(out[0][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv2, group_0_is_FIQ_when_asked_and_group_1_has_aliases)
{
    struct rig *r = started();

    rig_write32(r, GICD_CTLR, 3);
    put(r, 0, CPU_IF + GICC_CTLR, 3 | 8);
    rig_write32(r, GICD_IGROUPR + 4, 1u << 8);
    spi_on(r, 40, 0x40, 1);
    spi_on(r, 41, 0x80, 1);
    input(r, gic_spi(r->dev, 9), true);
    CHECK(out[0][GIC_FIQ] && !out[0][GIC_IRQ]);
    input(r, gic_spi(r->dev, 8), true);
    CHECK(!out[0][GIC_FIQ] && out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 1022);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_AIAR), 40);
    put(r, 0, CPU_IF + GICC_AEOIR, 40);
    input(r, gic_spi(r->dev, 8), false);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_AIAR), 1023);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 41);
    rig_free(r);
}

TEST(gicv2, a_ppi_is_one_cpus_own)
{
    struct rig *r = started();

    put(r, 1, RIG_DEV + GICD_ISENABLER, 1u << 27);
    put(r, 2, RIG_DEV + GICD_ISENABLER, 1u << 27);
    input(r, gic_ppi(r->dev, 2, 27), true);
    CHECK(!out[0][GIC_IRQ] && !out[1][GIC_IRQ] && out[2][GIC_IRQ]);
    CHECK_EQ(get(r, 2, CPU_IF + GICC_IAR), 27);
    CHECK_EQ(get(r, 1, RIG_DEV + GICD_ISACTIVER), 0);
    CHECK_EQ(get(r, 2, RIG_DEV + GICD_ISACTIVER), 1u << 27);
    put(r, 2, RIG_DEV + GICD_ICACTIVER, 1u << 27);
    CHECK(!out[2][GIC_IRQ]); /* its priority is still in force */
    put(r, 2, CPU_IF + GICC_APR, 0);
    CHECK(out[2][GIC_IRQ]);
    rig_free(r);
}

TEST(gicv2, state_is_saved_in_the_middle_of_an_interrupt)
{
    struct rig *r = started();

    spi_on(r, 40, 0x80, 2);
    spi_on(r, 41, 0x40, 2);
    input(r, gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_IAR), 40);
    input(r, gic_spi(r->dev, 9), true);
    put(r, 0, RIG_DEV + GICD_SGIR, 4u << 16 | 3);
    rig_save_load(r);
    wire(r, true);
    CHECK(out[1][GIC_IRQ] && out[2][GIC_IRQ]);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_RPR), 0x80);
    CHECK_EQ(get(r, 1, CPU_IF + GICC_IAR), 41);
    CHECK_EQ(get(r, 2, CPU_IF + GICC_IAR), 3);
    put(r, 1, CPU_IF + GICC_EOIR, 41);
    put(r, 1, CPU_IF + GICC_EOIR, 40);
    CHECK(out[1][GIC_IRQ]); /* the lines are still up */
    rig_reset(r);
    CHECK(!out[1][GIC_IRQ]);
    CHECK_EQ(rig_read32(r, GICD_ISPENDR + 4), 3u << 8);
    rig_free(r);
}

/* --- virtual interfaces ------------------------------------------------------------------------*/

static uint32_t lr(bool hw, bool eoi, unsigned phys, unsigned prio, unsigned intid)
{
    return (uint32_t)hw << 31 | 1u << 28 | prio >> 3 << 23 |
           (hw    ? phys << 10
            : eoi ? 1u << 19
                  : 0) |
           intid;
}

static struct rig *virtual(void)
{
    struct rig *r = started();

    put(r, 0, VCPU + GICC_PMR, 0xf8);
    put(r, 0, VCPU + GICC_CTLR, 1);
    put(r, 0, HYP + GICH_HCR, 1);
    return r;
}

TEST(gicv2, list_registers_interrupt_the_guest)
{
    struct rig *r = virtual();

    CHECK_EQ(get(r, 0, HYP + GICH_VTR), 0x90000003);
    CHECK_EQ(get(r, 0, HYP + GICH_ELRSR), 15);
    put(r, 0, HYP + GICH_LR, lr(false, false, 0, 0x80, 27));
    put(r, 0, HYP + GICH_LR + 4, lr(false, false, 0, 0x40, 33));
    CHECK(out[0][GIC_VIRQ] && !out[1][GIC_VIRQ] && !out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, HYP + GICH_ELRSR), 12);
    CHECK_EQ(get(r, 0, VCPU + GICC_HPPIR), 33);
    CHECK_EQ(get(r, 0, VCPU + GICC_IAR), 33);
    CHECK(!out[0][GIC_VIRQ]);
    CHECK_EQ(get(r, 0, VCPU + GICC_RPR), 0x40);
    CHECK_EQ(get(r, 0, HYP + GICH_APR), 1u << 8);
    CHECK_EQ(get(r, 1, HYP + 0x1000 + GICH_LR + 4) >> 28 & 3, 2); /* CPU 0's, by number */
    put(r, 0, VCPU + GICC_EOIR, 33);
    CHECK_EQ(get(r, 0, HYP + GICH_LR + 4) >> 28 & 3, 0);
    CHECK_EQ(get(r, 0, VCPU + GICC_IAR), 27);
    put(r, 0, VCPU + GICC_EOIR, 27);
    CHECK_EQ(get(r, 0, VCPU + GICC_IAR), 1023);
    rig_free(r);
}

TEST(gicv2, the_end_of_a_guests_interrupt_is_that_of_the_physical_one)
{
    struct rig *r = virtual();

    put(r, 0, CPU_IF + GICC_CTLR, 1 | 1 << 9);
    spi_on(r, 40, 0x80, 1);
    input(r, gic_spi(r->dev, 8), true);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 40);
    put(r, 0, CPU_IF + GICC_EOIR, 40);
    put(r, 0, HYP + GICH_LR, lr(true, false, 40, 0x80, 50));
    CHECK_EQ(get(r, 0, VCPU + GICC_IAR), 50);
    input(r, gic_spi(r->dev, 8), false);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 1u << 8);
    put(r, 0, VCPU + GICC_EOIR, 50);
    CHECK_EQ(rig_read32(r, GICD_ISACTIVER + 4), 0);
    rig_free(r);
}

TEST(gicv2, maintenance_is_a_ppi)
{
    struct rig *r = virtual();

    put(r, 0, RIG_DEV + GICD_ISENABLER, 1u << 25);
    put(r, 0, HYP + GICH_LR, lr(false, true, 0, 0x80, 27));
    CHECK_EQ(get(r, 0, VCPU + GICC_IAR), 27);
    CHECK(!out[0][GIC_IRQ]);
    put(r, 0, VCPU + GICC_EOIR, 27);
    CHECK_EQ(get(r, 0, HYP + GICH_MISR), 1);
    CHECK_EQ(get(r, 0, HYP + GICH_EISR), 1);
    CHECK(out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, CPU_IF + GICC_IAR), 25);
    put(r, 0, HYP + GICH_LR, 0);
    CHECK_EQ(get(r, 0, HYP + GICH_MISR), 0);
    put(r, 0, CPU_IF + GICC_EOIR, 25);
    CHECK(!out[0][GIC_IRQ]);
    put(r, 0, HYP + GICH_HCR, 3); /* underflow: one or no list register in use */
    CHECK_EQ(get(r, 0, HYP + GICH_MISR), 2);
    CHECK(out[0][GIC_IRQ]);
    put(r, 0, VCPU + GICC_PMR, 0);
    put(r, 0, HYP + GICH_APR, 1u << 16);
    put(r, 0, VCPU + GICC_EOIR, 99); /* in no list register: counted */
    CHECK_EQ(get(r, 0, HYP + GICH_HCR), 1u << 27 | 3);
    rig_save_load(r);
    wire(r, true);
    CHECK(out[0][GIC_IRQ]);
    CHECK_EQ(get(r, 0, HYP + GICH_HCR), 1u << 27 | 3);
    rig_free(r);
}

TEST(gicv2, hostile_state_is_refused_or_harmless)
{
    struct rig *r = rig_new("arm-gic", "num-cpu=2,num-irq=64");

    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(gicv2, says_what_it_is),
    CASE(gicv2, a_level_interrupt_is_there_while_its_line_is),
    CASE(gicv2, an_edge_is_kept_until_it_is_acknowledged),
    CASE(gicv2, sgis_name_their_senders_one_after_the_other),
    CASE(gicv2, better_priorities_preempt_by_group_priority),
    CASE(gicv2, the_mask_lets_better_priorities_through),
    CASE(gicv2, end_and_deactivation_are_apart_with_EOImode),
    CASE(gicv2, group_0_is_FIQ_when_asked_and_group_1_has_aliases),
    CASE(gicv2, a_ppi_is_one_cpus_own),
    CASE(gicv2, state_is_saved_in_the_middle_of_an_interrupt),
    CASE(gicv2, list_registers_interrupt_the_guest),
    CASE(gicv2, the_end_of_a_guests_interrupt_is_that_of_the_physical_one),
    CASE(gicv2, maintenance_is_a_ppi),
    CASE_SLOW(gicv2, hostile_state_is_refused_or_harmless, 60),
};
TEST_MAIN(tests)
