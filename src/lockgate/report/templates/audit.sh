#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks a bundle of Lockgate without Lockgate: bash 4.4 or later, jq, openssl 3, coreutils, findutils, grep and sed.
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
for tool in jq openssl sha256sum basenc base64 split find xargs grep sed; do
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
[[ -z $(find . ! -type d ! -type f -print -quit) ]] || fail 'files: there is a link, a pipe or a device'
[[ -z $(find . -mindepth 1 -name '*[!A-Za-z0-9._-]*' -print -quit) ]] \
  || fail 'files: one has a name that no file of a bundle has'
[[ -f manifest.json ]] || fail 'files: manifest.json is missing'
jq -e '.format == "lockgate-bundle/v1" and (.files | type) == "object"' manifest.json > /dev/null 2>&1 \
  || fail 'manifest.json: it is not that of a bundle'
known='\A(README\.txt|audit\.sh|checkpoint\.(txt|tsr)|log\.consistency|missing\.json|policy\.json|release-record\.json'
known+='|timeline\.html|keys/(log-key\.txt|allowed_signers|manifest(-N)?\.dsse\.json|[0-9a-f]{16}\.pem)|receipts/N\.json'
known+='|proofs/N\.tlog-proof|related/((app|org)/N|baseline/1)\.(json|tlog-proof)|looks/N\.ndjson|replay/N\.json'
known+='|sigstore/N\.sigstore\.json|sshsig/N\.sig|verdicts/[0-9a-f]{64}\.json)\z'
jq -e --arg known "${known//N/[1-9][0-9]\{0,15\}}" '[.files | keys[] | test($known)] | all' manifest.json > /dev/null \
  || fail 'manifest.json: it lists a name that no file of a bundle has'
jq -r 'if keys == ["app", "candidate", "files", "format", "org", "origin", "rolloutId"]
  and ([del(.files)[] | type == "string"] | all) then empty else "it has other members than a manifest" end' \
  manifest.json > "$work/why"
jq -r '.files | to_entries[] | select(.value | (type == "object" and keys == ["sha256", "size"] and (.size | type == "number")
  and (.sha256 | type == "string" and test("\\A[0-9a-f]{64}\\z"))) | not) | "it has not SHA-256 and size alone of \(.key)"' \
  manifest.json >> "$work/why"
[[ ! -s $work/why ]] || fail "manifest.json: $(head -n 1 "$work/why")"
# Of what follows a document jq says nothing here, and so it is missing from what is written again.
# It escapes DEL, which has another form; of a backslash and letters that a name has it is not the escape.
jq -njcS input manifest.json | sed -E ':next; s/(^|[^\\])((\\\\)*)\\u007f/\1\2\x7f/; t next' > "$work/manifest"
[[ $(sha256sum < "$work/manifest") == $(sha256sum < manifest.json) ]] || fail 'manifest.json: it is not in its one form'
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
jq -r '.files | to_entries[] | "\(.value.size)  \(.key)"' manifest.json | sort > "$work/sizes"
while read -r _ name; do
  fail "files: $name is of another size than is listed"
done < <(find . -type f -printf '%s  %P\n' | sort | comm -23 "$work/sizes" -)
declare -A sha256_of=()
while read -r digest name; do sha256_of[$name]=$digest; done < "$work/sums"

# Many texts are hashed at once: each is a file of a folder, and is named by its number from 1 on.
hashed() { # FOLDER COUNT, the digests one a line
  (cd -- "$work/$1" && seq "$2" | xargs -r sha256sum | cut -d' ' -f1)
}

# ---- The keys that you trust.
declare -A keys=()
for file in "${receipt_keys[@]}"; do
  openssl pkey -pubin -in "$file" -outform DER -out "$work/key.der" 2> /dev/null || usage "$file is no public key in PEM"
  sha256 < "$work/key.der"
  keys[$hash]=$file
