/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-gpu: screens whose pictures the driver sends, in two dimensions.  Virtio 1.2, 5.7.  A flush notes what has changed; it is
 * drawn when somebody looks.  Until the driver shows something, and after a reset, the console is @other's (virtio-vga: the VGA's).
 */
#include "dev/virtio/gpu.h"

#include "dev/backends.h"
#include "dev/display/edid.h"
#include "dev/virtio/gpu_vga.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_CONTROL, QUEUE_CURSOR, CONTROL_SIZE = 256, CURSOR_SIZE = 16, MAX_SCANOUTS = 16, CURSOR_DIM = 64 };
enum { F_EDID = 1, EVENT_DISPLAY = 1, FLAG_FENCE = 1 };

/* 5.7.6.7: types of commands and answers. */
enum {
    GET_DISPLAY_INFO = 0x100, CREATE_2D, UNREF, SET_SCANOUT, FLUSH, TRANSFER, ATTACH, DETACH, GET_CAPSET_INFO, GET_CAPSET, GET_EDID,
    UPDATE_CURSOR = 0x300, MOVE_CURSOR,
    OK_NODATA = 0x1100, OK_DISPLAY_INFO, OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200, ERR_MEMORY, ERR_SCANOUT, ERR_RESOURCE, ERR_CONTEXT, ERR_PARAMETER,
};
enum { HEADER = 24, MAX_COMMAND = 64, MAX_ANSWER = HEADER + 8 + 1024, DISPLAY_INFO_LEN = HEADER + MAX_SCANOUTS * 24 };

struct gpu;

struct scanout {
    struct gpu *g;
    struct console *console;
    uint32_t resource; /* 0: off */
    struct gpu_rect at; /* of the resource */
    uint32_t want_w, want_h; /* what the viewer would like */
    struct gpu_rect dirty;   /* of the scanout; w 0: nothing */
};

struct gpu {
    struct virtio v;
    struct gpu_store store;
    struct scanout out[MAX_SCANOUTS];
    uint32_t events;
    const struct console_source *other; /* shows its picture while nothing is on; NULL: black */
    void *other_opaque;

    struct state_blob saved;
    uint32_t state_out[MAX_SCANOUTS * 5]; /* when saved: resource and rectangle of each */

    struct edid_info info; /* properties */
    uint64_t outputs, hostmem;
    bool edid;
};

static const struct field gpu_props[] = {
    FIELD(gpu, outputs, F_U64, "max_outputs", "1", "screens, 1 to 16"),
    FIELD(gpu, hostmem, F_SIZE, "max_hostmem", "268435456", "memory for pictures"),
    FIELD(gpu, edid, F_BOOL, "edid", "on", "the monitor says what it can"),
    FIELD(gpu, info.xres, F_U64, "xres", "1280", "preferred width"),
    FIELD(gpu, info.yres, F_U64, "yres", "800", "preferred height"),
    FIELD_END};

enum { MAX_STATE = 1 << 30 };
static const struct state gpu_state[] = {STATE_BLOB(gpu, saved, MAX_STATE, 1, "resources"), STATE(gpu, state_out, S_U32, 1, "scanouts"),
                                         STATE(gpu, events, S_U32, 1, NULL), STATE_END};

/* --- Screens --- */

static struct gpu_rect join(struct gpu_rect a, struct gpu_rect b)
{
    uint32_t x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    uint32_t ex = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w, ey = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;

    return !a.w || !a.h ? b : !b.w || !b.h ? a : (struct gpu_rect){x, y, ex - x, ey - y};
}

static void blank(struct console *c)
{
    struct surface *s = console_surface(c);

    console_resize(c, 640, 480);
    s = console_surface(c);
    for (unsigned y = 0; y < s->height; y++)
        memset(surface_row(s, y), 0, s->width * 4ull);
    console_dirty(c, 0, 0, s->width, s->height);
}

