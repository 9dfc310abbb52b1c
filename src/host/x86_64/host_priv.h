/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86-64 back end's own state. */
#ifndef HOST_X86_64_HOST_PRIV_H
#define HOST_X86_64_HOST_PRIV_H

#include "host/x86_64/emit.h"

struct host {
    struct host_layout lay;
    struct x64 x;
    uint32_t cap_val, cap_snap, cap_block;
    host_enter_fn *enter;
};

#endif
