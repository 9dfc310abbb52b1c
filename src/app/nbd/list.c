/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd --list: what another server offers, asked with libnbd. */
#include "app/nbd/nbd.h"
#include "block/lazy_nbd.h"
#include "block/nbd.h"
#include "block/nbd_client.h"
#include "block/tls_creds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPORTS_MAX = 4096, CONTEXTS_SHOWN = 1024 };

/* struct names - what the server listed. */
struct names {
    char *name[EXPORTS_MAX], *description[EXPORTS_MAX];
    unsigned n;
};

struct contexts {
    char *name[CONTEXTS_SHOWN];
    unsigned n;
};

static int from_libnbd(struct err *e, const char *what)
{
    const char *why = nbd_get_error();
    int code = nbd_get_errno();

    return err_set(e, code ? -code : -EIO, "%s: %s", what, why ? why : "unknown error");
}

static int remember(void *opaque, const char *name, const char *description)
{
    struct names *list = opaque;

    if (list->n < EXPORTS_MAX) {
        list->name[list->n] = strdup(name);
        list->description[list->n++] = strdup(description);
    }
    return 0;
}

static int remember_context(void *opaque, const char *name)
{
    struct contexts *list = opaque;

    if (list->n < CONTEXTS_SHOWN)
        list->name[list->n++] = strdup(name);
    return 0;
}

static int set_tls(struct nbd_handle *h, const struct nbd_cli *cli, struct err *e)
{
    struct tls_creds *creds;

    if (!cli->tls_creds)
        return 0;
    creds = tls_creds_find(cli->env, cli->tls_creds, false, e);
    return creds ? nbd_client_tls(h, creds, e) : e->code;
}

static int connect_server(struct nbd_handle *h, const struct nbd_cli *cli, struct err *e)
{
    char port[8];
    int r;

    snprintf(port, sizeof(port), "%d", NBD_PORT);
    r = cli->socket
            ? nbd_connect_unix(h, cli->socket)
            : nbd_connect_tcp(h, cli->bind ? cli->bind : "localhost", cli->port ? cli->port : port);
    if (r >= 0)
        return 0;
    int code = nbd_get_errno();

    return err_set(e, code ? -code : -EIO, "Failed to connect to '%s': %s",
                   cli->socket ? cli->socket
                   : cli->bind ? cli->bind
                               : "localhost",
                   code ? strerror(code) : nbd_get_error());
}

/* Transmission flags as the protocol numbers them, put together from libnbd's questions. */
static void print_flags(struct nbd_handle *h)
{
    const struct {
        const char *name;
        unsigned bit;
        int (*has)(struct nbd_handle *h);
    } flags[] = {
        {"readonly", NBD_READ_ONLY, nbd_is_read_only},
        {"flush", NBD_SEND_FLUSH, nbd_can_flush},
        {"fua", NBD_SEND_FUA, nbd_can_fua},
        {"rotational", 1 << 4, nbd_is_rotational},
        {"trim", NBD_SEND_TRIM, nbd_can_trim},
        {"zeroes", NBD_SEND_WRITE_ZEROES, nbd_can_zero},
        {"df", NBD_SEND_DF, nbd_can_df},
        {"multi", NBD_CAN_MULTI_CONN, nbd_can_multi_conn},
        {"cache", NBD_SEND_CACHE, nbd_can_cache},
        {"fast-zero", NBD_SEND_FAST_ZERO, nbd_can_fast_zero},
    };
    unsigned bits = NBD_HAS_FLAGS;

    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        bits |= flags[i].has(h) > 0 ? flags[i].bit : 0;
    printf("  flags: 0x%x (", bits);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (bits & flags[i].bit)
            printf(" %s", flags[i].name);
    puts(" )");
}

static void print_export(struct nbd_handle *h, const char *description)
{
    struct contexts c = {.n = 0};
    int64_t min = nbd_get_block_size(h, LIBNBD_SIZE_MINIMUM);
    int64_t opt = nbd_get_block_size(h, LIBNBD_SIZE_PREFERRED);
    int64_t max = nbd_get_block_size(h, LIBNBD_SIZE_MAXIMUM);
    nbd_context_callback cb = {.callback = remember_context, .user_data = &c};

    if (*description)
        printf("  description: %s\n", description);
    printf("  size:  %" PRId64 "\n", nbd_get_size(h));
    print_flags(h);
    if (min > 0)
        printf("  min block: %" PRId64 "\n  opt block: %" PRId64 "\n  max block: %" PRId64 "\n",
               min, opt, max);
    if (nbd_opt_list_meta_context(h, cb) >= 0 && c.n) {
        printf("  available meta contexts: %u\n", c.n);
        for (unsigned i = 0; i < c.n; i++)
            printf("   %s\n", c.name[i]);
    }
    for (unsigned i = 0; i < c.n; i++)
        free(c.name[i]);
}

static int list_all(struct nbd_handle *h, struct names *list, struct err *e)
{
    nbd_list_callback cb = {.callback = remember, .user_data = list};

    if (nbd_opt_list(h, cb) < 0)
        return from_libnbd(e, "Failed to list exports");
    printf("exports available: %u\n", list->n);
    for (unsigned i = 0; i < list->n; i++) {
        printf(" export: '%s'\n", list->name[i]);
        if (nbd_set_export_name(h, list->name[i]) < 0 || nbd_opt_info(h) < 0)
            return from_libnbd(e, "Failed to ask for an export");
        print_export(h, list->description[i]);
    }
    nbd_opt_abort(h);
    return 0;
}

int nbd_list(const struct nbd_cli *cli, struct err *e)
{
    int r = lazy_nbd_load(e);

    if (r < 0)
        return r;
    struct nbd_handle *h = nbd_create();
    struct names *list = calloc(1, sizeof(*list));

    if (!h || !list)
        fatal("out of memory");
    nbd_set_opt_mode(h, true);
    nbd_set_full_info(h, true);
    if ((r = set_tls(h, cli, e)) >= 0 && (r = connect_server(h, cli, e)) >= 0)
        r = list_all(h, list, e);
    for (unsigned i = 0; i < list->n; i++) {
        free(list->name[i]);
        free(list->description[i]);
    }
    free(list);
    nbd_close(h);
    return r;
}
