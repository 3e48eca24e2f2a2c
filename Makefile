# One non-recursive Makefile: every .c under lib/, agent/, collector/ and dashboards/ is found by itself.
# `make help` lists the targets. Variants (compiler, sanitizers) build side by side under build/.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

VERSION := 0.1.0
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
SAN     ?=
comma   := ,
VARIANT := $(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
B       := build/$(VARIANT)
PREFIX  ?= /usr/local

PACKAGES := libzmq librrd libcurl libprotobuf-c sqlite3 libsodium libcyaml yaml-0.1 jansson libmicrohttpd expat
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wformat=2 -Werror
CPPFLAGS += -D_GNU_SOURCE -DESEP_VERSION='"$(VERSION)"' -I. -Ilib
CFLAGS   ?= -O2 -g
ifeq ($(SAN),)
HARDENED := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LDHARD   := -pie -Wl,-z,relro -Wl,-z,now
else
HARDENED := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARD   := -fsanitize=$(SAN)
endif
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDENED) $(CFLAGS) $(CPPFLAGS) $(PKG_CFLAGS) -pthread
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(PACKAGES)))$(PKG_LIBS)
LIBS       = $(PKG_LIBS) -pthread -lm

find_c    = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
objects   = $(patsubst %.c,$(B)/%.o,$(1))

LIB_SRC        := $(call find_c,lib)
AGENT_SRC      := $(filter-out agent/main.c,$(call find_c,agent))
COLLECTOR_SRC  := $(filter-out collector/main.c,$(call find_c,collector))
DASHBOARD_SRC  := $(filter-out dashboards/main.c dashboards/check/main.c,$(call find_c,dashboards))
CHECK_SRC      := $(call find_c,dashboards/check)
DEMO_SRC       := $(call find_c,deploy/demo)
UNIT_SRC       := $(call find_c,tests/unit)
FLOW_SRC       := $(filter %_test.c,$(call find_c,tests/flow))
TEST_SUPPORT   := $(filter-out %_test.c,$(call find_c,tests/flow)) $(call find_c,tests/support)
UNIT_TEST_SRC  := $(filter %_test.c,$(UNIT_SRC))
PROTO_OBJ      := $(B)/gen/wire/esep.pb-c.o

PROGRAMS := $(B)/esep-agent $(B)/esep-collector $(B)/esep-dashboard $(B)/esep-check $(B)/esep-demo-enterprise
TESTS    := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_TEST_SRC) $(FLOW_SRC))

## all            build every program (the default)
.PHONY: all
all: deps-build
	@$(BUILD_IT) programs

.PHONY: programs deps-build
programs: $(PROGRAMS)
	@:
deps-build:
	@deploy/deps.sh build

# Recursive calls build on all cores unless told otherwise; V=1 shows the commands whole.
BUILD_IT = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
silent   = $(findstring s,$(firstword -$(MAKEFLAGS)))
quiet    = $(if $(V),,@$(if $(silent),,echo "  $(1) $@";))

# ---- what is built -------------------------------------------------------------------------------------------------
$(B)/gen/wire/esep.pb-c.c: lib/wire/esep.proto
	@mkdir -p $(@D)
	$(call quiet,PB)protoc-c --c_out=$(@D) -I lib/wire $<
$(PROTO_OBJ): $(B)/gen/wire/esep.pb-c.c # generated code answers to its generator, not to our warnings
	$(call quiet,CC)$(CC) -std=c17 -w $(HARDENED) $(CFLAGS) $(PKG_CFLAGS) -I$(B)/gen/wire -c -o $@ $<
