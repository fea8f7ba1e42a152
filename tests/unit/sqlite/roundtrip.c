/* roundtrip.c: every type of ours goes into SQLite and comes back as the same
 * type with the same values; what SQLite cannot keep is counted or refused. */
#include "loading.h"

#include <math.h>

static void same_back(struct database *base, const char *columns, const char *rows, const char *types)
{
    struct reading reading;
    char found[2048];
    load_all(base, SINK_REPLACE, columns, rows);
    assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = "t"}, -1));
    assert_string_equal(reading_types(&reading, found, sizeof found), types);
    assert_string_equal(reading_text(&reading), rows);
    reading_release(&reading);
}

static void integers_come_back(void **state)
{
    same_back(*state, "a:int8,b:int16,c:int32,d:int64,e:uint8,f:uint16,g:uint32,h:uint64",
              "-128|-32768|-2147483648|-9223372036854775808|0|0|0|0\n"
              "127|32767|2147483647|9223372036854775807|255|65535|4294967295|18446744073709551615\n"
              "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL\n",
              "int8,int16,int32,int64,uint8,uint16,uint32,uint64");
}

static void numbers_come_back(void **state)
{
    same_back(*state, "a:float32,b:float64,c:bool,d:decimal(38,10),e:decimal(5,5),f:decimal(18,0)",
              "0.1|0.1|true|1234567890123456789012345678.0123456789|0.00001|999999999999999999\n"
              "3.4028235e38|1.7976931348623157e308|false|-0.0000000001|-0.99999|-1\n"
              "inf|-inf|NULL|0.0000000000|0.00000|0\n"
              "1e-45|5e-324|true|NULL|0.10000|100\n",
              "float32,float64,bool,decimal(38,10),decimal(5,5),decimal(18,0)");
}

static void dates_come_back(void **state)
{
    same_back(
        *state,
        "a:date,b:time[s],c:time[us],d:time[ns],e:timestamp[s],f:timestamp[ms],g:timestamp[us],"
        "h:timestamp[ns]",
        "0001-01-01|00:00:00|23:59:59.999999|00:00:00.000000001|1969-12-31 23:59:59|1970-01-01 00:00:00.001|"
        "9999-12-31 23:59:59.999999|1677-09-21 00:12:43.145224193\n"
        "9999-12-31|23:59:59|00:00:00|23:59:59.999999999|0001-01-01 00:00:00|9999-12-31 00:00:00|"
        "0001-01-01 00:00:00|2262-04-11 23:47:16.854775807\n",
        "date,time[s],time[us],time[ns],timestamp[s],timestamp[ms],timestamp[us],timestamp[ns]");
    same_back(*state, "a:timestamp[us, UTC],b:timestamp[s, UTC],c:duration[us],d:duration[ns]",
              "2024-02-29 00:00:00Z|1970-01-01 00:00:00Z|NULL|NULL\n",
              "timestamp[us, UTC],timestamp[s, UTC],duration[us],duration[ns]");
}

static void text_and_bytes_come_back(void **state)
{
    same_back(*state, "a:utf8,b:binary,c:fixed_binary(3),d:uuid,e:json",
              "gr\xc3\xbc\xc3\x9f 007|00ff|010203|01234567-89ab-cdef-0123-456789abcdef|{\"a\": 1.50}\n"
              "||ffffff|00000000-0000-0000-0000-000000000000|1.50\n"
              "1e5|31|000000|NULL|\"007\"\n",
              "utf8,binary,fixed_binary(3),uuid,json");
}

static void nulls_without_a_type_are_text(void **state)
{
    same_back(*state, "a:null,b:int64", "NULL|1\nNULL|2\n", "utf8,int64");
}

static void with_uuid_text(struct database *base, const char *columns, const char *rows)
{
    static const struct haul_option table[] = {
        {"ledger", 0, HAUL_OPTION_TEXT, HAUL_FOR_COPY, NULL, "", NULL, ""},
        {"uuid", 0, HAUL_OPTION_TEXT, HAUL_FOR_COPY, NULL, "", "text", ""},
    };
    struct settings settings;
    assert_ok(base, settings_init(&settings, table, 2, &base->err));
    base->context.settings = &settings;
    same_back(base, columns, rows, "uuid");
    base->context.settings = NULL;
    settings_release(&settings);
}

