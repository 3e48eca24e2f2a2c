// esep-check: one figure, judged for a monitoring system.
#include "dashboards/check/verdict.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    struct check_options o;
    struct check_verdict v;
    struct diag d = {""};
    if (check_options_parse(argc, argv, &o, &d)) {
        check_unknown(&v, "%s", d.text);
    } else if (o.help) {
        fputs(check_options_help, stdout);
        return 0;
    } else if (o.version) {
        printf("esep-check %s\n", ESEP_VERSION);
        return 0;
    } else {
        check_run(&o, clock_wall(clock_system()), &v);
    }
    puts(v.line);
    return (int)v.status;
}
