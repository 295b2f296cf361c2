/* A JPEG stream as a coefficient array, and that as pixels: markers and their checks (T.81 B). */
#include "jpeg.h"

#include <string.h>

enum {
    /* Real files have about ten scans. Every scan visits every block, and may cost an attacker as few as
     * a dozen bytes: without a limit, time would grow with the square of the size. */
    MAX_SCANS = 128,
    UNSEEN = -1
};

typedef struct {
    rsi_reader r;
    uint16_t tables[4][64];
    int table_defined[4];
    int bits_left[4][64]; /* per component and coefficient: the Al of its last scan, UNSEEN before */
    uint16_t *used_tables; /* 64 a component, fixed when its first scan starts (B.2.4.1) */
    int jfif, adobe;       /* adobe: -1 absent, else the transform flag */
    int scans;
} reader;

static unsigned word(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }

/* --- Marker segments ----------------------------------------------------------------------------- */

static int64_t read_tables(reader *d, const uint8_t *p, size_t n)
{
    while (n) {
        int wide = p[0] >> 4, id = p[0] & 15;
        size_t size = 1 + (wide ? 128 : 64);
        if (wide > 1 || id > 3) return RS_ERR_CORRUPT;
        if (n < size) return RS_ERR_CORRUPT;
        for (int k = 0; k < 64; k++) {
            d->tables[id][k] = wide ? (uint16_t)word(p + 1 + 2 * k) : p[1 + k];
            if (!d->tables[id][k]) return RS_ERR_CORRUPT;
        }
        d->table_defined[id] = 1;
        p += size;
        n -= size;
    }
    return 0;
}

static int64_t read_codes(reader *d, const uint8_t *p, size_t n)
{
    while (n) {
        int total = 0;
        if (n < 17 || p[0] >> 4 > 1 || (p[0] & 15) > 3) return RS_ERR_CORRUPT;
        for (int i = 1; i <= 16; i++) total += p[i];
        if (total > 256 || n < 17 + (size_t)total) return RS_ERR_CORRUPT;
        rsi_table *t = p[0] >> 4 ? &d->r.ac[p[0] & 15] : &d->r.dc[p[0] & 15];
        int64_t result = rsi_table_define(t, p + 1, p + 17, total);
        if (result < 0) return result;
        p += 17 + total;
        n -= 17 + (size_t)total;
    }
    return 0;
}

static int64_t read_frame(reader *d, int marker, const uint8_t *p, size_t n, int32_t *info)
{
    rsi_frame *f = &d->r.frame;
    if (f->count || n < 6 || n != 6 + 3 * (size_t)p[5]) return RS_ERR_CORRUPT;
    info[RS_JPEG_PROCESS] = marker;
    info[RS_JPEG_PRECISION] = p[0];
    info[RS_JPEG_HEIGHT] = f->height = (int)word(p + 1);
    info[RS_JPEG_WIDTH] = f->width = (int)word(p + 3);
    info[RS_JPEG_COMPONENTS] = p[5];
    if (!f->width || !p[5]) return RS_ERR_CORRUPT;
    if (marker > 0xC2 || p[0] != 8 || (p[5] != 1 && p[5] != 3) || !f->height) return RS_ERR_UNSUPPORTED;
    f->count = p[5];
    for (int i = 0; i < f->count; i++, p += 3) {
        rsi_component *c = &f->c[i];
        c->id = p[6];
        c->h = f->count == 1 ? 1 : p[7] >> 4; /* one component is never interleaved: A.2.2 */
        c->v = f->count == 1 ? 1 : p[7] & 15;
        c->table = p[8];
        info[RS_JPEG_SAMPLING + 2 * i] = c->h;
        info[RS_JPEG_SAMPLING + 2 * i + 1] = c->v;
        if (c->table > 3 || !c->h || !c->v || c->h > 4 || c->v > 4) return RS_ERR_CORRUPT;
        for (int j = 0; j < i; j++)
            if (f->c[j].id == c->id) return RS_ERR_CORRUPT;
    }
    if (rsi_frame_layout(f) < 0) return RS_ERR_UNSUPPORTED;
    for (int i = 0; i < f->count; i++)
        if (f->hmax % f->c[i].h || f->vmax % f->c[i].v) return RS_ERR_UNSUPPORTED;
    d->r.progressive = marker == 0xC2;
    return 0;
}

