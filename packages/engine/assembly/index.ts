export { adam } from './adam';
export {
  addLine,
  clear,
  clipGradient,
  copyLines,
  gather,
  reluGradient,
  softmaxGradient,
  sumLines,
} from './elementwise';
export { multiply, pack } from './gemm';
export { maxPoolGradient } from './pool';
