// A handful of exceptions beside one rule: looked through, once a Hello and once a new series.
#include "collector/quota.h"
#include <string.h>

struct quota quota_find(const struct quotas *q, const char *resident)
{
    if (!q)
        return (struct quota){0};
    for (size_t i = 0; i < q->count; i++) {
        if (strcmp(q->of[i].resident, resident) == 0)
            return q->of[i].quota;
    }
    return q->usual;
}