/* What the samples mean: JFIF is YCbCr; Adobe says; else component ids tell (as libjpeg does). */
static int is_ycc(const reader *d)
{
    const rsi_component *c = d->r.frame.c;
    if (d->r.frame.count == 1) return 0;
    if (d->jfif) return 1;
    if (d->adobe >= 0) return d->adobe != 0;
    return !(c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B');
}

static void read_application(reader *d, int marker, const uint8_t *p, size_t n)
{
    if (marker == 0xE0 && n >= 5 && !memcmp(p, "JFIF", 5)) d->jfif = 1;
    if (marker == 0xEE && n >= 12 && !memcmp(p, "Adobe", 5)) d->adobe = p[11];
}

/* --- Scans ---------------------------------------------------------------------------------------- */

static int find_component(const rsi_frame *f, int id)
{
    for (int i = 0; i < f->count; i++)
        if (f->c[i].id == id) return i;
    return -1;
}

static int64_t read_scan_header(reader *d, const uint8_t *p, size_t n)
{
    rsi_reader *r = &d->r;
    int blocks = 0;
    if (!r->frame.count || n < 1 || n != 4 + 2 * (size_t)p[0]) return RS_ERR_CORRUPT;
    r->count = p[0];
    if (r->count < 1 || r->count > r->frame.count) return RS_ERR_CORRUPT;
    for (int i = 0; i < r->count; i++) {
        int index = find_component(&r->frame, p[1 + 2 * i]);
        /* In the order of the frame, none twice (B.2.3). */
        if (index < 0 || (i && index <= r->index[i - 1])) return RS_ERR_CORRUPT;
        r->index[i] = index;
        r->dc_table[i] = p[2 + 2 * i] >> 4;
        r->ac_table[i] = p[2 + 2 * i] & 15;
        if (r->dc_table[i] > 3 || r->ac_table[i] > 3) return RS_ERR_CORRUPT;
        blocks += r->frame.c[index].h * r->frame.c[index].v;
    }
    if (r->count > 1 && blocks > 10) return RS_ERR_CORRUPT;
    p += 1 + 2 * r->count;
    r->first = p[0];
    r->last = p[1];
    r->high = p[2] >> 4;
    r->low = p[2] & 15;
    return 0;
}

/* Every scan must bring something new, in order: first the upper bits, then one more at a time; the
 * DC before the AC. This also bounds what a stream can make us do. */
static int64_t check_progression(reader *d)
{
    rsi_reader *r = &d->r;
    if (!r->progressive) {
        if (r->first || r->last != 63 || r->high || r->low) return RS_ERR_CORRUPT;
    } else {
        if (r->first > r->last || r->last > 63 || r->low > 13) return RS_ERR_CORRUPT;
        if (!r->first ? r->last != 0 : r->count != 1) return RS_ERR_CORRUPT;
        if (r->high && r->high != r->low + 1) return RS_ERR_CORRUPT;
    }
    for (int i = 0; i < r->count; i++) {
        int *known = d->bits_left[r->index[i]];
        if (r->first && known[0] == UNSEEN) return RS_ERR_CORRUPT;
        for (int k = r->first; k <= r->last; k++) {
            if (known[k] != (r->high ? r->high : UNSEEN)) return RS_ERR_CORRUPT;
            known[k] = r->low;
        }
    }
    return 0;
}

static int64_t check_tables(reader *d)
{
    rsi_reader *r = &d->r;
    for (int i = 0; i < r->count; i++) {
        int component = r->index[i], table = r->frame.c[component].table;
        if (!r->first && !r->high) {
            if (!r->dc[r->dc_table[i]].defined || !d->table_defined[table]) return RS_ERR_CORRUPT;
            memcpy(d->used_tables + 64 * component, d->tables[table], sizeof d->tables[table]);
        }
        if (r->last && !r->ac[r->ac_table[i]].defined) return RS_ERR_CORRUPT;
    }
    return 0;
}

static int64_t read_scan(reader *d, const uint8_t *p, size_t n)
{
    int64_t result = read_scan_header(d, p, n);
    if (result >= 0) result = check_progression(d);
    if (result >= 0) result = check_tables(d);
    if (result >= 0 && ++d->scans > MAX_SCANS) result = RS_ERR_UNSUPPORTED;
    return result < 0 ? result : rsi_scan_decode(&d->r);
}

/* --- The stream ----------------------------------------------------------------------------------- */

/* The next marker's code, with `at` behind its length and *size the bytes of its payload. */
static int64_t next_marker(rsi_reader *r, size_t *size)
{
    if (r->end - r->at < 2) return RS_ERR_TRUNCATED;
    if (*r->at != 0xFF) return RS_ERR_CORRUPT;
    while (r->end - r->at >= 2 && r->at[1] == 0xFF) r->at++;
    if (r->end - r->at < 2) return RS_ERR_TRUNCATED;
    int marker = r->at[1];
    r->at += 2;
    *size = 0;
    if (marker == 0xD9) return marker;
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD8)) return RS_ERR_CORRUPT;
    if (r->end - r->at < 2) return RS_ERR_TRUNCATED;
    if (word(r->at) < 2) return RS_ERR_CORRUPT;
    *size = word(r->at) - 2;
    r->at += 2;
    return (size_t)(r->end - r->at) < *size ? RS_ERR_TRUNCATED : marker;
}

