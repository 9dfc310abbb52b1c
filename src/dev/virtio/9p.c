/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-9p: a folder of the host, shared by the 9P protocol (p9.h).  Device ID 9; the queue carries requests, each with
 * room for its reply; the configuration space has the mount tag.  One worker thread serves requests in order.
 */
#include "dev/virtio/p9.h"
#include "dev/virtio/virtio.h"
#include "dev/virtio/workers.h"

#include <errno.h>
#include <stdlib.h>

enum { F_MOUNT_TAG = 0, QUEUE_SIZE = 128, TAG_MAX = 64 };

struct v9p {
    struct virtio v;
    struct p9 *server;
    struct workers *ws;
    char *fsdev, *tag;
    struct state_blob open, later; /* when saved: what the guest has open; requests, of which there are none */
};

static const struct field v9p_props[] = {
    FIELD(v9p, fsdev, F_STR, "fsdev", NULL, "ID of the shared folder"),
    FIELD(v9p, tag, F_STR, "mount_tag", NULL, "name that the guest mounts it by"), FIELD_END};

static const struct state v9p_state[] = {STATE_BLOB(v9p, open, P9_STATE_MAX, 1, "protocol, files"),
                                         STATE_END};

static void do_batch(struct virtio *v, struct vq *q, struct work *w, unsigned n)
{
    struct v9p *s = (struct v9p *)v;

    for (unsigned i = 0; i < n; i++) {
        struct vq_elem *el = &work_get(w, i)->el;
        int64_t r = p9_handle(s->server, el->rd, el->n_rd, el->wr, el->n_wr);

        if (r < 0) {
            virtio_break(v, "a request of %" PRIu64 " bytes, with %" PRIu64 " for the reply",
                         el->rd_len, el->wr_len);
            return;
        }
        work_done(w, i, (uint32_t)r);
    }
}

static const struct work_ops work_ops = {.item_size = sizeof(struct work_item),
                                         .do_batch = do_batch};

static void v9p_kick(struct virtio *v, struct vq *q)
{
    workers_kick(((struct v9p *)v)->ws, q);
}

static void v9p_config(struct virtio *v, uint8_t *c)
{
    struct v9p *s = (struct v9p *)v;

    put_le16(c, (uint16_t)strlen(s->tag));
    memcpy(c + 2, s->tag, strlen(s->tag));
}

static void v9p_reset(struct virtio *v)
{
    struct v9p *s = (struct v9p *)v;

    workers_forget(s->ws);
    p9_reset(s->server);
}

static void v9p_queue_reset(struct virtio *v, struct vq *q)
{
    workers_forget_queue(((struct v9p *)v)->ws, q);
}

static void v9p_saving(struct virtio *v)
{
    struct v9p *s = (struct v9p *)v;

    workers_saving(s->ws, &s->later);
    p9_save(s->server, &s->open);
}

static void v9p_saved(struct virtio *v)
{
    workers_go(((struct v9p *)v)->ws);
}

static int v9p_loaded(struct virtio *v, int version, struct err *e)
{
    struct v9p *s = (struct v9p *)v;
    int r = p9_load(s->server, &s->open, e);

    return r < 0 ? r : workers_loaded(s->ws, &s->later, e);
}

static int v9p_init(struct virtio *v, struct err *e)
{
    struct v9p *s = (struct v9p *)v;
    struct json_object *opts;

    if (!s->fsdev || !(opts = machine_backend(v->m, "fsdev", s->fsdev)))
        return err_set(e, -ENOENT, "9pfs device couldn't find fsdev with the id = %s",
                       s->fsdev ? s->fsdev : "NULL");
    if (!s->tag || !*s->tag || strlen(s->tag) > TAG_MAX)
        return err_set(e, -EINVAL, "mount_tag is '%s': want 1 to %d characters",
                       s->tag ? s->tag : "", TAG_MAX);
    if (!(s->server = p9_new(opts, e)))
        return e->code;
    v->host_features |= VIRTIO_BIT(F_MOUNT_TAG);
    v->config_len = 2 + (unsigned)strlen(s->tag);
    virtio_add_queues(v, 1, QUEUE_SIZE);
    s->ws = workers_new(v, &work_ops, 1, NULL);
    return 0;
}

static void v9p_fini(struct virtio *v)
{
    struct v9p *s = (struct v9p *)v;

    workers_free(s->ws);
    p9_free(s->server);
    free(s->open.data);
    free(s->later.data);
}

const struct virtio_type virtio_9p = {
    .name = "9p",
    .help = "shared folder of the host",
    .class = DEV_STORAGE,
    .id = 9,
    .legacy_pci_id = 0x1009,
    .pci_class = 0x000200,
    .pci_vectors = 2,
    .size = sizeof(struct v9p),
    .props = v9p_props,
    .state = v9p_state,
    .init = v9p_init,
    .fini = v9p_fini,
    .reset = v9p_reset,
    .kick = v9p_kick,
    .config = v9p_config,
    .queue_reset = v9p_queue_reset,
    .saving = v9p_saving,
    .saved = v9p_saved,
    .loaded = v9p_loaded,
};
