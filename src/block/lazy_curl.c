/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of libcurl that we use. */
#include "block/lazy_curl.h"

#include "block/lazy.h"

#include <stddef.h>

#define F(function, x)                                                                             \
    {                                                                                              \
        function, (void **)&lazy_curl.x                                                            \
    }
struct lazy_curl lazy_curl;

static const struct lazy_function functions[] = {
    F("curl_easy_cleanup", easy_cleanup), F("curl_easy_getinfo", easy_getinfo),
    F("curl_easy_init", easy_init),       F("curl_easy_perform", easy_perform),
    F("curl_easy_setopt", easy_setopt),   F("curl_easy_strerror", easy_strerror),
    F("curl_global_init", global_init),   {NULL, NULL},
};

int lazy_curl_load(struct err *e)
{
    return lazy_load("libcurl-gnutls.so.4", functions, e);
}
