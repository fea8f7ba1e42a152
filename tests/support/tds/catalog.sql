-- What SQL Server knows and PostgreSQL does not, and the functions T-SQL calls.
CREATE SCHEMA tds;
CREATE TABLE tds.databases (database_id serial PRIMARY KEY, name text UNIQUE, created timestamp DEFAULT now(),
    recovery int DEFAULT 3, snapshot boolean DEFAULT true, source int);
CREATE TABLE tds.schemas (schema_id serial PRIMARY KEY, db text, name text);
CREATE TABLE tds.tables (object_id oid PRIMARY KEY, db text, schema text, name text, kind text DEFAULT 'U', created timestamp DEFAULT now(),
    scheme int, partition_column text, columnstore text);
CREATE TABLE tds.functions (object_id oid PRIMARY KEY REFERENCES tds.tables ON DELETE CASCADE, body text);
CREATE TABLE tds.parameters (object_id oid REFERENCES tds.tables ON DELETE CASCADE, parameter_id int, name text, type_text text, type_name text);
CREATE TABLE tds.partition_functions (function_id serial PRIMARY KEY, db text, name text, on_right boolean, bounds text[]);
CREATE TABLE tds.partition_schemes (scheme_id serial PRIMARY KEY, db text, name text, function_id int);
CREATE TABLE tds.sessions (session_id int, pid int, program_name text, login_name text, host_name text);
CREATE TABLE tds.limited (login text PRIMARY KEY);
CREATE TABLE tds.grants (login text, permission text, object text);
CREATE TABLE tds.columns (object_id oid REFERENCES tds.tables ON DELETE CASCADE, column_id int, name text, pg_name text, type_name text,
    length int, precision int, scale int, collation_name text, nullable boolean, udt text, seed bigint, increment bigint,
    computed text, default_text text, default_name text, PRIMARY KEY (object_id, column_id));
CREATE TABLE tds.types (name text, system_type_id int, user_type_id int, max_length int, precision int, scale int);
INSERT INTO tds.types VALUES ('image',34,34,16,0,0),('text',35,35,16,0,0),('uniqueidentifier',36,36,16,0,0),('date',40,40,3,10,0),
    ('time',41,41,5,16,7),('datetime2',42,42,8,27,7),('datetimeoffset',43,43,10,34,7),('tinyint',48,48,1,3,0),('smallint',52,52,2,5,0),
    ('int',56,56,4,10,0),('smalldatetime',58,58,4,16,0),('real',59,59,4,24,0),('money',60,60,8,19,4),('datetime',61,61,8,23,3),
    ('float',62,62,8,53,0),('sql_variant',98,98,8016,0,0),('ntext',99,99,16,0,0),('bit',104,104,1,1,0),('decimal',106,106,17,38,38),
    ('numeric',108,108,17,38,38),('smallmoney',122,122,4,10,4),('bigint',127,127,8,19,0),('hierarchyid',240,128,892,0,0),
    ('geometry',240,129,-1,0,0),('geography',240,130,-1,0,0),('varbinary',165,165,8000,0,0),('varchar',167,167,8000,0,0),
    ('binary',173,173,8000,0,0),('char',175,175,8000,0,0),('timestamp',189,189,8,0,0),('nvarchar',231,231,8000,0,0),
    ('nchar',239,239,8000,0,0),('xml',241,241,-1,0,0),('sysname',231,256,256,0,0);
CREATE SEQUENCE tds.rowversions START 2001;
CREATE FUNCTION tds.next_rowversion() RETURNS bytea LANGUAGE sql VOLATILE AS $$SELECT int8send(nextval('tds.rowversions'))$$;
CREATE FUNCTION tds.stamp_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RETURN json_populate_record(NEW, json_build_object(TG_ARGV[0], tds.next_rowversion())); END $$;

