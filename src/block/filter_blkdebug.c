/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=blkdebug, blkdebug:CONFIG:IMAGE: requests fail on purpose.  Rules come from a file or from options:
 * inject-error.0.event=write_aio,inject-error.0.errno=28,...  Events are requests, one of each here, and what formats above
 * say (blk_event): qcow2's are l2_load, l2_update and their kin.  Those that nobody says are known by name.
 */
#include "block/filter.h"
#include "block/node.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RULES_MAX = 256, STATE_START = 1 };
enum iotype { IO_READ, IO_WRITE, IO_WRITE_ZEROES, IO_DISCARD, IO_FLUSH, IO_BLOCK_STATUS, IO_TYPES };

static const char *const iotypes[] = {"read",         "write", "write-zeroes", "discard", "flush",
                                      "block-status", NULL};

/* What happens before a request of each type. */
static const char *const event_of[IO_TYPES] = {"read_aio", "write_aio",     "pwritev_zero",
                                               "none",     "flush_to_disk", "none"};

static const char *const events[] = {"none",
                                     "l1_update",
                                     "l1_grow_alloc_table",
                                     "l1_grow_write_table",
                                     "l1_grow_activate_table",
                                     "l2_load",
                                     "l2_update",
                                     "l2_update_compressed",
                                     "l2_alloc_cow_read",
                                     "l2_alloc_write",
                                     "read_aio",
                                     "read_backing_aio",
                                     "read_compressed",
                                     "write_aio",
                                     "write_compressed",
                                     "vmstate_load",
                                     "vmstate_save",
                                     "cow_read",
                                     "cow_write",
                                     "reftable_load",
                                     "reftable_grow",
                                     "reftable_update",
                                     "refblock_load",
                                     "refblock_update",
                                     "refblock_update_part",
                                     "refblock_alloc",
                                     "refblock_alloc_hookup",
                                     "refblock_alloc_write",
                                     "refblock_alloc_write_blocks",
                                     "refblock_alloc_write_table",
                                     "refblock_alloc_switch_table",
                                     "cluster_alloc",
                                     "cluster_alloc_bytes",
                                     "cluster_free",
                                     "flush_to_os",
                                     "flush_to_disk",
                                     "pwritev_rmw_head",
                                     "pwritev_rmw_after_head",
                                     "pwritev_rmw_tail",
                                     "pwritev_rmw_after_tail",
                                     "pwritev",
                                     "pwritev_zero",
                                     "pwritev_done",
                                     "empty_image_prepare",
                                     "l1_shrink_write_table",
                                     "l1_shrink_free_l2_clusters",
                                     "cor_write",
                                     "cluster_alloc_space",
                                     NULL};

/* struct rule - either fails a request, or (@new_state) goes from one state to another. */
struct rule {
    int event;
    char *iotype;
    uint64_t state, new_state, error;
    char *sector;
    bool once, immediately;
    /* Derived. */
    bool injects, has_sector, armed;
    uint64_t first_byte;
    unsigned types; /* bits of enum iotype */
};

/* struct stop - a breakpoint, then the request that came to it. */
struct stop {
    char *tag;
    int event;
    uint64_t owner; /* the request, by number; 0: none has come */
    bool resumed;
    blk_debug_told *told;
    void *opaque;
    struct stop *next;
};

struct blkdebug {
    char *config;
    uint64_t align, max_transfer, opt_write_zero, max_write_zero, opt_discard, max_discard;
    struct json_object *inject, *set_state;
    pthread_mutex_t lock;
    uint64_t state;     /* [lock] */
    struct rule *rules; /* [lock] armed */
    int rules_n;
    struct stop *stops; /* [lock] the latest first */
    uint64_t owners;    /* [lock] */
    pthread_cond_t go_on;
};

