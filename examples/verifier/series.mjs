// SPDX-License-Identifier: Apache-2.0
// A predicate comes in, or two statements that follow each other in a series; nothing goes out, or a refusal.
import { isObject, jcs, refuse } from './bytes.mjs'

const HEX = /^[0-9a-f]{64}$/
const ENDED = ['promoted', 'rolled_back', 'cancelled']
const text = value => typeof value === 'string'
const name = value => text(value) && /^[^\p{White_Space}\p{Cc}\p{Cs}]{1,256}$/u.test(value)
const truth = value => typeof value === 'boolean'
const count = value => Number.isSafeInteger(value) && value >= 0
const ordinal = value => count(value) && value >= 1
const weight = value => typeof value === 'number' && value >= 0 && value <= 100
const status = value => ['active', 'paused', ...ENDED].includes(value)
const sha256 = value => text(value) && HEX.test(value)
const digest = value => isObject(value) && Object.keys(value).join() === 'sha256' && sha256(value.sha256)
const digests = value => isObject(value) && Object.keys(value).length <= 16
const orNull = form => value => value === undefined || value === null || form(value)

const EVERY = {
  ...each(text, 'receiptId', 'org', 'rolloutId', 'mode', 'decidedAt'),
  ...each(isObject, 'baseline', 'candidate', 'from', 'to', 'decision', 'promise', 'policy', 'evidence', 'engine', 'actor'),
  ...each(text, 'decision.action', 'decision.cause', 'decision.reason', 'engine.name', 'engine.version', 'actor.type'),
  ...each(orNull(text), 'actor.name', 'actor.reason')
}
// Of each kind of series: what its receipts have besides, how from and to look, and what may not change.
const KINDS = {
  rol: {
    has: {
      ...each(name, 'baseline.release', 'candidate.release'),
      ...each(truth, 'advisory', 'decision.terminal'),
      'candidate.attempt': ordinal,
      'candidate.digests': orNull(digests),
      'decision.step': count,
      'decision.target': orNull(isObject),
      ...each(digest, 'evidence.stateBefore', 'evidence.stateAfter'),
      'decision.weight': weight,
      'policy.sha256': sha256
    },
    standing: { ...each(count, 'step', 'revision'), weight, status, wouldBeWeight: orNull(weight) },
    follows: ['status', 'step', 'weight', 'wouldBeWeight', 'revision'],
    same: ['baseline.release', 'candidate.release', 'candidate.attempt', 'candidate.digests', 'policy.sha256']
  },
  app: {
    has: {},
    standing: {
      ...each(orNull(name), 'champion', 'formerChampion'),
      frozen: orNull(text),
      killed: truth,
      actuator: orNull(isObject),
      keptFrom: count
    },
    // Champions are made by rollouts.
    follows: ['frozen', 'killed', 'actuator', 'keptFrom'],
    same: []
  },
  org: {
    has: {},
    standing: {
      ...each(sha256, 'receiptKey', 'logKey'),
      ...each(count, 'rawUntil', 'deliveriesUntil'),
      ...each(orNull(isObject), 'webhooks', 'trust', 'manifest', 'overlap')
    },
    follows: ['receiptKey', 'logKey', 'rawUntil', 'deliveriesUntil', 'webhooks', 'trust', 'manifest', 'overlap', 'revoked'],
    same: []
  }
}

function each (form, ...names) {
  return Object.fromEntries(names.map(name => [name, form]))
}

const at = (value, path) => path.split('.').reduce((held, name) => isObject(held) ? held[name] : undefined, value)
const kindOf = id => id.startsWith('app_') ? KINDS.app : id.startsWith('org_') ? KINDS.org : KINDS.rol
const same = (one, other) => jcs(one ?? null) === jcs(other ?? null)

function check (value, forms) {
  for (const [path, form] of Object.entries(forms)) refuse('statement_shape', !form(at(value, path)))
}

export function checkForm (predicate) {
  check(predicate, EVERY)
  const { rolloutId, from, to } = predicate
  const kind = kindOf(rolloutId)
  check(predicate, kind.has)
  check(to, kind.standing)
  // Before its first receipt an organisation has nothing in custody.
  if (kind !== KINDS.org || Object.keys(from).length) check(from, kind.standing)
}

export function checkFollows (before, { predicate, subject }) {
  const { rolloutId, from, to, decision } = predicate
  const kind = kindOf(rolloutId)
  const isReturn = from.status === 'promoted' && decision.action === 'rollback' && to.status === 'rolled_back'
  refuse('chain_ended', kind === KINDS.rol && ENDED.includes(from.status) && !isReturn)
  if (!before) return
  const was = before.predicate
  const isSame = ['mode', 'advisory', ...kind.same].every(path => same(at(was, path), at(predicate, path)))
  const isLeft = kind.follows.every(name => same(was.to[name], from[name]))
  refuse('chain_contradiction', !isSame || !isLeft || !same(before.subject, subject))
  refuse('chain_contradiction', !same(was.evidence.stateAfter, predicate.evidence.stateBefore))
}
