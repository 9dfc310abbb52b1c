/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of objects (--object), and the list of named nodes. */
#ifndef BLOCK_ENV_PRIV_H
#define BLOCK_ENV_PRIV_H

#include "block/env.h"

/* struct blk_object_type - object_NAME.c; a row of objects.def. */
struct blk_object_type {
    const char *name; /* "secret" */
    const char *help;
    /* make - what blk_env_object returns; takes its options out of @opts; NULL with @e. */
    void *(*make)(struct blk_env *env, struct json_object *opts, struct err *e);
    void (*free)(void *made);
};

void env_add_node(struct blk_env *env, struct blk *b);
void env_remove_node(struct blk_env *env, struct blk *b);

#endif
