/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: images that contradict themselves are marked, and not written to until they are repaired. */
#include "block/fmt_qcow2_priv.h"

#include <stdarg.h>
#include <stdio.h>

int qcow2_corrupt(struct blk *b, struct err *e, const char *fmt, ...)
{
    struct qcow2 *s = b->state;
    bool mark = (b->flags & BLK_RDWR) && s->h.version >= 3;
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (__atomic_exchange_n(&s->corrupt, 1, __ATOMIC_RELAXED))
        return err_set(e, -EIO, "qcow2: Image is corrupt: %s", text);
    blk_env_warn(b->env,
                 mark ? "qcow2: Marking image as corrupt: %s; further corruption events will be "
                        "suppressed"
                      : "qcow2: Image is corrupt: %s; further non-fatal corruption events will be "
                        "suppressed",
                 text);
    if (mark && !(b->flags & BLK_CHECK)) {
        s->h.incompatible |= QCOW2_CORRUPT;
        qcow2_store_fields(b, ERR_IGNORE);
    }
    return err_set(e, -EIO, "qcow2: Image is corrupt: %s", text);
}

int qcow2_check_writable(struct blk *b, struct err *e)
{
    if (__atomic_load_n(&qcow2_of(b)->corrupt, __ATOMIC_RELAXED) && !(b->flags & BLK_CHECK))
        return err_set(e, -EIO, "qcow2: Image is corrupt; it must be repaired before writing");
    return 0;
}
