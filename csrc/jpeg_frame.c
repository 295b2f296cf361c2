/* The geometry of a JPEG frame: components, blocks, MCUs (T.81 A.1, A.2). */
#include "jpeg.h"

const uint8_t rsi_zigzag[64] = {
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

static int ceil_div(int a, int b) { return (a + b - 1) / b; }

int64_t rsi_frame_layout(rsi_frame *f)
{
    if (f->width < 1 || f->height < 1 || f->width > RS_JPEG_MAX_SIDE || f->height > RS_JPEG_MAX_SIDE)
        return RS_ERR_ARGUMENT;
    if (f->count < 1 || f->count > 4) return RS_ERR_ARGUMENT;
    f->hmax = f->vmax = 1;
    for (int i = 0; i < f->count; i++) {
        const rsi_component *c = &f->c[i];
        if (c->h < 1 || c->h > 4 || c->v < 1 || c->v > 4) return RS_ERR_ARGUMENT;
        if (c->h > f->hmax) f->hmax = c->h;
        if (c->v > f->vmax) f->vmax = c->v;
    }
    f->mcus_x = ceil_div(f->width, 8 * f->hmax);
    f->mcus_y = ceil_div(f->height, 8 * f->vmax);
    f->blocks = 0;
    for (int i = 0; i < f->count; i++) {
        rsi_component *c = &f->c[i];
        c->width = ceil_div(f->width * c->h, f->hmax);
        c->height = ceil_div(f->height * c->v, f->vmax);
        c->bw = ceil_div(c->width, 8);
        c->bh = ceil_div(c->height, 8);
        c->pw = f->mcus_x * c->h;
        c->ph = f->mcus_y * c->v;
        c->first = f->blocks;
        f->blocks += (size_t)c->pw * (size_t)c->ph;
    }
    return (int64_t)f->blocks;
}

int64_t rsi_frame_make(rsi_frame *f, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v)
{
    if (components != 1 && components != 3) return RS_ERR_ARGUMENT;
    f->width = width;
    f->height = height;
    f->count = components;
    for (int i = 0; i < components; i++) {
        rsi_component *c = &f->c[i];
        c->id = i + 1;
        c->h = i ? 1 : h;
        c->v = i ? 1 : v;
        c->table = i > 0;
    }
    return rsi_frame_layout(f);
}

int64_t rs_jpeg_blocks(int32_t width, int32_t height, int32_t components, int32_t h, int32_t v, int32_t *grid)
{
    rsi_frame f;
    int64_t blocks = rsi_frame_make(&f, width, height, components, h, v);
    for (int i = 0; blocks >= 0 && i < components; i++) {
        grid[2 * i] = f.c[i].pw;
        grid[2 * i + 1] = f.c[i].ph;
    }
    return blocks;
}
