/* The loops of dwt.c, once in plain C and once for AVX2: DWT_NAME names the variant, DWT_TARGET is its attribute. A sample is made
 * by the same operations in both. */

/* dst[i] gains (or, inverse, loses) the step's function of a[i] and b[i]. */
DWT_TARGET static void DWT_NAME(apply)(const dwt_lift *step, int inverse, void *dst, const void *a, const void *b, size_t n)
{
    const int32_t *ia = a, *ib = b;
    const float *fa = a, *fb = b;
    int32_t *idst = dst;
    float *fdst = dst;
    float factor = inverse ? -step->factor : step->factor;
    if (step->kind == LIFT_97) {
        for (size_t i = 0; i < n; i++) fdst[i] += factor * (fa[i] + fb[i]);
    } else if ((step->kind == PREDICT_53) == !inverse) {
        if (inverse)
            for (size_t i = 0; i < n; i++) idst[i] = wrap_sub(idst[i], wrap_add(wrap_add(ia[i], ib[i]), 2) >> 2);
        else
            for (size_t i = 0; i < n; i++) idst[i] = wrap_sub(idst[i], wrap_add(ia[i], ib[i]) >> 1);
    } else {
        if (inverse)
            for (size_t i = 0; i < n; i++) idst[i] = wrap_add(idst[i], wrap_add(ia[i], ib[i]) >> 1);
        else
            for (size_t i = 0; i < n; i++) idst[i] = wrap_add(idst[i], wrap_add(wrap_add(ia[i], ib[i]), 2) >> 2);
    }
}

DWT_TARGET static void DWT_NAME(scale)(float *dst, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) dst[i] *= factor;
}

/* Lifts a line of `length` >= 2 rows of n elements: the even rows at `line`, then the odd ones. */
DWT_TARGET static void DWT_NAME(lift_rows)(const dwt_wavelet *w, int inverse, dwt_word *line, size_t length, size_t n)
{
    size_t lows = (length + 1) / 2, highs = length / 2;
    dwt_word *low = line, *high = line + lows * n;
    if (inverse && w->low != 0.0f) {
        DWT_NAME(scale)((float *)low, 1.0f / w->low, lows * n);
        DWT_NAME(scale)((float *)high, 1.0f / w->high, highs * n);
    }
    for (int k = 0; k < w->count; k++) {
        const dwt_lift *step = &w->step[inverse ? w->count - 1 - k : k];
        if (step->odd) {
            for (size_t i = 0; i < highs; i++)
                DWT_NAME(apply)(step, inverse, high + i * n, low + i * n, low + (i + 1 < lows ? i + 1 : i) * n, n);
        } else {
            for (size_t i = 0; i < lows; i++)
                DWT_NAME(apply)(step, inverse, low + i * n, high + (i > 0 ? i - 1 : 0) * n, high + (i < highs ? i : i - 1) * n, n);
        }
    }
    if (!inverse && w->low != 0.0f) {
        DWT_NAME(scale)((float *)low, w->low, lows * n);
        DWT_NAME(scale)((float *)high, w->high, highs * n);
    }
}

/* The same along a row: neighbours are one element apart, so a whole step is one call but for the ends. */
DWT_TARGET static void DWT_NAME(lift_line)(const dwt_wavelet *w, int inverse, dwt_word *line, size_t length)
{
    size_t lows = (length + 1) / 2, highs = length / 2, inner = lows - 1;
    dwt_word *low = line, *high = line + lows;
    if (inverse && w->low != 0.0f) {
        DWT_NAME(scale)((float *)low, 1.0f / w->low, lows);
        DWT_NAME(scale)((float *)high, 1.0f / w->high, highs);
    }
    for (int k = 0; k < w->count; k++) {
        const dwt_lift *step = &w->step[inverse ? w->count - 1 - k : k];
        if (step->odd) {
            DWT_NAME(apply)(step, inverse, high, low, low + 1, inner);
            if (highs > inner) DWT_NAME(apply)(step, inverse, high + inner, low + inner, low + inner, 1);
        } else {
            DWT_NAME(apply)(step, inverse, low, high, high, 1);
            DWT_NAME(apply)(step, inverse, low + 1, high, high + 1, highs - 1);
            if (lows > highs) DWT_NAME(apply)(step, inverse, low + highs, high + highs - 1, high + highs - 1, 1);
        }
    }
    if (!inverse && w->low != 0.0f) {
        DWT_NAME(scale)((float *)low, w->low, lows);
        DWT_NAME(scale)((float *)high, w->high, highs);
    }
}

