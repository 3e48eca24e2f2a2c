// Any text as deploy/catalogue.yaml. What loads must be whole: every name in every language, every KPI found
// by its code, units that exist.
#include "kpi/catalogue.h"
#include "tests/fuzz/fuzz.h"

static void look_at_names(const struct names *n)
{
    for (int l = 0; l < LANG_COUNT; l++)
        FUZZ_CHECK(n->text[l] && n->text[l][0]);
}

static void look_at(const struct catalogue *c)
{
    for (size_t i = 0; i < catalogue_unit_count(c); i++) {
        const struct kpi_unit *u = catalogue_unit_at(c, i);
        look_at_names(&u->names);
        FUZZ_CHECK(catalogue_unit(c, u->code) == u && u->okei && u->unece);
    }
    for (size_t i = 0; i < catalogue_count(c); i++) {
        const struct kpi *k = catalogue_at(c, i);
        look_at_names(&k->names);
        FUZZ_CHECK(catalogue_find(c, k->code) == k);
        FUZZ_CHECK(k->unit && catalogue_unit(c, k->unit->code) == k->unit);
        FUZZ_CHECK(kpi_kind_name(k->kind) && kpi_topic_name(k->topic) && kpi_direction_name(k->direction));
        FUZZ_CHECK(kpi_rollup_name(k->over_time) && kpi_rollup_name(k->over_residents));
        FUZZ_CHECK(k->weight && k->formula && (!k->weight[0] || catalogue_find(c, k->weight)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char path[FUZZ_PATH];
    struct catalogue *c = NULL;
    struct diag d = {""};
    fuzz_path("catalogue.yaml", path);
    fuzz_write(path, bytes, len);
    enum err e = catalogue_load(path, &c, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && strncmp(d.text, path, strlen(path)) == 0));
    if (e == ERR_OK)
        look_at(c);
    catalogue_free(c);
    return 0;
}
