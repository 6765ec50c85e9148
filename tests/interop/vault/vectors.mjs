// SPDX-License-Identifier: Apache-2.0
// The vectors of docs/reference/receipt.md come in; what examples/verifier says of each goes out as JSON.
//
//   node vectors.mjs VERIFY.mjs VECTORS.json
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [program, file] = process.argv.slice(2)
const { readKey, readLogKey, readManifest, verify, verifySeries, Refusal } = await import(pathToFileURL(program))
const vectors = JSON.parse(readFileSync(file))
const trust = { keys: [readKey(vectors.keys.receiptKeyPem)], logs: [readLogKey(vectors.keys.logKey)] }
const data = text => text === undefined ? undefined : Buffer.from(text)

function said (ask) {
  try {
    ask()
    return null
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.message
  }
}

const envelopes = new Map(vectors.receipts.map(each => [each.name, each.envelope]))
const of = each => ({ ...trust, proof: data(each.proof), kept: data(each.keptCheckpoint), consistency: data(each.consistency) })

// What has keys or a manifest of its own is verified by these alone.
function trusted (each) {
  if (!each.manifests && !each.receiptKeys && !each.logKeys) return of(each)
  const manifest = each.manifests && readManifest(each.manifests.map(data), each.roots.map(readKey), each.rootThreshold)
  return { ...of(each), keys: (each.receiptKeys ?? []).map(readKey), logs: (each.logKeys ?? []).map(readLogKey), manifest }
}

function tried (each) {
  const trust = trusted(each)
  if (each.receipt) verify(data(each.receipt), trust)
  if (each.chain) verifySeries(each.chain.map(data), trust, each.proofs?.map(data))
}

const last = vectors.receipts.at(-1)
const answer = {
  receipts: vectors.receipts.map(each => said(() => verify(data(each.envelope), of(each)))),
  chains: vectors.chains.map(each =>
    said(() => verifySeries(each.receipts.map(name => data(envelopes.get(name))), trust))),
  growth: vectors.growth.map(({ old, consistency }) => {
    const kept = vectors.checkpoints.find(each => each.size === old).note
    return said(() => verify(data(last.envelope), of({ proof: last.proof, keptCheckpoint: kept, consistency })))
  }),
  mustVerify: vectors.mustVerify.map(each => said(() => tried(each))),
  mustFail: vectors.mustFail.map(each => said(() => tried(each)))
}
process.stdout.write(JSON.stringify(answer))
