#!/usr/bin/env bash
# Finding: After one ray.init(), `ray start --head` makes clusters that `ray status` and `ray start --address` cannot reach.
# Versions: ray 2.60.0 (Python 3.11)
# Expected: Commands of one release, one user and one home folder reach the cluster that the first of them has started; that a
#   program once used Ray on this machine by itself changes nothing for clusters of later.
# Behaviour: ray.init() without a cluster writes a token into ~/.ray/auth_token. From then on `ray start --head` asks for that
#   token, and prints `ray status` and `ray start --address` as the next steps; those send it only where RAY_AUTH_MODE=token
#   is set, and fail after 20 seconds. A program that connects by the address fails as well ("Failed to connect", no word of
#   a token), while one that connects by `auto` succeeds. Nodes that joined yesterday do not join today.
# Seen: a fresh home: ray status answers
#   after one ray.init(): ray status fails (InvalidAuthToken)
#   the same with RAY_AUTH_MODE=token: ray status answers
set -euo pipefail

folder=$(mktemp -d)
finish() {
  "$folder/environment/bin/ray" stop --force >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet --disable-pip-version-check 'ray[default]==2.60.0'

export HOME="$folder/home" RAY_TMPDIR="$folder/ray" PATH="$folder/environment/bin:$PATH" RAY_USAGE_STATS_ENABLED=0
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_AUTH_TOKEN_PATH RAY_ADDRESS
mkdir -p "$HOME"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')

head() {
  ray start --head --port "$port" --num-cpus 1 --include-dashboard=false >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }
}

status() {
  if timeout 120 ray status --address "127.0.0.1:$port" >"$folder/said" 2>&1; then
    echo "answers"
  else
    echo "fails ($(grep -o -m 1 'InvalidAuthToken' "$folder/said" || echo 'for another reason'))"
  fi
}

head
fresh=$(status)
ray stop --force >/dev/null 2>&1
python3 -c 'import ray; ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)' >/dev/null 2>&1
head
later=$(status)
told=$(RAY_AUTH_MODE=token status)
echo "a fresh home: ray status $fresh"
echo "after one ray.init(): ray status $later"
echo "the same with RAY_AUTH_MODE=token: ray status $told"
[[ "$fresh" == "answers" && "$later" == "fails (InvalidAuthToken)" && "$told" == "answers" ]]
