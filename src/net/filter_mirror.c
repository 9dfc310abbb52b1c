/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter-mirror copies packets to a character device; filter-redirector sends them there instead of on their way, and
 * puts those that come from another one on it.  Each is a frame of frames.h.
 */
#include "net/frames.h"
#include "net/net_priv.h"

enum { OUT_MAX = 1 << 18 };

struct mirror {
    struct net_filter f;
    char *indev, *outdev;
    bool vnet_hdr;
    void *in, *out;
    uint8_t waiting[OUT_MAX]; /* what the device has not taken yet */
    size_t waiting_n;
    struct frames frames;
};

static const struct field mirror_opts[] = {
    FIELD(mirror, outdev, F_STR, "outdev", NULL, "character device that gets the copies"),
    FIELD(mirror, vnet_hdr, F_BOOL, "vnet_hdr_support", "off",
          "each frame says how long its header is: none"),
    FIELD_END,
};

static const struct field redirector_opts[] = {
    FIELD(mirror, indev, F_STR, "indev", NULL, "character device whose packets go on here"),
    FIELD(mirror, outdev, F_STR, "outdev", NULL, "character device that gets packets"),
    FIELD(mirror, vnet_hdr, F_BOOL, "vnet_hdr_support", "off",
          "each frame says how long its header is: none"),
    FIELD_END,
};

static struct mirror *mirror_of(struct net_filter *f)
{
    return (struct mirror *)f;
}

static size_t no_room(void *to)
{
    return 0;
}

static size_t room(void *to)
{
    return 4096;
}

static void on_packet(void *opaque, const uint8_t *buf, size_t len)
{
    struct mirror *m = opaque;
    static const struct net_meta meta;

    if (m->f.which != 1)
        net_filter_go_on(&m->f, NET_TO_CARD, 0, buf, len, &meta);
    if (m->f.which != 2)
        net_filter_go_on(&m->f, NET_FROM_CARD, 0, buf, len, &meta);
}

static void on_data(void *to, const uint8_t *buf, size_t len)
{
    struct mirror *m = to;

    if (frames_take(&m->frames, buf, len, on_packet, m) < 0) {
        net_warn(m->f.env, "%s '%s': '%s' sends no packets; it is not listened to any more",
                 m->f.type->name, m->f.id, m->indev);
        m->f.env->lines->close(m->in);
        m->in = NULL;
    }
}

static void *open_line(struct mirror *m, const char *dev, bool in, struct err *e)
{
    const struct net_env *env = m->f.env;

    if (env->lines)
        return env->lines->open(env->lines_opaque, m->f.id, dev, in ? room : no_room, on_data, m,
                                e);
    err_set(e, -ENOTSUP, "'%s': there are no character devices", dev);
    return NULL;
}

static int mirror_open(struct net_filter *f, struct err *e)
{
    struct mirror *m = mirror_of(f);

    if (!m->indev && !m->outdev)
        return err_set(e, -EINVAL, "%s needs %s at least one", f->type->name,
                       f->type == &filter_mirror ? "'outdev' property,"
                                                 : "'indev' or 'outdev' property,");
    if (m->vnet_hdr)
        return err_set(e, -ENOTSUP,
                       "%s: vnet_hdr_support=on is not supported: packets are sent whole, "
                       "without header",
                       f->type->name);
    if (m->indev && m->outdev && !strcmp(m->indev, m->outdev))
        return err_set(e, -EINVAL, "'indev' and 'outdev' could not be same for filter redirector");
    if (m->outdev && !(m->out = open_line(m, m->outdev, false, e)))
        return e->code;
    if (m->indev && !(m->in = open_line(m, m->indev, true, e)))
        return e->code;
    return 0;
}

static void mirror_close(struct net_filter *f)
{
    struct mirror *m = mirror_of(f);

    if (m->in)
        f->env->lines->close(m->in);
    if (m->out)
        f->env->lines->close(m->out);
}

static void flush(struct mirror *m)
{
    size_t n = m->waiting_n ? m->f.env->lines->write(m->out, m->waiting, m->waiting_n) : 0;

    m->waiting_n -= n;
    memmove(m->waiting, m->waiting + n, m->waiting_n);
}

static bool mirror_pass(struct net_filter *f, enum net_way way, unsigned queue,
                        const struct iovec *iov, int cnt, const struct net_meta *meta)
{
    struct mirror *m = mirror_of(f);
    size_t len = net_iov_len(iov, cnt);

    if (!m->out)
        return false;
    flush(m);
    /* A device that takes nothing loses whole packets. */
    if (m->waiting_n + FRAME_HEAD + len <= sizeof(m->waiting)) {
        put_be32(m->waiting + m->waiting_n, (uint32_t)len);
        net_iov_copy(m->waiting + m->waiting_n + FRAME_HEAD, len, iov, cnt);
        m->waiting_n += FRAME_HEAD + len;
        flush(m);
    }
    return f->type == &filter_redirector;
}

static void mirror_describe(const struct net_filter *f, char *buf, size_t len)
{
    const struct mirror *m = (const struct mirror *)f;

    snprintf(buf, len, "%s%s%s%s%s", m->indev ? "indev=" : "", m->indev ? m->indev : "",
             m->indev && m->outdev ? "," : "", m->outdev ? "outdev=" : "",
             m->outdev ? m->outdev : "");
}

const struct net_filter_type filter_mirror = {
    .name = "filter-mirror",
    .help = "copies of packets to a character device",
    .size = sizeof(struct mirror),
    .opts = mirror_opts,
    .open = mirror_open,
    .close = mirror_close,
    .pass = mirror_pass,
    .describe = mirror_describe,
};
const struct net_filter_type filter_redirector = {
    .name = "filter-redirector",
    .help = "packets to and from character devices",
    .size = sizeof(struct mirror),
    .opts = redirector_opts,
    .open = mirror_open,
    .close = mirror_close,
    .pass = mirror_pass,
    .describe = mirror_describe,
};
