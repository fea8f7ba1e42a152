-- The catalog views of one database: %sys% and %info% are its schemas, %db% its name.
CREATE VIEW %sys%.databases AS SELECT name, database_id, created AS create_date, 160 AS compatibility_level, 'SQL_Latin1_General_CP1_CI_AS'::text AS collation_name,
  0::smallint AS state, 'ONLINE'::text AS state_desc, recovery AS recovery_model, CASE recovery WHEN 1 THEN 'FULL' WHEN 2 THEN 'BULK_LOGGED' ELSE 'SIMPLE' END AS recovery_model_desc,
  snapshot::int::smallint AS snapshot_isolation_state, CASE WHEN snapshot THEN 'ON' ELSE 'OFF' END AS snapshot_isolation_state_desc, 0 AS is_read_committed_snapshot_on,
  0 AS is_read_only, source AS source_database_id FROM tds.databases;
CREATE VIEW %sys%.schemas AS SELECT name, schema_id, 1 AS principal_id FROM tds.schemas WHERE db = %db%;
CREATE VIEW %sys%.objects AS SELECT t.name, t.object_id::int AS object_id, s.schema_id, 0 AS parent_object_id, rpad(t.kind, 2) AS type,
  CASE t.kind WHEN 'V' THEN 'VIEW' WHEN 'IF' THEN 'SQL_INLINE_TABLE_VALUED_FUNCTION' ELSE 'USER_TABLE' END AS type_desc, t.created AS create_date, t.created AS modify_date, 0 AS is_ms_shipped
  FROM tds.tables t JOIN tds.schemas s ON lower(s.name) = lower(t.schema) AND s.db = %db% WHERE lower(t.db) = %db%;
CREATE VIEW %sys%.all_objects AS SELECT * FROM %sys%.objects;
CREATE VIEW %sys%.tables AS SELECT o.*, 0 AS is_memory_optimized, 0 AS temporal_type, 0 AS is_external, 0 AS is_replicated, 0 AS lob_data_space_id, 0 AS is_filetable,
  0 AS history_table_id, 0 AS is_node, 0 AS is_edge, 0 AS has_replication_filter, 0 AS is_tracked_by_cdc FROM %sys%.objects o WHERE type = 'U ';
CREATE VIEW %sys%.views AS SELECT o.* FROM %sys%.objects o WHERE type = 'V ';
CREATE VIEW %sys%.types AS SELECT name, system_type_id::smallint, user_type_id, 4 AS schema_id, max_length::smallint, precision::smallint, scale::smallint,
  NULL::text AS collation_name, 1 AS is_nullable, 0 AS is_user_defined, (system_type_id = 240)::int AS is_assembly_type, 0 AS is_table_type FROM tds.types;
