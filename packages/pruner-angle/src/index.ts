export { type AngleArgs, angle, type Gram } from './angle.ts';
export { type Distinct, type DistinctivenessArgs, distinctiveness } from './distinctiveness.ts';
