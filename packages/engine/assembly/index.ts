export { adam } from './adam';
export {
  addLine,
  clear,
  copyLines,
  divisorGradient,
  gather,
  relu,
  softmaxGradient,
  spread,
  sumLines,
  within,
} from './elementwise';
export { multiply, pack } from './gemm';
export { maxPoolGradient } from './pool';
