/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of libssh that we use. */
#include "block/lazy_ssh.h"

#include "block/lazy.h"

#include <stddef.h>

#define F(function, x)                                                                             \
    {                                                                                              \
        function, (void **)&lazy_ssh.x                                                             \
    }
struct lazy_ssh lazy_ssh;

static const struct lazy_function functions[] = {
    F("sftp_async_read", f_async_read),
    F("sftp_async_read_begin", f_async_read_begin),
    F("sftp_attributes_free", f_attributes_free),
    F("sftp_close", f_close),
    F("sftp_extension_supported", f_extension_supported),
    F("sftp_free", f_free),
    F("sftp_fstat", f_fstat),
    F("sftp_fsync", f_fsync),
    F("sftp_get_error", f_get_error),
    F("sftp_init", f_init),
    F("sftp_new", f_new),
    F("sftp_open", f_open),
    F("sftp_seek64", f_seek64),
    F("sftp_setstat", f_setstat),
    F("sftp_write", f_write),
    F("ssh_clean_pubkey_hash", clean_pubkey_hash),
    F("ssh_connect", connect),
    F("ssh_disconnect", disconnect),
    F("ssh_free", free),
    F("ssh_get_error", get_error),
    F("ssh_get_publickey_hash", get_publickey_hash),
    F("ssh_get_server_publickey", get_server_publickey),
    F("ssh_key_free", key_free),
    F("ssh_key_type", key_type),
    F("ssh_key_type_to_char", key_type_to_char),
    F("ssh_new", new),
    F("ssh_options_get", options_get),
    F("ssh_options_parse_config", options_parse_config),
    F("ssh_options_set", options_set),
    F("ssh_session_is_known_server", session_is_known_server),
    F("ssh_string_free_char", string_free_char),
    F("ssh_userauth_none", userauth_none),
    F("ssh_userauth_publickey_auto", userauth_publickey_auto),
    {NULL, NULL},
};

int lazy_ssh_load(struct err *e)
{
    return lazy_load("libssh.so.4", functions, e);
}
