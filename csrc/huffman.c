/* Length-limited canonical Huffman codes, and a plain coder of bytes with them. */
#include "ratescope.h"

#include <string.h>

enum { MAX_SYMBOLS = 288, MAX_LENGTH = 16, LIMIT = 12, SEGMENTS = 4 };

/* Sorts `order` by weight, lightest first, keeping equal weights in the order given. */
static void sort_by_weight(uint16_t *order, int n, const uint64_t *weight)
{
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++) {
            uint16_t item = order[i];
            int j = i;
            for (; j >= gap; j -= gap) {
                uint16_t other = order[j - gap];
                if (weight[other] < weight[item] || (weight[other] == weight[item] && other < item)) break;
                order[j] = other;
            }
            order[j] = item;
        }
}

/* Package-merge (Larmore & Hirschberg, JACM 37(3), 1990). A code of lengths l_i <= L is a choice of
 * coins: symbol i owns one coin of face 2^-1 ... 2^-l_i, each of worth f_i; the cheapest coins that
 * add up to n-1 give the optimal code. Level by level, from face 2^-L up, coins are paired into
 * packages and merged with the next level's coins, always cheapest first. Of the last level the first
 * 2n-2 items are taken. As items are sorted, "taken" is a prefix at every level: it is enough to keep
 * whether each item is a coin or a package, and to walk back: the coins in the prefix lengthen the
 * lightest symbols by one, the packages in it make a prefix of twice as many items one level below. */
static void walk_back(const uint8_t is_coin[MAX_LENGTH][2 * MAX_SYMBOLS], int limit, int n, int *longer)
{
    int taken = 2 * n - 2;
    for (int level = limit - 1; level >= 0; level--) {
        int coins = 0;
        for (int i = 0; i < taken; i++) coins += is_coin[level][i];
        longer[level] = coins;
        taken = 2 * (taken - coins);
    }
}

static int merge_level(const uint16_t *order, int n, const uint64_t *weight, const uint64_t *below, int below_n,
                       uint64_t *items, uint8_t *is_coin)
{
    int coin = 0, package = 0, count = 0;
    while (coin < n || package + 1 < below_n) {
        uint64_t pair = package + 1 < below_n ? below[package] + below[package + 1] : UINT64_MAX;
        int take_coin = coin < n && weight[order[coin]] <= pair;
        items[count] = take_coin ? weight[order[coin++]] : pair;
        if (!take_coin) package += 2;
        is_coin[count++] = (uint8_t)take_coin;
    }
    return count;
}

int64_t rs_huffman_lengths(const uint32_t *freq, size_t symbols, int32_t limit, uint8_t *lengths)
{
    uint8_t is_coin[MAX_LENGTH][2 * MAX_SYMBOLS];
    uint64_t weight[MAX_SYMBOLS], items[2][2 * MAX_SYMBOLS];
    uint16_t order[MAX_SYMBOLS];
    int longer[MAX_LENGTH], n = 0;
    if (symbols > MAX_SYMBOLS || limit < 1 || limit > MAX_LENGTH) return RS_ERR_ARGUMENT;
    for (size_t s = 0; s < symbols; s++) {
        lengths[s] = 0;
        weight[s] = freq[s];
        if (freq[s]) order[n++] = (uint16_t)s;
    }
    if (n > 1 << limit) return RS_ERR_ARGUMENT;
    if (n == 1) lengths[order[0]] = 1;
    if (n < 2) return n;
    sort_by_weight(order, n, weight);
    int count = 0;
    for (int level = 0; level < limit; level++)
        count = merge_level(order, n, weight, items[(level + 1) & 1], count, items[level & 1], is_coin[level]);
    walk_back(is_coin, limit, n, longer);
    for (int level = 0; level < limit; level++)
        for (int i = 0; i < longer[level]; i++) lengths[order[i]]++;
    return n;
}

