/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes as people write and read them. */
#include "base/size_text.h"

#include "base/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int shift_of(char c)
{
    static const char suffixes[] = "BKMGTPE";
    const char *at = c ? strchr(suffixes, toupper((unsigned char)c)) : NULL;

    return at ? 10 * (int)(at - suffixes) : -1;
}

/* ".5" and the like at *@text, as a fraction of one. */
static int parse_fraction(const char **text, double *fraction)
{
    const char *start = *text + 1;

    if (!isdigit((unsigned char)*start)) { /* "1." is one */
        *text = start;
        return 0;
    }
    for (double digit = 0.1; isdigit((unsigned char)*start); start++, digit /= 10)
        *fraction += (*start - '0') * digit;
    *text = start;
    return 0;
}

int size_parse(const char *text, uint64_t unit, uint64_t *bytes, struct err *e)
{
    const char *p = text + strspn(text, " \t");
    bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    double fraction = 0;
    char *end;
    int shift = -1;

    if (*p == '-')
        return err_set(e, -ERANGE, "'%s' is negative", text);
    if (!isdigit((unsigned char)*p))
        return err_set(e, -EINVAL, "'%s' is not a size", text);
    errno = 0;
    uint64_t v = strtoull(p, &end, hex ? 16 : 10);
    if (errno)
        return err_set(e, -ERANGE, "'%s' is 2^64 or more", text);
    p = end;
    if (!hex && *p == '.')
        parse_fraction(&p, &fraction);
    if (*p) {
        shift = shift_of(*p);
        if (shift < 0 || p[1])
            return err_set(e, -EINVAL, "'%s' is not a size", text);
        unit = UINT64_C(1) << shift;
    }
    if (fraction != 0 && unit == 1)
        return err_set(e, -EINVAL, "'%s' is not a whole number of bytes", text);
    if (!mul_u64(v, unit, bytes) || !add_u64(*bytes, (uint64_t)(fraction * (double)unit), bytes))
        return err_set(e, -ERANGE, "'%s' is 2^64 or more", text);
    return 0;
}

char *size_text(uint64_t bytes, char buf[SIZE_TEXT_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)bytes;
    size_t i = 0;

    for (; v >= 1000 && i + 1 < ARRAY_LEN(units); i++) /* four digits would print as 1e+03 */
        v /= 1024;
    snprintf(buf, SIZE_TEXT_MAX, "%.3g %s", v, units[i]);
    return buf;
}
