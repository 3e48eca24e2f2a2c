// Names of fields say what a number is; a number that is not there is null with its reason beside it.
#include "dashboards/api/statement.h"
#include <string.h>

static void put_day(struct writer *j, const char *name, int32_t day)
{
    char text[SHOW_TEXT];
    show_day(text, day);
    writer_text(j, name, text);
}

static const char *const fact_whys[] = {[FACT_KNOWN] = NULL,
                                        [FACT_NO_KPI] = "no figure is collected for it",
                                        [FACT_NONE] = "no resident has reported it",
                                        [FACT_CURRENCY] = "not comparable: no rates",
                                        [FACT_UNIT] = "reported in another unit",
                                        [FACT_UNLIKE] = "unlike products are never added",
                                        [FACT_RATIO] = "ratios are never added",
                                        [FACT_SCOPE] = "credited to others than the park",
                                        [FACT_PART] = "contained in another figure",
                                        [FACT_INDEX] = "a ratio whose base was not published",
                                        [FACT_SHORT] = "less than a day of figures",
                                        [FACT_FAILED] = "could not be read",
                                        [FACT_HIDDEN] = "shown to the park's own analysts only",
                                        [FACT_PARTS] = "computed from figures that nobody reports"};
static const char *const fact_rules[] = {[RULE_LEVEL] = "newest of each resident, summed",
                                         [RULE_SINCE_FIRST] = "sum since the first report",
                                         [RULE_YEAR] = "sum of the 12 months up to the newest figure",
                                         [RULE_MONTH] = "sum of the month up to the newest figure",
                                         [RULE_RATE] = "yearly rate of the days that figures are known of",
                                         [RULE_QUARTER] = "sum of the three months up to the newest figure",
                                         [RULE_DAY] = "sum of the newest day"};

static void put_fact(struct writer *j, const struct fact *f)
{
    writer_object(j, "fact");
    const struct currency *c = f->measure.currency;
    api_value(j, f->value, f->why == FACT_KNOWN ? c : NULL);
    writer_text_or_null(j, "currency",
                        f->why == FACT_KNOWN || f->why == FACT_CURRENCY ? f->measure.currency_code : NULL);
    writer_text(j, "why_unknown", fact_whys[f->why]);
    if (f->why == FACT_PARTS) {
        writer_array(j, "not_reported");
        for (unsigned i = 0; i < f->part_count; i++)
            writer_text(j, NULL, f->parts[i]->code);
        writer_end_array(j);
    }
    writer_figure(j, "per_cent", f->per_cent);
    writer_bool(j, "reached", f->reached);
    if (f->why == FACT_KNOWN) {
        writer_text(j, "rule", fact_rules[f->rule]);
        if (f->rule != RULE_LEVEL)
            put_day(j, "from", f->from_day);
        put_day(j, "to", f->to_day - 1);
        if (f->rule == RULE_RATE) {
            writer_integer(j, "days", f->days);
            writer_integer(j, "days_most", f->days_most);
        }
        writer_integer(j, "contributors", f->contributors);
        writer_integer(j, "older", f->older);
        writer_integer(j, "partial", f->partial);
        writer_integer(j, "partly_members", f->outside);
        writer_integer(j, "of_residents", f->of);
        writer_bool(j, "simulated", f->simulated);
        writer_time(j, "received", f->received_us);
    }
    if (f->converted) {
        const struct money_figure by = {.converted = true, .by = f->by};
        money_put_rate(j, &by);
    }
    writer_end_object(j);
}

// ---- the plan on the way
// -------------------------------------------------------------------------------------------------

static void put_milestones(struct writer *j, const struct path *p, int decimals)
{
    writer_array(j, "milestones");
    for (size_t i = 0; i < p->count; i++) {
        writer_object(j, NULL);
        writer_text(j, "by", p->milestones[i].by);
        writer_figure_scaled(j, "value", p->milestones[i].value, decimals);
        writer_end_object(j);
    }
    writer_end_array(j);
}

static void put_path(struct writer *j, const struct statement *st, const struct currency *c)
{
    int decimals = c ? c->decimals : 0;
    if (st->path.kind == PATH_NONE) {
        writer_text(j, "path", NULL);
        return;
    }
    writer_object(j, "path");
    writer_text(j, "kind", path_kind_name(st->path.kind));
    if (st->path.kind == PATH_LINEAR) {
        writer_text(j, "from", st->path.from);
        writer_figure_scaled(j, "from_value", st->path.from_value, decimals);
        writer_bool(j, "from_value_assumed", st->path.from_assumed);
    } else {
        put_milestones(j, &st->path, decimals);
    }
    writer_end_object(j);
}

// ---- outlook
// ----------------------------------------------------------------------------------------------------

static void put_amount(struct writer *j, const char *name, struct figure f, const struct currency *c)
{
    writer_object(j, name);
    api_value(j, f, c);
}

