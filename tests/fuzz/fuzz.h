// What the targets share: taking values off the input, a folder for files that must have a path, and the one
// way to say that something does not hold.
#ifndef ESEP_TESTS_FUZZ_H
#define ESEP_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

// Ends the process with the place: libFuzzer keeps the input.
#define FUZZ_CHECK(holds)                                                                                    \
    do {                                                                                                     \
        if (!(holds)) {                                                                                      \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);                       \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

// ---- the input as a script: past its end everything is 0

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

void fuzz_take(struct fuzz_input *in, void *out, size_t len);
uint8_t fuzz_u8(struct fuzz_input *in);
uint16_t fuzz_u16(struct fuzz_input *in);
uint32_t fuzz_u32(struct fuzz_input *in);
uint64_t fuzz_u64(struct fuzz_input *in);
// Small, ordinary and extreme numbers alike; `near` is what an honest one would be about.
int64_t fuzz_number(struct fuzz_input *in, int64_t near);
double fuzz_real(struct fuzz_input *in);
// The next len bytes where they are, fewer at the end.
const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t *len);
// At most max bytes as text without NUL; the caller frees. The length comes first in the input.
char *fuzz_text(struct fuzz_input *in, size_t max);

// ---- files

// The process's own folder, made at the first call and removed at exit; put it on a file system in memory by
// TMPDIR.
const char *fuzz_folder(void);
// "<folder>/<name>", for at most 200 characters; the caller's storage.
#define FUZZ_PATH 400
void fuzz_path(const char *name, char out[FUZZ_PATH]);
void fuzz_write(const char *path, const void *bytes, size_t len);
void fuzz_copy(const char *from, const char *to);
// Everything in a folder, and the folder; none is no error.
void fuzz_remove(const char *path);
// The text as NUL-terminated memory of exactly its size, so that a byte read past its end is seen; the caller
// frees.
char *fuzz_string(const uint8_t *bytes, size_t len);

#endif
