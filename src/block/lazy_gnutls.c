/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of GnuTLS that we use. */
#include "block/lazy_gnutls.h"

#include "block/lazy.h"

#include <stddef.h>

#define F(function, x)                                                                             \
    {                                                                                              \
        function, (void **)&lazy_gnutls.x                                                          \
    }
struct lazy_gnutls lazy_gnutls;

static const struct lazy_function functions[] = {
    F("gnutls_anon_allocate_client_credentials", anon_allocate_client_credentials),
    F("gnutls_anon_allocate_server_credentials", anon_allocate_server_credentials),
    F("gnutls_anon_free_client_credentials", anon_free_client_credentials),
    F("gnutls_anon_free_server_credentials", anon_free_server_credentials),
    F("gnutls_anon_set_server_known_dh_params", anon_set_server_known_dh_params),
    F("gnutls_bye", bye),
    F("gnutls_certificate_allocate_credentials", certificate_allocate_credentials),
    F("gnutls_certificate_free_credentials", certificate_free_credentials),
    F("gnutls_certificate_get_peers", certificate_get_peers),
    F("gnutls_certificate_server_set_request", certificate_server_set_request),
    F("gnutls_certificate_set_x509_crl_file", certificate_set_x509_crl_file),
    F("gnutls_certificate_set_x509_key_file2", certificate_set_x509_key_file2),
    F("gnutls_certificate_set_x509_trust_file", certificate_set_x509_trust_file),
    F("gnutls_certificate_verify_peers3", certificate_verify_peers3),
    F("gnutls_cipher_decrypt2", cipher_decrypt2),
    F("gnutls_cipher_deinit", cipher_deinit),
    F("gnutls_cipher_encrypt2", cipher_encrypt2),
    F("gnutls_cipher_init", cipher_init),
    F("gnutls_cipher_set_iv", cipher_set_iv),
    F("gnutls_credentials_set", credentials_set),
    F("gnutls_deinit", deinit),
    F("gnutls_error_is_fatal", error_is_fatal),
    F("gnutls_handshake", handshake),
    F("gnutls_handshake_set_timeout", handshake_set_timeout),
    F("gnutls_hash", hash),
    F("gnutls_hash_deinit", hash_deinit),
    F("gnutls_hash_get_len", hash_get_len),
    F("gnutls_hash_init", hash_init),
    F("gnutls_init", init),
    F("gnutls_pbkdf2", key_pbkdf2),
    F("gnutls_priority_set_direct", priority_set_direct),
    F("gnutls_psk_allocate_client_credentials", psk_allocate_client_credentials),
    F("gnutls_psk_allocate_server_credentials", psk_allocate_server_credentials),
    F("gnutls_psk_free_client_credentials", psk_free_client_credentials),
    F("gnutls_psk_free_server_credentials", psk_free_server_credentials),
    F("gnutls_psk_server_get_username", psk_server_get_username),
    F("gnutls_psk_set_client_credentials", psk_set_client_credentials),
    F("gnutls_psk_set_server_credentials_file", psk_set_server_credentials_file),
    F("gnutls_record_check_pending", record_check_pending),
    F("gnutls_record_cork", record_cork),
    F("gnutls_record_get_direction", record_get_direction),
    F("gnutls_record_recv", record_recv),
    F("gnutls_record_send", record_send),
    F("gnutls_record_uncork", record_uncork),
    F("gnutls_server_name_set", server_name_set),
    F("gnutls_strerror", strerror),
    F("gnutls_transport_set_int2", transport_set_int2),
    F("gnutls_x509_crt_deinit", x509_crt_deinit),
    F("gnutls_x509_crt_get_dn", x509_crt_get_dn),
    F("gnutls_x509_crt_import", x509_crt_import),
    F("gnutls_x509_crt_init", x509_crt_init),
    {NULL, NULL},
};

int lazy_gnutls_load(struct err *e)
{
    return lazy_load("libgnutls.so.30", functions, e);
}
