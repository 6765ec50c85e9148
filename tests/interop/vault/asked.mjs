// SPDX-License-Identifier: Apache-2.0
// A verifier and the vectors of docs/reference/receipt.md come in; what it is asked of each goes out.

// Of each kind of vector by its name, in the order of the file: what the vector says, and a call that answers null or a reason.
export function asked ({ readKey, readLogKey, readManifest, verify, verifySeries }, vectors) {
  const trust = () => ({ keys: [readKey(vectors.keys.receiptKeyPem)], logs: [readLogKey(vectors.keys.logKey)] })
  const data = text => text === undefined ? undefined : Buffer.from(text)
  const of = each => ({ ...trust(), proof: data(each.proof), kept: data(each.keptCheckpoint), consistency: data(each.consistency) })
  const envelopes = new Map(vectors.receipts.map(each => [each.name, each.envelope]))
  const last = vectors.receipts.at(-1)

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

  function grown ({ old, consistency }) {
    const kept = vectors.checkpoints.find(each => each.size === old).note
    verify(data(last.envelope), of({ proof: last.proof, keptCheckpoint: kept, consistency }))
  }

  const said = (each, ask) => ({ due: each.reason ?? null, ask: () => ask(each) })
  return {
    receipts: vectors.receipts.map(each => said(each, () => verify(data(each.envelope), of(each)))),
    chains: vectors.chains.map(each => said(each, () => verifySeries(each.receipts.map(name => data(envelopes.get(name))), trust()))),
    growth: vectors.growth.map(each => said(each, grown)),
    mustVerify: vectors.mustVerify.map(each => said(each, tried)),
    mustFail: vectors.mustFail.map(each => said(each, tried))
  }
}
