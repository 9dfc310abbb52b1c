/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "arm-gicv2m": messages become edges of shared interrupts. */
#include "dev/intc/gic.h"
#include "tests/dev/rig.h"

enum { MSI_TYPER = 8, MSI_SETSPI_NS = 0x40 };

static unsigned rose[4];

static void count(void *opaque, int n, bool level)
{
    (void)opaque;
    rose[n] += level;
}

TEST(gicv2m, a_message_pulses_its_line)
{
    struct rig *r = rig_new("arm-gicv2m", "base-spi=80,num-spi=4");

    for (unsigned i = 0; i < 4; i++)
        irq_connect(gicv2m_out(r->dev, i), (struct irq_in){.set = count, .n = (int)i});
    memset(rose, 0, sizeof(rose));
    CHECK_EQ(rig_read32(r, MSI_TYPER), 80 << 16 | 4);
    rig_write32(r, MSI_SETSPI_NS, 80);
    rig_write32(r, MSI_SETSPI_NS, 83);
    rig_write16(r, MSI_SETSPI_NS, 83);
    rig_write32(r, MSI_SETSPI_NS, 84); /* beyond */
    rig_write32(r, MSI_SETSPI_NS, 79);
    CHECK(rose[0] == 1 && rose[1] == 0 && rose[2] == 0 && rose[3] == 2);
    rig_free(r);
}

TEST(gicv2m, impossible_ranges_are_refused)
{
    CHECK_STR(rig_refused("arm-gicv2m", "num-spi=0"), "num-spi=0: want 1 to 128");
    CHECK_STR(rig_refused("arm-gicv2m", "base-spi=1000,num-spi=64"),
              "base-spi=1000: want 32 to 956");
}

static const struct test tests[] = {
    CASE(gicv2m, a_message_pulses_its_line),
    CASE(gicv2m, impossible_ranges_are_refused),
};
TEST_MAIN(tests)