CREATE VIEW %sys%.columns AS SELECT c.object_id::int AS object_id, c.name, c.column_id, ty.system_type_id::smallint, ty.user_type_id,
  (CASE WHEN c.type_name IN ('decimal','numeric') THEN CASE WHEN c.precision <= 9 THEN 5 WHEN c.precision <= 19 THEN 9 WHEN c.precision <= 28 THEN 13 ELSE 17 END
    WHEN c.type_name IN ('text','ntext','image') THEN 16 WHEN c.type_name IN ('char','varchar','nchar','nvarchar','binary','varbinary') OR c.udt IS NOT NULL THEN c.length
    WHEN c.type_name = 'time' THEN CASE WHEN c.scale <= 2 THEN 3 WHEN c.scale <= 4 THEN 4 ELSE 5 END
    WHEN c.type_name = 'datetime2' THEN CASE WHEN c.scale <= 2 THEN 6 WHEN c.scale <= 4 THEN 7 ELSE 8 END
    WHEN c.type_name = 'datetimeoffset' THEN CASE WHEN c.scale <= 2 THEN 8 WHEN c.scale <= 4 THEN 9 ELSE 10 END
    ELSE ty.max_length END)::smallint AS max_length,
  (CASE WHEN c.type_name IN ('decimal','numeric') THEN c.precision WHEN c.type_name IN ('time') THEN 8 + c.scale + (c.scale > 0)::int
    WHEN c.type_name = 'datetime2' THEN 19 + c.scale + (c.scale > 0)::int WHEN c.type_name = 'datetimeoffset' THEN 26 + c.scale + (c.scale > 0)::int ELSE ty.precision END)::smallint AS precision,
  (CASE WHEN c.type_name IN ('decimal','numeric','time','datetime2','datetimeoffset') THEN c.scale ELSE ty.scale END)::smallint AS scale,
  c.collation_name AS collation_name, c.nullable::int::smallint AS is_nullable, 1::smallint AS is_ansi_padded, 0::smallint AS is_rowguidcol,
  (c.seed IS NOT NULL)::int::smallint AS is_identity, (c.computed IS NOT NULL)::int::smallint AS is_computed, 0::smallint AS is_filestream, 0::smallint AS is_xml_document,
  0 AS xml_collection_id, CASE WHEN c.default_text IS NULL THEN 0 ELSE c.object_id::int * 100 + c.column_id END AS default_object_id, 0::smallint AS is_sparse,
  0::smallint AS is_column_set, 0::smallint AS generated_always_type, 0::smallint AS is_hidden, 0::smallint AS is_masked, NULL::int AS graph_type,
  NULL::int AS encryption_type, NULL::int AS column_encryption_key_id, NULL::text AS encryption_algorithm_name
  FROM tds.columns c JOIN tds.tables t ON t.object_id = c.object_id
  JOIN tds.types ty ON ty.name = CASE c.type_name WHEN 'rowversion' THEN 'timestamp' WHEN 'udt' THEN c.udt ELSE c.type_name END
  WHERE lower(t.db) = %db%;
CREATE VIEW %sys%.all_columns AS SELECT * FROM %sys%.columns;
CREATE VIEW %sys%.identity_columns AS SELECT c.*, t.seed AS seed_value, t.increment AS increment_value, NULL::bigint AS last_value FROM %sys%.columns c
  JOIN tds.columns t ON t.object_id = c.object_id AND t.column_id = c.column_id WHERE c.is_identity = 1;
CREATE VIEW %sys%.computed_columns AS SELECT c.*, t.computed AS definition, 1::smallint AS is_persisted FROM %sys%.columns c
  JOIN tds.columns t ON t.object_id = c.object_id AND t.column_id = c.column_id WHERE c.is_computed = 1;
CREATE VIEW %sys%.default_constraints AS SELECT coalesce(t.default_name, 'DF_' || t.object_id || '_' || t.column_id) AS name, t.object_id::int * 100 + t.column_id AS object_id,
  t.object_id::int AS parent_object_id, t.column_id AS parent_column_id, t.default_text AS definition, (t.default_name IS NULL)::int AS is_system_named
  FROM tds.columns t WHERE t.default_text IS NOT NULL;
CREATE VIEW %sys%.indexes AS
  SELECT t.object_id::int AS object_id, t.columnstore AS name, (t.columnstore IS NOT NULL)::int AS index_id, CASE WHEN t.columnstore IS NULL THEN 0 ELSE 5 END::smallint AS type,
    CASE WHEN t.columnstore IS NULL THEN 'HEAP' ELSE 'CLUSTERED COLUMNSTORE' END AS type_desc, 0::smallint AS is_unique, coalesce(t.scheme + 65600, 1) AS data_space_id,
    0::smallint AS is_primary_key, 0::smallint AS is_unique_constraint, 0::smallint AS is_disabled, 0::smallint AS is_hypothetical, 0::smallint AS has_filter, NULL::text AS filter_definition, NULL::oid AS pg_index
  FROM tds.tables t WHERE lower(t.db) = %db% AND t.kind = 'U' AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.object_id AND i.indisclustered)
  UNION ALL SELECT t.object_id::int, c.relname::text, CASE WHEN i.indisclustered THEN 1 ELSE row_number() OVER (PARTITION BY t.object_id ORDER BY i.indisclustered DESC, i.indexrelid) + 1 - max(i.indisclustered::int) OVER (PARTITION BY t.object_id) END::int,
    CASE WHEN i.indisclustered THEN 1 ELSE 2 END::smallint, CASE WHEN i.indisclustered THEN 'CLUSTERED' ELSE 'NONCLUSTERED' END, i.indisunique::int::smallint, coalesce(t.scheme + 65600, 1), i.indisprimary::int::smallint,
    (NOT i.indisprimary AND EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype = 'u'))::int::smallint, 0::smallint, 0::smallint,
    (i.indpred IS NOT NULL)::int::smallint, pg_get_expr(i.indpred, i.indrelid), i.indexrelid
  FROM tds.tables t JOIN pg_index i ON i.indrelid = t.object_id JOIN pg_class c ON c.oid = i.indexrelid WHERE lower(t.db) = %db%;
