#!/usr/bin/env bash
# Reruns a benchmark from a clean checkout: installs what is missing, builds the release preset, runs it.
#
#   scripts/bench.sh                   all of them, as recorded in bench/RESULTS.md
#   scripts/bench.sh drain             one
#   scripts/bench.sh drain --rounds 5  one with options of its own (--help names them)
#
# The comparisons print one line of JSON on stdout; what they do meanwhile goes to stderr. They start a
# PostgreSQL and an nginx of their own on free loopback ports and a Unix socket, and stop them.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

BENCHMARKS=(drain drain_tls cold_tls send producer wal latency_idle latency_2k
  backlog_intake backlog_due backlog_later isolation fairness
  dispatchers held_xmin fanout_one fanout_many memory signing_bench encryption_bench)
BENCH_PACKAGES=(nginx-light libbenchmark-dev libpq-dev git)

# The program of a benchmark, and the options that make it this one.
program_of() {
  case $1 in
    drain_tls) echo drain --tls ;;
    cold_tls) echo send --cold-tls ;;
    backlog_*) echo backlog --kind "${1#backlog_}" ;;
    fanout_*) echo fanout --mode "${1#fanout_}" ;;
    latency_*) echo latency --mode "${1#latency_}" ;;
    *) echo "$1" ;;
  esac
}

run_benchmark() {
  local name=$1 program
  shift
  read -r -a program < <(program_of "$name")
  case $name in
    *_bench) ;;
    *) program+=(--commit "$commit") ;;
  esac
  "build/release/bench/${program[0]}" "${program[@]:1}" "$@"
}

selected=("${BENCHMARKS[@]}")
if [ $# -gt 0 ]; then
  selected=("$1")
  shift
  [[ " ${BENCHMARKS[*]} " == *" ${selected[0]} "* ]] || fail "no benchmark ${selected[0]}; there are: ${BENCHMARKS[*]}"
fi

commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
mapfile -t programs < <(for name in "${selected[@]}"; do program_of "$name" | cut -d " " -f 1; done | sort -u)
{
  install_packages "${RUN_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"
  build release --target sealpost "${programs[@]}"
} >&2

for name in "${selected[@]}"; do
  run_benchmark "$name" "$@"
done
