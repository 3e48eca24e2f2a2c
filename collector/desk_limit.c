// Tokens are kept as the time that they take to come back, so that no fraction is lost.
#include "collector/desk_limit.h"
#include <stdio.h>
#include <string.h>

static bool has_token(struct desk_bucket *b, int burst, int rate, struct mono now)
{
    const int64_t cost_us = US_PER_S / rate, most_us = cost_us * burst;
    int64_t since_us = now.us - b->filled.us;
    b->tokens_us = b->used ? b->tokens_us + (since_us < most_us ? since_us : most_us) : most_us;
    if (b->tokens_us > most_us)
        b->tokens_us = most_us;
    b->filled = now;
    b->used = true;
    return b->tokens_us >= cost_us;
}

static struct desk_bucket *bucket_of(struct desk_limit *l, const char *author)
{
    struct desk_bucket *oldest = &l->of[0];
    for (size_t i = 0; i < DESK_AUTHORS; i++) {
        struct desk_bucket *b = &l->of[i];
        if (b->used && strcmp(b->author, author) == 0)
            return b;
        if (!b->used || (oldest->used && b->filled.us < oldest->filled.us))
            oldest = b;
        if (!b->used)
            break;
    }
    *oldest = (struct desk_bucket){.used = false};
    snprintf(oldest->author, sizeof oldest->author, "%s", author);
    return oldest;
}

bool desk_limit_take(struct desk_limit *l, const char *author, struct mono now)
{
    struct desk_bucket *own = bucket_of(l, author);
    if (!has_token(own, DESK_AUTHOR_BURST, DESK_AUTHOR_RATE, now) ||
        !has_token(&l->all, DESK_ALL_BURST, DESK_ALL_RATE, now))
        return false;
    own->tokens_us -= US_PER_S / DESK_AUTHOR_RATE;
    l->all.tokens_us -= US_PER_S / DESK_ALL_RATE;
    return true;
}
