/* JPEG files: headers, scans, pixels; and what was read, written again. Input: the file. */
#include "fuzz.h"

enum { MOST = 512 /* blocks: larger pictures are slow, and nothing new */ };

typedef struct {
    int32_t info[RS_JPEG_FIELDS];
    int16_t *levels;
    uint16_t *tables;
    uint8_t *pixels;
    size_t blocks, bytes;
} picture;

static int64_t read_picture(const uint8_t *data, size_t size, uint8_t fill, picture *p)
{
    int32_t *info = fuzz_room(sizeof p->info, fill);
    int64_t blocks = rs_jpeg_probe(data, size, info);
    if (blocks > MOST) return RS_ERR_UNSUPPORTED;
    if (blocks < 0) return blocks;
    p->blocks = (size_t)blocks;
    p->levels = fuzz_room(128 * p->blocks, fill);
    p->tables = fuzz_room(4 * 64 * 2, 0);
    int64_t used = rs_jpeg_read(data, size, p->levels, p->blocks, p->tables, info);
    if (used < 0) return used;
    fuzz_require((size_t)used <= size);
    int64_t scratch_size = rs_jpeg_render_scratch(info);
    fuzz_require(scratch_size > 0);
    p->bytes = (size_t)info[RS_JPEG_WIDTH] * (size_t)info[RS_JPEG_HEIGHT] * (size_t)info[RS_JPEG_COMPONENTS];
    p->pixels = fuzz_room(p->bytes, fill);
    uint8_t *scratch = fuzz_room((size_t)scratch_size, fill);
    int64_t rendered = rs_jpeg_render(p->levels, p->tables, info, scratch, (size_t)scratch_size, p->pixels);
    fuzz_require(rendered == (int64_t)p->bytes);
    memcpy(p->info, info, sizeof p->info);
    return used;
}

/* Whether our encoder can say the same. */
static int writable(const picture *p, uint8_t tables[128])
{
    const int32_t *sampling = p->info + RS_JPEG_SAMPLING;
    int colour = p->info[RS_JPEG_COMPONENTS] == 3;
    if (colour && (!p->info[RS_JPEG_YCC] || sampling[2] != 1 || sampling[3] != 1 || sampling[4] != 1 || sampling[5] != 1))
        return 0;
    if (colour && memcmp(p->tables + 64, p->tables + 128, 128)) return 0;
    for (int k = 0; k < (colour ? 128 : 64); k++) {
        if (p->tables[k] > 255) return 0;
        tables[k] = (uint8_t)p->tables[k];
    }
    for (size_t i = 0; i < 64 * p->blocks; i++)
        if (p->levels[i] < -1023 || p->levels[i] > 1023) return 0;
    return 1;
}

static void round_trip(const picture *p, const uint8_t *tables, int mode)
{
    int64_t scratch_size = rs_jpeg_write_scratch((int64_t)p->blocks), stats[3];
    int64_t bound = rs_jpeg_write_bound((int64_t)p->blocks, 0);
    const int32_t *info = p->info;
    uint8_t *file = fuzz_room((size_t)bound, 0xEE);
    uint64_t *scratch = fuzz_room((size_t)scratch_size, 0xEE);
    int64_t size = rs_jpeg_write(p->levels, info[RS_JPEG_WIDTH], info[RS_JPEG_HEIGHT], info[RS_JPEG_COMPONENTS],
                                 info[RS_JPEG_SAMPLING], info[RS_JPEG_SAMPLING + 1], tables, mode, NULL, 0, scratch,
                                 (size_t)scratch_size, file, (size_t)bound, stats);
    fuzz_require(size > 0 && size <= bound);
    for (int64_t room = size - 1; room > 8; room /= 8)
        fuzz_require(rs_jpeg_write(p->levels, info[RS_JPEG_WIDTH], info[RS_JPEG_HEIGHT], info[RS_JPEG_COMPONENTS],
                                   info[RS_JPEG_SAMPLING], info[RS_JPEG_SAMPLING + 1], tables, mode, NULL, 0, scratch,
                                   (size_t)scratch_size, fuzz_room((size_t)room, 0), (size_t)room,
                                   stats) == RS_ERR_SPACE);
    picture again;
    fuzz_require(read_picture(fuzz_copy(file, (size_t)size), (size_t)size, 0x77, &again) == size);
    fuzz_require(again.bytes == p->bytes && !memcmp(again.pixels, p->pixels, p->bytes));
}

/* Where the bits are: in what was read, none of them twice. */
static void check_costs(const picture *p, const uint8_t *file, size_t size, int64_t used)
{
    int16_t *levels = fuzz_room(128 * p->blocks, 0x33);
    float *costs = fuzz_room(4 * p->blocks, 0xFF), sum = 0;
    fuzz_require(rs_jpeg_costs(file, size, levels, p->blocks, costs) == used);
    fuzz_require(!memcmp(levels, p->levels, 128 * p->blocks));
    for (size_t i = 0; i < p->blocks; i++) sum += costs[i];
    fuzz_require(sum >= 0 && sum <= 8.01f * (float)used);
}

int64_t fuzz_jpeg(const uint8_t *data, size_t size)
{
    const uint8_t *file = fuzz_copy(data, size);
    picture once, twice;
    rs_set_cpu(0);
    int64_t result = read_picture(file, size, 0x00, &once);
    rs_set_cpu(-1); /* vectors make the same */
    fuzz_require(result == read_picture(file, size, 0xFF, &twice));
    if (result < 0) return result;
    fuzz_require(once.blocks == twice.blocks && !memcmp(once.levels, twice.levels, 128 * once.blocks));
    fuzz_require(!memcmp(once.pixels, twice.pixels, once.bytes));
    fuzz_tell(once.pixels, once.bytes);
    check_costs(&once, file, size, result);
    uint8_t tables[128] = {0};
    for (int mode = RS_JPEG_SEQUENTIAL; writable(&once, tables) && mode <= RS_JPEG_SMALLER; mode++)
        round_trip(&once, tables, mode);
    return result;
}
