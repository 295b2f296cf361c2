/* rANS and Huffman coding of bytes. Input: number of symbols (u16), stream. */
#include "fuzz.h"

typedef struct {
    int64_t (*bound)(size_t);
    int64_t (*encode)(const uint8_t *, size_t, uint8_t *, size_t);
    int64_t (*decode)(const uint8_t *, size_t, uint8_t *, size_t);
} coder;

static const coder RANS = {rs_rans_bound, rs_rans_encode, rs_rans_decode};
static const coder HUFFMAN = {rs_huffman_bound, rs_huffman_encode, rs_huffman_decode};

static void round_trip(const coder *c, const uint8_t *symbols, size_t count)
{
    int64_t bound = c->bound(count);
    fuzz_require(bound >= 0);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE), *again = fuzz_room(count, 0xEE);
    int64_t size = c->encode(symbols, count, coded, (size_t)bound);
    fuzz_require(size >= 0 && size <= bound);
    const uint8_t *stream = fuzz_copy(coded, (size_t)size);
    fuzz_require(c->decode(stream, (size_t)size, again, count) == (int64_t)count);
    fuzz_require(!memcmp(symbols, again, count));
    if (count) fuzz_require(c->encode(symbols, count, coded, (size_t)bound - 1) == RS_ERR_SPACE);
}

static int64_t decode(const coder *c, const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    size_t count = fuzz_word(&in);
    const uint8_t *stream = fuzz_rest(&in);
    uint8_t *once = fuzz_room(count, 0x00), *twice = fuzz_room(count, 0xFF);
    int64_t result = c->decode(stream, in.left, once, count);
    fuzz_require(result == c->decode(stream, in.left, twice, count));
    fuzz_require(result < 0 || result == (int64_t)count);
    if (result < 0) return result;
    fuzz_require(!memcmp(once, twice, count));
    fuzz_tell(once, count);
    round_trip(c, once, count);
    return result;
}

int64_t fuzz_rans(const uint8_t *data, size_t size) { return decode(&RANS, data, size); }
int64_t fuzz_huffman(const uint8_t *data, size_t size) { return decode(&HUFFMAN, data, size); }
