/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name that a mistyped word was probably meant to be, for messages. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/** nearest_name - the one of @names (NULL-terminated) that @word was probably meant to be, or NULL. */
const char *nearest_name(const char *word, const char *const *names);

#endif
