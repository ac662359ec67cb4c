/** HAProxy before Postern, for real, with deploy/haproxy/haproxy.cfg. */
import { frontProxyContract } from '../contract/front-proxy-contract.ts';
import { startHaproxy } from '../support/haproxy.ts';

frontProxyContract(startHaproxy, { file: 'haproxy/haproxy.cfg', speaksHttp2: true });