CREATE VIEW %sys%.index_columns AS SELECT t.object_id::int AS object_id, x.index_id, 1000 AS index_column_id, c.column_id, 0::smallint AS key_ordinal, 1::smallint AS partition_ordinal, 0::smallint AS is_descending_key, 0::smallint AS is_included_column
  FROM tds.tables t JOIN %sys%.indexes x ON x.object_id = t.object_id::int AND x.index_id < 2 JOIN tds.columns c ON c.object_id = t.object_id AND c.pg_name = t.partition_column WHERE t.scheme IS NOT NULL
  UNION ALL SELECT x.object_id, x.index_id, k.n::int AS index_column_id, c.column_id, k.n::smallint AS key_ordinal, 0::smallint AS partition_ordinal,
  (i.indoption[k.n - 1] & 1)::smallint AS is_descending_key, (k.n > i.indnkeyatts)::int::smallint AS is_included_column
  FROM %sys%.indexes x JOIN pg_index i ON i.indexrelid = x.pg_index CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY k(att, n)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att JOIN tds.columns c ON c.object_id = i.indrelid AND c.pg_name = a.attname;
CREATE VIEW %sys%.partitions AS SELECT (x.object_id::bigint << 24) + x.index_id * 65536 + n AS partition_id, x.object_id, x.index_id, n AS partition_number,
  (x.object_id::bigint << 24) + x.index_id * 65536 + n AS hobt_id, tds.partition_rows(x.object_id::oid, n) AS rows, 0::smallint AS data_compression, 'NONE'::text AS data_compression_desc FROM %sys%.indexes x JOIN tds.tables t ON t.object_id = x.object_id::oid
  LEFT JOIN tds.partition_schemes s ON s.scheme_id = t.scheme LEFT JOIN tds.partition_functions f USING (function_id) CROSS JOIN LATERAL generate_series(1, coalesce(cardinality(f.bounds) + 1, 1)) n;
CREATE VIEW %sys%.partition_functions AS SELECT name, function_id, cardinality(bounds) + 1 AS fanout, on_right::int::smallint AS boundary_value_on_right, 'R'::text AS type FROM tds.partition_functions WHERE db = %db%;
CREATE VIEW %sys%.partition_schemes AS SELECT name, scheme_id + 65600 AS data_space_id, function_id, 'PS'::text AS type FROM tds.partition_schemes WHERE db = %db%;
CREATE VIEW %sys%.database_files AS SELECT 1 AS file_id, 0::smallint AS type, 'ROWS'::text AS type_desc, %db%::text AS name, '/var/data/' || %db% || '.mdf' AS physical_name, 1024 AS size, 0 AS state
  UNION ALL SELECT 2, 1, 'LOG', %db% || '_log', '/var/data/' || %db% || '_log.ldf', 1024, 0;
CREATE VIEW %sys%.parameters AS SELECT p.object_id::int AS object_id, p.name, p.parameter_id, ty.system_type_id::smallint, ty.user_type_id, ty.max_length::smallint, ty.precision::smallint, ty.scale::smallint, 0::smallint AS is_output,
  0::smallint AS has_default_value FROM tds.parameters p JOIN tds.types ty ON ty.name = p.type_name;
