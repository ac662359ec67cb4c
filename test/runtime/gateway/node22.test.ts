import { SUBJECTS } from '../../support/runtime-gateway.ts';
import { gatewayContract } from './gateway-contract.ts';

gatewayContract(SUBJECTS.node22);
