/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters that people may ask for and that are not there: each says why. */
#include "net/net_priv.h"

const struct net_filter_type filter_replay = {
    .name = "filter-replay", .refusal = "there is no record and replay of machines"};
const struct net_filter_type filter_rewriter = {
    .name = "filter-rewriter",
    .refusal = "it serves COLO, which keeps two machines alike, and is not there"};