static const struct field blkdebug_fields[] = {
    FIELD(blkdebug, config, F_STR, "config", NULL, "file with rules"),
    FIELD(blkdebug, align, F_SIZE, "align", "0", "requests must be multiples of it"),
    FIELD(blkdebug, max_transfer, F_SIZE, "max-transfer", "0", "longest read or write"),
    FIELD(blkdebug, opt_write_zero, F_SIZE, "opt-write-zero", "0", "accepted, without effect"),
    FIELD(blkdebug, max_write_zero, F_SIZE, "max-write-zero", "0", "longest write of zeros"),
    FIELD(blkdebug, opt_discard, F_SIZE, "opt-discard", "0", "accepted, without effect"),
    FIELD(blkdebug, max_discard, F_SIZE, "max-discard", "0", "longest discard"),
    FIELD(blkdebug, inject, F_TREE, "inject-error", NULL, "list of rules that fail requests"),
    FIELD(blkdebug, set_state, F_TREE, "set-state", NULL, "list of rules that change the state"),
    FIELD_END,
};

static const struct field inject_fields[] = {
    FIELD_ENUM(rule, event, events, "event", "none", "what arms the rule"),
    FIELD(rule, iotype, F_STR, "iotype", NULL, "read, write, write-zeroes, discard, flush"),
    FIELD(rule, state, F_U64, "state", "0", "only in this state; 0: in all"),
    FIELD(rule, error, F_U64, "errno", "5", "the error's number"),
    FIELD(rule, sector, F_STR, "sector", NULL, "only requests of this sector"),
    FIELD(rule, once, F_BOOL, "once", "off", "only the first request"),
    FIELD(rule, immediately, F_BOOL, "immediately", "off", "accepted, without effect"),
    FIELD_END,
};

static const struct field set_state_fields[] = {
    FIELD_ENUM(rule, event, events, "event", "none", "what changes the state"),
    FIELD(rule, state, F_U64, "state", "0", "only in this state; 0: in all"),
    FIELD(rule, new_state, F_U64, "new_state", "0", "the state afterwards"),
    FIELD_END,
};

/* Rules ------------------------------------------------------------------------------------------ */

static int rule_complete(struct rule *r, struct err *e)
{
    char *end;
    int type = 0;

    if (!r->injects)
        return 0;
    if (!r->error || r->error > 4095)
        return err_set(e, -EINVAL, "blkdebug: errno %" PRIu64 " is no error", r->error);
    if (r->sector) {
        long long sector = strtoll(r->sector, &end, 0);

        if (*end || end == r->sector || sector < -1 || sector > INT64_MAX / 512)
            return err_set(e, -EINVAL, "blkdebug: '%s' is no sector", r->sector);
        r->has_sector = sector >= 0;
        r->first_byte = (uint64_t)sector * 512;
    }
    r->types = (1 << IO_BLOCK_STATUS) - 1;
    if (r->iotype) {
        while (iotypes[type] && strcmp(iotypes[type], r->iotype))
            type++;
        if (!iotypes[type])
            return err_set(e, -EINVAL, "Invalid value for iotype: '%s'", r->iotype);
        r->types = 1u << type;
    }
    r->armed = !r->event; /* "none": from the beginning */
    return 0;
}

static int add_rule(struct blkdebug *d, struct json_object *opts, bool injects, struct err *e)
{
    const struct field *fields = injects ? inject_fields : set_state_fields;
    struct rule rule = {.injects = injects};
    int r;

    if (!json_object_is_type(opts, json_type_object))
        return err_set(e, -EINVAL, "blkdebug: a rule is an object with 'event' and more");
    if (!(d->rules_n % 16) &&
        !(d->rules = realloc(d->rules, (size_t)(d->rules_n + 16) * sizeof(*d->rules))))
        fatal("out of memory");
    if (d->rules_n == RULES_MAX)
        return err_set(e, -E2BIG, "blkdebug: more than %d rules", RULES_MAX);
    if ((r = fields_take(fields, opts, &rule, e)) < 0)
        return r;
    rule.injects = injects;
    if ((r = fields_refuse_rest(opts, e)) >= 0 && (r = rule_complete(&rule, e)) >= 0)
        d->rules[d->rules_n++] = rule;
    free(rule.iotype);
    free(rule.sector);
    return r;
}

static int add_list(struct blkdebug *d, struct json_object *list, bool injects, struct err *e)
{
    int r = 0;

    if (list && !json_object_is_type(list, json_type_array))
        return err_set(e, -EINVAL, "blkdebug: rules are a list");
    for (size_t i = 0, n = list ? json_object_array_length(list) : 0; i < n && r >= 0; i++)
        r = add_rule(d, json_object_array_get_idx(list, i), injects, e);
    return r;
}

