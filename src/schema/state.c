/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved-state tables to and from bytes.  A field: length of its name (8 bits, never 0), name, kind (8), length of
 * the content (32), content; after the last field of a structure, a zero.  Everything is little endian.
 */
#include "schema/state.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8, MAX_FIELDS = 256 };

/* Writing ------------------------------------------------------------------------------------------- */

void state_put(struct state_out *out, const void *p, size_t len)
{
    if (out->cap - out->len < len) {
        out->cap = 2 * out->cap > out->len + len ? 2 * out->cap : out->len + len + 256;
        if (!(out->data = realloc(out->data, out->cap)))
            fatal("out of memory");
    }
    if (len)
        memcpy(out->data + out->len, p, len);
    out->len += len;
}

void state_put_le(struct state_out *out, uint64_t v, unsigned size)
{
    uint8_t b[8];

    put_le64(b, v);
    state_put(out, b, size);
}

static unsigned int_size(enum state_kind k)
{
    switch (k) {
    case S_U16: return 2;
    case S_U32: return 4;
    case S_U64: return 8;
    case S_U8:
    case S_BOOL: return 1;
    case S_STRUCT:
    case S_BYTES_PTR:
    case S_STRUCTS_PTR:
    case S_BLOB:
    case S_TIMER: break;
    }
    return 0;
}

static uint64_t get_int(const void *p, unsigned size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return *(const uint16_t *)p;
    case 4: return *(const uint32_t *)p;
    }
    return *(const uint64_t *)p;
}

static void set_int(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; return;
    case 2: *(uint16_t *)p = (uint16_t)v; return;
    case 4: *(uint32_t *)p = (uint32_t)v; return;
    }
    *(uint64_t *)p = v;
}

/* Is the member a pointer to as many things as another member says? */
static bool counted(const struct state *f)
{
    return f->kind == S_BYTES_PTR || f->kind == S_STRUCTS_PTR;
}

static uint32_t count_of(const struct state *f, const void *obj)
{
    return counted(f) ? *(const uint32_t *)((const char *)obj + f->count_off) : f->n;
}

static void save_blob(const struct state *f, const struct state_blob *b, struct state_out *out)
{
    if (b->len > f->n)
        bug("state '%s' has %zu bytes, at most %u", f->name, b->len, f->n);
    state_put(out, b->data, b->len);
}

static void save_content(const struct state *f, const void *obj, struct state_out *out,
                         const struct state_timers *timers)
{
    const char *member = (const char *)obj + f->offset;
    unsigned size = int_size(f->kind);

    if (counted(f))
        member = *(const char *const *)member;
    if (f->kind == S_STRUCT || f->kind == S_STRUCTS_PTR)
        for (uint32_t i = 0; i < count_of(f, obj); i++)
            state_save(f->table, member + (size_t)i * f->elem, out, timers);
    else if (f->kind == S_BYTES_PTR)
        state_put(out, member, count_of(f, obj));
    else if (f->kind == S_TIMER)
        state_put_le(out, (uint64_t)timers->get(member), 8);
    else if (f->kind == S_BLOB)
        save_blob(f, (const struct state_blob *)member, out);
    else
        for (uint32_t i = 0; i < f->n; i++)
            state_put_le(out, get_int(member + i * size, size), size);
}

void state_save(const struct state *table, const void *obj, struct state_out *out,
                const struct state_timers *timers)
{
    for (const struct state *f = table; f->name; f++) {
        size_t start;

        if (count_of(f, obj) > f->n)
            bug("state '%s' has %u of something, at most %u", f->name, count_of(f, obj), f->n);
        state_put_le(out, strlen(f->name), 1);
        state_put(out, f->name, strlen(f->name));
        state_put_le(out, (uint64_t)f->kind, 1);
        start = out->len;
        state_put_le(out, 0, 4);
        save_content(f, obj, out, timers);
        put_le32(out->data + start, (uint32_t)(out->len - start - 4));
    }
    state_put_le(out, 0, 1);
}