static void put_rate(struct writer *j, const struct outlook *o, const struct currency *c)
{
    static const char *const rules[] = {
        [OUTLOOK_SUM] =
            "what was added in the 12 months up to which all have figures, or since the first figure, "
            "divided by the days, times 365",
        [OUTLOOK_LINES] =
            "each resident's straight line from its first figure of the last 366 days to its newest, "
            "added up, times 365",
        [OUTLOOK_YEARS] =
            "the span up to the newest figure less the same span a year before, divided by the days, "
            "times 365"};
    put_amount(j, "run_rate_per_year", run_rate_per_year(&o->rate), c);
    writer_text(j, "why_unknown", o->rate.known ? NULL : forecast_why_text(run_rate_why(&o->rate)));
    writer_text(j, "rule", rules[o->rule]);
    if (o->rate.end > 0) {
        put_day(j, "from", o->rate.from);
        put_day(j, "to", o->rate.end - 1);
        writer_integer(j, "days", o->rate.end - o->rate.from);
        writer_integer(j, "residents", o->rate_contributors);
    }
    writer_end_object(j);
}

static void put_forecast(struct writer *j, const struct outlook *o)
{
    bool known = o->forecast.why == FORECAST_KNOWN;
    writer_object(j, "forecast");
    if (known)
        put_day(j, "date", o->forecast.day);
    else
        writer_text(j, "date", NULL);
    writer_text(j, "why_unknown", known ? NULL : forecast_why_text(o->forecast.why));
    writer_text(j, "rule", "a straight line from the newest figure on, at the run-rate");
    writer_end_object(j);
}

static void put_reading(struct writer *j, const struct outlook *o, const struct outlook_reading *r, bool path,
                        const struct currency *c)
{
    writer_object(j, NULL);
    writer_text_or_null(j, "due", r->due);
    writer_bool(j, "passed", r->passed);
    if (o->forecast.why == FORECAST_KNOWN)
        writer_integer(j, "forecast_days_late", r->days_late);
    else
        writer_null(j, "forecast_days_late");
    if (path) {
        put_amount(j, "planned", r->planned, c);
        put_day(j, "at", o->at - 1);
        writer_figure(j, "per_cent", r->per_cent);
        writer_bool(j, "on_plan", r->on_plan);
        writer_text(j, "rule", "the path at the end of the newest figure, with which the fact is compared");
        writer_end_object(j);
    }
    writer_end_object(j);
}

static const char *gap_rule(const struct statement *st)
{
    return st->comparator == COMPARE_RANGE ? "to the range's nearer end"
           : st->comparator == COMPARE_LE || st->comparator == COMPARE_LT
               ? "the fact less the published limit; null once it is kept"
               : "the published value less the fact; null once it is reached";
}

static void put_outlook(struct writer *j, const struct statement *st, const struct fact *f,
                        const struct outlook *o)
{
    const struct currency *c = f->measure.currency;
    writer_object(j, "outlook");
    put_amount(j, "gap", o->gap, c);
    writer_figure(j, "per_cent", o->gap_per_cent);
    writer_bool(j, "excess", o->gap_is_excess);
    writer_text(j, "rule", gap_rule(st));
    writer_end_object(j);
    put_rate(j, o, c);
    put_forecast(j, o);
    writer_array(j, "readings");
    for (size_t i = 0; i < o->reading_count; i++)
        put_reading(j, o, &o->readings[i], st->path.kind != PATH_NONE, c);
    writer_end_array(j);
    writer_bool(j, "late", o->late);
    writer_end_object(j);
}

void api_statement(struct writer *j, const struct fact_source *f, const struct statement *st, int32_t today)
{
    const struct fact fact = fact_of_statement(f, st);
    const struct outlook o = outlook_of(f, st, &fact, today);
    const struct currency *c = *st->currency ? currency_find(st->currency) : NULL;
    writer_object(j, NULL);
    writer_text(j, "park", f->park->code);
    writer_text(j, "id", st->id);
    writer_text(j, "kind", statement_kind_name(st->kind));
    api_names(j, "names", &st->names);
    writer_text_or_null(j, "kpi", st->kpi);
    writer_text_or_null(j, "dimension", st->dimension);
    bool named = access_may(f->viewer, SIGHT_RESIDENT, f->park->code, st->resident);
    writer_text_or_null(j, "resident", named ? st->resident : "");
    writer_text(j, "comparator", comparator_text(st->comparator));
    writer_bool(j, "about", st->about);
    api_value(j, st->value, c);
    if (st->value_high.kind != FIGURE_MISSING)
        writer_figure_scaled(j, "value_high", st->value_high, c ? c->decimals : 0);
    writer_figure(j, "base", st->base);
    writer_text_or_null(j, "unit", st->unit);
    writer_text_or_null(j, "currency", st->currency);
    writer_text_or_null(j, "per", st->per);
    writer_bool(j, "cumulative", st->cumulative);
    writer_text_or_null(j, "at", st->at);
    writer_text_or_null(j, "at_end", st->at_end);
    writer_text_or_null(j, "at_text", st->at_text);
    writer_text_or_null(j, "due", st->due);
    writer_text_or_null(j, "due_or", st->due_or);
    writer_text_or_null(j, "due_text", st->due_text);
    put_path(j, st, c);
    writer_text_or_null(j, "assumed", st->assumed);
    writer_text_or_null(j, "scope", st->scope);
    const struct statement *whole = *st->part_of ? park_statement(f->park, st->part_of) : NULL;
    writer_text_or_null(j, "part_of",
                        whole && access_may_statement(f->viewer, f->park, whole) ? whole->id : "");
    writer_text_or_null(j, "note", st->note);
    writer_text_or_null(j, "source", st->source);
    put_fact(j, &fact);
    if (o.has)
        put_outlook(j, st, &fact, &o);
    writer_end_object(j);
}