/* --- A coder of bytes ------------------------------------------------------------------------------
 *
 * Stream: the code lengths (a nibble a symbol, low first; 0 is followed by a byte: further zeros),
 * then, unless one symbol is alone, three little-endian u32 sizes and four bit streams, each with a
 * quarter of the data ((n+3)/4 symbols, the last what is left). Four streams let one core decode four
 * symbols at a time. Bits fill bytes from the low end and codes are stored with their first bit
 * lowest, so a decoder looks at the next 12 bits with one mask. */

static unsigned reversed(unsigned code, int length)
{
    unsigned out = 0;
    for (int i = 0; i < length; i++) out |= ((code >> i) & 1u) << (length - 1 - i);
    return out;
}

/* Canonical codes (shorter first, then by symbol), bit-reversed. */
static void assign_codes(const uint8_t lengths[256], uint16_t codes[256])
{
    unsigned next = 0;
    for (int length = 1; length <= LIMIT; length++, next <<= 1)
        for (int s = 0; s < 256; s++)
            if (lengths[s] == length) codes[s] = (uint16_t)reversed(next++, length);
}

static size_t write_lengths(const uint8_t lengths[256], uint8_t *dst)
{
    uint8_t nibbles[2 * 256 * 2];
    size_t n = 0;
    for (int s = 0; s < 256;) {
        nibbles[n++] = lengths[s];
        if (lengths[s++]) continue;
        int zeros = 0;
        while (s < 256 && !lengths[s]) zeros++, s++;
        nibbles[n++] = (uint8_t)(zeros & 15);
        nibbles[n++] = (uint8_t)(zeros >> 4);
    }
    if (n & 1) nibbles[n++] = 0;
    for (size_t i = 0; i < n; i += 2) dst[i / 2] = (uint8_t)(nibbles[i] | nibbles[i + 1] << 4);
    return n / 2;
}

static int64_t read_lengths(const uint8_t *data, size_t size, uint8_t lengths[256])
{
    size_t at = 0; /* in nibbles */
#define NIBBLE() ((data[at / 2] >> (at & 1) * 4) & 15)
    for (int s = 0; s < 256;) {
        if (at >= 2 * size) return RS_ERR_TRUNCATED;
        lengths[s] = (uint8_t)NIBBLE();
        at++;
        if (lengths[s] > LIMIT) return RS_ERR_CORRUPT;
        if (lengths[s++]) continue;
        if (at + 1 >= 2 * size) return RS_ERR_TRUNCATED;
        int zeros = NIBBLE();
        at++;
        zeros |= NIBBLE() << 4;
        at++;
        if (zeros > 256 - s) return RS_ERR_CORRUPT;
        while (zeros--) lengths[s++] = 0;
    }
#undef NIBBLE
    return (int64_t)((at + 1) / 2);
}

/* How many symbols the lengths name, after checking that they make a complete code (Kraft sum 1). */
static int64_t check_lengths(const uint8_t lengths[256])
{
    uint32_t sum = 0;
    int used = 0;
    for (int s = 0; s < 256; s++)
        if (lengths[s]) sum += 1u << (LIMIT - lengths[s]), used++;
    if (used == 1) return sum == 1u << (LIMIT - 1) ? 1 : RS_ERR_CORRUPT;
    return used && sum == 1u << LIMIT ? used : RS_ERR_CORRUPT;
}

int64_t rs_huffman_bound(size_t size) { return (int64_t)(size + size / 2 + 256 + 12 + 4 * SEGMENTS); }

static uint8_t *encode_segment(const uint8_t *data, size_t n, const uint8_t *lengths, const uint16_t *codes,
                               uint8_t *dst)
{
    uint64_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        bits |= (uint64_t)codes[data[i]] << held;
        held += lengths[data[i]];
        for (; held >= 8; held -= 8, bits >>= 8) *dst++ = (uint8_t)bits;
    }
    if (held) *dst++ = (uint8_t)bits;
    return dst;
}

static size_t segment_start(size_t n, int segment)
{
    size_t start = (n / SEGMENTS + (n % SEGMENTS != 0)) * (size_t)segment;
    return start < n ? start : n;
}

