// SPDX-License-Identifier: Apache-2.0
// Envelopes come in on standard input, each a line of base64; whether a reader that is named takes it goes out.
//
//   node readers.mjs node|sigstore|verifier KEY.pem FOLDER-OF-NODE_MODULES < envelopes
//
// `verifier` also takes a proof behind an envelope, in base64 too, where the log's key is in the environment, LOG_KEY.
//
// `node` is Node's own crypto.verify; `sigstore` is @sigstore/verify, as its own documentation calls it;
// `verifier` is examples/verifier, written from docs/reference/receipt.md.
import { createPublicKey, createHash, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [reader, pem, folder] = process.argv.slice(2)
const key = createPublicKey(readFileSync(pem))
const keyId = createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex')

function byNode (envelope) {
  const body = Buffer.from(envelope.payload, 'base64')
  const type = Buffer.from(envelope.payloadType)
  const head = `DSSEv1 ${type.length} ${envelope.payloadType} ${body.length} `
  return verify(null, Buffer.concat([Buffer.from(head), body]), key, Buffer.from(envelope.signatures[0].sig, 'base64'))
}

function sigstore () {
  const require = createRequire(folder + '/')
  const { bundleFromJSON } = require('@sigstore/bundle')
  const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify')
  const root = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
  const find = hint => {
    if (hint !== keyId) throw new Error(`no key ${hint}`)
    return { publicKey: key, validFor: () => true }
  }
  const thresholds = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }
  const verifier = new Verifier(toTrustMaterial(root, find), thresholds)
  return bundle => { verifier.verify(toSignedEntity(bundleFromJSON(bundle))); return true }
}

const asBundle = document => document.mediaType
  ? document
  : {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        publicKey: { hint: document.signatures[0].keyid },
        tlogEntries: [],
        timestampVerificationData: {}
      },
      dsseEnvelope: document
    }

async function strictly () {
  const { readKey, readLogKey, verify: verifyReceipt } = await import('../../../examples/verifier/verify.mjs')
  const log = process.env.LOG_KEY
  const trust = { keys: [readKey(readFileSync(pem))], logs: log ? [readLogKey(log)] : [] }
  return (data, proof) => { verifyReceipt(data, { ...trust, proof }); return true }
}

const parsed = data => JSON.parse(data.toString('utf8'))
const takers = {
  node: () => data => byNode(parsed(data)),
  sigstore: () => { const verified = sigstore(); return data => verified(asBundle(parsed(data))) },
  verifier: strictly
}
const takes = await takers[reader]()

for await (const line of createInterface({ input: process.stdin })) {
  let isTaken = false
  try {
    isTaken = takes(...line.split(' ').map(each => Buffer.from(each, 'base64')))
  } catch (error) {
    // Whatever it cannot read it does not take.
  }
  process.stdout.write(`${isTaken}\n`)
}
