// RFC 8536 files are read directly: the C library's zone is the whole process's, and a collector has parks in
// several.
#include "kpi/zone.h"
#include "base/fs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER    "/usr/share/zoneinfo"
#define FILE_MAX_BYTES (1u << 20)
#define HEADER_BYTES   44
#define HOUR_S         3600

struct block { // of a file: version 1 has times of 4 bytes, the second block of 8
    size_t times, types, time_bytes;
    const unsigned char *at; // behind the header
    size_t bytes;
};

static uint32_t big_endian_32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t time_at(const struct block *b, size_t i)
{
    const unsigned char *at = b->at + i * b->time_bytes;
    if (b->time_bytes == 4)
        return (int32_t)big_endian_32(at);
    return (int64_t)((uint64_t)big_endian_32(at) << 32 | big_endian_32(at + 4));
}

static bool read_block(const unsigned char *at, size_t left, size_t time_bytes, struct block *out)
{
    size_t count[6];
    if (left < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
        return false;
    for (size_t i = 0; i < 6; i++)
        if ((count[i] = big_endian_32(at + 20 + 4 * i)) > FILE_MAX_BYTES)
            return false;
    *out = (struct block){
        .times = count[3], .types = count[4], .time_bytes = time_bytes, .at = at + HEADER_BYTES};
    out->bytes = count[3] * (time_bytes + 1) + count[4] * 6 + count[5] + count[2] * (time_bytes + 4) +
                 count[1] + count[0];
    return out->bytes <= left - HEADER_BYTES && out->types > 0;
}

static bool find_block(const unsigned char *file, size_t len, struct block *out)
{
    if (!read_block(file, len, 4, out))
        return false;
    size_t second = HEADER_BYTES + out->bytes;
    return file[4] < '2' || read_block(file + second, len - second, 8, out);
}

static bool whole_hours(const struct block *b, size_t type)
{
    const unsigned char *types = b->at + b->times * (b->time_bytes + 1);
    return type >= b->types || (int32_t)big_endian_32(types + 6 * type) % HOUR_S == 0;
}

// The type in effect at from_s, and every one that a later change brings.
static bool has_quarters(const struct block *b, int64_t from_s)
{
    const unsigned char *type_of = b->at + b->times * b->time_bytes;
    size_t first = 0;
    while (first < b->times && time_at(b, first) <= from_s)
        first++;
    if (!whole_hours(b, first > 0 ? type_of[first - 1] : 0))
        return true;
    for (size_t i = first; i < b->times; i++)
        if (!whole_hours(b, type_of[i]))
            return true;
    return false;
}

enum err zone_has_quarters(const char *name, int64_t from_s, bool *quarters, struct diag *d)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    char path[256];
    char *file = NULL;
    size_t len = 0;
    struct block b;
    if (!name[0] || name[0] == '/' || strspn(name, allowed) != strlen(name) || strlen(name) > 100)
        return diag_fail(d, ERR_INVALID, "'%.100s' is no time zone's name", name);
    snprintf(path, sizeof path, ZONE_FOLDER "/%s", name);
    enum err e = fs_read_file(path, FILE_MAX_BYTES, &file, &len, d);
    if (e == ERR_OK && !find_block((const unsigned char *)file, len, &b))
        e = diag_fail(d, ERR_CORRUPT, "%s: not a time zone of RFC 8536", path);
    if (e == ERR_OK)
        *quarters = has_quarters(&b, from_s);
    free(file);
    return e;
}
