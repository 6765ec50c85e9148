// SPDX-License-Identifier: Apache-2.0
// Verifiers that lack a rule come in; whether each of them answers a vector otherwise than it must goes out as JSON.
//
//   node mutants.mjs VECTORS.json < LINES      each line: the path of a verifier, and the reason that it lacks
//
// Only what is taken and what is refused is compared: a verifier may name its reasons as it likes.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

import { asked } from './asked.mjs'

const vectors = JSON.parse(readFileSync(process.argv[2]))

function isTaken ({ ask }) {
  try {
    ask()
    return true
  } catch {
    return false
  }
}

const answer = []
for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
  const [program, reason] = line.split(' ')
  const kinds = Object.values(asked(await import(pathToFileURL(program)), vectors)).flat()
  // Those that must fail by the reason find it first.
  kinds.sort((one, other) => (other.due === reason) - (one.due === reason))
  answer.push(kinds.some(each => isTaken(each) !== (each.due === null)))
}
process.stdout.write(JSON.stringify(answer))
