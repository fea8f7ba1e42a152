# A small front to Meson: `make` builds build/haul; the rest is listed by `make help`.
BUILD ?= build
JOBS ?= 2
PYTHON ?= python3
FUZZ_SLICE ?= 5
export HAUL_TRIALS ?= 20

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j$(JOBS) haul

everything: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j$(JOBS)

$(BUILD)/build.ninja:
	meson setup $(BUILD) -Dbuildtype=release

help:
	@echo "make            build $(BUILD)/haul and libhaul"
	@echo "make test       every test: style, unit, sanitizers, end to end"
	@echo "make unit       the unit tests alone"
	@echo "make e2e        the end-to-end tests alone (pytest)"
	@echo "make sanitize   unit and end-to-end tests under ASan and UBSan, and TSan"
	@echo "make bench      haul beside its peers on TPC-H lineitem; writes docs/performance.md's tables"
	@echo "make fuzz       the fuzz targets (clang), an hour each; fuzz-slice: seconds each"
	@echo "make soak       the randomised tests with their full counts; writes docs/soak.log"
	@echo "make format     clang-format over the tree"
	@echo "make install    PREFIX=/usr/local, DESTDIR"

style:
	tools/style.py

unit: everything
	meson test -C $(BUILD) --suite unit --print-errorlogs --no-rebuild -t 20 --num-processes $(JOBS)

e2e: everything
	HAUL=$(abspath $(BUILD))/haul $(PYTHON) -m pytest -q tests/e2e
	HAUL=$(abspath $(BUILD))/haul $(PYTHON) -m pytest -q tests/conformance

build-asan/build.ninja:
	meson setup build-asan -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
build-tsan/build.ninja:
	meson setup build-tsan -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false

sanitize: build-asan/build.ninja build-tsan/build.ninja
	ninja -C build-asan -j$(JOBS)
	ninja -C build-tsan -j$(JOBS)
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 meson test -C build-asan --suite unit --print-errorlogs --no-rebuild -t 20 --num-processes $(JOBS)
	TSAN_OPTIONS=halt_on_error=1 meson test -C build-tsan --suite unit --print-errorlogs --no-rebuild -t 20 --num-processes $(JOBS)
	UBSAN_OPTIONS=halt_on_error=1 HAUL=$(abspath build-asan)/haul $(PYTHON) -m pytest -q tests/e2e -m sanitize
	TSAN_OPTIONS=halt_on_error=1 HAUL=$(abspath build-tsan)/haul $(PYTHON) -m pytest -q tests/e2e -m sanitize

test: style unit sanitize e2e fuzz-slice

soak:
	tools/soak.sh

bench: all
	$(PYTHON) bench/bench.py

fuzz:
	FUZZ_SECONDS=3600 tools/fuzz.sh

fuzz-slice:
	FUZZ_SECONDS=$(FUZZ_SLICE) tools/fuzz.sh

format:
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

install: everything
	DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-asan build-tsan build-fuzz

.PHONY: all everything help style unit e2e sanitize test soak bench fuzz fuzz-slice format install clean
