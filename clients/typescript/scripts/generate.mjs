// Writes what the client knows of the server, from its OpenAPI document:
//   src/schema.d.ts     the types of every route
//   src/operations.ts   which routes take an Idempotency-Key
//
// npm run generate                  asks `stead openapi` of this checkout, else of the PATH
// npm run generate -- FILE          reads the document from a file ("-": standard input)
// npm run generate -- FILE --check  writes nothing; fails where the files are stale
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const HEAD = '// Generated from the OpenAPI document by `npm run generate`. Do not edit.\n\n';
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

async function readDocument(from) {
  if (from === '-') return text(process.stdin);
  if (from) return readFileSync(from, 'utf8');
  const here = at('../../.venv/bin/stead');
  return execFileSync(existsSync(here) ? here : 'stead', ['openapi'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

async function schema(document) {
  // A member with a default may be left out of a request; answers say by themselves that they always have it.
  return HEAD + astToString(await openapiTS(document, { defaultNonNullable: false }));
}

function operations(document) {
  const found = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const named = (operation.parameters ?? []).some(
        (parameter) => parameter.in === 'header' && parameter.name.toLowerCase() === 'idempotency-key',
      );
      if (named) found.push(`${method.toUpperCase()} ${path}`);
    }
  }
  const lines = found.sort().map((name) => `  '${name}',\n`);
  return (
    HEAD +
    '/** The routes that take an Idempotency-Key: sent again with the same one, the first answer comes again. */\n' +
    `export const TAKES_IDEMPOTENCY_KEY: ReadonlySet<string> = new Set([\n${lines.join('')}]);\n`
  );
}

const given = process.argv.slice(2);
const check = given.includes('--check');
const document = JSON.parse(await readDocument(given.find((argument) => argument !== '--check')));
const stale = [];
for (const [path, text] of [
  ['src/schema.d.ts', await schema(document)],
  ['src/operations.ts', operations(document)],
]) {
  if (existsSync(at(path)) && readFileSync(at(path), 'utf8') === text) continue;
  stale.push(path);
  if (!check) writeFileSync(at(path), text);
}
if (check && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}; run \`npm run generate\` in clients/typescript`);
  process.exit(1);
}
