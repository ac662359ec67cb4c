#!/usr/bin/env node
/** `postern` on Node. */
import { runCli } from '../node-compat/cli/run-cli.ts';
import { NODE } from './runtime.ts';

await runCli(NODE);
