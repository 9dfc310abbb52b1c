/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard layouts, for viewers that say which character was typed and not which key: the reverse of what a layout says.  Layouts are
 * those of xkb-data, read at run time; their language is that of "The XKB Configuration Guide" (libX11), of which symbols, include and
 * key with its first group are understood.
 */
#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include "ui/input.h"

enum { KEYMAP_SHIFT = 1, KEYMAP_ALTGR = 2 }; /* a level: what is held with the key */

struct keymap;

/** keymap_load - "de", "en-us", "fr-ch" and so on: xkb's names, and those of -k.  NULL: -ENOENT "could not read keymap file: 'xx'". */
struct keymap *keymap_load(const char *name, struct err *e);
/** keymap_read - the same from a text, without what it includes: @variant, NULL for the first. */
struct keymap *keymap_read(const char *text, size_t len, const char *variant);
void keymap_free(struct keymap *k);
/** keymap_find - the key that gives @keysym with the fewest others held, which *@level says; KEY_UNKNOWN: none does. */
enum key keymap_find(const struct keymap *k, uint32_t keysym, unsigned *level);

#endif
