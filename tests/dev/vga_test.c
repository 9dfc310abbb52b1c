/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VGA, bochs-display and ramfb: what guests write to registers and memory, and what is on the screen. */
#include "tests/dev/vga_ports.h"

#include "dev/backends.h"
#include "dev/firmware/fw_cfg.h"
#include "ui/display.h"

static struct space *low; /* what PCI has at low addresses */

static struct rig *vga(const char *type)
{
    struct rig *r = rig_with(type, "addr=1", pci_rig_before);

    low = space_new(r->m, "low", pci_rig.host->root.bus->mem);
    cfg_write(r, RIG_FN(0, 1, 0), PCI_BAR0, RIG_PCI_MEM, 4);
    cfg_write(r, RIG_FN(0, 1, 0), PCI_BAR0 + 8, RIG_PCI_MEM + 0x2000000, 4);
    cfg_enable(r, RIG_FN(0, 1, 0));
    return r;
}

static void dispi(struct rig *r, uint16_t i, uint16_t v)
{
    rig_store(r, RIG_PCI_IO + 0x1ce, i, 2);
    rig_store(r, RIG_PCI_IO + 0x1d0, v, 2);
}

static void poke(struct rig *r, uint32_t at, uint8_t v)
{
    CHECK(space_store(low, at, v, (struct access){.size = 1}));
}

static uint8_t peek(struct rig *r, uint32_t at)
{
    uint64_t v = 0;

    CHECK(space_load(low, at, &v, (struct access){.size = 1}));
    return (uint8_t)v;
}

static struct surface *screen(struct rig *r)
{
    struct console *c = displays_console(machine_displays(r->m), 0);

    console_update(c);
    return console_surface(c);
}

static uint32_t pixel(struct rig *r, unsigned x, unsigned y)
{
    return surface_row(screen(r), y)[x];
}

static void set(struct rig *r, const uint8_t *cr, const uint8_t *sr, const uint8_t *gr, const uint8_t *ar, uint8_t misc)
{
    out(r, 0x3c2, misc);
    for (unsigned i = 0; i < 5; i++)
        idx(r, 0x3c4, (uint8_t)i, sr[i]);
    idx(r, 0x3d4, 0x11, 0);
    for (unsigned i = 0; i < 25; i++)
        idx(r, 0x3d4, (uint8_t)i, cr[i]);
    for (unsigned i = 0; i < 9; i++)
        idx(r, 0x3ce, (uint8_t)i, gr[i]);
    in(r, 0x3da);
    for (unsigned i = 0; i < 21; i++) {
        out(r, 0x3c0, (uint8_t)i);
        out(r, 0x3c0, ar[i]);
    }
    out(r, 0x3c0, 0x20);
    out(r, 0x3c8, 0);
    for (unsigned i = 0; i < 768; i++) /* colour n: red n % 64, green n % 4 * 16, blue 63 - n % 64 */
        out(r, 0x3c9, (uint8_t)(i % 3 == 0 ? i / 3 % 64 : i % 3 == 1 ? i / 3 % 4 * 16 : 63 - i / 3 % 64));
}

static uint32_t color(unsigned n)
{
    unsigned r = n % 64, g = n % 4 * 16, b = 63 - n % 64;

    return (r << 2 | r >> 4) << 16 | (g << 2 | g >> 4) << 8 | (b << 2 | b >> 4);
}

/* Modes 3, 12h and 13h as the IBM manual's tables have them; the attribute controller's colours are 0 to 15. */
static void mode_text(struct rig *r)
{
    set(r, (const uint8_t[]){0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28,
                             0x1f, 0x96, 0xb9, 0xa3, 0xff},
        (const uint8_t[]){3, 0, 3, 0, 2}, (const uint8_t[]){0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff},
        (const uint8_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x0c, 0, 0x0f, 8, 0}, 0x67);
}

static void mode_12(struct rig *r)
{
    set(r, (const uint8_t[]){0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x8c, 0xdf, 0x28, 0, 0xe7,
                             0x04, 0xe3, 0xff},
        (const uint8_t[]){3, 1, 0x0f, 0, 6}, (const uint8_t[]){0, 0, 0, 0, 0, 0, 5, 0x0f, 0xff},
        (const uint8_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, 0, 0x0f, 0, 0}, 0xe3);
}