static void update(void *opaque)
{
    struct scanout *o = opaque;
    struct gpu *g = o->g;
    const struct gpu_resource *r = gpu_find(&g->store, o->resource);
    struct gpu_rect d = o->dirty;
    struct surface *s;

    if (!r) {
        if (g->other && o == g->out)
            g->other->update(g->other_opaque);
        else if (d.w)
            blank(o->console);
        o->dirty.w = 0;
        return;
    }
    console_resize(o->console, o->at.w, o->at.h);
    s = console_surface(o->console);
    o->dirty.w = 0;
    if (s->width != o->at.w || s->height != o->at.h || !d.w || !gpu_inside(d, s->width, s->height))
        return;
    for (uint32_t y = d.y; y < d.y + d.h; y++) {
        uint32_t *row = surface_row(s, y) + d.x;

        gpu_convert(r, o->at.x + d.x, o->at.y + y, d.w, row);
        for (uint32_t x = 0; x < d.w; x++)
            row[x] &= 0xffffff;
    }
    console_dirty(o->console, d.x, d.y, d.w, d.h);
}

static void redraw(struct scanout *o)
{
    o->dirty = o->resource ? (struct gpu_rect){0, 0, o->at.w, o->at.h} : (struct gpu_rect){0, 0, 640, 480};
    if (!o->resource && o->g->other && o == o->g->out)
        o->g->other->invalidate(o->g->other_opaque);
}

static void invalidate(void *opaque)
{
    redraw(opaque);
}

/* A viewer's window has another size: the driver is told, and may follow. */
static void ui_size(void *opaque, unsigned width, unsigned height)
{
    struct scanout *o = opaque;

    if (!width || !height || width > DISPLAY_MAX || height > DISPLAY_MAX || (width == o->want_w && height == o->want_h))
        return;
    o->want_w = width;
    o->want_h = height;
    o->g->events |= EVENT_DISPLAY;
    virtio_config_changed(&o->g->v);
}

static const struct console_source source = {.update = update, .invalidate = invalidate, .ui_size = ui_size};

static void scanout_off(struct scanout *o)
{
    o->resource = 0;
    o->at = (struct gpu_rect){0};
    redraw(o);
    console_set_cursor(o->console, NULL);
}

/* --- Commands: each takes the command's bytes after the header, zeros after its end, and says how it ended --- */

struct command {
    const struct vq_elem *el;
    uint8_t in[MAX_COMMAND];
    uint8_t answer[MAX_ANSWER];
    uint32_t len; /* of the answer, header included */
};

static uint32_t arg(const struct command *c, unsigned n)
{
    return get_le32(c->in + HEADER + 4 * n);
}

static struct gpu_rect rect_of(const struct command *c)
{
    return (struct gpu_rect){arg(c, 0), arg(c, 1), arg(c, 2), arg(c, 3)};
}

static uint32_t get_display_info(struct gpu *g, struct command *c)
{
    c->len = DISPLAY_INFO_LEN;
    for (unsigned i = 0; i < g->outputs; i++) {
        uint8_t *p = c->answer + HEADER + 24 * i;

        put_le32(p + 8, g->out[i].want_w);
        put_le32(p + 12, g->out[i].want_h);
        put_le32(p + 16, i == 0 || g->out[i].resource); /* one monitor is plugged in */
    }
    return OK_DISPLAY_INFO;
}

static uint32_t get_edid(struct gpu *g, struct command *c)
{
    struct edid_info info = g->info;
    uint32_t n = arg(c, 0);

    if (n >= g->outputs)
        return ERR_PARAMETER;
    info.xres = g->out[n].want_w;
    info.yres = g->out[n].want_h;
    put_le32(c->answer + HEADER, EDID_SIZE);
    edid_make(&info, c->answer + HEADER + 8);
    c->len = MAX_ANSWER;
    return OK_EDID;
}

static uint32_t create_2d(struct gpu *g, struct command *c)
{
    int r = gpu_create(&g->store, arg(c, 0), arg(c, 1), arg(c, 2), arg(c, 3));

    return r == -ENOMEM ? ERR_MEMORY : r == -EEXIST || !arg(c, 0) ? ERR_RESOURCE : r ? ERR_PARAMETER : OK_NODATA;
}

static uint32_t unref(struct gpu *g, struct command *c)
{
    struct gpu_resource *r = gpu_find(&g->store, arg(c, 0));

    if (!r)
        return ERR_RESOURCE;
    for (unsigned i = 0; i < g->outputs; i++)
        if (g->out[i].resource == r->id)
            scanout_off(&g->out[i]);
    gpu_destroy(&g->store, r);
    return OK_NODATA;
}

