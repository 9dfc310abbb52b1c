/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cirrus-vga: registers beyond the VGA's, banks, modes, the cursor, and rectangles beside a plain model. */
#include "tests/dev/vga_ports.h"

#include "base/bytes.h"
#include "dev/backends.h"
#include "ui/display.h"

enum { LFB = RIG_PCI_MEM, REGS = RIG_PCI_MEM + 0x2000000, SIZE = 4 << 20, AREA = 0x40000, TOP = SIZE - 16384 };

static struct space *low; /* what PCI has at low addresses */

static struct rig *cirrus(void)
{
    struct rig *r = rig_with("cirrus-vga", "addr=1,romfile=", pci_rig_before);

    low = space_new(r->m, "low", pci_rig.host->root.bus->mem);
    cfg_write(r, RIG_FN(0, 1, 0), PCI_BAR0, LFB, 4);
    cfg_write(r, RIG_FN(0, 1, 0), PCI_BAR0 + 4, REGS, 4);
    cfg_enable(r, RIG_FN(0, 1, 0));
    return r;
}

static uint8_t get(struct rig *r, unsigned port, uint8_t i)
{
    out(r, port, i);
    return in(r, port + 1);
}

static void gr(struct rig *r, uint8_t i, uint8_t v)
{
    idx(r, 0x3ce, i, v);
}

static void gr16(struct rig *r, uint8_t i, unsigned v)
{
    gr(r, i, (uint8_t)v);
    gr(r, i + 1, (uint8_t)(v >> 8));
}

static void poke(uint32_t at, uint8_t v)
{
    CHECK(space_store(low, at, v, (struct access){.size = 1}));
}

static uint8_t peek(uint32_t at)
{
    uint64_t v = 0;

    CHECK(space_load(low, at, &v, (struct access){.size = 1}));
    return (uint8_t)v;
}

static uint8_t lfb(struct rig *r, uint32_t at)
{
    return (uint8_t)rig_load(r, LFB + at, 1);
}

/* The register behind the palette's mask. */
static void hidden(struct rig *r, uint8_t v)
{
    in(r, 0x3c8);
    for (unsigned i = 0; i < 4; i++)
        in(r, 0x3c6);
    out(r, 0x3c6, v);
}

/* 64 pixels and 16 lines, 512 bytes a line. */
static void mode(struct rig *r, uint8_t sr7, uint8_t hdr)
{
    out(r, 0x3c2, 0xe3);
    idx(r, 0x3c4, 6, 0x12);
    idx(r, 0x3c4, 4, 0x0e);
    idx(r, 0x3c4, 7, sr7);
    idx(r, 0x3d4, 1, 7);
    idx(r, 0x3d4, 7, 0);
    idx(r, 0x3d4, 9, 0);
    idx(r, 0x3d4, 0x12, 15);
    idx(r, 0x3d4, 0x13, 64);
    hidden(r, hdr);
    in(r, 0x3da);
    out(r, 0x3c0, 0x20);
    out(r, 0x3c8, 0);
    for (unsigned i = 0; i < 768; i++)
        out(r, 0x3c9, (uint8_t)(i / 3 % 64));
}

static uint32_t pixel(struct rig *r, unsigned x, unsigned y)
{
    struct console *c = displays_console(machine_displays(r->m), 0);

    console_update(c);
    CHECK_EQ(console_surface(c)->width, 64);
    CHECK_EQ(console_surface(c)->height, 16);
    return surface_row(console_surface(c), y)[x];
}

static uint32_t grey(unsigned n)
{
    return (n << 2 | n >> 4) * 0x010101u;
}

