/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved-state tables: which members of a C structure outlive the process, and how they are written.
 *
 * The stream names each field and gives its kind and length, little endian; one that is unknown, has another
 * kind, or does not fit is refused, one that is missing although older than the stream is refused, too.
 */
#ifndef SCHEMA_STATE_H
#define SCHEMA_STATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state_kind {
    S_U8,
    S_U16,
    S_U32,
    S_U64,
    S_BOOL,      /* @n of them in a row (arrays); S_BOOL is written as 0 or 1, others are refused */
    S_STRUCT,    /* @n structures of @elem bytes, each by @table */
    S_BYTES_PTR, /* uint8_t *: as many bytes as the uint32_t at @count_off says, at most @n.  That is the length of the
                  * device's allocation, made before; it is not saved itself, and what is loaded must be as long */
    S_STRUCTS_PTR, /* pointer to structures of @elem bytes: as many as the uint32_t at @count_off says, at most @n; allocated
                    * before by the device, of the same number, which is not saved itself */
    S_TIMER,     /* struct timer: when it fires; restored armed */
    S_BLOB,      /* struct state_blob: at most @n bytes, whose meaning is the device's to write and to check */
};

/** struct state_blob - what no table can say, because its parts come and go: @data (malloc()) is the device's, who fills it when
 * it is about to be saved, reads it when it was loaded, and frees it. */
struct state_blob {
    uint8_t *data;
    size_t len;
};

struct state {
    const char *name;
    enum state_kind kind;
    size_t offset;
    uint32_t n;
    uint32_t elem;
    int since; /* version of the device's state that first had it; older streams leave the member as reset left it */
    const struct state *table;
    size_t count_off;
    const char *help; /* unit, range, or NULL */
};

/* One member or a whole array, of the integer type that @kind says: checked at compile time. */
#define STATE(type, member, kind_, since_, help_)                                                  \
    {                                                                                              \
        .name = #member, .kind = kind_, .offset = offsetof(struct type, member),                   \
        .n = sizeof(((struct type *)0)->member) / STATE_SIZE(kind_) +                              \
             0 * sizeof(char[1 - 2 * !!(sizeof(((struct type *)0)->member) % STATE_SIZE(kind_))]), \
        .since = since_, .help = help_                                                             \
    }
#define STATE_SIZE(kind_)                                                                          \
    ((kind_) == S_U16 ? 2u : (kind_) == S_U32 ? 4u : (kind_) == S_U64 ? 8u : 1u)
#define STATE_STRUCTS(type, member, table_, since_, help_)                                         \
    {                                                                                              \
        .name = #member, .kind = S_STRUCT, .offset = offsetof(struct type, member),                \
        .n = sizeof(((struct type *)0)->member) / sizeof(((struct type *)0)->member[0]),           \
        .elem = sizeof(((struct type *)0)->member[0]), .since = since_, .table = table_,           \
        .help = help_                                                                              \
    }
#define STATE_BYTES(type, member, count, max, since_, help_)                                       \
    {                                                                                              \
        .name = #member, .kind = S_BYTES_PTR, .offset = offsetof(struct type, member),             \
        .count_off = offsetof(struct type, count), .n = max, .since = since_, .help = help_        \
    }
/* @member points to @count (a uint32_t member) structures, by @table_. */
#define STATE_STRUCTS_PTR(type, member, count, max, table_, since_, help_)                         \
    {                                                                                              \
        .name = #member, .kind = S_STRUCTS_PTR, .offset = offsetof(struct type, member),           \
        .count_off = offsetof(struct type, count), .n = max,                                       \
        .elem = sizeof(((struct type *)0)->member[0]), .since = since_, .table = table_,           \
        .help = help_                                                                              \
    }
#define STATE_TIMER(type, member, since_, help_)                                                   \
    {                                                                                              \
        .name = #member, .kind = S_TIMER, .offset = offsetof(struct type, member), .n = 1,         \
        .since = since_, .help = help_                                                             \
    }
#define STATE_BLOB(type, member, max, since_, help_)                                               \
    {                                                                                              \
        .name = #member, .kind = S_BLOB, .offset = offsetof(struct type, member), .n = max,        \
        .since = since_, .help = help_                                                             \
    }
#define STATE_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/** struct state_out - a growing buffer.  struct state_in - what is left of one. */
struct state_out {
    uint8_t *data;
    size_t len, cap;
};
struct state_in {
    const uint8_t *at;
    size_t left;
};

/* How S_TIMER is read and written; bus/clock.c knows.  Set by the machine. */
struct state_timers {
    int64_t (*get)(const void *timer);
    void (*set)(void *timer, int64_t at);
};

/** state_save - @obj's members by @table.  state_load - the reverse: @version is the stream's.
 * 0, or -EILSEQ/-ENOTSUP with a message that names the member. */
void state_save(const struct state *table, const void *obj, struct state_out *out,
                const struct state_timers *timers);
int state_load(const struct state *table, void *obj, int version, struct state_in *in,
               const struct state_timers *timers, struct err *e);


/* Parts of a stream, for who puts tables into one.  state_get - NULL when so much is not left; state_get_name -
 * printable characters, at most 255. */
void state_put(struct state_out *out, const void *p, size_t len);
void state_put_le(struct state_out *out, uint64_t v, unsigned size);
const uint8_t *state_get(struct state_in *in, size_t len);
int state_get_le(struct state_in *in, unsigned size, uint64_t *v, struct err *e);
int state_get_name(struct state_in *in, char name[256], struct err *e);

#endif
