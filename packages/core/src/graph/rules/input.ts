import { registerLayer } from '../rule.ts';

registerLayer('InputLayer', { sum: true, trace: ({ inputs }) => ({ outputs: inputs }) });