static void mode_13(struct rig *r)
{
    set(r, (const uint8_t[]){0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x40,
                             0x96, 0xb9, 0xa3, 0xff},
        (const uint8_t[]){3, 1, 0x0f, 0, 0x0e}, (const uint8_t[]){0, 0, 0, 0, 0, 0x40, 5, 0x0f, 0xff},
        (const uint8_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 0x0f, 0, 0}, 0x63);
}

TEST(vga, text_is_drawn_with_the_font_of_plane_2)
{
    struct rig *r = vga("VGA");

    mode_text(r);
    idx(r, 0x3c4, 2, 4); /* plane 2, every byte */
    idx(r, 0x3c4, 4, 6);
    idx(r, 0x3ce, 5, 0);
    idx(r, 0x3ce, 6, 4);
    for (unsigned i = 0; i < 16; i++) {
        poke(r, 0xa0000 + 'A' * 32 + i, (uint8_t)(0x81 + i));
        poke(r, 0xa0000 + 0xc4 * 32 + i, 0x01);
    }
    mode_text(r);
    poke(r, 0xb8000 + 160 + 4, 'A'); /* row 1, column 2 */
    poke(r, 0xb8000 + 160 + 5, 0x2e);
    poke(r, 0xb8000 + 160 + 6, 0xc4);
    poke(r, 0xb8000 + 160 + 7, 0x9e); /* blinks */
    CHECK_EQ(peek(r, 0xb8000 + 160 + 4), 'A');
    CHECK_EQ(screen(r)->width, 720);
    CHECK_EQ(screen(r)->height, 400);
    CHECK_EQ(pixel(r, 18, 16), color(14)); /* 0x81: first and last dot */
    CHECK_EQ(pixel(r, 19, 16), color(2));
    CHECK_EQ(pixel(r, 25, 16), color(14));
    CHECK_EQ(pixel(r, 26, 16), color(2)); /* the ninth is empty, */
    CHECK_EQ(pixel(r, 24, 17), color(14)); /* 0x82 */
    CHECK_EQ(pixel(r, 27 + 7, 16), color(14));
    CHECK_EQ(pixel(r, 27 + 8, 16), color(14)); /* but in line graphics */
    CHECK_EQ(pixel(r, 27, 16), color(1));
    rig_step(r, 300000000);
    CHECK_EQ(pixel(r, 27 + 7, 16), color(1)); /* off */
    rig_step(r, 300000000);
    CHECK_EQ(pixel(r, 27 + 7, 16), color(14));
    rig_save_load(r);
    CHECK_EQ(pixel(r, 18, 16), color(14));
    rig_free(r);
}

TEST(vga, the_cursor_is_where_the_crtc_has_it_and_blinks)
{
    struct rig *r = vga("VGA");

    mode_text(r);
    idx(r, 0x3d4, 0x0f, 81); /* row 1, column 1 */
    poke(r, 0xb8000 + 163, 0x07);
    CHECK_EQ(pixel(r, 9, 16 + 13), color(7));
    CHECK_EQ(pixel(r, 9, 16 + 12), color(0));
    rig_step(r, 140000000);
    CHECK_EQ(pixel(r, 9, 16 + 13), color(0));
    rig_step(r, 140000000);
    CHECK_EQ(pixel(r, 9, 16 + 13), color(7));
    idx(r, 0x3d4, 0x0a, 0x2d); /* off */
    CHECK_EQ(pixel(r, 9, 16 + 13), color(0));
    rig_free(r);
}