static uint32_t set_scanout(struct gpu *g, struct command *c)
{
    struct gpu_rect at = rect_of(c);
    struct gpu_resource *r;
    struct scanout *o;

    if (arg(c, 4) >= g->outputs)
        return ERR_SCANOUT;
    o = &g->out[arg(c, 4)];
    if (!arg(c, 5)) {
        scanout_off(o);
        return OK_NODATA;
    }
    if (!(r = gpu_find(&g->store, arg(c, 5))))
        return ERR_RESOURCE;
    if (!gpu_inside(at, r->width, r->height) || at.w < 16 || at.h < 16 || (uint64_t)at.w * at.h > DISPLAY_MAX_PIXELS)
        return ERR_PARAMETER;
    o->resource = r->id;
    o->at = at;
    redraw(o);
    return OK_NODATA;
}

static uint32_t flush(struct gpu *g, struct command *c)
{
    struct gpu_resource *r = gpu_find(&g->store, arg(c, 4));
    struct gpu_rect f = rect_of(c);

    if (!r)
        return ERR_RESOURCE;
    if (!gpu_inside(f, r->width, r->height))
        return ERR_PARAMETER;
    for (unsigned i = 0; i < g->outputs; i++) {
        struct scanout *o = &g->out[i];
        uint32_t x = f.x > o->at.x ? f.x : o->at.x, y = f.y > o->at.y ? f.y : o->at.y;
        uint32_t ex = min_u64(f.x + f.w, o->at.x + o->at.w), ey = min_u64(f.y + f.h, o->at.y + o->at.h);

        if (o->resource == r->id && x < ex && y < ey)
            o->dirty = join(o->dirty, (struct gpu_rect){x - o->at.x, y - o->at.y, ex - x, ey - y});
    }
    return OK_NODATA;
}

static uint32_t transfer(struct gpu *g, struct command *c)
{
    struct gpu_resource *r = gpu_find(&g->store, arg(c, 6));

    if (!r)
        return ERR_RESOURCE;
    if (!r->entry)
        return ERR_UNSPEC;
    return gpu_transfer(r, g->v.space, rect_of(c), get_le64(c->in + HEADER + 16)) < 0 ? ERR_PARAMETER : OK_NODATA;
}

static uint32_t attach(struct gpu *g, struct command *c)
{
    struct gpu_resource *r = gpu_find(&g->store, arg(c, 0));
    uint32_t n = arg(c, 1);
    struct gpu_entry *entry;
    uint8_t raw[16];

    if (!r)
        return ERR_RESOURCE;
    if (n > GPU_MAX_ENTRIES || c->el->rd_len < HEADER + 8 + 16ull * n)
        return ERR_UNSPEC;
    if (!(entry = calloc(n ? n : 1, sizeof(*entry))))
        return ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        iov_read(c->el->rd, c->el->n_rd, HEADER + 8 + 16ull * i, raw, sizeof(raw));
        entry[i] = (struct gpu_entry){get_le64(raw), get_le32(raw + 8)};
    }
    if (gpu_attach(&g->store, r, entry, n) < 0) {
        free(entry);
        return ERR_UNSPEC;
    }
    return OK_NODATA;
}

static uint32_t detach(struct gpu *g, struct command *c)
{
    struct gpu_resource *r = gpu_find(&g->store, arg(c, 0));

    if (!r || !r->entry)
        return r ? ERR_UNSPEC : ERR_RESOURCE;
    gpu_detach(&g->store, r);
    return OK_NODATA;
}

/* 5.7.6.10: scanout, x, y; resource, hot spot. */
static uint32_t move_cursor(struct gpu *g, struct command *c)
{
    if (arg(c, 0) >= g->outputs)
        return ERR_SCANOUT;
    console_move_cursor(g->out[arg(c, 0)].console, (int)arg(c, 1), (int)arg(c, 2), true);
    return OK_NODATA;
}

