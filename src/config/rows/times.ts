import { setting } from '../setting.ts';
import { integer } from '../values.ts';

/** How long things take, in seconds. */
export const TIME_SETTINGS = {
  healthIntervalSeconds: setting({
    env: 'POSTERN_HEALTH_INTERVAL',
    placeholder: 'SECONDS',
    parse: integer(1, 86_400),
    fallback: 60,
    help: 'seconds between two health checks of an upstream',
  }),
  pollIntervalSeconds: setting({
    env: 'POSTERN_POLL_INTERVAL',
    placeholder: 'SECONDS',
    parse: integer(1, 3_600),
    fallback: 5,
    help: 'seconds between two looks for changes in the store, where it does not tell of them',
  }),
  connectTimeoutSeconds: setting({
    env: 'POSTERN_CONNECT_TIMEOUT',
    placeholder: 'SECONDS',
    parse: integer(1, 300),
    fallback: 10,
    help: 'seconds to a connection with an upstream, handshake included',
  }),
  drainTimeoutSeconds: setting({
    env: 'POSTERN_DRAIN_TIMEOUT',
    placeholder: 'SECONDS',
    parse: integer(0, 3600),
    fallback: 30,
    help: 'seconds calls in flight may take to finish when the gateway stops',
  }),
  rotationDrainTimeoutSeconds: setting({
    env: 'POSTERN_ROTATION_DRAIN_TIMEOUT',
    placeholder: 'SECONDS',
    parse: integer(0, 86_400),
    fallback: 300,
    help: 'seconds calls and streams may take to end when their upstream is replaced or removed',
  }),
};
