import { GatewayError, canonicalPin, openCallerAnchors, SETTINGS, unknownAuthorities } from '../../../src/index.ts';
import type { CallerRules, SettingValues } from '../../../src/index.ts';
import { systemClock } from '../clock.ts';
import { readNamed } from './named-file.ts';

/** What callers' certificates are held to also where a proxy verified them: read at the start, and again at a rotation. */
export class LiveCallerRules {
  readonly #settings: SettingValues;
  #current: CallerRules;

  private constructor(settings: SettingValues, current: CallerRules) {
    this.#settings = settings;
    this.#current = current;
  }

  /** @throws GatewayError config_invalid where a rule names an authority that is not there, file_refused and the codes of CAs and pins */
  static async open(settings: SettingValues): Promise<LiveCallerRules> {
    const rules = await readCallerRules(settings);
    refuseUnknownAuthority(settings, rules);
    return new LiveCallerRules(settings, rules);
  }

  readonly current = (): CallerRules => this.#current;

  /**
   * What the files say now, for `use`. An authority may go, whatever rules name it; one that comes in its place, so that
   * a rule about it would hold for nobody, may not: it would be free of the rule.
   *
   * @throws GatewayError as `open`
   */
  async read(): Promise<CallerRules> {
    const [before, next] = [this.#current, await readCallerRules(this.#settings)];
    const known = new Set(before.anchors.map(({ facts }) => facts.sha256));
    if (next.anchors.some(({ facts }) => !known.has(facts.sha256))) refuseUnknownAuthority(this.#settings, next);
    return isSame(before, next) ? before : next;
  }

  /** Holds callers to these from now on; whether they are others. */
  use(rules: CallerRules): boolean {
    const isOther = rules !== this.#current;
    this.#current = rules;
    return isOther;
  }
}

async function readCallerRules(settings: SettingValues): Promise<CallerRules> {
  const { clientCa, clientAuth, trustProxyAuth } = settings;
  const isShown = clientAuth !== 'none' || trustProxyAuth;
  const { anchors } =
    isShown && clientCa !== undefined
      ? await readNamed(clientCa, (pem) => openCallerAnchors(pem, systemClock.nowMs()))
      : { anchors: [] };
  return { anchors, pins: await readPins(settings) };
}

/** The pins of callers, from their file where they have one. @throws GatewayError file_refused, pin_invalid */
export async function readPins({ clientPins = [] }: SettingValues): Promise<readonly string[]> {
  const given = clientPins.flatMap((pin) => canonicalPin(pin) ?? []);
  const [file] = clientPins;
  if (file === undefined || given.length === clientPins.length) return given;
  return readNamed(file, parsePins);
}

/** The file that holds them; undefined where the setting itself does. */
export function pinFileOf({ clientPins = [] }: SettingValues): string | undefined {
  const [first = ''] = clientPins;
  return first === '' || canonicalPin(first) !== undefined ? undefined : first;
}

/** One a line; what follows a # is for people. An empty file would let in every key. */
function parsePins(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const written = lines.filter((line) => line !== '');
  const pins = written.flatMap((line) => canonicalPin(line) ?? []);
  if (pins.length > 0 && pins.length === written.length) return pins;
  throw new GatewayError('pin_invalid', 'expected a pin such as sha256/BASE64 on every line, and one at least', {
    hint: 'docs/callers.md shows how to have openssl print the pin of a certificate',
  });
}

function refuseUnknownAuthority({ clientSubject = [] }: SettingValues, { anchors }: CallerRules): void {
  const [unknown] = unknownAuthorities(clientSubject, anchors);
  if (unknown === undefined) return;
  const [rules, authorities] = [SETTINGS.clientSubject.env, SETTINGS.clientCa.env];
  throw new GatewayError('config_invalid', `${rules} names the authority ${unknown}, which is not in ${authorities}`, {
    hint: `write it as its common name or the SHA-256 of its certificate, and have it in ${authorities}`,
  });
}

const isSame = (a: CallerRules, b: CallerRules): boolean => textOf(a) === textOf(b);
const textOf = ({ anchors, pins }: CallerRules): string => JSON.stringify([anchors.map(({ pem }) => pem), pins]);