DWT_TARGET static void DWT_NAME(forward_row)(const dwt_wavelet *w, dwt_word *row, size_t width, dwt_word *scratch)
{
    size_t lows = (width + 1) / 2, highs = width / 2;
    for (size_t i = 0; i < highs; i++) {
        scratch[i] = row[2 * i];
        scratch[lows + i] = row[2 * i + 1];
    }
    if (lows > highs) scratch[highs] = row[width - 1];
    DWT_NAME(lift_line)(w, 0, scratch, width);
    memcpy(row, scratch, width * sizeof *row);
}

DWT_TARGET static void DWT_NAME(inverse_row)(const dwt_wavelet *w, dwt_word *row, size_t width, dwt_word *scratch)
{
    size_t lows = (width + 1) / 2, highs = width / 2;
    memcpy(scratch, row, width * sizeof *row);
    DWT_NAME(lift_line)(w, 1, scratch, width);
    for (size_t i = 0; i < highs; i++) {
        row[2 * i] = scratch[i];
        row[2 * i + 1] = scratch[lows + i];
    }
    if (lows > highs) row[width - 1] = scratch[highs];
}

DWT_TARGET static void DWT_NAME(columns)(const dwt_wavelet *w, int inverse, dwt_word *plane, size_t stride, size_t width, size_t height,
                    dwt_word *scratch)
{
    size_t lows = (height + 1) / 2;
    for (size_t x = 0; x < width; x += STRIP) {
        size_t n = width - x < STRIP ? width - x : STRIP;
        for (size_t y = 0; y < height; y++) { /* split: even rows first */
            size_t to = inverse ? y : (y & 1 ? lows + y / 2 : y / 2);
            memcpy(scratch + to * n, plane + y * stride + x, n * sizeof *plane);
        }
        DWT_NAME(lift_rows)(w, inverse, scratch, height, n);
        for (size_t y = 0; y < height; y++) {
            size_t from = inverse ? (y & 1 ? lows + y / 2 : y / 2) : y;
            memcpy(plane + y * stride + x, scratch + from * n, n * sizeof *plane);
        }
    }
}

DWT_TARGET int64_t DWT_NAME(transform)(const dwt_wavelet *w, int inverse, dwt_word *plane, size_t width, size_t height, int levels,
                         dwt_word *scratch)
{
    if (width < 1 || height < 1 || width > RS_DWT_MAX_SIDE || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    if (levels < 0 || levels > RS_DWT_MAX_LEVELS) return RS_ERR_ARGUMENT;
    for (int k = 0; k < levels; k++) {
        int level = inverse ? levels - 1 - k : k;
        size_t grain = ((size_t)1 << level) - 1;
        size_t wide = (width + grain) >> level, high = (height + grain) >> level;
        if (inverse && high > 1) DWT_NAME(columns)(w, 1, plane, width, wide, high, scratch);
        if (wide > 1)
            for (size_t y = 0; y < high; y++) {
                if (inverse)
                    DWT_NAME(inverse_row)(w, plane + y * width, wide, scratch);
                else
                    DWT_NAME(forward_row)(w, plane + y * width, wide, scratch);
            }
        if (!inverse && high > 1) DWT_NAME(columns)(w, 0, plane, width, wide, high, scratch);
    }
    return levels;
}
