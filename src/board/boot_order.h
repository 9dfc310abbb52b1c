/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which firmware tries devices: properties "bootindex", as paths of Open Firmware's kind (IEEE 1275) in the
 * fw_cfg file "bootorder".
 */
#ifndef BOARD_BOOT_ORDER_H
#define BOARD_BOOT_ORDER_H

struct conf;
struct dev;
struct machine;

/** boot_order_offer - write the file at each reset, of the devices, and option ROMs of @c, that are there then.  @first: a path to be tried before them
 * (borrowed), or NULL. */
void boot_order_offer(struct machine *m, const struct conf *c, struct dev *fw_cfg, const char *first);

#endif
