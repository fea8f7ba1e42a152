#!/bin/sh
# Builds the fuzz targets (clang, libFuzzer, ASan, UBSan) and runs each for FUZZ_SECONDS;
# a line per target on standard output. What was found is left in FUZZ_OUT/<target>/.
#
#   tools/fuzz.sh [TARGET...]        all of fuzz/corpus when none is named
#
# Every seed of fuzz/corpus/<target> runs first, so a bug once found stays fixed. FUZZ_JOBS
# targets run at once. New inputs go to FUZZ_OUT, not into the tree: tools/fuzz.sh keeps the
# committed corpus as it is; see docs/fuzzing.md for adding to it.
set -eu
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-10}
jobs=${FUZZ_JOBS:-2}
build=${FUZZ_BUILD:-build-fuzz}
out=${FUZZ_OUT:-$build/out}
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=allocator_may_return_null=1

cc=${FUZZ_CC:-}
for name in clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14; do
    [ -n "$cc" ] || ! command -v "$name" >/dev/null || cc=$name
done
if [ -z "$cc" ]; then
    echo "fuzz: needs clang and its runtime (apt: clang-14 libclang-rt-14-dev)" >&2
    exit 1
fi
if [ ! -f "$build/build.ninja" ]; then
    CC=$cc meson setup "$build" -Dfuzz=true -Dtests=false -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
        -Db_lundef=false -Dc_args="-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined" >"$build.log" 2>&1 ||
        { cat "$build.log" >&2; exit 1; }
    rm -f "$build.log"
fi
ninja -C "$build" -j"$jobs" >"$build/ninja.log" 2>&1 || { cat "$build/ninja.log" >&2; exit 1; }

# One target; its line tells inputs a second, features reached and how it ended.
run_one() {
    target=$1
    mkdir -p "$out/$target/corpus"
    log=$out/$target/log
    code=0
    "$build/fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=8192 \
        -print_final_stats=1 -artifact_prefix="$out/$target/" "$out/$target/corpus" "fuzz/corpus/$target" >"$log" 2>&1 || code=$?
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' "$log" | tail -1)
    if [ "$code" -eq 0 ]; then
        printf '%-14s ok      %9s inputs, %6s/s, %s\n' "$target" "${count:-0}" "${rate:-0}" "$reached"
    else
        printf '%-14s FAILED  see %s: %s\n' "$target" "$log" "$(grep -m1 -E 'broken promise|runtime error|ERROR' "$log" || echo "exit $code")"
    fi
    return "$code"
}

[ $# -gt 0 ] || set -- $(ls fuzz/corpus)
failed=0 running=""
for target; do
    run_one "$target" &
    running="$running $!"
    set -- $running
    if [ $# -ge "$jobs" ]; then
        wait "$1" || failed=1
        shift
        running="$*"
    fi
done
for pid in $running; do
    wait "$pid" || failed=1
done
exit $failed
