export { adam } from './adam';
export {
  addLine,
  clear,
  clipGradient,
  copyLines,
  divisorGradient,
  gather,
  relu,
  reluGradient,
  softmaxGradient,
  spread,
  sumLines,
} from './elementwise';
export { multiply, pack } from './gemm';
export { maxPoolGradient } from './pool';
