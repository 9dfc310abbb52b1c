/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GnuTLS, loaded when it is first needed: see lazy.h.  Include this instead of its headers. */
#ifndef BLOCK_LAZY_GNUTLS_H
#define BLOCK_LAZY_GNUTLS_H

#include "base/err.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/** lazy_gnutls_load - before the first function is called; cheap the second time. */
int lazy_gnutls_load(struct err *e);

extern struct lazy_gnutls {
    __typeof__(gnutls_anon_allocate_client_credentials) *anon_allocate_client_credentials;
    __typeof__(gnutls_anon_allocate_server_credentials) *anon_allocate_server_credentials;
    __typeof__(gnutls_anon_free_client_credentials) *anon_free_client_credentials;
    __typeof__(gnutls_anon_free_server_credentials) *anon_free_server_credentials;
    __typeof__(gnutls_anon_set_server_known_dh_params) *anon_set_server_known_dh_params;
    __typeof__(gnutls_bye) *bye;
    __typeof__(gnutls_certificate_allocate_credentials) *certificate_allocate_credentials;
    __typeof__(gnutls_certificate_free_credentials) *certificate_free_credentials;
    __typeof__(gnutls_certificate_get_peers) *certificate_get_peers;
    __typeof__(gnutls_certificate_server_set_request) *certificate_server_set_request;
    __typeof__(gnutls_certificate_set_x509_crl_file) *certificate_set_x509_crl_file;
    __typeof__(gnutls_certificate_set_x509_key_file2) *certificate_set_x509_key_file2;
    __typeof__(gnutls_certificate_set_x509_trust_file) *certificate_set_x509_trust_file;
    __typeof__(gnutls_certificate_verify_peers3) *certificate_verify_peers3;
    __typeof__(gnutls_cipher_decrypt2) *cipher_decrypt2;
    __typeof__(gnutls_cipher_deinit) *cipher_deinit;
    __typeof__(gnutls_cipher_encrypt2) *cipher_encrypt2;
    __typeof__(gnutls_cipher_init) *cipher_init;
    __typeof__(gnutls_cipher_set_iv) *cipher_set_iv;
    __typeof__(gnutls_credentials_set) *credentials_set;
    __typeof__(gnutls_deinit) *deinit;
    __typeof__(gnutls_error_is_fatal) *error_is_fatal;
    __typeof__(gnutls_handshake) *handshake;
    __typeof__(gnutls_handshake_set_timeout) *handshake_set_timeout;
    __typeof__(gnutls_hash) *hash;
    __typeof__(gnutls_hash_deinit) *hash_deinit;
    __typeof__(gnutls_hash_get_len) *hash_get_len;
    __typeof__(gnutls_hash_init) *hash_init;
    __typeof__(gnutls_init) *init;
    __typeof__(gnutls_pbkdf2) *key_pbkdf2;
    __typeof__(gnutls_priority_set_direct) *priority_set_direct;
    __typeof__(gnutls_psk_allocate_client_credentials) *psk_allocate_client_credentials;
    __typeof__(gnutls_psk_allocate_server_credentials) *psk_allocate_server_credentials;
    __typeof__(gnutls_psk_free_client_credentials) *psk_free_client_credentials;
    __typeof__(gnutls_psk_free_server_credentials) *psk_free_server_credentials;
    __typeof__(gnutls_psk_server_get_username) *psk_server_get_username;
    __typeof__(gnutls_psk_set_client_credentials) *psk_set_client_credentials;
    __typeof__(gnutls_psk_set_server_credentials_file) *psk_set_server_credentials_file;
    __typeof__(gnutls_record_check_pending) *record_check_pending;
    __typeof__(gnutls_record_cork) *record_cork;
    __typeof__(gnutls_record_get_direction) *record_get_direction;
    __typeof__(gnutls_record_recv) *record_recv;
    __typeof__(gnutls_record_send) *record_send;
    __typeof__(gnutls_record_uncork) *record_uncork;
    __typeof__(gnutls_server_name_set) *server_name_set;
    __typeof__(gnutls_strerror) *strerror;
    __typeof__(gnutls_transport_set_int2) *transport_set_int2;
    __typeof__(gnutls_x509_crt_deinit) *x509_crt_deinit;
    __typeof__(gnutls_x509_crt_get_dn) *x509_crt_get_dn;
    __typeof__(gnutls_x509_crt_import) *x509_crt_import;
    __typeof__(gnutls_x509_crt_init) *x509_crt_init;
} lazy_gnutls;

