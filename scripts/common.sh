# shellcheck shell=bash disable=SC2034
# Shared by run.sh and test.sh; sourced, not run. Expects `set -euo pipefail` and the repository root as the
# working directory.

# What each package is for: the compiler and its tools, the libraries, the private PostgreSQL, the demo.
RUN_PACKAGES=(
  g++ cmake ninja-build pkg-config ccache
  libcurl4-openssl-dev libpqxx-dev libssl-dev libsodium-dev libjemalloc-dev nlohmann-json3-dev libfmt-dev
  libcli11-dev libtomlplusplus-dev libcpp-httplib-dev libgtest-dev libgmock-dev
  librapidcheck-dev libbenchmark-dev zlib1g-dev openssl
  postgresql postgresql-client
  curl ca-certificates
)
# On top of those, for test.sh.
TEST_PACKAGES=(clang clang-format clang-tidy nginx-light pgbouncer python3-jwcrypto python3-nacl shellcheck)

# Compiled once, used in every clone of the same commit.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true

say() { printf '==> %s\n' "$*"; }

fail() {
  printf '==> FAILED: %s\n' "$*" >&2
  exit 1
}

# Runs a step, says what it is and how long it took. Its output goes to a log that is shown if it fails.
step() {
  local name=$1 log started
  shift
  log=$(mktemp)
  started=$SECONDS
  printf '==> %s ...' "$name"
  if "$@" >"$log" 2>&1; then
    printf ' %d s\n' $((SECONDS - started))
    rm -f "$log"
  else
    printf ' failed after %d s\n' $((SECONDS - started))
    cat "$log" >&2
    rm -f "$log"
    fail "$name"
  fi
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Installs those of the given packages that are missing, as root or with sudo.
install_packages() {
  local missing=() package as_root=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "all system packages are there"
    return
  fi
  command -v apt-get >/dev/null || fail "this needs Debian or Ubuntu (apt-get); install by hand: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "missing system packages: ${missing[*]}"
  step "updating the package lists" "${as_root[@]}" apt-get update -q
  step "installing" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# Configures and builds a preset; the arguments after it go to the build.
build() {
  local preset=$1
  shift
  step "configuring build/$preset" cmake --preset "$preset"
  step "building build/$preset" cmake --build --preset "$preset" --parallel "$(nproc)" "$@"
}
