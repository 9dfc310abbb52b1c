/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libssh, loaded when it is first needed: see lazy.h.  Include this instead of its headers. */
#ifndef BLOCK_LAZY_SSH_H
#define BLOCK_LAZY_SSH_H

#include "base/err.h"

#include <libssh/libssh.h>
#include <libssh/sftp.h>

/** lazy_ssh_load - before the first function is called; cheap the second time. */
int lazy_ssh_load(struct err *e);

extern struct lazy_ssh {
    __typeof__(sftp_async_read) *f_async_read;
    __typeof__(sftp_async_read_begin) *f_async_read_begin;
    __typeof__(sftp_attributes_free) *f_attributes_free;
    __typeof__(sftp_close) *f_close;
    __typeof__(sftp_extension_supported) *f_extension_supported;
    __typeof__(sftp_free) *f_free;
    __typeof__(sftp_fstat) *f_fstat;
    __typeof__(sftp_fsync) *f_fsync;
    __typeof__(sftp_get_error) *f_get_error;
    __typeof__(sftp_init) *f_init;
    __typeof__(sftp_new) *f_new;
    __typeof__(sftp_open) *f_open;
    __typeof__(sftp_seek64) *f_seek64;
    __typeof__(sftp_setstat) *f_setstat;
    __typeof__(sftp_write) *f_write;
    __typeof__(ssh_clean_pubkey_hash) *clean_pubkey_hash;
    __typeof__(ssh_connect) *connect;
    __typeof__(ssh_disconnect) *disconnect;
    __typeof__(ssh_free) *free;
    __typeof__(ssh_get_error) *get_error;
    __typeof__(ssh_get_publickey_hash) *get_publickey_hash;
    __typeof__(ssh_get_server_publickey) *get_server_publickey;
    __typeof__(ssh_key_free) *key_free;
    __typeof__(ssh_key_type) *key_type;
    __typeof__(ssh_key_type_to_char) *key_type_to_char;
    __typeof__(ssh_new) *new;
    __typeof__(ssh_options_get) *options_get;
    __typeof__(ssh_options_parse_config) *options_parse_config;
    __typeof__(ssh_options_set) *options_set;
    __typeof__(ssh_session_is_known_server) *session_is_known_server;
    __typeof__(ssh_string_free_char) *string_free_char;
    __typeof__(ssh_userauth_none) *userauth_none;
    __typeof__(ssh_userauth_publickey_auto) *userauth_publickey_auto;
} lazy_ssh;

#define sftp_async_read             (*lazy_ssh.f_async_read)
#define sftp_async_read_begin       (*lazy_ssh.f_async_read_begin)
#define sftp_attributes_free        (*lazy_ssh.f_attributes_free)
#define sftp_close                  (*lazy_ssh.f_close)
#define sftp_extension_supported    (*lazy_ssh.f_extension_supported)
#define sftp_free                   (*lazy_ssh.f_free)
#define sftp_fstat                  (*lazy_ssh.f_fstat)
#define sftp_fsync                  (*lazy_ssh.f_fsync)
#define sftp_get_error              (*lazy_ssh.f_get_error)
#define sftp_init                   (*lazy_ssh.f_init)
#define sftp_new                    (*lazy_ssh.f_new)
#define sftp_open                   (*lazy_ssh.f_open)
#define sftp_seek64                 (*lazy_ssh.f_seek64)
#define sftp_setstat                (*lazy_ssh.f_setstat)
#define sftp_write                  (*lazy_ssh.f_write)
#define ssh_clean_pubkey_hash       (*lazy_ssh.clean_pubkey_hash)
#define ssh_connect                 (*lazy_ssh.connect)
#define ssh_disconnect              (*lazy_ssh.disconnect)
#define ssh_free                    (*lazy_ssh.free)
#define ssh_get_error               (*lazy_ssh.get_error)
#define ssh_get_publickey_hash      (*lazy_ssh.get_publickey_hash)
#define ssh_get_server_publickey    (*lazy_ssh.get_server_publickey)
#define ssh_key_free                (*lazy_ssh.key_free)
#define ssh_key_type                (*lazy_ssh.key_type)
#define ssh_key_type_to_char        (*lazy_ssh.key_type_to_char)
#define ssh_new                     (*lazy_ssh.new)
#define ssh_options_get             (*lazy_ssh.options_get)
#define ssh_options_parse_config    (*lazy_ssh.options_parse_config)
#define ssh_options_set             (*lazy_ssh.options_set)
#define ssh_session_is_known_server (*lazy_ssh.session_is_known_server)
#define ssh_string_free_char        (*lazy_ssh.string_free_char)
#define ssh_userauth_none           (*lazy_ssh.userauth_none)
#define ssh_userauth_publickey_auto (*lazy_ssh.userauth_publickey_auto)

#endif
