// SPDX-License-Identifier: Apache-2.0
// Versions of a key manifest and root keys that are trusted come in; which keys count, and where, goes out.
import { base64, canonical, has, hex, isMalleated, isObject, isUnsigned, preAuthentication, readKey, refuse } from './bytes.mjs'

const TYPE = 'application/vnd.lockgate.key-manifest.v1+json'
const HEX = /^[0-9a-f]{64}$/
const NAME = /^[^\p{White_Space}\p{Cc}]{1,512}$/u
const text = value => typeof value === 'string'
const count = value => Number.isSafeInteger(value) && value >= 0
const shape = isGood => refuse('manifest_shape', !isGood)
const together = isGood => refuse('manifest_keys', !isGood)
const listOf = (value, most) => Array.isArray(value) && value.length >= 1 && value.length <= most
const but = (value, name) => isObject(value) ? Object.keys(value).filter(each => each !== name) : []

function readPem (pem) {
  shape(text(pem))
  const key = readKey(pem)
  shape(key.pem === pem)
  return key
}

function readRoot (root) {
  shape(but(root, 'former').sort().join() === 'keys,threshold')
  shape(listOf(root.keys, 32) && (root.former === undefined || listOf(root.former, 32)))
  const [keys, former] = [root.keys.map(readPem), (root.former ?? []).map(readPem)]
  together(count(root.threshold) && root.threshold >= 1 && root.threshold <= keys.length)
  return { keys, former, threshold: root.threshold }
}

function readListed (entry) {
  shape(but(entry, 'reason').sort().join() === 'firstIndex,keyid,lastIndex,publicKeyPem,status,use')
  const { keyid, use, publicKeyPem, status, firstIndex, lastIndex, reason } = entry
  const key = readPem(publicKeyPem)
  shape(reason === undefined || (text(reason) && reason !== '' && [...reason].length <= 800))
  shape(['receipt', 'log'].includes(use) && ['active', 'retired', 'revoked'].includes(status))
  shape(count(firstIndex) && (lastIndex === null || count(lastIndex)))
  together(keyid === key.id)
  together((status === 'active') === (lastIndex === null))
  together(lastIndex === null || lastIndex >= firstIndex - (status === 'revoked' ? 1 : 0))
  const last = lastIndex ?? Infinity
  return { ...key, use, status, first: firstIndex, last, countsAt: place => firstIndex <= place && place <= last }
}

function readBody (data) {
  const body = canonical(data, 'payload')
  shape(has(body, 'version', 'prevManifest', 'org', 'origin', 'root', 'keys'))
  const { version, prevManifest, org, origin } = body
  shape(count(version) && version >= 1)
  shape(version === 1 ? prevManifest === null : text(prevManifest) && HEX.test(prevManifest))
  shape([org, origin].every(each => text(each) && NAME.test(each)))
  const root = readRoot(body.root)
  shape(listOf(body.keys, 1000))
  const keys = body.keys.map(readListed)
  const ids = [...root.keys, ...root.former, ...keys].map(each => each.id)
  together(new Set(ids).size === ids.length)
  const inTurn = keys.filter(each => each.use === 'receipt' && each.countsAt(each.first)).sort((one, other) => one.first - other.first)
  together(inTurn.every((each, at) => at === 0 || inTurn[at - 1].last < each.first))
  return { version, prevManifest, org, origin, root, keys }
}

