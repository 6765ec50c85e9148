#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# haproxy.sh SOCKET BACKEND: give the candidate its percent, the target the rest, every other server
# nothing, and read back what is live.
# The backend has a server for each release, by its name; SOCKET is a `stats socket` of level admin.
set -eu
socket=$1 backend=$2
case $LOCKGATE_CANDIDATE$LOCKGATE_TARGET in *[!A-Za-z0-9._-]*) echo "not the name of a server" >&2; exit 1 ;; esac
ask() { printf '%s\n' "$1" | socat -t 10 stdio "unix-connect:$socket"; }
# Weights are whole numbers up to 256: of 200 in all, each is half a percent, and finer steps are not met.
set_weight() { said=$(ask "set weight $backend/$1 $2"); [ -z "$said" ] || { echo "$said" >&2; exit 1; }; }
get_weight() { ask "get weight $backend/$1" | awk 'NR == 1 { print $1 + 0 }'; }
# What another rollout left behind gets nothing.
for server in $(ask "show servers state $backend" | awk 'NR > 2 && NF { print $4 }'); do
  case $server in "$LOCKGATE_CANDIDATE" | "$LOCKGATE_TARGET") ;; *) set_weight "$server" 0 ;; esac
done
half=$(awk "BEGIN { print int(2 * $LOCKGATE_WEIGHT + 0.5) }")
set_weight "$LOCKGATE_CANDIDATE" "$half"
[ -z "$LOCKGATE_TARGET" ] || set_weight "$LOCKGATE_TARGET" $((200 - half))
candidate=$(get_weight "$LOCKGATE_CANDIDATE") target=0
[ -z "$LOCKGATE_TARGET" ] || target=$(get_weight "$LOCKGATE_TARGET")
awk "BEGIN { all = $candidate + $target; print \"{\\\"weight\\\": \" (all ? 100 * $candidate / all : 0) \"}\" }"
