/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every board does alike (asked.h). */
#include "board/asked.h"

#include "base/bytes.h"
#include "base/nearest.h"
#include "dev/devices.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"
#include "schema/keyval.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the user called a back end. */
struct net_search {
    void *net;
    const char *id;
};

static bool is_net(void *opaque, const char *id, void *backend)
{
    struct net_search *s = opaque;

    if (backend == s->net)
        s->id = id;
    return !s->id;
}

/* model= of -nic and -net: a network card's name, or what people have always called it. */
static const char *nic_model(const struct machine *m, const char *model, struct err *e)
{
    const char *names[64] = {NULL}, *name = !strcmp(model, "virtio") ? "virtio-net-pci" : model, *near;
    const struct dev_type *t = dev_type_find(m, name);
    unsigned n = 0;

    if (t && t->class == DEV_NETWORK)
        return name;
    for (const struct dev_type *const *at = dev_types(); *at && n + 1 < ARRAY_LEN(names); at++)
        if ((*at)->class == DEV_NETWORK)
            names[n++] = (*at)->name;
    near = nearest_name(model, names);
    err_set(e, -EINVAL, "Unsupported NIC model: %s%s%s%s", model, near ? "; did you mean '" : "", near ? near : "",
            near ? "'?" : "");
    return NULL;
}

/* -net nic,vectors=3 is for cards that have such a property; on others it says nothing. */
static void nic_prop(const struct machine *m, const char *model, const char *name, const char *value, struct json_object *props)
{
    const struct dev_type *t = dev_type_find(m, model);

    if (value && t->props && field_find(t->props, name))
        json_object_object_add(props, name, json_object_new_string(value));
}

int asked_nic(struct machine *m, const struct conf *c, struct conf_nic *n, struct err *e)
{
    const char *model = nic_model(m, n->model ? n->model : c->board->default_nic, e);
    struct json_object *props;
    struct net_search s = {.net = n->net};
    const uint8_t *x = n->mac;
    char mac[18];

    if (!model)
        return e->code;
    props = json_object_new_object();
    machine_each_backend(m, "netdev", is_net, &s);
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", x[0], x[1], x[2], x[3], x[4], x[5]);
    json_object_object_add(props, "mac", json_object_new_string(mac));
    if (n->net && s.id)
        json_object_object_add(props, "netdev", json_object_new_string(s.id));
    nic_prop(m, model, "addr", n->addr, props);
    nic_prop(m, model, "vectors", n->vectors, props);
    n->used = true;
    return dev_new(m, model, n->id, NULL, props, e) ? 0 : e->code;
}

struct drive_search {
    enum drive_if intf;
    int bus, unit;
    struct drive *found;
};

static bool is_drive(void *opaque, const char *id, void *backend)
{
    struct drive_search *s = opaque;
    struct drive *d = backend;

    if (d->intf == s->intf && d->bus == s->bus && d->unit == s->unit)
        s->found = d;
    return !s->found;
}

struct drive *asked_drive(struct machine *m, enum drive_if intf, int bus, int unit)
{
    struct drive_search s = {intf, bus, unit, NULL};

    machine_each_backend(m, "drive", is_drive, &s);
    return s.found;
}

/* -fw_cfg name=NAME,file=FILE or ,string=TEXT. */
static int add_file(struct dev *fw_cfg, struct json_object *o, struct err *e)
{
    const char *name = keyval_string(o, "name"), *file = keyval_string(o, "file"),
               *text = keyval_string(o, "string");
    struct image img;
    int r;

    if (!name)
        return err_set(e, -EINVAL, "-fw_cfg: name= is missing");
    if (!file == !text)
        return err_set(e, -EINVAL, "-fw_cfg name=%s: want either file= or string=", name);
    if (text)
        return fw_cfg_set_file(fw_cfg, name, text, strlen(text), e);
    if (image_open(&img, file, e) < 0)
        return err_wrap(e, e->code, "-fw_cfg name=%s", name);
    r = fw_cfg_set_file(fw_cfg, name, img.data, img.len, e);
    image_free(&img);
    return r;
}

static int add_rom(const struct conf *c, struct dev *fw_cfg, struct json_object *o, struct err *e)
{
    const char *file = keyval_string(o, "romfile"), *index = keyval_string(o, "bootindex");
    struct image img;
    char name[64], *end;

    if (!file)
        return err_set(e, -EINVAL, "-option-rom: Must specify romfile=");
    if (index && (strtol(index, &end, 10) < 0 || end == index || *end))
        return err_set(e, -EINVAL, "-option-rom %s: bootindex=%s: want a number from 0 on", file, index);
    if (snprintf(name, sizeof(name), "genroms/%s", asked_rom_name(o)) >= (int)sizeof(name))
        return err_set(e, -ENAMETOOLONG, "-option-rom %s: the file's name is too long", file);
    if (asked_firmware(c, file, &img, e) < 0)
        return err_wrap(e, e->code, "-option-rom");
    fw_cfg_set_file(fw_cfg, name, img.data, img.len, e);
    image_free(&img);
    return e->code;
}

const char *asked_rom_name(struct json_object *o)
{
    const char *file = keyval_string(o, "romfile"), *slash = strrchr(file, '/');

    return slash ? slash + 1 : file;
}

int asked_files(const struct conf *c, struct dev *fw_cfg, struct err *e)
{
    struct json_object *list = c->fw_cfg;
    int r = 0;

    for (size_t i = 0; c->option_roms && r == 0 && i < json_object_array_length(c->option_roms); i++)
        r = add_rom(c, fw_cfg, json_object_array_get_idx(c->option_roms, i), e);

    for (size_t i = 0; list && r == 0 && i < json_object_array_length(list); i++)
        r = add_file(fw_cfg, json_object_array_get_idx(list, i), e);
    return r;
}

int asked_firmware(const struct conf *c, const char *name, struct image *img, struct err *e)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s", name);
    for (char **dir = c->firmware_dirs; dir && *dir && access(path, R_OK) != 0; dir++)
        snprintf(path, sizeof(path), "%s/%s", *dir, name);
    if (access(path, R_OK) != 0)
        return err_set(e, -ENOENT, "Could not find ROM image '%s'", name);
    return image_open(img, path, e);
}
