/* What a lightmap looks like in a game: texture sampling, and a software rasteriser that tells every pixel which
 * triangle it sees and where in the maps that is. Pictures for the eye: nothing here reaches a stream. */
#include "ratescope.h"

#include <math.h>
#include <string.h>

/* --- Sampling ------------------------------------------------------------------------------- */

typedef struct level {
    const float *texels; /* RGB */
    int32_t width, height;
} level;

/* Index i of a row of n texels: the edge repeated, or the whole row. */
static int32_t wrapped(int64_t i, int32_t n, int repeat)
{
    if (i >= 0 && i < n)
        return (int32_t)i;
    if (repeat) {
        i %= n;
        return (int32_t)(i < 0 ? i + n : i);
    }
    return i < 0 ? 0 : n - 1;
}

/* A coordinate in texels, the centre of the first at 0: the texel below it (the result) and how far beyond that it is.
 * Nonsense is 0. */
static int64_t in_texels(float coordinate, int32_t n, float *beyond)
{
    double x = (double)coordinate * n - 0.5;
    if (!(x > -1e9 && x < 1e9))
        x = 0.0;
    int64_t below = (int64_t)x; /* quicker than floor() where that is a call */
    below -= x < (double)below;
    *beyond = (float)(x - (double)below);
    return below;
}

/* Cards mix texels in 256ths (NVIDIA, CUDA C++ Programming Guide, "Linear Filtering": 8 bits of fraction). */
static float in_256ths(float share)
{
    return (float)(int32_t)(256.0f * share + 0.5f) / 256.0f;
}

static void bilinear(const level *of, const float *uv, int repeat, float *rgb)
{
    float a, b;
    int64_t i = in_texels(uv[0], of->width, &a), j = in_texels(uv[1], of->height, &b);
    a = in_256ths(a);
    b = in_256ths(b);
    int32_t x0 = wrapped(i, of->width, repeat), x1 = wrapped(i + 1, of->width, repeat);
    const float *row0 = of->texels + 3 * (size_t)wrapped(j, of->height, repeat) * (size_t)of->width;
    const float *row1 = of->texels + 3 * (size_t)wrapped(j + 1, of->height, repeat) * (size_t)of->width;
    for (int c = 0; c < 3; c++) {
        float above = row0[3 * x0 + c] + a * (row0[3 * x1 + c] - row0[3 * x0 + c]);
        float below = row1[3 * x0 + c] + a * (row1[3 * x1 + c] - row1[3 * x0 + c]);
        rgb[c] = above + b * (below - above);
    }
}

/* Weights of the uniform cubic B-spline for the four texels around a place that lies `t` beyond the second. */
static void spline(float t, float weights[4])
{
    float s = 1.0f - t;
    weights[0] = s * s * s / 6.0f;
    weights[1] = (t * t * (3.0f * t - 6.0f) + 4.0f) / 6.0f;
    weights[2] = (s * s * (3.0f * s - 6.0f) + 4.0f) / 6.0f;
    weights[3] = t * t * t / 6.0f;
}

static void bicubic(const level *of, const float *uv, int repeat, float *rgb)
{
    float a, b, across[4], down[4];
    int64_t left = in_texels(uv[0], of->width, &a), top = in_texels(uv[1], of->height, &b);
    spline(a, across);
    spline(b, down);
    int32_t columns[4];
    for (int k = 0; k < 4; k++)
        columns[k] = 3 * wrapped(left - 1 + k, of->width, repeat);
    float sum[3] = {0.0f, 0.0f, 0.0f};
    for (int k = 0; k < 4; k++) {
        const float *row = of->texels + 3 * (size_t)wrapped(top - 1 + k, of->height, repeat) * (size_t)of->width;
        for (int c = 0; c < 3; c++) {
            float light = across[0] * row[columns[0] + c] + across[1] * row[columns[1] + c] +
                          across[2] * row[columns[2] + c] + across[3] * row[columns[3] + c];
            sum[c] += down[k] * light;
        }
    }
    memcpy(rgb, sum, sizeof sum);
}

static void trilinear(const level *levels, int32_t count, const float *uv, float lod, int repeat, float *rgb)
{
    float deepest = (float)(count - 1);
    float at = lod > 0.0f ? (lod < deepest ? lod : deepest) : 0.0f; /* what is not a number is level 0 */
    int32_t fine = (int32_t)at;
    float share = at - (float)fine;
    bilinear(&levels[fine], uv, repeat, rgb);
    if (share > 0.0f) {
        float coarse[3];
        bilinear(&levels[fine + 1], uv, repeat, coarse);
        for (int c = 0; c < 3; c++)
            rgb[c] += share * (coarse[c] - rgb[c]);
    }
}

