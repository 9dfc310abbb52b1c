/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/dev/rig.h"
#include "ui/chr.h"

enum {
    UARTDR = 0x000,
    UARTRSR = 0x004,
    UARTFR = 0x018,
    UARTIBRD = 0x024,
    UARTLCR_H = 0x02c,
    UARTCR = 0x030,
    UARTIFLS = 0x034,
    UARTIMSC = 0x038,
    UARTRIS = 0x03c,
    UARTMIS = 0x040,
    UARTICR = 0x044,
    FEN = 0x10,
    LOOP = 0x380,
    RX = 0x10,
    TX = 0x20,
    RT = 0x40,
    BE = 0x200,
    OE = 0x400,
    RXFE = 0x10,
    RXFF = 0x40,
    TXFE = 0x80,
};

static struct chr *line;

static void connect(struct rig *r)
{
    line = chr_memory();
    machine_add_backend(r->m, "chardev", "c0", line, ERR_IGNORE);
}

static struct rig *uart(void)
{
    return rig_with("pl011", "chardev=c0", connect);
}

static void type(const char *text)
{
    chr_memory_input(line, text, strlen(text));
}

TEST(pl011, what_is_written_is_sent)
{
    struct rig *r = uart();
    const uint8_t *out;
    size_t len;

    rig_write32(r, UARTDR, 'h');
    rig_write8(r, UARTDR, 'i');
    out = chr_memory_output(line, &len);
    CHECK_EQ(len, 2);
    CHECK_MEM(out, "hi", 2);
    CHECK_EQ(rig_read32(r, UARTFR) & 0xf8, RXFE | TXFE);
    rig_free(r);
}

