/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 9P2000.L file server for one folder of the host.  Protocol: "9P2000.L" as the Linux kernel's client speaks it
 * (github.com/chaos/diod/blob/master/protocol.md), on top of 9P2000 (intro(5) of Plan 9).
 *
 * One thread at a time.  Messages are hostile: lengths are checked, names may not leave the folder, symbolic links are
 * never followed on the host.
 */
#ifndef DEV_VIRTIO_P9_H
#define DEV_VIRTIO_P9_H

#include "base/err.h"
#include "schema/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct json_object;
struct p9;

/** p9_new - @opts as of -fsdev ("path", "security_model", "readonly", "multidevs", "fmode", "dmode"); borrowed. */
struct p9 *p9_new(struct json_object *opts, struct err *e);
void p9_free(struct p9 *s);
/** p9_reset - all files are closed, as if the client had gone. */
void p9_reset(struct p9 *s);
/**
 * p9_handle - one request in @req, the reply goes to @rep.  Blocks.
 * Returns the reply's length; -EPROTO: the request has no answer, or the reply has no room for one.
 */
int64_t p9_handle(struct p9 *s, const struct iovec *req, unsigned n_req, const struct iovec *rep,
                  unsigned n_rep);

enum { P9_STATE_MAX = 1 << 28 };
/** p9_save - what the client has open, into @b; nothing is in work.  p9_load - the same again: what cannot be opened any more
 * (removed since, say) is there, but answers EIO.  -EILSEQ: it was not made by p9_save. */
void p9_save(struct p9 *s, struct state_blob *b);
int p9_load(struct p9 *s, const struct state_blob *b, struct err *e);

#endif
