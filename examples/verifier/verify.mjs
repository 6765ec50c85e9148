#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A receipt of Lockgate and keys that you trust come in; what it proves goes out, or why it proves nothing.
//
//   node verify.mjs --key KEY.pem [--log-key LOG.txt --proof FILE [--checkpoint KEPT [--consistency FILE]]] RECEIPT...
//   node verify.mjs --manifest FILE... --root KEY.pem... [--root-threshold N] [--proof FILE ...] [RECEIPT...]
//
// Several receipts are one series, in any order, with one --proof for each in the same order or none. Written from
// docs/reference/receipt.md alone, with Node 20 and nothing else: it shares no line with Lockgate, so that the two check each other.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

import { Refusal, base64, canonical, has, hex, isMalleated, isObject, isUnsigned, jcs, preAuthentication, readKey, refuse, sha256 } from './bytes.mjs'
import { checkpoint, grown, included, readLogKey } from './log.mjs'
import { checkPlace, readManifest, readVersion } from './manifest.mjs'
import { checkForm, checkFollows } from './series.mjs'

export { Refusal, readKey, readLogKey, readManifest }

const TYPE = 'application/vnd.in-toto+json'
const HEX = /^[0-9a-f]{64}$/

function open (data, keys, manifest) {
  refuse('envelope_size', data.length > 65535)
  const envelope = canonical(data, 'envelope')
  refuse('envelope_shape', !has(envelope, 'payload', 'payloadType', 'signatures'))
  const { payload, payloadType, signatures } = envelope
  refuse('envelope_shape', typeof payload !== 'string' || typeof payloadType !== 'string' || !Array.isArray(signatures))
  refuse('signature_count', signatures.length !== 1)
  const [signature] = signatures
  refuse('envelope_shape', !isObject(signature) || typeof signature.sig !== 'string')
  refuse('key_id_missing', (signature.keyid ?? '') === '')
  refuse('envelope_shape', !has(signature, 'keyid', 'sig') || typeof signature.keyid !== 'string')
  const body = base64(payload, 'envelope_base64')
  const signed = base64(signature.sig, 'envelope_base64')
  refuse('payload_size', body.length > 40000)
  refuse('payload_type', payloadType === '' || [...payloadType].length > 256)
  refuse('key_id_shape', !HEX.test(signature.keyid))
  refuse('signature_size', signed.length !== 64)
  const listed = manifest ? manifest.keys.filter(each => each.use === 'receipt') : []
  const found = [...keys, ...listed].find(each => each.id === signature.keyid) ?? refuse('key_unknown')
  refuse('signature_malleated', isMalleated(signed))
  refuse('signature', isUnsigned(found.key, signed, preAuthentication(payloadType, body)))
  refuse('payload_type', payloadType !== TYPE)
  return { body, keyId: found.id }
}

const isDigest = value => has(value, 'sha256') && typeof value.sha256 === 'string' && HEX.test(value.sha256)
const isSubject = each => has(each, 'name', 'digest') && typeof each.name === 'string' && isDigest(each.digest)

function read (body) {
  const statement = canonical(body, 'payload')
  refuse('statement_type', !isObject(statement) || statement._type !== 'https://in-toto.io/Statement/v1')
  refuse('predicate_type', statement.predicateType !== 'urn:lockgate:attestation:rollout-decision:v1')
  refuse('statement_shape', !has(statement, '_type', 'predicate', 'predicateType', 'subject'))
  const { predicate, subject } = statement
  refuse('subject', !Array.isArray(subject) || !subject.length || !subject.every(isSubject))
  refuse('statement_shape', !isObject(predicate))
  refuse('schema_version', predicate.schemaVersion !== 1)
  checkForm(predicate)
  const { org, rolloutId, seq, prevReceipt } = predicate
  refuse('statement_shape', !Number.isSafeInteger(seq) || seq < 1)
  refuse('receipt_id', predicate.receiptId !== `rcp_${base32(sha256(jcs([org, rolloutId, seq]))).slice(0, 26)}`)
  refuse('previous_receipt', seq === 1 ? prevReceipt !== null : !isDigest(prevReceipt))
  compareVerdict(predicate.verdict)
  return { predicate, subject }
}

// A verdict that stands in its receipt whole is compared with the digest of its text.
function compareVerdict (verdict) {
  if (!isObject(verdict) || !isObject(verdict.full) || verdict.full.inline !== true) return
  const { counts, findings, inference, outcome, findingsOmitted, full } = verdict
  refuse('verdict_digest', findingsOmitted !== 0 || [counts, findings, inference, outcome].includes(undefined))
  const text = Buffer.from(jcs({ counts, findings, inference, outcome }))
  refuse('verdict_digest', text.length !== full.size || hex(text) !== full.sha256)
}

