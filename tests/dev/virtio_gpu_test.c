/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-gpu: resources, scanouts, transfers, the cursor; what the driver must not do (Virtio 1.2, 5.7). */
#include "dev/backends.h"
#include "tests/dev/vdrv.h"
#include "ui/display.h"

enum { CONTROL, CURSOR, CMD = VDRV_BUF, ANSWER = VDRV_BUF + 0x1000, PIXELS = VDRV_BUF + 0x4000, DIM = 32 };
enum {
    GET_DISPLAY_INFO = 0x100, CREATE_2D, UNREF, SET_SCANOUT, FLUSH, TRANSFER, ATTACH, DETACH, GET_EDID = 0x10a,
    UPDATE_CURSOR = 0x300, MOVE_CURSOR, OK = 0x1100, OK_DISPLAY_INFO, OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200, ERR_MEMORY, ERR_SCANOUT, ERR_RESOURCE, ERR_CONTEXT, ERR_PARAMETER,
};

static struct vdrv *gpu(const char *props)
{
    return vdrv_new("virtio-gpu-device", props, VIRTIO_BIT(1), 0, NULL);
}

static struct console *screen(struct vdrv *d, unsigned n)
{
    return displays_console(machine_displays(d->r->m), n);
}

/* A command of @n words after the header: its answer. */
static unsigned say(struct vdrv *d, unsigned queue, uint32_t type, const uint32_t *words, unsigned n)
{
    struct vbuf b[] = {{CMD, 24 + 4 * n, false}, {ANSWER, 2048, true}};

    memset(vdrv_mem(d, CMD), 0, 24);
    put_le32(vdrv_mem(d, CMD), type);
    for (unsigned i = 0; i < n; i++)
        put_le32(vdrv_mem(d, CMD) + 24 + 4 * i, words[i]);
    CHECK(vdrv_do(d, queue, b, 2) >= 24);
    return get_le32(vdrv_mem(d, ANSWER));
}
#define SAY(d, queue, type, ...)                                                                       \
    say(d, queue, type, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* Resource 1, with a picture in two pieces of memory: its first row and a half, and the rest. */
static void make(struct vdrv *d, uint32_t format)
{
    enum { FIRST = DIM * 6 };

    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 1, format, DIM, DIM), OK);
    CHECK_EQ(SAY(d, CONTROL, ATTACH, 1, 2, PIXELS, 0, FIRST, 0, PIXELS + 0x10000, 0, DIM * DIM * 4 - FIRST, 0), OK);
    for (unsigned i = 0; i < DIM * DIM; i++)
        put_le32(vdrv_mem(d, i * 4 < FIRST ? PIXELS + 4 * i : PIXELS + 0x10000 + 4 * i - FIRST), 0xff000000 | i * 0x10203);
}

static uint32_t pixel(struct vdrv *d, unsigned x, unsigned y)
{
    console_update(screen(d, 0));
    return surface_row(console_surface(screen(d, 0)), y)[x];
}

TEST(gpu, what_is_sent_and_flushed_is_seen)
{
    struct vdrv *d = gpu(NULL);

    make(d, 1);
    CHECK_EQ(SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM, 0, 1), OK);
    CHECK_EQ(pixel(d, 3, 3), 0);
    CHECK_EQ(console_surface(screen(d, 0))->width, DIM);
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0), OK);
    CHECK_EQ(SAY(d, CONTROL, FLUSH, 0, 0, DIM, 4, 1, 0), OK);
    CHECK_EQ(pixel(d, 3, 3), ((3 * DIM + 3) * 0x10203) & 0xffffff);
    CHECK_EQ(pixel(d, 31, 1), ((1 * DIM + 31) * 0x10203) & 0xffffff);
    CHECK_EQ(pixel(d, 0, 4), 0); /* not flushed */
    CHECK_EQ(SAY(d, CONTROL, FLUSH, 0, 0, DIM, DIM, 1, 0), OK);
    CHECK_EQ(pixel(d, 31, 31), ((31 * DIM + 31) * 0x10203) & 0xffffff);
    vdrv_free(d);
}

TEST(gpu, a_part_goes_where_it_belongs)
{
    struct vdrv *d = gpu(NULL);

    make(d, 1);
    SAY(d, CONTROL, SET_SCANOUT, 8, 8, 16, 16, 0, 1);
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 10, 10, 4, 2, (10 * DIM + 10) * 4, 0, 1, 0), OK);
    CHECK_EQ(SAY(d, CONTROL, FLUSH, 0, 0, DIM, DIM, 1, 0), OK);
    CHECK_EQ(pixel(d, 2, 2), ((10 * DIM + 10) * 0x10203) & 0xffffff); /* of the scanout, which begins at 8, 8 */
    CHECK_EQ(pixel(d, 5, 3), ((11 * DIM + 13) * 0x10203) & 0xffffff);
    CHECK_EQ(pixel(d, 6, 3), 0);
    CHECK_EQ(pixel(d, 2, 4), 0);
    vdrv_free(d);
}

