/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Field tables: one description of a C structure's members serves options given as text or JSON,
 * their help, and what is printed of them.
 */
#ifndef SCHEMA_FIELD_H
#define SCHEMA_FIELD_H

#include "base/err.h"
#include "base/nearest.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
    F_STR,  /* char *, owned, NULL when absent */
    F_ONOFF, /* the same; JSON's true and false are "on" and "off" */
    F_BOOL, /* bool; on, off, yes, no, true, false, y, n */
    F_U64,  /* uint64_t, a plain number */
    F_SIZE, /* uint64_t, bytes, with suffixes */
    F_ENUM, /* int, index into @names */
    F_TREE, /* struct json_object *, owned: anything, untouched */
};

/* struct field - one member.  A table ends with a row whose @name is NULL. */
struct field {
    const char *name; /* as the user types it; dots name members of nested objects */
    enum field_kind kind;
    size_t offset;
    const char *def;          /* its value when not given, as text; NULL: zero and "absent" */
    const char *const *names; /* F_ENUM: NULL-terminated */
    const char *help;         /* one line, no full stop */
    bool quiet;               /* who prints what is chosen leaves the default out */
};

/* FIELD - a row for @member of struct @type, checked against @kind's C type at compile time. */
#define FIELD(type, member, kind_, name_, def_, help_)                                             \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct type, member), .def = def_,        \
        .help = help_                                                                              \
    }
#define FIELD_ENUM(type, member, names_, name_, def_, help_)                                       \
    {                                                                                              \
        .name = name_, .kind = F_ENUM, .offset = offsetof(struct type, member), .def = def_,       \
        .names = names_, .help = help_                                                             \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/**
 * fields_take - fill @out (zeroed by this function for the table's members) from @opts, removing
 * from @opts every key that the table knows, so that the caller can refuse the rest.
 *
 * Returns 0, or -EINVAL/-ERANGE with a message that names the parameter.  After a failure @out
 * holds nothing to free.
 */
int fields_take(const struct field *table, struct json_object *opts, void *out, struct err *e);

/** fields_free - release the F_STR and F_TREE members. */
void fields_free(const struct field *table, void *out);

/** fields_refuse_rest - -EINVAL "Invalid parameter 'x'" when @opts still has a key; in a nested
 *  object the dotted name. */
int fields_refuse_rest(struct json_object *opts, struct err *e);

/** field_given - was @name in @opts (before fields_take), dotted names included? */
bool field_given(struct json_object *opts, const char *name);

/** field_find - the row named @name, or NULL. */
const struct field *field_find(const struct field *table, const char *name);

/** field_type_name - "str", "bool (on/off)", "num", "size": as help prints it between <>. */
const char *field_type_name(const struct field *f);

/** parse_bool - on/off/yes/no/true/false/y/n; -EINVAL otherwise. */
int parse_bool(const char *text, bool *v, struct err *e);

#endif
