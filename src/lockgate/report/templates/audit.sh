#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks a bundle of Lockgate without Lockgate: bash 4.4 or later, jq, openssl 3, coreutils, findutils and sed.
#
#   bash audit.sh --key RECEIPT-KEY.pem --log-key LOG-KEY.txt [--checkpoint KEPT] [FOLDER]
#
# Keys are those that their owner publishes, and never the ones in the bundle: whoever forged a bundle put theirs there.
# For the same reason run a copy of this script that you got elsewhere; FOLDER is the bundle, unpacked (default: where
# this script is).
# It ends with 0 only if all is well, with 1 at the first thing that is wrong, and with 2 if it was called wrongly.
set -euo pipefail
export LC_ALL=C

usage() {
  printf '%s\n' "$1" 'usage: bash audit.sh --key FILE [--key FILE] --log-key FILE [--checkpoint FILE] [FOLDER]' >&2
  exit 2
}

fail() {
  printf 'FAIL %s\n' "$1" >&2
  exit 1
}

receipt_keys=() log_keys=() kept='' folder=''
while (($#)); do
  case $1 in
    --key | --log-key | --checkpoint)
      (($# > 1)) || usage "$1 names a file"
      [[ -r $2 ]] || usage "cannot read $2"
      case $1 in
        --key) receipt_keys+=("$(realpath -- "$2")") ;;
        --log-key) log_keys+=("$(realpath -- "$2")") ;;
        --checkpoint) kept=$(realpath -- "$2") ;;
      esac
      shift 2
      ;;
    -*) usage "there is no option $1" ;;
    *)
      [[ -z $folder ]] || usage 'one folder is checked at a time'
      folder=$1
      shift
      ;;
  esac
done
for tool in jq openssl sha256sum basenc base64 find sed; do
  command -v "$tool" > /dev/null || usage "$tool is not installed"