static void uuids_as_text_come_back(void **state)
{
    struct database *base = *state;
    with_uuid_text(base, "d:uuid",
                   "01234567-89ab-cdef-0123-456789abcdef\n1e000000-0000-0000-0000-000000000000\n");
    assert_rows(base, "SELECT typeof(d) FROM t", "text\ntext\n");
}

static void zones_become_utc_and_nested_becomes_json(void **state)
{
    struct database *base = *state;
    struct loading load;
    char type[96];
    loading_init(base, &load, SINK_CREATE, "a:timestamp[us, Europe/Berlin],b:list<item: int32>,c:float16");
    assert_ok(base, loading_negotiate(base, &load));
    field_print_type(&load.terms.schema.fields[0], type, sizeof type);
    assert_string_equal(type, "timestamp[us, UTC]");
    field_print_type(&load.terms.schema.fields[1], type, sizeof type);
    assert_string_equal(type, "json");
    field_print_type(&load.terms.schema.fields[2], type, sizeof type);
    assert_string_equal(type, "float32");
    loading_release(&load);
}

static void the_origins_declared_type_is_kept(void **state)
{
    struct database *base = *state;
    struct loading load;
    static const char *const origins[] = {
        "sqlite:DECIMAL(10,2)", "sqlite:nvarchar ( 20 )", "sqlite:DECIMAL(10,2); DROP TABLE x",
        "mssql:money",          "sqlite:INTEGER",         "sqlite:DATETIME"};
    loading_init(base, &load, SINK_CREATE,
                 "a:decimal(10,2),b:utf8,c:decimal(10,2),d:decimal(19,4),e:utf8,f:timestamp[us]");
    for (int i = 0; i < 6; i++)
        load.info.schema.fields[i].sql_type = origins[i];
    assert_ok(base, loading_begin(base, &load));
    assert_non_null(strstr(load.terms.sql,
                           "(\"a\" DECIMAL(10,2), \"b\" NVARCHAR(20), \"c\" DECIMAL_TEXT(10,2), "
                           "\"d\" DECIMAL_TEXT(19,4), \"e\" TEXT, \"f\" DATETIME)"));
    assert_ok(base,
              load_unit(base, &load, 0, 0,
                        "99999999.99|x|0.10|1.0000|y|2024-01-01 00:00:00\n0.10|x|0.10|1.0000|y|NULL\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_rows(base, "SELECT typeof(a), typeof(c), a FROM t", "real|text|99999999.99\nreal|text|0.1\n");
    struct reading reading;
    assert_ok(base, reading_all(base, &reading, &(struct source_request){.table = "t"}, -1));
    assert_string_equal(reading_text(&reading),
                        "99999999.99|x|0.10|1.0000|y|2024-01-01 00:00:00\n0.10|x|0.10|1.0000|y|NULL\n");
    reading_release(&reading);
}

static void keys_are_declared(void **state)
{
    struct database *base = *state;
    struct loading load;
    static const char *const key[] = {"id"}, *const gone[] = {"id", "gone"};
    loading_init(base, &load, SINK_CREATE, "id:int64!,x:utf8");
    load.info.key = key;
    load.info.key_count = 1;
    assert_ok(base, loading_begin(base, &load));
    assert_ok(base, load_unit(base, &load, 0, 0, "7|a\n"));
    assert_ok(base, loading_finish(base, &load));
    assert_rows(base, "SELECT rowid, id FROM t", "7|7\n");
    loading_release(&load);
    loading_init(base, &load, SINK_REPLACE, "id:int64!,x:utf8");
    load.info.key = gone;
    load.info.key_count = 2;
    assert_ok(base, loading_negotiate(base, &load));
    assert_null(strstr(load.terms.sql, "PRIMARY KEY"));
    loading_release(&load);
}

/* ---- what is lost is counted or refused ---- */

static void lost_doubles_are_counted(void **state)
{
    struct database *base = *state;
    load_all(base, SINK_CREATE, "a:float64", "nan\n-0.0\n0.0\ninf\nNULL\n");
    assert_rows(base, "SELECT a FROM t", "NULL\n0.0\n0.0\nInf\nNULL\n");
    assert_int_equal(base->collector.loss_count, 2);
    struct loading load;
    base->limit.strict = true;
    base->collector.limit = &base->limit;
    loading_init(base, &load, SINK_APPEND, "a:float64");
    assert_ok(base, loading_begin(base, &load));
    assert_int_equal(load_unit(base, &load, 0, 0, "nan\n"), HAUL_VALUE);
    loading_release(&load);
    assert_rows(base, "SELECT count(*) FROM t", "5\n");
}

static void numeric_columns_do_not_round(void **state)
{
    struct database *base = *state;
    struct loading load;
    sql(base, "CREATE TABLE t(a NUMERIC, b NUMERIC, c NUMERIC)");
    allow_rejects(base);
    loading_init(base, &load, SINK_APPEND, "a:decimal(38,2),b:utf8,c:uint64");
    assert_ok(base, loading_begin(base, &load));
    assert_ok(
        base,
        load_unit(
            base, &load, 0, 0,
            "0.10|abc|5\n123456789012345678.25|abc|5\n9223372036854775807.00|x|5\n"
            "0.10| 007 |5\n0.10|1e5|5\n0.10|12 May|18446744073709551615\n0.10|0x10|9223372036854775807\n"));
    assert_ok(base, loading_finish(base, &load));
    loading_release(&load);
    assert_int_equal(base->collector.reject_count, 4);
    assert_string_equal(base->collector.rejects->reject.column, "a");
    assert_rows(base, "SELECT a, b, c FROM t",
                "0.1|abc|5\n9223372036854775807|x|5\n0.1|0x10|9223372036854775807\n");
}

static void undeclared_columns_take_anything(void **state)
{
    struct database *base = *state;
    sql(base, "CREATE TABLE t(a, b, c)");
    load_all(base, SINK_APPEND, "a:decimal(38,2),b:utf8,c:uint64", "0.10|007|18446744073709551615\n");
    assert_rows(base, "SELECT a, b, c, typeof(a), typeof(b), typeof(c) FROM t",
                "0.10|007|18446744073709551615|text|text|text\n");
}

static void existing_columns_say_the_type(void **state)
{
    struct database *base = *state;
    struct loading load;
    char type[96];
    static const char *const types[] = {"utf8", "int64", "float64", "decimal(10,2)", "binary", "int64"};
    sql(base, "CREATE TABLE t(a VARCHAR(5), b BIGINT, c REAL, d DECIMAL(10,2), e BLOB, f)");
    loading_init(base, &load, SINK_APPEND, "a:int64,b:bool,c:int32,d:utf8,e:utf8,f:int64");
    assert_ok(base, loading_negotiate(base, &load));
    for (int i = 0; i < 6; i++) {
        field_print_type(&load.terms.schema.fields[i], type, sizeof type);
        assert_string_equal(type, types[i]);
    }
    loading_release(&load);
}

/* ---- a dictionary ---- */

static void dictionaries_are_taken_apart(void **state)
{
    struct database *base = *state;
    struct loading load;
    struct writer *writer;
    enum unit_state unit_state;
    struct receipt receipt;
    struct batch values, batch;
    static int32_t indices[] = {1, 0, 1, 0};
    static uint8_t validity[] = {0x0b};
    const void *buffers[] = {validity, indices};
    loading_init(base, &load, SINK_CREATE, "a:utf8");
    assert_ok(base, loading_begin(base, &load));
    make_batch(base, &load.terms.schema, "x\ny\n", &values);
    make_batch(base, &load.terms.schema, "x\ny\nz\nw\n", &batch);
    struct ArrowArray *column = batch.array.children[0], plain = *column;
    column->buffers = buffers;
    column->n_buffers = 2;
    column->null_count = 1;
    column->dictionary = values.array.children[0];
    assert_ok(base, unit_open(base, &load, 0, 0, &writer, &unit_state, &receipt));
    assert_ok(base, writer->ops->write(writer, &batch, &base->err));
    receipt.rows = receipt.rows_offered = 4;
    assert_ok(base, writer->ops->commit(writer, &receipt, &load.arena, &base->err));
    *column = plain;
    batch_release(&batch);
    batch_release(&values);
    assert_rows(base, "SELECT a FROM t", "y\nx\nNULL\nx\n");
    loading_release(&load);
}

static int setup(void **state)
{
    *state = database_open();
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(integers_come_back),
        TEST(numbers_come_back),
        TEST(dates_come_back),
        TEST(text_and_bytes_come_back),
        TEST(nulls_without_a_type_are_text),
        TEST(uuids_as_text_come_back),
        TEST(zones_become_utc_and_nested_becomes_json),
        TEST(the_origins_declared_type_is_kept),
        TEST(keys_are_declared),
        TEST(lost_doubles_are_counted),
        TEST(numeric_columns_do_not_round),
        TEST(undeclared_columns_take_anything),
        TEST(existing_columns_say_the_type),
        TEST(dictionaries_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
