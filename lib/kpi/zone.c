// The C library converts only to the process's one time zone, which threads share; a collector and a
// dashboard have parks in several. Format: RFC 8536 (TZif), the 64-bit block of version 2 and later.

#include "kpi/zone.h"
#include "base/fs.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_MAX_BYTES (256u << 10)
#define HEADER_BYTES   44
#define HOUR_S         3600

struct zone {
    char name[64];
    size_t count;
    int64_t *at;     // transitions, rising
    int32_t *offset; // from each on
    int32_t first;   // before the first
};

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool header(const unsigned char *p, size_t len, struct counts *c)
{
    if (len < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *c = (struct counts){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
    return c->time <= 4096 && c->type >= 1 && c->type <= 256 && c->chars <= 512 && c->leap <= 64 &&
           c->isstd <= 256 && c->isut <= 256;
}

static size_t block_bytes(const struct counts *c, size_t time_bytes)
{
    return c->time * (time_bytes + 1) + c->type * 6 + c->chars + c->leap * (time_bytes + 4) + c->isstd +
           c->isut;
}

// The version 2 block, NULL when there is none or it is cut short.
static const unsigned char *second_block(const unsigned char *p, size_t len, struct counts *c)
{
    if (!header(p, len, c))
        return NULL;
    size_t skip = HEADER_BYTES + block_bytes(c, 4);
    if (skip >= len || !header(p + skip, len - skip, c))
        return NULL;
    skip += HEADER_BYTES;
    return block_bytes(c, 8) <= len - skip ? p + skip : NULL;
}

static enum err parse(const unsigned char *p, const struct counts *c, struct zone *z)
{
    const unsigned char *index = p + c->time * 8, *types = index + c->time;
    z->count = c->time;
    z->at = calloc(c->time + 1, sizeof *z->at);
    z->offset = calloc(c->time + 1, sizeof *z->offset);
    if (!z->at || !z->offset)
        return ERR_NOMEM;
    z->first = (int32_t)be32(types);
    for (size_t i = 0; i < c->time; i++) {
        if (index[i] >= c->type)
            return ERR_CORRUPT;
        z->at[i] = be64(p + i * 8);
        z->offset[i] = (int32_t)be32(types + index[i] * 6u);
    }
    return ERR_OK;
}

static bool name_is_safe(const char *name)
{
    return *name && strlen(name) < 64 && *name != '/' && !strstr(name, "..") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == strlen(name);
}

enum err zone_load(const char *folder, const char *name, struct zone **out, struct diag *d)
{
    char path[512], *bytes = NULL;
    size_t len;
    if (!name_is_safe(name))
        return diag_fail(d, ERR_INVALID, "'%s' is not a name of a time zone", name);
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    enum err e = fs_read_file(path, ZONE_MAX_BYTES, &bytes, &len, d);
    if (e)
        return e;
    struct counts c;
    struct zone *z = calloc(1, sizeof *z);
    const unsigned char *block = second_block((const unsigned char *)bytes, len, &c);
    e = !z ? ERR_NOMEM : !block ? ERR_CORRUPT : parse(block, &c, z);
    if (z)
        snprintf(z->name, sizeof z->name, "%s", name);
    free(bytes);
    if (e) {
        zone_free(z);
        return diag_fail(d, e, "%s: %s", path, err_text(e));
    }
    *out = z;
    return ERR_OK;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    free(z->at);
    free(z->offset);
    free(z);
}

int32_t zone_offset(const struct zone *z, int64_t utc_s)
{
    if (!z)
        return 0;
    size_t low = 0, high = z->count; // transitions before low have passed
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (z->at[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? z->first : z->offset[low - 1];
}

int64_t zone_to_utc(const struct zone *z, int64_t local_s)
{
    // Offsets change by hours, never by days: the candidates are the offsets a day before and a day after.
    int32_t before = zone_offset(z, local_s - 86400), after = zone_offset(z, local_s + 86400);
    int32_t larger = before > after ? before : after, smaller = before > after ? after : before;
    if (zone_offset(z, local_s - larger) == larger)
        return local_s - larger;
    if (zone_offset(z, local_s - smaller) == smaller)
        return local_s - smaller;
    int64_t low = local_s - larger, high = local_s - smaller; // skipped: find the transition between
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (zone_offset(z, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

const char *zone_name(const struct zone *z)
{
    return z ? z->name : "UTC";
}

int32_t zone_day(const struct zone *z, int64_t utc_s)
{
    int64_t local = utc_s + zone_offset(z, utc_s);
    return (int32_t)(local / 86400 - (local % 86400 < 0));
}

int64_t zone_midnight(const struct zone *z, int32_t day)
{
    return zone_to_utc(z, (int64_t)day * 86400);
}

// FNV-1a over what a clock of the zone can show.
void zone_version(const struct zone *z, char out[ZONE_VERSION])
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; z && i < z->count; i++) {
        const uint64_t words[] = {(uint64_t)z->at[i], (uint64_t)(uint32_t)z->offset[i]};
        for (size_t j = 0; j < 16; j++)
            h = (h ^ (words[j / 8] >> (8 * (j % 8)) & 0xff)) * UINT64_C(1099511628211);
    }
    snprintf(out, ZONE_VERSION, "%s %016" PRIx64, zone_name(z), h ^ (uint32_t)(z ? z->first : 0));
}

enum err zone_has_quarters(const char *name, int64_t from_s, bool *quarters, struct diag *d)
{
    struct zone *z = NULL;
    enum err e = zone_load(NULL, name, &z, d);
    if (e != ERR_OK)
        return e;
    bool found = zone_offset(z, from_s) % HOUR_S != 0;
    for (size_t i = 0; i < z->count; i++)
        found = found || (z->at[i] > from_s && z->offset[i] % HOUR_S != 0);
    zone_free(z);
    *quarters = found;
    return ERR_OK;
}
