# make test   what CI runs: installs what the tests need, then everything below
# make check  formatting, vet, staticcheck, govulncheck, tests with the race detector

GO ?= go

.PHONY: test check tools format vet lint vuln race cross bench fuzz

test: tools check cross

check: format vet lint vuln race

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

race:
	$(GO) test -race -timeout 14m ./...

# Every platform that users have. What only Linux has, has a fallback.
cross:
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
	  echo "build $$os/$$arch"; GOOS=$$os GOARCH=$$arch CGO_ENABLED=0 $(GO) build -o /dev/null ./... || exit 1; \
	done; done

# Each ratio that the documents claim: both sides are measured in one run.
BENCH_MOST ?= 10000000
bench:
	DUCKLOAD_BENCH_MOST=$(BENCH_MOST) $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./cmd/duckload
	$(GO) test -run '^$$' -bench . -timeout 60m ./limiter ./history ./analyze ./attack

# Every fuzz target for a while: make fuzz FUZZTIME=5m
FUZZTIME ?= 30s
fuzz:
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
	  done; \
	done