static uint32_t update_cursor(struct gpu *g, struct command *c)
{
    const struct gpu_resource *r = gpu_find(&g->store, arg(c, 4));
    uint32_t pixels[CURSOR_DIM * CURSOR_DIM];
    struct cursor shape = {CURSOR_DIM, CURSOR_DIM, arg(c, 5), arg(c, 6), pixels};

    if (arg(c, 0) >= g->outputs)
        return ERR_SCANOUT;
    if (arg(c, 4) && (!r || r->width != CURSOR_DIM || r->height != CURSOR_DIM))
        return ERR_RESOURCE;
    shape.hot_x = shape.hot_x < CURSOR_DIM ? shape.hot_x : 0;
    shape.hot_y = shape.hot_y < CURSOR_DIM ? shape.hot_y : 0;
    if (r)
        gpu_convert(r, 0, 0, CURSOR_DIM * CURSOR_DIM, pixels);
    console_set_cursor(g->out[arg(c, 0)].console, r ? &shape : NULL);
    return move_cursor(g, c);
}

typedef uint32_t command_fn(struct gpu *g, struct command *c);
static const struct {
    uint16_t type;
    uint8_t queue, args; /* args: bytes after the header that must be there */
    command_fn *run;
} commands[] = {
    {GET_DISPLAY_INFO, QUEUE_CONTROL, 0, get_display_info}, {CREATE_2D, QUEUE_CONTROL, 16, create_2d},
    {UNREF, QUEUE_CONTROL, 4, unref}, {SET_SCANOUT, QUEUE_CONTROL, 24, set_scanout}, {FLUSH, QUEUE_CONTROL, 20, flush},
    {TRANSFER, QUEUE_CONTROL, 28, transfer}, {ATTACH, QUEUE_CONTROL, 8, attach}, {DETACH, QUEUE_CONTROL, 4, detach},
    {GET_EDID, QUEUE_CONTROL, 4, get_edid}, {UPDATE_CURSOR, QUEUE_CURSOR, 28, update_cursor}, {MOVE_CURSOR, QUEUE_CURSOR, 12, move_cursor},
};

static uint32_t run(struct gpu *g, unsigned queue, struct command *c)
{
    uint32_t type = get_le32(c->in);

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].type == type && commands[i].queue == queue)
            return c->el->rd_len < (uint64_t)HEADER + commands[i].args ? ERR_PARAMETER : commands[i].run(g, c);
    return ERR_UNSPEC;
}

static uint32_t serve(struct gpu *g, unsigned queue, const struct vq_elem *el)
{
    struct command c = {.el = el, .len = HEADER};
    uint32_t type;

    iov_read(el->rd, el->n_rd, 0, c.in, sizeof(c.in));
    type = run(g, queue, &c);
    if (type >= ERR_UNSPEC)
        c.len = HEADER;
    put_le32(c.answer, type);
    if (get_le32(c.in + 4) & FLAG_FENCE) { /* 5.7.6.7: it comes back */
        put_le32(c.answer + 4, FLAG_FENCE);
        memcpy(c.answer + 8, c.in + 8, 12);
    }
    return (uint32_t)iov_write(el->wr, el->n_wr, 0, c.answer, c.len);
}

static void gpu_kick(struct virtio *v, struct vq *q)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};

    do {
        while (vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0)
            vq_push(q, &el, serve((struct gpu *)v, q->index, &el));
    } while (vq_listen(q));
    vq_notify(q);
}

/* --- Configuration: events, events to clear, screens, capability sets --- */

static void gpu_config(struct virtio *v, uint8_t *cfg)
{
    struct gpu *g = (struct gpu *)v;

    memset(cfg, 0, v->config_len);
    put_le32(cfg, g->events);
    put_le32(cfg + 8, (uint32_t)g->outputs);
}

static void gpu_config_written(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg)
{
    if (off <= 4 && off + len >= 8)
        ((struct gpu *)v)->events &= ~get_le32(cfg + 4);
}

/* --- Life --- */

static void gpu_reset(struct virtio *v)
{
    struct gpu *g = (struct gpu *)v;

    for (unsigned i = 0; i < g->outputs; i++)
        if (g->out[i].resource)
            scanout_off(&g->out[i]);
    gpu_destroy_all(&g->store);
    g->events = 0;
}

