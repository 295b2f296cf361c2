/* dct-rans. Input: width and height less one (u8), components and sampling (bit 0 colour, bit 1 h, bit 2 v), stream. */
#include "fuzz.h"

enum { MOST_SIDE = 80 /* enough decisions for a second chunk */ };

typedef struct {
    int32_t width, height, components, h, v;
    size_t blocks, table_bytes;
    int16_t *levels;
    uint8_t *tables;
} picture;

static picture read_header(fuzz_input *in)
{
    int32_t grid[8];
    picture p = {.width = 1 + (int32_t)fuzz_byte(in) % MOST_SIDE, .height = 1 + (int32_t)fuzz_byte(in) % MOST_SIDE};
    unsigned flags = fuzz_byte(in);
    p.components = flags & 1 ? 3 : 1;
    p.h = 1 + (int32_t)(flags >> 1 & 1);
    p.v = 1 + (int32_t)(flags >> 2 & 1);
    int64_t blocks = rs_jpeg_blocks(p.width, p.height, p.components, p.h, p.v, grid);
    fuzz_require(blocks > 0);
    p.blocks = (size_t)blocks;
    p.table_bytes = flags & 1 ? 128 : 64;
    return p;
}

static void *make_state(const picture *p, size_t *size)
{
    int64_t bytes = rs_dctr_state((int64_t)p->blocks);
    fuzz_require(bytes > 0);
    *size = (size_t)bytes;
    return fuzz_state(*size);
}

static int64_t decode(picture *p, const uint8_t *stream, size_t size, uint8_t fill)
{
    size_t state_size;
    void *state = make_state(p, &state_size);
    p->levels = fuzz_room(128 * p->blocks, fill);
    p->tables = fuzz_room(p->table_bytes, fill);
    return rs_dctr_decode(stream, size, p->width, p->height, p->components, p->h, p->v, state, state_size, p->levels,
                          p->tables);
}

static int64_t encode(const picture *p, uint8_t *coded, size_t capacity)
{
    size_t state_size;
    void *state = make_state(p, &state_size);
    const int16_t *levels = fuzz_copy(p->levels, 128 * p->blocks);
    return rs_dctr_encode(levels, p->width, p->height, p->components, p->h, p->v, p->tables, state, state_size, coded,
                          capacity);
}

/* -log2(i / 2^15): what lies over the leading bit is a straight line here, at most 0.09 too little. */
static const float *bits_of_decisions(void)
{
    static float bits[1 << 15];
    for (uint32_t i = 1, top = 1; i < 1 << 15; i++) {
        if (i == 2 * top) top = i;
        float whole = 15;
        for (uint32_t n = top; n > 1; n /= 2) whole--;
        bits[i] = whole + 1 - (float)i / (float)top;
    }
    return bits;
}

/* Blocks cost about what the stream is long. */
static void check_costs(const picture *p, size_t used)
{
    static const float *bits;
    if (!bits) bits = bits_of_decisions();
    size_t state_size;
    void *state = make_state(p, &state_size);
    float *costs = fuzz_room(4 * p->blocks, 0xFF);
    int64_t apart = rs_dctr_costs(p->levels, p->width, p->height, p->components, p->h, p->v, p->tables, state,
                                  state_size, bits, costs);
    fuzz_require(apart >= 0);
    float sum = (float)apart, stream = 8 * (float)used;
    for (size_t i = 0; i < p->blocks; i++) sum += costs[i];
    fuzz_require(sum <= 1.1f * stream + 64 && sum >= 0.8f * stream - 1024);
}

int64_t fuzz_dctr(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    picture p = read_header(&in), again = p;
    const uint8_t *stream = fuzz_rest(&in);
    int64_t result = decode(&p, stream, in.left, 0x00);
    if (result < 0) return result; /* at once: starting a model is slow */
    fuzz_require(!decode(&again, stream, in.left, 0xFF));
    fuzz_require(!memcmp(p.levels, again.levels, 128 * p.blocks) && !memcmp(p.tables, again.tables, p.table_bytes));
    fuzz_tell(p.levels, 128 * p.blocks);
    fuzz_tell(p.tables, p.table_bytes);
    int64_t bound = rs_dctr_bound((int64_t)p.blocks);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t used = encode(&p, coded, (size_t)bound);
    fuzz_require(used == (int64_t)in.left && !memcmp(coded, stream, in.left)); /* there is but one stream */
    size_t rooms[2] = {(size_t)used - 1, in.left % 6};
    for (int i = 0; i < 2; i++)
        if (rooms[i] < (size_t)used) fuzz_require(encode(&p, fuzz_room(rooms[i], 0), rooms[i]) == RS_ERR_SPACE);
    check_costs(&p, in.left);
    return result;
}
