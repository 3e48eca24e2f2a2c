// Errors in files are tested by changing one place of a good file, so that a case can fail for its own reason
// only.
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void temp_folder_create(char path[TEMP_YAML_PATH])
{
    const char *base = getenv("TMPDIR");

    snprintf(path, TEMP_YAML_PATH, "%s/esep-yaml.XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

void temp_folder_remove(const char *path)
{
    DIR *dir = opendir(path);

    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    }
    closedir(dir);
    assert_int_equal(rmdir(path), 0);
}

void temp_yaml_write(const char *folder, const char *name, const char *text, const char *from, const char *to,
                     char path[TEMP_YAML_PATH])
{
    const char *at = from != NULL ? strstr(text, from) : NULL;

    if (from != NULL && (at == NULL || strstr(at + 1, from) != NULL))
        fail_msg("\"%s\" must be in the text once", from);
    assert_true(snprintf(path, TEMP_YAML_PATH, "%s/%s", folder, name) < TEMP_YAML_PATH);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (at != NULL)
        fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    else
        fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

void expect_yaml_error(const struct yaml_case *c, const char *path, enum err e, const struct diag *d)
{
    char wanted[TEMP_YAML_PATH + 200];

    snprintf(wanted, sizeof(wanted), "%s:%s", path, c->place);
    if (e == ERR_INVALID && strncmp(d->text, wanted, strlen(wanted)) == 0 &&
        strstr(d->text + strlen(wanted), c->says) != NULL)
        return;
    fail_msg("\"%s\" → \"%s\": %s: %s\nwanted %s… %s", c->from, c->to, err_name(e), d->text, wanted, c->says);
}
