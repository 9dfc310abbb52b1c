/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of boards. */
#include "board/board.h"

#include "base/nearest.h"

#include <errno.h>
#include <string.h>

const struct board *const boards[] = {
#define BOARD(name) &board_##name,
#include "board/boards.def"
#undef BOARD
    NULL,
};

static bool called(const struct board *b, const char *name)
{
    return strcmp(b->name, name) == 0 || (b->alias && strcmp(b->alias, name) == 0);
}

bool board_is_of(const struct board *b, const char *arch)
{
    if (b->arch && strcmp(b->arch, "x86") == 0)
        return strcmp(arch, "x86_64") == 0 || strcmp(arch, "i386") == 0;
    return !b->arch || strcmp(b->arch, arch) == 0;
}

const struct board *board_find(const char *arch, const char *name, struct err *e)
{
    const char *names[2 * sizeof(boards) / sizeof(boards[0]) + 1];
    const char *near;
    unsigned n = 0;

    for (unsigned i = 0; boards[i]; i++) {
        if (!board_is_of(boards[i], arch))
            continue;
        if (called(boards[i], name))
            return boards[i];
        names[n++] = boards[i]->name;
        if (boards[i]->alias)
            names[n++] = boards[i]->alias;
    }
    names[n] = NULL;
    near = nearest_name(name, names);
    err_set(e, -ENOENT, "unsupported machine type '%s'%s%s%s", name, near ? "; did you mean '" : "",
            near ? near : "", near ? "'?" : " (-machine help lists them)");
    return NULL;
}

const char *conf_vga(struct conf *c, const char *def)
{
    const char *vga = c->vga ? c->vga : def;

    c->vga_used = true;
    if (!vga || !strcmp(vga, "none"))
        return NULL;
    return !strcmp(vga, "virtio") ? "virtio-vga" : !strcmp(vga, "cirrus") ? "cirrus-vga" : "VGA";
}
