/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading libraries when they are needed (dlopen(3)). */
#include "block/lazy.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int lazy_load(const char *soname, const struct lazy_function *functions, struct err *e)
{
    const struct lazy_function *f = functions;
    int r = 0;

    pthread_mutex_lock(&lock);
    if (!*f->to) { /* else it was loaded before, and stays */
        void *library = dlopen(soname, RTLD_NOW);

        for (; library && f->name && (*f->to = dlsym(library, f->name));)
            f++;
        if (!library || f->name) {
            *functions->to = NULL;
            r = err_set(e, -ENOENT, "this needs %s, which cannot be loaded: %s", soname, dlerror());
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}