static int is_frame_marker(int marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* One segment that is neither a scan nor the end. */
static int64_t read_segment(reader *d, int marker, const uint8_t *p, size_t n, int32_t *info)
{
    if (is_frame_marker(marker)) return read_frame(d, marker, p, n, info);
    switch (marker) {
    case 0xDB: return read_tables(d, p, n);
    case 0xC4: return read_codes(d, p, n);
    case 0xDD: /* restart interval */
        if (n != 2) return RS_ERR_CORRUPT;
        d->r.restart = (int)word(p);
        return 0;
    case 0xCC: /* arithmetic coding conditions */
    case 0xDC: /* number of lines, after the first scan */
    case 0xDE: /* hierarchical */
    case 0xDF: return RS_ERR_UNSUPPORTED;
    default: read_application(d, marker, p, n); return 0;
    }
}

static int64_t start(reader *d, const uint8_t *data, size_t size, int32_t *info)
{
    memset(d, 0, sizeof *d);
    memset(info, 0, RS_JPEG_FIELDS * sizeof *info);
    d->adobe = -1;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 64; k++) d->bits_left[i][k] = UNSEEN;
    if (size < 4) return RS_ERR_TRUNCATED;
    if (data[0] != 0xFF || data[1] != 0xD8) return RS_ERR_CORRUPT;
    d->r.at = data + 2;
    d->r.end = data + size;
    return 0;
}

/* Reads up to and including the header of the next scan, or the end: returns that marker. */
static int64_t read_to_scan(reader *d, int32_t *info, size_t *size)
{
    for (;;) {
        int64_t marker = next_marker(&d->r, size);
        if (marker < 0 || marker == 0xDA || marker == 0xD9) return marker;
        int64_t result = read_segment(d, (int)marker, d->r.at, *size, info);
        if (result < 0) return result;
        d->r.at += *size;
    }
}

int64_t rs_jpeg_probe(const uint8_t *data, size_t size, int32_t *info)
{
    reader d;
    size_t payload;
    int64_t result = start(&d, data, size, info);
    if (result >= 0) result = read_to_scan(&d, info, &payload);
    if (result < 0) return result;
    if (result != 0xDA || !d.r.frame.count) return RS_ERR_CORRUPT;
    info[RS_JPEG_YCC] = is_ycc(&d);
    /* Each block takes at least a bit of its first scan: what a header claims, the data must pay for. */
    return d.r.frame.blocks / 8 > size ? RS_ERR_TRUNCATED : (int64_t)d.r.frame.blocks;
}