TEST(gpu, formats)
{
    static const struct {
        uint32_t format, want; /* of bytes 78 56 34 12 */
    } rows[] = {{1, 0x345678}, {2, 0x345678}, {3, 0x563412}, {4, 0x563412}, {67, 0x785634}, {68, 0x123456}, {121, 0x123456}, {134, 0x785634}};

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct vdrv *d = gpu(NULL);

        make(d, rows[i].format);
        put_le32(vdrv_mem(d, PIXELS), 0x12345678);
        SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM, 0, 1);
        SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0);
        SAY(d, CONTROL, FLUSH, 0, 0, DIM, DIM, 1, 0);
        CHECK_EQ(pixel(d, 0, 0), rows[i].want);
        vdrv_free(d);
    }
}

TEST(gpu, says_what_screens_there_are)
{
    struct vdrv *d = gpu("max_outputs=2,xres=1024,yres=768");
    const uint8_t *a = vdrv_mem(d, ANSWER);

    CHECK_EQ(vdrv_config32(d, 8), 2);
    CHECK_EQ(say(d, CONTROL, GET_DISPLAY_INFO, NULL, 0), OK_DISPLAY_INFO);
    CHECK_EQ(get_le32(a + 24 + 8), 1024);
    CHECK_EQ(get_le32(a + 24 + 12), 768);
    CHECK_EQ(get_le32(a + 24 + 16), 1);
    CHECK_EQ(get_le32(a + 48 + 16), 0);
    CHECK_EQ(SAY(d, CONTROL, GET_EDID, 0, 0), OK_EDID);
    CHECK_EQ(get_le64(a + 32), 0x00ffffffffffff00ull);
    CHECK_EQ(SAY(d, CONTROL, GET_EDID, 2, 0), ERR_PARAMETER);
    console_ui_size(screen(d, 0), 800, 600); /* a viewer's window */
    CHECK_EQ(vdrv_config32(d, 0), 1);
    rig_store(d->r, VDRV_SLOT + 0x100 + 4, 1, 4);
    CHECK_EQ(vdrv_config32(d, 0), 0);
    say(d, CONTROL, GET_DISPLAY_INFO, NULL, 0);
    CHECK_EQ(get_le32(a + 24 + 8), 800);
    vdrv_free(d);
}

TEST(gpu, a_fence_comes_back)
{
    struct vdrv *d = gpu(NULL);
    struct vbuf b[] = {{CMD, 24, false}, {ANSWER, 2048, true}};

    memset(vdrv_mem(d, CMD), 0, 24);
    put_le32(vdrv_mem(d, CMD), GET_DISPLAY_INFO);
    put_le32(vdrv_mem(d, CMD) + 4, 1);
    put_le64(vdrv_mem(d, CMD) + 8, 0x123456789abcull);
    CHECK_EQ(vdrv_do(d, CONTROL, b, 2), 24 + 16 * 24);
    CHECK_EQ(get_le32(vdrv_mem(d, ANSWER) + 4), 1);
    CHECK_EQ(get_le64(vdrv_mem(d, ANSWER) + 8), 0x123456789abcull);
    vdrv_free(d);
}

TEST(gpu, the_cursor)
{
    struct vdrv *d = gpu(NULL);
    const struct cursor *c;

    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 9, 1, 64, 64), OK);
    CHECK_EQ(SAY(d, CURSOR, UPDATE_CURSOR, 0, 5, 6, 0, 9, 3, 4, 0), OK);
    c = console_cursor(screen(d, 0));
    CHECK(c && c->width == 64 && c->hot_x == 3 && c->hot_y == 4);
    CHECK_EQ(SAY(d, CURSOR, MOVE_CURSOR, 0, 7, 8, 0, 0, 0, 0, 0), OK);
    CHECK_EQ(SAY(d, CURSOR, UPDATE_CURSOR, 0, 5, 6, 0, 0, 0, 0, 0), OK);
    CHECK(!console_cursor(screen(d, 0)));
    CHECK_EQ(SAY(d, CONTROL, MOVE_CURSOR, 0, 7, 8, 0, 0, 0, 0, 0), ERR_UNSPEC); /* the other queue's */
    vdrv_free(d);
}