done
[[ $(openssl version) == OpenSSL\ [3-9]* ]] || usage 'openssl 3 or later is needed'
cd -- "${folder:-$(dirname -- "$0")}" || usage "there is no folder $folder"
if ((${#receipt_keys[@]} == 0 || ${#log_keys[@]} == 0)); then
  printf 'Nothing was checked: no key was named that you trust.\n' >&2
  printf 'The bundle brings keys along, and whoever forged it would have brought theirs.\n' >&2
  printf 'Fetch keys from where their owner publishes them, and name them with --key and --log-key.\n' >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Bytes on standard input come in, their SHA-256 in hexadecimal goes out into `hash`.
sha256() {
  read -r hash _ < <(sha256sum)
}

# Two hashes of the log come in, that of their parent goes out into `hash`; neighbours share most of theirs.
declare -A parents=()
parent() {
  local pair=$1$2
  hash=${parents[$pair]:-}
  if [[ -z $hash ]]; then
    sha256 < <(printf '\001' && basenc --base16 -d <<< "${pair^^}")
    parents[$pair]=$hash
  fi
}

# A public key in 32 bytes of hexadecimal comes in, a file in PEM goes out (RFC 8410).
pem() {
  printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' \
    "$(basenc --base16 -d <<< "302A300506032B6570032100${1^^}" | base64 -w0)" > "$2"
}

is_signed() { # KEY MESSAGE SIGNATURE
  openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" > /dev/null 2>&1
}

# ---- The files are those that the manifest lists, byte for byte.
[[ -z $(find . -type l -print -quit) ]] || fail 'files: there is a symbolic link'
[[ -f manifest.json ]] || fail 'files: manifest.json is missing'
jq -e '.format == "lockgate-bundle/v1" and (.files | type) == "object"' manifest.json > /dev/null 2>&1 \
  || fail 'manifest.json: it is not that of a bundle'
jq -e '[.files | keys[] | test("^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")] | all' \
  manifest.json > /dev/null || fail 'manifest.json: it lists a name that leads elsewhere'
jq -r '.files | keys[]' manifest.json | sort > "$work/listed"
find . -type f -printf '%P\n' | grep -vx 'manifest.json' | sort > "$work/found" || true
while read -r name; do
  fail "files: $name is listed and missing"
done < <(comm -23 "$work/listed" "$work/found")
while read -r name; do
  fail "files: $name is not listed"
done < <(comm -13 "$work/listed" "$work/found")
jq -r '.files | to_entries[] | "\(.value.sha256)  \(.key)"' manifest.json > "$work/sums"
if ! sha256sum --check --quiet --strict "$work/sums" > "$work/changed" 2> /dev/null; then
  fail "files: $(head -n 1 "$work/changed")"
fi

# ---- The keys that you trust.
declare -A keys=()
for file in "${receipt_keys[@]}"; do
  openssl pkey -pubin -in "$file" -outform DER -out "$work/key.der" 2> /dev/null || usage "$file is no public key in PEM"
  sha256 < "$work/key.der"
  keys[$hash]=$file
done

# ---- The log's checkpoint is signed by its key, and so is the one that you kept.
check_note() { # FILE
  local origin has_signed='' file name key_hash encoded raw dash who signature line
  origin=$(head -n 1 "$1")
  sed '/^$/,$d' "$1" > "$work/note"
  [[ $(wc -l < "$work/note") == 3 && $(sed -n 2p "$1") =~ ^[1-9][0-9]{0,15}$ ]] || fail "$1: it is no checkpoint"
  for file in "${log_keys[@]}"; do
    while IFS=+ read -r name key_hash encoded; do
      [[ $name == "$origin" ]] || continue
      raw=$(base64 -d <<< "$encoded" 2> /dev/null | basenc -w0 --base16) || usage "$file is no key of a log"
      [[ $raw =~ ^01[0-9A-F]{64}$ ]] || usage "$file is no key of a log"
      sha256 < <(printf '%s\n' "$name" && basenc --base16 -d <<< "$raw")
      [[ ${hash:0:8} == "$key_hash" ]] || usage "$file: the key has not its hash"
      pem "${raw:2}" "$work/log.pem"
      while read -r dash who signature; do
        [[ $dash == $'\xe2\x80\x94' && $who == "$origin" ]] || continue
        line=$(base64 -d <<< "$signature" 2> /dev/null | basenc -w0 --base16) || fail "$1: a signature is no base64"
        [[ ${line:0:8} == "${key_hash^^}" ]] || continue
        basenc --base16 -d <<< "${line:8}" > "$work/sig"
        is_signed "$work/log.pem" "$work/note" "$work/sig" || fail "$1: its signature is not of the log key"
        has_signed=yes
      done < <(sed '1,/^$/d' "$1")
    done < "$file"
  done
  [[ -n $has_signed ]] || fail "$1: no log key that you named signed it"
}

# The hash on the third line of a checkpoint, in hexadecimal, goes out into `hash`.
root_of() { # FILE
  hash=$(sed -n 3p "$1" | base64 -d 2> /dev/null | basenc -w0 --base16) || fail "$1: its root is no base64"
  hash=${hash,,}
  [[ ${#hash} == 64 ]] || fail "$1: its root is no hash"
}

# Witnesses may have signed the checkpoint, below the log's own line, since a proof under it was made.
is_under() { # CHECKPOINT-OF-A-PROOF
  [[ $checkpoint == "$1" || $checkpoint == "$1"$'\n'* ]]
}

check_note checkpoint.txt
checkpoint=$(< checkpoint.txt)
origin=$(head -n 1 checkpoint.txt)
size=$(sed -n 2p checkpoint.txt)
root_of checkpoint.txt
root=$hash
[[ $(jq -r .origin manifest.json) == "$origin" ]] || fail 'checkpoint.txt: it is of another log than the manifest names'

# The tree of a kept checkpoint must be where this log's begins (RFC 9162 section 2.1.4.2).
grown() { # OLD-SIZE OLD-ROOT
  local old new at=$(($1 - 1)) last=$((size - 1)) step path=()
  [[ -f log.consistency ]] || fail "kept checkpoint: it is of size $1, and the bundle was not exported --since-checkpoint it"
  [[ $(head -n 1 log.consistency) == "old $1" ]] || fail 'log.consistency: it begins at another size than the kept checkpoint'
  is_under "$(sed '1,/^$/d' log.consistency)" || fail 'log.consistency: it is under another checkpoint'
  mapfile -t path < <(sed '1d;/^$/,$d' log.consistency | base64 -d | basenc --base16 -w64)
  ((($1 & ($1 - 1)) == 0)) && path=("$2" "${path[@]}")
  while ((at & 1)); do at=$((at >> 1)) last=$((last >> 1)); done
  old=${path[0]:-} old=${old,,} new=$old
  for step in "${path[@]:1}"; do
    step=${step,,}
    ((last > 0)) || fail 'log.consistency: it is too long'
    if ((at & 1 || at == last)); then
      parent "$step" "$old" && old=$hash
      parent "$step" "$new" && new=$hash
      while ((!(at & 1) && at)); do at=$((at >> 1)) last=$((last >> 1)); done
    else
      parent "$new" "$step" && new=$hash
    fi
    at=$((at >> 1)) last=$((last >> 1))
  done
  [[ $last == 0 && $old == "$2" && $new == "$root" ]] || fail 'kept checkpoint: the log does not begin with its tree'
}

if [[ -n $kept ]]; then
  check_note "$kept"
  [[ $(head -n 1 "$kept") == "$origin" ]] || fail 'kept checkpoint: it is of another log'
  root_of "$kept"
  kept_root=$hash kept_size=$(sed -n 2p "$kept")
  ((kept_size <= size)) || fail 'kept checkpoint: the log was longer then, and has been cut'
  if ((kept_size < size)); then
    grown "$kept_size" "$kept_root"
  else
    [[ $kept_root == "$root" ]] || fail 'kept checkpoint: the log has shown two trees of one size'
  fi
fi

# ---- Every receipt: its form, its signature, its place in the chain and in the log.
[[ -f receipts/1.json ]] || fail 'receipts: the first is missing'
count=$(find receipts -type f | wc -l)
names=()
for ((seq = 1; seq <= count; seq++)); do
  [[ -f receipts/$seq.json ]] || fail "receipt $seq: it is missing"
  names+=("receipts/$seq.json")
done
if [[ -d related ]]; then
  while read -r name; do names+=("$name"); done < <(find related -name '*.json' | sort -V)
fi
for name in "${names[@]}"; do
  proof=proofs/${name#receipts/}
  [[ $name == related/* ]] && proof=$name
  proof=${proof%.json}.tlog-proof
  [[ -f $proof ]] || fail "$name: its proof is missing"
  printf '%s\n' "$proof" >> "$work/proofs"
done
[[ $(find proofs related -name '*.tlog-proof' 2> /dev/null | wc -l) == "${#names[@]}" ]] \
  || fail 'proofs: there is one of no receipt'

sha256sum "${names[@]}" | cut -d' ' -f1 > "$work/digests"
# One line of each: type, key, signature, payload, what its statement says, and its decision in words.
# shellcheck disable=SC2016 # jq's own variables
read -r -d '' lines << 'JQ' || true
def shown: explode | map(if . < 32 or (. >= 127 and . < 160) or (. >= 8203 and . <= 8207)
  or (. >= 8232 and . <= 8238) or (. >= 8294 and . <= 8303) or . == 65279 then 63 else . end) | implode;
def weight: if .wouldBeWeight != null then ", would be \(.wouldBeWeight) %" elif .weight != null then ", \(.weight) %" else "" end;
def plain: if type == "string" and test("^[A-Za-z0-9+/=.-]+$") then . else error("form") end;
if type == "object" and (.signatures | length) == 1 then . else error("form") end
| (.payload | plain | @base64d) as $text | ($text | fromjson) as $s | $s.predicate as $p
| if ($text | @base64) != .payload then error("base64") else . end
| [ (.payloadType | plain), (.signatures[0].keyid | plain), (.signatures[0].sig | plain), .payload,
    ($s._type | shown), ($s.predicateType | shown), ($p.org | shown), ($p.rolloutId | shown), ($p.seq | tostring),
    ($p.prevReceipt.sha256 // "none" | shown), ($p.policy.sha256 // "none" | shown),
    ($p.verdict.full.sha256 // "none" | shown),
    ("\($p.decidedAt)  \($p.decision.action) (\($p.decision.cause))\($p.to | weight): \($p.decision.reason)" | shown)
  ] | join("\u001f")
JQ
jq -r "$lines" "${names[@]}" > "$work/lines" 2> "$work/why" || true
[[ ! -s $work/why ]] || fail "receipts: one is no envelope of a statement ($(head -c 200 "$work/why" | tr -d '\000-\037'))"
[[ $(wc -l < "$work/lines") == "${#names[@]}" ]] || fail 'receipts: one file holds more or less than one'

# Every hash of every proof in hexadecimal, in their order.
mapfile -t proofs < "$work/proofs"
sed -s '1,2d;/^$/,$d' "${proofs[@]}" | base64 -d 2> /dev/null | basenc --base16 -w64 > "$work/hashes" \
  || fail 'proofs: one holds what is no base64'
mapfile -t hashes < <(tr A-F a-f < "$work/hashes")
type=application/vnd.in-toto+json
[[ -f policy.json ]] || fail 'policy.json is missing'
sha256 < policy.json
policy=$hash
org=$(jq -r .org manifest.json)
rollout=$(jq -r .rolloutId manifest.json)

printf -v proof_form '^c2sp\\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,15})(\n[A-Za-z0-9+/]{43}=)*$'

# The proof of a leaf, given by its hash, must lead to the root (RFC 9162 section 2.1.3.2).
included() { # NAME PROOF LEAF
  local content header index steps at last sibling
  content=$(< "$2")
  header=${content%%$'\n\n'*}
  is_under "${content#*$'\n\n'}" || fail "$1: its proof is under another checkpoint"
  [[ $header =~ $proof_form ]] || fail "$1: its proof is none"
  index=${BASH_REMATCH[1]}
  steps=${header//[!$'\n']/}
  ((index < size)) || fail "$1: its proof names no place in the log"
  hash=$3 at=$index last=$((size - 1)) steps=$((${#steps} - 1))
  while ((steps--)); do
    ((last > 0)) || fail "$1: its proof is too long"
    sibling=${hashes[place]:-}
    place=$((place + 1))
    if ((at & 1 || at == last)); then
      parent "$sibling" "$hash"
      while ((!(at & 1) && at)); do at=$((at >> 1)) last=$((last >> 1)); done
    else
      parent "$hash" "$sibling"
    fi
    at=$((at >> 1)) last=$((last >> 1))
  done
  ((last == 0)) || fail "$1: its proof is too short"
  [[ $hash == "$root" ]] || fail "$1: its proof does not lead to the root of the log"
  place_in_log=$index
}

place=0 number=0 previous=none before=-1
mapfile -t digests < "$work/digests"
while IFS=$'\x1f' read -r payload_type key_id signature payload kind predicate_type \
  its_org series seq names_before policy_named verdict said; do
  name=${names[number]}
  digest=${digests[number]}
  proof=${proofs[number]}
  number=$((number + 1))
  form="{\"payload\":\"$payload\",\"payloadType\":\"$payload_type\",\"signatures\":[{\"keyid\":\"$key_id\",\"sig\":\"$signature\"}]}"
  sha256 < <(printf '%s' "$form")
  [[ $hash == "$digest" ]] || fail "$name: it is not in a receipt's one form"
  [[ $payload_type == "$type" ]] || fail "$name: it is signed as another type"
  [[ $kind == https://in-toto.io/Statement/v1 && $predicate_type == urn:lockgate:attestation:rollout-decision:v1 ]] \
    || fail "$name: its statement is of another type"
  [[ -n ${keys[$key_id]:-} ]] || fail "$name: no key that you named has its id, $key_id"
  base64 -d <<< "$signature" > "$work/sig" 2> /dev/null || fail "$name: its signature is no base64"
  {
    padding=${payload##*[!=]}
    printf 'DSSEv1 %d %s %d ' "${#type}" "$type" $((${#payload} * 3 / 4 - ${#padding}))
    base64 -d <<< "$payload"
  } > "$work/pae"
  is_signed "${keys[$key_id]}" "$work/pae" "$work/sig" || fail "$name: its signature is not of that key"
  [[ $its_org == "$org" ]] || fail "$name: it is of another organisation"
  sha256 < <(printf '\000' && cat "$name")
  included "$name" "$proof" "$hash"
  if [[ $name == related/* ]]; then
    printf 'ok  %s  %s\n' "$name" "$said"
    continue
  fi
  [[ $series == "$rollout" ]] || fail "$name: it is of another rollout"
  [[ $seq == "$number" ]] || fail "$name: it says that it is receipt $seq"
  [[ $names_before == "$previous" ]] || fail "$name: it names another receipt before it"
  ((place_in_log > before)) || fail "$name: it stands in the log before the receipt that it names"
  [[ $policy_named == "$policy" ]] || fail "$name: policy.json is not the policy that it names"
  if [[ $verdict != none && -f verdicts/$verdict.json ]]; then
    sha256 < "verdicts/$verdict.json"
    [[ $hash == "$verdict" ]] || fail "verdicts/$verdict.json: it is not the verdict that $name names"
  fi
  previous=$digest before=$place_in_log
  printf 'ok  %s  %s\n' "$name" "$said"
done < "$work/lines"

printf '\nAll %d receipts are signed by keys that you named, follow each other without a gap,\n' "$count"
printf 'and stand in the log %s at size %s, whose checkpoint its key signed.\n' "$origin" "$size"
cat << 'END'
Not checked here: that each decision follows from its evidence (lockgate replay does that), and release-record.json and
timeline.html against the receipts (lockgate verify does that for the record).
Not provable by it: whose keys these are; when it was, because times are the signer's own; and that the rollout has no
receipts after the last one here, unless that one ended it.
END
