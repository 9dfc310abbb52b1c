/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -tpmdev: TPMs that are other programs. */
#include "app/system/sys.h"

#include "dev/tpm/tpm.h"
#include "schema/keyval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int open_one(struct sys *s, struct json_object *o, struct err *e)
{
    const char *type = keyval_string(o, "type"), *id = keyval_string(o, "id"), *chardev = keyval_string(o, "chardev");
    struct chr *c = chardev ? machine_backend(s->m, "chardev", chardev) : NULL;
    struct tpm *t;
    int fd;

    if (!type || !id)
        return err_set(e, -EINVAL, "Parameter '%s' is missing", type ? "id" : "type");
    if (strcmp(type, "emulator") != 0)
        return err_set(e, -EINVAL, "Parameter 'type' does not accept value '%s': want 'emulator'", type);
    if (!chardev)
        return err_set(e, -EINVAL, "tpm-emulator: parameter 'chardev' is missing");
    if (!c)
        return err_set(e, -ENOENT, "tpm-emulator: tpm chardev '%s' not found", chardev);
    if ((fd = chr_take_fd(c, e)) < 0 || !(t = tpm_open(s->m, fd, e)))
        return e->code;
    named_add(&s->tpms, id, t);
    return machine_add_backend(s->m, "tpmdev", id, t, e);
}

int tpms_open(struct sys *s, struct err *e)
{
    for (struct entry *x = cli_first(&s->cli, &group_tpmdev); x; x = entry_next(x))
        if (open_one(s, x->opts, e) < 0)
            return entry_fail(x, e);
    return 0;
}

void tpms_close(struct sys *s)
{
    for (struct named *n; (n = s->tpms);) {
        s->tpms = n->next;
        tpm_close(n->p);
        free(n->id);
        free(n);
    }
}
