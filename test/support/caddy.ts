import { startFrontProxy } from './front-proxy.ts';
import type { StartFrontProxy } from './front-proxy.ts';

/** Caddy with deploy/caddy/Caddyfile. */
export const startCaddy: StartFrontProxy = (options) =>
  startFrontProxy(
    {
      program: 'caddy',
      file: 'caddy/Caddyfile',
      certs: '/etc/caddy/certs',
      edits: (port) => [
        ['gateway.example.com:443 {', `gateway.example.com:${port} {\n\tbind 127.0.0.1`],
        ['auto_https disable_redirects', 'auto_https off'],
      ],
      args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
      ready: /serving initial configuration/,
      stop: 'SIGKILL',
    },
    options,
  );