#define gnutls_anon_allocate_client_credentials (*lazy_gnutls.anon_allocate_client_credentials)
#define gnutls_anon_allocate_server_credentials (*lazy_gnutls.anon_allocate_server_credentials)
#define gnutls_anon_free_client_credentials     (*lazy_gnutls.anon_free_client_credentials)
#define gnutls_anon_free_server_credentials     (*lazy_gnutls.anon_free_server_credentials)
#define gnutls_anon_set_server_known_dh_params  (*lazy_gnutls.anon_set_server_known_dh_params)
#define gnutls_bye                              (*lazy_gnutls.bye)
#define gnutls_certificate_allocate_credentials (*lazy_gnutls.certificate_allocate_credentials)
#define gnutls_certificate_free_credentials     (*lazy_gnutls.certificate_free_credentials)
#define gnutls_certificate_get_peers            (*lazy_gnutls.certificate_get_peers)
#define gnutls_certificate_server_set_request   (*lazy_gnutls.certificate_server_set_request)
#define gnutls_certificate_set_x509_crl_file    (*lazy_gnutls.certificate_set_x509_crl_file)
#define gnutls_certificate_set_x509_key_file2   (*lazy_gnutls.certificate_set_x509_key_file2)
#define gnutls_certificate_set_x509_trust_file  (*lazy_gnutls.certificate_set_x509_trust_file)
#define gnutls_certificate_verify_peers3        (*lazy_gnutls.certificate_verify_peers3)
#define gnutls_cipher_decrypt2                  (*lazy_gnutls.cipher_decrypt2)
#define gnutls_cipher_deinit                    (*lazy_gnutls.cipher_deinit)
#define gnutls_cipher_encrypt2                  (*lazy_gnutls.cipher_encrypt2)
#define gnutls_cipher_init                      (*lazy_gnutls.cipher_init)
#define gnutls_cipher_set_iv                    (*lazy_gnutls.cipher_set_iv)
#define gnutls_credentials_set                  (*lazy_gnutls.credentials_set)
#define gnutls_deinit                           (*lazy_gnutls.deinit)
#define gnutls_error_is_fatal                   (*lazy_gnutls.error_is_fatal)
#define gnutls_handshake                        (*lazy_gnutls.handshake)
#define gnutls_handshake_set_timeout            (*lazy_gnutls.handshake_set_timeout)
#define gnutls_hash                             (*lazy_gnutls.hash)
#define gnutls_hash_deinit                      (*lazy_gnutls.hash_deinit)
#define gnutls_hash_get_len                     (*lazy_gnutls.hash_get_len)
#define gnutls_hash_init                        (*lazy_gnutls.hash_init)
#define gnutls_init                             (*lazy_gnutls.init)
#define gnutls_pbkdf2                           (*lazy_gnutls.key_pbkdf2)
#define gnutls_priority_set_direct              (*lazy_gnutls.priority_set_direct)
#define gnutls_psk_allocate_client_credentials  (*lazy_gnutls.psk_allocate_client_credentials)
#define gnutls_psk_allocate_server_credentials  (*lazy_gnutls.psk_allocate_server_credentials)
#define gnutls_psk_free_client_credentials      (*lazy_gnutls.psk_free_client_credentials)
#define gnutls_psk_free_server_credentials      (*lazy_gnutls.psk_free_server_credentials)
#define gnutls_psk_server_get_username          (*lazy_gnutls.psk_server_get_username)
#define gnutls_psk_set_client_credentials       (*lazy_gnutls.psk_set_client_credentials)
#define gnutls_psk_set_server_credentials_file  (*lazy_gnutls.psk_set_server_credentials_file)
#define gnutls_record_check_pending             (*lazy_gnutls.record_check_pending)
#define gnutls_record_cork                      (*lazy_gnutls.record_cork)
#define gnutls_record_get_direction             (*lazy_gnutls.record_get_direction)
#define gnutls_record_recv                      (*lazy_gnutls.record_recv)
#define gnutls_record_send                      (*lazy_gnutls.record_send)
#define gnutls_record_uncork                    (*lazy_gnutls.record_uncork)
#define gnutls_server_name_set                  (*lazy_gnutls.server_name_set)
#define gnutls_strerror                         (*lazy_gnutls.strerror)
#define gnutls_transport_set_int2               (*lazy_gnutls.transport_set_int2)
#define gnutls_x509_crt_deinit                  (*lazy_gnutls.x509_crt_deinit)
#define gnutls_x509_crt_get_dn                  (*lazy_gnutls.x509_crt_get_dn)
#define gnutls_x509_crt_import                  (*lazy_gnutls.x509_crt_import)
#define gnutls_x509_crt_init                    (*lazy_gnutls.x509_crt_init)

#endif