$(call objects,$(filter lib/wire/%,$(LIB_SRC))): CPPFLAGS += -isystem $(B)/gen
$(call objects,$(filter lib/wire/%,$(LIB_SRC))): $(B)/gen/wire/esep.pb-c.c

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The assembler puts the files of web/ into it, which the compiler's dependencies do not tell.
$(B)/dashboards/assets.o: $(wildcard dashboards/web/*)

define archive
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^
endef
$(B)/libesep.a: $(call objects,$(LIB_SRC)) $(PROTO_OBJ)
	$(archive)
$(B)/libagent.a: $(call objects,$(AGENT_SRC))
	$(archive)
$(B)/libcollector.a: $(call objects,$(COLLECTOR_SRC))
	$(archive)
$(B)/libdashboard.a: $(call objects,$(DASHBOARD_SRC))
	$(archive)
$(B)/libcheck.a: $(call objects,$(filter-out %/main.c,$(CHECK_SRC)))
	$(archive)
$(B)/libtests.a: $(call objects,$(TEST_SUPPORT))
	$(archive)

link = $(call quiet,LD)$(CC) $(LDHARD) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)
$(B)/esep-agent: $(B)/agent/main.o $(B)/libagent.a $(B)/libesep.a
	$(link)
$(B)/esep-collector: $(B)/collector/main.o $(B)/libcollector.a $(B)/libesep.a
	$(link)
$(B)/esep-dashboard: $(B)/dashboards/main.o $(B)/libdashboard.a $(B)/libesep.a
	$(link)
$(B)/esep-check: $(call objects,$(CHECK_SRC)) $(B)/libesep.a
	$(link)
$(B)/esep-demo-enterprise: $(call objects,$(DEMO_SRC)) $(B)/libesep.a
	$(link)

$(B)/tests/unit/%_test: $(B)/tests/unit/%_test.o $(B)/libtests.a $(B)/libagent.a $(B)/libcollector.a $(B)/libdashboard.a $(B)/libcheck.a $(B)/libesep.a
	$(link) -lcmocka
$(B)/tests/flow/%_test: $(B)/tests/flow/%_test.o $(B)/libtests.a $(B)/libagent.a $(B)/libcollector.a $(B)/libdashboard.a $(B)/libesep.a
	$(link) -lcmocka

SIM_OBJ := $(call objects,$(filter-out tests/sim/main.c,$(call find_c,tests/sim)))
sim_archives := $(B)/libtests.a $(B)/libagent.a $(B)/libcollector.a $(B)/libdashboard.a $(B)/libesep.a
$(B)/sim: $(B)/tests/sim/main.o $(SIM_OBJ) $(sim_archives)
	$(link) -lcmocka
# Before the archives: the simulation puts its own sources in the place of the agent's.
$(B)/tests/flow/sim_test: $(B)/tests/flow/sim_test.o $(SIM_OBJ) $(sim_archives)
	$(link) -lcmocka

$(B)/load: $(call objects,$(call find_c,tests/bench/load)) $(B)/libesep.a
	$(link)
$(B)/bare_rrd: $(B)/tests/bench/tools/bare_rrd.o $(B)/libesep.a
	$(link)
$(B)/ask: $(B)/tests/bench/tools/ask.o
	$(link)
# The same collector with files of 44 KiB instead of 1.2 MB: half a day of 10 s, a day of 5 min, a week of hours, a month of days.
SHORT := -DNATIVE_ROWS=4320 -DMIDDLE_DAYS=1 -DHOUR_ROWS=168 -DDAY_ROWS=31
$(B)/short/rrd_header.o: lib/store/rrd_header.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) $(SHORT) -MMD -MP -c -o $@ $<
$(B)/esep-collector-short: $(B)/collector/main.o $(B)/short/rrd_header.o $(B)/libcollector.a $(B)/libesep.a
	$(link)
$(B)/bare_rrd-short: $(B)/tests/bench/tools/bare_rrd.o $(B)/short/rrd_header.o $(B)/libesep.a
	$(link)
$(B)/ledger_log: $(B)/tests/bench/tools/ledger_log.o $(B)/libesep.a
	$(link)
$(B)/stages: $(B)/tests/bench/tools/stages.o $(B)/tests/bench/load/figures.o $(B)/libcollector.a $(B)/libesep.a
	$(link)
BENCH_TOOLS := $(B)/load $(B)/bare_rrd $(B)/ask $(B)/esep-collector-short $(B)/bare_rrd-short $(B)/stages $(B)/ledger_log

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- running it ----------------------------------------------------------------------------------------------------
## demo           five parks on screen at http://127.0.0.1:8080 until Ctrl-C (DEMO_SECONDS=n, DEMO_PORT=p)
.PHONY: demo demo-clean
demo:
	@deploy/deps.sh build demo
	@$(BUILD_IT) programs
	@BUILD=$(B) deploy/demo/run.sh
## demo-clean     forget the demo's state
demo-clean:
	@deploy/demo/clean.sh

# ---- proving it ----------------------------------------------------------------------------------------------------
## check          unit, flow and system tests (SAN=address,undefined or thread; CC=clang)
.PHONY: check
check:
	@deploy/deps.sh build check $(if $(findstring clang,$(CC))$(SAN),clang)
	@$(BUILD_IT) programs tests $(B)/load $(B)/tests/faults/shim.so
	@BUILD=$(B) tests/run.sh $(CHECK_ONLY)
.PHONY: tests
tests: $(TESTS) $(B)/tests/calendar/fill

## check-faults   tries to break it: kills, power cuts, full disks, damage (FAULT_ROUNDS=n, FAULT_SEED=n, FAULT_ONLY=class)
.PHONY: check-faults
check-faults:
	@deploy/deps.sh build check faults
	@$(BUILD_IT) programs $(B)/tests/faults/shim.so
	@BUILD=$(B) tests/system/faults/run.py $(FAULT_ONLY)
# Preloaded into programs of any variant, so never sanitized itself.
$(B)/tests/faults/shim.so: tests/system/faults/shim.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=c17 $(WARNINGS) -D_GNU_SOURCE -O2 -g -fPIC -shared -o $@ $< -ldl -pthread

## check-calendar  five years of 50 residents by the calendar, in five currencies, before and after roll-ups; 1,000 questions (SEED=n)
.PHONY: check-calendar
check-calendar:
	@deploy/deps.sh build check
	@$(BUILD_IT) programs $(B)/tests/calendar/fill
	@BUILD=$(B) tests/system/calendar/check.py whole $(SEED)
$(B)/tests/calendar/fill: $(B)/tests/system/calendar/fill.o $(B)/libesep.a
	@mkdir -p $(@D)
	$(link)

## check-floods   handshakes by the thousand, unfinished ones, peers over their quota or credit (FLOODS=strangers, quota or greedy; 4 min)
.PHONY: check-floods
check-floods:
	@deploy/deps.sh build check
	@$(BUILD_IT) programs
	@tests/system/access/floods.py --build $(B) $(FLOODS)

## check-sim      simulated parks with everything that goes wrong, SEEDS=n of them; SEED=n: one, with all it does
SEEDS ?= 500
.PHONY: check-sim
check-sim:
	@deploy/deps.sh build check
	@$(MAKE) --no-print-directory $(B)/sim
	@$(B)/sim $(if $(SEED),seed $(SEED),$(SEEDS))

## check-vintages replays releases of figures and their corrections (DATA=folder of YYYY-MM.csv; a small sample without it)
DATA ?= tests/system/vintages/sample
.PHONY: check-vintages
check-vintages:
	@deploy/deps.sh build check
	@$(BUILD_IT) programs
	@BUILD=$(B) tests/system/vintages/replay.py $(DATA)

## bench          measures ours: lines `bench NAME VALUE UNIT goal=G met|short` (BENCH_ONLY=part, BENCH_QUICK=1; tests/bench/README.md)
.PHONY: bench bench-peers bench-tools
bench-tools: $(BENCH_TOOLS)
bench:
	@deploy/deps.sh build bench
	@$(BUILD_IT) programs bench-tools
	@BUILD=$(B) tests/bench/bench.py
## bench-peers    the same work on others' programs from Debian, unpacked under build/, nothing installed (BENCH_ONLY=name)
bench-peers:
	@deploy/deps.sh build bench
	@deploy/deps.sh --unpack build/peers peers
	@$(BUILD_IT) programs bench-tools
	@BUILD=$(B) tests/bench/peers.py

## fuzz           libFuzzer targets of tests/fuzz, FUZZ_SECONDS=n each (FUZZ_ONLY=part of a name)
# In a variant of its own: everything is compiled with coverage, which guides the mutations.
FUZZ_SECONDS ?= 20
FUZZ_BUILD   := build/fuzz
FUZZ_SRC     := $(filter %_fuzz.c,$(call find_c,tests/fuzz))
FUZZ_SUPPORT := $(filter-out %_fuzz.c,$(call find_c,tests/fuzz))
FUZZERS      := $(patsubst tests/fuzz/%_fuzz.c,$(B)/fuzz_%,$(FUZZ_SRC))
FUZZ_MAKE     = $(BUILD_IT) CC=clang SAN=address,undefined,fuzzer-no-link CFLAGS='-O1 -g' B=$(FUZZ_BUILD)
.PHONY: fuzz fuzz-seeds fuzzers
fuzz:
	@deploy/deps.sh build fuzz
	@$(FUZZ_MAKE) fuzzers
	@BUILD=$(FUZZ_BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(FUZZ_ONLY)
fuzzers: $(FUZZERS)
# The corpora's binary seeds, written anew.
fuzz-seeds:
	tests/fuzz/seeds.py

fuzz_archives = $(addprefix $(B)/lib,tests.a agent.a collector.a dashboard.a check.a esep.a)
$(FUZZERS): $(B)/fuzz_%: $(B)/tests/fuzz/%_fuzz.o $(call objects,$(FUZZ_SUPPORT)) $(fuzz_archives)
	$(link) -fsanitize=fuzzer

## lint           format, clang-tidy, include directions, headers that compile alone
.PHONY: lint fmt
lint:
	@deploy/deps.sh build lint
	@$(MAKE) --no-print-directory $(B)/gen/wire/esep.pb-c.c
	@BUILD=$(B) tests/lint.sh
## fmt            apply .clang-format
fmt:
	@deploy/deps.sh lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

## install        into DESTDIR and PREFIX (default /usr/local)
.PHONY: install
install: programs
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/esep
	install -m 755 $(filter-out %demo-enterprise,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin
	cp -r deploy/catalogue.yaml deploy/parks $(DESTDIR)$(PREFIX)/share/esep/
	install -d $(DESTDIR)$(PREFIX)/share/esep/examples
	install -m 644 agent/agent.example.yaml collector/collector.example.yaml dashboards/dashboard.example.yaml \
	    deploy/nginx/esep.conf $(DESTDIR)$(PREFIX)/share/esep/examples

## clean          remove build/
.PHONY: clean help
clean:
	rm -rf build
## help           this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)
	@echo
	@echo "V=1 shows the commands whole. SAN=address,undefined | thread and CC=clang work with every target."