TEST(gpu, what_cannot_be_is_refused)
{
    struct vdrv *d = gpu("max_hostmem=1M");

    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 0, 1, 8, 8), ERR_RESOURCE);
    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 1, 5, 8, 8), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 1, 1, 0, 8), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 1, 1, 0xffffffff, 0xffffffff), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 1, 1, 1024, 1024), ERR_MEMORY);
    CHECK_EQ(SAY(d, CONTROL, FLUSH, 0, 0, 1, 1, 1, 0), ERR_RESOURCE);
    make(d, 1);
    CHECK_EQ(SAY(d, CONTROL, CREATE_2D, 1, 1, 8, 8), ERR_RESOURCE);
    CHECK_EQ(SAY(d, CONTROL, ATTACH, 1, 0), ERR_UNSPEC); /* it has one */
    CHECK_EQ(SAY(d, CONTROL, DETACH, 1, 0), OK);
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0), ERR_UNSPEC); /* it has none */
    CHECK_EQ(SAY(d, CONTROL, ATTACH, 1, 1000), ERR_UNSPEC); /* entries that are not there */
    CHECK_EQ(SAY(d, CONTROL, ATTACH, 1, 1, 0xfffffff0, 0xffffffff, 0xffffffff, 0), OK); /* no memory */
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0), OK);
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 1, 0, DIM, DIM, 0, 0, 1, 0), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 1, 0, 0xffffffff, 1, 0, 0, 1, 0), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0xffffffff, 0xffffffff, 1, 0), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM, 1, 1), ERR_SCANOUT);
    CHECK_EQ(SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM + 1, 0, 1), ERR_PARAMETER);
    CHECK_EQ(SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM, 0, 2), ERR_RESOURCE);
    CHECK_EQ(SAY(d, CONTROL, UNREF, 2, 0), ERR_RESOURCE);
    CHECK_EQ(SAY(d, CONTROL, SET_SCANOUT, 0, 0), ERR_PARAMETER); /* too short */
    CHECK_EQ(SAY(d, CONTROL, 0x777, 0), ERR_UNSPEC);
    CHECK_EQ(SAY(d, CURSOR, UPDATE_CURSOR, 0, 5, 6, 0, 1, 3, 4, 0), ERR_RESOURCE); /* not 64x64 */
    CHECK_EQ(SAY(d, CURSOR, UPDATE_CURSOR, 3, 5, 6, 0, 0, 3, 4, 0), ERR_SCANOUT);
    vdrv_free(d);
}

TEST(gpu, a_resource_that_ends_takes_its_picture_along)
{
    struct vdrv *d = gpu(NULL);

    make(d, 1);
    SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM, 0, 1);
    SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0);
    SAY(d, CONTROL, FLUSH, 0, 0, DIM, DIM, 1, 0);
    CHECK(pixel(d, 3, 3) != 0);
    CHECK_EQ(SAY(d, CONTROL, UNREF, 1, 0), OK);
    CHECK_EQ(pixel(d, 3, 3), 0);
    CHECK_EQ(console_surface(screen(d, 0))->width, 640);
    vdrv_free(d);
}

TEST(gpu, saved_and_loaded_it_shows_the_same)
{
    struct vdrv *d = gpu(NULL);

    make(d, 1);
    SAY(d, CONTROL, SET_SCANOUT, 0, 0, DIM, DIM, 0, 1);
    SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0);
    rig_save_load(d->r);
    CHECK_EQ(pixel(d, 3, 3), ((3 * DIM + 3) * 0x10203) & 0xffffff);
    put_le32(vdrv_mem(d, PIXELS), 0x777777); /* the backing is known, too */
    CHECK_EQ(SAY(d, CONTROL, TRANSFER, 0, 0, DIM, DIM, 0, 0, 1, 0), OK);
    CHECK_EQ(SAY(d, CONTROL, FLUSH, 0, 0, DIM, DIM, 1, 0), OK);
    CHECK_EQ(pixel(d, 0, 0), 0x777777);
    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(gpu, what_is_sent_and_flushed_is_seen),
    CASE(gpu, a_part_goes_where_it_belongs),
    CASE(gpu, formats),
    CASE(gpu, says_what_screens_there_are),
    CASE(gpu, a_fence_comes_back),
    CASE(gpu, the_cursor),
    CASE(gpu, what_cannot_be_is_refused),
    CASE(gpu, a_resource_that_ends_takes_its_picture_along),
    CASE(gpu, saved_and_loaded_it_shows_the_same),
};
TEST_MAIN(tests)