CREATE VIEW %sys%.database_permissions AS SELECT 1::smallint AS class, t.object_id::int AS major_id, 0 AS minor_id, 5 AS grantee_principal_id, g.permission AS permission_name, 'G'::text AS state, 'GRANT'::text AS state_desc
  FROM tds.grants g JOIN tds.tables t ON lower(g.object) = lower(t.schema || '.' || t.name) WHERE lower(t.db) = %db%;
CREATE VIEW %sys%.sql_expression_dependencies AS SELECT DISTINCT r.ev_class::int AS referencing_id, d.refobjid::int AS referenced_id, 1::smallint AS referencing_class, NULL::text AS referenced_entity_name
  FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass JOIN tds.tables t ON t.object_id = r.ev_class WHERE d.refobjid <> r.ev_class AND lower(t.db) = %db%;
CREATE VIEW %sys%.dm_db_partition_stats AS SELECT partition_id, object_id, index_id, partition_number, rows AS row_count, rows / 100 AS used_page_count, rows / 100 AS reserved_page_count,
  rows / 100 AS in_row_data_page_count FROM %sys%.partitions;
CREATE VIEW %sys%.key_constraints AS SELECT x.name, k.oid::int AS object_id, x.object_id AS parent_object_id, CASE WHEN x.is_primary_key = 1 THEN 'PK' ELSE 'UQ' END AS type, x.index_id AS unique_index_id
  FROM %sys%.indexes x JOIN pg_constraint k ON k.conindid = x.pg_index AND k.contype IN ('p', 'u');
CREATE VIEW %sys%.check_constraints AS SELECT k.conname::text AS name, k.oid::int AS object_id, t.object_id::int AS parent_object_id, pg_get_constraintdef(k.oid) AS definition,
  0::smallint AS is_disabled, (NOT k.convalidated)::int::smallint AS is_not_trusted FROM tds.tables t JOIN pg_constraint k ON k.conrelid = t.object_id AND k.contype = 'c' WHERE lower(t.db) = %db%;
CREATE VIEW %sys%.foreign_keys AS SELECT k.conname::text AS name, k.oid::int AS object_id, t.object_id::int AS parent_object_id, k.confrelid::int AS referenced_object_id,
  0::smallint AS is_disabled, (NOT k.convalidated)::int::smallint AS is_not_trusted, CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET_NULL' ELSE 'NO_ACTION' END AS delete_referential_action_desc,
  CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET_NULL' ELSE 'NO_ACTION' END AS update_referential_action_desc
  FROM tds.tables t JOIN pg_constraint k ON k.conrelid = t.object_id AND k.contype = 'f' WHERE lower(t.db) = %db%;
CREATE VIEW %sys%.foreign_key_columns AS SELECT f.object_id AS constraint_object_id, p.n::int AS constraint_column_id, f.parent_object_id, a.column_id AS parent_column_id, f.referenced_object_id, b.column_id AS referenced_column_id
  FROM %sys%.foreign_keys f JOIN pg_constraint k ON k.oid::int = f.object_id CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY p(x, y, n)
  JOIN pg_attribute pa ON pa.attrelid = k.conrelid AND pa.attnum = p.x JOIN tds.columns a ON a.object_id = k.conrelid AND a.pg_name = pa.attname
  JOIN pg_attribute pb ON pb.attrelid = k.confrelid AND pb.attnum = p.y JOIN tds.columns b ON b.object_id = k.confrelid AND b.pg_name = pb.attname;
CREATE VIEW %sys%.triggers AS SELECT split_part(g.tgname, '~', 1) AS name, min(g.oid::int) AS object_id, g.tgrelid::int AS parent_id, min((g.tgenabled = 'D')::int)::smallint AS is_disabled, 0::smallint AS is_instead_of_trigger,
  1::smallint AS parent_class FROM pg_trigger g JOIN tds.tables t ON t.object_id = g.tgrelid WHERE NOT g.tgisinternal AND g.tgname <> '~rowversion' AND lower(t.db) = %db% GROUP BY 1, 3;
