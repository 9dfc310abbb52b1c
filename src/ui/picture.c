/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A screen as a file: portable pixmap (ppm(5)) and PNG (by libpng, when the program was built with it). */
#include "ui/display.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBPNG
#include <png.h>
#endif

static void row_bytes(const struct surface *s, unsigned y, uint8_t *out)
{
    const uint32_t *in = surface_row(s, y);

    for (unsigned x = 0; x < s->width; x++) {
        *out++ = (uint8_t)(in[x] >> 16);
        *out++ = (uint8_t)(in[x] >> 8);
        *out++ = (uint8_t)in[x];
    }
}

static int write_ppm(const struct surface *s, FILE *f, uint8_t *row)
{
    fprintf(f, "P6\n%u %u\n255\n", s->width, s->height);
    for (unsigned y = 0; y < s->height; y++) {
        row_bytes(s, y, row);
        if (fwrite(row, 3, s->width, f) != s->width)
            return -errno;
    }
    return 0;
}

bool picture_has_png(void)
{
#ifdef HAVE_LIBPNG
    return true;
#else
    return false;
#endif
}

#ifdef HAVE_LIBPNG
static int write_png(const struct surface *s, FILE *f, uint8_t *row)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return errno ? -errno : -EIO;
    }
    png_init_io(png, f);
    png_set_IHDR(png, info, s->width, s->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (unsigned y = 0; y < s->height; y++) {
        row_bytes(s, y, row);
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return 0;
}
#else
static int write_png(const struct surface *s, FILE *f, uint8_t *row)
{
    return -ENOTSUP;
}
#endif

int picture_write(const struct surface *s, int fd, const char *format, struct err *e)
{
    bool png = !strcmp(format, "png");
    uint8_t *row;
    FILE *f;
    int r, copy;

    if (!png && strcmp(format, "ppm") != 0)
        return err_set(e, -EINVAL, "invalid format '%s': want ppm or png", format);
    if (png && !picture_has_png())
        return err_set(e, -ENOTSUP, "PNG pictures are not built in (libpng)");
    if ((copy = dup(fd)) < 0 || !(f = fdopen(copy, "wb"))) {
        r = -errno;
        if (copy >= 0)
            close(copy);
        return err_set(e, r, "cannot write a picture: %s", strerror(-r));
    }
    if (!(row = malloc((size_t)s->width * 3)))
        fatal("out of memory");
    errno = 0;
    r = png ? write_png(s, f, row) : write_ppm(s, f, row);
    free(row);
    if (fclose(f) != 0 && r == 0)
        r = -errno;
    return r < 0 ? err_set(e, r, "cannot write a picture: %s", strerror(-r)) : 0;
}