done
for file in "${log_keys[@]}"; do
  [[ $(< "$file") == *+*+* ]] || usage "$file is no key of a log"
done

# ---- The log's checkpoint is signed by its key, and so is the one that you kept.
check_note() { # FILE
  local origin has_signed='' file vkey name key_hash encoded raw dash who signature line
  origin=$(head -n 1 "$1")
  sed '/^$/,$d' "$1" > "$work/note"
  [[ $(wc -l < "$work/note") == 3 && $(sed -n 2p "$1") =~ ^[1-9][0-9]{0,15}$ ]] || fail "$1: it is no checkpoint"
  for file in "${log_keys[@]}"; do
    # A file that was copied by hand may end without a line break, or in those of another system.
    while IFS= read -r vkey || [[ -n $vkey ]]; do
      # `IFS=+ read` would drop the plus that a key in base64 may end with.
      name=${vkey%%+*} key_hash=${vkey#*+} encoded=${vkey#*+*+}
      [[ $name == "$origin" ]] || continue
      key_hash=${key_hash%%+*} encoded=${encoded%$'\r'}
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
while read -r name; do
  seq=${name#*/}
  [[ -f receipts/${seq%%.*}.json ]] || fail "$name: it stands beside no receipt"
done < <(grep -E '^(looks|replay|sigstore|sshsig)/' "$work/listed")
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

# One line of each: type, key, signature, payload, what its statement says, and its decision in words. A statement of
# another form than docs/reference/receipt.md gives is refused here, and so is what goes on from an end.
# shellcheck disable=SC2016 # jq's own variables
read -r -d '' lines << 'JQ' || true
def shown: if test("[^ -~]") then explode | map(if . < 32 or (. >= 127 and . < 160) or . == 173 or . == 1564 or . == 6158
  or (. >= 8203 and . <= 8207) or (. >= 8232 and . <= 8238) or (. >= 8288 and . <= 8303) or . == 65279
  or (. >= 65529 and . <= 65533) or . >= 917504 then 63 else . end) | implode else . end;
def weight: if .wouldBeWeight != null then ", would be \(.wouldBeWeight) %" elif .weight != null then ", \(.weight) %" else "" end;
def plain: if type == "string" and test("\\A[A-Za-z0-9+/=.-]+\\z") then . else error("it is no envelope") end;
def is_text: type == "string";
def is_count: type == "number" and . >= 0 and . == floor and . < 9007199254740992;
def is_digest: type == "object" and keys == ["sha256"] and (.sha256 | is_text and test("\\A[0-9a-f]{64}\\z"));
def is_subject: type == "object" and keys == ["digest", "name"] and (.name | is_text) and (.digest | is_digest);
def has_ended: . == "promoted" or . == "rolled_back" or . == "cancelled";
def must(form; $why): if form then . else error("\(input_filename): \($why)") end;
def standing($kind): if $kind == "rollout" then {status, step, weight, wouldBeWeight, revision}
  elif $kind == "app" then {frozen, killed, actuator, keptFrom}
  else {receiptKey, logKey, rawUntil, deliveriesUntil, webhooks, trust, manifest, overlap, revoked} end;
(input_filename | if startswith("related/app/") then "app" elif startswith("related/org/") then "org" else "rollout" end) as $kind
| must(type == "object" and (.signatures | length) == 1; "it is no envelope")
| (.payload | plain | @base64d) as $text | ($text | fromjson) as $s | $s.predicate as $p
| must(($text | @base64) == .payload; "its statement is no text")
| must($text | test("\n") | not; "its statement is not in its one form")
| must($s | keys == ["_type", "predicate", "predicateType", "subject"]; "its statement has other members than a statement")
| must($s.subject | type == "array" and length > 0 and ([.[] | is_subject] | all); "its subject is of another form")
| must($p.schemaVersion == 1; "it is not of schema version 1")
| must([$p.receiptId, $p.org, $p.rolloutId, $p.mode, $p.decidedAt, $p.decision.action, $p.decision.cause, $p.decision.reason,
    $p.actor.type, $p.engine.name, $p.engine.version] | map(is_text) | all; "a text in its statement is none")
| must([$p.baseline, $p.candidate, $p.from, $p.to, $p.promise, $p.policy, $p.evidence] | map(type == "object") | all;
    "a part of its statement is no object")
| must($p.seq | is_count and . > 0; "its seq does not count from 1")
| must($p | has("prevReceipt"); "it does not say which receipt is before it")
| must(if $p.seq == 1 then $p.prevReceipt == null else ($p.prevReceipt | is_digest) end; "it names no one receipt before it")
| must($kind != "rollout" or ([$p.policy, $p.evidence.stateBefore, $p.evidence.stateAfter] | map(is_digest) | all);
    "a digest in its statement is none")
| must($kind != "rollout" or ($p.from.status | has_ended | not)
    or ($p.from.status == "promoted" and $p.decision.action == "rollback" and $p.to.status == "rolled_back");
    "it goes on after the end of its rollout")
| (if $kind == "rollout"
    then [$s.subject, $p.mode, $p.advisory, $p.baseline.release, ($p.candidate | [.release, .attempt, .digests])]
    else [$s.subject, $p.mode, $p.advisory] end) as $alike
| [ (.payloadType | plain), (.signatures[0].keyid | plain), (.signatures[0].sig | plain), .payload,
    ($s._type | shown), ($s.predicateType | shown), $p.org, $p.rolloutId, ($p.seq | tostring),
    ($p.prevReceipt.sha256 // "none"), ($p.policy.sha256 // "none" | tostring), ($p.verdict.full.sha256 // "none" | tostring),
    $p.receiptId, ([$p.org, $p.rolloutId, $p.seq] | tojson), ($alike | tojson),
    ([($p.from | standing($kind)), $p.evidence.stateBefore] | tojson),
    ([($p.to | standing($kind)), $p.evidence.stateAfter] | tojson),
    ($p.evidence.looks | "\(.count // 0) \(.sha256 // "none")"),
    ([$p.baseline.release, $p.candidate.release, $s.subject[0].name] | tojson),
    ("\($p.decidedAt)  \($p.decision.action) (\($p.decision.cause))\($p.to | weight): \($p.decision.reason)")
  ] | map(shown) | join("\u001f")
JQ
jq -r "$lines" "${names[@]}" > "$work/lines" 2> "$work/why" || true
[[ ! -s $work/why ]] \
  || fail "receipts: $(head -n 1 "$work/why" | sed 's/^jq: error (at [^)]*): //' | tr -cd '\040-\176' | head -c 300)"
[[ $(wc -l < "$work/lines") == "${#names[@]}" ]] || fail 'receipts: one file holds more or less than one'

# What a statement is written as again is what was signed, but for how numbers are spelled: no member stands twice,
# none is out of its order, and nothing stands between them. Numbers have no zeros that say nothing.
respelled() {
  sed 's/\\u007f/\x7f/g' | tr -d '0-9eE.+-'
}
jq -r '.payload | @base64d' "${names[@]}" > "$work/texts"
jq -cS '.payload | @base64d | fromjson' "${names[@]}" > "$work/again"
respelled < "$work/texts" > "$work/respelled"
respelled < "$work/again" > "$work/respelled-again"
line=0
while IFS= read -r text <&3 && IFS= read -r again <&4; do
  [[ $text == "$again" ]] || break
  line=$((line + 1))
done 3< "$work/respelled" 4< "$work/respelled-again"
((line == ${#names[@]})) || fail "${names[line]}: its statement is not in its one form"
line=$(sed -E 's/"([^"\\]|\\.)*"//g' "$work/texts" | grep -nE '[:,[]-?0[0-9]|-0[],}]|\.[0-9]*0[],}e]|[0-9]E|e[0-9]' | head -n 1 || true)
[[ -z $line ]] || fail "${names[${line%%:*} - 1]}: a number in its statement is not in its one form"

# ids of receipts and series follow from what they are of: 8 letters of base32 for 5 bytes of a SHA-256.
ids() { # BYTES LETTERS, from texts one a line
  local text file=0
  rm -rf -- "$work/ids" && mkdir "$work/ids"
  while IFS= read -r text; do
    file=$((file + 1))
    printf '%s' "$text" > "$work/ids/$file"
  done
  find "$work/ids" -type f | sort -V | xargs sha256sum | cut -c "1-$(($1 * 2))" | tr a-f A-F \
    | basenc --base16 -d | basenc --base32 -w "$(($1 * 8 / 5))" | tr '[:upper:]' '[:lower:]' | cut -c "1-$2"
}
mapfile -t receipt_ids < <(cut -d $'\x1f' -f 14 "$work/lines" | ids 20 26)
declare -A series_of=()
mapfile -t found < <(jq -c '[.org, .app], [.org]' manifest.json | ids 10 16)
series_of[app]=app_${found[0]} series_of[org]=org_${found[1]}

# The keys that the bundle's own key manifest says are revoked, and behind which entry of the log. Nobody's signature
# below the manifest is checked here, so that it can only take trust away.
declare -A revoked=()
if [[ -f keys/manifest.dsse.json ]]; then
  jq -r '.payload | @base64d | fromjson | .keys[] | select(.status == "revoked") | "\(.keyid) \(.lastIndex)"' \
    keys/manifest.dsse.json > "$work/revoked" 2> /dev/null || fail 'keys/manifest.dsse.json: it is no key manifest'
  while read -r key_id last; do
    [[ $key_id =~ ^[0-9a-f]{64}$ && $last =~ ^(0|-1|[1-9][0-9]{0,15})$ ]] || fail 'keys/manifest.dsse.json: it is no key manifest'
    revoked[$key_id]=$last
  done < "$work/revoked"
fi

# Each receipt is written out in its one form, as what was signed, as a leaf of the log, and as Sigstore has it.
mkdir "$work"/{keys,forms,signed,signatures,leaves,sigstores,pairs,looks}
for key_id in "${!keys[@]}"; do cat -- "${keys[$key_id]}" > "$work/keys/$key_id.pem"; done
type=application/vnd.in-toto+json
number=0
while IFS=$'\x1f' read -r payload_type key_id signature payload kind predicate_type _ <&3 && IFS= read -r text <&4; do
  name=${names[number]}
  number=$((number + 1))
  form="{\"payload\":\"$payload\",\"payloadType\":\"$payload_type\",\"signatures\":[{\"keyid\":\"$key_id\",\"sig\":\"$signature\"}]}"
  printf '%s' "$form" > "$work/forms/$number"
  printf '\000%s' "$form" > "$work/leaves/$number"
  printf 'DSSEv1 %d %s %d %s' "${#type}" "$type" "${#text}" "$text" > "$work/signed/$number"
  printf '{"dsseEnvelope":%s,%s"hint":"%s"},%s}}' "$form" \
    '"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{' "$key_id" \
    '"timestampVerificationData":{},"tlogEntries":[]' > "$work/sigstores/$number"
  printf '%s\n' "$signature" >> "$work/encoded"
  printf -- '-inkey\n%s\n-in\n%s\n-sigfile\n%s%08d\n' "$work/keys/$key_id.pem" "$work/signed/$number" \
    "$work/signatures/" "$number" >> "$work/calls"
  [[ $payload_type == "$type" ]] || fail "$name: it is signed as another type"
  [[ $kind == https://in-toto.io/Statement/v1 && $predicate_type == urn:lockgate:attestation:rollout-decision:v1 ]] \
    || fail "$name: its statement is of another type"
  [[ -n ${keys[$key_id]:-} ]] || fail "$name: no key that you named has its id, $key_id"
  [[ $signature =~ ^[A-Za-z0-9+/]{86}==$ ]] || fail "$name: its signature is no base64"
done 3< "$work/lines" 4< "$work/texts"
((number == ${#names[@]})) || fail 'receipts: not every statement could be read'
mapfile -t forms < <(hashed forms "$number")
for ((number = 0; number < ${#names[@]}; number++)); do
  [[ ${forms[number]} == "${sha256_of[${names[number]}]}" ]] || fail "${names[number]}: it is not in a receipt's one form"
done

# All signatures are checked, several at once; where one is wrong it is looked for.
base64 -d "$work/encoded" | split -b 64 -a 8 --numeric-suffixes=1 - "$work/signatures/"
if ! xargs -d '\n' -n 6 -P "$(nproc)" openssl pkeyutl -verify -pubin -rawin < "$work/calls" > /dev/null 2>&1; then
  number=0
  while read -r _ && read -r key && read -r _ && read -r message && read -r _ && read -r signature; do
    is_signed "$key" "$message" "$signature" || fail "${names[number]}: its signature is not of that key"
    number=$((number + 1))
  done < "$work/calls"
  fail 'receipts: not every signature could be checked'
fi

# The proof of each must lead from its leaf to the root (RFC 9162 section 2.1.3.2). All climb together, one level of the
# log at a time, so that each pair of hashes is hashed once, and many at once. Assignments end in `, 1`, because `((0))`
# would end the script.
mapfile -t proofs < "$work/proofs"
sed -s '1,2d;/^$/,$d' "${proofs[@]}" | base64 -d 2> /dev/null | basenc --base16 -w64 > "$work/hashes" \
  || fail 'proofs: one holds what is no base64'
tr A-F a-f < "$work/hashes" > "$work/lower"
mapfile -t hashes < "$work/lower"
mapfile -t nodes < <(hashed leaves "${#names[@]}")
printf -v proof_form '^c2sp\\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,15})(\n[A-Za-z0-9+/]{43}=)*$'
places=() at=() last=() steps=() next=() pairs=() climbing=()
place=0
for number in "${!names[@]}"; do
  name=${names[number]}
  IFS= read -r -d '' content < "${proofs[number]}" || true
  content=${content%$'\n'}
  header=${content%%$'\n\n'*}
  is_under "${content#*$'\n\n'}" || fail "$name: its proof is under another checkpoint"
  [[ $header =~ $proof_form ]] || fail "$name: its proof is none"
  places[number]=${BASH_REMATCH[1]}
  ((places[number] < size)) || fail "$name: its proof names no place in the log"
  header=${header//[!$'\n']/}
  at[number]=${places[number]} last[number]=$((size - 1)) steps[number]=$((${#header} - 1)) next[number]=$place
  place=$((place + steps[number]))
  climbing+=("$number")
done
while :; do
  still=() unknown=()
  for number in "${climbing[@]}"; do
    ((steps[number])) || continue
    ((last[number] > 0)) || fail "${names[number]}: its proof is too long"
    still+=("$number")
    sibling=${hashes[next[number]]:-}
    if ((at[number] & 1 || at[number] == last[number])); then
      pair=$sibling${nodes[number]}
      while ((!(at[number] & 1) && at[number])); do ((at[number] >>= 1, last[number] >>= 1, 1)); done
    else
      pair=${nodes[number]}$sibling
    fi
    ((steps[number] -= 1, next[number] += 1, at[number] >>= 1, last[number] >>= 1, 1))
    pairs[number]=$pair
    [[ -n ${parents[$pair]:-} ]] || unknown+=("$pair") parents[$pair]=soon
  done
  climbing=("${still[@]}")
  ((${#climbing[@]})) || break
  if ((${#unknown[@]})); then
    rm -rf -- "$work/pairs" && mkdir "$work/pairs"
    printf '01%s\n' "${unknown[@]}" | tr a-f A-F | basenc --base16 -d | split -b 65 -a 8 --numeric-suffixes=1 - "$work/pairs/"
    number=0
    while read -r hash _; do
      parents[${unknown[number]}]=$hash
      number=$((number + 1))
    done < <(cd -- "$work/pairs" && find . -type f | sort | xargs sha256sum)
  fi
  for number in "${climbing[@]}"; do nodes[number]=${parents[${pairs[number]}]}; done
done
for number in "${!names[@]}"; do
  ((last[number] == 0)) || fail "${names[number]}: its proof is too short"
  [[ ${nodes[number]} == "$root" ]] || fail "${names[number]}: its proof does not lead to the root of the log"
done

# The looks that receipts bind: the digest of each holds the digest of the one before it. The first of all receipts are
# hashed together, then the second of all, and so on.
declare -A looks_of=() chained=() first_of=() count_of=()
looks=() most=0
while read -r name; do
  mapfile -t -O "${#looks[@]}" looks < "$name"
  mapfile ends < "$name"
  first_of[$name]=$((${#looks[@]} - ${#ends[@]})) count_of[$name]=${#ends[@]} chained[$name]=null
  [[ ${#ends[@]} != 0 && ${ends[-1]} == *$'\n' ]] || count_of[$name]=0
  ((most = count_of[$name] > most ? count_of[$name] : most, 1))
done < <(grep '^looks/' "$work/listed" || true)
for ((turn = 0; turn < most; turn++)); do
  turning=()
  for name in "${!count_of[@]}"; do
    ((turn < count_of[$name])) || continue
    turning+=("$name")
    printf '[%s,%s]' "${chained[$name]}" "${looks[first_of[$name] + turn]}" > "$work/looks/${#turning[@]}"
  done
  number=0
  while read -r hash; do
    name=${turning[number]}
    chained[$name]="\"sha256:$hash\"" looks_of[$name]="$((turn + 1)) $hash" number=$((number + 1))
  done < <(hashed looks "${#turning[@]}")
done

[[ -f policy.json ]] || fail 'policy.json is missing'
policy=${sha256_of[policy.json]}
org=$(jq -r .org manifest.json)
app=$(jq -r .app manifest.json)
rollout=$(jq -r .rolloutId manifest.json)
[[ $(jq -c '[.candidate, "\(.app)@\(.candidate)"]' manifest.json) \
  == "$(jq -c '.payload | @base64d | fromjson | [.predicate.candidate.release, .subject[0].name]' receipts/1.json)" ]] \
  || fail 'manifest.json: it names another app or candidate than the receipts'
mapfile -t sigstores < <(hashed sigstores "${#names[@]}")

number=0 named='' tried=''
declare -A previous=() before=() last_seq=() said_alike=() left_at=() named_verdicts=()
while IFS=$'\x1f' read -r _ key_id _ _ _ _ its_org series seq names_before \
  policy_named verdict receipt_id _ alike begins ends looks_named releases said; do
  name=${names[number]}
  digest=${sha256_of[$name]}
  place_in_log=${places[number]}
  sigstore=${sigstores[number]}
  id=rcp_${receipt_ids[number]}
  number=$((number + 1))

  # What it says of itself, and of what came before it.
  its=rollout due=$rollout
  [[ $name == related/* ]] && its=${name#related/} its=${its%%/*} due=${series_of[$its]:-$series}
  [[ $its_org == "$org" ]] || fail "$name: it is of another organisation"
  [[ $series == "$due" ]] || fail "$name: it is not of the series that it stands among"
  [[ $receipt_id == "$id" ]] || fail "$name: its id is not the one of its organisation, series and number"
  [[ $name == */"$seq.json" ]] || fail "$name: it says that it is receipt $seq"
  [[ $name != receipts/1.json ]] || named=$(jq -r --arg app "$app" '[.[0], "\($app)@\(.[0])"] | tojson' <<< "$releases")
  if [[ $its == baseline ]]; then
    # It put the baseline on trial, before this trial of another began.
    tried=$(jq -r '[.[1], .[2]] | tojson' <<< "$releases")
    [[ $tried == "$named" ]] || fail "$name: it is of no trial of the baseline"
    ((place_in_log < places[0])) || fail "$name: the trial of the baseline began after this one"
  fi
  if [[ -n ${last_seq[$its]:-} ]]; then
    ((seq == ${last_seq[$its]} + 1)) || fail "$name: the one before it is missing"
    [[ $names_before == "${previous[$its]}" ]] || fail "$name: it names another receipt before it"
    ((place_in_log > ${before[$its]})) || fail "$name: it stands in the log before the receipt that it names"
    [[ $alike == "${said_alike[$its]}" ]] || fail "$name: it is about something else than the receipt before it"
    [[ $begins == "${left_at[$its]}" ]] || fail "$name: it begins otherwise than the receipt before it ended"
  fi
  last_seq[$its]=$seq previous[$its]=$digest before[$its]=$place_in_log said_alike[$its]=$alike left_at[$its]=$ends
  if [[ -n ${revoked[$key_id]:-} ]] && ((place_in_log > ${revoked[$key_id]})); then
    [[ $its != rollout ]] || fail "$name: the bundle's key manifest revokes its key from entry ${revoked[$key_id]} on"
    printf 'COUNTS FOR NOTHING  %s: its key is revoked from entry %d on\n' "$name" "${revoked[$key_id]}"
    continue
  fi
  printf 'ok  %s  %s\n' "$name" "$said"
  [[ $its == rollout ]] || continue

  # What it binds, and what is the same in another form.
  [[ $policy_named == "$policy" ]] || fail "$name: policy.json is not the policy that it names"
  named_verdicts[verdicts/$verdict.json]=yes
  [[ ${sha256_of[verdicts/$verdict.json]:-$verdict} == "$verdict" ]] \
    || fail "verdicts/$verdict.json: it is not the verdict that $name names"
  [[ -z ${sha256_of[looks/$seq.ndjson]:-} || ${looks_of[looks/$seq.ndjson]:-} == "$looks_named" ]] \
    || fail "looks/$seq.ndjson: they are not the looks that $name names"
  [[ ${sha256_of[sigstore/$seq.sigstore.json]:-$sigstore} == "$sigstore" ]] \
    || fail "sigstore/$seq.sigstore.json: it is not $name in Sigstore's form"
done < "$work/lines"
while read -r name; do
  [[ -n ${named_verdicts[$name]:-} ]] || fail "$name: no receipt names it"
done < <(grep '^verdicts/' "$work/listed")

printf '\nAll %d receipts are signed by keys that you named, follow each other without a gap,\n' "$count"
printf 'and stand in the log %s at size %s, whose checkpoint its key signed.\n' "$origin" "$size"
for key_id in "${!revoked[@]}"; do
  [[ -z ${keys[$key_id]:-} ]] || printf 'BEWARE: you trust key %s, which the bundle'\''s key manifest revokes from entry %d on.\n' \
    "$key_id" "${revoked[$key_id]}"
done
cat << 'END'
Not checked here: that each decision follows from its evidence, replay/ (lockgate replay does that); release-record.json
and timeline.html against the receipts (lockgate verify does that for the record); verdicts that stand within a receipt,
and how a statement spells numbers; sshsig/ (ssh-keygen does that); the key manifest's own signatures and the other files
of keys/; lines of witnesses below the checkpoint, and checkpoint.tsr; whether missing.json names all that is not there;
the zip that the folder was in, and whether it holds more, or larger files, than lockgate verify reads.
Not provable by it: whose keys these are; when it was, because times are the signer's own; that the rollout has no
receipts after the last one here, unless that one ended it; and that the log holds no second receipt of one number.
END
