// go-mssqldb as a judge of the TDS server in the tests (judges.py builds and runs it).
//
//	judge URL read QUERY          each row's values, a tab between them, as canonical text
//	judge URL copy QUERY TARGET   loads the query's rows into a table by CopyIn
//
// Canonical text: NULL is \N, bytes are 0x and hexadecimal digits, moments are RFC 3339.
package main

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
)

func text(value interface{}) string {
	switch v := value.(type) {
	case nil:
		return `\N`
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(v)
	}
	return fmt.Sprint(value)
}

// each calls use with every row's values, as the driver gives them; decimals come as their text.
func each(db *sql.DB, query string, use func(columns []*sql.ColumnType, values []interface{}) error) error {
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, places := make([]interface{}, len(columns)), make([]interface{}, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return err
		}
		for i, column := range columns {
			if raw, ok := values[i].([]byte); ok {
				switch column.DatabaseTypeName() {
				case "DECIMAL", "MONEY", "SMALLMONEY":
					values[i] = string(raw)
				}
			}
		}
		if err := use(columns, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func read(db *sql.DB, query string) error {
	return each(db, query, func(_ []*sql.ColumnType, values []interface{}) error {
		words := make([]string, len(values))
		for i, value := range values {
			words[i] = text(value)
		}
		_, err := fmt.Println(strings.Join(words, "\t"))
		return err
	})
}

// A failed load is left to the end of the process: a rollback would wait behind it.
func load(db *sql.DB, query, target string) error {
	var names []string
	var rows [][]interface{}
	err := each(db, query, func(columns []*sql.ColumnType, values []interface{}) error {
		if names == nil {
			for _, column := range columns {
				names = append(names, column.Name())
			}
		}
		rows = append(rows, values)
		return nil
	})
	if err != nil {
		return err
	}
	transaction, err := db.Begin()
	if err != nil {
		return err
	}
	statement, err := transaction.Prepare(mssql.CopyIn(target, mssql.BulkOptions{KeepNulls: true, Tablock: true}, names...))
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := statement.Exec(row...); err != nil {
			return err
		}
	}
	if _, err := statement.Exec(); err != nil {
		return err
	}
	if err := statement.Close(); err != nil {
		return err
	}
	return transaction.Commit()
}

func run(words []string) error {
	db, err := sql.Open("sqlserver", words[0])
	if err != nil {
		return err
	}
	switch words[1] {
	case "read":
		return read(db, words[2])
	case "copy":
		return load(db, words[2], words[3])
	}
	return fmt.Errorf("no command %s", words[1])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
