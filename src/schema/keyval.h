/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options as a tree.  "driver=qcow2,file.filename=a" and {"driver": "qcow2", "file": {"filename": "a"}}
 * are the same json-c object; in the first form every leaf is a string, which schema/field.h
 * turns into what it should be.
 */
#ifndef SCHEMA_KEYVAL_H
#define SCHEMA_KEYVAL_H

#include "base/err.h"

#include <json-c/json.h>
#include <stdbool.h>

/* Depth and number of keys that a user's options may have: far more than anybody types, small
 * enough that hostile input (image files name options too) stays cheap. */
enum { KEYVAL_MAX_DEPTH = 32, KEYVAL_MAX_KEYS = 4096 };

/**
 * keyval_parse - "key=value,a.b=c" to an object.  ",," in a value is a comma; a key without "=" is
 * "on" ("nokey" is not special); list elements are "a.0=x,a.1=y".
 * @implied: name of the key that a first word without "=" is the value of, or NULL
 *
 * Returns a new object, or NULL with @e (-EINVAL).  A key given twice takes the last value.
 */
struct json_object *keyval_parse(const char *text, const char *implied, struct err *e);

/** keyval_merge - parse @text on top of @into (which stays the caller's). */
int keyval_merge(struct json_object *into, const char *text, const char *implied, struct err *e);

/** keyval_set - @value (owned by the tree afterwards) at the dotted @path. */
int keyval_set(struct json_object *tree, const char *path, struct json_object *value,
               struct err *e);

/** keyval_get - what is at the dotted @path, borrowed, or NULL. */
struct json_object *keyval_get(struct json_object *tree, const char *path);

/** keyval_string - the text at @path or NULL; numbers and booleans are not text. */
const char *keyval_string(struct json_object *tree, const char *path);

/** json_parse - one JSON value that is the whole of @text; NULL with @e otherwise. */
struct json_object *json_parse(const char *text, struct err *e);

/** json_print - @o as the tools print it: 4 spaces of indentation, ": " and no escaped slashes;
 *  @compact: {"a": 1, "b": 2} in one line.  The caller frees the text. */
char *json_print(struct json_object *o, bool compact);

#endif
