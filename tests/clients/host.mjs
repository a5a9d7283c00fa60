// Runs scenarios for the tests: one JSON line in, one JSON line out. Packages are loaded only once.

import { createInterface } from "node:readline";

import { Case } from "./case.mjs";

async function play({ script, version, scenario, given }) {
  const { load } = await import(`./${script}.mjs`);
  const scenarios = (await load(version))(new Case(given));
  if (scenarios[scenario] === undefined) throw new Error(`there is no scenario ${scenario}`);
  return await scenarios[scenario]();
}

// React and the packages warn here of what an application does wrong, and go on.
let complaints = [];
console.error = (...words) => complaints.push(words.map(String).join(" "));
console.warn = console.error;
process.on("unhandledRejection", (error) => console.error(`unhandled: ${error?.stack ?? error}`));

for await (const line of createInterface({ input: process.stdin })) {
  complaints = [];
  let answer;
  try {
    answer = { result: await play(JSON.parse(line)) };
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify({ ...answer, complaints })}\n`);
}
process.exit(0);
