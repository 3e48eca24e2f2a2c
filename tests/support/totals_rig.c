#include "tests/support/totals_rig.h"
#include "base/fs.h"
#include "store/ledger_keep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void totals_rig_open(struct totals_rig *r, const char *more)
{
    char path[STORE_PATH + 20], text[8000];
    struct diag d = {""};
    memset(r, 0, sizeof *r);
    store_create(&r->store);
    store_temp_folder(r->parks);
    snprintf(path, sizeof path, "%s/works.yaml", r->parks);
    snprintf(text, sizeof text,
             "code: works\nnames: {en: Works}\ncity: {en: Almaty}\nabout: {en: A test}\n"
             "time_zone: Asia/Almaty\ncurrency: KZT\n%s",
             more);
    assert_int_equal(fs_replace_file(path, text, strlen(text), 0600, NULL), ERR_OK);
    if (catalogue_load("deploy/catalogue.yaml", &r->catalogue, &d) ||
        parks_load(r->parks, r->catalogue, &r->all, &d))
        fail_msg("%s", d.text);
    assert_int_equal(zone_load(NULL, "Asia/Almaty", &r->zone, &d), ERR_OK);
    assert_int_equal(reader_open(r->store.folder, &r->reader, &d), ERR_OK);
    assert_int_equal(observations_open(r->store.folder, &r->writer, &d), ERR_OK);
    assert_int_equal(observations_reader_open(r->store.folder, &r->view, &d), ERR_OK);
}

void totals_rig_close(struct totals_rig *r)
{
    observations_reader_close(r->view);
    observations_close(r->writer);
    reader_close(r->reader);
    zone_free(r->zone);
    parks_free(&r->all);
    catalogue_free(r->catalogue);
    store_destroy(&r->store);
    store_remove_folder(r->parks);
}

static size_t owner_of(struct totals_rig *r, const char *resident)
{
    for (size_t i = 0; i < r->resident_count; i++)
        if (strcmp(r->residents[i].name, resident) == 0)
            return i;
    size_t i = r->resident_count++;
    assert_true(i < sizeof r->residents / sizeof *r->residents);
    snprintf(r->residents[i].name, sizeof r->residents[i].name, "%s", resident);
    r->residents[i].stream = store_agent(&r->store, resident, (uint8_t)(i + 1));
    return i;
}

static size_t series_of(struct totals_rig *r, const char *series, const char *currency, enum wire_class class,
                        enum period_kind period)
{
    struct series_name name = {0};
    struct ledger_series wanted = {.class = class, .period = period};
    char full[SERIES_NAME_MAX + 1], resident[200];
    snprintf(full, sizeof full, "works/%s", series);
    for (size_t i = 0; i < r->series_count; i++)
        if (strcmp(r->series[i].name, full) == 0)
            return i;
    size_t i = r->series_count++;
    assert_true(i < RIG_SERIES);
    assert_int_equal(series_parse(full, &name), ERR_OK);
    snprintf(resident, sizeof resident, "works/%s", name.resident);
    r->owner[i] = owner_of(r, resident);
    for (size_t k = 0; k < i; k++)
        r->number[i] += r->owner[k] == r->owner[i];
    const struct kpi *kpi = catalogue_find(r->catalogue, name.kpi);
    assert_non_null(kpi);
    wanted.step_s = class == WIRE_MEASUREMENT ? 3600 : 0;
    snprintf(wanted.name, sizeof wanted.name, "%s", full);
    snprintf(wanted.unit, sizeof wanted.unit, "%s", kpi->unit->code);
    snprintf(wanted.currency, sizeof wanted.currency, "%s", currency);
    store_begin(&r->store);
    enum err e = ledger_declare(r->store.ledger, r->residents[r->owner[i]].stream.stream_id, r->number[i],
                                &wanted, &r->series[i], &r->store.diag);
    if (e != ERR_OK)
        fail_msg("%s: %s", full, r->store.diag.text);
    store_commit(&r->store);
    return i;
}

static void put(struct totals_rig *r, const char *series, const char *currency, enum wire_class class,
                enum period_kind period, int64_t time, struct figure value)
{
    size_t i = series_of(r, series, currency, class, period);
    store_one(&r->store, &r->residents[r->owner[i]].stream, class, r->number[i], time, value);
}

static struct period period_of(const char *text)
{
    struct period p;
    if (period_parse(text, &p) != ERR_OK)
        fail_msg("%s is no period", text);
    return p;
}

void totals_rig_report(struct totals_rig *r, const char *series, const char *currency, const char *period,
                       int64_t value)
{
    struct period p = period_of(period);
    put(r, series, currency, WIRE_REPORT, p.kind, p.start, store_integer(value));
}

void totals_rig_missing(struct totals_rig *r, const char *series, const char *currency, const char *period)
{
    struct period p = period_of(period);
    put(r, series, currency, WIRE_REPORT, p.kind, p.start, figure_missing());
}

void totals_rig_declare(struct totals_rig *r, const char *series, const char *currency)
{
    series_of(r, series, currency, WIRE_REPORT, PERIOD_MONTH);
}

void totals_rig_foreign(struct totals_rig *r, const char *series, const char *own, const char *period,
                        int64_t value, const char *currency)
{
    struct period p = period_of(period);
    size_t i = series_of(r, series, own, WIRE_REPORT, p.kind);
    const struct wire_sample sample = {
        .series = r->number[i], .time = p.start, .value = store_integer(value)};
    const struct wire_note note = {.reason = "", .author = "", .currency = currency};
    store_begin(&r->store);
    store_append(&r->store, &r->residents[r->owner[i]].stream, WIRE_REPORT, &sample, &note, 1, NULL, 0);
    store_commit(&r->store);
}

void totals_rig_measure(struct totals_rig *r, const char *series, int64_t time_s, int64_t value)
{
    put(r, series, "", WIRE_MEASUREMENT, PERIOD_NONE, time_s, store_integer(value));
}

void totals_rig_rates(struct totals_rig *r, const char *from, const char *to, const char *currency,
                      const char *price)
{
    int32_t end = period_end(period_of(to));
    store_begin(&r->store);
    for (int32_t day = period_of(from).start; day < end; day++) {
        struct rates rates = {.bank = BANK_KZ, .asked = day, .answered = day, .count = 1};
        struct wire_receipt receipt;
        struct buf text;
        buf_init(&text, RATES_DOCUMENT_MAX);
        assert_int_equal(rate_parse(currency, "1", price, '.', &rates.list[0], NULL), ERR_OK);
        assert_int_equal(rates_write(&rates, &text), ERR_OK);
        assert_int_equal(ledger_add_control(r->store.ledger, "rates/kz", text.data, text.len, "rates",
                                            &receipt, &r->store.diag),
                         ERR_OK);
        buf_deinit(&text);
    }
    store_commit(&r->store);
}

void totals_rig_later(struct totals_rig *r)
{
    fake_clock_advance_us(&r->store.clock, 3600 * US_PER_S);
}

void totals_rig_observe(struct totals_rig *r)
{
    size_t rows = 1;
    while (rows > 0) {
        enum err e = observations_advance(r->writer, r->reader, 10000, &rows, &r->store.diag);
        if (e != ERR_OK)
            fail_msg("observe: %s", r->store.diag.text);
    }
}

struct totals_place totals_rig_place(struct totals_rig *r)
{
    totals_rig_observe(r);
    return (struct totals_place){.catalogue = r->catalogue,
                                 .park = parks_find(&r->all, "works"),
                                 .zone = r->zone,
                                 .observations = r->view,
                                 .reader = r->reader,
                                 .now_us = clock_wall(&r->store.clock.clock).us};
}
