// Every field that says whose row it is, when it came and what was decided goes in, so that none can be
// changed without the chain showing it. Fixed widths, little endian: two rows can never give the same bytes.
#include "store/ledger_chain.h"
#include <string.h>

#define ROW_BYTES     (10 * 8 + WIRE_INCARNATION_BYTES)
#define DECLARE_BYTES (6 * 8 + WIRE_INCARNATION_BYTES)
#define AUDIT_BYTES   (5 * 8)

static uint8_t *put_u64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (8 * i));
    return at + 8;
}

static uint8_t *put_incarnation(uint8_t *at, const struct wire_incarnation *i)
{
    memcpy(at, i->bytes, WIRE_INCARNATION_BYTES);
    return at + WIRE_INCARNATION_BYTES;
}

static void hash_parts(const struct hash_part *parts, size_t count, uint8_t out[HASH_BYTES])
{
    uint8_t hash[HASH_BYTES]; // out may be one of the parts
    crypto_digest(parts, count, hash);
    memcpy(out, hash, HASH_BYTES);
}

void ledger_chain_genesis(const uint8_t ledger_id[LEDGER_ID_BYTES], uint8_t out[HASH_BYTES])
{
    const struct hash_part part = {ledger_id, LEDGER_ID_BYTES};
    crypto_digest(&part, 1, out);
}

void ledger_chain_next(const uint8_t previous[HASH_BYTES], const struct ledger_chain_row *row,
                       uint8_t out[HASH_BYTES])
{
    uint8_t fixed[ROW_BYTES];
    uint8_t *at = fixed;
    at = put_u64(at, row->position);
    at = put_u64(at, (uint64_t)row->class);
    at = put_u64(at, (uint64_t)row->agent_id);
    at = put_incarnation(at, &row->incarnation);
    at = put_u64(at, row->sequence);
    at = put_u64(at, row->last_sequence);
    at = put_u64(at, (uint64_t)row->gap);
    at = put_u64(at, (uint64_t)row->key_id);
    at = put_u64(at, (uint64_t)row->received_us);
    at = put_u64(at, row->samples);
    put_u64(at, row->refused);
    const struct hash_part parts[] = {
        {previous, HASH_BYTES},
        {fixed, sizeof fixed},
        {row->body, row->body_len},
        {row->verdict, row->verdict_len},
    };
    hash_parts(parts, sizeof parts / sizeof parts[0], out);
}

void ledger_chain_next_declare(const uint8_t previous[HASH_BYTES], const struct ledger_chain_declare *row,
                               uint8_t out[HASH_BYTES])
{
    uint8_t fixed[DECLARE_BYTES];
    uint8_t *at = fixed;
    at = put_u64(at, row->ordinal);
    at = put_u64(at, (uint64_t)row->agent_id);
    at = put_incarnation(at, &row->incarnation);
    at = put_u64(at, row->number);
    at = put_u64(at, (uint64_t)row->class);
    at = put_u64(at, row->step_s);
    put_u64(at, row->period);
    const struct hash_part parts[] = {
        {previous, HASH_BYTES},
        {fixed, sizeof fixed},
        {row->name, strlen(row->name)},
        {row->unit, strlen(row->unit)},
        {row->currency, strlen(row->currency)},
    };
    hash_parts(parts, sizeof parts / sizeof parts[0], out);
}

void ledger_chain_next_audit(const uint8_t previous[HASH_BYTES], const struct ledger_chain_audit *entry,
                             uint8_t out[HASH_BYTES])
{
    uint8_t fixed[AUDIT_BYTES];
    uint8_t *at = fixed;
    at = put_u64(at, entry->position);
    at = put_u64(at, (uint64_t)entry->received_us);
    at = put_u64(at, (uint64_t)entry->since_us);
    at = put_u64(at, entry->outcome);
    put_u64(at, entry->count);
    const struct hash_part parts[] = {
        {previous, HASH_BYTES},
        {fixed, sizeof fixed},
        {entry->who, strlen(entry->who)},
        {entry->event, strlen(entry->event)},
        {entry->object, strlen(entry->object)},
        {entry->detail, strlen(entry->detail)},
    };
    hash_parts(parts, sizeof parts / sizeof parts[0], out);
}