static int64_t read_all(const uint8_t *data, size_t size, int16_t *levels, size_t blocks, uint16_t *tables,
                        int32_t *info, float *costs)
{
    reader d;
    size_t payload;
    int64_t result = start(&d, data, size, info);
    if (result < 0) return result;
    d.used_tables = tables;
    d.r.costs = costs;
    while ((result = read_to_scan(&d, info, &payload)) == 0xDA) {
        if (!d.scans && d.r.frame.count) {
            info[RS_JPEG_YCC] = is_ycc(&d);
            if (blocks != d.r.frame.blocks) return RS_ERR_ARGUMENT;
            d.r.coefs = levels;
            memset(levels, 0, 128 * blocks);
        }
        const uint8_t *header = d.r.at;
        d.r.at += payload;
        result = read_scan(&d, header, payload);
        if (result < 0) return result;
    }
    if (result < 0) return result;
    for (int i = 0; i < d.r.frame.count; i++)
        if (d.bits_left[i][0] == UNSEEN) return RS_ERR_CORRUPT;
    info[RS_JPEG_SCANS] = d.scans;
    return d.scans ? d.r.at - data : RS_ERR_CORRUPT;
}

int64_t rs_jpeg_read(const uint8_t *data, size_t size, int16_t *levels, size_t blocks, uint16_t *tables, int32_t *info)
{
    return read_all(data, size, levels, blocks, tables, info, NULL);
}

int64_t rs_jpeg_costs(const uint8_t *data, size_t size, int16_t *levels, size_t blocks, float *costs)
{
    uint16_t tables[4 * 64];
    int32_t info[RS_JPEG_FIELDS];
    for (size_t i = 0; i < blocks; i++) costs[i] = 0;
    return read_all(data, size, levels, blocks, tables, info, costs);
}

/* --- Pixels --------------------------------------------------------------------------------------- */

static int64_t frame_of(const int32_t *info, rsi_frame *f)
{
    f->width = info[RS_JPEG_WIDTH];
    f->height = info[RS_JPEG_HEIGHT];
    f->count = info[RS_JPEG_COMPONENTS];
    if (f->count != 1 && f->count != 3) return RS_ERR_ARGUMENT;
    for (int i = 0; i < f->count; i++) {
        f->c[i].h = info[RS_JPEG_SAMPLING + 2 * i];
        f->c[i].v = info[RS_JPEG_SAMPLING + 2 * i + 1];
    }
    int64_t blocks = rsi_frame_layout(f);
    for (int i = 0; blocks >= 0 && i < f->count; i++)
        if (f->hmax % f->c[i].h || f->vmax % f->c[i].v) return RS_ERR_ARGUMENT;
    return blocks;
}

int64_t rs_jpeg_render_scratch(const int32_t *info)
{
    rsi_frame f;
    int64_t blocks = frame_of(info, &f);
    return blocks < 0 ? blocks : 64 * blocks + 4 * (int64_t)rsi_line_bytes(&f);
}

int64_t rs_jpeg_render(const int16_t *levels, const uint16_t *tables, const int32_t *info, uint8_t *scratch,
                       size_t scratch_size, uint8_t *pixels)
{
    rsi_frame f;
    int64_t blocks = frame_of(info, &f);
    if (blocks < 0) return blocks;
    if ((int64_t)scratch_size < rs_jpeg_render_scratch(info)) return RS_ERR_ARGUMENT;
    uint8_t *planes[3];
    for (int i = 0; i < f.count; i++) {
        const rsi_component *c = &f.c[i];
        planes[i] = scratch + 64 * c->first;
        for (int y = 0; y < c->ph; y++)
            for (int x = 0; x < c->pw; x++) {
                size_t block = (size_t)y * (size_t)c->pw + (size_t)x;
                rsi_idct8(levels + 64 * (c->first + block), tables + 64 * i,
                          planes[i] + 64 * (size_t)y * (size_t)c->pw + 8 * (size_t)x, 8 * (size_t)c->pw);
            }
    }
    size_t row = (size_t)f.width * (size_t)f.count;
    for (int y = 0; y < f.height; y++)
        rsi_render_row(&f, planes, y, info[RS_JPEG_YCC], scratch + 64 * (size_t)blocks, pixels + (size_t)y * row);
    return (int64_t)(row * (size_t)f.height);
}
