#!/bin/sh
# The randomised tests with their full counts; the dated log is kept in docs/.
set -eu
cd "$(dirname "$0")/.."
trials=${HAUL_TRIALS_SOAK:-1000}
log=docs/soak.log
{
    echo "== $(date -u +%Y-%m-%dT%H:%M:%SZ) haul $(git describe --always --dirty), $trials trials, seed ${HAUL_SEED:-1}"
    HAUL_TRIALS=$trials HAUL_SEED=${HAUL_SEED:-1} ${PYTHON:-python3} -m pytest -q tests/e2e/test_kill.py tests/e2e/test_memory.py
} 2>&1 | tee -a "$log"