TEST(vga, write_modes_and_latches)
{
    struct rig *r = vga("VGA");

    mode_12(r);
    idx(r, 0x3ce, 0, 5); /* set/reset colour 5 in all planes, bits of the mask only */
    idx(r, 0x3ce, 1, 15);
    idx(r, 0x3ce, 8, 0xf0);
    poke(r, 0xa0000, 0);
    CHECK_EQ(pixel(r, 0, 0), color(5));
    CHECK_EQ(pixel(r, 4, 0), color(0));
    idx(r, 0x3ce, 1, 0);
    idx(r, 0x3ce, 5, 2); /* mode 2: a colour as data */
    idx(r, 0x3ce, 8, 0x0f);
    peek(r, 0xa0000);
    poke(r, 0xa0000, 10);
    CHECK_EQ(pixel(r, 3, 0), color(5));
    CHECK_EQ(pixel(r, 4, 0), color(10));
    idx(r, 0x3ce, 5, 1); /* mode 1: latches */
    peek(r, 0xa0000);
    poke(r, 0xa0000 + 80, 0xff);
    CHECK_EQ(pixel(r, 0, 1), color(5));
    CHECK_EQ(pixel(r, 7, 1), color(10));
    idx(r, 0x3ce, 5, 3); /* mode 3: data is a mask, rotated */
    idx(r, 0x3ce, 3, 1);
    idx(r, 0x3ce, 8, 0xff);
    idx(r, 0x3ce, 0, 9);
    peek(r, 0xa0000 + 160);
    poke(r, 0xa0000 + 160, 0x02);
    CHECK_EQ(pixel(r, 7, 2), color(9));
    CHECK_EQ(pixel(r, 6, 2), color(0));
    idx(r, 0x3ce, 3, 0x18); /* mode 0, XOR with the latch */
    idx(r, 0x3ce, 5, 0);
    peek(r, 0xa0000);
    poke(r, 0xa0000, 0xff);
    CHECK_EQ(pixel(r, 0, 0), color(10));
    CHECK_EQ(pixel(r, 7, 0), color(5));
    idx(r, 0x3ce, 4, 1); /* read mode 0, plane 1 */
    CHECK_EQ(peek(r, 0xa0000), 0xf0);
    idx(r, 0x3ce, 5, 8); /* read mode 1: where is colour 5? */
    idx(r, 0x3ce, 2, 5);
    CHECK_EQ(peek(r, 0xa0000), 0x0f);
    idx(r, 0x3ce, 7, 0); /* nobody cares */
    CHECK_EQ(peek(r, 0xa0000), 0xff);
    rig_free(r);
}

TEST(vga, mode_13h_is_memory)
{
    struct rig *r = vga("VGA");
    struct mem_hit hit;

    mode_13(r);
    CHECK(space_find(low, 0xa0000, &hit) && hit.host && hit.writable);
    poke(r, 0xa0000 + 320 * 7 + 5, 77);
    CHECK_EQ(screen(r)->width, 640);
    CHECK_EQ(screen(r)->height, 400);
    CHECK_EQ(pixel(r, 10, 14), color(77));
    CHECK_EQ(pixel(r, 11, 15), color(77));
    CHECK_EQ(pixel(r, 12, 15), color(0));
    poke(r, 0xa0000 + 320 * 7 + 6, 3); /* later writes are seen, too */
    CHECK_EQ(pixel(r, 12, 15), color(3));
    idx(r, 0x3c4, 4, 6); /* unchained: mode X */
    idx(r, 0x3c4, 2, 2);
    idx(r, 0x3d4, 0x14, 0);
    idx(r, 0x3d4, 0x17, 0xe3);
    CHECK(space_find(low, 0xa0000, &hit) && !hit.host);
    poke(r, 0xa0000 + 80 * 3 + 4, 99);
    CHECK_EQ(pixel(r, 2 * 17, 6), color(99));
    idx(r, 0x3d4, 0x0d, 80); /* scrolled by a row */
    CHECK_EQ(pixel(r, 2 * 17, 4), color(99));
    idx(r, 0x3d4, 0x18, 9); /* and split: line 10 shows the beginning */
    idx(r, 0x3d4, 7, 0x0f);
    idx(r, 0x3d4, 9, 0x01);
    CHECK_EQ(pixel(r, 2 * 17, 16), color(99));
    rig_free(r);
}

TEST(vga, virtio_vga_is_one_until_a_driver_comes)
{
    struct rig *r = vga("virtio-vga");

    mode_13(r);
    poke(r, 0xa0000 + 320 * 7 + 5, 77);
    CHECK_EQ(pixel(r, 10, 14), color(77));
    rig_save_load(r);
    CHECK_EQ(pixel(r, 10, 14), color(77));
    CHECK_EQ(cfg_read(r, RIG_FN(0, 1, 0), 0, 4), 0x10501af4);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 1, 0), 8, 4) >> 16, 0x0300);
    CHECK(!displays_console(machine_displays(r->m), 1)); /* one screen for both */
    rig_free(r);
}

