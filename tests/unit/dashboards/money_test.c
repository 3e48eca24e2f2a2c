// Money in the currency asked for: through the API, on pages, in the file a graph is drawn from.
#include "dashboards/board.h"
#include "dashboards/facts_source.h"
#include "dashboards/render.h"
#include "dashboards/render_vintage.h"
#include "kpi/period.h"
#include "kpi/rates.h"
#include "store/ledger_keep.h"
#include "tests/support/cmocka.h"
#include "tests/support/site_fixture.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INV  "yashnabad/fridge-plant/inv"    // UZS, monthly, a flow
#define MILL "aztm/rolling-mill/inv_private" // USD, monthly, in Kazakhstan

static struct site_fixture f;

static void add(enum bank bank, int32_t day, const char *currency, const char *quant, const char *value)
{
    struct rates r = {.bank = bank, .asked = day, .answered = day - (day % 7 == 3), .count = 1};
    struct wire_receipt receipt;
    struct buf text;
    char kind[16];
    buf_init(&text, RATES_DOCUMENT_MAX);
    assert_int_equal(rate_parse(currency, quant, value, '.', &r.list[0], NULL), ERR_OK);
    assert_int_equal(rates_write(&r, &text), ERR_OK);
    snprintf(kind, sizeof kind, "rates/%s", bank_info(bank)->code);
    assert_int_equal(
        ledger_add_control(f.store.ledger, kind, text.data, text.len, "rates", &receipt, &f.store.diag),
        ERR_OK);
    buf_deinit(&text);
}

static int32_t day_of(int year, int month, int day)
{
    return civil_to_days((struct civil){year, month, day});
}

// From November 2025 on: Uzbekistan 12,000 and from 2026 on 12,500 soums a dollar; Kazakhstan 500 tenge.
static int setup(void **state)
{
    char value[16];
    (void)state;
    site_fixture_open(&f, true, NULL, NULL, NULL);
    store_begin(&f.store);
    for (int32_t day = day_of(2025, 11, 1); day <= day_of(2026, 3, 1); day++) {
        snprintf(value, sizeof value, "%d.00", day < day_of(2026, 1, 1) ? 12000 : 12500);
        add(BANK_UZ, day, "USD", "1", value);
        add(BANK_KZ, day, "USD", "1", "500");
    }
    store_commit(&f.store);
    park_fixture_invest(&f.store, day_of(2026, 2, 1), 250000000,
                        "KGS"); // of a currency the bank has no rate of
    park_fixture_invest(&f.store, day_of(2026, 1, 1), 62500 * 100 + 625, "UZS"); // 5.0005 dollars
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    site_fixture_close(&f);
    return 0;
}

static json_t *get(const char *target)
{
    json_error_t error;
    if (site_fixture_get(&f, target) != 200)
        fail_msg("%s: %d %s", target, f.x.status, site_fixture_body(&f));
    json_t *root = json_loads(site_fixture_body(&f), 0, &error);
    if (!root)
        fail_msg("%s: %s", target, error.text);
    return root;
}

static const json_t *nth(const json_t *root, const char *list, size_t i)
{
    const json_t *o = json_array_get(json_object_get(root, list), i);
    assert_non_null(o);
    return o;
}

static int64_t integer(const json_t *o, const char *name)
{
    assert_true(json_is_integer(json_object_get(o, name)));
    return json_integer_value(json_object_get(o, name));
}

static const char *text(const json_t *o, const char *name)
{
    const char *t = json_string_value(json_object_get(o, name));
    assert_non_null(t);
    return t;
}