CREATE VIEW %sys%.trigger_events AS SELECT x.object_id, CASE split_part(g.tgname, '~', 2) WHEN 'insert' THEN 1 WHEN 'update' THEN 2 ELSE 3 END AS type, upper(split_part(g.tgname, '~', 2)) AS type_desc
  FROM %sys%.triggers x JOIN pg_trigger g ON g.tgrelid = x.parent_id AND split_part(g.tgname, '~', 1) = x.name;
CREATE VIEW %sys%.sysobjects AS SELECT name, object_id AS id, type AS xtype, schema_id::smallint AS uid FROM %sys%.objects;
CREATE VIEW %sys%.sysindexes AS SELECT object_id AS id, index_id::smallint AS indid, name, tds.row_count(object_id::oid) AS rows FROM %sys%.indexes;
CREATE VIEW %sys%.dm_exec_sessions AS SELECT s.session_id, 2::smallint AS transaction_isolation_level, s.program_name, s.login_name, s.host_name, CASE a.state WHEN 'active' THEN 'running' ELSE 'sleeping' END AS status,
  (a.xact_start IS NOT NULL)::int AS open_transaction_count, 1::smallint AS is_user_process FROM tds.sessions s JOIN pg_stat_activity a ON a.pid = s.pid;
CREATE VIEW %info%.tables AS SELECT t.db AS table_catalog, t.schema AS table_schema, t.name AS table_name, CASE t.kind WHEN 'V' THEN 'VIEW' ELSE 'BASE TABLE' END AS table_type FROM tds.tables t WHERE lower(t.db) = %db%;
CREATE VIEW %info%.schemata AS SELECT db AS catalog_name, name AS schema_name FROM tds.schemas WHERE db = %db%;
CREATE VIEW %info%.columns AS SELECT t.db AS table_catalog, t.schema AS table_schema, t.name AS table_name, c.name AS column_name, c.column_id AS ordinal_position, c.default_text AS column_default,
  CASE WHEN c.nullable THEN 'YES' ELSE 'NO' END AS is_nullable, CASE c.type_name WHEN 'rowversion' THEN 'timestamp' WHEN 'udt' THEN c.udt ELSE c.type_name END AS data_type,
  CASE WHEN c.length = 0 THEN NULL WHEN c.length > 0 AND c.type_name IN ('nchar','nvarchar') THEN c.length / 2 ELSE c.length END AS character_maximum_length,
  CASE WHEN c.type_name IN ('decimal','numeric') THEN c.precision END::smallint AS numeric_precision, CASE WHEN c.type_name IN ('decimal','numeric') THEN c.scale END AS numeric_scale,
  CASE WHEN c.type_name IN ('time','datetime2','datetimeoffset') THEN c.scale END::smallint AS datetime_precision, c.collation_name AS collation_name
  FROM tds.tables t JOIN tds.columns c ON c.object_id = t.object_id WHERE lower(t.db) = %db%;
CREATE VIEW %info%.table_constraints AS SELECT t.db AS constraint_catalog, t.schema AS constraint_schema, k.conname::text AS constraint_name, t.db AS table_catalog, t.schema AS table_schema, t.name AS table_name,
  CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' ELSE 'CHECK' END AS constraint_type FROM tds.tables t JOIN pg_constraint k ON k.conrelid = t.object_id WHERE lower(t.db) = %db%;
CREATE VIEW %info%.key_column_usage AS SELECT t.db AS constraint_catalog, t.schema AS constraint_schema, k.conname::text AS constraint_name, t.db AS table_catalog, t.schema AS table_schema, t.name AS table_name,
  c.name AS column_name, p.n::int AS ordinal_position FROM tds.tables t JOIN pg_constraint k ON k.conrelid = t.object_id AND k.contype IN ('p', 'u', 'f') CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY p(x, n)
  JOIN pg_attribute a ON a.attrelid = t.object_id AND a.attnum = p.x JOIN tds.columns c ON c.object_id = t.object_id AND c.pg_name = a.attname WHERE lower(t.db) = %db%;
