#!/usr/bin/env node
// which of the runtimes runs it, the export conditions in package.json tell
import '#main';