static void an_observation_is_converted_by_its_own_periods_rate_which_is_shown(void **state)
{
    (void)state;
    json_t *root = get("/api/v1/observations?series=" INV "&from=2025-11-01&to=2026-02-01&currency=USD");
    for (size_t i = 0; i < 3; i++) {
        const json_t *o = nth(root, "observations", i), *original = json_object_get(o, "original");
        const json_t *rate = json_object_get(o, "rate");
        int64_t own = integer(original, "minor"), soums = i < 2 ? 12000 : 12500;
        int64_t wanted =
            own / soums + (own % soums * 2 > soums || (own % soums * 2 == soums && own / soums % 2));
        assert_string_equal(text(o, "currency"), "USD");
        assert_string_equal(text(original, "currency"), "UZS");
        assert_int_equal(integer(o, "minor"), wanted);
        assert_string_equal(text(rate, "bank"), "uz");
        assert_string_equal(text(rate, "value"), i < 2 ? "0.0000833333" : "0.00008");
        assert_int_equal(integer(rate, "days"), i == 0 ? 30 : 31);
        assert_true(integer(rate, "carried") >= 4);
        assert_false(json_is_true(json_object_get(o, "rate_lacking")));
    }
    assert_int_equal(integer(nth(root, "observations", 2), "minor"), 500); // 500.05, to the cent
    json_decref(root);
}

static void without_a_rate_it_is_missing_and_says_so(void **state)
{
    (void)state;
    // Before the rates begin, and a currency that the bank has none of.
    static const char *const periods[] = {"2025-10", "2026-02"};
    for (size_t i = 0; i < 2; i++) {
        char target[200];
        snprintf(target, sizeof target, "/api/v1/observations?series=" INV "&period=%s&currency=USD",
                 periods[i]);
        json_t *root = get(target);
        const json_t *o = nth(root, "observations", 0);
        assert_true(json_is_null(json_object_get(o, "value")));
        assert_true(json_is_null(json_object_get(o, "rate")));
        assert_true(json_is_true(json_object_get(o, "rate_lacking")));
        assert_true(integer(json_object_get(o, "original"), "minor") > 0);
        json_decref(root);
    }
}

static void a_sum_is_the_sum_of_converted_observations(void **state)
{
    (void)state;
    json_t *months = get("/api/v1/query?series=" INV "&from=2025-11-01&to=2026-01-01&currency=USD");
    json_t *year =
        get("/api/v1/query?series=" INV "&from=2025-11-01&to=2026-01-01&step=quarter&currency=USD");
    int64_t sum = integer(nth(months, "points", 0), "minor") + integer(nth(months, "points", 1), "minor");
    assert_string_equal(text(months, "currency"), "USD");
    assert_string_equal(text(months, "converted_from"), "UZS");
    assert_string_equal(text(json_object_get(nth(months, "points", 0), "rate"), "bank"), "uz");
    assert_int_equal(integer(nth(year, "points", 0), "minor"), sum); // October has no rate
    assert_int_equal(integer(nth(year, "points", 0), "known"), 2);
    json_decref(months);
    json_decref(year);
}

static void a_dollar_series_of_kazakhstan_goes_by_its_own_bank(void **state)
{
    (void)state;
    json_t *root = get("/api/v1/observations?series=" MILL "&period=2026-01&currency=KZT");
    const json_t *o = nth(root, "observations", 0);
    assert_int_equal(integer(o, "minor"), 500 * integer(json_object_get(o, "original"), "minor"));
    assert_string_equal(text(json_object_get(o, "rate"), "value"), "500");
    assert_string_equal(text(json_object_get(o, "rate"), "bank"), "kz");
    json_decref(root);
    root = get("/api/v1/observations?series=" MILL "&period=2026-01&currency=USD"); // its own: as it is
    o = nth(root, "observations", 0);
    assert_int_equal(integer(o, "minor"), integer(json_object_get(o, "original"), "minor"));
    assert_true(json_is_null(json_object_get(o, "rate")));
    json_decref(root);
}

static void csv_has_the_rate_in_columns(void **state)
{
    (void)state;
    assert_int_equal(
        site_fixture_get(&f, "/api/v1/observations?series=" MILL "&period=2026-01&currency=KZT&format=csv"),
        200);
    assert_true(site_fixture_has(
        &f, ",original_value,original_currency,rate_bank,rate,rate_of,rate_days,rate_carried"));
    assert_true(site_fixture_has(&f, ",USD,kz,500,2026-01-31,31,"));
}

