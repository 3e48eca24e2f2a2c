// A park of a test's own: residents a, b, c … that report what a test says, one figure a row of the ledger,
// and the readers that totals are made with. "Now" is STORE_EPOCH, and an hour later after each
// totals_rig_later.
#ifndef ESEP_TESTS_SUPPORT_TOTALS_RIG_H
#define ESEP_TESTS_SUPPORT_TOTALS_RIG_H

#include "kpi/rates.h"
#include "store/totals.h"
#include "tests/support/store_fixture.h"

#define RIG_SERIES 64

struct totals_rig {
    struct store store;
    char parks[STORE_PATH]; // the folder of profiles
    struct catalogue *catalogue;
    struct parks all;
    struct zone *zone;
    struct {
        char name[256];
        struct store_stream stream;
    } residents[16];
    size_t resident_count;
    struct ledger_series series[RIG_SERIES];
    size_t owner[RIG_SERIES];
    uint32_t number[RIG_SERIES];
    size_t series_count;
    struct reader *reader;
    struct observations *writer;
    struct observations_reader *view;
};

// more: what the profile says beside names, zone (Asia/Almaty) and currency (KZT); "" for nothing. The park's
// code is "works".
void totals_rig_open(struct totals_rig *r, const char *more);
void totals_rig_close(struct totals_rig *r);
// "a/inv" "b/out_units/pumps"; unit "" is the KPI's own; period: "2026-03" and so on.
void totals_rig_report(struct totals_rig *r, const char *series, const char *currency, const char *period,
                       int64_t value);
void totals_rig_missing(struct totals_rig *r, const char *series, const char *currency, const char *period);
// A series of months without a figure.
void totals_rig_declare(struct totals_rig *r, const char *series, const char *currency);
// An amount of another currency than its series'.
void totals_rig_foreign(struct totals_rig *r, const char *series, const char *own, const char *period,
                        int64_t value, const char *currency);
// A step of 3600 s that ends at time_s.
void totals_rig_measure(struct totals_rig *r, const char *series, int64_t time_s, int64_t value);
// What one unit of `currency` costs in KZT on each of these days.
void totals_rig_rates(struct totals_rig *r, const char *from, const char *to, const char *currency,
                      const char *price);
void totals_rig_later(struct totals_rig *r);
// Reads what was written: before each question.
void totals_rig_observe(struct totals_rig *r);
struct totals_place totals_rig_place(struct totals_rig *r);

#endif
