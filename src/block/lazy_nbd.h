/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnbd, loaded when it is first needed: see lazy.h.  Include this instead of its headers. */
#ifndef BLOCK_LAZY_NBD_H
#define BLOCK_LAZY_NBD_H

#include "base/err.h"

#include <libnbd.h>

/** lazy_nbd_load - before the first function is called; cheap the second time. */
int lazy_nbd_load(struct err *e);

extern struct lazy_nbd {
    __typeof__(nbd_add_meta_context) *add_meta_context;
    __typeof__(nbd_aio_block_status) *aio_block_status;
    __typeof__(nbd_aio_flush) *aio_flush;
    __typeof__(nbd_aio_get_direction) *aio_get_direction;
    __typeof__(nbd_aio_get_fd) *aio_get_fd;
    __typeof__(nbd_aio_is_closed) *aio_is_closed;
    __typeof__(nbd_aio_is_dead) *aio_is_dead;
    __typeof__(nbd_aio_is_negotiating) *aio_is_negotiating;
    __typeof__(nbd_aio_is_ready) *aio_is_ready;
    __typeof__(nbd_aio_notify_read) *aio_notify_read;
    __typeof__(nbd_aio_notify_write) *aio_notify_write;
    __typeof__(nbd_aio_pread) *aio_pread;
    __typeof__(nbd_aio_pwrite) *aio_pwrite;
    __typeof__(nbd_aio_trim) *aio_trim;
    __typeof__(nbd_aio_zero) *aio_zero;
    __typeof__(nbd_can_cache) *can_cache;
    __typeof__(nbd_can_df) *can_df;
    __typeof__(nbd_can_fast_zero) *can_fast_zero;
    __typeof__(nbd_can_flush) *can_flush;
    __typeof__(nbd_can_fua) *can_fua;
    __typeof__(nbd_can_meta_context) *can_meta_context;
    __typeof__(nbd_can_multi_conn) *can_multi_conn;
    __typeof__(nbd_can_trim) *can_trim;
    __typeof__(nbd_can_zero) *can_zero;
    __typeof__(nbd_close) *close;
    __typeof__(nbd_connect_tcp) *connect_tcp;
    __typeof__(nbd_connect_unix) *connect_unix;
    __typeof__(nbd_create) *create;
    __typeof__(nbd_get_block_size) *get_block_size;
    __typeof__(nbd_get_errno) *get_errno;
    __typeof__(nbd_get_error) *get_error;
    __typeof__(nbd_get_size) *get_size;
    __typeof__(nbd_is_read_only) *is_read_only;
    __typeof__(nbd_is_rotational) *is_rotational;
    __typeof__(nbd_opt_abort) *opt_abort;
    __typeof__(nbd_opt_go) *opt_go;
    __typeof__(nbd_opt_info) *opt_info;
    __typeof__(nbd_opt_list) *opt_list;
    __typeof__(nbd_opt_list_meta_context) *opt_list_meta_context;
    __typeof__(nbd_set_export_name) *set_export_name;
    __typeof__(nbd_set_full_info) *set_full_info;
    __typeof__(nbd_set_opt_mode) *set_opt_mode;
    __typeof__(nbd_set_pread_initialize) *set_pread_initialize;
    __typeof__(nbd_set_tls) *set_tls;
    __typeof__(nbd_set_tls_certificates) *set_tls_certificates;
    __typeof__(nbd_set_tls_psk_file) *set_tls_psk_file;
    __typeof__(nbd_set_tls_username) *set_tls_username;
    __typeof__(nbd_set_tls_verify_peer) *set_tls_verify_peer;
    __typeof__(nbd_shutdown) *shutdown;
} lazy_nbd;

#define nbd_add_meta_context      (*lazy_nbd.add_meta_context)
#define nbd_aio_block_status      (*lazy_nbd.aio_block_status)
#define nbd_aio_flush             (*lazy_nbd.aio_flush)
#define nbd_aio_get_direction     (*lazy_nbd.aio_get_direction)
#define nbd_aio_get_fd            (*lazy_nbd.aio_get_fd)
#define nbd_aio_is_closed         (*lazy_nbd.aio_is_closed)
#define nbd_aio_is_dead           (*lazy_nbd.aio_is_dead)
#define nbd_aio_is_negotiating    (*lazy_nbd.aio_is_negotiating)
#define nbd_aio_is_ready          (*lazy_nbd.aio_is_ready)
#define nbd_aio_notify_read       (*lazy_nbd.aio_notify_read)
#define nbd_aio_notify_write      (*lazy_nbd.aio_notify_write)
#define nbd_aio_pread             (*lazy_nbd.aio_pread)
#define nbd_aio_pwrite            (*lazy_nbd.aio_pwrite)
#define nbd_aio_trim              (*lazy_nbd.aio_trim)
#define nbd_aio_zero              (*lazy_nbd.aio_zero)
#define nbd_can_cache             (*lazy_nbd.can_cache)
#define nbd_can_df                (*lazy_nbd.can_df)
#define nbd_can_fast_zero         (*lazy_nbd.can_fast_zero)
#define nbd_can_flush             (*lazy_nbd.can_flush)
#define nbd_can_fua               (*lazy_nbd.can_fua)
#define nbd_can_meta_context      (*lazy_nbd.can_meta_context)
#define nbd_can_multi_conn        (*lazy_nbd.can_multi_conn)
#define nbd_can_trim              (*lazy_nbd.can_trim)
#define nbd_can_zero              (*lazy_nbd.can_zero)
#define nbd_close                 (*lazy_nbd.close)
#define nbd_connect_tcp           (*lazy_nbd.connect_tcp)
#define nbd_connect_unix          (*lazy_nbd.connect_unix)
#define nbd_create                (*lazy_nbd.create)
#define nbd_get_block_size        (*lazy_nbd.get_block_size)
#define nbd_get_errno             (*lazy_nbd.get_errno)
#define nbd_get_error             (*lazy_nbd.get_error)
#define nbd_get_size              (*lazy_nbd.get_size)
#define nbd_is_read_only          (*lazy_nbd.is_read_only)
#define nbd_is_rotational         (*lazy_nbd.is_rotational)
#define nbd_opt_abort             (*lazy_nbd.opt_abort)
#define nbd_opt_go                (*lazy_nbd.opt_go)
#define nbd_opt_info              (*lazy_nbd.opt_info)
#define nbd_opt_list              (*lazy_nbd.opt_list)
#define nbd_opt_list_meta_context (*lazy_nbd.opt_list_meta_context)
#define nbd_set_export_name       (*lazy_nbd.set_export_name)
#define nbd_set_full_info         (*lazy_nbd.set_full_info)
#define nbd_set_opt_mode          (*lazy_nbd.set_opt_mode)
#define nbd_set_pread_initialize  (*lazy_nbd.set_pread_initialize)
#define nbd_set_tls               (*lazy_nbd.set_tls)
#define nbd_set_tls_certificates  (*lazy_nbd.set_tls_certificates)
#define nbd_set_tls_psk_file      (*lazy_nbd.set_tls_psk_file)
#define nbd_set_tls_username      (*lazy_nbd.set_tls_username)
#define nbd_set_tls_verify_peer   (*lazy_nbd.set_tls_verify_peer)
#define nbd_shutdown              (*lazy_nbd.shutdown)

#endif