static void other_currencies_and_what_is_no_money_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "/api/v1/observations?series=" INV "&currency=JPY",
        "/api/v1/query?series=" INV "&currency=usd",
        "/api/v1/query?series=yashnabad/fridge-plant/energy_kwh&currency=USD",
        "/api/v1/observations?series=yashnabad/fridge-plant/jobs_total&currency=USD",
        "/series/" INV "?currency=XXX",
        "/graph/" INV ".svg?currency="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (site_fixture_get(&f, bad[i]) != 400 || !site_fixture_has(&f, "currency"))
            fail_msg("%s: %d %s", bad[i], f.x.status, site_fixture_body(&f));
}

static void the_page_shows_the_rate_its_days_and_its_doubt(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/series/" INV "?currency=USD&range=all"), 200);
    assert_true(site_fixture_has(&f, "In USD: each period by its own rate"));
    assert_true(site_fixture_has(&f, "rate 1 USD = 12,500 UZS, average of 31 days to 2026-01-"));
    assert_true(site_fixture_has(&f, "Central Bank of Uzbekistan"));
    assert_true(site_fixture_has(&f, "days without a rate of their own"));
    assert_true(site_fixture_has(&f, "no rate for this period"));
    assert_true(site_fixture_has(&f, "from 62,506.25\xc2\xa0UZS"));
    assert_true(site_fixture_has(&f, "currency=USD"));
    static const char *const langs[] = {"ru", "kk", "uz", "ky"};
    for (size_t i = 0; i < 4; i++) {
        char target[100];
        snprintf(target, sizeof target, "/series/" INV "?currency=KZT&lang=%s", langs[i]);
        assert_int_equal(site_fixture_get(&f, target), 200);
    }
}

static void a_tile_adds_converted_reports_or_nothing(void **state)
{
    (void)state;
    struct readers readers;
    struct board_row row;
    struct figure sum = figure_missing();
    struct conversion by = {0};
    struct fact_known known = {0};
    int64_t wanted = 0;
    const struct currency *usd = currency_find("USD");
    json_t *root = get("/api/v1/query?series=" INV "&from=2025-11-01&to=2026-02-01&currency=USD");
    for (size_t i = 0; i < 3; i++)
        wanted += integer(nth(root, "points", i), "minor");
    json_decref(root);
    assert_int_equal(site_store(f.site, &f.x.viewer, &readers, NULL), ERR_OK);
    assert_int_equal(board_load_one(f.site, &readers, INV, &row, NULL), ERR_OK);
    struct fact_totals totals = {.site = f.site, .store = &readers};
    assert_int_equal(
        fact_totals_convert(&totals, &row, day_of(2025, 11, 1), day_of(2026, 2, 1), usd, &sum, &known, &by),
        ERR_OK);
    assert_int_equal(sum.integer, wanted);
    assert_int_equal(known.first_s, (int64_t)day_of(2025, 11, 1) * 86400);
    assert_int_equal(by.bank, BANK_UZ);
    assert_int_equal(by.days, 31);
    sum = figure_missing();
    assert_int_equal(
        fact_totals_convert(&totals, &row, day_of(2025, 10, 1), day_of(2026, 2, 1), usd, &sum, &known, &by),
        ERR_NOT_FOUND); // October has no rate
    assert_int_equal(sum.kind, FIGURE_MISSING);
    fact_totals_close(&totals);
}

static enum err keep(void *ctx, int64_t time, double value)
{
    double *out = ctx;
    if (time == (int64_t)(day_of(2026, 1, 11)) * 86400)
        *out = value;
    return ERR_OK;
}

