import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { halve } from './measure.ts';

setWasmPaths('/');
Object.assign(globalThis, { halve });
