// SPDX-License-Identifier: Apache-2.0
// Notes, proofs and keys of a log come in; a checkpoint that its key signed, and what leads to its root, go out.
import { base64, isUnsigned, refuse, sha256, trusted } from './bytes.mjs'
import { logKeysAt } from './manifest.mjs'

const NAME = '[^\\p{White_Space}+]+'
const NUMBER = '(0|[1-9][0-9]{0,18})'
const LARGEST = 2n ** 63n - 1n

export function readLogKey (line) {
  const [, name, hash, encoded] = RegExp(`^(${NAME})\\+([0-9a-f]{8})\\+(\\S+)$`, 'u').exec(line.trim()) ?? refuse('log_key')
  const data = base64(encoded, 'log_key')
  refuse('log_key', data[0] !== 1 || hashOf(name, data.subarray(1)) !== hash)
  return { name, raw: data.subarray(1), key: trusted(data.subarray(1), 'log_key') }
}

function hashOf (name, raw) {
  return sha256(`${name}\n\x01`, raw).toString('hex', 0, 4)
}

// `trust` has the keys of logs that are trusted by themselves, and perhaps a manifest; a kept checkpoint is the verifier's own.
export function checkpoint (data, { logs = [], manifest }, isKept = false) {
  let text
  try { text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data) } catch { refuse('note_shape') }
  refuse('note_shape', /[\x00-\x09\x0b-\x1f]/.test(text))
  const end = text.lastIndexOf('\n\n')
  const lines = text.slice(end + 2).split('\n')
  refuse('note_shape', end < 0 || data.length > 100000 || lines.pop() !== '' || !lines.length || lines.length > 64)
  const signatures = lines.map(line => {
    const [, name, encoded] = RegExp(`^\u2014 (${NAME}) (\\S+)$`, 'u').exec(line) ?? refuse('note_shape')
    return { name, data: base64(encoded, 'note_shape') }
  })
  const body = text.slice(0, end + 1)
  const [origin, size, root, rest] = body.split('\n')
  refuse('checkpoint_shape', rest !== '' || body.split('\n').length !== 4 || !RegExp(`^${NAME}$`, 'u').test(origin))
  refuse('checkpoint_shape', !RegExp(`^${NUMBER}$`).test(size) || BigInt(size) > LARGEST)
  refuse('checkpoint_shape', base64(root, 'checkpoint_shape').length !== 32)
  const { counting, others } = logKeysAt(manifest, logs, origin, BigInt(size), isKept)
  const of = (keys, line) => keys.find(each => line.name === origin && line.data.toString('hex', 0, 4) === hashOf(origin, each.raw))
  const ours = signatures.filter(line => of(counting, line))
  refuse('log_key_place', !ours.length && signatures.some(line => of(others, line)))
  refuse('checkpoint_unsigned', !ours.length)
  const isBad = line => isUnsigned(of(counting, line).key, line.data.subarray(4), Buffer.from(body))
  refuse('checkpoint_signature', ours.some(isBad))
  return { origin, size: BigInt(size), root: Buffer.from(root, 'base64') }
}

function hashes (data, head, reason) {
  const at = data.indexOf('\n\n')
  const lines = data.toString('utf8', 0, Math.max(at, 0)).split('\n')
  refuse('proof_extra', lines.some(line => line.startsWith('extra ')))
  refuse(reason, at < 0 || head.some((form, number) => !form.test(lines[number] ?? '')))
  const path = lines.slice(head.length).map(line => base64(line, reason))
  refuse(reason, path.length > 63 || path.some(each => each.length !== 32))
  const number = BigInt(lines[head.length - 1].split(' ')[1])
  refuse(reason, number > LARGEST)
  return { number, path, note: data.subarray(at + 2) }
}

// RFC 9162 sections 2.1.3.2 and 2.1.4.2: inclusion has one hash to lead up, consistency the old and the new.
function climb (path, from, to, found, reason) {
  for (const step of path) {
    refuse(reason, to === 0n)
    if (from & 1n || from === to) {
      found = found.map(each => sha256('\x01', step, each))
      while (!(from & 1n) && from) [from, to] = [from >> 1n, to >> 1n]
    } else found[0] = sha256('\x01', found[0], step)
    ;[from, to] = [from >> 1n, to >> 1n]
  }
  refuse(reason, to !== 0n)
  return found
}

export function grown (older, newer, data, trust) {
  refuse('growth_missing', !data)
  const { number, path, note } = hashes(data, [RegExp(`^old ${NUMBER}$`)], 'growth_shape')
  const shown = checkpoint(note, trust, true)
  refuse('consistency', shown.origin !== newer.origin || shown.size !== newer.size || !shown.root.equals(newer.root))
  refuse('consistency', number !== older.size || !number)
  let [from, to] = [older.size - 1n, newer.size - 1n]
  while (from & 1n) [from, to] = [from >> 1n, to >> 1n]
  const way = from ? path : [older.root, ...path]
  refuse('consistency', !way.length)
  const [found, old] = climb(way.slice(1), from, to, [way[0], way[0]], 'consistency')
  refuse('consistency', !old.equals(older.root) || !found.equals(newer.root))
}

export function included (leaf, data, trust) {
  const { number, path, note } = hashes(data, [/^c2sp\.org\/tlog-proof@v1$/, RegExp(`^index ${NUMBER}$`)], 'proof_shape')
  const now = checkpoint(note, trust)
  refuse('inclusion', number >= now.size)
  const [root] = climb(path, number, now.size - 1n, [sha256('\x00', leaf)], 'inclusion')
  refuse('inclusion', !root.equals(now.root))
  return { ...now, index: number }
}
