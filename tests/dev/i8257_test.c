/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/dev/isa_rig.h"

/* Channel @ch (0..3) to @address, @n bytes, as @mode says. */
static void program(struct rig *r, unsigned ch, uint32_t address, unsigned n, uint8_t mode)
{
    static const uint8_t pages[] = {0x87, 0x83, 0x81, 0x82};

    outb(r, 0x0a, 4 | ch);
    outb(r, 0x0c, 0);
    outb(r, 0x0b, mode | ch);
    outb(r, ch * 2, address & 255);
    outb(r, ch * 2, address >> 8 & 255);
    outb(r, ch * 2 + 1, (n - 1) & 255);
    outb(r, ch * 2 + 1, (n - 1) >> 8);
    outb(r, pages[ch], address >> 16);
    outb(r, 0x0a, ch);
}

/* RAM below 16 MiB, where this DMA reaches. */
static struct mem low_mem;
static struct ram *low;

static struct rig *dma(void)
{
    struct rig *r = isa_new("i8257", NULL);
    struct err e = {0};

    machine_lock(r->m);
    low = ram_new(r->m, "low", 1 << 20, &e);
    mem_init_ram(&low_mem, "low", low, 0, 1 << 20);
    mem_add(machine_mem(r->m), 0, &low_mem, 0);
    machine_unlock(r->m);
    return r;
}

static size_t move(unsigned ch, void *buf, size_t len, bool to_memory, bool *tc)
{
    return isa_dma_move(isa_rig.isa, ch, buf, len, to_memory, tc);
}

TEST(i8257, moves_to_memory_until_terminal_count)
{
    struct rig *r = dma();
    bool tc;

    program(r, 2, 0x12345, 10, 0x44);
    CHECK_EQ(move(2, "abcdef", 6, true, &tc), 6);
    CHECK_EQ(tc, 0);
    CHECK_EQ(move(2, "ghijkl", 6, true, &tc), 4);
    CHECK_EQ(tc, 1);
    CHECK_MEM(low->host + 0x12345, "abcdefghij\0", 11);
    CHECK_EQ(inb(r, 8), 0x04);
    CHECK_EQ(inb(r, 8), 0);
    CHECK_EQ(move(2, "x", 1, true, &tc), 0); /* masks itself */
    CHECK_EQ(inb(r, 0x0f), 0xff);
    rig_free(r);
}

TEST(i8257, other_directions_and_modes)
{
    struct rig *r = dma();
    char buf[16] = "";
    bool tc;

    memcpy(low->host + 0x20000, "0123456789", 10);
    program(r, 1, 0x20000, 4, 0x58); /* from memory, over and over */
    CHECK_EQ(move(1, buf, 4, true, &tc), 0);
    CHECK_EQ(move(1, buf, 3, false, &tc), 3);
    CHECK_EQ(move(1, buf + 3, 4, false, &tc), 1);
    CHECK_EQ(tc, 1);
    CHECK_EQ(move(1, buf + 4, 2, false, &tc), 2);
    CHECK_STR(buf, "012301");
    program(r, 3, 0x20003, 3, 0x64); /* to memory, downwards */
    CHECK_EQ(move(3, "abc", 3, true, &tc), 3);
    CHECK_MEM(low->host + 0x20000, "0cba45", 6);
    program(r, 2, 0x20000, 3, 0x40); /* verified only */
    CHECK_EQ(move(2, "xyz", 3, true, &tc), 3);
    CHECK_EQ(tc, 1);
    CHECK_MEM(low->host + 0x20000, "0cba45", 6);
    program(r, 2, 0x3fffe, 4, 0x44); /* addresses stay in their page */
    CHECK_EQ(move(2, "1234", 4, true, &tc), 4);
    CHECK_MEM(low->host + 0x3fffe, "12", 2);
    CHECK_MEM(low->host + 0x30000, "34", 2);
    rig_free(r);
}

TEST(i8257, words_and_registers)
{
    struct rig *r = dma();
    bool tc;

    outb(r, 0xd8, 0);
    outb(r, 0xd6, 0x45); /* channel 5, to memory */
    outb(r, 0xc4, 0x00);
    outb(r, 0xc4, 0x40); /* word 4000h */
    outb(r, 0xc6, 0x01);
    outb(r, 0xc6, 0x00);
    outb(r, 0x8b, 0x04);
    outb(r, 0xd4, 0x01);
    CHECK_EQ(inb(r, 0xc4), 0x00);
    CHECK_EQ(inb(r, 0xc4), 0x40);
    CHECK_EQ(move(5, "abcdef", 5, true, &tc), 4);
    CHECK_EQ(tc, 1);
    CHECK_MEM(low->host + 0x48000, "abcd", 5);
    outb(r, 0x80, 0x55); /* a word from firmware */
    CHECK_EQ(inb(r, 0x80), 0x55);
    outb(r, 0x08, 0x04); /* controller off */
    program(r, 2, 0, 4, 0x44);
    outb(r, 0x08, 0x04);
    CHECK_EQ(move(2, "a", 1, true, &tc), 0);
    outb(r, 0x0d, 0);
    CHECK_EQ(inb(r, 0x0f), 0xff);
    rig_free(r);
}

static unsigned woken;

static void ready(void *opaque)
{
    woken++;
}

TEST(i8257, tells_devices_that_a_channel_is_free)
{
    struct rig *r = dma();

    isa_rig.isa->dma_user[2] = (struct isa_dma_user){.ready = ready};
    outb(r, 0x0a, 6);
    CHECK_EQ(woken, 0);
    outb(r, 0x0a, 2);
    CHECK_EQ(woken, 1);
    outb(r, 0x0e, 0);
    CHECK_EQ(woken, 2);
    rig_free(r);
}

TEST(i8257, state_survives)
{
    struct rig *r = isa_new("i8257", NULL);

    program(r, 2, 0x12345, 0x234, 0x54);
    outb(r, 0x84, 0x77);
    rig_save_load(r);
    CHECK_EQ(inb(r, 4), 0x45);
    CHECK_EQ(inb(r, 4), 0x23);
    CHECK_EQ(inb(r, 5), 0x33);
    CHECK_EQ(inb(r, 5), 0x02);
    CHECK_EQ(inb(r, 0x84), 0x77);
    CHECK_EQ(inb(r, 0x0f), 0xfb);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(i8257, moves_to_memory_until_terminal_count),
    CASE(i8257, other_directions_and_modes),
    CASE(i8257, words_and_registers),
    CASE(i8257, tells_devices_that_a_channel_is_free),
    CASE(i8257, state_survives),
};
TEST_MAIN(tests)
