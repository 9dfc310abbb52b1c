/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "cfi.pflash01", a bank of NOR flash, as boards make it. */
#ifndef DEV_FLASH_CFI_PFLASH01_H
#define DEV_FLASH_CFI_PFLASH01_H

#include "bus/dev.h"

/** cfi_pflash01_ram - what it holds. */
struct ram *cfi_pflash01_ram(struct dev *d);
/** cfi_pflash01_has_drive - is there an image behind it? */
bool cfi_pflash01_has_drive(struct dev *d);

#endif
