#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nginx.sh FILE [OPTION]...: write the split that nginx.conf includes, and let nginx (with these options) read it.
# nginx.conf has an upstream for each release, by its name, and says `proxy_pass http://$release;`.
set -eu
PATH=$PATH:/usr/sbin
file=$1
shift
case $LOCKGATE_CANDIDATE$LOCKGATE_TARGET in *[!A-Za-z0-9._-]*) echo "not the name of an upstream" >&2; exit 1 ;; esac
rest=$LOCKGATE_TARGET share="$LOCKGATE_WEIGHT% $LOCKGATE_CANDIDATE;"
case $LOCKGATE_WEIGHT in 0) share= ;; 100) share= rest=$LOCKGATE_CANDIDATE ;; esac
[ -n "$rest" ] || { echo "no release is named for the rest of the traffic" >&2; exit 1; }
[ ! -e "$file" ] || cp "$file" "$file.before"
printf 'split_clients "$request_id" $release { %s * %s; }\n' "$share" "$rest" > "$file.new"
mv "$file.new" "$file"
nginx "$@" -t || { [ ! -e "$file.before" ] || mv "$file.before" "$file"; exit 1; }
nginx "$@" -s reload
