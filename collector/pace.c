// How far behind is told without asking the ledger for a row's time: from what was committed when, as far as
// the cursor has not reached it.
#include "collector/pace.h"

enum { RESTS_A_STEP = 3, NOTE_EACH_MS = PACE_BEHIND_MAX_MS / (PACE_SEEN / 2) };

static int64_t behind_ms(struct pace *p, struct mono now, uint64_t cursor)
{
    while (p->count > 0 && p->seen[p->first].committed <= cursor) {
        p->first = (p->first + 1) % PACE_SEEN;
        p->count--;
    }
    return p->count > 0 ? mono_diff_ms(now, p->seen[p->first].at) : 0;
}

static void note(struct pace *p, struct mono now, uint64_t committed)
{
    const unsigned last = (p->first + p->count + PACE_SEEN - 1) % PACE_SEEN;
    if (p->count == PACE_SEEN || (p->count > 0 && mono_diff_ms(now, p->seen[last].at) < NOTE_EACH_MS))
        return;
    const unsigned next = (p->first + p->count++) % PACE_SEEN;
    p->seen[next].committed = committed;
    p->seen[next].at = now;
}

int pace_rest_ms(struct pace *p, struct mono begun, struct mono now, uint64_t cursor, uint64_t committed,
                 bool pressed, int max_ms)
{
    const int64_t late_ms = behind_ms(p, now, cursor);
    if (committed > cursor)
        note(p, now, committed);
    if (!pressed || late_ms > PACE_BEHIND_MAX_MS)
        return 0;
    int64_t rest_ms = RESTS_A_STEP * mono_diff_ms(now, begun);
    return rest_ms < max_ms ? (int)rest_ms : max_ms;
}

bool pace_turn(struct pace *p, struct mono now, bool all_read, int64_t unread_ms)
{
    bool close = unread_ms >= -PACE_UNREAD_MAX_MS && unread_ms <= PACE_UNREAD_MAX_MS; // or the clock is off
    if (!all_read && (!close || mono_diff_ms(now, p->turn) < PACE_TURN_MS))
        return false;
    p->turn = now;
    return true;
}