TEST(cirrus, says_what_it_is)
{
    struct rig *r = cirrus();

    CHECK_EQ(cfg_read(r, RIG_FN(0, 1, 0), 0, 4), 0x00b81013);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 1, 0), 8, 4), 0x03000000);
    out(r, 0x3c2, 0x67);
    CHECK_EQ(get(r, 0x3c4, 6), 0x0f);
    idx(r, 0x3c4, 6, 0x92);
    CHECK_EQ(get(r, 0x3c4, 6), 0x12);
    CHECK_EQ(get(r, 0x3c4, 0xf), 0x98); /* 4 MiB */
    CHECK_EQ(get(r, 0x3d4, 0x27), 0xb8);
    CHECK_EQ(rig_load(r, REGS + 0x15, 1), 0xb8); /* CRTC data in BAR 1 */
    idx(r, 0x3c4, 0x17, 0xff);
    CHECK_EQ(get(r, 0x3c4, 0x17), 0xe7); /* the bus is PCI */
    hidden(r, 0xc5);
    CHECK_EQ(in(r, 0x3c6), 0xff); /* the mask is as it was, */
    in(r, 0x3c8);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(in(r, 0x3c6), 0xff);
    CHECK_EQ(in(r, 0x3c6), 0xc5);
    CHECK_EQ(in(r, 0x3c6), 0xff);
    rig_save_load(r);
    CHECK_EQ(get(r, 0x3c4, 6), 0x12);
    rig_free(r);
}

TEST(cirrus, banks_are_places_of_the_frame_buffer)
{
    struct rig *r = cirrus();
    struct mem_hit hit;

    mode(r, 1, 0);
    gr(r, 9, 0x20);
    poke(0xa0004, 0x55);
    CHECK(space_find(low, 0xa0000, &hit) && hit.host && hit.writable);
    CHECK_EQ(lfb(r, 0x20004), 0x55);
    gr(r, 9, 0x28);
    CHECK_EQ(peek(0xa0000), 0);
    gr(r, 0xb, 0x21); /* two banks of 16 KiB steps */
    gr(r, 9, 8);
    gr(r, 0xa, 12);
    poke(0xa8000, 0x66);
    CHECK_EQ(peek(0xa0004), 0x55);
    CHECK_EQ(lfb(r, 12 * 0x4000), 0x66);
    rig_save_load(r);
    low = space_new(r->m, "low again", pci_rig.host->root.bus->mem);
    CHECK_EQ(peek(0xa8000), 0x66);
    rig_free(r);
}

TEST(cirrus, bits_written_become_pixels)
{
    struct rig *r = cirrus();

    mode(r, 1, 0);
    gr(r, 0xb, 6); /* extended write modes, by eight */
    gr(r, 0, 0x11);
    gr(r, 1, 0x22);
    gr(r, 5, 5);
    poke(0xa0002, 0xa0);
    CHECK_EQ(rig_load(r, LFB + 16, 4), 0x11221122);
    gr(r, 1, 0x33);
    gr(r, 5, 4);
    rig_store(r, LFB + 2, 0x40, 1);
    CHECK_EQ(rig_load(r, LFB + 16, 4), 0x11223322);
    gr(r, 5, 0);
    gr(r, 0xb, 0);
    poke(0xa0010, 0x77);
    CHECK_EQ(rig_load(r, LFB + 16, 4), 0x11223377);
    rig_free(r);
}

TEST(cirrus, modes_of_all_depths)
{
    struct rig *r = cirrus();

    mode(r, 1, 0);
    rig_store(r, LFB + 512 * 3 + 5, 33, 1);
    CHECK_EQ(pixel(r, 5, 3), grey(33));
    idx(r, 0x3d4, 0xd, 128); /* starts a line later */
    CHECK_EQ(pixel(r, 5, 2), grey(33));
    idx(r, 0x3d4, 0xd, 0);
    rig_store(r, LFB, 0xf81f, 2);
    mode(r, 7, 0xc1);
    CHECK_EQ(pixel(r, 0, 0), 0xff00ff);
    mode(r, 7, 0xc0);
    CHECK_EQ(pixel(r, 0, 0), 0xf700ff);
    rig_store(r, LFB, 0x123456, 4);
    mode(r, 5, 0xc5);
    CHECK_EQ(pixel(r, 0, 0), 0x123456);
    mode(r, 9, 0xc5);
    CHECK_EQ(pixel(r, 0, 0), 0x123456);
    rig_free(r);
}