/* One line, without blanks at its ends. */
static char *trim(char *s)
{
    char *end;

    s += strspn(s, " \t\r\n");
    for (end = s + strlen(s); end > s && isspace((unsigned char)end[-1]); end--)
        ;
    *end = 0;
    return s;
}

/* name = "value" */
static int config_line(char *line, struct json_object *section, struct err *e)
{
    char *value = strchr(line, '=');

    if (!value || !section)
        return err_set(e, -EINVAL, "blkdebug: cannot understand '%s'", line);
    *value++ = 0;
    value = trim(value);
    size_t len = strlen(value);

    if (len < 2 || value[0] != '"' || value[len - 1] != '"')
        return err_set(e, -EINVAL, "blkdebug: '%s' wants a value in quotes", trim(line));
    json_object_object_add(section, trim(line),
                           json_object_new_string_len(value + 1, (int)len - 2));
    return 0;
}

static int add_section(struct blkdebug *d, struct json_object *section, bool injects, struct err *e)
{
    int r = section ? add_rule(d, section, injects, e) : 0;

    json_object_put(section);
    return r;
}

static int read_config(struct blkdebug *d, struct err *e)
{
    FILE *f = fopen(d->config, "re");
    struct json_object *section = NULL;
    bool injects = false;
    char line[1024];
    int r = 0;

    if (!f)
        return err_set(e, -errno, "Could not read blkdebug config file: %s", strerror(errno));
    while (r >= 0 && fgets(line, sizeof(line), f)) {
        char *text = trim(line);

        if (!*text || *text == '#')
            continue;
        if (*text != '[') {
            r = config_line(text, section, e);
            continue;
        }
        r = add_section(d, section, injects, e);
        section = json_object_new_object();
        injects = !strcmp(text, "[inject-error]");
        if (r >= 0 && !injects && strcmp(text, "[set-state]"))
            r = err_set(e, -EINVAL, "blkdebug: unknown section %s", text);
    }
    fclose(f);
    if (r < 0)
        json_object_put(section);
    else
        r = add_section(d, section, injects, e);
    return r;
}

/* Requests --------------------------------------------------------------------------------------- */

/* Rules of the event are armed; then the state changes. */
static void happens(struct blkdebug *d, const char *event)
{
    uint64_t next = d->state;

    for (int i = 0; i < d->rules_n; i++) {
        struct rule *r = &d->rules[i];

        if (!r->event || strcmp(events[r->event], event) || (r->state && r->state != d->state))
            continue;
        if (r->injects)
            r->armed = true;
        else
            next = r->new_state;
    }
    d->state = next;
}

static void stop_unlink(struct stop **at)
{
    struct stop *s = *at;

    *at = s->next;
    free(s->tag);
    free(s);
}

static bool waits(const struct blkdebug *d, uint64_t owner)
{
    for (const struct stop *s = d->stops; s; s = s->next)
        if (s->owner == owner && !s->resumed)
            return true;
    return false;
}

/* Until all breakpoints of the event are resumed.  With the lock. */
static void wait_at(struct blkdebug *d, const char *event)
{
    uint64_t owner = d->owners + 1;

    for (struct stop *s = d->stops; s; s = s->next)
        if (!s->owner && !strcmp(events[s->event], event)) {
            s->owner = d->owners = owner;
            s->told(s->opaque, s->tag, true);
        }
    if (d->owners != owner)
        return;
    while (waits(d, owner))
        pthread_cond_wait(&d->go_on, &d->lock);
    for (struct stop **at = &d->stops; *at;)
        if ((*at)->owner == owner)
            stop_unlink(at);
        else
            at = &(*at)->next;
}

static void blkdebug_event(struct blk *b, const char *name)
{
    struct blkdebug *d = b->state;

    pthread_mutex_lock(&d->lock);
    happens(d, name);
    wait_at(d, name);
    pthread_mutex_unlock(&d->lock);
}

