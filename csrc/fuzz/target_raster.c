/* Slices that are coded position by position, on all paths of the processor, at once and in pieces. Input (u8 each):
 * flags (raster_model.h), what is spoilt, fronts of a piece, how many of the bytes that follow are the model's, over and
 * over: rows, columns, channels, outputs of the first network, what is known beside them, outputs of the second, numbers;
 * then the stream, whose bytes, over and over, are also coefficients to encode. */
#include "raster_model.h"

#include <math.h>

enum { PATHS = 3, MARK = 12345 };

/* Where symbols come from, coefficients or a stream; and how many fronts at a time. */
typedef struct {
    const float *steps;
    const uint8_t *stream;
    size_t size;
    int64_t fronts;
} source;

typedef struct {
    int32_t *values, *residuals;
    uint16_t *index;
    uint64_t reader[2];
    int64_t code;
} coded;

static int64_t run_fronts(const raster_model *x, const source *from, int64_t first, int64_t last, coded *c, size_t done)
{
    int32_t *values = c->values + done, *residuals = c->residuals + done;
    uint16_t *index = c->index + done;
    if (from->steps) return rs_latent_raster_encode(&x->r, from->steps, first, last, values, index, residuals);
    return rs_latent_raster_decode(&x->r, from->stream, from->size, x->cdfs, x->entries, x->rows, x->offsets, x->tables,
                                   c->reader, first, last, values, index, residuals);
}

/* In memory that holds anything. */
static coded run(const raster_model *x, const source *from, uint8_t fill)
{
    coded c = {fuzz_room(4 * x->count, fill), fuzz_room(4 * x->count, fill), fuzz_room(2 * x->count, fill), {0}, 0};
    size_t done = 0;
    if (!from->steps) c.code = rs_latent_read_start(from->stream, from->size, c.reader);
    raster_soil(x, (int16_t)(fill * 257));
    for (int64_t first = 0, last; c.code >= 0 && first < x->fronts; first = last) {
        last = first + from->fronts < x->fronts ? first + from->fronts : x->fronts;
        c.code = run_fronts(x, from, first, last, &c, done);
        if (c.code >= 0) done += (size_t)(c.code * x->r.channels);
    }
    fuzz_require(c.code < 0 || done == x->count);
    return c;
}

static void require_same(const raster_model *x, const coded *a, const coded *b)
{
    fuzz_require(a->code < 0 ? a->code == b->code : b->code >= 0);
    fuzz_require(!memcmp(a->reader, b->reader, sizeof a->reader));
    if (a->code < 0) return;
    fuzz_require(!memcmp(a->values, b->values, 4 * x->count));
    fuzz_require(!memcmp(a->residuals, b->residuals, 4 * x->count));
    fuzz_require(!memcmp(a->index, b->index, 2 * x->count));
}

/* On one path all at once, on the next front by front, on the last in pieces. */
static coded decode(const raster_model *x, source from, int64_t piece)
{
    const int64_t fronts[PATHS] = {x->fronts, 1, piece};
    coded first = {0};
    for (int path = 0; path < PATHS; path++) {
        rs_set_cpu(path);
        from.fronts = fronts[path];
        coded again = run(x, &from, (uint8_t)(0x75 * path));
        if (path) require_same(x, &first, &again);
        else first = again;
    }
    for (size_t i = 0; first.code >= 0 && i < x->count; i++) fuzz_require(first.index[i] < x->r.table_rows);
    raster_soil(x, 0); /* nothing else was written */
    for (size_t i = 0; i < x->whole_count; i++) fuzz_require(!x->whole[i]);
    return first;
}

/* The stream of residuals, whose size is returned. */
static int64_t write_whole(const raster_model *x, const coded *c, uint32_t mark, uint8_t **stream)
{
    uint64_t writer[2];
    size_t bound = (size_t)rs_latent_bound(x->count);
    *stream = fuzz_room(bound, 0xEE);
    int64_t code = rs_latent_write_start(bound, mark, writer);
    if (code >= 0)
        code = rs_latent_write(c->residuals, c->index, x->count, x->cdfs, x->entries, x->rows, x->offsets, x->tables,
                               *stream, bound, writer);
    return code < 0 ? code : rs_latent_write_end(*stream, bound, writer);
}

