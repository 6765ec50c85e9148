// SPDX-License-Identifier: Apache-2.0
// Bytes and texts come in; what they mean goes out, or a refusal: hashes, JSON in its one form, base64 and keys.
import { createHash, createPublicKey, verify as ed25519 } from 'node:crypto'

const P = 2n ** 255n - 19n
const EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022n
const SMALL = [0n, 1n, P - 1n, EIGHTH, P - EIGHTH]
// RFC 8032 section 5.1: the order of the group.
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

export class Refusal extends Error {}
export const refuse = (reason, is = true) => { if (is) throw new Refusal(reason) }
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
export const hex = data => sha256(data).toString('hex')
export const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)
export const has = (value, ...names) => isObject(value) && Object.keys(value).sort().join() === names.sort().join()
const littleEndian = data => BigInt('0x' + Buffer.from(data).reverse().toString('hex'))

export function jcs (value) {
  if (Array.isArray(value)) return `[${value.map(jcs).join()}]`
  if (isObject(value)) return `{${Object.keys(value).sort().map(name => `${jcs(name)}:${jcs(value[name])}`).join()}}`
  refuse('not_canonical', typeof value === 'string' && !value.isWellFormed())
  return JSON.stringify(value)
}

// How deep lists and objects stand in each other; as deep as a bound allows it looks, and no deeper.
function isDeeper (value, bound) {
  if (typeof value !== 'object' || value === null) return false
  return bound === 0 || Object.values(value).some(each => isDeeper(each, bound - 1))
}

export function canonical (data, part) {
  let value, text
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
    value = JSON.parse(text)
  } catch { refuse(`${part}_not_json`) }
  refuse(`${part}_not_json`, isDeeper(value, 128))
  try { refuse('not_canonical', jcs(value) !== text) } catch { refuse(`${part}_not_canonical`) }
  return value
}

export function base64 (text, reason) {
  const data = Buffer.from(text, 'base64')
  refuse(reason, data.toString('base64') !== text)
  return data
}

export function trusted (raw, reason) {
  const y = littleEndian(raw) & (2n ** 255n - 1n)
  refuse(reason, raw.length !== 32 || SMALL.includes(y % P))
  return createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
}

export function readKey (pem) {
  const [begin, ...lines] = String(pem).trim().split(/\r?\n/)
  refuse('public_key', begin !== '-----BEGIN PUBLIC KEY-----' || lines.pop() !== '-----END PUBLIC KEY-----')
  const der = base64(lines.map(line => line.trim()).join(''), 'public_key')
  refuse('public_key', !der.subarray(0, 12).equals(SPKI))
  const written = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
  return { id: hex(der), raw: der.subarray(12), key: trusted(der.subarray(12), 'public_key'), pem: written }
}

// What a signature of DSSE is over.
export function preAuthentication (type, body) {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body])
}

export const isMalleated = signature => littleEndian(signature.subarray(32)) >= ORDER
export const isUnsigned = (key, signature, message) => !ed25519(null, message, key, signature)
