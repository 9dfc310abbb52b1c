/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What images are opened in: the user's objects (secrets, TLS credentials, throttle groups), nodes
 * by name, and where warnings go.  One for each program; no globals.
 */
#ifndef BLOCK_ENV_H
#define BLOCK_ENV_H

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct blk;
struct blk_env;
struct json_object;

/* @warn: one warning, without newline, perhaps of several lines; NULL drops them. */
struct blk_env *blk_env_new(void (*warn)(void *opaque, const char *text), void *opaque);
void blk_env_free(struct blk_env *env);
void blk_env_warn(struct blk_env *env, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * blk_env_add_object - `--object secret,id=s0,data=abc`: @opts is the parsed tree with "qom-type" and
 * "id"; taken over.  The types are the rows of objects.def; -EINVAL names the nearest.
 */
int blk_env_add_object(struct blk_env *env, struct json_object *opts, struct err *e);

/** blk_env_del_object - -ENOENT when there is none, -EBUSY when somebody has asked for it, who may still hold it (secrets: nobody). */
int blk_env_del_object(struct blk_env *env, const char *id, struct err *e);

/**
 * blk_env_secret - the bytes of secret @id: decoded, decrypted, read from its file.
 * Returns 0 with *@data (free(); zero it first) and *@len; -ENOENT, -EINVAL.
 */
int blk_env_secret(struct blk_env *env, const char *id, unsigned char **data, size_t *len,
                   struct err *e);

/** blk_env_object - the object @id if it is of @type, borrowed, or NULL with @e: what the type made. */
void *blk_env_object(struct blk_env *env, const char *id, const char *type, struct err *e);

/** blk_env_node - a node by its node-name, borrowed, or NULL. */
struct blk *blk_env_node(struct blk_env *env, const char *name);

#endif