/* The error that a rule has for this request, or 0. */
static int injected(struct blk *b, enum iotype type, uint64_t off, uint64_t len, struct err *e)
{
    struct blkdebug *d = b->state;
    int error = 0;

    pthread_mutex_lock(&d->lock);
    happens(d, event_of[type]);
    wait_at(d, event_of[type]);
    for (int i = 0; i < d->rules_n && !error; i++) {
        struct rule *r = &d->rules[i];

        if (!r->injects || !r->armed || !(r->types & 1u << type) ||
            (r->state && r->state != d->state) ||
            (r->has_sector && (r->first_byte + 512 <= off || r->first_byte >= off + len)))
            continue;
        error = (int)r->error;
        if (r->once)
            *r = d->rules[--d->rules_n];
    }
    pthread_mutex_unlock(&d->lock);
    return error ? err_set(e, -error, "%s", strerror(error)) : 0;
}

static int blkdebug_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n,
                          struct err *e)
{
    int r = injected(b, IO_READ, off, filter_iov_len(iov, n), e);

    return r < 0 ? r : filter_readv(b, off, iov, n, e);
}

static int blkdebug_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n,
                           unsigned req, struct err *e)
{
    int r = injected(b, IO_WRITE, off, filter_iov_len(iov, n), e);

    return r < 0 ? r : filter_writev(b, off, iov, n, req, e);
}

static int blkdebug_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    const struct blkdebug *d = b->state;
    uint64_t max = d->max_write_zero ? d->max_write_zero : len;
    int r = 0;

    for (uint64_t end = off + len, piece; off < end && r >= 0; off += piece) {
        piece = min_u64(end - off, max - off % max);
        if ((r = injected(b, IO_WRITE_ZEROES, off, piece, e)) >= 0)
            r = filter_zero(b, off, piece, req, e);
    }
    return r;
}

static int blkdebug_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    const struct blkdebug *d = b->state;
    uint64_t max = d->max_discard ? d->max_discard : len;
    int r = 0;

    for (uint64_t end = off + len, piece; off < end && r >= 0; off += piece) {
        piece = min_u64(end - off, max - off % max);
        if ((r = injected(b, IO_DISCARD, off, piece, e)) >= 0)
            r = filter_discard(b, off, piece, e);
    }
    return r;
}

static int blkdebug_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s,
                           struct err *e)
{
    int r = injected(b, IO_BLOCK_STATUS, off, len, e);

    return r < 0 ? r : filter_status(b, off, len, s, e);
}

static int blkdebug_flush(struct blk *b, struct err *e)
{
    return injected(b, IO_FLUSH, 0, 0, e);
}

/* Breakpoints ------------------------------------------------------------------------------------ */

static int set_break(struct blk *b, const char *event, const char *tag, blk_debug_told *told, void *opaque)
{
    struct blkdebug *d = b->state;
    struct stop *s;
    int i = 0;

    while (events[i] && strcmp(events[i], event))
        i++;
    if (!events[i])
        return -ENOENT;
    if (!(s = calloc(1, sizeof(*s))) || !(s->tag = strdup(tag)))
        fatal("out of memory");
    s->event = i;
    s->told = told;
    s->opaque = opaque;
    pthread_mutex_lock(&d->lock);
    s->next = d->stops;
    d->stops = s;
    pthread_mutex_unlock(&d->lock);
    return 0;
}

/* The first request that stands at @tag goes on. */
static bool resume_locked(struct blkdebug *d, const char *tag)
{
    struct stop *s = d->stops;

    while (s && (!s->owner || s->resumed || strcmp(s->tag, tag)))
        s = s->next;
    if (!s)
        return false;
    s->resumed = true;
    s->told(s->opaque, s->tag, false);
    pthread_cond_broadcast(&d->go_on);
    return true;
}

static int resume_tag(struct blk *b, const char *tag)
{
    struct blkdebug *d = b->state;
    bool done;

    pthread_mutex_lock(&d->lock);
    done = resume_locked(d, tag);
    pthread_mutex_unlock(&d->lock);
    return done ? 0 : -ENOENT;
}

/* Those that nobody has come to; who stands at one goes on. */
static int remove_break(struct blk *b, const char *tag)
{
    struct blkdebug *d = b->state;
    int r = -ENOENT;

    pthread_mutex_lock(&d->lock);
    for (struct stop **at = &d->stops; *at;)
        if (!(*at)->owner && !strcmp((*at)->tag, tag)) {
            stop_unlink(at);
            r = 0;
        } else {
            at = &(*at)->next;
        }
    while (resume_locked(d, tag))
        ;
    pthread_mutex_unlock(&d->lock);
    return r;
}