TEST(cirrus, the_cursor_lies_over_the_picture)
{
    struct rig *r = cirrus();

    mode(r, 1, 0);
    idx(r, 0x3c4, 0x12, 3); /* on, 32 by 32, with its palette */
    for (unsigned n = 0; n < 2; n++) {
        out(r, 0x3c8, n ? 15 : 0);
        for (unsigned i = 0; i < 3; i++)
            out(r, 0x3c9, n ? 63 : i * 8);
    }
    rig_store(r, LFB + TOP + 4, 0x50, 1);       /* second line: plane 0 */
    rig_store(r, LFB + TOP + 128 + 4, 0x30, 1); /* and plane 1 */
    idx(r, 0x3c4, 0x50, 1); /* x: 8 + 2 */
    idx(r, 0x3c4, 0x11, 0);
    CHECK_EQ(pixel(r, 10, 1), grey(0));
    CHECK_EQ(pixel(r, 11, 1), 0xffffff); /* inverted */
    CHECK_EQ(pixel(r, 12, 1), 0x002041);
    CHECK_EQ(pixel(r, 13, 1), 0xffffff); /* the other colour */
    rig_store(r, LFB + TOP + 4, 0x90, 1); /* another picture is seen at once */
    CHECK_EQ(pixel(r, 10, 1), 0xffffff);
    CHECK_EQ(pixel(r, 11, 1), grey(0));
    rig_save_load(r);
    CHECK_EQ(pixel(r, 12, 1), 0x002041);
    idx(r, 0x3c4, 0x12, 0);
    CHECK_EQ(pixel(r, 12, 1), grey(0));
    rig_free(r);
}

/* --- Rectangles --- */

static uint32_t seed;

