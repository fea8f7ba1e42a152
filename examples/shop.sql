-- The sample shop of ./try: every type SQLite columns are declared with, NULLs,
-- text beyond ASCII, awkward names, 1,000,000 orders. Deterministic: the "random"
-- numbers are a linear congruential sequence over the row number.
PRAGMA synchronous = off;

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    "e-mail" TEXT,
    born DATE,
    "select" INTEGER -- a keyword as a name
);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO customers
SELECT i,
       CASE i % 7 WHEN 0 THEN 'Zoë Ångström ' WHEN 1 THEN '山田太郎 ' WHEN 2 THEN 'Ελένη ' WHEN 3 THEN 'O''Brien, "Bob" '
                  WHEN 4 THEN 'Ali عَلِيّ ' WHEN 5 THEN '😀 emoji ' ELSE 'Smith ' END || i,
       CASE WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN '' ELSE 'c' || i || '@example.org' END,
       CASE WHEN i % 17 = 0 THEN NULL ELSE date('1930-01-01', '+' || (i * 7919 % 30000) || ' days') END,
       CASE WHEN i % 5 = 0 THEN NULL ELSE i * 37 % 101 END
FROM n;

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    placed_at DATETIME NOT NULL,
    due DATE,
    total DECIMAL(12, 2) NOT NULL,
    discount REAL,
    paid BOOLEAN NOT NULL,
    channel VARCHAR(10),
    "Note, with comma" TEXT,
    größe TEXT,
    token BLOB,
    weight_g BIGINT
);
WITH RECURSIVE n(i, r) AS (
    VALUES (1, 12345)
    UNION ALL
    SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 1000000
)
INSERT INTO orders
SELECT i,
       1 + r % 20000,
       datetime(1577836800 + i * 61 + r % 60, 'unixepoch'),
       CASE WHEN r % 10 = 0 THEN NULL ELSE date(1577836800 + i * 61, 'unixepoch', '+' || (r % 30) || ' days') END,
       (r % 1000000) / 100.0,
       CASE WHEN r % 4 = 0 THEN NULL ELSE (r % 1000) / 1024.0 END,
       r % 3 > 0,
       CASE r / 7 % 5 WHEN 0 THEN 'web' WHEN 1 THEN 'shop' WHEN 2 THEN 'phone' WHEN 3 THEN 'partner' ELSE NULL END,
       CASE WHEN r % 6 = 0 THEN NULL WHEN r % 50 = 1 THEN '' WHEN r % 50 = 2 THEN 'two' || char(10) || 'lines, "quoted"'
            ELSE 'order ' || i || ' für ' || (r % 20000) END,
       CASE r / 11 % 4 WHEN 0 THEN 'groß' WHEN 1 THEN 'klein' WHEN 2 THEN '中' ELSE NULL END,
       CASE WHEN r % 9 = 0 THEN NULL ELSE CAST(printf('%08x', r) AS BLOB) END,
       CASE WHEN r % 8 = 0 THEN NULL ELSE (r - 1073741824) * 4294967296 + i END
FROM n;

CREATE VIEW "open orders" AS SELECT id, customer_id, total FROM orders WHERE NOT paid;
