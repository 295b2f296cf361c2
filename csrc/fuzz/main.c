/* Runs fuzz targets: under libFuzzer the one that $FUZZ_TARGET names; without it (-DREPLAY, any compiler) the
 * inputs of a corpus file, and near ones: cut short, as that is where readers go one too far, or with one byte changed.
 * A replay prints a digest of all results and of all that was decoded: checks that went missing show there too.
 *
 * Corpus file: for each input its size (u32, little-endian) and its bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZES_ADDRESSES
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZES_ADDRESSES
#endif
#endif
#ifdef SANITIZES_ADDRESSES
#include <sanitizer/asan_interface.h>
#endif

typedef int64_t (*target)(const uint8_t *data, size_t size);

static const struct {
    const char *name;
    target run;
    size_t cuts;
    long changes;
} TARGETS[] = {
#define ENTRY(name, cuts, changes) {#name, fuzz_##name, cuts, changes},
    FUZZ_TARGETS(ENTRY)
#undef ENTRY
};

void fuzz_promise(int kept, const char *promise, const char *file, int line)
{
    if (kept) return;
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
}

#ifdef REPLAY
static uint64_t digest = 0xCBF29CE484222325u; /* FNV-1a */
#endif

void fuzz_tell(const void *data, size_t bytes)
{
#ifdef REPLAY
    const uint8_t *at = data;
    for (size_t i = 0; i < bytes; i++) digest = (digest ^ at[i]) * 0x100000001B3u;
#else
    (void)data, (void)bytes; /* nobody compares digests of what libFuzzer makes */
#endif
}

/* Large rooms are kept for the runs to come: having pages mapped anew would take most of the time. */
enum { ROOMS = 256, EMPTY = 16, LARGE = 1 << 17, KEPT = 1024 };
static void *rooms[ROOMS];
static struct {
    void *room;
    size_t bytes;
    int taken;
} kept[KEPT];
static int used, keeping;

static void *allocate(size_t bytes)
{
    void *room = malloc(bytes);
    fuzz_promise(room != NULL, "memory suffices", __FILE__, __LINE__);
    return room;
}

/* A large room that is free, or NULL when there are too many. */
static void *keep(size_t bytes)
{
    int i = 0;
    while (i < keeping && (kept[i].taken || kept[i].bytes != bytes)) i++;
    if (i == KEPT) return NULL;
    if (i == keeping) {
        kept[keeping].room = allocate(bytes);
        kept[keeping++].bytes = bytes;
    }
    kept[i].taken = 1;
    return kept[i].room;
}

/* Memory with anything in it. */
static void *scratch(size_t bytes)
{
    uint8_t *room = bytes >= LARGE ? keep(bytes) : NULL;
    if (!room) {
        fuzz_promise(used < ROOMS, "rooms suffice", __FILE__, __LINE__);
        /* malloc(0) may be read at its first byte unseen: an empty room lies behind the end of another. */
        rooms[used++] = room = allocate(bytes ? bytes : EMPTY);
    }
    return bytes ? room : room + EMPTY;
}

/* Of room, what lies behind the first `bytes` is out of bounds: so much was in bounds. */
static void bound(uint8_t *room, size_t bytes, size_t was)
{
#ifdef SANITIZES_ADDRESSES
    if (bytes > was) __asan_unpoison_memory_region(room + was, bytes - was);
    else __asan_poison_memory_region(room + bytes, was - bytes);
#else
    (void)room, (void)bytes, (void)was;
#endif
}

void *fuzz_state(size_t bytes)
{
    static uint8_t *room;
    static size_t capacity, open;
    if (bytes > capacity) {
        free(room);
        room = allocate(bytes);
        capacity = open = bytes;
    }
    bound(room, bytes, open);
    open = bytes;
    return room;
}

void *fuzz_room(size_t bytes, uint8_t fill)
{
    return memset(scratch(bytes), fill, bytes);
}

void *fuzz_copy(const void *data, size_t bytes)
{
    void *room = fuzz_room(bytes, 0);
    if (bytes) memcpy(room, data, bytes);
    return room;
}

unsigned fuzz_byte(fuzz_input *in)
{
    if (!in->left) return 0;
    in->left--;
    return *in->at++;
}

unsigned fuzz_word(fuzz_input *in)
{
    unsigned low = fuzz_byte(in);
    return low | fuzz_byte(in) << 8;
}

const uint8_t *fuzz_rest(const fuzz_input *in) { return fuzz_copy(in->at, in->left); }

static size_t find(const char *name)
{
    for (size_t i = 0; name && i < sizeof TARGETS / sizeof *TARGETS; i++)
        if (!strcmp(TARGETS[i].name, name)) return i;
    fprintf(stderr, "no such target: %s\n", name ? name : "(none)");
    exit(2);
}

static int64_t run(target t, const uint8_t *data, size_t size)
{
    int64_t result = t(data, size);
    while (used) free(rooms[--used]);
    for (int i = 0; i < keeping; i++) kept[i].taken = 0;
    uint64_t bits = (uint64_t)result;
    for (int b = 0; b < 64; b += 8) fuzz_tell(&(uint8_t){(uint8_t)(bits >> b)}, 1);
    return result;
}

#ifndef REPLAY

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static target chosen;
    if (!chosen) chosen = TARGETS[find(getenv("FUZZ_TARGET"))].run;
    run(chosen, data, size);
    return 0;
}

#else

/* Every byte of an input in turn becomes every neighbour of its value: a bit or one apart, and the ends. */
static long change(target t, uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        uint8_t was = data[at];
        for (int way = 0; way < 12; way++) {
            const int others[4] = {was + 1, was - 1, 0, 255};
            data[at] = (uint8_t)(way < 8 ? was ^ 1 << way : others[way - 8]);
            run(t, data, size);
        }
        data[at] = was;
    }
    return 12 * (long)size;
}

static void replay(size_t t, uint8_t *data, size_t size)
{
    static long changed;
    int64_t result = run(TARGETS[t].run, data, size);
    for (size_t n = 0; n < size; n++)
        if (n < TARGETS[t].cuts || n + TARGETS[t].cuts >= size) run(TARGETS[t].run, data, n);
    if (result >= 0 && changed < TARGETS[t].changes) changed += change(TARGETS[t].run, data, size);
}

int main(int argc, char **argv)
{
    uint8_t *pack = NULL;
    size_t size = 0, room = 0, inputs = 0;
    if (argc != 3) return fprintf(stderr, "usage: %s TARGET CORPUS\n", argv[0]), 2;
    size_t t = find(argv[1]);
    FILE *file = fopen(argv[2], "rb");
    if (!file) return perror(argv[2]), 2;
    do {
        room = 2 * room + 65536;
        pack = realloc(pack, room);
        if (!pack) return 2;
        size += fread(pack + size, 1, room - size, file);
    } while (size == room);
    fclose(file);
    for (size_t at = 0; at < size; inputs++) {
        if (size - at < 4) return fprintf(stderr, "%s is cut off\n", argv[2]), 2;
        size_t n = pack[at] | (size_t)pack[at + 1] << 8 | (size_t)pack[at + 2] << 16 | (size_t)pack[at + 3] << 24;
        at += 4;
        if (n > size - at) return fprintf(stderr, "%s is cut off\n", argv[2]), 2;
        replay(t, pack + at, n);
        at += n;
    }
    free(pack);
    printf("%zu inputs, digest %016llx\n", inputs, (unsigned long long)digest);
    return 0;
}

#endif
