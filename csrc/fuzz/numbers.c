/* Numbers for models, which hold more of them than an input has bytes. */
#include "fuzz.h"

int fuzz_number(fuzz_numbers *from)
{
    if (from->in.left < 2) from->in = (fuzz_input){from->data, from->size};
    unsigned word = fuzz_word(&from->in);
    return word < 1 << 15 ? (int)word : (int)word - (1 << 16);
}

int16_t fuzz_activation(fuzz_numbers *from)
{
    enum { LARGEST = 2047 };
    int v = fuzz_number(from) / 8;
    return (int16_t)(v > LARGEST ? LARGEST : v < -LARGEST - 1 ? -LARGEST - 1 : v);
}

int16_t *fuzz_packed(fuzz_numbers *from, int32_t outputs, int32_t inputs, int32_t taps)
{
    size_t codes = (size_t)(outputs * inputs * taps);
    int8_t *weights = fuzz_room(codes, 0);
    for (size_t i = 0; i < codes; i++) weights[i] = (int8_t)(fuzz_number(from) % 128);
    int64_t room = rs_latent_packed(outputs, inputs, taps);
    fuzz_require(room > 0);
    int16_t *packed = fuzz_room(2 * (size_t)room, 0xEE);
    fuzz_require(rs_latent_pack(weights, outputs, inputs, taps, packed) == 0);
    return packed;
}