int64_t rs_lit_sample(const float *texels, size_t texel_count, const int32_t *sizes, int32_t level_count,
                      const float *uv, const float *lod, const int32_t *owner, size_t count, int32_t cubic,
                      int32_t repeat, float *rgb)
{
    level levels[RS_LIT_LEVELS];
    size_t used = 0;
    if (level_count < 1 || level_count > RS_LIT_LEVELS)
        return RS_ERR_ARGUMENT;
    for (int32_t n = 0; n < level_count; n++) {
        int32_t width = sizes[2 * n], height = sizes[2 * n + 1];
        if (width < 1 || height < 1 || width > RS_LIT_SIDE || height > RS_LIT_SIDE)
            return RS_ERR_ARGUMENT;
        size_t area = (size_t)width * (size_t)height;
        if (area > texel_count - used)
            return RS_ERR_ARGUMENT;
        levels[n] = (level){texels + 3 * used, width, height};
        used += area;
    }
    for (size_t n = 0; n < count; n++) {
        float *out = rgb + 3 * n;
        if (owner && owner[n] < 0)
            out[0] = out[1] = out[2] = 0.0f;
        else if (cubic)
            bicubic(&levels[0], uv + 2 * n, repeat, out);
        else
            trilinear(levels, level_count, uv + 2 * n, lod ? lod[n] : 0.0f, repeat, out);
    }
    return (int64_t)count;
}

/* --- Rasteriser -----------------------------------------------------------------------------
 *
 * M. Olano and T. Greer, "Triangle Scan Conversion using 2D Homogeneous Coordinates", 1997: the edge between vertices
 * p and q (in pixels times w) is the line p x q; a pixel is inside where all three are positive, and the edges weighted
 * by the vertices' values interpolate them in perspective. Vertices behind the eye need no clipping. The neighbour over
 * an edge computes the very same number with the other sign, so that no pixel is drawn twice or left out; of a pixel
 * centre on an edge the sign of the line decides. */

typedef struct setup {
    double edge[3][3]; /* a, b, c of a*x + b*y + c */
} setup;

/* Pixels times w: x and y of the vertex in the frame, its w. */
static void placed(const float *clip, int32_t width, int32_t height, double out[3])
{
    double w = clip[3];
    out[0] = 0.5 * (w + clip[0]) * width;
    out[1] = 0.5 * (w - clip[1]) * height;
    out[2] = w;
}

static void across(const double p[3], const double q[3], double line[3])
{
    line[0] = p[1] * q[2] - p[2] * q[1];
    line[1] = p[2] * q[0] - p[0] * q[2];
    line[2] = p[0] * q[1] - p[1] * q[0];
}

/* Edges that are positive within; 0 where nothing is to be seen of the triangle: it has no area, or its back is. */
static int set_up(double p[3][3], int two_sided, setup *to)
{
    across(p[1], p[2], to->edge[0]);
    across(p[2], p[0], to->edge[1]);
    across(p[0], p[1], to->edge[2]);
    double volume = p[0][0] * to->edge[0][0] + p[0][1] * to->edge[0][1] + p[0][2] * to->edge[0][2];
    if (!(volume < 0.0 || (two_sided && volume > 0.0)))
        return 0;
    if (volume < 0.0) /* counter-clockwise as glTF has it, seen with y downwards */
        for (int e = 0; e < 3; e++)
            for (int k = 0; k < 3; k++)
                to->edge[e][k] = -to->edge[e][k];
    return 1;
}

