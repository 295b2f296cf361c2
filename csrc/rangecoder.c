/* The adaptive binary range coder as a call of its own: bits under contexts that the caller chose. */
#include "rangecoder.h"

enum { LIMIT = 255 };

int64_t rs_binary_bound(size_t count)
{
    /* A probability is never below 32 / 65536, so a decision costs at most 11 bits. */
    return count > (size_t)1 << 48 ? RS_ERR_ARGUMENT : (int64_t)(count * 11 / 8 + 8);
}

static void start_models(uint32_t *models, size_t contexts, uint16_t *rate)
{
    rc_rates(rate, LIMIT);
    for (size_t i = 0; i < contexts; i++) models[i] = rc_adaptive_start(1u << 15, 0);
}

int64_t rs_binary_encode(const uint8_t *bits, const uint16_t *context, size_t count, uint32_t *models, size_t contexts,
                         uint8_t *out, size_t capacity)
{
    uint16_t rate[LIMIT + 1];
    rc_encoder rc;
    start_models(models, contexts, rate);
    rc_encoder_start(&rc, out, capacity);
    for (size_t i = 0; i < count; i++) {
        if (context[i] >= contexts || bits[i] > 1) return RS_ERR_ARGUMENT;
        rc_adaptive *model = &models[context[i]];
        rc_encode(&rc, rc_adaptive_p16(*model), bits[i]);
        rc_adaptive_update(model, bits[i], rate, LIMIT);
    }
    return rc_encoder_finish(&rc);
}

int64_t rs_binary_decode(const uint8_t *in, size_t size, const uint16_t *context, size_t count, uint32_t *models,
                         size_t contexts, uint8_t *bits)
{
    uint16_t rate[LIMIT + 1];
    rc_decoder rc;
    start_models(models, contexts, rate);
    rc_decoder_start(&rc, in, size);
    for (size_t i = 0; i < count; i++) {
        if (context[i] >= contexts) return RS_ERR_ARGUMENT;
        rc_adaptive *model = &models[context[i]];
        bits[i] = (uint8_t)rc_decode(&rc, rc_adaptive_p16(*model));
        rc_adaptive_update(model, bits[i], rate, LIMIT);
        if (RS_UNLIKELY(rc_decoder_truncated(&rc))) return RS_ERR_TRUNCATED;
    }
    return rc_decoder_finish(&rc);
}