int64_t rs_huffman_encode(const uint8_t *data, size_t size, uint8_t *dst, size_t capacity)
{
    uint32_t freq[256] = {0};
    uint8_t lengths[256];
    uint16_t codes[256] = {0};
    if (!size) return 0;
    if (size > RS_MAX_SYMBOLS) return RS_ERR_ARGUMENT;
    if ((int64_t)capacity < rs_huffman_bound(size)) return RS_ERR_SPACE;
    for (size_t i = 0; i < size; i++) freq[data[i]]++;
    int64_t used = rs_huffman_lengths(freq, 256, LIMIT, lengths);
    if (used < 0) return used;
    uint8_t *at = dst + write_lengths(lengths, dst);
    if (used == 1) return at - dst;
    assign_codes(lengths, codes);
    uint8_t *sizes = at;
    at += 4 * (SEGMENTS - 1);
    for (int s = 0; s < SEGMENTS; s++) {
        size_t from = segment_start(size, s), to = segment_start(size, s + 1);
        uint8_t *end = encode_segment(data + from, to - from, lengths, codes, at);
        for (int b = 0; b < 4 && s < SEGMENTS - 1; b++) sizes[4 * s + b] = (uint8_t)((size_t)(end - at) >> 8 * b);
        at = end;
    }
    return at - dst;
}

static void fill_lookup(const uint8_t lengths[256], uint16_t lookup[1 << LIMIT])
{
    uint16_t codes[256] = {0};
    assign_codes(lengths, codes);
    for (int s = 0; s < 256; s++)
        for (unsigned i = codes[s]; lengths[s] && i < 1u << LIMIT; i += 1u << lengths[s])
            lookup[i] = (uint16_t)(lengths[s] << 8 | s);
}

/* Decodes exactly n symbols from exactly size bytes. */
static int64_t decode_segment(const uint8_t *data, size_t size, const uint16_t *lookup, uint8_t *out, size_t n)
{
    uint64_t bits = 0;
    unsigned held = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        for (; held <= 56 && at < size; held += 8) bits |= (uint64_t)data[at++] << held;
        uint16_t entry = lookup[bits & ((1u << LIMIT) - 1)];
        unsigned length = entry >> 8;
        if (length > held) return RS_ERR_TRUNCATED;
        out[i] = (uint8_t)entry;
        bits >>= length;
        held -= length;
    }
    return at == size && held < 8 && !bits ? 0 : RS_ERR_CORRUPT;
}

int64_t rs_huffman_decode(const uint8_t *data, size_t size, uint8_t *out, size_t count)
{
    uint8_t lengths[256];
    uint16_t lookup[1 << LIMIT];
    if (count > RS_MAX_SYMBOLS) return RS_ERR_ARGUMENT;
    if (!count) return size ? RS_ERR_CORRUPT : 0;
    int64_t used_bytes = read_lengths(data, size, lengths);
    if (used_bytes < 0) return used_bytes;
    int64_t used = check_lengths(lengths);
    if (used < 0) return used;
    data += used_bytes;
    size -= (size_t)used_bytes;
    if (used == 1) {
        int symbol = 0;
        while (!lengths[symbol]) symbol++;
        memset(out, symbol, count);
        return size ? RS_ERR_CORRUPT : (int64_t)count;
    }
    if (size < 4 * (SEGMENTS - 1)) return RS_ERR_TRUNCATED;
    fill_lookup(lengths, lookup);
    const uint8_t *sizes = data;
    data += 4 * (SEGMENTS - 1);
    size -= 4 * (SEGMENTS - 1);
    for (int s = 0; s < SEGMENTS; s++, sizes += 4) {
        size_t bytes = size, from = segment_start(count, s), to = segment_start(count, s + 1);
        if (s < SEGMENTS - 1)
            bytes = sizes[0] | (size_t)sizes[1] << 8 | (size_t)sizes[2] << 16 | (size_t)sizes[3] << 24;
        if (bytes > size) return RS_ERR_TRUNCATED;
        int64_t result = decode_segment(data, bytes, lookup, out + from, to - from);
        if (result < 0) return result;
        data += bytes;
        size -= bytes;
    }
    return (int64_t)count;
}