CREATE FUNCTION tds.setting(name text) RETURNS text LANGUAGE sql STABLE AS $$SELECT coalesce(current_setting('tds.' || name, true), '')$$;
CREATE FUNCTION tds.name_parts(name text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE parts text[] := '{}'; part text := ''; quoted text := ''; c text; i int := 1;
BEGIN
  WHILE i <= length(name) LOOP
    c := substr(name, i, 1);
    IF quoted = '' AND c IN ('[', '"') AND part = '' THEN quoted := CASE c WHEN '[' THEN ']' ELSE '"' END;
    ELSIF quoted <> '' AND c = quoted AND substr(name, i + 1, 1) = quoted THEN part := part || c; i := i + 1;
    ELSIF quoted <> '' AND c = quoted THEN quoted := '';
    ELSIF quoted = '' AND c = '.' THEN parts := parts || part; part := '';
    ELSE part := part || c; END IF;
    i := i + 1;
  END LOOP;
  RETURN parts || part;
END $$;
CREATE FUNCTION tds.tds_object_id(name text, kind text DEFAULT NULL) RETURNS int LANGUAGE plpgsql STABLE AS $$
DECLARE p text[] := tds.name_parts(name); n int := array_length(p, 1); found int; d text; s text;
BEGIN
  IF left(p[n], 2) = '##' THEN RETURN (SELECT object_id::int FROM tds.tables t WHERE t.db = 'tempdb' AND lower(t.name) = lower(p[n])); END IF;
  IF left(p[n], 1) = '#' THEN RETURN (SELECT object_id::int FROM tds.tables t WHERE object_id = to_regclass(quote_ident(lower(p[n])))::oid); END IF;
  s := CASE WHEN n > 1 AND p[n-1] <> '' THEN p[n-1] ELSE 'dbo' END;
  d := CASE WHEN n > 2 AND p[n-2] <> '' THEN p[n-2] ELSE tds.setting('db') END;
  SELECT t.object_id::int INTO found FROM tds.tables t WHERE lower(t.db) = lower(d) AND lower(t.schema) = lower(s) AND lower(t.name) = lower(p[n])
    AND ($2 IS NULL OR trim(t.kind) = trim(upper($2)));
  RETURN found;
END $$;
CREATE FUNCTION tds.tds_object_name(id int, db int DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$SELECT name FROM tds.tables WHERE object_id = id$$;
CREATE FUNCTION tds.tds_object_schema_name(id int, db int DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$SELECT schema FROM tds.tables WHERE object_id = id$$;
CREATE FUNCTION tds.tds_db_name(id int DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$SELECT coalesce((SELECT name FROM tds.databases WHERE database_id = id), CASE WHEN id IS NULL THEN tds.setting('db') END)$$;
CREATE FUNCTION tds.tds_db_id(wanted text DEFAULT NULL) RETURNS int LANGUAGE sql STABLE AS $$SELECT database_id FROM tds.databases WHERE lower(name) = lower(coalesce(wanted, tds.setting('db')))$$;
CREATE FUNCTION tds.tds_schema_id(wanted text DEFAULT 'dbo') RETURNS int LANGUAGE sql STABLE AS $$SELECT schema_id FROM tds.schemas WHERE lower(name) = lower(wanted) AND db = lower(tds.setting('db'))$$;
CREATE FUNCTION tds.tds_schema_name(id int DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$SELECT CASE WHEN id IS NULL THEN 'dbo' ELSE (SELECT name FROM tds.schemas WHERE schema_id = id) END$$;
CREATE FUNCTION tds.tds_type_name(id int) RETURNS text LANGUAGE sql STABLE AS $$SELECT name FROM tds.types WHERE user_type_id = id$$;
CREATE FUNCTION tds.tds_type_id(n text) RETURNS int LANGUAGE sql STABLE AS $$SELECT user_type_id FROM tds.types WHERE name = lower(n)$$;
CREATE FUNCTION tds.tds_serverproperty(name text) RETURNS text LANGUAGE sql STABLE AS $$SELECT CASE lower(name)
  WHEN 'productversion' THEN '16.0.1000.6' WHEN 'productmajorversion' THEN '16' WHEN 'productlevel' THEN 'RTM'
  WHEN 'edition' THEN 'Developer Edition (64-bit)' WHEN 'engineedition' THEN '3' WHEN 'servername' THEN 'HAULTEST' WHEN 'machinename' THEN 'HAULTEST'
  WHEN 'collation' THEN 'SQL_Latin1_General_CP1_CI_AS' WHEN 'isintegratedsecurityonly' THEN '0' WHEN 'ishadrenabled' THEN '0' END$$;
CREATE FUNCTION tds.tds_databasepropertyex(db text, name text) RETURNS text LANGUAGE sql STABLE AS $$SELECT CASE lower(name)
  WHEN 'recovery' THEN (SELECT CASE recovery WHEN 1 THEN 'FULL' WHEN 2 THEN 'BULK_LOGGED' ELSE 'SIMPLE' END FROM tds.databases d WHERE lower(d.name) = lower(db))
  WHEN 'collation' THEN 'SQL_Latin1_General_CP1_CI_AS' WHEN 'status' THEN 'ONLINE' WHEN 'updateability' THEN 'READ_WRITE' END$$;
-- Whether a login may: object is schema.name, schema:name, or '' for the database.
CREATE FUNCTION tds.may(who text, wanted text, object text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT 1 FROM tds.limited l WHERE l.login = lower(who)) OR EXISTS (SELECT 1 FROM tds.grants g WHERE g.login = lower(who)
    AND upper(g.permission) IN (upper(wanted), 'CONTROL') AND lower(g.object) IN ('', lower($3), 'schema:' || split_part(lower($3), '.', 1)))$$;
CREATE FUNCTION tds.tds_has_perms_by_name(name text, class text, permission text) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN lower(class) = 'object' AND tds.tds_object_id($1) IS NULL THEN NULL ELSE tds.may(tds.setting('user'), permission, CASE lower(class) WHEN 'object' THEN
    (SELECT t.schema || '.' || t.name FROM tds.tables t WHERE t.object_id = tds.tds_object_id($1)) WHEN 'schema' THEN 'schema:' || replace(replace($1, '[', ''), ']', '') ELSE '' END)::int END$$;
CREATE FUNCTION tds.tds_partition(db text, function text, value anyelement) RETURNS int LANGUAGE plpgsql STABLE AS $$
DECLARE f tds.partition_functions; n int; BEGIN
  SELECT * INTO f FROM tds.partition_functions p WHERE lower(p.name) = lower(function) AND p.db = lower($1);
  IF value IS NULL THEN RETURN 1; END IF;
  EXECUTE format('SELECT count(*) + 1 FROM unnest($1::%s[]) b WHERE b %s $2', pg_typeof(value), CASE WHEN f.on_right THEN '<=' ELSE '<' END) INTO n USING f.bounds, value;
  RETURN n; END $$;
CREATE FUNCTION tds.partition_rows(id oid, number int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE t tds.tables; f text; n bigint; BEGIN
  SELECT * INTO t FROM tds.tables WHERE object_id = id;
  IF t.scheme IS NULL THEN RETURN tds.row_count(id); END IF;
  SELECT p.name INTO f FROM tds.partition_schemes s JOIN tds.partition_functions p USING (function_id) WHERE s.scheme_id = t.scheme;
  EXECUTE format('SELECT count(*) FROM %s WHERE tds.tds_partition(%L, %L, %I) = %s', id::regclass, t.db, f, t.partition_column, number) INTO n; RETURN n; END $$;
CREATE FUNCTION tds.tds_has_dbaccess(name text) RETURNS int LANGUAGE sql AS $$SELECT 1$$;
CREATE FUNCTION tds.tds_is_srvrolemember(name text) RETURNS int LANGUAGE sql AS $$SELECT 1$$;
CREATE FUNCTION tds.tds_is_member(name text) RETURNS int LANGUAGE sql AS $$SELECT 1$$;
CREATE FUNCTION tds.tds_columnproperty(id int, wanted text, property text) RETURNS int LANGUAGE sql STABLE AS $$SELECT CASE lower(property)
  WHEN 'isidentity' THEN (seed IS NOT NULL)::int WHEN 'iscomputed' THEN (computed IS NOT NULL)::int WHEN 'allowsnull' THEN nullable::int
  WHEN 'columnid' THEN column_id END FROM tds.columns WHERE object_id = id AND lower(name) = lower(wanted)$$;
CREATE FUNCTION tds.tds_objectproperty(id int, property text) RETURNS int LANGUAGE sql STABLE AS $$SELECT CASE lower(property)
  WHEN 'tablehasidentity' THEN (SELECT count(*) FROM tds.columns WHERE object_id = id AND seed IS NOT NULL)::int ELSE 0 END$$;
CREATE FUNCTION tds.tds_scope_identity() RETURNS numeric(38,0) LANGUAGE plpgsql AS $$BEGIN RETURN lastval(); EXCEPTION WHEN others THEN RETURN NULL; END $$;
CREATE FUNCTION tds.tds_ident_current(name text) RETURNS numeric(38,0) LANGUAGE plpgsql AS $$
DECLARE s text; id oid := tds.tds_object_id(name); v numeric;
BEGIN SELECT pg_get_serial_sequence(id::regclass::text, pg_name) INTO s FROM tds.columns WHERE object_id = id AND seed IS NOT NULL;
  IF s IS NULL THEN RETURN NULL; END IF; EXECUTE 'SELECT last_value FROM ' || s INTO v; RETURN v; END $$;
CREATE FUNCTION tds.tds_suser_sname() RETURNS text LANGUAGE sql AS $$SELECT tds.setting('user')$$;
CREATE FUNCTION tds.tds_suser_name() RETURNS text LANGUAGE sql AS $$SELECT tds.setting('user')$$;
CREATE FUNCTION tds.tds_original_login() RETURNS text LANGUAGE sql AS $$SELECT tds.setting('user')$$;
CREATE FUNCTION tds.tds_user_name() RETURNS text LANGUAGE sql AS $$SELECT 'dbo'$$;
CREATE FUNCTION tds.tds_host_name() RETURNS text LANGUAGE sql AS $$SELECT tds.setting('host')$$;
CREATE FUNCTION tds.tds_app_name() RETURNS text LANGUAGE sql AS $$SELECT tds.setting('app')$$;
CREATE FUNCTION tds.tds_newid() RETURNS uuid LANGUAGE sql AS $$SELECT gen_random_uuid()$$;
CREATE FUNCTION tds.tds_getdate() RETURNS timestamp LANGUAGE sql AS $$SELECT clock_timestamp()::timestamp(3)$$;
CREATE FUNCTION tds.tds_getutcdate() RETURNS timestamp LANGUAGE sql AS $$SELECT clock_timestamp()::timestamp(3)$$;
CREATE FUNCTION tds.tds_sysdatetime() RETURNS timestamp LANGUAGE sql AS $$SELECT clock_timestamp()::timestamp$$;
CREATE FUNCTION tds.tds_sysutcdatetime() RETURNS timestamp LANGUAGE sql AS $$SELECT clock_timestamp()::timestamp$$;
CREATE FUNCTION tds.tds_sysdatetimeoffset() RETURNS timestamptz LANGUAGE sql AS $$SELECT clock_timestamp()$$;
CREATE FUNCTION tds.tds_collationproperty(name text, property text) RETURNS int LANGUAGE sql AS $$SELECT CASE lower(property)
  WHEN 'codepage' THEN CASE WHEN name ILIKE '%utf8' THEN 65001 ELSE 1252 END WHEN 'lcid' THEN 1033 ELSE 0 END$$;
CREATE FUNCTION tds.tds_xact_state() RETURNS smallint LANGUAGE sql AS $$SELECT (tds.setting('trancount') NOT IN ('', '0'))::int::smallint$$;
CREATE FUNCTION tds.tds_len(v anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT length(rtrim(v::text))$$;
CREATE FUNCTION tds.tds_len(v text) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT length(rtrim(v))$$;
CREATE FUNCTION tds.tds_datalength(v bytea) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT length(v)$$;
CREATE FUNCTION tds.tds_datalength(v text) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT 2 * length(v)$$;
CREATE FUNCTION tds.tds_datalength(v anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT pg_column_size(v)$$;
CREATE FUNCTION tds.tds_hex(v bytea, style int) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT CASE style WHEN 1 THEN '0x' ELSE '' END || upper(encode(v, 'hex'))$$;
CREATE FUNCTION tds.tds_hex(v anyelement, style int) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT v::text$$;
CREATE FUNCTION tds.tds_quotename(v text, q text DEFAULT '[') RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '[' || replace(v, ']', ']]') || ']'$$;
CREATE FUNCTION tds.tds_checksum(VARIADIC v text[]) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT hashtext(array_to_string(v, '|', '~'))$$;
CREATE FUNCTION tds.tds_checksum(v anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT hashtext(v::text)$$;
CREATE FUNCTION tds.tds_binary_checksum(v anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT hashtext(v::text)$$;
CREATE FUNCTION tds.tds_replicate(v text, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT repeat(v, n)$$;
CREATE FUNCTION tds.tds_connectionproperty(name text) RETURNS text LANGUAGE sql AS $$SELECT CASE lower(name) WHEN 'net_transport' THEN 'TCP' WHEN 'auth_scheme' THEN 'SQL' END$$;
CREATE FUNCTION tds.tds_error_number() RETURNS int LANGUAGE sql AS $$SELECT nullif(tds.setting('error'), '')::int$$;
CREATE FUNCTION tds.tds_error_message() RETURNS text LANGUAGE sql AS $$SELECT tds.setting('message')$$;
CREATE FUNCTION tds.plus(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT a || b$$;
CREATE OPERATOR tds.+ (LEFTARG = text, RIGHTARG = text, FUNCTION = tds.plus);
-- SUM has the type of what it adds.
CREATE AGGREGATE tds.tds_sum(int) (sfunc = int4pl, stype = int);
CREATE AGGREGATE tds.tds_sum(bigint) (sfunc = int8pl, stype = bigint);
CREATE AGGREGATE tds.tds_sum(numeric) (sfunc = numeric_add, stype = numeric);
CREATE AGGREGATE tds.tds_sum(float8) (sfunc = float8pl, stype = float8);
CREATE FUNCTION tds.row_count(id oid) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM ' || id::regclass::text INTO n; RETURN n; END $$;
-- SQL Server converts strings to any column's type on its own.
DO $$ DECLARE f text; t text; BEGIN
  FOREACH f IN ARRAY ARRAY['text', 'varchar', 'bpchar'] LOOP
    FOREACH t IN ARRAY ARRAY['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'date', 'time', 'timestamp', 'timestamptz', 'uuid'] LOOP
      EXECUTE format('CREATE CAST (%s AS %s) WITH INOUT AS ASSIGNMENT', f, t);
    END LOOP;
  END LOOP;
END $$;