/* Reading ------------------------------------------------------------------------------------------- */

const uint8_t *state_get(struct state_in *in, size_t len)
{
    const uint8_t *p = in->at;

    if (len > in->left)
        return NULL;
    in->at += len;
    in->left -= len;
    return p;
}

int state_get_le(struct state_in *in, unsigned size, uint64_t *v, struct err *e)
{
    const uint8_t *p;

    *v = 0;
    if (!(p = state_get(in, size)))
        return err_set(e, -EILSEQ, "saved state ends too early");
    for (unsigned i = 0; i < size; i++)
        *v |= (uint64_t)p[i] << 8 * i;
    return 0;
}

int state_get_name(struct state_in *in, char name[256], struct err *e)
{
    uint64_t len;
    const uint8_t *p;
    int r = state_get_le(in, 1, &len, e);

    if (r < 0)
        return r;
    if (!(p = state_get(in, len)))
        return err_set(e, -EILSEQ, "saved state ends too early");
    for (uint64_t i = 0; i < len; i++) {
        if (p[i] < ' ' || p[i] > '~')
            return err_set(e, -EILSEQ, "saved state has a name that is none");
        name[i] = (char)p[i];
    }
    name[len] = 0;
    return 0;
}

struct load {
    int version;
    const struct state_timers *timers;
    int depth;
};

static int load_table(const struct load *l, const struct state *table, void *obj,
                      struct state_in *in, struct err *e);

static int load_structs(const struct load *l, const struct state *f, char *member, uint32_t n,
                        struct state_in *in, struct err *e)
{
    struct load deeper = *l;

    if (++deeper.depth > MAX_DEPTH)
        bug("state '%s' is nested too deeply", f->name);
    for (uint32_t i = 0; i < n; i++) {
        int r = load_table(&deeper, f->table, member + (size_t)i * f->elem, in, e);

        if (r < 0)
            return err_wrap(e, r, "%s[%u]", f->name, i);
    }
    if (in->left)
        return err_set(e, -EILSEQ, "'%s' has %zu bytes too many", f->name, in->left);
    return 0;
}

static int load_ints(const struct state *f, char *member, struct state_in *in, struct err *e)
{
    unsigned size = int_size(f->kind);

    if (in->left != (size_t)f->n * size)
        return err_set(e, -EILSEQ, "'%s' has %zu bytes instead of %zu", f->name, in->left,
                       (size_t)f->n * size);
    for (uint32_t i = 0; i < f->n; i++) {
        uint64_t v = 0;
        int r = state_get_le(in, size, &v, e);

        if (r < 0)
            return r;
        if (f->kind == S_BOOL && v > 1)
            return err_set(e, -EILSEQ, "'%s' is %u, not 0 or 1", f->name, (unsigned)v);
        set_int(member + i * size, size, v);
    }
    return 0;
}

/* The buffer is the device's and has the length that the device gave it. */
static int load_bytes(const struct state *f, void *obj, uint8_t *to, struct state_in *in,
                      struct err *e)
{
    if (in->left != count_of(f, obj))
        return err_set(e, -EILSEQ, "'%s' has %zu bytes instead of %u", f->name, in->left,
                       count_of(f, obj));
    if (in->left)
        memcpy(to, in->at, in->left);
    return 0;
}

static int load_blob(const struct state *f, struct state_blob *b, struct state_in *in, struct err *e)
{
    if (in->left > f->n)
        return err_set(e, -EILSEQ, "'%s' has %zu bytes, at most %u", f->name, in->left, f->n);
    free(b->data);
    *b = (struct state_blob){.data = malloc(in->left + 1), .len = in->left};
    if (!b->data)
        fatal("out of memory");
    memcpy(b->data, in->at, in->left);
    return 0;
}

