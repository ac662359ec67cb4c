import { expect, test } from 'vitest';
import { TextSink } from '../../adapters/node-compat/channel/body-sink.ts';

// 16 MiB in chunks of one byte, a Buffer each, would be some gigabytes.
test('a body in chunks of one byte takes memory in proportion to its size', async () => {
  const bytes = 2 * 1024 * 1024;
  const before = process.memoryUsage();
  const text = new Promise<string>((resolve, reject) => {
    const sink = new TextSink({ limitBytes: bytes, resolve, reject, onOverflow: () => 'more' });
    const chunk = Buffer.from('x');
    for (let index = 0; index < bytes; index++) sink.push(chunk.subarray(0, 1));
    const { heapUsed } = process.memoryUsage();
    expect(heapUsed - before.heapUsed).toBeLessThan(16 * bytes);
    sink.end();
  });
  expect((await text).length).toBe(bytes);
});
