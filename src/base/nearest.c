/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name that a mistyped word was probably meant to be.  Source: V. Levenshtein, Binary codes capable of
 * correcting deletions, insertions and reversals (1966). */
#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

/* Single-character edits from one word to the other, of up to 31 letters; longer ones are far from everything. */
static int distance(const char *a, const char *b)
{
    enum { MAX = 31 };
    size_t n = strlen(a), m = strlen(b);
    int row[MAX + 1];

    if (n > MAX || m > MAX)
        return MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];

        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int cost = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < cost)
                cost = row[j] + 1;
            if (row[j - 1] + 1 < cost)
                cost = row[j - 1] + 1;
            row[j] = cost;
        }
    }
    return row[m];
}

const char *nearest_name(const char *word, const char *const *names)
{
    int limit = (int)strlen(word) / 3 + 1, best = limit + 1;
    const char *found = NULL;

    for (; *names; names++) {
        int d = distance(word, *names);

        if (d < best && d < (int)strlen(*names)) { /* some letter must be right */
            best = d;
            found = *names;
        }
    }
    return found;
}