static uint32_t any(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* What GR32's code makes of a source and a destination byte, as the truth table of source (bit 1) and destination (bit 0). */
static const struct { uint8_t code, truth; } rops[] = {
    {0x00, 0x0}, {0x05, 0x8}, {0x06, 0xa}, {0x09, 0x4}, {0x0b, 0x5}, {0x0d, 0xc}, {0x0e, 0xf}, {0x50, 0x2},
    {0x59, 0x6}, {0x6d, 0xe}, {0x90, 0x7}, {0x95, 0x9}, {0xad, 0xd}, {0xd0, 0x3}, {0xd6, 0xb}, {0xda, 0x1},
};

struct op {
    unsigned n, w, h, kind, skip; /* bytes of a pixel, pixels, lines */
    uint32_t dst, src, fg, bg, key;
    uint8_t mode, ext;
    unsigned rop;
    bool transparent;
};
enum { COPY, BACK, PATTERN, BITS_PATTERN, BITS, SOLID, KEYED, KINDS };
enum { PITCH = 512 };

static uint8_t model[AREA];

static void one(const struct op *o, unsigned x, unsigned y, const uint8_t *s)
{
    uint8_t *d = model + o->dst + y * PITCH + x * o->n, v[4];

    for (unsigned i = 0; i < o->n; i++) {
        v[i] = 0;
        for (unsigned bit = 0; bit < 8; bit++)
            v[i] |= (rops[o->rop].truth >> ((s[i] >> bit & 1) * 2 + (d[i] >> bit & 1)) & 1) << bit;
    }
    if (o->kind == KEYED && (o->n == 1 ? v[0] == (o->key & 0xff) : get_le16(v) == o->key))
        return;
    memcpy(d, v, o->n);
}

static void plain(const struct op *o)
{
    static uint8_t was[AREA];

    memcpy(was, model, AREA); /* sources never overlap here, but for BACK, which is as if they did not */
    for (unsigned y = 0; y < o->h; y++)
        for (unsigned x = o->skip; x < o->w; x++) {
            uint8_t c[4];
            bool bit = o->kind == BITS_PATTERN ? was[o->src + y % 8] >> (7 - x % 8) & 1
                                               : was[o->src + y * ((o->w + 7) / 8) + x / 8] >> (7 - x % 8) & 1;

            if (o->kind == COPY || o->kind == KEYED || o->kind == BACK) {
                one(o, x, y, was + o->src + y * PITCH + x * o->n);
            } else if (o->kind == PATTERN) {
                one(o, x, y, was + o->src + y % 8 * (o->n == 3 ? 32 : 8 * o->n) + x % 8 * o->n);
            } else {
                put_le32(c, o->kind == SOLID || bit ? o->fg : o->bg);
                if (o->transparent && o->ext & 2) { /* bits that are 0 count, in the background's colour */
                    bit = !bit;
                    put_le32(c, o->bg);
                }
                if (o->kind == SOLID || bit || !o->transparent)
                    one(o, x, y, c);
            }
        }
}

static void choose(struct op *o)
{
    static const uint8_t modes[KINDS] = {0, 1, 0x40, 0xc0, 0x80, 0xc0, 8};

    memset(o, 0, sizeof(*o));
    o->kind = any(KINDS);
    o->n = o->kind == KEYED ? 1 + any(2) : 1 + any(4);
    o->w = 1 + any(40);
    o->h = 1 + any(20);
    o->dst = 0x10000 + any(100) * o->n;
    o->src = o->kind == PATTERN || o->kind == BITS_PATTERN ? any(64) * 256 : any(1000) * o->n;
    if (o->kind == BACK)
        o->src = o->dst - any(4) * PITCH - any(20) * o->n;
    o->fg = any(1 << 24) << 8 | any(256);
    o->bg = any(1 << 24) << 8 | any(256);
    o->key = any(65536);
    o->rop = any(2) ? 5 : any(16);
    o->transparent = (o->kind == BITS || o->kind == BITS_PATTERN) && any(2);
    o->ext = o->kind == SOLID ? 4 : o->transparent && any(2) ? 2 : 0;
    o->skip = o->n != 3 && (o->kind == BITS || o->kind == BITS_PATTERN || o->kind == PATTERN) && o->w > 8 ? any(8) : 0;
    o->mode = (uint8_t)(modes[o->kind] | (o->n - 1) << 4 | (o->transparent ? 8 : 0));
}

static void program(struct rig *r, const struct op *o, uint8_t how)
{
    uint32_t last = o->kind == BACK ? (o->h - 1) * PITCH + o->w * o->n - 1 : 0, dst = o->dst + last, src = o->src + last;

    for (unsigned i = 0; i < 4; i++) {
        gr(r, i ? 0xe + 2 * i : 0, (uint8_t)(o->bg >> 8 * i));
        gr(r, i ? 0xf + 2 * i : 1, (uint8_t)(o->fg >> 8 * i));
    }
    gr16(r, 0x20, o->w * o->n - 1);
    gr16(r, 0x22, o->h - 1);
    gr16(r, 0x24, PITCH);
    gr16(r, 0x26, PITCH);
    gr16(r, 0x2c, src);
    gr(r, 0x2e, (uint8_t)(src >> 16));
    gr(r, 0x2f, (uint8_t)o->skip);
    gr(r, 0x30, o->mode | how);
    gr(r, 0x32, rops[o->rop].code);
    gr(r, 0x33, o->ext);
    gr16(r, 0x34, o->key);
    gr16(r, 0x28, dst);
    gr(r, 0x2a, (uint8_t)(dst >> 16));
    gr(r, 0x31, 2);
}

static void fill(struct rig *r)
{
    for (unsigned i = 0; i < AREA; i += 4) {
        put_le32(model + i, any(1 << 24) ^ any(1 << 24) << 8);
        rig_store(r, LFB + i, get_le32(model + i), 4);
    }
}

static bool same(struct rig *r)
{
    for (unsigned i = 0; i < AREA; i += 8)
        if (rig_load(r, LFB + i, 8) != get_le64(model + i))
            return false;
    return true;
}

TEST(cirrus, rectangles_are_those_of_a_plain_model)
{
    struct rig *r = cirrus();
    struct op o;

    mode(r, 1, 0);
    seed = 1;
    fill(r);
    for (unsigned i = 0; i < 300; i++) {
        choose(&o);
        program(r, &o, 0);
        CHECK_EQ(get(r, 0x3ce, 0x31), 0);
        plain(&o);
        if (!same(r)) {
            CHECK_EQ(i, o.kind + 1000); /* which one */
            break;
        }
    }
    rig_free(r);
}

TEST(cirrus, the_cpu_brings_rectangles_and_state_is_saved_within)
{
    struct rig *r = cirrus();
    struct op o = {.n = 1, .w = 10, .h = 4, .kind = COPY, .dst = 0x10000, .rop = 5};

    mode(r, 1, 0);
    seed = 2;
    fill(r);
    program(r, &o, 4);
    CHECK_EQ(get(r, 0x3ce, 0x31) & 9, 9);
    for (unsigned i = 0; i < 12; i++) { /* lines of three times four bytes */
        uint32_t v = any(1 << 24) ^ any(1 << 24) << 8;

        if (i == 4)
            rig_store(r, LFB + 0x1000000, v, 4);
        else if (i == 5)
            CHECK(space_store(low, 0xa0000, v, (struct access){.size = 4}));
        else
            rig_store(r, LFB + 0x100 * i, v, 4);
        for (unsigned k = 0; k < 4; k++)
            if (i % 3 * 4 + k < 10)
                model[o.dst + i / 3 * PITCH + i % 3 * 4 + k] = (uint8_t)(v >> 8 * k);
        if (i == 6)
            rig_save_load(r);
    }
    CHECK_EQ(get(r, 0x3ce, 0x31), 0);
    CHECK(same(r));
    o = (struct op){.n = 2, .w = 9, .h = 2, .kind = BITS, .dst = 0x12000, .rop = 5, .fg = 0x1234, .bg = 0x5678, .mode = 0x90};
    program(r, &o, 4);
    rig_store(r, LFB, 0x0080ff00, 4); /* two bytes a line: eight 0s and a 1, a 1 and eight 0s */
    for (unsigned i = 0; i < 9; i++) {
        put_le16(model + o.dst + 2 * i, i < 8 ? 0x5678 : 0x1234);
        put_le16(model + o.dst + PITCH + 2 * i, i == 0 ? 0x1234 : 0x5678);
    }
    CHECK(same(r));
    rig_free(r);
}

TEST(cirrus, registers_in_memory_start_it_too)
{
    struct rig *r = cirrus();
    struct op o = {.n = 1, .w = 16, .h = 2, .kind = COPY, .dst = 0x10000, .src = 0x400, .rop = 5};

    mode(r, 1, 0);
    seed = 3;
    fill(r);
    program(r, &o, 0);
    plain(&o);
    CHECK_EQ(rig_load(r, REGS + 0x108, 2), 15);
    rig_store(r, REGS + 0x110, 0x4000, 2); /* destination, then start */
    rig_store(r, REGS + 0x140, 2, 1);
    o.dst = 0x14000;
    plain(&o);
    CHECK(same(r));
    idx(r, 0x3c4, 0x17, 4); /* at B8000 */
    CHECK_EQ(peek(0xb8008), 15);
    poke(0xb8011, 0x50);
    poke(0xb8040, 2);
    o.dst = 0x15000;
    plain(&o);
    idx(r, 0x3c4, 0x17, 0x44); /* at the end of the frame buffer */
    rig_store(r, LFB + SIZE - 256 + 0x11, 0x60, 1);
    rig_store(r, LFB + SIZE - 256 + 0x40, 2, 1);
    o.dst = 0x16000;
    plain(&o);
    gr(r, 0x31, 0x80); /* autostart: with the destination's last byte */
    gr16(r, 0x28, 0x7000);
    gr(r, 0x2a, 1);
    o.dst = 0x17000;
    plain(&o);
    CHECK(same(r));
    rig_free(r);
}

static const struct test tests[] = {
    CASE(cirrus, says_what_it_is),
    CASE(cirrus, banks_are_places_of_the_frame_buffer),
    CASE(cirrus, bits_written_become_pixels),
    CASE(cirrus, modes_of_all_depths),
    CASE(cirrus, the_cursor_lies_over_the_picture),
    CASE(cirrus, rectangles_are_those_of_a_plain_model),
    CASE(cirrus, the_cpu_brings_rectangles_and_state_is_saved_within),
    CASE(cirrus, registers_in_memory_start_it_too),
};
TEST_MAIN(tests)
