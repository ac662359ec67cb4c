import { startFrontProxy } from './front-proxy.ts';
import type { StartFrontProxy } from './front-proxy.ts';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** nginx with deploy/nginx/nginx.conf. */
export const startNginx: StartFrontProxy = (options) =>
  startFrontProxy(
    {
      program: 'nginx',
      file: 'nginx/nginx.conf',
      certs: '/etc/nginx/certs',
      edits: (port, folder) => [
        ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
        ['worker_processes auto', 'worker_processes 1'],
        // its own paths belong to root
        [
          'http {',
          ['http {', 'access_log off;', ...TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`)].join('\n'),
        ],
      ],
      args: (file, folder) => [
        '-e',
        'stderr',
        '-c',
        file,
        '-g',
        `daemon off; error_log stderr notice; pid ${folder}/pid;`,
      ],
      ready: /start worker process \d/,
      stop: 'SIGTERM',
    },
    options,
  );
