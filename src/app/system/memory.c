/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the machine's memory is: -machine memory-backend=, -mem-path, -mem-prealloc, -overcommit. */
#include "app/system/conf_priv.h"
#include "app/system/objects.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* The size of a memory back end is the machine's, unless -m says another: then it is an error. */
static int check_backend(struct sys *s, struct err *e)
{
    const char *id = s->conf.ram_backend;
    struct ram *r = id ? machine_backend(s->m, "memory-backend", id) : NULL;

    if (id && !r)
        return err_set(e, -ENOENT, "Memory backend '%s' not found", id);
    if (r && !cli_text(&s->cli, &group_memory, "size"))
        s->conf.ram = s->conf.max_ram = r->size;
    if (r && r->size != s->conf.ram)
        return err_set(e, -EINVAL, "Machine memory size does not match the size of the memory backend");
    return 0;
}

/* -mem-path, -mem-prealloc: the machine's memory is such a back end, unless the user has named one. */
static int make_backend(struct sys *s, struct err *e)
{
    static const char id[] = "machine.ram";
    struct json_object *o;
    int r;

    if ((!s->cli.mem_path && !s->cli.mem_prealloc) || s->conf.ram_backend)
        return 0;
    o = json_object_new_object();
    json_object_object_add(o, "qom-type", json_object_new_string(s->cli.mem_path ? "memory-backend-file" : "memory-backend-ram"));
    json_object_object_add(o, "id", json_object_new_string(id));
    json_object_object_add(o, "size", json_object_new_int64((int64_t)s->conf.ram));
    json_object_object_add(o, "prealloc", json_object_new_string(s->cli.mem_prealloc ? "on" : "off"));
    if (s->cli.mem_path)
        json_object_object_add(o, "mem-path", json_object_new_string(s->cli.mem_path));
    if ((r = object_add(s, o, e)) == 0)
        s->conf.ram_backend = conf_copy(id);
    json_object_put(o);
    return r < 0 ? err_wrap(e, r, s->cli.mem_path ? "-mem-path" : "-mem-prealloc") : 0;
}

int memory_take(struct sys *s, struct err *e)
{
    return make_backend(s, e) < 0 ? e->code : check_backend(s, e);
}

/* -overcommit mem-lock=on: all memory, that of the guest's too, stays where the host has it. */
int memory_lock(struct sys *s, struct err *e)
{
    static const char *const keys[] = {"mem-lock", "cpu-pm"};
    bool on[2] = {false, false};

    for (unsigned i = 0; i < 2; i++) {
        const char *text = cli_text(&s->cli, &group_overcommit, keys[i]);

        if (text && parse_bool(text, &on[i], e) < 0)
            return err_set(e, -EINVAL, "-overcommit: Parameter '%s' expects 'on' or 'off'", keys[i]);
    }
    if (on[0] && mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        return err_set(e, -errno, "-overcommit mem-lock=on: memory cannot be locked: %s", strerror(errno));
    return 0;
}
