/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "block/driver.h"
#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/emu-view-XXXXXX";

static struct blk *open_file(struct blk_env *env, const void *bytes, size_t len)
{
    int fd = mkstemp(path);

    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
    return blk_open(env, path, NULL, BLK_PROBE_RAW_OK, ERR_IGNORE);
}

static void sum(void *opaque)
{
    const unsigned char *p = *(const unsigned char **)opaque;
    unsigned n = 0;

    for (int i = 0; i < 8192; i++)
        n += p[i];
    CHECK_EQ(n, 8192);
}

TEST(view, shows_the_bytes_until_the_file_is_cut)
{
#ifdef __SANITIZE_THREAD__
    SKIP("the thread sanitizer keeps SIGBUS blocked for whoever leaves its handler by a jump");
    return;
#endif
    struct blk_env *env = blk_env_new(NULL, NULL);
    static unsigned char ones[8192];
    struct blk_view v = {0};
    struct blk_status s;

    memset(ones, 1, sizeof(ones));
    struct blk *b = open_file(env, ones, sizeof(ones));

    CHECK(b != NULL);
    CHECK_EQ(blk_status(b, 0, 8192, &s, ERR_IGNORE), 0);
    CHECK(s.has_host && blk_can_view(s.file));
    const void *p = blk_view_at(&v, s.file, s.host, 8192);

    CHECK(p != NULL);
    CHECK(!blk_view_at(&(struct blk_view){0}, s.file, 4096, 8192)); /* past the end */
    blk_view_begin();
    CHECK(blk_view_touch(sum, &p));
    CHECK_EQ(truncate(path, 4096), 0);
    CHECK(!blk_view_touch(sum, &p));
    CHECK(!blk_view_touch(sum, &p)); /* and again */
    blk_view_end(&v);
    blk_close(b, ERR_IGNORE);
    blk_env_free(env);
    unlink(path);
}

static const struct test tests[] = {
    CASE(view, shows_the_bytes_until_the_file_is_cut),
};
TEST_MAIN(tests)
