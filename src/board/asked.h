/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line asks for and every board does alike: cards, files, flash. */
#ifndef BOARD_ASKED_H
#define BOARD_ASKED_H

#include "board/board.h"

struct image;

/** asked_nic - make the card @n, of the board's default model when it says none, and mark it used. */
int asked_nic(struct machine *m, const struct conf *c, struct conf_nic *n, struct err *e);
/** asked_drive - the drive with that interface, bus and unit; NULL: none. */
struct drive *asked_drive(struct machine *m, enum drive_if intf, int bus, int unit);
/** asked_files - -fw_cfg, -option-rom: files of the user's.  asked_rom_name - what an option ROM @o (-option-rom) is called there. */
const char *asked_rom_name(struct json_object *o);
int asked_files(const struct conf *c, struct dev *fw_cfg, struct err *e);
/** asked_firmware - file @name, as it is or in a folder of firmware, opened; -ENOENT "Could not find ROM image ...". */
int asked_firmware(const struct conf *c, const char *name, struct image *img, struct err *e);

#endif
