/* Tables, densities and units of the target `mixture`, sound and spoilt. */
#include "mixture_model.h"

enum { SCALES = 64, LOGISTIC = 1025, POWERS = 513 };

/* As engine/learned/fixed.py makes them, roughly. */
static void make_tables(int32_t *inverse, int32_t *reach, int32_t *logistic, int32_t *powers)
{
    int64_t over = 20480 << 12, wide = 29527;
    int32_t rest = 1 << 29, power = 1 << 15;
    for (int row = 0; row < SCALES; row++, over = over * 57052 >> 16, wide = wide * 75281 >> 16) {
        inverse[row] = (int32_t)over;
        reach[row] = (int32_t)((wide + 65535) >> 16);
    }
    for (int i = 0; i < LOGISTIC; i++, rest -= rest >> 6) logistic[i] = (1 << 30) - rest;
    for (int n = 0; n < POWERS; n++, power -= power * 1404 >> 16) powers[n] = power;
}

static void set_tables(rs_latent_mixing *m)
{
    static int32_t inverse[SCALES], reach[SCALES], logistic[LOGISTIC], powers[POWERS];
    static int made;
    if (!made++) make_tables(inverse, reach, logistic, powers);
    m->inverse = inverse, m->reach = reach, m->logistic = logistic, m->powers = powers;
    m->row_count = SCALES, m->logistic_count = LOGISTIC, m->power_count = POWERS;
}

static void set_any_tables(rs_latent_mixing *m, fuzz_numbers *from)
{
    int32_t *inverse = fuzz_room(4 * SCALES, 0), *reach = fuzz_room(4 * SCALES, 0);
    for (int row = 0; row < SCALES; row++) {
        inverse[row] = 1 + (fuzz_number(from) & 0x7FFF) * 32768; /* up to nearly 2^30 */
        reach[row] = 1 + (fuzz_number(from) & 0x7FFF) * 32;      /* and to 2^20 */
    }
    m->inverse = inverse, m->reach = reach;
}

static void read_densities(fuzz_input *in, rs_latent_mixing *m, size_t count, size_t repeat)
{
    size_t k = (size_t)m->mixtures;
    uint8_t *rows = fuzz_room(count * k, 0);
    int16_t *shifts = fuzz_room(2 * count * (k - 1), 0);
    uint16_t *weights = fuzz_room(2 * count * k, 0);
    m->rows = rows, m->shifts = shifts, m->weights = weights;
    for (size_t i = 0; i < count; i++, rows += k, shifts += k - 1, weights += k) {
        if (i >= repeat) {
            memcpy(rows, rows - repeat * k, k);
            if (k > 1) memcpy(shifts, shifts - repeat * (k - 1), 2 * (k - 1));
            memcpy(weights, weights - repeat * k, 2 * k);
            continue;
        }
        unsigned left = 1 << 15;
        for (size_t j = k; j-- > 0; left -= weights[j]) {
            rows[j] = (uint8_t)(fuzz_byte(in) % SCALES);
            if (j) shifts[j - 1] = (int16_t)fuzz_word(in);
            weights[j] = (uint16_t)(j ? left * fuzz_byte(in) / 255 : left);
        }
    }
}

static void set_units(rs_latent_units *u, int32_t mixtures, int32_t means, fuzz_numbers *from)
{
    u->channels = 1 + (fuzz_number(from) & 1);
    u->means = means;
    size_t outputs = (size_t)(u->channels * (3 * mixtures - 2 + means)), channels = (size_t)u->channels;
    uint8_t *shifts = fuzz_room(outputs, 0), *exponents = fuzz_room(channels, 0);
    int32_t *mantissas = fuzz_room(4 * channels, 0);
    int64_t *offsets = fuzz_room(8 * channels, 0);
    u->shifts = shifts, u->exponents = exponents, u->mantissas = mantissas, u->offsets = offsets;
    for (size_t o = 0; o < outputs; o++) shifts[o] = (uint8_t)((fuzz_number(from) & 255) % 19);
    for (size_t c = 0; c < channels; c++) {
        mantissas[c] = (1 << 30) - (fuzz_number(from) & 0x7FFF) * 32768;
        exponents[c] = (uint8_t)(1 + (fuzz_number(from) & 255) % 43);
        offsets[c] = (int64_t)fuzz_number(from) * (1 << 21);
    }
    u->rows_per_nat = fuzz_number(from) & 1 ? 121022032 : INT32_MAX;
    u->octaves_per_nat = fuzz_number(from) & 1 ? 774541002 : INT32_MAX;
}

