import { registerLayer } from '../rule.ts';

registerLayer('InputLayer', { trace: ({ inputs }) => ({ outputs: inputs }) });
