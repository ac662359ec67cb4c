/** workerd's own form of configuration. @see workerd.capnp of the workerd package */

/** A client certificate as a binding, as `mtls_certificates` are on Workers. */
export interface LocalCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface WorkerdConfig {
  readonly address: string;
  /** Files beside the configuration. */
  readonly worker: string;
  readonly stores: string;
  /** A folder. */
  readonly storage: string;
  /** Names of environment variables that become texts of the Worker. */
  readonly texts: readonly string[];
  readonly certificates: Readonly<Record<string, LocalCertificate>>;
  /** Authorities believed beside the public ones: PEM. */
  readonly trusted: readonly string[];
  /** A header that says where a request comes from; a test's way to be in two places. */
  readonly placeHeader?: string | undefined;
  /** An address at which each request is a tick of cron. */
  readonly cronAddress?: string | undefined;
  readonly compatibilityDate: string;
}

/** Quotes a text as Cap'n Proto does. */
const text = (value: string): string => JSON.stringify(value);

const list = (items: readonly string[]): string => `[\n    ${items.join(',\n    ')}\n  ]`;

/** The whole configuration: the Worker, what stands in for D1 and KV, and a way out for each identity. */
export function capnpOf(config: WorkerdConfig): string {
  const { certificates, trusted, placeHeader, cronAddress, compatibilityDate } = config;
  const trust = `trustBrowserCas = true, trustedCertificates = [${trusted.map(text).join(', ')}]`;
  const network = (identity: string): string =>
    `(network = (allow = ["public", "private"], tlsOptions = (${identity}${trust})))`;
  const named = (name: string, service: string): string => `(name = ${text(name)}, ${service.slice(1)}`;
  const bindings = [
    '(name = "GATEWAY", durableObjectNamespace = "PosternGateway")',
    '(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "stores")]))',
    '(name = "KV", kvNamespace = "stores")',
    ...config.texts.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
    ...Object.keys(certificates).map((name) => `(name = ${text(name)}, service = ${text(`as-${name}`)})`),
  ];
  const services = [
    named('main', '(worker = .main)'),
    named('stores', '(worker = .stores)'),
    named('disk', `(disk = (path = ${text(config.storage)}, writable = true))`),
    named('internet', network('')),
    ...Object.entries(certificates).map(([name, { certPem, keyPem }]) =>
      named(`as-${name}`, network(`keypair = (certificateChain = ${text(certPem)}, privateKey = ${text(keyPem)}), `)),
    ),
    ...(cronAddress === undefined ? [] : [named('cron', '(worker = .cron)')]),
  ];
  const http = placeHeader === undefined ? '()' : `(cfBlobHeader = ${text(placeHeader)})`;
  const sockets = [
    `(name = "http", address = ${text(config.address)}, http = ${http}, service = "main")`,
    ...(cronAddress === undefined
      ? []
      : [`(name = "cron", address = ${text(cronAddress)}, http = (), service = "cron")`]),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = ${list(services)},
  sockets = ${list(sockets)},
  structuredLogging = true,
);

const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${text(config.worker)})],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = ["enable_request_signal"],
  durableObjectNamespaces = [(className = "PosternGateway", uniqueKey = "postern-gateway", enableSql = true, preventEviction = true)],
  durableObjectStorage = (inMemory = void),
  globalOutbound = "internet",
  bindings = ${list(bindings)},
);

const stores :Workerd.Worker = (
  modules = [(name = "stores.js", esModule = embed ${text(config.stores)})],
  compatibilityDate = ${text(compatibilityDate)},
  durableObjectNamespaces = [(className = "LocalStore", uniqueKey = "local-store", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "STORES", durableObjectNamespace = "LocalStore")],
);

const cron :Workerd.Worker = (
  modules = [(name = "cron.js", esModule = "export default { fetch: async (_, { MAIN }) => Response.json(await MAIN.scheduled({ cron: '* * * * *' })) };")],
  compatibilityDate = ${text(compatibilityDate)},
  bindings = [(name = "MAIN", service = "main")],
);
`;
}