export function readVersion (data) {
  refuse('envelope_size', data.length > 1000000)
  const envelope = canonical(data, 'envelope')
  shape(has(envelope, 'payload', 'payloadType', 'signatures'))
  const { payload, payloadType, signatures } = envelope
  shape(text(payload) && Array.isArray(signatures))
  shape(signatures.every(each => has(each, 'keyid', 'sig') && text(each.keyid) && text(each.sig)))
  refuse('payload_type', payloadType !== TYPE)
  const body = base64(payload, 'envelope_base64')
  const ids = signatures.map(each => each.keyid)
  const made = signatures.map(each => base64(each.sig, 'envelope_base64'))
  refuse('signature_count', ids.length > 64 || ids.some((id, at) => at > 0 && ids[at - 1] >= id))
  refuse('signature_size', made.some(each => each.length !== 64))
  const manifest = readBody(body)
  const message = preAuthentication(TYPE, body)
  const known = new Map([...manifest.root.keys, ...manifest.root.former].map(each => [each.id, each.key]))
  const signers = new Set(ids)
  for (const [at, id] of ids.entries()) {
    refuse('key_unknown', !known.has(id))
    refuse('signature_malleated', isMalleated(made[at]))
    refuse('signature', isUnsigned(known.get(id), made[at], message))
  }
  refuse('manifest_signatures', !isEnough({ signers }, manifest.root.keys.map(each => each.id), manifest.root.threshold, 1))
  return { ...manifest, sha256: hex(data), signers }
}

// Versions in their order; `least` is how many signatures the verifier demands, whatever a version does.
export function readManifest (versions, roots, least = 1) {
  const read = versions.map(readVersion)
  const begin = read.findIndex((version, at) => isTrusted(version, at, roots, least))
  refuse('manifest_signatures', begin < 0)
  return read.reduce((before, after, at) => follow(before, after, at > begin ? least : 1))
}

function isEnough (version, ids, threshold, least) {
  return ids.filter(id => version.signers.has(id)).length >= Math.max(threshold, least)
}

// Of a version but the first the trusted roots that are its own count alone.
function isTrusted (version, at, roots, least) {
  const own = version.root.keys.map(each => each.id)
  const ids = [...new Set(roots.map(each => each.id))].filter(id => at === 0 || own.includes(id))
  return isEnough(version, own, version.root.threshold, least) && isEnough(version, ids, version.root.threshold, least)
}

function follow (before, after, least) {
  const [was, now, former] = [before.root.keys, after.root.keys, after.root.former].map(keys => keys.map(each => each.id))
  const isNext = after.version === before.version + 1 && after.prevManifest === before.sha256
  const isOfOne = after.org === before.org && after.origin === before.origin
  const isNamed = former.join() === was.filter(id => !now.includes(id)).join()
  refuse('manifest_succession', !isNext || !isOfOne || !isNamed)
  refuse('manifest_signatures', !isEnough(after, now, after.root.threshold, least))
  refuse('manifest_signatures', !isEnough(after, was, before.root.threshold, least))
  return after
}

// What a receipt's key is trusted for, at its index in the log of an origin; without one as far as that goes.
export function checkPlace (manifest, own, id, org, logged) {
  const listed = manifest?.keys.find(each => each.id === id && each.use === 'receipt')
  if (!listed || (own.some(each => each.id === id) && listed.status !== 'revoked')) return
  refuse('key_of_another', manifest.org !== org)
  const index = logged && logged.origin === manifest.origin ? Number(logged.index) : undefined
  refuse('key_revoked', index === undefined && listed.status === 'revoked')
  if (index === undefined || listed.countsAt(index)) return
  refuse('key_too_early', index < listed.first)
  refuse(listed.status === 'revoked' ? 'key_revoked' : 'key_expired')
}

// The keys by which a checkpoint is verified, and those that the manifest lists and that do not count there.
export function logKeysAt (manifest, own, origin, size, isKept) {
  const ours = own.filter(each => each.name === origin)
  if (manifest?.origin !== origin) return { counting: ours, others: [] }
  const place = Number(size) - (size > 0n ? 1 : 0)
  const listed = manifest.keys.filter(each => each.use === 'log')
  const counts = each => each.countsAt(place) && (each.status !== 'revoked' || isKept)
  const refused = listed.filter(each => each.status === 'revoked' && !counts(each))
  const named = ours.filter(each => !refused.some(other => other.raw.equals(each.raw)))
  const counting = listed.filter(counts)
  return { counting: [...named, ...counting], others: listed.filter(each => !counting.includes(each)) }
}
