/** As much of Deno as is used here. */
interface Permissions {
  querySync(descriptor: { readonly name: string; readonly kind?: string }): {
    readonly state: string;
    readonly partial?: boolean;
  };
}

/** What Node's modules ask for before anything of ours could say what is missing; without `uid`, Deno hangs. */
const REQUIRED = [
  { flag: '--allow-env', asked: { name: 'env' } },
  { flag: '--allow-sys=hostname', asked: { name: 'sys', kind: 'hostname' } },
  { flag: '--allow-sys=uid', asked: { name: 'sys', kind: 'uid' } },
];

/** The flags of those permissions Deno was started without. */
export function missingPermissions(): readonly string[] {
  const { permissions } = (globalThis as unknown as { readonly Deno: { readonly permissions: Permissions } }).Deno;
  const isGiven = ({ asked }: (typeof REQUIRED)[number]): boolean => {
    const { state, partial } = permissions.querySync(asked);
    return state === 'granted' || partial === true;
  };
  return REQUIRED.filter((one) => !isGiven(one)).map(({ flag }) => flag);
}
