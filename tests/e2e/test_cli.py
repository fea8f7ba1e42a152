"""The command line: help, completion, and what happens to a slip of the finger."""
import subprocess

import pytest

from conftest import HAUL, make_orders


def test_haul_alone_shows_five_examples(haul):
    out = haul().out
    assert sum(line.startswith("  haul ") for line in out.splitlines()) == 5


def test_version_names_the_libraries(haul):
    out = haul("--version").out
    assert out.startswith("haul 0.") and all(word in out for word in ("zstd", "sqlite", "parquet", "csv", "mssql", "openssl"))


@pytest.mark.parametrize("command", ["copy", "list", "inspect", "verify"])
def test_help(haul, command):
    out = haul("help", command).out
    assert f"haul {command}" in out and haul(command, "--help").out == out


def test_completion_is_a_script(haul, tmp_path):
    script = haul("completion", "bash").out
    (tmp_path / "c.bash").write_text(script)
    check = "source ./c.bash; COMP_WORDS=(haul copy --wor); COMP_CWORD=2; _haul; echo ${COMPREPLY[*]}"
    done = subprocess.run(["bash", "-c", check], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "--workers"
    assert haul("completion", "zsh").out.startswith("#compdef haul")


def test_man_page(haul):
    assert ".SH EXIT STATUS" in haul("man").out


@pytest.mark.parametrize("words, said", [
    (["copi", "a", "b"], "copy"),
    (["copy", "a.csv"], "no target"),
    (["copy", "a.csv", "b.parquet", "--worker", "2"], "workers"),
    (["copy", "a.csv", "b.parquet", "--workers"], "needs a value"),
    (["copy", "a.csv", "b.parquet", "--workers", "two"], "workers"),
    (["copy", "a.csv", "b.csv", "c.csv"], "quote"),
    (["copy", "a.csv", "b.parquet", "--mode", "apend"], "append"),
    (["copy", "a.csv", "b.parquet", "-Z"], "-Z"),
    (["copy", "a.csv", "b.parquet", "--head", "5"], "not an option"),
    (["copy", "prod:dbo.Orders", "b.parquet"], "./prod:dbo.Orders"),
    (["copy", "prod:dbo.Orders", "b.parquet"], "HAUL_CONN_PROD=URI (docs/connecting.md)"),
    (["copy", "my-prod:", "b.parquet"], "connections.ini or HAUL_CONN_MY_PROD"),
    (["copy", "sqlit:///a.db", "b.parquet"], "sqlite"),
])
def test_usage_errors(haul, words, said):
    result = haul(*words, code=2)
    assert said in result.err and result.out == ""


def test_unknown_column_and_table_name_the_near_ones(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 10)
    assert "orders" in haul("copy", "sqlite:///shop.db", "x.csv", "--table", "ordes", code=5).err
    result = haul("copy", "sqlite:///shop.db", "x.csv", "--table", "orders", "--columns", "id,nmae", code=None)
    assert result.code in (2, 5) and "name" in result.err


def test_list_and_inspect(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 10)
    assert "orders" in haul("list", "sqlite:///shop.db").out
    haul("copy", "sqlite:///shop.db", "o.parquet", "--table", "orders")
    out = haul("inspect", "o.parquet", "-v", "--head", "2").out
    assert "10 rows" in out and "price" in out and "zstd" in out and "row 1" in out
    haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders")
    assert "csv" in haul("inspect", "o.csv").out


def test_standard_output_carries_data_only(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 3)
    result = haul("copy", "sqlite:///shop.db", "-", "--to", "csv", "--table", "orders")
    assert result.out.splitlines()[0] == "id,name,qty,price,raw" and len(result.out.splitlines()) == 4


def test_counts_are_grouped_on_a_terminal_alone(haul, tmp_path):
    from test_connect import at_a_terminal
    make_orders(tmp_path / "shop.db", 12345)
    words = ["copy", "sqlite:///shop.db", "a.parquet", "--table", "orders", "--mode", "replace"]
    shown, code = at_a_terminal(tmp_path, words, "")
    assert code == 0 and "haul: 12,345 rows in " in shown
    assert "haul: 12345 rows in " in haul(*words).err
    assert '"rows":12345,' in haul(*words, "--log", "json").err


def test_closed_standard_output(tmp_path):
    done = subprocess.run(f"{HAUL} help copy >&-", shell=True, capture_output=True, text=True)
    assert done.returncode != 0 or done.stderr == ""
