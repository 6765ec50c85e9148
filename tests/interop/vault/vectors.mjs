// SPDX-License-Identifier: Apache-2.0
// The vectors of docs/reference/receipt.md come in; what examples/verifier says of each goes out as JSON.
//
//   node vectors.mjs VERIFY.mjs VECTORS.json
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

import { asked } from './asked.mjs'

const [program, file] = process.argv.slice(2)
const verifier = await import(pathToFileURL(program))

function said ({ ask }) {
  try {
    ask()
    return null
  } catch (error) {
    if (!(error instanceof verifier.Refusal)) throw error
    return error.message
  }
}

const kinds = Object.entries(asked(verifier, JSON.parse(readFileSync(file))))
process.stdout.write(JSON.stringify(Object.fromEntries(kinds.map(([kind, each]) => [kind, each.map(said)]))))
