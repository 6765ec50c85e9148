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
# NAME WEIGHT of each server.
weights() { ask "show servers state $backend" | awk 'NR > 2 && NF { print $4, $8 }'; }
half=$(awk "BEGIN { print int(2 * $LOCKGATE_WEIGHT + 0.5) }")
rest=$((200 - half))
before=$(weights | awk -v name="$LOCKGATE_TARGET" '$1 == name { print $2 }')
# What rises does so first and what falls after it: where all weights are 0 for a moment, nobody is served.
if [ -n "$LOCKGATE_TARGET" ] && [ "$rest" -gt "${before:-0}" ]; then
  set_weight "$LOCKGATE_TARGET" "$rest"
  set_weight "$LOCKGATE_CANDIDATE" "$half"
else
  set_weight "$LOCKGATE_CANDIDATE" "$half"
  [ -z "$LOCKGATE_TARGET" ] || set_weight "$LOCKGATE_TARGET" "$rest"
fi
# What another rollout left behind gets nothing, unless it is all that is left.
if [ -n "$LOCKGATE_TARGET" ] || [ "$half" -gt 0 ]; then
  for server in $(weights | awk '$2 > 0 { print $1 }'); do
    case $server in "$LOCKGATE_CANDIDATE" | "$LOCKGATE_TARGET") ;; *) set_weight "$server" 0 ;; esac
  done
fi
weights | awk -v name="$LOCKGATE_CANDIDATE" '
  { all += $2 } $1 == name { own = $2 } END { print "{\"weight\": " (all ? 100 * own / all : 0) "}" }'