TEST(pl011, sending_interrupts_when_few_are_left)
{
    struct rig *r = uart();

    rig_write32(r, UARTIMSC, TX);
    CHECK_EQ(rig_irq(r, 0), 0); /* a transition, not a level: nothing has left yet */
    rig_write32(r, UARTDR, 'x');
    CHECK_EQ(rig_read32(r, UARTMIS), TX);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(rig_irq(r, 2), 1);
    rig_write32(r, UARTICR, TX);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(pl011, reading_the_last_character_lowers_the_line)
{
    struct rig *r = uart();

    rig_write32(r, UARTIMSC, RX);
    type("AB");
    CHECK_EQ(rig_irq(r, 0), 1); /* without FIFOs one character is enough */
    CHECK_EQ(rig_read32(r, UARTFR) & (RXFE | RXFF), RXFF);
    CHECK_EQ(rig_read32(r, UARTDR), 'A');
    CHECK_EQ(rig_read32(r, UARTDR), 'B');
    CHECK_EQ(rig_irq(r, 0), 0);
    CHECK_EQ(rig_read32(r, UARTDR), 0);
    CHECK_EQ(rig_read32(r, UARTFR) & (RXFE | RXFF), RXFE);
    rig_free(r);
}

TEST(pl011, fifo_interrupts_at_its_level)
{
    struct rig *r = uart();

    rig_write32(r, UARTLCR_H, FEN | 0x60);
    rig_write32(r, UARTIFLS, 4 << 3); /* 7/8: 14 */
    rig_write32(r, UARTIMSC, RX);
    type("0123456789abc");
    CHECK_EQ(rig_irq(r, 1), 0);
    type("d");
    CHECK_EQ(rig_irq(r, 1), 1);
    CHECK_EQ(rig_read32(r, UARTDR), '0');
    CHECK_EQ(rig_irq(r, 1), 0);
    type("efghijk"); /* three fit, four wait outside */
    CHECK_EQ(rig_read32(r, UARTFR) & RXFF, RXFF);
    for (const char *c = "123456789abcdefghijk"; *c; c++)
        CHECK_EQ(rig_read32(r, UARTDR), *c);
    CHECK_EQ(rig_read32(r, UARTRIS) & OE, 0);
    rig_free(r);
}

TEST(pl011, timeout_tells_of_few_characters)
{
    struct rig *r = uart();

    rig_write32(r, UARTLCR_H, FEN);
    rig_write32(r, UARTIMSC, RX | RT);
    type("ab");
    CHECK_EQ(rig_read32(r, UARTMIS) & RT, RT);
    CHECK_EQ(rig_irq(r, 3), 1);
    rig_write32(r, UARTICR, RT | RX); /* cleared, but not read: it comes again */
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_step(r, 1000000);
    CHECK_EQ(rig_irq(r, 3), 1);
    CHECK_EQ(rig_read32(r, UARTDR), 'a');
    CHECK_EQ(rig_irq(r, 3), 1);
    CHECK_EQ(rig_read32(r, UARTDR), 'b');
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(pl011, loopback_comes_back)
{
    struct rig *r = uart();
    size_t len;

    rig_write32(r, UARTLCR_H, FEN);
    rig_write32(r, UARTCR, LOOP);
    for (int i = 0; i < 17; i++)
        rig_write32(r, UARTDR, 'a' + i);
    chr_memory_output(line, &len);
    CHECK_EQ(len, 0);
    CHECK_EQ(rig_read32(r, UARTRIS) & OE, OE); /* the 17th was too much */
    for (int i = 0; i < 15; i++)
        CHECK_EQ(rig_read32(r, UARTDR), 'a' + i);
    CHECK_EQ(rig_read32(r, UARTDR), 0x800 | 'p');
    CHECK_EQ(rig_read32(r, UARTRSR), 8);
    rig_write32(r, UARTRSR, 0);
    CHECK_EQ(rig_read32(r, UARTRSR), 0);
    rig_write32(r, UARTCR, LOOP | 0xc00); /* RTS and DTR come back as CTS and DSR */
    CHECK_EQ(rig_read32(r, UARTFR) & 0x107, 3);
    rig_write32(r, UARTLCR_H, FEN | 1);
    CHECK_EQ(rig_read32(r, UARTRIS) & BE, BE);
    CHECK_EQ(rig_read32(r, UARTDR), 0x400);
    rig_free(r);
}

TEST(pl011, leaving_fifo_mode_empties_it)
{
    struct rig *r = uart();

    rig_write32(r, UARTLCR_H, FEN);
    type("abc");
    rig_write32(r, UARTLCR_H, 0);
    CHECK_EQ(rig_read32(r, UARTFR) & RXFE, RXFE);
    CHECK_EQ(rig_read32(r, UARTRIS) & (RX | RT), 0);
    rig_free(r);
}

TEST(pl011, power_on_values)
{
    struct rig *r = rig_new("pl011", NULL);
    static const uint8_t ids[] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    CHECK_EQ(rig_read32(r, UARTCR), 0x300);
    CHECK_EQ(rig_read32(r, UARTIFLS), 0x12);
    CHECK_EQ(rig_read32(r, UARTFR), 0x90); /* nobody is there */
    for (int i = 0; i < 8; i++)
        CHECK_EQ(rig_read32(r, 0xfe0 + 4 * i), ids[i]);
    rig_write32(r, UARTIBRD, 13);
    rig_write32(r, UARTDR, 'x');
    rig_reset(r);
    CHECK_EQ(rig_read32(r, UARTIBRD), 0);
    CHECK_EQ(rig_read32(r, UARTRIS), 0);
    rig_free(r);
}

TEST(pl011, state_survives)
{
    struct rig *r = uart();

    rig_write32(r, UARTLCR_H, FEN);
    rig_write32(r, UARTIMSC, RX | RT);
    type("xyz");
    rig_save_load(r);
    CHECK_EQ(rig_irq(r, 0), 1);
    for (const char *c = "xyz"; *c; c++)
        CHECK_EQ(rig_read32(r, UARTDR), *c);
    CHECK_EQ(rig_irq(r, 0), 0);
    type("later");
    CHECK_EQ(rig_read32(r, UARTDR), 'l');
    rig_free(r);
}

TEST(pl011, hostile_state_is_refused_or_harmless)
{
    struct rig *r = uart();

    rig_write32(r, UARTLCR_H, FEN);
    type("xyz");
    rig_hostile(r);
    rig_free(r);
}

TEST(pl011, back_end_that_is_not_there_is_refused)
{
    CHECK_STR(rig_refused("pl011", "chardev=nobody"),
              "Property 'dut.chardev' can't find value 'nobody'");
}

static const struct test tests[] = {
    CASE(pl011, what_is_written_is_sent),
    CASE(pl011, sending_interrupts_when_few_are_left),
    CASE(pl011, reading_the_last_character_lowers_the_line),
    CASE(pl011, fifo_interrupts_at_its_level),
    CASE(pl011, timeout_tells_of_few_characters),
    CASE(pl011, loopback_comes_back),
    CASE(pl011, leaving_fifo_mode_empties_it),
    CASE(pl011, power_on_values),
    CASE(pl011, state_survives),
    CASE(pl011, hostile_state_is_refused_or_harmless),
    CASE(pl011, back_end_that_is_not_there_is_refused),
};
TEST_MAIN(tests)