/* The rectangle of pixels that the part of a triangle beyond the near plane may touch; 0 if there is none. */
static int bounds(double p[3][3], double near, int32_t width, int32_t height, int32_t box[4])
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int v = 0; v < 3; v++) {
        const double *here = p[v], *next = p[(v + 1) % 3];
        for (int k = 0; k < 2 && here[2] >= near; k++) {
            low[k] = fmin(low[k], here[k] / here[2]);
            high[k] = fmax(high[k], here[k] / here[2]);
        }
        if ((here[2] >= near) != (next[2] >= near)) {
            double share = (near - here[2]) / (next[2] - here[2]);
            for (int k = 0; k < 2; k++) {
                double at = (here[k] + share * (next[k] - here[k])) / near;
                low[k] = fmin(low[k], at);
                high[k] = fmax(high[k], at);
            }
        }
    }
    if (!(low[0] <= width && low[1] <= height && high[0] >= 0 && high[1] >= 0))
        return 0;
    box[0] = (int32_t)fmax(0.0, floor(low[0] - 1.0));
    box[1] = (int32_t)fmax(0.0, floor(low[1] - 1.0));
    box[2] = (int32_t)fmin(width, ceil(high[0] + 1.0));
    box[3] = (int32_t)fmin(height, ceil(high[1] + 1.0));
    return box[0] < box[2] && box[1] < box[3];
}

static int inside(double value, const double line[3])
{
    return value > 0.0 || (value == 0.0 && (line[0] > 0.0 || (line[0] == 0.0 && line[1] > 0.0)));
}

/* Where a line's value does not rule a row out: shrinks [*from, *to) to a pixel around what may be inside. */
static void narrow(const double line[3], double at_row, int32_t *from, int32_t *to)
{
    if (line[0] == 0.0) {
        if (at_row < 0.0)
            *to = *from;
        return;
    }
    double zero = -at_row / line[0] - 0.5; /* of the pixel whose centre lies on the line */
    if (line[0] > 0.0 && zero - 1.0 > *from)
        *from = zero - 1.0 < *to ? (int32_t)(zero - 1.0) : *to;
    else if (line[0] < 0.0 && zero + 2.0 < *to)
        *to = zero + 2.0 > *from ? (int32_t)(zero + 2.0) : *from;
}

static void cover(const setup *of, double volume, double near, const int32_t box[4], int32_t number, int32_t width,
                  float *depth, int32_t *owner)
{
    const double(*edge)[3] = of->edge;
    for (int32_t row = box[1]; row < box[3]; row++) {
        double y = row + 0.5, at_row[3];
        int32_t from = box[0], to = box[2];
        for (int e = 0; e < 3; e++) {
            at_row[e] = edge[e][1] * y + edge[e][2];
            narrow(edge[e], at_row[e], &from, &to);
        }
        size_t at = (size_t)row * (size_t)width;
        for (int32_t column = from; column < to; column++) {
            double x = column + 0.5, value[3];
            for (int e = 0; e < 3; e++)
                value[e] = edge[e][0] * x + at_row[e];
            if (!(inside(value[0], edge[0]) && inside(value[1], edge[1]) && inside(value[2], edge[2])))
                continue;
            double nearness = (value[0] + value[1] + value[2]) / volume; /* 1/w */
            if (nearness * near <= 1.0 && nearness > (double)depth[at + (size_t)column]) {
                depth[at + (size_t)column] = (float)nearness;
                owner[at + (size_t)column] = number;
            }
        }
    }
}

static void corners(const rs_lit_mesh *mesh, int32_t triangle, int32_t width, int32_t height, double p[3][3])
{
    for (int v = 0; v < 3; v++)
        placed(mesh->clip + 4 * (size_t)mesh->triangles[3 * (size_t)triangle + v], width, height, p[v]);
}

int64_t rs_lit_cover(const rs_lit_mesh *mesh, double near, int32_t width, int32_t height, float *depth, int32_t *owner)
{
    if (width < 1 || height < 1 || width > RS_LIT_SIDE || height > RS_LIT_SIDE || !(near > 0.0))
        return RS_ERR_ARGUMENT;
    if (mesh->triangle_count > INT32_MAX || mesh->vertex_count > INT32_MAX)
        return RS_ERR_ARGUMENT;
    for (size_t k = 0; k < 3 * mesh->triangle_count; k++)
        if (mesh->triangles[k] < 0 || (size_t)mesh->triangles[k] >= mesh->vertex_count)
            return RS_ERR_ARGUMENT;
    size_t pixels = (size_t)width * (size_t)height;
    for (size_t k = 0; k < pixels; k++) {
        depth[k] = 0.0f;
        owner[k] = -1;
    }
    for (int32_t number = 0; number < (int32_t)mesh->triangle_count; number++) {
        double p[3][3];
        int32_t box[4];
        setup edges;
        corners(mesh, number, width, height, p);
        if (!set_up(p, mesh->two_sided[number], &edges) || !bounds(p, near, width, height, box))
            continue;
        double volume = 0.0;
        for (int k = 0; k < 3; k++)
            volume += p[0][k] * edges.edge[0][k];
        cover(&edges, volume, near, box, number, width, depth, owner);
    }
    int64_t seen = 0;
    for (size_t k = 0; k < pixels; k++)
        seen += owner[k] >= 0;
    return seen;
}

