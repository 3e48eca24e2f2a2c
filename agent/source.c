// The one table of the kinds of sources.
#include "agent/source.h"

const struct source_ops *source_ops_of(enum agent_source_kind kind)
{
    return kind == AGENT_SOURCE_CSV ? &csv_source_ops : &exec_source_ops;
}
