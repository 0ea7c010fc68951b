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

BENCHMARKS=(drain signing_bench)
BENCH_PACKAGES=(nginx-light libbenchmark-dev libpq-dev git)

run_benchmark() {
  local name=$1
  shift
  case $name in
    *_bench) "build/release/bench/$name" "$@" ;;
    *) "build/release/bench/$name" --commit "$(git describe --always --dirty 2>/dev/null || echo unknown)" "$@" ;;
  esac
}

selected=("${BENCHMARKS[@]}")
if [ $# -gt 0 ]; then
  selected=("$1")
  shift
  [[ " ${BENCHMARKS[*]} " == *" ${selected[0]} "* ]] || fail "no benchmark ${selected[0]}; there are: ${BENCHMARKS[*]}"
fi

{
  install_packages "${RUN_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"
  build release --target sealpost "${selected[@]}"
} >&2

for name in "${selected[@]}"; do
  run_benchmark "$name" "$@"
done
