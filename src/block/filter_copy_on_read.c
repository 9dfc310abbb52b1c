/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver=copy-on-read: what is read from the backing files below is kept in the top image. */
#include "block/filter.h"

struct copy_on_read {
    char *bottom;
};

static const struct field cor_fields[] = {
    FIELD(copy_on_read, bottom, F_STR, "bottom", NULL, "accepted: all layers below are copied"),
    FIELD_END,
};

static int cor_open(struct blk *b, struct json_object *opts, struct err *e)
{
    int r = fields_take(cor_fields, opts, b->state, e);

    if (r < 0)
        return r;
    fields_free(cor_fields, b->state);
    if (!(blk_flags(b->file) & BLK_RDWR))
        return err_set(e, -EINVAL, "copy-on-read needs an image that can be written");
    filter_open(b);
    return 0;
}

static int cor_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    int r = blk_copy_up(b->file, off, filter_iov_len(iov, n), e);

    return r < 0 ? r : filter_readv(b, off, iov, n, e);
}

static const struct blk_io_ops cor_io = {
    .readv = cor_readv,
    .writev = filter_writev,
    .zero = filter_zero,
    .discard = filter_discard,
    .status = filter_status,
};

const struct blk_driver filter_copy_on_read = {
    .name = "copy-on-read",
    .help = "what is read from below is kept",
    .kind = BLK_FILTER,
    .state_size = sizeof(struct copy_on_read),
    .open_opts = cor_fields,
    .how = (const char *const[]){"bottom", NULL},
    .open = cor_open,
    .truncate = filter_truncate,
    .info = filter_info,
    .io = &cor_io,
};
