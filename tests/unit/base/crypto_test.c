#include "base/crypto.h"
#include "base/fs.h"
#include "tests/support/folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(void **state)
{
    static struct test_folder folder;
    *state = &folder;
    return test_folder_make(&folder);
}

static int remove_folder(void **state)
{
    return test_folder_remove(*state);
}

static int init_library(void **state)
{
    (void)state;
    enum err first = crypto_init();
    enum err second = crypto_init(); // harmless
    return first || second ? -1 : 0;
}

static void hash_of_one_part_is_blake2b_over_its_length_and_bytes(void **state)
{
    (void)state;
    // made with Python's hashlib from 03 00 00 00 00 00 00 00 'a' 'b' 'c', and from nothing
    static const char *const abc = "3bdc62cfd65e3b78e3d90e32e0a91ebfbc229c30abe54e6abd16c5d4def0db7b";
    static const char *const nothing = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";
    uint8_t hash[HASH_BYTES];
    char hex[HEX_TEXT(HASH_BYTES)];
    crypto_digest(&(struct hash_part){"abc", 3}, 1, hash);
    crypto_hex(hash, sizeof hash, hex);
    assert_string_equal(hex, abc);
    crypto_digest(NULL, 0, hash);
    crypto_hex(hash, sizeof hash, hex);
    assert_string_equal(hex, nothing);
}

static void hash_tells_where_one_part_ends_and_the_next_begins(void **state)
{
    (void)state;
    uint8_t a[HASH_BYTES], b[HASH_BYTES], c[HASH_BYTES];
    crypto_digest((struct hash_part[]){{"ab", 2}, {"c", 1}}, 2, a);
    crypto_digest((struct hash_part[]){{"a", 1}, {"bc", 2}}, 2, b);
    crypto_digest((struct hash_part[]){{"abc", 3}, {NULL, 0}}, 2, c);
    assert_memory_not_equal(a, b, HASH_BYTES);
    assert_memory_not_equal(a, c, HASH_BYTES);
    assert_memory_not_equal(b, c, HASH_BYTES);
}

static void key_text_is_that_of_rfc_32(void **state)
{
    (void)state;
    // the RFC's own example, 86 4F D2 6F B5 59 F7 5B = "HelloWorld", four times over
    static const uint8_t group[8] = {0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B};
    uint8_t key[KEY_BYTES], back[KEY_BYTES];
    char text[KEY_TEXT];
    for (size_t i = 0; i < KEY_BYTES; i++)
        key[i] = group[i % 8];
    crypto_key_text(key, text);
    assert_string_equal(text, "HelloWorldHelloWorldHelloWorldHelloWorld");
    assert_int_equal(crypto_key_parse(text, back), ERR_OK);
    assert_memory_equal(key, back, KEY_BYTES);
}

static void key_text_reads_back_equal_at_the_edges_and_for_random_keys(void **state)
{
    (void)state;
    uint8_t key[KEY_BYTES], back[KEY_BYTES];
    char text[KEY_TEXT];
    for (int n = 0; n < 1000; n++) {
        memset(key, n == 0 ? 0 : 0xFF, sizeof key);
        if (n > 1)
            crypto_random(key, sizeof key);
        crypto_key_text(key, text);
        assert_int_equal(strlen(text), KEY_TEXT - 1);
        assert_int_equal(crypto_key_parse(text, back), ERR_OK);
        assert_memory_equal(key, back, KEY_BYTES);
    }
}

static void key_parse_refuses_everything_else(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "HelloWorldHelloWorldHelloWorldHelloWorl",
        "HelloWorldHelloWorldHelloWorldHelloWorldd",
        "HelloWorldHelloWorldHelloWorldHelloWorl ",
        "HelloWorldHelloWorldHelloWorldHelloWorl\"",
        "HelloWorldHelloWorldHelloWorldHelloWorl\xD0",
        "HelloWorldHelloWorldHelloWorldHelloWorl\n",
        "#####WorldHelloWorldHelloWorldHelloWorld", // 85^5 - 1 does not fit 32 bits
        "%nSc1WorldHelloWorldHelloWorldHelloWorld", // 2^32 exactly
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t key[KEY_BYTES] = {42};
        if (crypto_key_parse(table[i], key) != ERR_INVALID)
            fail_msg("\"%s\" was taken for a key", table[i]);
        assert_int_equal(key[0], 42);
    }
}

static void keypair_and_public_key_agree(void **state)
{
    (void)state;
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES], again[KEY_BYTES];
    crypto_keypair(public_key, secret_key);
    crypto_public_key(secret_key, again);
    assert_memory_equal(public_key, again, KEY_BYTES);
    assert_memory_not_equal(public_key, secret_key, KEY_BYTES);
}

static void public_key_is_that_of_another_x25519(void **state)
{
    (void)state;
    // the secret key 01 02 … 20; the public one made with the ladder of RFC 7748 in big integers
    static const char *const expected = "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c";
    uint8_t secret_key[KEY_BYTES], public_key[KEY_BYTES];
    char hex[HEX_TEXT(KEY_BYTES)];
    for (size_t i = 0; i < KEY_BYTES; i++)
        secret_key[i] = (uint8_t)(i + 1);
    crypto_public_key(secret_key, public_key);
    crypto_hex(public_key, KEY_BYTES, hex);
    assert_string_equal(hex, expected);
}

