/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcurl, loaded when it is first needed: see lazy.h.  Include this instead of its headers. */
#ifndef BLOCK_LAZY_CURL_H
#define BLOCK_LAZY_CURL_H

#include "base/err.h"

#define CURL_DISABLE_TYPECHECK /* macros of the functions' own names */
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

/** lazy_curl_load - before the first function is called; cheap the second time. */
int lazy_curl_load(struct err *e);

extern struct lazy_curl {
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_global_init) *global_init;
} lazy_curl;

#define curl_easy_cleanup  (*lazy_curl.easy_cleanup)
#define curl_easy_getinfo  (*lazy_curl.easy_getinfo)
#define curl_easy_init     (*lazy_curl.easy_init)
#define curl_easy_perform  (*lazy_curl.easy_perform)
#define curl_easy_setopt   (*lazy_curl.easy_setopt)
#define curl_easy_strerror (*lazy_curl.easy_strerror)
#define curl_global_init   (*lazy_curl.global_init)

#endif
