/** `kill -9` at any moment of a rotation, of who writes it or of who comes to it, leaves a fleet that converges. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServingPostern } from '../support/postern.ts';
import { startProcessFleet } from '../support/process-fleet.ts';
import type { ProcessFleet } from '../support/process-fleet.ts';
import { lehmer } from '../support/random.ts';
import { scaled } from '../support/soak-scale.ts';

const INSTANCES = 3;
const KILLS = scaled(60, 4);
/** A rotation takes about so long, from the request to the last of three. */
const LONGEST_MS = 80;

let fleet: ProcessFleet;

beforeAll(async () => {
  fleet = await startProcessFleet(INSTANCES);
});
afterAll(() => fleet.close());

const at = (index: number): ServingPostern => fleet.instances[index % INSTANCES] as ServingPostern;

/** The certificate an instance presents now. */
async function presentedAt(instance: ServingPostern): Promise<string | undefined> {
  const { body } = await fleet.api(instance, 'GET', '/v1/gateways/up');
  return (body as { tls: { clientCertificate: { sha256: string } } }).tls.clientCertificate.sha256;
}

test(`${KILLS} times kill -9 at a random moment of a rotation`, async () => {
  const random = lehmer(4);
  let unanswered = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = Math.floor(random() * INSTANCES);
    // who writes, or one of those who come to it
    const victim = writer + (kill % 2);
    const afterMs = random() * LONGEST_MS;
    const put = fleet.api(at(writer), 'PUT', '/v1/gateways/up', fleet.identities[kill % 2]).then(
      ({ status }) => expect(status).toBe(200),
      () => void unanswered++,
    );
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await at(victim).kill();
    await put;
    fleet.instances[victim % INSTANCES] = await fleet.serve();
    await fleet.untilServed();
    const presented = await Promise.all(fleet.instances.map(presentedAt));
    expect(new Set(presented).size, presented.join()).toBe(1);
    await fleet.whileCalled(fleet.instances, () => Promise.resolve());
    for (const instance of fleet.instances) expect(instance.stderr()).not.toContain('record.refused');
  }
  console.log(`${KILLS} kills, ${unanswered} of them before the change was answered; the fleet converged each time`);
});
