#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A receipt of Lockgate and keys that you trust come in; what it proves goes out, or why it proves nothing.
//
//   node verify.mjs --key KEY.pem [--log-key LOG.txt --proof FILE [--checkpoint KEPT [--consistency FILE]]] RECEIPT...
//
// Several receipts are one series, from its first on, without proofs. Written from docs/reference/receipt.md alone, with Node 20 and
// nothing else: it shares no line with Lockgate, so that the two check each other. Key manifests it does not read.
import { verify as ed25519 } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

import { Refusal, base64, canonical, hex, isObject, jcs, littleEndian, readKey, refuse, sha256 } from './bytes.mjs'
import { checkpoint, grown, included, readLogKey } from './log.mjs'
import { checkForm, checkFollows } from './series.mjs'

export { Refusal, readKey, readLogKey }

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const TYPE = 'application/vnd.in-toto+json'
const HEX = /^[0-9a-f]{64}$/
const has = (value, ...names) => isObject(value) && Object.keys(value).sort().join() === names.sort().join()

function open (data, keys) {
  refuse('envelope_size', data.length > 65535)
  const envelope = canonical(data, 'envelope')
  refuse('envelope_shape', !has(envelope, 'payload', 'payloadType', 'signatures'))
  const { payload, payloadType, signatures } = envelope
  refuse('envelope_shape', typeof payload !== 'string' || typeof payloadType !== 'string' || !Array.isArray(signatures))
  refuse('signature_count', signatures.length !== 1)
  const [signature] = signatures
  refuse('envelope_shape', !isObject(signature) || typeof signature.sig !== 'string')
  refuse('key_id_missing', !signature.keyid)
  refuse('envelope_shape', !has(signature, 'keyid', 'sig'))
  const body = base64(payload, 'envelope_base64')
  const signed = base64(signature.sig, 'envelope_base64')
  refuse('payload_size', body.length > 40000)
  refuse('payload_type', payloadType === '' || [...payloadType].length > 256)
  refuse('key_id_shape', !HEX.test(signature.keyid))
  refuse('signature_size', signed.length !== 64)
  const found = keys.find(each => each.id === signature.keyid) ?? refuse('key_unknown')
  refuse('signature_malleated', littleEndian(signed.subarray(32)) >= ORDER)
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `
  refuse('signature', !ed25519(null, Buffer.concat([Buffer.from(head), body]), found.key, signed))
  refuse('payload_type', payloadType !== TYPE)
  return body
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

export function verify (receipt, { keys, logs = [], proof, kept, consistency }) {
  const statement = read(open(receipt, keys))
  const before = kept && checkpoint(kept, logs)
  if (!proof) return { ...statement, sha256: hex(receipt) }
  const now = included(receipt, proof, logs)
  if (before) {
    refuse('fork', before.origin !== now.origin || (before.size === now.size && !before.root.equals(now.root)))
    const [older, newer] = before.size < now.size ? [before, now] : [now, before]
    if (older.size !== newer.size) grown(older, newer, consistency, logs)
  }
  return { ...statement, sha256: hex(receipt), ...now }
}

export function verifySeries (receipts, trust) {
  return receipts.map(each => verify(each, trust)).map((link, at, all) => {
    const { org, rolloutId, seq, prevReceipt } = link.predicate
    refuse('chain', seq !== at + 1 || org !== all[0].predicate.org || rolloutId !== all[0].predicate.rolloutId)
    refuse('chain', at > 0 && prevReceipt.sha256 !== all[at - 1].sha256)
    checkFollows(all[at - 1], link)
    return link
  })
}

function main () {
  const text = { type: 'string' }
  const many = { type: 'string', multiple: true, default: [] }
  const options = { key: many, 'log-key': many, proof: text, checkpoint: text, consistency: text }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const { proof, checkpoint: kept, consistency } = values
  // What is not compared must not look as if it were.
  refuse('no receipt was named', !positionals.length)
  refuse('--checkpoint is compared with that of a --proof', Boolean(kept && !proof))
  refuse('--consistency leads from a --checkpoint', Boolean(consistency && !kept))
  refuse('a --proof is of one receipt', Boolean(proof && positionals.length > 1))
  const file = name => name && readFileSync(name)
  const trust = {
    keys: values.key.map(name => readKey(file(name))),
    logs: values['log-key'].flatMap(name => file(name).toString().trim().split('\n').map(readLogKey)),
    proof: file(proof),
    kept: file(kept),
    consistency: file(consistency)
  }
  const receipts = positionals.map(file)
  const links = receipts.length === 1 ? [verify(receipts[0], trust)] : verifySeries(receipts, trust)
  for (const { predicate: { seq, decision }, index } of links) {
    console.log(`verified ${seq}: ${JSON.stringify([decision.action, decision.reason])}${index === undefined ? '' : `, entry ${index} of the log`}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main()
  } catch (error) {
    console.error(`not verified: ${error.message}`)
    process.exitCode = 65
  }
}
