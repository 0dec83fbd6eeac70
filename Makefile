# make test   what CI runs: installs what the tests need, then everything below
# make check  formatting, vet, staticcheck, govulncheck, tests with the race detector

GO ?= go

.PHONY: test test-long soak check tools format vet lint vuln race cross bench peers fuzz docs

test: tools check cross

check: format vet lint vuln race

# What takes too long for each change: 100,000 random histories of promises that
# are kept, and 200 of each way to break one.
test-long:
	$(GO) test -timeout 3h -run 'TestTheTruthNeverFails|TestTheChecksAgree' ./analyze -rapid.checks=5000
	$(GO) test -timeout 1h -run TestEveryBreach ./analyze -histories=200
	$(GO) test -timeout 1h -run TestTheBuildIsReproducible ./cmd/duckload -twice
	RUNS=16 $(GO) test -timeout 2h -v -run TestTheTruthIsAmongTheAnswers ./probe
	RUNS=1 $(GO) test -timeout 1h -run TestWhatIdentifyWritesIsKept ./cmd/duckload
	$(MAKE) soak SOAK=30s

# So long at 80 % of this machine's highest rate, over sockets.
SOAK ?= 10m
soak:
	$(GO) test -count=1 -timeout 2h -run TestALongRunAtAHighRate -v ./cmd/duckload -soak=$(SOAK)

# What the tests run against: a real limiter, and a real browser for the report.
tools:
	./.ci/tools

format:
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not formatted (run gofmt -w):"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...

lint:
	$(GO) tool staticcheck ./...

# The vulnerability database is not reachable from everywhere. Where it is
# not, that is said, and nothing is claimed.
vuln:
	@if $(GO) tool govulncheck ./... >/tmp/duckload-vuln.$$$$ 2>&1; then tail -n 1 /tmp/duckload-vuln.$$$$; \
	elif grep -qiE 'dial tcp|no such host|i/o timeout|connection refused|403 Forbidden|fetching vulnerabilities' /tmp/duckload-vuln.$$$$; then \
	  echo "govulncheck: its database cannot be reached from here; not checked"; \
	else cat /tmp/duckload-vuln.$$$$; rm -f /tmp/duckload-vuln.$$$$; exit 1; fi; rm -f /tmp/duckload-vuln.$$$$

# The longest tests are arithmetic on random histories, or virtual time: one
# goroutine at work, which the race detector makes ten times slower for nothing.
LONG = OnePercent|TestCausesAreNamed|TestWindowsAreMeasured|TestTheCompiledTable|TestEveryBreach|TestAnIdealPlan|TestTheTruth|TestALongRun|TestTheChecksAgree|TestEveryDefectIsCaught$$|TestWhatIdentifyWrites
# What real programs, real sockets and real moments must show is asked with
# nothing else at work: where answers take seconds, they prove little.
TIMED = TestRealLimiters|TestIdentifyRealLimiters|TestRealClients|TestEveryDefectIsCaughtOverSockets|TestTheEmulatorKeepsQueuesAndPlaces|TestWebhooksOverSockets|TestACapacityIsFoundOverASocket|TestFaultsOfTargetAndNetwork|TestTheDocumentationIsRun
race:
	$(GO) test -race -timeout 30m -parallel 6 -skip '$(LONG)|$(TIMED)' ./...
	$(GO) test -timeout 30m -run '$(LONG)' ./analyze ./probe ./cmd/duckload
	$(GO) test -timeout 30m -parallel 4 -run '$(TIMED)' ./cmd/duckload

# The parts of docs that are made of the code: checks, exit status, keys.
docs:
	$(GO) test -count=1 -run TestGeneratedDocs ./cmd/duckload -update-docs

# Every platform that users have. What only Linux has, has a fallback. Vet
# compiles the tests as well, once for each other system.
cross:
	@for os in darwin windows; do echo "vet $$os"; GOOS=$$os CGO_ENABLED=0 $(GO) vet ./... || exit 1; done
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
	  echo "build $$os/$$arch"; GOOS=$$os GOARCH=$$arch CGO_ENABLED=0 $(GO) build -o /dev/null ./... || exit 1; \
	done; done

# Each ratio that the documents claim: both sides are measured in one run.
BENCH_MOST ?= 10000000
BENCH_TOOLS ?= $(or $(TMPDIR),/tmp)/duckload-bench
# All that is compared goes before everybody else's work on the machine, where
# that is permitted; otherwise their work is measured, too.
BENCH_FIRST ?= $(shell chrt -r 10 true 2>/dev/null && echo -exec "'chrt -r 10'")
bench: peers
	DUCKLOAD_BENCH_TOOLS=$(BENCH_TOOLS) $(GO) test $(BENCH_FIRST) -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench
	DUCKLOAD_BENCH_MOST=$(BENCH_MOST) $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./cmd/duckload
	$(GO) test -run '^$$' -bench . -timeout 60m ./limiter ./history ./analyze ./attack
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./sizing

# What the benchmarks compare with, outside this folder.
peers:
	@mkdir -p $(BENCH_TOOLS)
	$(GO) build -o $(BENCH_TOOLS)/duckload ./cmd/duckload
	@[ -x $(BENCH_TOOLS)/vegeta ] || GOBIN=$(BENCH_TOOLS) $(GO) install github.com/tsenart/vegeta/v12@v12.13.0
	@[ -x $(BENCH_TOOLS)/bombardier ] || GOBIN=$(BENCH_TOOLS) $(GO) install github.com/codesenberg/bombardier@v1.2.6
	@[ -x $(BENCH_TOOLS)/k6 ] || GOBIN=$(BENCH_TOOLS) $(GO) install go.k6.io/k6@v1.8.1
	@command -v wrk >/dev/null && { command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; } || \
	  { [ "$$(id -u)" -eq 0 ] || sudo=sudo; $$sudo apt-get install -y -qq --no-install-recommends wrk nginx-light >/dev/null; }

# Every fuzz target for a while: make fuzz FUZZTIME=5m
# go test may fail because the time is over while an input is being tried: that
# found nothing.
FUZZTIME ?= 30s
fuzz:
	@out=$$(mktemp); for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; \
	    if ! $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg >$$out 2>&1; then \
	      if grep -q 'context deadline exceeded' $$out && ! grep -q 'Failing input' $$out; then continue; fi; \
	      cat $$out; rm -f $$out; exit 1; \
	    fi; tail -n 3 $$out | grep elapsed; \
	  done; \
	done; rm -f $$out
