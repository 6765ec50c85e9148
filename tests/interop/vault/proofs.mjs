// SPDX-License-Identifier: Apache-2.0
// Lines of an envelope and its tlog-proof in base64 come in; whether sigstore's own code finds each proven goes out.
//
//   node proofs.mjs VKEY FOLDER-OF-NODE_MODULES < pairs
//
// The checkpoint's signature and the path to its root are checked by @sigstore/verify, which does it so for Rekor.
import { createPublicKey } from 'node:crypto'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [vkey, folder] = process.argv.slice(2)
const require = createRequire(folder + '/')
const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js')
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js')

const [, name, hash, encoded] = vkey.match(/^([^+]+)\+([0-9a-f]{8})\+(.*)$/)
const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(encoded, 'base64').subarray(1)])
const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
const logs = [{ logID: Buffer.from(hash, 'hex'), baseURL: name, publicKey }]

function check (envelope, proof) {
  const [head, ...rest] = proof.toString('utf8').split('\n\n')
  const [title, index, ...hashes] = head.split('\n')
  if (title !== 'c2sp.org/tlog-proof@v1' || !index.startsWith('index ')) throw new Error('no proof')
  const entry = {
    canonicalizedBody: envelope,
    inclusionProof: {
      logIndex: index.slice(6),
      hashes: hashes.map(each => Buffer.from(each, 'base64')),
      checkpoint: { envelope: rest.join('\n\n') }
    }
  }
  verifyMerkleInclusion(entry, verifyCheckpoint(entry, logs))
}

for await (const line of createInterface({ input: process.stdin })) {
  let isProven = false
  try {
    check(...line.split(' ').map(each => Buffer.from(each, 'base64')))
    isProven = true
  } catch (error) {
    // Whatever it cannot read proves nothing.
  }
  process.stdout.write(`${isProven}\n`)
}
