/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Negotiation of SMI features with firmware; see the header. */
#include "dev/pc/ich9_smi.h"

#include "dev/firmware/fw_cfg.h"

#include <string.h>

enum { BROADCAST = 1, SUPPORTED = BROADCAST };
#define SUPPORTED_FILE "etc/smi/supported-features"
#define REQUESTED_FILE "etc/smi/requested-features"
#define OK_FILE        "etc/smi/features-ok"

static void requested(void *opaque)
{
    (void)opaque; /* counts when features-ok is read */
}

/* Firmware selects features-ok: agreed, if we have all that it wants; from then on until reset. */
static void selected(void *opaque)
{
    struct ich9_smi *s = opaque;
    uint64_t want;

    memcpy(&want, s->requested, sizeof(want)); /* little endian */
    if (!s->agreed && !(want & ~(uint64_t)SUPPORTED)) {
        s->features = want;
        s->agreed = 1;
    }
    fw_cfg_set_file(s->fw_cfg, OK_FILE, &s->agreed, 1, ERR_IGNORE);
}

int ich9_smi_offer(struct ich9_smi *s, struct dev *fw_cfg, struct err *e)
{
    static const uint64_t supported = SUPPORTED, none;
    int r;

    s->fw_cfg = fw_cfg;
    if ((r = fw_cfg_set_file(fw_cfg, SUPPORTED_FILE, &supported, sizeof(supported), e)) < 0 ||
        (r = fw_cfg_add_writable(fw_cfg, REQUESTED_FILE, &none, sizeof(none), requested, s, &s->requested, e)) < 0 ||
        (r = fw_cfg_set_file(fw_cfg, OK_FILE, &s->agreed, 1, e)) < 0)
        return r;
    fw_cfg_on_select(fw_cfg, OK_FILE, selected, s);
    return 0;
}

void ich9_smi_reset(struct ich9_smi *s)
{
    if (s->requested)
        memset(s->requested, 0, sizeof(uint64_t));
    s->features = 0;
    s->agreed = 0;
}

bool ich9_smi_broadcast(const struct ich9_smi *s)
{
    return s->features & BROADCAST;
}