/* What is encoded decodes to the same; on the fastest path, as decoding shows that all are alike. */
static coded encode(const raster_model *x, const float *steps, int64_t piece)
{
    uint8_t *stream;
    rs_set_cpu(-1);
    coded made = run(x, &(source){.steps = steps, .fronts = x->fronts}, 0x11);
    fuzz_require(made.code >= 0);
    int64_t size = write_whole(x, &made, MARK, &stream);
    fuzz_require(size >= 0);
    coded again = run(x, &(source){NULL, fuzz_copy(stream, (size_t)size), (size_t)size, piece}, 0xEE);
    fuzz_require(again.code >= 0 && rs_latent_read_end((size_t)size, again.reader) == MARK);
    memcpy(again.reader, made.reader, sizeof again.reader);
    require_same(x, &made, &again);
    return made;
}

static void encode_any(const raster_model *x, fuzz_numbers *from, int64_t piece)
{
    float *steps = fuzz_room(4 * x->count, 0);
    for (size_t i = 0; i < x->count; i++) {
        int value = fuzz_number(from);
        steps[i] = value == INT16_MAX ? INFINITY : value == INT16_MIN ? NAN : (float)value / (float)(1 << i % 12);
    }
    coded made = encode(x, steps, piece);
    fuzz_tell(made.values, 4 * x->count);
}

/* Where symbols count in whole steps, what was decoded encodes to what it was decoded from. */
static void encode_again(const raster_model *x, const coded *c, int64_t piece)
{
    const rs_latent_raster *r = &x->r;
    float *steps = fuzz_room(4 * x->count, 0);
    const int32_t *values = c->values;
    for (int64_t front = 0; front < x->fronts; front++)
        for (int64_t y = 0; y < r->rows; y++)
            for (int64_t at = front - 3 * y, n = 0; at >= 0 && at < r->columns && n < r->channels; n++)
                steps[(y * r->columns + at) * r->channels + n] = (float)*values++ / 16;
    coded again = encode(x, steps, piece);
    memcpy(again.reader, c->reader, sizeof again.reader);
    require_same(x, c, &again);
}

static int64_t refuse(raster_model x, unsigned what, const source *from)
{
    float *steps = fuzz_room(4 * x.count, 0);
    raster_soil(&x, 0);
    raster_spoil(&x, what);
    coded c = {fuzz_room(4 * x.count, 0), fuzz_room(4 * x.count, 0), fuzz_room(2 * x.count, 0), {0}, 0};
    c.reader[0] = (uint64_t)1 << 31;
    c.code = run_fronts(&x, from, 0, x.fronts, &c, 0);
    fuzz_require(what < SPOILT_TABLES ? c.code < 0 : c.code == RS_ERR_ARGUMENT);
    const source encoding = {.steps = steps};
    if (what < SPOILT_TABLES) fuzz_require(run_fronts(&x, &encoding, 0, x.fronts, &c, 0) == RS_ERR_ARGUMENT);
    return c.code;
}

int64_t fuzz_raster(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    unsigned flags = fuzz_byte(&in), spoilt = fuzz_byte(&in), piece = 1 + fuzz_byte(&in) % 8, many = fuzz_byte(&in);
    if (many > in.left) many = (unsigned)in.left;
    const uint8_t *behind = in.at + many;
    fuzz_numbers model = {{in.at, many}, in.at, many}, values = {{behind, in.left - many}, behind, in.left - many};
    int refusing = spoilt && spoilt < SPOILT_KINDS;
    raster_model x = raster_read(&model.in, refusing ? flags | RASTER_STEPS : flags, &model);
    const source from = {NULL, fuzz_rest(&values.in), values.size, 0};
    if (refusing) return refuse(x, spoilt, &from);
    coded c = decode(&x, from, piece);
    if (c.code >= 0) {
        fuzz_tell(c.values, 4 * x.count);
        if (!x.r.steps) encode_again(&x, &c, piece);
    }
    encode_any(&x, &values, piece);
    return c.code;
}
