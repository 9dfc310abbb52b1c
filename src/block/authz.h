/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --object authz-simple, authz-list, authz-list-file: who may connect.  The identity is what the
 * connection has proved: the distinguished name of a TLS certificate, or the user of a shared key.
 */
#ifndef BLOCK_AUTHZ_H
#define BLOCK_AUTHZ_H

#include "block/env.h"

struct authz;

/** authz_find - the object @id of one of the types, borrowed; NULL with @e. */
const struct authz *authz_find(struct blk_env *env, const char *id, struct err *e);
/** authz_allows - a list file is read anew when it has changed; one that is broken allows nobody. */
bool authz_allows(const struct authz *a, const char *identity);

#endif
