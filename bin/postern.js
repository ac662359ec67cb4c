#!/usr/bin/env node
// which of the runtimes runs it, the export conditions in package.json tell; commands report what goes wrong in them
import('#main').catch((error) => {
  console.error(`postern: the program could not be loaded: ${error.message}`);
  console.error('  it takes Node 22.19, Deno 2.9 or Bun 1.4.3 or newer; in a checkout, `npm run build` first');
  process.exitCode = 1;
});
