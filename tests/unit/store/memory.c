/* Files in memory, and which store a name means. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct context context;
static struct haul_error err;

static int set_up(void **state)
{
    (void)state;
    context_init(&context);
    err = (struct haul_error){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_memory_clear();
    return 0;
}

static void expect_blob(const char *name, const char *text)
{
    const uint8_t *data = NULL;
    size_t length = 0;
    assert_int_equal(store_memory_get(name, &data, &length, &err), HAUL_OK);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(data, text, length);
}

static void names_mean_stores(void **state)
{
    (void)state;
    assert_ptr_equal(store_for("-"), &store_stdio);
    assert_ptr_equal(store_for("memory:a"), &store_memory);
    assert_ptr_equal(store_for("./memory:a"), &store_local);
    assert_ptr_equal(store_for("--"), &store_local);
    assert_ptr_equal(store_for("orders.csv"), &store_local);
}

static void puts_and_gets(void **state)
{
    (void)state;
    const uint8_t *data;
    size_t length;
    assert_int_equal(store_memory_get("memory:a", &data, &length, &err), HAUL_NOT_FOUND);
    assert_int_equal(store_memory_put("memory:a", "one", 3, &err), HAUL_OK);
    assert_int_equal(store_memory_put("memory:b", NULL, 0, &err), HAUL_OK);
    assert_int_equal(store_memory_put("memory:a", "three", 5, &err), HAUL_OK);
    expect_blob("memory:a", "three");
    expect_blob("memory:b", "");
    assert_int_equal(store_memory.remove("memory:a", &err), HAUL_OK);
    assert_int_equal(store_memory.remove("memory:a", &err), HAUL_OK);
    assert_int_equal(store_memory_get("memory:a", &data, &length, &err), HAUL_NOT_FOUND);
}

static void a_reader_keeps_its_bytes(void **state)
{
    (void)state;
    struct input_file *file = NULL;
    char bytes[4] = "";
    size_t got;
    assert_int_equal(store_memory.open("memory:a", &context, &file, &err), HAUL_NOT_FOUND);
    assert_int_equal(store_memory_put("memory:a", "one", 3, &err), HAUL_OK);
    assert_int_equal(store_memory.open("memory:a", &context, &file, &err), HAUL_OK);
    assert_int_equal(file->ops->check(file, &err), HAUL_OK);
    assert_int_equal(store_memory_put("memory:a", "two", 3, &err), HAUL_OK);
    assert_int_equal(file->ops->check(file, &err), HAUL_CHANGED);
    assert_int_equal(file->ops->read_at(file, 1, bytes, 4, &got, &err), HAUL_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(bytes, "ne", 2);
    assert_int_equal(file->ops->read_at(file, 3, bytes, 4, &got, &err), HAUL_OK);
    assert_int_equal(got, 0);
    file->ops->close(file);
}

static void writes_like_a_file(void **state)
{
    (void)state;
    struct output_file *file = NULL, *second = NULL;
    const uint8_t *data;
    size_t length;
    assert_int_equal(store_memory.create("memory:a", "memory:t", &context, &file, &err), HAUL_OK);
    assert_int_equal(store_memory.create("memory:a", "memory:t", &context, &second, &err), HAUL_EXISTS);
    assert_int_equal(file->ops->append(file, "0123456789", 10, &err), HAUL_OK);
    file->ops->close(file);
    expect_blob("memory:t", "0123456789");
    assert_int_equal(store_memory.reopen("memory:a", "memory:t", 11, &context, &file, &err), HAUL_CHANGED);
    assert_int_equal(store_memory.reopen("memory:a", "memory:t", 4, &context, &file, &err), HAUL_OK);
    assert_int_equal(file->offset, 4);
    assert_int_equal(file->ops->append(file, "ab", 2, &err), HAUL_OK);
    assert_int_equal(file->ops->truncate(file, 7, &err), HAUL_INTERNAL);
    assert_int_equal(file->ops->truncate(file, 5, &err), HAUL_OK);
    assert_int_equal(store_memory_put("memory:a", "taken", 5, &err), HAUL_OK);
    assert_int_equal(file->ops->publish(file, false, &err), HAUL_EXISTS);
    assert_int_equal(file->ops->publish(file, true, &err), HAUL_OK);
    expect_blob("memory:a", "0123a");
    assert_int_equal(store_memory_get("memory:t", &data, &length, &err), HAUL_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_mean_stores),
        TEST(puts_and_gets),
        TEST(a_reader_keeps_its_bytes),
        TEST(writes_like_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
