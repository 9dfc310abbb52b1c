/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VNC server with a screen and no machine; a viewer of a few lines, RFC 6143: the device's pointer, and sizes that change. */
#include "tests/test.h"

#include "base/bytes.h"
#include "base/loop.h"
#include "ui/display.h"
#include "ui/vnc.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { SPOT_X = 97, SPOT_Y = 49 };
enum { RAW = 0, CURSOR = -239, DESKTOP_SIZE = -223, EXT_DESKTOP_SIZE = -308 };

struct rig {
    struct loop *loop;
    struct displays *displays;
    struct input *input;
    struct console *console;
    struct vnc_env env;
    struct vnc *vnc;
    char path[64];
    int fd; /* the viewer's */
    unsigned want_w, want_h; /* that the device was asked for */
    /* The rectangle that came last. */
    unsigned x, y, w, h;
    int encoding;
    uint8_t *data;
    uint32_t spot; /* what is at SPOT_X, SPOT_Y */
};

static void ui_size(void *opaque, unsigned width, unsigned height)
{
    struct rig *r = opaque;

    r->want_w = width;
    r->want_h = height;
}

static const struct console_source source = {.ui_size = ui_size};

/* Bytes from the server, the main loop going on meanwhile; false: it has hung up, or says nothing for two minutes. */
static bool take(struct rig *r, void *buf, size_t len)
{
    for (unsigned tries = 0; len && tries < 12000;) {
        ssize_t n = recv(r->fd, buf, len, MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n < 0) {
            displays_refresh(r->displays);
            loop_once(r->loop, 10 * 1000000);
            tries++;
            continue;
        }
        buf = (char *)buf + n;
        len -= (size_t)n;
    }
    return !len;
}

static bool give(struct rig *r, const void *buf, size_t len)
{
    return send(r->fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* @pointer: the viewer can show one. */
static bool call(struct rig *r, bool pointer)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    uint8_t buf[64], encodings[4 + 4 * 4] = {2, 0, 0, 3 + pointer};
    static const int kinds[] = {RAW, DESKTOP_SIZE, EXT_DESKTOP_SIZE, CURSOR};

    strcpy(un.sun_path, r->path);
    r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (unsigned i = 0; i < 4; i++)
        put_be32(encodings + 4 + 4 * i, (uint32_t)kinds[i]);
    return connect(r->fd, (struct sockaddr *)&un, sizeof(un)) == 0 && take(r, buf, 12) && give(r, "RFB 003.008\n", 12) && take(r, buf, 2) &&
           give(r, "\1", 1) && take(r, buf, 4) && give(r, "\1", 1) && take(r, buf, 24) && take(r, buf + 24, get_be32(buf + 20)) &&
           give(r, encodings, 4 + 4 * (3 + pointer));
}

static void ask(struct rig *r)
{
    uint8_t msg[10] = {3, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}; /* of all of it, what has changed */

    CHECK(give(r, msg, sizeof(msg)));
}

static bool take_rect(struct rig *r)
{
    uint8_t head[12];
    size_t len;

    if (!take(r, head, sizeof(head)))
        return false;
    r->x = get_be16(head);
    r->y = get_be16(head + 2);
    r->w = get_be16(head + 4);
    r->h = get_be16(head + 6);
    r->encoding = (int)get_be32(head + 8);
    free(r->data);
    len = r->encoding == RAW ? (size_t)r->w * r->h * 4 :
          r->encoding == CURSOR ? (size_t)r->w * r->h * 4 + (r->w + 7) / 8 * r->h :
          r->encoding == EXT_DESKTOP_SIZE ? 4 + 16 : 0;
    r->data = calloc(1, len + 1);
    if (!take(r, r->data, len))
        return false;
    if (r->encoding == RAW && r->x <= SPOT_X && r->y <= SPOT_Y && r->x + r->w > SPOT_X && r->y + r->h > SPOT_Y)
        r->spot = get_le32(r->data + ((SPOT_Y - r->y) * r->w + SPOT_X - r->x) * 4);
    return true;
}

/* Updates until a rectangle of @encoding comes, which is the one that is kept. */
static bool until(struct rig *r, int encoding)
{
    struct rig kept = {.data = NULL};
    uint8_t head[4];

    for (unsigned updates = 0; updates < 20 && !kept.data; updates++) {
        ask(r);
        if (!take(r, head, 4) || head[0] != 0)
            return false;
        for (unsigned n = get_be16(head + 2); n; n--) {
            if (!take_rect(r))
                return false;
            if (r->encoding != encoding || kept.data)
                continue;
            kept = *r;
            r->data = NULL;
        }
    }
    free(r->data);
    r->x = kept.x;
    r->y = kept.y;
    r->w = kept.w;
    r->h = kept.h;
    r->data = kept.data;
    return kept.data;
}

static struct rig *rig_new(void)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct json_object *o = json_object_new_object();
    char where[80];
    struct err e = {0};

    snprintf(r->path, sizeof(r->path), "/tmp/emu-vnc-test-%d", (int)getpid());
    snprintf(where, sizeof(where), "unix:%s", r->path);
    json_object_object_add(o, "vnc", json_object_new_string(where));
    r->loop = loop_new();
    r->displays = displays_new(NULL);
    r->input = input_new(NULL);
    r->console = console_new(r->displays, &source, r, "card", 0, false);
    r->env = (struct vnc_env){.loop = r->loop, .displays = r->displays, .input = r->input, .title = "test"};
    r->vnc = vnc_open(&r->env, o, &e);
    CHECK_STR(e.msg, "");
    json_object_put(o);
    return r;
}

