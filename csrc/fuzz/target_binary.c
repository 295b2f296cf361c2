/* The adaptive binary range coder. Input: number of bits (u16), contexts (u8), length of the pattern of contexts
 * that repeats over them (u8), the pattern (u8 each), stream. */
#include "fuzz.h"

enum { MOST = 20000 };

int64_t fuzz_binary(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    size_t count = fuzz_word(&in) % MOST, contexts = fuzz_byte(&in), repeat = 1 + fuzz_byte(&in);
    uint16_t *context = fuzz_room(2 * count, 0);
    for (size_t i = 0; i < count; i++) context[i] = (uint16_t)(i < repeat ? fuzz_byte(&in) : context[i - repeat]);
    const uint8_t *stream = fuzz_rest(&in);
    uint8_t *once = fuzz_room(count, 0x00), *twice = fuzz_room(count, 0xFF);
    uint32_t *models = fuzz_room(4 * contexts, 0x55);
    int64_t result = rs_binary_decode(stream, in.left, context, count, models, contexts, once);
    fuzz_require(result == rs_binary_decode(stream, in.left, context, count, models, contexts, twice));
    if (result < 0) return result;
    fuzz_require(!memcmp(once, twice, count));
    fuzz_tell(once, count);
    int64_t bound = rs_binary_bound(count);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t used = rs_binary_encode(once, context, count, models, contexts, coded, (size_t)bound);
    fuzz_require(used >= 0 && used <= bound);
    const uint8_t *again = fuzz_copy(coded, (size_t)used);
    fuzz_require(!rs_binary_decode(again, (size_t)used, context, count, models, contexts, twice));
    fuzz_require(!memcmp(once, twice, count));
    for (int64_t less = 0; less < used && less < 8; less++) {
        uint8_t *short_room = fuzz_room((size_t)less, 0xEE);
        fuzz_require(rs_binary_encode(once, context, count, models, contexts, short_room, (size_t)less) ==
                     RS_ERR_SPACE);
    }
    return result;
}