static void hex_goes_both_ways_and_refuses_the_rest(void **state)
{
    (void)state;
    uint8_t bytes[4] = {0};
    char text[HEX_TEXT(4)];
    assert_int_equal(crypto_unhex("00fFaB10", bytes, 4), ERR_OK);
    crypto_hex(bytes, 4, text);
    assert_string_equal(text, "00ffab10");
    static const char *const table[] = {"",         "00ffab1",   "00ffab100", "00ffab1g",
                                        "00 fab10", "00ffab10 ", "0x00ffab"};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(crypto_unhex(table[i], bytes, 4), ERR_INVALID);
    assert_memory_equal(bytes, "\x00\xff\xab\x10", 4);
    assert_int_equal(crypto_unhex("", bytes, 0), ERR_OK);
}

static void random_bytes_differ_and_wipe_clears_them(void **state)
{
    (void)state;
    uint8_t a[32], b[32];
    static const uint8_t zero[32];
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    crypto_wipe(a, sizeof a);
    assert_memory_equal(a, zero, sizeof a);
}

static void key_file_is_created_private_and_loads_back(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    struct stat st;
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES], derived[KEY_BYTES];
    test_folder_path(*state, "agent.key", path);
    assert_int_equal(crypto_key_file_create(path, public_key, &d), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, KEY_TEXT);
    assert_int_equal(crypto_key_file_load(path, secret_key, &d), ERR_OK);
    crypto_public_key(secret_key, derived);
    assert_memory_equal(public_key, derived, KEY_BYTES);
}

static void key_file_create_never_overwrites(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    uint8_t first[KEY_BYTES], secret_before[KEY_BYTES], secret_after[KEY_BYTES], untouched[KEY_BYTES] = {42};
    test_folder_path(*state, "agent.key", path);
    assert_int_equal(crypto_key_file_create(path, first, &d), ERR_OK);
    assert_int_equal(crypto_key_file_load(path, secret_before, &d), ERR_OK);
    assert_int_equal(crypto_key_file_create(path, untouched, &d), ERR_EXISTS);
    assert_int_equal(untouched[0], 42);
    assert_int_equal(crypto_key_file_load(path, secret_after, &d), ERR_OK);
    assert_memory_equal(secret_before, secret_after, KEY_BYTES);
}

static void key_file_that_others_can_read_is_refused_with_the_way_out(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    uint8_t key[KEY_BYTES] = {0};
    static const mode_t modes[] = {0640, 0604, 0660, 0610, 0601};
    test_folder_path(*state, "agent.key", path);
    assert_int_equal(crypto_key_file_create(path, key, &d), ERR_OK);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(crypto_key_file_load(path, key, &d), ERR_DENIED);
        assert_non_null(strstr(d.text, "chmod 600"));
    }
}

static void key_file_of_anything_but_a_key_is_refused(void **state)
{
    static const char *const table[] = {
        "",
        "\n",
        "HelloWorld\n",
        "HelloWorldHelloWorldHelloWorldHelloWorld\n\n",
        "HelloWorldHelloWorldHelloWorldHelloWorld\nmore",
        "HelloWorldHelloWorldHelloWorldHelloWorldHelloWorldHelloWorldHelloWorld"};
    char path[TEST_PATH];
    struct diag d = {""};
    uint8_t key[KEY_BYTES] = {0};
    test_folder_path(*state, "agent.key", path);
    assert_int_equal(crypto_key_file_load(path, key, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, path));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(fs_replace_file(path, table[i], strlen(table[i]), 0600, &d), ERR_OK);
        assert_int_equal(crypto_key_file_load(path, key, &d), ERR_INVALID);
        assert_non_null(strstr(d.text, path));
        assert_null(strstr(d.text, "HelloWorld")); // what may be a secret is not printed
    }
    assert_int_equal(crypto_key_file_load("/dev/null", key, &d), ERR_INVALID);
}

static void public_keys_never_look_like_an_option(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) { // unguarded, one in 85 would
        uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES];
        char text[KEY_TEXT];
        crypto_keypair(public_key, secret_key);
        crypto_key_text(public_key, text);
        assert_int_not_equal(text[0], '-');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_of_one_part_is_blake2b_over_its_length_and_bytes),
        cmocka_unit_test(hash_tells_where_one_part_ends_and_the_next_begins),
        cmocka_unit_test(key_text_is_that_of_rfc_32),
        cmocka_unit_test(key_text_reads_back_equal_at_the_edges_and_for_random_keys),
        cmocka_unit_test(key_parse_refuses_everything_else),
        cmocka_unit_test(keypair_and_public_key_agree),
        cmocka_unit_test(public_key_is_that_of_another_x25519),
        cmocka_unit_test(hex_goes_both_ways_and_refuses_the_rest),
        cmocka_unit_test(random_bytes_differ_and_wipe_clears_them),
        cmocka_unit_test_setup_teardown(key_file_is_created_private_and_loads_back, make_folder,
                                        remove_folder),
        cmocka_unit_test(public_keys_never_look_like_an_option),
        cmocka_unit_test_setup_teardown(key_file_create_never_overwrites, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(key_file_that_others_can_read_is_refused_with_the_way_out,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(key_file_of_anything_but_a_key_is_refused, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, init_library, NULL);
}