static int load_timer(const struct load *l, const struct state *f, void *timer,
                      struct state_in *in, struct err *e)
{
    uint64_t at = 0;

    if (in->left != 8)
        return err_set(e, -EILSEQ, "'%s' has %zu bytes instead of 8", f->name, in->left);
    state_get_le(in, 8, &at, e);
    if ((int64_t)at < 0)
        return err_set(e, -EILSEQ, "'%s' fires before the beginning of time", f->name);
    l->timers->set(timer, (int64_t)at);
    return 0;
}

static int load_field(const struct load *l, const struct state *f, void *obj, struct state_in *in,
                      struct err *e)
{
    char *member = (char *)obj + f->offset;

    switch (f->kind) {
    case S_STRUCT: return load_structs(l, f, member, f->n, in, e);
    case S_STRUCTS_PTR: return load_structs(l, f, *(char **)member, count_of(f, obj), in, e);
    case S_BYTES_PTR: return load_bytes(f, obj, *(uint8_t **)member, in, e);
    case S_TIMER: return load_timer(l, f, member, in, e);
    case S_BLOB: return load_blob(f, (struct state_blob *)member, in, e);
    case S_U8:
    case S_U16:
    case S_U32:
    case S_U64:
    case S_BOOL: break;
    }
    return load_ints(f, member, in, e);
}

/* How many rows; a table that says the length of a buffer must not change it (load_bytes relies on it). */
static unsigned rows_of(const struct state *table)
{
    unsigned n = 0;

    for (; table[n].name; n++)
        for (unsigned i = 0; counted(&table[n]) && table[i].name; i++)
            if (table[i].offset == table[n].count_off && !counted(&table[i]))
                bug("state '%s': its length is saved, too", table[n].name);
    if (n > MAX_FIELDS)
        bug("a table of state with %u rows", n);
    return n;
}

static int row_of(const struct load *l, const struct state *table, const char *name, bool *seen,
                  struct err *e)
{
    for (int i = 0; table[i].name; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (seen[i])
            return err_set(e, -EILSEQ, "'%s' comes twice", name);
        if (table[i].since > l->version)
            return err_set(e, -EILSEQ, "'%s' is newer than version %d", name, l->version);
        seen[i] = true;
        return i;
    }
    return err_set(e, -ENOTSUP, "unknown field '%s'", name);
}

static int load_one(const struct load *l, const struct state *f, void *obj, struct state_in *in,
                    struct err *e)
{
    uint64_t kind, len;
    struct state_in part;
    int r;

    if ((r = state_get_le(in, 1, &kind, e)) < 0 || (r = state_get_le(in, 4, &len, e)) < 0)
        return r;
    if (kind != (uint64_t)f->kind)
        return err_set(e, -EILSEQ, "'%s' is of another kind", f->name);
    part = (struct state_in){.at = state_get(in, len), .left = len};
    if (!part.at)
        return err_set(e, -EILSEQ, "'%s' ends too early", f->name);
    return load_field(l, f, obj, &part, e);
}

static int load_table(const struct load *l, const struct state *table, void *obj,
                      struct state_in *in, struct err *e)
{
    bool seen[MAX_FIELDS] = {false};
    char name[256];
    int r;

    rows_of(table);
    for (;;) {
        if ((r = state_get_name(in, name, e)) < 0)
            return r;
        if (!name[0])
            break;
        if ((r = row_of(l, table, name, seen, e)) < 0 ||
            (r = load_one(l, &table[r], obj, in, e)) < 0)
            return r;
    }
    for (unsigned i = 0; table[i].name; i++)
        if (!seen[i] && table[i].since <= l->version)
            return err_set(e, -EILSEQ, "'%s' is missing", table[i].name);
    return 0;
}

int state_load(const struct state *table, void *obj, int version, struct state_in *in,
               const struct state_timers *timers, struct err *e)
{
    struct load l = {.version = version, .timers = timers};

    return load_table(&l, table, obj, in, e);
}