/* Half the logarithm of the larger of two squared lengths, in texels, of one pixel's step in the map. */
static float detail(const double over_x[2], const double over_y[2], const float texels[2])
{
    double x = over_x[0] * over_x[0] * texels[0] * texels[0] + over_x[1] * over_x[1] * texels[1] * texels[1];
    double y = over_y[0] * over_y[0] * texels[0] * texels[0] + over_y[1] * over_y[1] * texels[1] * texels[1];
    double most = x > y ? x : y;
    return most > 0.0 ? 0.5f * log2f((float)most) : -64.0f;
}

int64_t rs_lit_places(const rs_lit_mesh *mesh, const float *vertex_uv, const float *texels, int32_t width,
                      int32_t height, const int32_t *owner, float *uv, float *lod)
{
    if (width < 1 || height < 1 || width > RS_LIT_SIDE || height > RS_LIT_SIDE)
        return RS_ERR_ARGUMENT;
    int32_t known = -1;
    setup edges = {{{0}}};
    double sum[3] = {0}, weighted[2][3] = {{0}}; /* lines whose values are 1/w, u/w and v/w, but for one factor */
    for (int32_t row = 0; row < height; row++)
        for (int32_t column = 0; column < width; column++) {
            size_t at = (size_t)row * (size_t)width + (size_t)column;
            int32_t number = owner[at];
            if (number < 0 || (size_t)number >= mesh->triangle_count) {
                uv[2 * at] = uv[2 * at + 1] = lod[at] = 0.0f;
                continue;
            }
            if (number != known) {
                double p[3][3];
                corners(mesh, number, width, height, p);
                set_up(p, 1, &edges);
                known = number;
                for (int k = 0; k < 3; k++) {
                    sum[k] = edges.edge[0][k] + edges.edge[1][k] + edges.edge[2][k];
                    for (int axis = 0; axis < 2; axis++) {
                        weighted[axis][k] = 0.0;
                        for (int v = 0; v < 3; v++) {
                            size_t vertex = (size_t)mesh->triangles[3 * (size_t)number + v];
                            weighted[axis][k] += edges.edge[v][k] * vertex_uv[2 * vertex + (size_t)axis];
                        }
                    }
                }
            }
            double x = column + 0.5, y = row + 0.5, over_x[2], over_y[2];
            double whole = 1.0 / (sum[0] * x + sum[1] * y + sum[2]);
            for (int axis = 0; axis < 2; axis++) {
                double place = (weighted[axis][0] * x + weighted[axis][1] * y + weighted[axis][2]) * whole;
                over_x[axis] = (weighted[axis][0] - place * sum[0]) * whole;
                over_y[axis] = (weighted[axis][1] - place * sum[1]) * whole;
                uv[2 * at + (size_t)axis] = (float)place;
            }
            lod[at] = detail(over_x, over_y, texels);
        }
    return (int64_t)width * height;
}

/* --- Tone ----------------------------------------------------------------------------------- */

/* The nearest half float's bits, ties to even; beyond the largest is infinity (IEEE 754 binary16). */
static uint16_t half_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;
    if (rest > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (rest >= 0x477ff000u) /* 65520: rounds to what a half cannot hold */
        return (uint16_t)(sign | 0x7c00u);
    if (rest < 0x38800000u) { /* below 2^-14: whole multiples of 2^-24, found by adding 0.5 */
        float scaled;
        memcpy(&scaled, &rest, sizeof scaled);
        scaled += 0.5f;
        memcpy(&rest, &scaled, sizeof rest);
        return (uint16_t)(sign | (rest - 0x3f000000u));
    }
    uint32_t odd = rest >> 13 & 1u;
    return (uint16_t)(sign | (rest - 0x38000000u + 0xfffu + odd) >> 13);
}

int64_t rs_lit_develop(const float *light, const float *albedo, size_t count, const uint8_t *table, uint8_t *codes)
{
    for (size_t k = 0; k < count; k++)
        codes[k] = table[half_bits(albedo ? light[k] * albedo[k] : light[k])];
    return (int64_t)count;
}
