/* SPDX-License-Identifier: GPL-2.0-or-later */
/* convert --resume: a note beside the target says how far an interrupted copy came. */
#ifndef APP_IMG_RESUME_H
#define APP_IMG_RESUME_H

#include "app/img/copy.h"

struct img_resume;

/** img_resume_find - read TARGET.resume; when it is of these very sources and options, c->from says
 *  where to go on.  Otherwise 0: from the beginning. */
struct img_resume *img_resume_find(const char *target, const char *format, struct json_object *opts,
                                   struct img_copy *c);

/** img_resume_begin - the target is open: repair what the interruption left, keep notes from now on.
 *  Returns 1 after saying what failed. */
int img_resume_begin(struct img_resume *r, struct img_copy *c);

/** img_resume_end - @done: the note goes away. Accepts NULL. */
void img_resume_end(struct img_resume *r, bool done);

#endif
