// A step may well be larger than the one before: graduates of a month began in another one. That is no
// reason to hide it, nor to call it right, so it is marked.
#include "kpi/programme.h"
#include <math.h>

static const char *const kinds[] = {"funnel", "stages", "register"};

const char *programme_kind_name(enum programme_kind k)
{
    return (unsigned)k < sizeof(kinds) / sizeof(kinds[0]) ? kinds[k] : "";
}

static struct figure share_of(struct figure before, struct figure now)
{
    struct figure out = figure_missing();

    if (before.kind == FIGURE_MISSING || now.kind == FIGURE_MISSING || figure_to_real(before) <= 0)
        return out;
    double share = figure_to_real(now) * 100 / figure_to_real(before);
    return figure_from_real(share, &out) == ERR_OK ? out : figure_missing();
}

void funnel_fill(const struct figure counts[], size_t count, struct funnel_step out[])
{
    for (size_t i = 0; i < count; i++) {
        struct figure before = i > 0 ? counts[i - 1] : figure_missing();
        bool both = before.kind != FIGURE_MISSING && counts[i].kind != FIGURE_MISSING;
        out[i] = (struct funnel_step){.count = counts[i],
                                      .share = share_of(before, counts[i]),
                                      .odd = both && figure_to_real(counts[i]) > figure_to_real(before)};
    }
}