TEST(vga, cga_modes_are_interleaved)
{
    struct rig *r = vga("VGA");

    set(r, (const uint8_t[]){0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0, 0x96,
                             0xb9, 0xa2, 0xff},
        (const uint8_t[]){3, 9, 3, 0, 2}, (const uint8_t[]){0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff},
        (const uint8_t[]){0, 3, 5, 7, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, 0, 3, 0, 0}, 0x63);
    poke(r, 0xb8000, 0x1b); /* 0 1 2 3 */
    poke(r, 0xb8000 + 0x2000, 0xe4); /* 3 2 1 0, on the next row */
    poke(r, 0xb8001, 0x40);
    CHECK_EQ(screen(r)->width, 640);
    CHECK_EQ(screen(r)->height, 400);
    CHECK_EQ(pixel(r, 2, 0), color(3));
    CHECK_EQ(pixel(r, 4, 1), color(5));
    CHECK_EQ(pixel(r, 0, 2), color(7));
    CHECK_EQ(pixel(r, 6, 3), color(0));
    CHECK_EQ(pixel(r, 8, 0), color(3));
    rig_free(r);
}

TEST(vga, dispi_modes_are_linear)
{
    struct rig *r = vga("VGA");

    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x2000000 + 0x500, 2), 0xb0c5);
    dispi(r, 1, 800);
    dispi(r, 2, 600);
    dispi(r, 3, 32);
    dispi(r, 4, 0x41);
    rig_store(r, RIG_PCI_MEM + 4 * (800 * 599 + 799), 0x00123456, 4);
    CHECK_EQ(screen(r)->width, 800);
    CHECK_EQ(screen(r)->height, 600);
    CHECK_EQ(pixel(r, 799, 599), 0x123456);
    rig_store(r, RIG_PCI_MEM, 0xffabcdef, 4);
    CHECK_EQ(pixel(r, 0, 0), 0xabcdef);
    dispi(r, 6, 1024); /* wider than the screen, and further down */
    dispi(r, 9, 1);
    rig_store(r, RIG_PCI_MEM + 4096 + 4, 0x00000011, 4);
    CHECK_EQ(pixel(r, 1, 0), 0x11);
    rig_save_load(r);
    CHECK_EQ(pixel(r, 1, 0), 0x11);
    rig_store(r, RIG_PCI_MEM + 0x2000000 + 0x508, 0, 2); /* off, by BAR 2 */
    dispi(r, 3, 16);
    dispi(r, 4, 0xc1); /* memory stays */
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 4096 + 4, 4), 0x11);
    rig_store(r, RIG_PCI_MEM + 2, 0xf81f, 2);
    CHECK_EQ(pixel(r, 1, 0), 0xff00ff);
    dispi(r, 4, 0);
    dispi(r, 1, 60000); /* more than there is becomes what there is */
    dispi(r, 2, 60000);
    dispi(r, 3, 32);
    dispi(r, 4, 0x41);
    screen(r);
    rig_store(r, RIG_PCI_IO + 0x1ce, 2, 2);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1d0, 2), 16 * 1024 * 1024 / (8192 * 4));
    rig_free(r);
}

