/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of GnuTLS that we use. */
#include "block/lazy_gnutls.h"

#include "block/lazy.h"

#include <stddef.h>

struct lazy_gnutls lazy_gnutls;

#define F(x)                                                                                       \
    {                                                                                              \
        "gnutls_" #x, (void **)&lazy_gnutls.x                                                      \
    }
static const struct lazy_function functions[] = {
    F(anon_allocate_client_credentials),
    F(anon_allocate_server_credentials),
    F(anon_free_client_credentials),
    F(anon_free_server_credentials),
    F(anon_set_server_known_dh_params),
    F(bye),
    F(certificate_allocate_credentials),
    F(certificate_free_credentials),
    F(certificate_get_peers),
    F(certificate_server_set_request),
    F(certificate_set_x509_crl_file),
    F(certificate_set_x509_key_file2),
    F(certificate_set_x509_trust_file),
    F(certificate_verify_peers3),
    F(credentials_set),
    F(deinit),
    F(error_is_fatal),
    F(handshake),
    F(handshake_set_timeout),
    F(init),
    F(priority_set_direct),
    F(psk_allocate_client_credentials),
    F(psk_allocate_server_credentials),
    F(psk_free_client_credentials),
    F(psk_free_server_credentials),
    F(psk_server_get_username),
    F(psk_set_client_credentials),
    F(psk_set_server_credentials_file),
    F(record_cork),
    F(record_recv),
    F(record_send),
    F(record_uncork),
    F(server_name_set),
    F(strerror),
    F(transport_set_int2),
    F(x509_crt_deinit),
    F(x509_crt_get_dn),
    F(x509_crt_import),
    F(x509_crt_init),
    {NULL, NULL},
};

int lazy_gnutls_load(struct err *e)
{
    return lazy_load("libgnutls.so.30", functions, e);
}
