// The one table of the kinds of sources.
#include "agent/source.h"

const struct source_ops *source_ops_of(enum agent_source_kind kind)
{
    static const struct source_ops *const ops[] = {[AGENT_SOURCE_CSV] = &csv_source_ops,
                                                   [AGENT_SOURCE_EXEC] = &exec_source_ops,
                                                   [AGENT_SOURCE_HAND] = &hand_source_ops};
    return ops[kind];
}
