/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ramfb: a frame buffer in the guest's own memory; firmware says where in the file "etc/ramfb" of fw_cfg: address (8 bytes), DRM fourcc,
 * flags, width, height, stride (4 each), all big endian.  Source: edk2, OvmfPkg/QemuRamfbDxe, and Linux' drm_fourcc.h.
 */
#include "bus/dev.h"
#include "bus/machine.h"
#include "dev/backends.h"
#include "dev/display/framebuffer.h"
#include "dev/firmware/fw_cfg.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

enum { CONFIG_LEN = 28 };
#define FOURCC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

struct ramfb {
    struct dev dev;
    struct console *console;
    struct fb fb;
    uint8_t *file; /* fw_cfg's bytes, which stay */
    uint8_t config[CONFIG_LEN]; /* in force */
    bool redraw;
};

static enum fb_format format_of(uint32_t fourcc)
{
    static const struct { uint32_t fourcc; enum fb_format f; } known[] = {
        {FOURCC('X', 'R', '2', '4'), FB_XRGB8888}, {FOURCC('A', 'R', '2', '4'), FB_XRGB8888},
        {FOURCC('X', 'B', '2', '4'), FB_XBGR8888}, {FOURCC('A', 'B', '2', '4'), FB_XBGR8888},
        {FOURCC('R', 'G', '2', '4'), FB_RGB888},   {FOURCC('R', 'G', '1', '6'), FB_RGB565},
        {FOURCC('X', 'R', '1', '5'), FB_XRGB1555},
    };

    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].fourcc == fourcc)
            return known[i].f;
    return FB_NONE;
}

/* What is asked for, if it is memory as far as it goes; otherwise there is no picture. */
static void take_config(struct ramfb *r)
{
    const uint8_t *c = r->config;
    struct fb fb = r->fb;
    struct mem_hit hit;
    uint64_t need;

    r->fb.ram = NULL;
    fb.format = format_of(get_be32(c + 8));
    fb.width = get_be32(c + 16);
    fb.height = get_be32(c + 20);
    fb.stride = get_be32(c + 24);
    if (fb.width > DISPLAY_MAX || fb.height > DISPLAY_MAX || !fb.height)
        return;
    if (!fb.stride)
        fb.stride = fb.width * fb_bytes(fb.format);
    need = (uint64_t)fb.stride * (fb.height - 1) + (uint64_t)fb.width * fb_bytes(fb.format);
    if (!space_find(machine_space(r->dev.m), get_be64(c), &hit) || !hit.host || hit.len < need)
        return;
    fb.ram = hit.ram;
    fb.off = hit.ram_off;
    if (fb_fits(&fb))
        r->fb = fb;
}

static void written(void *opaque)
{
    struct ramfb *r = opaque;

    memcpy(r->config, r->file, CONFIG_LEN);
    take_config(r);
    r->redraw = true;
    if (!r->fb.ram && get_be64(r->config))
        guest_error(&r->dev, "a frame buffer of %ux%u at %#llx is not in memory", get_be32(r->config + 16),
                    get_be32(r->config + 20), (unsigned long long)get_be64(r->config));
}

static void update(void *opaque)
{
    struct ramfb *r = opaque;
    bool all = r->redraw;

    r->redraw = false;
    fb_draw(&r->fb, r->dev.m, r->console, all);
}

static void invalidate(void *opaque)
{
    ((struct ramfb *)opaque)->redraw = true;
}

static const struct console_source source = {.update = update, .invalidate = invalidate};

static int init(struct dev *d, struct err *e)
{
    struct ramfb *r = (struct ramfb *)d;
    struct dev *fw_cfg = fw_cfg_find(d->m);
    int err;

    if (!fw_cfg)
        return err_set(e, -ENODEV, "ramfb needs a machine with fw_cfg");
    if (fw_cfg_file(fw_cfg, "etc/ramfb", &(uint32_t){0}))
        return err_set(e, -EEXIST, "there can be only one ramfb");
    err = fw_cfg_add_writable(fw_cfg, "etc/ramfb", r->config, CONFIG_LEN, written, r, &r->file, e);
    if (err < 0)
        return err;
    r->console = console_new(machine_displays(d->m), &source, r, d->id ? d->id : d->type->name, 0, false);
    return 0;
}

static void reset(struct dev *d)
{
    struct ramfb *r = (struct ramfb *)d;

    memset(r->config, 0, CONFIG_LEN);
    r->fb.ram = NULL;
}

static void fini(struct dev *d)
{
    struct ramfb *r = (struct ramfb *)d;

    console_free(r->console);
    fb_fini(&r->fb);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    take_config((struct ramfb *)d);
    ((struct ramfb *)d)->redraw = true;
    return 0;
}

static const struct state state[] = {
    STATE(ramfb, config, S_U8, 1, "as in etc/ramfb"),
    STATE_END,
};

const struct dev_type dev_ramfb = {
    .name = "ramfb",
    .help = "frame buffer in guest memory, set up by firmware",
    .class = DEV_DISPLAY,
    .size = sizeof(struct ramfb),
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
};
