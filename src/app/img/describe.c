/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `info` and `snapshot -l` print: a tree for --output=json, and the same as text. */
#include "app/img/img.h"

#include "base/size_text.h"
#include "block/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void add_string(struct json_object *o, const char *key, const char *value)
{
    if (value)
        json_object_object_add(o, key, json_object_new_string(value));
}

static void add_number(struct json_object *o, const char *key, uint64_t value)
{
    json_object_object_add(o, key, json_object_new_uint64(value));
}

static struct json_object *snapshot_tree(const struct blk_snapshot *s)
{
    struct json_object *o = json_object_new_object();

    if (s->icount != UINT64_MAX)
        add_number(o, "icount", s->icount);
    add_number(o, "vm-clock-nsec", s->vm_clock_nsec % 1000000000);
    add_string(o, "name", s->name);
    add_number(o, "date-sec", s->date_sec);
    add_number(o, "date-nsec", s->date_nsec);
    add_number(o, "vm-clock-sec", s->vm_clock_nsec / 1000000000);
    add_string(o, "id", s->id);
    add_number(o, "vm-state-size", s->vm_state_size);
    return o;
}

static void add_snapshots(struct json_object *o, struct blk *b)
{
    struct blk_snapshot *list = NULL;
    int n = blk_snapshot_list(b, &list, ERR_IGNORE);

    if (n > 0) {
        struct json_object *trees = json_object_new_array();

        for (int i = 0; i < n; i++)
            json_object_array_add(trees, snapshot_tree(&list[i]));
        json_object_object_add(o, "snapshots", trees);
    }
    if (n >= 0)
        free(list);
}

struct json_object *img_describe(struct blk *b, struct err *e)
{
    struct json_object *o, *specific;
    int64_t disk = blk_disk_size(b);
    struct blk_info i;

    if (blk_get_info(b, &i, e) < 0)
        return NULL;
    o = json_object_new_object();
    add_snapshots(o, b);
    if (i.backing_file && *i.backing_file)
        add_string(o, "backing-filename-format", i.backing_format);
    add_number(o, "virtual-size", blk_size(b));
    add_string(o, "filename", blk_filename(b));
    if (i.cluster_size)
        add_number(o, "cluster-size", i.cluster_size);
    add_string(o, "format", blk_driver_name(b));
    if (disk >= 0)
        add_number(o, "actual-size", (uint64_t)disk);
    if (i.specific) {
        specific = json_object_new_object();
        add_string(specific, "type", blk_driver_name(b));
        json_object_object_add(specific, "data", json_object_get(i.specific));
        json_object_object_add(o, "format-specific", specific);
    }
    if (i.backing_file && *i.backing_file) {
        char *full = blk_relative_name(blk_place(b), i.backing_file);

        add_string(o, "full-backing-filename", full);
        add_string(o, "backing-filename", i.backing_file);
        free(full);
    }
    if (i.encrypted)
        json_object_object_add(o, "encrypted", json_object_new_boolean(true));
    if (i.has_dirty)
        if (!i.bare)
        json_object_object_add(o, "dirty-flag", json_object_new_boolean(i.dirty));
    blk_info_free(&i);
    return o;
}

int img_print_json(struct json_object *o)
{
    char *text = json_print(o, false);

    printf("%s\n", text);
    free(text);
    json_object_put(o);
    return 0;
}

static uint64_t number(struct json_object *o, const char *key)
{
    return json_object_get_uint64(json_object_object_get(o, key));
}

static void print_backing(struct json_object *o)
{
    const char *name = keyval_string(o, "backing-filename");
    const char *full = keyval_string(o, "full-backing-filename");
    const char *format = keyval_string(o, "backing-filename-format");

    if (!name)
        return;
    printf("backing file: %s", name);
    if (full && strcmp(full, name))
        printf(" (actual path: %s)", full);
    printf("\n");
    if (format)
        printf("backing file format: %s\n", format);
}

static void snapshot_from_tree(struct json_object *o, struct blk_snapshot *s)
{
    *s = (struct blk_snapshot){
        .vm_state_size = number(o, "vm-state-size"),
        .date_sec = number(o, "date-sec"),
        .vm_clock_nsec = number(o, "vm-clock-sec") * 1000000000 + number(o, "vm-clock-nsec"),
        .icount = json_object_object_get_ex(o, "icount", NULL) ? number(o, "icount") : UINT64_MAX,
    };
    snprintf(s->id, sizeof(s->id), "%s", keyval_string(o, "id"));
    snprintf(s->name, sizeof(s->name), "%s", keyval_string(o, "name"));
}

static void print_snapshot(const struct blk_snapshot *s)
{
    char size[SIZE_TEXT_MAX], date[64] = "", clock[64], icount[32] = "";
    time_t when = (time_t)s->date_sec;
    uint64_t seconds = s->vm_clock_nsec / 1000000000;
    struct tm tm;

    if (localtime_r(&when, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(clock, sizeof(clock), "%02" PRIu64 ":%02d:%02d.%03d", seconds / 3600,
             (int)(seconds / 60 % 60), (int)(seconds % 60),
             (int)(s->vm_clock_nsec / 1000000 % 1000));
    if (s->icount != UINT64_MAX)
        snprintf(icount, sizeof(icount), "%" PRIu64, s->icount);
    printf("%-9s %-16s %8s %19s %12s %10s\n", s->id, s->name, size_text(s->vm_state_size, size),
           date, clock, icount);
}

void img_print_snapshots(const struct blk_snapshot *list, int n)
{
    printf("%-9s %-16s %8s %19s %12s %10s\n", "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
    for (int i = 0; i < n; i++)
        print_snapshot(&list[i]);
}

static void print_snapshot_trees(struct json_object *list)
{
    size_t n = json_object_array_length(list);
    struct blk_snapshot *s = calloc(n, sizeof(*s));

    if (!s)
        fatal("out of memory");
    for (size_t i = 0; i < n; i++)
        snapshot_from_tree(json_object_array_get_idx(list, i), &s[i]);
    printf("Snapshot list:\n");
    img_print_snapshots(s, (int)n);
    free(s);
}

void img_print_info(struct json_object *o)
{
    struct json_object *member;
    char size[SIZE_TEXT_MAX];

    printf("image: %s\nfile format: %s\n", keyval_string(o, "filename"),
           keyval_string(o, "format"));
    printf("virtual size: %s (%" PRIu64 " bytes)\n", size_text(number(o, "virtual-size"), size),
           number(o, "virtual-size"));
    if (json_object_object_get_ex(o, "actual-size", NULL))
        printf("disk size: %s\n", size_text(number(o, "actual-size"), size));
    else
        printf("disk size: unavailable\n");
    if (json_object_object_get_ex(o, "encrypted", NULL))
        printf("encrypted: yes\n");
    if (json_object_object_get_ex(o, "cluster-size", NULL))
        printf("cluster_size: %" PRIu64 "\n", number(o, "cluster-size"));
    if (json_object_get_boolean(json_object_object_get(o, "dirty-flag")))
        printf("cleanly shut down: no\n");
    print_backing(o);
    if (json_object_object_get_ex(o, "snapshots", &member))
        print_snapshot_trees(member);
    if ((member = keyval_get(o, "format-specific.data")))
        storage_print_specific(member);
}
