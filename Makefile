# Every command a person or the build machine runs. The work is done in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test test-nginx test-acme test-monitoring test-logging test-previous test-docker soak check ci build fmt schema demo migrate sbom bench psql redis-cli services-status services-stop clean-data

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start everything: PostgreSQL, Redis, the demo shop, api and worker (Ctrl-C stops it)
	@scripts/run.sh

test: ## run all tests; T=name only those whose name contains it
	@scripts/test.sh $(T)

test-nginx: ## nginx as it is shipped, in front of two api, with PostgreSQL and Redis as they are shipped
	@scripts/test-nginx.sh

test-acme: ## certificates as Let's Encrypt gives them, by the real certbot through the shipped nginx, from an authority of its own
	@scripts/test-acme.sh

test-monitoring: ## Prometheus as it is configured for the shop, asking api and worker; each alert tried both ways
	@scripts/test-monitoring.sh

test-logging: ## the collection of logs as it is shipped, with the real syslog-ng
	@scripts/test-logging.sh

test-previous: ## the release before this one, while the database is migrated for this one and beside it
	@scripts/test-previous.sh

test-docker: ## every compose file brought up, looked at, deployed, rolled back, backed up and restored (root; not part of ci)
	@scripts/test-docker.sh

soak: export PROFILE = soak
soak: ## crowds a hundred times, a million random operations against models, killed workers; RUNS=n OPERATIONS=n for fewer. Takes hours
	@WORKER_JOBS=10000 WORKER_KILLS=20 scripts/test.sh jobs::killed
	@OVERSELL_RUNS=$(or $(RUNS),100) scripts/test.sh stock::concurrency
	@STOCK_OPERATIONS=$(or $(OPERATIONS),1000000) scripts/test.sh stock::random::
	@STOCK_OPERATIONS=$(or $(OPERATIONS),1000000) scripts/test.sh stock::random_metal
	@STOCK_OPERATIONS=$$(($(or $(OPERATIONS),1000000) / 20)) scripts/test.sh stock::random_costs

check: ## formatting, clippy, dependencies, scripts, manifests, documentation, generated files
	@scripts/check.sh

ci: ## what the build machine does: check, test, test-nginx, test-acme, test-monitoring, test-logging, test-previous
	@.ci/run

build: ## build all programs (PROFILE=release for what is shipped)
	cargo build --workspace --bins --locked --profile $(or $(PROFILE),dev)

fmt: ## format the code
	cargo fmt --all

schema: ## write schema.graphql and .env.example anew
	@scripts/generated.sh write

demo: ## load the demo shop; ITEMS=1000000 a large catalogue
	@scripts/dev.sh demo $(if $(ITEMS),--items $(ITEMS))

migrate: ## bring the database up to date
	@scripts/dev.sh migrate

sbom: ## what api, worker and migration are made of, in CycloneDX, into target/sbom
	@scripts/sbom.sh

bench: ## measure against pgbench; PART=catalogue, stock, books, codes, jobs, pictures, backup or nginx for one part, MOVEMENTS=n or ENTRIES=n for another history
	@scripts/bench.sh $(PART)

psql: ## open a shell on the private database
	@scripts/dev.sh psql

redis-cli: ## open a shell on the private Redis
	@scripts/dev.sh redis-cli

services-status: ## which private PostgreSQL and Redis run, and on which ports
	@scripts/services.sh status

services-stop: ## stop services that something left running
	@for instance in dev test bench drill; do scripts/services.sh stop $$instance || exit; done

clean-data: ## remove all data of this checkout, to start afresh
	@scripts/clean-data.sh