static void rig_free(struct rig *r)
{
    close(r->fd);
    vnc_close(r->vnc);
    console_free(r->console);
    displays_free(r->displays);
    input_free(r->input);
    loop_free(r->loop);
    free(r->data);
    free(r);
}

/* 10 x 2: a row of red of which the last is transparent, and a row of nothing but one. */
static void show_pointer(struct rig *r, bool visible)
{
    uint32_t pixels[20] = {0};
    struct cursor shape = {.width = 10, .height = 2, .hot_x = 3, .hot_y = 1, .pixels = pixels};

    for (unsigned i = 0; i < 9; i++)
        pixels[i] = 0xffff0000;
    pixels[9] = 0x10ff0000;
    pixels[11] = 0xff0000ff;
    console_set_cursor(r->console, &shape);
    console_move_cursor(r->console, 100, 50, visible);
}

TEST(vnc, viewers_are_given_the_pointer)
{
    static const uint8_t mask[] = {0xff, 0x80, 0x40, 0};
    struct rig *r;

    if (!vnc_there()) {
        SKIP("built without libvncserver");
        return;
    }
    r = rig_new();
    if (CHECK(call(r, true)) && CHECK(until(r, RAW))) {
        show_pointer(r, true);
        if (CHECK(until(r, CURSOR))) {
            CHECK_EQ(r->w * 100 + r->h, 1002);
            CHECK_EQ(r->x * 100 + r->y, 301); /* the hot spot */
            CHECK_EQ(r->data[2], 0xff);       /* red, in the server's format */
            CHECK_MEM(r->data + 10 * 2 * 4, mask, sizeof(mask));
        }
        console_move_cursor(r->console, 100, 50, false);
        if (CHECK(until(r, CURSOR)))
            CHECK_EQ(r->w * r->h, 0);
    }
    rig_free(r);
}

TEST(vnc, pointers_are_painted_for_viewers_that_cannot)
{
    struct rig *r;

    if (!vnc_there()) {
        SKIP("built without libvncserver");
        return;
    }
    r = rig_new();
    if (CHECK(call(r, false)) && CHECK(until(r, RAW))) {
        show_pointer(r, true);
        for (unsigned i = 0; i < 3 && r->spot != 0xff0000 && CHECK(until(r, RAW)); i++)
            continue;
        CHECK_EQ(r->spot, 0xff0000); /* its corner: the hot spot is at 100, 50 */
    }
    rig_free(r);
}

TEST(vnc, a_viewer_without_a_device_pointer_keeps_its_own)
{
    uint8_t head[4];
    struct rig *r;

    if (!vnc_there()) {
        SKIP("built without libvncserver");
        return;
    }
    r = rig_new();
    if (CHECK(call(r, true))) {
        ask(r);
        CHECK(take(r, head, 4));
        for (unsigned n = get_be16(head + 2); n && CHECK(take_rect(r)); n--)
            CHECK(r->encoding != CURSOR);
    }
    rig_free(r);
}

TEST(vnc, sizes_change_both_ways)
{
    uint8_t msg[24] = {251, 0, 4, 0, 3, 0, 1}; /* SetDesktopSize: 1024 x 768, one screen */
    struct rig *r;

    if (!vnc_there()) {
        SKIP("built without libvncserver");
        return;
    }
    r = rig_new();
    if (CHECK(call(r, false)) && CHECK(until(r, RAW))) {
        console_resize(r->console, 320, 200);
        CHECK(until(r, EXT_DESKTOP_SIZE));
        CHECK_EQ(r->w * 1000 + r->h, 320200);
        CHECK(until(r, RAW));
        CHECK_EQ(r->w * 1000 + r->h, 320200);
        put_be16(msg + 16, 1024);
        put_be16(msg + 18, 768);
        CHECK(give(r, msg, sizeof(msg)));
        for (unsigned i = 0; i < 12000 && !r->want_w; i++)
            loop_once(r->loop, 10 * 1000000);
        CHECK_EQ(r->want_w * 1000 + r->want_h, 1024768);
    }
    rig_free(r);
}

static const struct test tests[] = {
    CASE(vnc, viewers_are_given_the_pointer),
    CASE(vnc, pointers_are_painted_for_viewers_that_cannot),
    CASE(vnc, a_viewer_without_a_device_pointer_keeps_its_own),
    CASE(vnc, sizes_change_both_ways),
};
TEST_MAIN(tests)
