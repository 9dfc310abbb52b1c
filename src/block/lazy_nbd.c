/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of libnbd that we use. */
#include "block/lazy_nbd.h"

#include "block/lazy.h"

#include <stddef.h>

struct lazy_nbd lazy_nbd;

#define F(x)                                                                                       \
    {                                                                                              \
        "nbd_" #x, (void **)&lazy_nbd.x                                                            \
    }
static const struct lazy_function functions[] = {
    F(add_meta_context),
    F(aio_block_status),
    F(aio_flush),
    F(aio_get_direction),
    F(aio_get_fd),
    F(aio_is_closed),
    F(aio_is_dead),
    F(aio_is_negotiating),
    F(aio_is_ready),
    F(aio_notify_read),
    F(aio_notify_write),
    F(aio_pread),
    F(aio_pwrite),
    F(aio_trim),
    F(aio_zero),
    F(can_cache),
    F(can_df),
    F(can_fast_zero),
    F(can_flush),
    F(can_fua),
    F(can_meta_context),
    F(can_multi_conn),
    F(can_trim),
    F(can_zero),
    F(close),
    F(connect_tcp),
    F(connect_unix),
    F(create),
    F(get_block_size),
    F(get_errno),
    F(get_error),
    F(get_size),
    F(is_read_only),
    F(is_rotational),
    F(opt_abort),
    F(opt_go),
    F(opt_info),
    F(opt_list),
    F(opt_list_meta_context),
    F(set_export_name),
    F(set_full_info),
    F(set_opt_mode),
    F(set_pread_initialize),
    F(set_tls),
    F(set_tls_certificates),
    F(set_tls_psk_file),
    F(set_tls_username),
    F(set_tls_verify_peer),
    F(shutdown),
    {NULL, NULL},
};

int lazy_nbd_load(struct err *e)
{
    return lazy_load("libnbd.so.0", functions, e);
}