TEST(vga, registers_are_as_the_manual_says)
{
    struct rig *r = vga("VGA");

    out(r, 0x3c2, 0x67);
    CHECK_EQ(in(r, 0x3cc), 0x67);
    CHECK_EQ(in(r, 0x3b4), 0xff); /* colour: the CRTC is elsewhere */
    idx(r, 0x3d4, 0x11, 0x80);    /* registers 0 to 7 are protected, */
    idx(r, 0x3d4, 1, 0x55);
    CHECK_EQ(in(r, 0x3d5), 0);
    idx(r, 0x3d4, 7, 0xff);       /* but for a bit of line compare */
    CHECK_EQ(in(r, 0x3d5), 0x10);
    out(r, 0x3c8, 200);
    out(r, 0x3c9, 1);
    out(r, 0x3c9, 2);
    out(r, 0x3c9, 3);
    CHECK_EQ(in(r, 0x3c8), 201);
    out(r, 0x3c7, 200);
    CHECK_EQ(in(r, 0x3c9), 1);
    CHECK_EQ(in(r, 0x3c9), 2);
    CHECK_EQ(in(r, 0x3c7), 3);
    in(r, 0x3da);
    out(r, 0x3c0, 0x25);
    out(r, 0x3c0, 0x3f);
    CHECK_EQ(in(r, 0x3c0), 0x25);
    CHECK_EQ(in(r, 0x3c1), 0x3f);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x2000000 + 0x40c, 1), 0x67); /* ports through BAR 2 */
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x2000000 + 0x600, 4), 8);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x2000000 + 0x604, 4), 0x1e1e1e1e);
    rig_free(r);
    r = rig_with("VGA", "addr=1,vgamem_mb=1", pci_rig_before);
    rig_hostile(r);
    rig_free(r);
}

TEST(vga, the_monitor_says_what_it_can)
{
    struct rig *r = rig_with("VGA", "addr=1,xres=1600,yres=900", pci_rig_before);
    uint8_t sum = 0;

    cfg_write(r, RIG_FN(0, 1, 0), PCI_BAR0 + 8, RIG_PCI_MEM, 4);
    cfg_enable(r, RIG_FN(0, 1, 0));
    for (unsigned i = 0; i < 128; i++)
        sum = (uint8_t)(sum + rig_load(r, RIG_PCI_MEM + i, 1));
    CHECK_EQ(sum, 0);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM, 8), 0x00ffffffffffff00);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 56, 1) | (rig_load(r, RIG_PCI_MEM + 58, 1) & 0xf0) << 4, 1600);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 59, 1) | (rig_load(r, RIG_PCI_MEM + 61, 1) & 0xf0) << 4, 900);
    rig_free(r);
}

TEST(vga, bochs_display_shows_32_and_16_bits)
{
    struct rig *r = vga("bochs-display");
    uint32_t regs = RIG_PCI_MEM + 0x2000000 + 0x500;

    rig_store(r, regs + 2, 320, 2);
    rig_store(r, regs + 4, 200, 2);
    rig_store(r, regs + 6, 32, 2);
    rig_store(r, regs + 8, 0x41, 2);
    rig_store(r, RIG_PCI_MEM + 320 * 4 + 8, 0x445566, 4);
    CHECK_EQ(screen(r)->width, 320);
    CHECK_EQ(pixel(r, 2, 1), 0x445566);
    rig_save_load(r);
    CHECK_EQ(pixel(r, 2, 1), 0x445566);
    rig_free(r);
}

static void with_fw_cfg(struct rig *r)
{
    struct err e = {0};

    machine_lock(r->m);
    if (!dev_add(r->m, "fw_cfg_mem", "fw", NULL, &e) && !dev_add(r->m, "fw_cfg", "fw", NULL, &e))
        printf("fw_cfg: %s\n", e.msg);
    machine_unlock(r->m);
}

TEST(vga, ramfb_wants_fw_cfg)
{
    CHECK_STR(rig_refused("ramfb", NULL), "ramfb needs a machine with fw_cfg");
    struct rig *r = rig_with("ramfb", NULL, with_fw_cfg);

    CHECK(fw_cfg_file(dev_find(r->m, "fw"), "etc/ramfb", &(uint32_t){0}));
    screen(r);
    rig_save_load(r);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(vga, text_is_drawn_with_the_font_of_plane_2),
    CASE(vga, the_cursor_is_where_the_crtc_has_it_and_blinks),
    CASE(vga, write_modes_and_latches),
    CASE(vga, mode_13h_is_memory),
    CASE(vga, virtio_vga_is_one_until_a_driver_comes),
    CASE(vga, cga_modes_are_interleaved),
    CASE(vga, dispi_modes_are_linear),
    CASE(vga, registers_are_as_the_manual_says),
    CASE(vga, the_monitor_says_what_it_can),
    CASE(vga, bochs_display_shows_32_and_16_bits),
    CASE(vga, ramfb_wants_fw_cfg),
};
TEST_MAIN(tests)
