/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver=throttle: requests wait for the limits of a throttle-group. */
#include "block/filter.h"
#include "block/throttle.h"

#include <stdio.h>
#include <string.h>

struct throttle {
    char *group_id;
    struct throttle_group *group;
};

static const struct field throttle_fields[] = {
    FIELD(throttle, group_id, F_STR, "throttle-group", NULL, "id of the throttle-group object"),
    FIELD_END,
};

static int throttle_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct throttle *t = b->state;
    int r = fields_take(throttle_fields, opts, t, e);

    if (r < 0)
        return r;
    if (!t->group_id)
        return err_set(e, -EINVAL, "Parameter 'throttle-group' is missing");
    if (!(t->group = throttle_find(b->env, t->group_id, e))) {
        fields_free(throttle_fields, t);
        return e->code;
    }
    filter_open(b);
    return 0;
}

static int throttle_close(struct blk *b, struct err *e)
{
    (void)e;
    fields_free(throttle_fields, b->state);
    return 0;
}

static void wait_for(struct blk *b, bool write, uint64_t len)
{
    throttle_wait(((struct throttle *)b->state)->group, write, len);
}

static int throttle_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n,
                          struct err *e)
{
    wait_for(b, false, filter_iov_len(iov, n));
    return filter_readv(b, off, iov, n, e);
}

static int throttle_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n,
                           unsigned req, struct err *e)
{
    wait_for(b, true, filter_iov_len(iov, n));
    return filter_writev(b, off, iov, n, req, e);
}

static int throttle_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    wait_for(b, true, len);
    return filter_zero(b, off, len, req, e);
}

static int throttle_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    wait_for(b, true, len);
    return filter_discard(b, off, len, e);
}

static const struct blk_io_ops throttle_io = {
    .readv = throttle_readv,
    .writev = throttle_writev,
    .zero = throttle_zero,
    .discard = throttle_discard,
    .status = filter_status,
};

const struct blk_driver filter_throttle = {
    .name = "throttle",
    .help = "requests wait for the limits of a throttle-group",
    .kind = BLK_FILTER,
    .state_size = sizeof(struct throttle),
    .open_opts = throttle_fields,
    .open = throttle_open,
    .close = throttle_close,
    .truncate = filter_truncate,
    .info = filter_info,
    .io = &throttle_io,
};

bool blk_throttle_describe(const struct blk *b, char *buf, size_t len)
{
    const struct throttle *t = b->state;
    const char *id;
    size_t n;

    if (b->drv != &filter_throttle)
        return false;
    id = t->group_id;
    /* -drive names the groups of its own so. */
    id += strncmp(id, "throttle-of-", 12) == 0 ? 12 : strncmp(id, "group-", 6) == 0 ? 6 : 0;
    throttle_describe(t->group, buf, len);
    n = strlen(buf);
    snprintf(buf + n, len - n, " group=%s", id);
    return true;
}
