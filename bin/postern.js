#!/usr/bin/env node
// which of the runtimes runs it, the export conditions in package.json tell; commands report what goes wrong in them
import('#main').catch((error) => {
  process.stderr.write(
    `postern: the program could not be loaded: ${error.message}\n` +
      '  it takes Node 22.19, Deno 2.9 or Bun 1.4.3 or newer; in a checkout, `npm run build` first\n',
  );
  process.exitCode = 1;
});