static void a_graph_is_drawn_from_converted_figures(void **state)
{
    (void)state;
    struct readers readers;
    struct board_row row;
    char path[RRD_PATH_MAX], scratch[STORE_PATH];
    double value = -1;
    uint32_t step = 86400;
    store_temp_folder(scratch);
    assert_int_equal(site_fixture_get(&f, "/healthz"), 200);
    assert_int_equal(site_store(f.site, &f.x.viewer, &readers, NULL), ERR_OK);
    assert_int_equal(board_load_one(f.site, &readers, INV, &row, NULL), ERR_OK);
    struct render_job job = {.series_id = row.series.series_id,
                             .from = (int64_t)day_of(2025, 11, 1) * 86400,
                             .to = (int64_t)day_of(2026, 3, 1) * 86400,
                             .flow = true,
                             .currency = "USD",
                             .park_currency = "UZS"};
    assert_int_equal(render_vintage_file(f.store.folder, scratch, &job, path, NULL), ERR_OK);
    assert_int_equal(rrd_file_fetch(path, "AVERAGE", job.from, job.to, &step, keep, &value, NULL), ERR_OK);
    assert_true(value == 500); // cents
    unlink(path);
    store_remove_folder(scratch);
}

static void rates_of_then_are_asked_for_with_the_figures_of_then(void **state)
{
    (void)state;
    static const char now[] = "/api/v1/observations?series=" MILL "&period=2026-01&currency=KZT";
    char then[200], moment[WALL_TEXT];
    wall_text(clock_wall(&f.store.clock.clock), moment);
    snprintf(then, sizeof then, "%s&as_of=%s", now, moment);
    fake_clock_advance_us(&f.store.clock, 3600 * US_PER_S);
    store_begin(&f.store);
    add(BANK_KZ, day_of(2026, 1, 15), "USD", "1", "531"); // corrected: the average is 501
    store_commit(&f.store);
    park_fixture_invest(&f.store, day_of(2024, 10, 1), 1, "UZS"); // so that it is read
    const struct {
        const char *target, *rate;
    } cases[] = {{then, "500"}, {now, "501"}};
    for (size_t i = 0; i < 2; i++) {
        json_t *root = get(cases[i].target);
        assert_string_equal(text(json_object_get(nth(root, "observations", 0), "rate"), "value"),
                            cases[i].rate);
        json_decref(root);
    }
}

// After the others: February's figure is another one from here on.
static void what_no_figure_holds_is_not_said_to_lack_a_rate(void **state)
{
    (void)state;
    park_fixture_invest(&f.store, day_of(2026, 2, 1), INT64_C(9000000000000000), "USD");
    json_t *root = get("/api/v1/observations?series=" INV "&period=2026-02&currency=UZS");
    const json_t *o = nth(root, "observations", 0);
    assert_true(json_is_null(json_object_get(o, "value")));
    assert_true(json_is_true(json_object_get(o, "too_large")));
    assert_false(json_is_true(json_object_get(o, "rate_lacking")));
    json_decref(root);
    root = get("/api/v1/query?series=" INV "&from=2026-01-01&to=2026-03-01&step=quarter&currency=UZS");
    assert_int_equal(integer(nth(root, "points", 0), "too_large"), 1);
    assert_null(json_object_get(nth(root, "points", 0), "rate_lacking"));
    json_decref(root);
    site_fixture_get(&f, "/series/" INV "?currency=UZS&range=all&lang=en");
    assert_true(site_fixture_has(&f, "too large to be shown exactly"));
    assert_false(site_fixture_has(&f, "no rate for this period"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_observation_is_converted_by_its_own_periods_rate_which_is_shown),
        cmocka_unit_test(without_a_rate_it_is_missing_and_says_so),
        cmocka_unit_test(a_sum_is_the_sum_of_converted_observations),
        cmocka_unit_test(a_dollar_series_of_kazakhstan_goes_by_its_own_bank),
        cmocka_unit_test(csv_has_the_rate_in_columns),
        cmocka_unit_test(other_currencies_and_what_is_no_money_are_refused),
        cmocka_unit_test(the_page_shows_the_rate_its_days_and_its_doubt),
        cmocka_unit_test(a_tile_adds_converted_reports_or_nothing),
        cmocka_unit_test(a_graph_is_drawn_from_converted_figures),
        cmocka_unit_test(rates_of_then_are_asked_for_with_the_figures_of_then),
        cmocka_unit_test(what_no_figure_holds_is_not_said_to_lack_a_rate),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