function base32 (data) {
  const bits = [...data].map(byte => byte.toString(2).padStart(8, '0')).join('')
  return bits.match(/.{5}/g).map(five => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(five, 2)]).join('')
}

// `keys` and `logs` are trusted by themselves, `manifest` is what readManifest hands out.
export function verify (receipt, { keys = [], logs = [], manifest, proof, kept, consistency }) {
  const { body, keyId } = open(receipt, keys, manifest)
  const statement = read(body)
  const trust = { logs, manifest }
  const before = kept && checkpoint(kept, trust, true)
  const now = proof && included(receipt, proof, trust)
  if (before) {
    refuse('fork', before.origin !== now.origin || (before.size === now.size && !before.root.equals(now.root)))
    const [older, newer] = before.size < now.size ? [before, now] : [now, before]
    if (older.size !== newer.size) grown(older, newer, consistency, trust)
  }
  checkPlace(manifest, keys, keyId, statement.predicate.org, now)
  return { ...statement, sha256: hex(receipt), ...now }
}

// `proofs` has one for each receipt, or none at all.
export function verifySeries (receipts, trust, proofs = []) {
  const links = receipts.map((each, at) => verify(each, { ...trust, proof: proofs[at] }))
  const logged = links.filter(each => each.size !== undefined)
  const isOne = each => each.origin === logged[0].origin && each.size === logged[0].size && each.root.equals(logged[0].root)
  refuse('checkpoints', !logged.every(isOne))
  const series = ({ predicate: { org, rolloutId } }) => jcs([org, rolloutId])
  refuse('chain_foreign', links.some(each => series(each) !== series(links[0])))
  links.sort((one, other) => one.predicate.seq - other.predicate.seq)
  refuse('chain_duplicate', links.some((each, at) => at > 0 && each.predicate.seq === links[at - 1].predicate.seq))
  for (const [at, link] of links.entries()) {
    const before = links[at - 1]
    refuse('chain', link.predicate.seq !== at + 1)
    refuse('chain', at > 0 && link.predicate.prevReceipt.sha256 !== before.sha256)
    refuse('chain_order', before?.index !== undefined && link.index !== undefined && link.index <= before.index)
    checkFollows(before, link)
  }
  return links
}

function main () {
  const many = ['key', 'log-key', 'manifest', 'root', 'proof'].map(name => [name, { type: 'string', multiple: true, default: [] }])
  const one = ['root-threshold', 'checkpoint', 'consistency'].map(name => [name, { type: 'string' }])
  const { values, positionals } = parseArgs({ options: Object.fromEntries([...many, ...one]), allowPositionals: true })
  const { proof, manifest, root, checkpoint: kept, consistency } = values
  // What is not compared must not look as if it were.
  refuse('no receipt was named', !positionals.length && !manifest.length)
  refuse('--checkpoint is compared with that of a --proof', Boolean(kept && !proof.length))
  refuse('--consistency leads from a --checkpoint', Boolean(consistency && !kept))
  refuse('a --proof is of one receipt', proof.length > 0 && proof.length !== positionals.length)
  refuse('a --manifest is signed by a --root', manifest.length > 0 !== root.length > 0)
  const file = name => name && readFileSync(name)
  const trust = {
    keys: values.key.map(name => readKey(file(name).toString())),
    logs: values['log-key'].flatMap(name => file(name).toString().trim().split('\n').map(readLogKey)),
    manifest: manifest.length ? trustedManifest(manifest.map(file), root.map(file), values['root-threshold'] ?? '1') : undefined,
    kept: file(kept),
    consistency: file(consistency)
  }
  const receipts = positionals.map(file)
  const proofs = proof.map(file)
  const links = receipts.length === 1 ? [verify(receipts[0], { ...trust, proof: proofs[0] })] : receipts.length ? verifySeries(receipts, trust, proofs) : []
  if (trust.manifest) console.log(`verified version ${trust.manifest.version} of the key manifest of ${trust.manifest.org}`)
  for (const { predicate: { seq, decision }, index } of links) {
    console.log(`verified ${seq}: ${JSON.stringify([decision.action, decision.reason])}${index === undefined ? '' : `, entry ${index} of the log`}`)
  }
}

function trustedManifest (versions, roots, least) {
  refuse('--root-threshold is a number from 1', !/^[1-9][0-9]{0,3}$/.test(least))
  const inOrder = versions.map(data => [readVersion(data).version, data]).sort(([one], [other]) => one - other)
  return readManifest(inOrder.map(([, data]) => data), roots.map(pem => readKey(pem.toString())), Number(least))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main()
  } catch (error) {
    console.error(`not verified: ${error.message}`)
    process.exitCode = 65
  }
}