mixture_model mixture_read(fuzz_input *in, size_t count, size_t repeat, unsigned flags, fuzz_numbers *from)
{
    mixture_model x = {.m = {.mixtures = 1 + (int32_t)(flags & 3)}, .count = count};
    set_tables(&x.m);
    if (flags & MIXTURE_TABLES) set_any_tables(&x.m, from);
    read_densities(in, &x.m, count, repeat);
    set_units(&x.u, x.m.mixtures, !(flags & MIXTURE_NO_MEANS), from);
    return x;
}

/* A copy of a table with another number in it. */
static const int32_t *with(const int32_t *table, int32_t count, int32_t at, int32_t value)
{
    int32_t *changed = fuzz_copy(table, 4 * (size_t)count);
    changed[at] = value;
    return changed;
}

void mixture_spoil(mixture_model *x, unsigned what)
{
    rs_latent_mixing *m = &x->m;
    rs_latent_units *u = &x->u;
    size_t last = (x->count - 1) * (size_t)m->mixtures;
    switch (what) {
    case SPOILT_DENSITIES: ((uint16_t *)m->weights)[last] ^= 1; break;
    case SPOILT_DENSITIES + 1: ((uint8_t *)m->rows)[last] = SCALES; break;
    case SPOILT_TABLES: m->mixtures = 0; break;
    case SPOILT_TABLES + 1: m->mixtures = 5; break;
    case SPOILT_TABLES + 2: m->row_count = 0; break;
    case SPOILT_TABLES + 3: m->row_count = 257; break;
    case SPOILT_TABLES + 4: m->logistic_count = 1; break;
    case SPOILT_TABLES + 5: m->logistic_count = (1 << 16) + 1; break;
    case SPOILT_TABLES + 6: m->logistic = with(m->logistic, LOGISTIC, 0, (1 << 29) - 1); break;
    case SPOILT_TABLES + 7: m->logistic = with(m->logistic, LOGISTIC, LOGISTIC - 1, (1 << 30) + 1); break;
    case SPOILT_TABLES + 8: m->logistic = with(m->logistic, LOGISTIC, 5, 1 << 29); break;
    case SPOILT_TABLES + 9: m->inverse = with(m->inverse, SCALES, SCALES - 1, 0); break;
    case SPOILT_TABLES + 10: m->inverse = with(m->inverse, SCALES, 0, (1 << 30) + 1); break;
    case SPOILT_TABLES + 11: m->reach = with(m->reach, SCALES, 0, 0); break;
    case SPOILT_TABLES + 12: m->reach = with(m->reach, SCALES, SCALES - 1, (1 << 20) + 1); break;
    case SPOILT_UNITS: m->power_count = 0; break;
    case SPOILT_UNITS + 1: m->powers = with(m->powers, POWERS, 0, 0); break;
    case SPOILT_UNITS + 2: u->channels = 0; break;
    case SPOILT_UNITS + 3: u->channels = (1 << 13) + 1; break;
    case SPOILT_UNITS + 4: u->rows_per_nat = -1; break;
    case SPOILT_UNITS + 5: u->octaves_per_nat = -1; break;
    case SPOILT_UNITS + 6: ((uint8_t *)u->shifts)[u->channels - 1] = RS_LATENT_SHIFT + 1; break;
    case SPOILT_UNITS + 7: ((int32_t *)u->mantissas)[0] = -1; break;
    case SPOILT_UNITS + 8: ((int32_t *)u->mantissas)[u->channels - 1] = (1 << 30) + 1; break;
    case SPOILT_UNITS + 9: ((uint8_t *)u->exponents)[0] = 0; break;
    case SPOILT_UNITS + 10: ((uint8_t *)u->exponents)[u->channels - 1] = 44; break;
    case SPOILT_UNITS + 11: ((int64_t *)u->offsets)[0] = -((int64_t)1 << 36) - 1; break;
    case SPOILT_UNITS + 12: ((int64_t *)u->offsets)[u->channels - 1] = ((int64_t)1 << 36) + 1; break;
    }
}

