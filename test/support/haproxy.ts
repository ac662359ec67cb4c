import { startFrontProxy } from './front-proxy.ts';
import type { StartFrontProxy } from './front-proxy.ts';

/** HAProxy with deploy/haproxy/haproxy.cfg. */
export const startHaproxy: StartFrontProxy = (options) =>
  startFrontProxy(
    {
      program: 'haproxy',
      file: 'haproxy/haproxy.cfg',
      certs: '/etc/haproxy/certs',
      edits: (port) => [['bind :443', `bind 127.0.0.1:${port}`]],
      args: (file) => ['-W', '-db', '-f', file],
      ready: /Loading success/,
      stop: 'SIGTERM',
    },
    options,
  );