static int gpu_init(struct virtio *v, struct err *e)
{
    struct gpu *g = (struct gpu *)v;

    if (!g->outputs || g->outputs > MAX_SCANOUTS)
        return err_set(e, -EINVAL, "invalid max_outputs %llu: want 1 to %d", (unsigned long long)g->outputs, MAX_SCANOUTS);
    if (!g->info.xres || g->info.xres > DISPLAY_MAX || !g->info.yres || g->info.yres > DISPLAY_MAX)
        return err_set(e, -EINVAL, "xres=%llu, yres=%llu: want 1 to %d", (unsigned long long)g->info.xres,
                       (unsigned long long)g->info.yres, DISPLAY_MAX);
    if (g->hostmem > MAX_STATE / 2)
        g->hostmem = MAX_STATE / 2;
    g->store.limit = g->hostmem;
    for (unsigned i = 0; i < g->outputs; i++) {
        struct scanout *o = &g->out[i];

        *o = (struct scanout){.g = g, .want_w = (uint32_t)g->info.xres, .want_h = (uint32_t)g->info.yres};
        o->console = console_new(machine_displays(v->m), &source, o, v->dev->id ? v->dev->id : v->dev->type->name, i, false);
    }
    virtio_add_queues(v, 1, CONTROL_SIZE);
    virtio_add_queues(v, 1, CURSOR_SIZE);
    v->host_features |= g->edid ? VIRTIO_BIT(F_EDID) : 0;
    v->config_len = 16;
    return 0;
}

static void gpu_fini(struct virtio *v)
{
    struct gpu *g = (struct gpu *)v;

    for (unsigned i = 0; i < g->outputs; i++)
        console_free(g->out[i].console);
    gpu_destroy_all(&g->store);
    free(g->saved.data);
}

struct console *gpu_show_other(struct virtio *v, const struct console_source *other, void *opaque)
{
    struct gpu *g = (struct gpu *)v;

    g->other = other;
    g->other_opaque = opaque;
    return g->out[0].console;
}

/* --- Saved state --- */

static void gpu_saving(struct virtio *v)
{
    struct gpu *g = (struct gpu *)v;

    gpu_save(&g->store, &g->saved);
    for (unsigned i = 0; i < MAX_SCANOUTS; i++) {
        const struct scanout *o = &g->out[i];

        memcpy(g->state_out + 5 * i, (uint32_t[]){o->resource, o->at.x, o->at.y, o->at.w, o->at.h}, 20);
    }
}

static void gpu_saved(struct virtio *v)
{
    struct gpu *g = (struct gpu *)v;

    free(g->saved.data);
    g->saved = (struct state_blob){0};
}

static int gpu_loaded(struct virtio *v, int version, struct err *e)
{
    struct gpu *g = (struct gpu *)v;
    int r;

    for (unsigned i = 0; i < g->outputs; i++)
        g->out[i].resource = 0;
    if ((r = gpu_load(&g->store, &g->saved, e)) < 0)
        return r;
    gpu_saved(v);
    for (unsigned i = 0; i < g->outputs; i++) {
        const uint32_t *s = g->state_out + 5 * i;
        const struct gpu_resource *res = gpu_find(&g->store, s[0]);
        struct gpu_rect at = {s[1], s[2], s[3], s[4]};

        if (s[0] && (!res || !gpu_inside(at, res->width, res->height)))
            return err_set(e, -EILSEQ, "screen %u shows what is not there", i);
        g->out[i].resource = s[0];
        g->out[i].at = at;
        redraw(&g->out[i]);
    }
    return 0;
}

const struct virtio_type virtio_gpu = {
    .name = "gpu",
    .help = "graphics, two-dimensional",
    .class = DEV_DISPLAY,
    .id = 16,
    .pci_class = 0x038000,
    .pci_vectors = 3,
    .size = sizeof(struct gpu),
    .props = gpu_props,
    .state = gpu_state,
    .init = gpu_init,
    .fini = gpu_fini,
    .reset = gpu_reset,
    .kick = gpu_kick,
    .config = gpu_config,
    .config_written = gpu_config_written,
    .saving = gpu_saving,
    .saved = gpu_saved,
    .loaded = gpu_loaded,
};
