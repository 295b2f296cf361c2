/* Runs fuzz targets: under libFuzzer the one that $FUZZ_TARGET names; without it (-DREPLAY, any compiler) the
 * inputs of a corpus file, and each of them cut short, as that is where readers go one too far.
 *
 * Corpus file: for each input its size (u32, little-endian) and its bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

typedef void (*target)(const uint8_t *data, size_t size);

static const struct {
    const char *name;
    target run;
    size_t cuts;
} TARGETS[] = {
#define ENTRY(name, cuts) {#name, fuzz_##name, cuts},
    FUZZ_TARGETS(ENTRY)
#undef ENTRY
};

void fuzz_promise(int kept, const char *promise, const char *file, int line)
{
    if (kept) return;
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
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

void *fuzz_room(size_t bytes, uint8_t fill)
{
    uint8_t *room = bytes >= LARGE ? keep(bytes) : NULL;
    if (!room) {
        fuzz_promise(used < ROOMS, "rooms suffice", __FILE__, __LINE__);
        /* malloc(0) may be read at its first byte unseen: an empty room lies behind the end of another. */
        rooms[used++] = room = allocate(bytes ? bytes : EMPTY);
    }
    memset(room, fill, bytes);
    return bytes ? room : room + EMPTY;
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

static void run(target t, const uint8_t *data, size_t size)
{
    t(data, size);
    while (used) free(rooms[--used]);
    for (int i = 0; i < keeping; i++) kept[i].taken = 0;
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

static void replay(size_t t, const uint8_t *data, size_t size)
{
    run(TARGETS[t].run, data, size);
    for (size_t n = 0; n < size; n++)
        if (n < TARGETS[t].cuts || n + TARGETS[t].cuts >= size) run(TARGETS[t].run, data, n);
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
    printf("%zu inputs\n", inputs);
    return 0;
}

#endif
