#!/bin/sh
# The randomised tests with their full counts; the dated log is kept in docs/.
#
# HAUL_TRIALS_SOAK kills per path at random times (400: 2,400 over the six paths),
# and as many of each path's calls (write, fsync, rename, ...) at which it is killed
# (there are fewer: so each of them). HAUL_TRIALS_FILES (1000): so many times five
# Parquet files that are damaged and five that lie, 10,000 in all; HAUL_TRIALS_READ
# (5000): random files read beside pyarrow and DuckDB. HAUL_TRIALS_SQLSERVER (630): a
# tenth of it for each of eight paths from and to SQL Server, two kills each on average.
# The log has times and outcomes.
set -eu
cd "$(dirname "$0")/.."
trials=${HAUL_TRIALS_SOAK:-400}
seed=${HAUL_SEED:-1}
{
    echo "== $(date -u +%Y-%m-%dT%H:%M:%SZ) haul $(git describe --always --dirty), $trials trials, seed $seed"
    HAUL_TRIALS=$trials HAUL_SEED=$seed ${PYTHON:-python3} -m pytest -q --durations=0 --durations-min=1 \
        tests/e2e/test_kill.py tests/e2e/test_memory.py tests/e2e/test_types.py tests/e2e/test_dictionaries.py
    HAUL_TRIALS=${HAUL_TRIALS_FILES:-1000} HAUL_SEED=$seed ${PYTHON:-python3} -m pytest -q tests/e2e/test_lies.py \
        tests/e2e/test_differential.py tests/e2e/test_hostile.py -k "not random_file"
    HAUL_TRIALS=${HAUL_TRIALS_READ:-5000} HAUL_SEED=$seed ${PYTHON:-python3} -m pytest -q tests/e2e/test_differential.py \
        -k random_file
    # A tenth of the trials for each engine, mode and place: about 1,000 kills with the servers there.
    HAUL_TRIALS=$trials HAUL_SEED=$seed ${PYTHON:-python3} -m pytest -q --durations=0 --durations-min=1 \
        tests/e2e/test_faults_sql.py tests/e2e/test_postgres.py tests/e2e/test_mysql.py tests/e2e/test_merge.py -k "killed or reset or crash or lost"
    # SQL Server, loading in four modes and reading in four ways: 1,000 kills.
    HAUL_TRIALS=${HAUL_TRIALS_SQLSERVER:-630} HAUL_SEED=$seed ${PYTHON:-python3} -m pytest -q --durations=0 --durations-min=1 \
        tests/e2e/test_mssql_kill.py
} 2>&1 | tee -a docs/soak.log