static bool suspended(struct blk *b, const char *tag)
{
    struct blkdebug *d = b->state;
    bool is = false;

    pthread_mutex_lock(&d->lock);
    for (const struct stop *s = d->stops; s; s = s->next)
        is |= s->owner && !s->resumed && !strcmp(s->tag, tag);
    pthread_mutex_unlock(&d->lock);
    return is;
}

static const struct blk_debug_ops blkdebug_debug = {
    .event = blkdebug_event,
    .set_break = set_break,
    .remove_break = remove_break,
    .resume = resume_tag,
    .suspended = suspended,
};

/* Opening ---------------------------------------------------------------------------------------- */

static int blkdebug_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    const char *config = name + strlen("blkdebug:"), *image = strchr(config, ':');

    if (!image)
        return err_set(e, -EINVAL, "blkdebug requires both config file and image path");
    if (image != config)
        json_object_object_add(opts, "config",
                               json_object_new_string_len(config, (int)(image - config)));
    return keyval_set(opts, "image.filename", json_object_new_string(image + 1), e);
}

/* "blkdebug:CONFIG:IMAGE", when there is nothing more to say. */
static char *blkdebug_make_name(struct blk *b)
{
    const struct blkdebug *d = b->state;
    const char *image = blk_filename(b->file);
    char *name;

    json_object_object_foreach(b->options, key, value)
    {
        (void)value;
        if (strcmp(key, "config") && strcmp(key, "image") && !field_find(node_fields, key))
            return NULL;
    }
    if (!strncmp(image, "json:", 5))
        return NULL;
    if (asprintf(&name, "blkdebug:%s:%s", d->config ? d->config : "", image) < 0)
        fatal("out of memory");
    return name;
}

/* What requests that fail have left on the host is not asked: the reference does not say, either. */
static int64_t blkdebug_disk_size(struct blk *b)
{
    return -ENOTSUP;
}

static void blkdebug_free(struct blkdebug *d)
{
    fields_free(blkdebug_fields, d);
    free(d->rules);
    while (d->stops)
        stop_unlink(&d->stops);
    pthread_cond_destroy(&d->go_on);
    pthread_mutex_destroy(&d->lock);
}

static int blkdebug_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct blkdebug *d = b->state;
    int r = fields_take(blkdebug_fields, opts, d, e);

    if (r < 0)
        return r;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->go_on, NULL);
    d->state = STATE_START;
    if (d->align & (d->align - 1) || d->align >> 30)
        r = err_set(e, -EINVAL, "Cannot meet constraints with align %" PRIu64, d->align);
    if (r >= 0 && d->config)
        r = read_config(d, e);
    if (r >= 0 && (r = add_list(d, d->inject, true, e)) >= 0)
        r = add_list(d, d->set_state, false, e);
    if (r < 0) {
        blkdebug_free(d);
        return r;
    }
    filter_open(b);
    b->align = d->align ? (uint32_t)d->align : 1;
    return 0;
}

static int blkdebug_close(struct blk *b, struct err *e)
{
    (void)e;
    blkdebug_free(b->state);
    return 0;
}

static const struct blk_io_ops blkdebug_io = {
    .readv = blkdebug_readv,
    .writev = blkdebug_writev,
    .zero = blkdebug_zero,
    .discard = blkdebug_discard,
    .status = blkdebug_status,
};

static const char *const blkdebug_prefixes[] = {"blkdebug", NULL};

const struct blk_driver filter_blkdebug = {
    .name = "blkdebug",
    .child = "image",
    .help = "requests fail on purpose",
    .kind = BLK_FILTER,
    .state_size = sizeof(struct blkdebug),
    .open_opts = blkdebug_fields,
    .prefixes = blkdebug_prefixes,
    .parse_name = blkdebug_parse_name,
    .make_name = blkdebug_make_name,
    .open = blkdebug_open,
    .close = blkdebug_close,
    .flush = blkdebug_flush,
    .truncate = filter_truncate,
    .info = filter_info,
    .disk_size = blkdebug_disk_size,
    .io = &blkdebug_io,
    .debug = &blkdebug_debug,
};
