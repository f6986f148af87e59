export { fisher } from './fisher.ts';
export { type TaylorArgs, taylor } from './taylor.ts';
