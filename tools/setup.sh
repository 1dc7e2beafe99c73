# What ./run, ./test and .ci/run share: the packages, the build folder, the files from registries. Sourced by bash, with
# the repository's root as the working directory.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'bothy: %s\n' "$*" >&2; exit 1; }

# Debian 12's names. Where Ubuntu 24.04 has another, `renamed` says so.
build_packages=(clang-19 lld-19 cmake ninja-build ccache pkg-config python3 python3-pip libfmt-dev libexpected-dev
  libboost1.81-dev libboost-json1.81-dev libhwy-dev libcli11-dev libpcre2-dev libsimdjson-dev libutf8proc-dev zlib1g-dev
  liblz4-dev libyaml-cpp-dev libssl-dev libsodium-dev libcurl4-openssl-dev libsoci-dev libsqlite3-dev libpq-dev libspdlog-dev
  libgit2-dev git prometheus-cpp-dev libtomlplusplus-dev)
test_packages=(libgtest-dev libgmock-dev librapidcheck-dev g++-12 clang-format-19 libclang-rt-19-dev
  postgresql-15 git-lfs)
# Node.js from elsewhere brings an npm that Debian's cannot stand beside.
command -v npm >/dev/null || test_packages+=(nodejs npm)

renamed() {
  case "$distribution:$1" in
    ubuntu:libboost1.81-dev) echo libboost1.83-dev ;;
    ubuntu:libboost1.81-dev) echo libboost1.83-dev ;;
    ubuntu:libboost-json1.81-dev) echo libboost-json1.83-dev ;;
    ubuntu:postgresql-15) echo postgresql-16 ;;
    ubuntu:postgresql-15) echo postgresql-16 ;;
    *) echo "$1" ;;
  esac
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "packages are missing and there is no sudo. As root: apt-get install $missing"
  fi
}

# install_packages WHY name...: installs what is missing, and says what and why before it does.
install_packages() {
  local why=$1 name
  shift
  command -v dpkg-query >/dev/null || die "this script installs packages with apt and was tried on Debian 12; elsewhere install the equivalents of: $*"
  distribution=$(. /etc/os-release && echo "$ID")
  missing=
  for name in "$@"; do
    name=$(renamed "$name")
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing="$missing $name"
  done
  [ -z "$missing" ] && return
  say "Installing packages ($why):$missing"
  as_root apt-get update -q >/dev/null || die "apt-get update failed"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/tmp/bothy-apt.$$.log 2>&1 ||
    { tail -5 /tmp/bothy-apt.$$.log >&2; die "apt-get install failed"; }
  rm -f /tmp/bothy-apt.$$.log
}

# build PRESET [target...]: configures and builds; one line where there is nothing to do.
build() {
  local preset=$1
  shift
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  cmake --preset "$preset" >"/tmp/bothy-cmake.$$.log" 2>&1 || { cat "/tmp/bothy-cmake.$$.log" >&2; die "configuring failed"; }
  rm -f "/tmp/bothy-cmake.$$.log"
  say "Building ($preset)"
  if [ -t 2 ]; then
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2 || die "the build failed"
  else
    cmake --build --preset "$preset" ${1:+--target "$@"} >"build/$preset/build.log" 2>&1 ||
      { grep -E 'error|FAILED' "build/$preset/build.log" | head -40 >&2; die "the build failed: build/$preset/build.log"; }
  fi
}

models=${BOTHY_TEST_MODELS:-$HOME/.cache/bothy/models}
demo_model=$models/SmolLM2-135M-Instruct.Q4_1.gguf
