/** What `postern certs --help` prints. */
export const HELP = `Usage: postern certs COMMAND [options]

Makes the certificates for mutual TLS between a gateway, its plugins and its callers. Whatever exists
already is left as it is: delete a folder to have it made anew.

Commands
  ca            the certificate authority            ca/{ca.key,ca.crt}
  gateway       what the gateway presents            gateway/{client.key,client.crt,client.pem,ca.crt}
  server NAME   a plugin server                      plugins/NAME/{server.key,server.crt,ca.crt}
                valid for NAME, mcp-plugin-NAME, localhost, 127.0.0.1 and ::1
  client NAME   a caller, by common name, e-mail address or SPIFFE id
                                                     clients/NAME/{client.key,client.crt,client.pem,ca.crt}
  all           ca, gateway, and a server for each plugin of \`kind: external\` in the plugin configuration
  check         lists every certificate with the days it has left

Each command makes the authority first if there is none. client.pem holds certificate and key in one file.

Options
  --dir DIR             where everything is kept (certs/mcp)
  --days N              validity of what is made, 1 to 36500, never longer than the CA's (MCP_CERT_DAYS, 825)
  --key-type TYPE       rsa2048, rsa3072, rsa4096, ec-p256, ec-p384 or ed25519 (rsa4096)
  --dns NAME            server: one more DNS name; repeatable
  --ip ADDRESS          server: one more IP address; repeatable
  --plugin-config FILE  all: the plugin configuration (MCP_PLUGIN_CONFIG, plugins/external/config.yaml);
                        without the file, two examples are made
  --warn-days N         check: how long before expiry to warn (30)
  --json                print JSON; errors too, on standard error
  -h, --help            print this

Exit codes: 0 done, or all valid; 1 failed, or \`check\` found a certificate that is expired, not yet valid,
unreadable, or expires within --warn-days; 2 the command line makes no sense.

Keys and client.pem are readable by their owner only (0600, folders 0700), certificates by all (0644).
Keep ca/ca.key away from the machines that only need the rest.

Examples
  postern certs all
  postern certs server MyPlugin --dns plugins.internal --ip 10.0.0.7 --key-type ec-p256
  postern certs client spiffe://example.org/agents/builder --days 90
  postern certs check --warn-days 60`;
